//! Proofs of what `check` sees of the files, directories and names that a configuration tells of, on the hosts themselves: where the
//! text of the configuration alone says nothing, or may be wrong.

use super::on_site::{check, edit, wait_for, wait_for_leader, wait_for_server};
use crate::support::site::{OPERATOR, Site};

/// The password file of members of a site.
const PGPASS: &str = "/var/lib/postgresql/.pgpass_patroni";
const CONFIG: &str = "/etc/postgresql/15/main";
/// What Patroni logs when it has come to terms with the store.
const FOLLOWS: &str = "a secondary, and following a leader (pg1)";

/// Kills Patroni as a host does that has lost its power, and empties its log.
fn end_patroni(site: &Site, member: &str) {
    let end = "pid=$(cat /run/patroni/patroni.pid 2>/dev/null) && kill -KILL $pid 2>/dev/null; \
               while kill -0 $pid 2>/dev/null; do sleep 0.02; done; \
               if [ -e /var/log/patroni/patroni.log ]; then : > /var/log/patroni/patroni.log; fi";
    site.sh(member, &format!("{end}; true"));
}

/// Starts Patroni and waits for a text in its log; what it has logged.
fn start(site: &Site, member: &str, text: &str) -> String {
    site.start_patroni(member);
    wait_for(site, member, text);
    site.patroni_log(member)
}

/// Makes a name stand for an address on a host.
fn name(site: &Site, host: &str, name: &str, address: &str) {
    // The file may be mounted: it is written anew where it is.
    site.sh(host, &format!("sed '/ {name}$/d' /etc/hosts > /run/hosts && echo '{address} {name}' >> /run/hosts && cat /run/hosts > /etc/hosts"));
}

fn switch(site: &Site, from: &str, leader: &str, candidate: &str) -> String {
    let words = ["switchover", "orders", "--leader", leader, "--candidate", candidate, "--force"];
    let ran = site.patronictl(from, &words);
    format!("{}{}", ran.out, ran.err)
}

