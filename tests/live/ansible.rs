//! `collect` under Ansible: the playbook of `examples/ansible` on the hosts of a site, over the real ssh.

use std::fs;

use crate::support::path;
use crate::support::pg::tools;
use crate::support::site::{OPERATOR, Ran, Site, password};

/// Where the playbook lies on the operator's host, and where it puts what it has fetched.
const HOME: &str = "/srv/ansible";
const RESULTS: &str = "/srv/ansible/preflight-results";

/// Copies the example to the operator's host, with an inventory of these hosts.
fn prepare(site: &Site, hosts: &[&str]) {
    for file in ["collect.yml", "ansible.cfg"] {
        let text = fs::read(path("examples/ansible").join(file)).expect("the example");
        site.write(OPERATOR, &format!("{HOME}/{file}"), text);
    }
    let ssh = site.serve_ssh();
    let (program, options) = ssh.split_once(' ').expect("a program and its options");
    let one = |h: &&str| format!("        {h}: {{preflight_config: /etc/patroni/{h}.yml}}");
    let hosts = hosts.iter().map(one).collect::<Vec<_>>().join("\n");
    // The operator logs in as root, and there is no sftp on these hosts.
    let inventory = format!(
        "all:\n  vars:\n    ansible_become: false\n    ansible_ssh_transfer_method: piped\n    \
         ansible_ssh_executable: {program}\n    ansible_ssh_common_args: {options}\n    preflight_program: /usr/bin/patroni-preflight\n  \
         children:\n    preflight:\n      hosts:\n{hosts}\n      vars:\n        \
         preflight_dsn: host=/var/run/postgresql user=postgres dbname=postgres password=planted-in-dsn\n"
    );
    site.write(OPERATOR, &format!("{HOME}/inventory.yml"), inventory);
}

/// Runs the playbook with further words.
fn play(site: &Site, more: &[&str]) -> Ran {
    let program = tools().join("py/bin/ansible-playbook");
    assert!(program.exists(), "{} is missing: run `make setup`", program.display());
    let mut command = site.command(OPERATOR, program.to_str().expect("text"));
    command.current_dir("/").env("ANSIBLE_CONFIG", format!("{HOME}/ansible.cfg")).env("ANSIBLE_NOCOLOR", "1");
    command.args([&format!("{HOME}/collect.yml"), "-e", &format!("preflight_results={RESULTS}")]).args(more);
    command.output().expect("ansible-playbook").into()
}

fn result(site: &Site, file: &str) -> String {
    site.read(OPERATOR, &format!("{RESULTS}/{file}"))
}

fn exit_code(site: &Site) -> String {
    result(site, "exit-code").trim_end().to_owned()
}

/// All that lies where the playbook might leave something.
fn left(site: &Site, host: &str) -> String {
    site.sh(host, "find /tmp /var/tmp /root /home /srv /run /var/lib/postgresql -xdev -not -path '*/main/*' | sort")
}

#[test]
fn a_playbook_collects_and_the_check_says_what_it_says_of_the_members_themselves() {
    let site = Site::of(15).standbys(1).start();
    let members = ["pg1", "pg2"];
    prepare(&site, &members);
    let before = members.map(|m| left(&site, m));
    let ran = play(&site, &["-v"]);
    let all = format!("{}{}", ran.out, ran.err);
    // As the user that the playbook takes, with the same login of the server.
    let mut args = vec!["check".to_owned()];
    args.extend(members.map(|m| format!("/etc/patroni/{m}.yml")));
    for m in members {
        args.extend([format!("--ssh={m}=postgres@{m}"), format!("--dsn={m}={}", site.dsn(m, "dba", "postgres"))]);
    }
    let live = site.preflight(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(live.code, Some(1), "{}{}", live.out, live.err);
    assert!(live.out.contains("debian-start-conf-auto"), "{}", live.out);
    assert_eq!(result(&site, "report.txt"), live.out, "{all}");
    assert_eq!((exit_code(&site).as_str(), ran.code), ("1", Some(2)), "{all}");
    assert!(all.contains("check has ended with 1"), "{all}");
    // Nothing is left on the hosts, and no password has been anywhere.
    assert_eq!(members.map(|m| left(&site, m)), before);
    let bundles = members.map(|m| result(&site, &format!("{m}.json"))).concat();
    let roles = ["patroni_su", "replicator", "rewinder", "dba", "app"].map(password);
    for secret in roles.into_iter().chain(["planted-in-dsn"]) {
        assert!(!all.contains(secret) && !bundles.contains(secret), "{secret}: {all}");
    }
}

#[test]
fn a_host_that_is_down_is_told_and_never_ready() {
    let site = Site::of(15).standbys(1).start();
    site.members().iter().for_each(|m| site.leave_start_to_patroni(m));
    prepare(&site, &["pg1", "pg2"]);
    let ready = play(&site, &[]);
    assert_eq!((ready.code, exit_code(&site).as_str()), (Some(0), "0"), "{}{}", ready.out, ready.err);
    // One that is cut off: the other one is checked, and the bundle of an earlier run does not count.
    site.partition("pg2");
    let ran = play(&site, &[]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("not collected: pg2"), "{}{}", ran.out, ran.err);
    assert_ne!(exit_code(&site), "0", "{}", ran.out);
    assert!(result(&site, "report.txt").contains("pg1"), "{}", ran.out);
    site.heal("pg2");
    // One whose server is down is collected as far as it can be, and one without configuration is not.
    site.stop_postgres("pg2", "fast");
    let ran = play(&site, &[]);
    assert!(ran.out.contains("not collected: the server of pg2"), "{}{}", ran.out, ran.err);
    assert!(result(&site, "report.txt").contains("because the server of pg2 is unreachable"), "{}", ran.out);
    assert_ne!(exit_code(&site), "0", "{}", ran.out);
    site.sh("pg2", "rm /etc/patroni/pg2.yml");
    let ran = play(&site, &[]);
    assert!(ran.out.contains("not collected: pg2"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("/etc/patroni/pg2.yml: "), "{}{}", ran.out, ran.err);
    assert_ne!(exit_code(&site), "0", "{}", ran.out);
    // None at all.
    site.partition("pg1");
    site.partition("pg2");
    let ran = play(&site, &[]);
    assert!(ran.out.contains("not collected: pg1, pg2"), "{}{}", ran.out, ran.err);
    assert_eq!((ran.code, exit_code(&site).as_str()), (Some(2), "3"), "{}{}", ran.out, ran.err);
}