#[test]
fn names_that_are_loopback_addresses() {
    let rules = ["pg-connect-address-unusable", "restapi-connect-address-unusable", "name-resolution"];
    let site = Site::of(15).standbys(1).start();
    let address = site.address("pg1");

    // To the standby the primary is the standby itself.
    edit(&site, "pg1", "  connect_address: 10.77.0.11:5432", "  connect_address: pg1:5432");
    check(&site).is_silent(&rules);
    name(&site, "pg2", "pg1", "127.0.0.1");
    let said = check(&site);
    said.finding("pg-connect-address-unusable", "`pg1:5432`: on the host of pg2 that name is 127.0.0.1");
    said.is_silent(&rules[1..]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    start(&site, "pg2", FOLLOWS);
    // It asks itself, where Patroni makes no slot for it, and nothing of the leader comes.
    wait_for_server(&site, "pg2", "ERROR:  replication slot \"pg2\" does not exist");
    site.sql("pg1", "CREATE TABLE written_there ()");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let is_there = || site.sql("pg2", "SELECT to_regclass('written_there') IS NOT NULL") == "t";
    assert!(!is_there());
    name(&site, "pg2", "pg1", &address);
    check(&site).is_silent(&rules);
    site.wait("the table", 25, is_there);
    site.wait("streaming", 25, || site.is_led_by("pg1"));

    // The same for the REST API: a leader does not find the candidate.
    edit(&site, "pg1", "  connect_address: 10.77.0.11:8008", "  connect_address: pg1:8008");
    site.sh("pg1", "kill -HUP $(cat /run/patroni/patroni.pid)");
    let said = switch(&site, "pg1", "pg1", "pg2");
    assert!(said.contains("Successfully switched over"), "{said}");
    site.wait("the other leader", 25, || site.is_led_by("pg2"));
    name(&site, "pg2", "pg1", "127.0.1.1");
    let said = check(&site);
    said.finding("restapi-connect-address-unusable", "`pg1:8008`: on the host of pg2 that name is 127.0.1.1");
    let fix = said.step("restapi-connect-address-unusable", "write `").to_owned();
    assert!(fix.starts_with("connect_address: <address of this host>:8008"), "{fix}");
    let said = switch(&site, "pg1", "pg2", "pg1");
    assert!(!said.contains("Successfully switched over"), "{said}");
    wait_for(&site, "pg2", "Request failed to pg1: GET http://pg1:8008/patroni");
    edit(&site, "pg1", "  connect_address: pg1:8008", "  connect_address: 10.77.0.11:8008");
    edit(&site, "pg1", "  connect_address: pg1:5432", "  connect_address: 10.77.0.11:5432");
    check(&site).is_silent(&rules);
    site.sh("pg1", "kill -HUP $(cat /run/patroni/patroni.pid)");
    site.wait("the address", 10, || site.patronictl("pg2", &["list"]).out.contains("10.77.0.11"));
    let said = switch(&site, "pg1", "pg2", "pg1");
    assert!(said.contains("Successfully switched over"), "{said}");
    site.wait("the first leader", 25, || site.is_led_by("pg1"));

    // On its own host alone, as installers write it: the cluster does not mind, patronictl there does.
    name(&site, "pg2", "pg1", &address);
    edit(&site, "pg1", "  connect_address: 10.77.0.11:8008", "  connect_address: pg1:8008");
    site.sh("pg1", "kill -HUP $(cat /run/patroni/patroni.pid)");
    name(&site, "pg1", "pg1", "127.0.1.1");
    let said = check(&site);
    said.finding("name-resolution", "`pg1` is 127.0.1.1, where its REST API does not listen, on the host of pg1");
    said.is_silent(&rules[..2]);
    let reload = |from: &str| {
        let ran = site.patronictl(from, &["reload", "orders", "pg1", "--force"]);
        format!("{}{}", ran.out, ran.err)
    };
    site.wait("refusal", 10, || reload("pg1").contains("Connection refused"));
    assert!(reload("pg2").contains("Reload request received"), "{}", reload("pg2"));
    assert!(site.is_led_by("pg1"));
    name(&site, "pg1", "pg1", &address);
    check(&site).is_silent(&rules);
    assert!(reload("pg1").contains("Reload request received"));
}

#[test]
fn password_files_scripts_and_the_configuration_of_a_unit() {
    let site = Site::of(15).standbys(1).start();
    a_callback(&site);
    password_files(&site);
    the_configuration_of_a_unit(&site);
}

/// A callback that waits for a role of former days, and has a password; Patroni leads with it afterwards.
fn a_callback(site: &Site) {
    let script = "/etc/patroni/vip.sh";
    let body = "export PGPASSWORD='planted-in-script'\n[ \"$2\" = master ] && touch /run/postgresql/vip\n";
    site.write("pg1", script, format!("#!/bin/sh\r\n{body}"));
    site.sh("pg1", &format!("chmod 755 {script}"));
    edit(site, "pg1", "  pgpass:", &format!("  callbacks:\n    on_start: {script}\n  pgpass:"));
    let said = check(site);
    said.finding("callback-not-executable", "ends in a carriage return");
    said.finding("callback-expects-master", "line 3 of pg1/etc/patroni/vip.sh knows the role `master`");
    assert!(!said.text.contains("planted-in-script"), "{}", said.text);
    let ran = site.preflight(&[
        "collect",
        "--ssh",
        "pg1=pg1",
        "--manifest",
        "-",
        "-o",
        "/run/bundle",
        "/etc/patroni/pg1.yml",
    ]);
    let bundle = site.read(OPERATOR, "/run/bundle");
    assert!(bundle.contains("touch /run/postgresql/vip") && !bundle.contains("planted-in-script"), "{ran:?}");
    assert!(ran.err.contains(script), "{ran:?}");
    site.start_patroni("pg1");
    wait_for_leader(site, "pg1");
    wait_for(site, "pg1", "No such file or directory: '/etc/patroni/vip.sh'");
    let restart = |text: &str| {
        end_patroni(site, "pg1");
        site.write("pg1", script, text);
        start(site, "pg1", "the leader with the lock");
    };
    let is_called = || site.run("pg1", &["test", "-e", "/run/postgresql/vip"]).code == Some(0);
    restart(&format!("#!/bin/sh\ntouch /run/postgresql/called\n{body}"));
    site.wait("the callback", 10, || site.run("pg1", &["test", "-e", "/run/postgresql/called"]).code == Some(0));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(!is_called());
    let said = check(site);
    said.finding("callback-expects-master", "");
    said.is_silent(&["callback-not-executable"]);
    let both = format!(
        "#!/bin/sh\n{}",
        body.replace("[ \"$2\" = master ] &&", "case $2 in master|primary) ;; *) exit ;; esac;")
    );
    restart(&both);
    site.wait("the callback", 10, is_called);
    check(site).is_silent(&["callback-expects-master", "callback-not-executable"]);
}

/// What lies where a standby's Patroni is to write its password file.
fn password_files(site: &Site) {
    let rules = ["pgpass-not-file", "pgpass-is-user-file", "pgpass-dir-not-writable"];
    // Nothing that Patroni could write to.
    let make = |text: &str| drop(site.sh("pg2", &format!("rm -rf {PGPASS}; {text}")));
    make(&format!("mkdir {PGPASS}"));
    let said = check(site);
    said.finding("pgpass-not-file", "which is a directory on the host of pg2");
    said.is_silent(&rules[1..]);
    start(site, "pg2", "exists and it's not a file, check your `postgresql.pgpass` configuration");
    for (mode, error, words) in [
        ("0600", "[Errno 13] Permission denied", "to which user postgres may not write on the host of pg2"),
        ("0666", "[Errno 1] Operation not permitted", "which belongs to root on the host of pg2"),
    ] {
        end_patroni(site, "pg2");
        make(&format!("install -m {mode} -o root /dev/null {PGPASS}"));
        let said = check(site);
        said.finding("pgpass-not-file", words);
        said.is_silent(&rules[1..]);
        start(site, "pg2", &format!("PermissionError: {error}: '{PGPASS}'"));
    }
    end_patroni(site, "pg2");

    // The file of somebody else, under a name that tells nothing.
    let entry = "db1:5432:app:reporter";
    let mine = format!(
        "rm -rf {PGPASS}; echo '{entry}:planted-in-pgpass' > {PGPASS}; chown postgres {PGPASS}; chmod 600 {PGPASS}"
    );
    let text = || site.sh("pg2", &format!("cat {PGPASS}"));
    site.sh("pg2", &mine);
    let said = check(site);
    let found =
        said.finding("pgpass-is-user-file", &format!("which has other passwords on the host of pg2: `{entry}`"));
    assert!(found.contains(&format!("write `pgpass: {PGPASS}_patroni`")), "{found}");
    said.is_silent(&["pgpass-not-file"]);
    assert!(!said.text.contains("planted-in-pgpass"), "{}", said.text);
    start(site, "pg2", FOLLOWS);
    assert!(!text().contains(entry) && text().contains("10.77.0.11:5432:*:replicator:"), "{}", text());
    check(site).is_silent(&rules);
    end_patroni(site, "pg2");
    site.sh("pg2", &mine);
    edit(site, "pg2", &format!("pgpass: {PGPASS}\n"), &format!("pgpass: {PGPASS}_patroni\n"));
    check(site).is_silent(&rules);
    start(site, "pg2", FOLLOWS);
    site.wait("streaming", 25, || site.is_led_by("pg1"));
    assert!(text().contains(entry), "{}", text());
}

/// A unit with a configuration that is not there, and one that its user may not read.
fn the_configuration_of_a_unit(site: &Site) {
    end_patroni(site, "pg2");
    let rule = "systemd-configuration-path-missing";
    let unit = "[Service]\nUser=postgres\nExecStart=/usr/bin/patroni /etc/patroni/patroni.yml\nKillMode=process\n";
    site.write("pg2", "/etc/systemd/system/patroni.service", unit);
    let run = || {
        let ran = site.run_as("pg2", "postgres", &["timeout", "2", "/usr/bin/patroni", "/etc/patroni/patroni.yml"]);
        format!("{}{}", ran.out, ran.err)
    };
    check(site).finding(rule, "with /etc/patroni/patroni.yml, which does not exist on the host of pg2");
    assert!(run().contains("Config is empty."), "{}", run());
    site.sh("pg2", "install -m 600 -o root /etc/patroni/pg2.yml /etc/patroni/patroni.yml");
    check(site).finding(rule, "with /etc/patroni/patroni.yml, which user postgres may not read on the host of pg2");
    assert!(run().contains("PermissionError: [Errno 13] Permission denied: '/etc/patroni/patroni.yml'"), "{}", run());
    site.sh("pg2", "chown postgres /etc/patroni/patroni.yml");
    check(site).is_silent(&[rule]);
    let said = run();
    assert!(!said.contains("Config is empty.") && !said.contains("PermissionError"), "{said}");
}

#[test]
fn the_files_that_a_member_starts_with() {
    let rules =
        ["base-conf-already-exists", "custom-conf-missing", "external-pid-or-stats-dir-on-tmpfs", "hba-ipv6-localhost"];
    let pid = "external_pid_file = '/run/own/15-main.pid'";
    let site = Site::of(15).conf(pid).conf("listen_addresses = '*'").start();
    let (conf, base) = (format!("{CONFIG}/postgresql.conf"), format!("{CONFIG}/postgresql.base.conf"));
    let text = site.read("pg1", &conf);
    let restart = |what: &str| {
        end_patroni(&site, "pg1");
        site.stop_postgres("pg1", "fast");
        site.sh("pg1", what);
        site.start_postgres("pg1");
    };
    let before = format!("rm -f {base} {CONFIG}/own.conf /var/lib/postgresql/15/main/*.backup");

    // A directory in memory that nobody makes anew, and one that is not there.
    let said = check(&site);
    said.finding(rules[2], "`external_pid_file` needs the directory /run/own, which is not there on the host of pg1");
    said.is_silent(&["base-conf-already-exists", "custom-conf-missing", "hba-ipv6-localhost"]);
    let missing = "could not write external PID file \"/run/own/15-main.pid\": No such file or directory";
    wait_for_server(&site, "pg1", missing);
    let directory = "install -d -o postgres /run/own";
    restart(directory);
    assert_eq!(
        site.sh("pg1", "cat /run/own/15-main.pid").trim(),
        site.sh("pg1", "head -1 /var/lib/postgresql/15/main/postmaster.pid").trim()
    );
    let said = check(&site);
    said.finding(
        rules[2],
        "/run/own, which lies on a tmpfs on the host of pg1 and which nobody will make after a reboot",
    );
    // The same directory for sockets, which Patroni makes, or not.
    edit(&site, "pg1", "directories: /var/run/postgresql\n", "directories: /run/own\n");
    let said = check(&site);
    said.finding(rules[2], "`unix_socket_directories` needs the directory /run/own");
    said.finding(rules[2], "Patroni tries to make it, may not, and ends");
    said.is_silent(&["socket-dir-not-writable"]);
    site.stop_postgres("pg1", "fast");
    site.sh("pg1", "rm -r /run/own");
    start(&site, "pg1", "'/run/own' is defined in unix_socket_directories, couldn't create the directory");
    // The fix: a line of tmpfiles.d, which the next boot goes by.
    site.write("pg1", "/etc/tmpfiles.d/own.conf", "d /run/own 0755 postgres postgres - -\n");
    site.sh("pg1", "systemd-tmpfiles --create --prefix=/run/own");
    check(&site).is_silent(&[rules[2]]);
    end_patroni(&site, "pg1");
    edit(&site, "pg1", "directories: /run/own\n", "directories: /var/run/postgresql\n");
    site.start_postgres("pg1");
    check(&site).is_silent(&rules);

    // What an earlier attempt has left counts again.
    site.write("pg1", &base, &text);
    check(&site).is_silent(&rules);
    site.write("pg1", &base, format!("{text}work_mem = 9MB\n"));
    let at = format!("pg1{base}:1:1");
    let said = check(&site);
    let found = said.finding(rules[0], "`postgresql.base.conf` lies beside `postgresql.conf`");
    assert!(found.contains(&at), "{found}");
    start(&site, "pg1", "the leader with the lock");
    assert_eq!(site.sql("pg1", "SHOW work_mem"), "9MB");
    assert!(site.read("pg1", &base).contains("work_mem = 9MB"));
    end_patroni(&site, "pg1");
    site.write("pg1", &conf, &text);
    restart(&before);
    check(&site).is_silent(&rules);
    start(&site, "pg1", "the leader with the lock");
    assert_eq!(site.read("pg1", &base), text);
    assert_eq!(site.sql("pg1", "SHOW work_mem"), "4MB");
    check(&site).is_silent(&rules);

    // A file that Patroni includes without a look.
    end_patroni(&site, "pg1");
    site.write("pg1", &conf, &text);
    restart(&before);
    edit(&site, "pg1", "  pgpass:", "  custom_conf: own.conf\n  pgpass:");
    let said = check(&site);
    said.finding(rules[1], &format!("{CONFIG}/own.conf, which does not exist on its host"));
    said.is_silent(&["custom-conf-replaces-postgresql-conf"]);
    let could_not = format!("could not open configuration file \"{CONFIG}/own.conf\": No such file or directory");
    start(&site, "pg1", "the leader with the lock");
    wait_for_server(&site, "pg1", &could_not);
    wait_for_server(&site, "pg1", "contains errors; no changes were applied");
    let ran = site.patronictl("pg1", &["restart", "orders", "pg1", "--force"]);
    wait_for(&site, "pg1", "removed leader key after trying and failing to start postgres");
    assert!(site.try_sql("pg1", "postgres", "SELECT 1").is_err(), "{ran:?}");
    // The fix: what postgresql.conf said.
    site.write("pg1", &format!("{CONFIG}/own.conf"), &text);
    check(&site).is_silent(&rules);
    site.wait("the server", 25, || site.try_sql("pg1", "postgres", "SELECT 1").is_ok());
    assert_eq!(site.sql("pg1", "SHOW shared_buffers"), "16MB");

    // `localhost` is ::1 there, and the rules for connections know 127.0.0.1 alone.
    end_patroni(&site, "pg1");
    edit(&site, "pg1", "  custom_conf: own.conf\n", "");
    site.write("pg1", &conf, &text);
    restart(&before);
    edit(&site, "pg1", "  listen: 10.77.0.11,127.0.0.1:5432", "  listen: '*:5432'");
    let said = check(&site);
    let line = said.step(rules[3], "add the line `").trim_end_matches('`').to_owned();
    start(&site, "pg1", "the leader with the lock");
    let refused = "no pg_hba.conf entry for host \"::1\", user \"patroni_su\"";
    wait_for_server(&site, "pg1", refused);
    let empty = || drop(site.sh("pg1", "end=$(ls /var/log/postgresql/*); for f in $end; do : > $f; done"));
    // On a host whose `localhost` is 127.0.0.1 alone nothing of it is so.
    end_patroni(&site, "pg1");
    let hosts = site.read("pg1", "/etc/hosts");
    site.write("pg1", "/etc/hosts", hosts.replace("::1 localhost\n", ""));
    check(&site).is_silent(&[rules[3]]);
    empty();
    start(&site, "pg1", "the leader with the lock");
    assert!(!site.postgres_log("pg1").contains(refused));
    end_patroni(&site, "pg1");
    site.write("pg1", "/etc/hosts", hosts);
    check(&site).finding(rules[3], "");
    let hba = format!("{CONFIG}/pg_hba.conf");
    let lines = site.read("pg1", &hba);
    site.write("pg1", &hba, format!("{line}\n{lines}"));
    site.reload_postgres("pg1");
    check(&site).is_silent(&[rules[3]]);
    empty();
    start(&site, "pg1", "the leader with the lock");
    assert!(!site.postgres_log("pg1").contains(refused));
}
