//! Proofs of what `check` asks the hosts themselves about: what they get to through the network, what their servers do not go by yet,
//! and what is installed there.

use super::on_site::{DEMOTED, check, edit, wait_for, wait_for_demotion, wait_for_leader};
use crate::support::record::says;
use crate::support::site::{OPERATOR, Site};

/// What a firewall does to connections from a host to a port of an address: nothing comes back, or they are refused by the way.
#[derive(Clone, Copy)]
enum Wall {
    Silent,
    NoRoute,
}

impl Wall {
    const ALL: [(Self, &str); 2] = [(Self::Silent, "table 100"), (Self::NoRoute, "unreachable")];

    fn rule(self, site: &Site, change: &str, to: &str, port: u16) -> String {
        let address = site.address(to);
        let action = Self::ALL[self as usize].1;
        format!("ip rule {change} pref 100 to {address} ipproto tcp dport {port} {action}")
    }

    fn up(self, site: &Site, host: &str, to: &str, port: u16) {
        let address = site.address(to);
        // A neighbour that is not there takes all that is sent to it.
        let nowhere = format!(
            "dev=$(ip -o route get {address} | sed 's/.* dev \\([^ ]*\\).*/\\1/') && \
             ip neigh replace 10.77.0.250 lladdr 02:00:00:00:00:fa nud permanent dev $dev && \
             ip route replace {address}/32 via 10.77.0.250 dev $dev table 100"
        );
        site.sh(host, &format!("{nowhere} && {}", self.rule(site, "add", to, port)));
    }

    fn down(self, site: &Site, host: &str, to: &str, port: u16) {
        site.sh(host, &self.rule(site, "del", to, port));
    }
}

#[test]
fn what_hosts_do_not_reach_and_have() {
    let rules = ["peer-connectivity", "dcs-unreachable-from-host", "dcs-server-not-reached", "clone-without-space"];
    let site = Site::of(15).standbys(1).start();

    // No room for the data of a member that has none.
    let data = site.plan.data_dir();
    site.stop_postgres("pg2", "fast");
    let make = format!("mv {data} {data}.old && install -d -m 0700 -o postgres -g postgres {data}");
    let small = "size=16m,mode=0700,uid=$(id -u postgres),gid=$(id -g postgres)";
    site.sh("pg2", &format!("{make} && mount -t tmpfs -o {small} tmpfs {data}"));
    // No way to the store.
    Wall::Silent.up(&site, "pg2", "etcd1", 2379);
    let said = check(&site);
    said.finding("clone-without-space", &format!("{data} of pg2, where {data} lies, has 16 MB left"));
    said.finding("dcs-unreachable-from-host", "from the host of pg2 there is no connection to any server of the store");
    said.is_silent(&["peer-connectivity", "dcs-server-not-reached"]);
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "waiting on etcd");
    Wall::Silent.down(&site, "pg2", "etcd1", 2379);
    wait_for(&site, "pg2", "No space left on device");
    wait_for(&site, "pg2", "Error when fetching backup: pg_basebackup exited with code=1");
    site.sh("pg2", &format!("umount -l {data}"));
    wait_for(&site, "pg2", "a secondary, and following a leader (pg1)");

    // No way to the REST API and the server of the other member.
    Wall::Silent.up(&site, "pg1", "pg2", 8008);
    Wall::NoRoute.up(&site, "pg1", "pg2", 5432);
    let said = check(&site);
    let found = said.finding("peer-connectivity", "from the host of pg1 there is no connection to 10.77.0.12:5432");
    assert!(found.contains("(server of pg2) and 10.77.0.12:8008 (REST API of pg2): no route leads there"), "{found}");
    assert!(found.contains("no answer within 2 s"), "{found}");
    said.is_silent(&["dcs-unreachable-from-host", "dcs-server-not-reached"]);
    let switch =
        || site.patronictl("pg1", &["switchover", "orders", "--leader", "pg1", "--candidate", "pg2", "--force"]);
    let ran = switch();
    assert!(!ran.out.contains("Successfully switched over"), "{}{}", ran.out, ran.err);
    wait_for(&site, "pg1", "Request failed to pg2: GET http://10.77.0.12:8008/patroni");
    Wall::Silent.down(&site, "pg1", "pg2", 8008);
    let ran = switch();
    assert!(ran.out.contains("Successfully switched over"), "{}{}", ran.out, ran.err);
    wait_for(&site, "pg1", "connection to server at \"10.77.0.12\", port 5432 failed: Network is unreachable");
    Wall::NoRoute.down(&site, "pg1", "pg2", 5432);
    site.wait("streaming", 30, || site.is_led_by("pg2"));
    check(&site).is_silent(&rules);
}

#[test]
fn a_server_of_the_store_is_lost() {
    let (even, not_reached) = ("dcs-etcd-hosts-even", "dcs-server-not-reached");
    let site = Site::of(15).etcd(2).start();
    let before = check(&site);
    before.finding(even, "`etcd3.hosts` names 2 servers");
    before.finding(even, "run 3 or 5 members of etcd");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.stop_etcd("etcd2");
    wait_for_demotion(&site, "pg1");
    drop(site);

    // Three outlive that, for whoever gets to the other two.
    let site = Site::of(15).etcd(3).start();
    for etcd in ["etcd2", "etcd3"] {
        Wall::Silent.up(&site, "pg1", etcd, 2379);
    }
    let before = check(&site);
    before.is_silent(&[even]);
    before.finding(not_reached, "from the host of pg1 there is no connection to 10.77.0.22:2379");
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    site.stop_etcd("etcd1");
    wait_for_demotion(&site, "pg1");
    let health = site.sh(OPERATOR, "curl -sf http://10.77.0.22:2379/health");
    assert!(health.contains("true"), "the store lives on: {health}");
    for etcd in ["etcd2", "etcd3"] {
        Wall::Silent.down(&site, "pg1", etcd, 2379);
    }
    wait_for_leader(&site, "pg1");
    let so_far = site.patroni_log("pg1").len();
    site.wait("some loops", 20, || site.patroni_log("pg1")[so_far..].matches("the leader with the lock").count() > 3);
    site.start_etcd("etcd1");
    site.wait("all servers", 20, || {
        let said = check(&site);
        said.is_silent(&[even]);
        !said.has(not_reached) && !said.has("dcs-server-unhealthy")
    });
    let since = &site.patroni_log("pg1")[so_far..];
    assert!(!DEMOTED.into_iter().any(|words| since.contains(words)), "{}", site.logs());
}

#[test]
fn what_servers_do_not_go_by_yet() {
    let of_files = ["config-world-readable", "configuration-not-reloaded"];
    let of_libraries = ["preload-library-missing", "extension-library-missing"];
    let site = Site::of(15).standbys(1).sql("CREATE EXTENSION hstore").start();

    // Rules that nobody has loaded, and a file that everybody reads. The server tells whole seconds of files.
    let is_later = "SELECT date_trunc('second', clock_timestamp()) > pg_conf_load_time()";
    site.wait("the next second", 5, || site.sql("pg1", is_later) == "t");
    site.sh("pg1", "chmod 0644 /etc/patroni/pg1.yml");
    let hba = format!("{}/pg_hba.conf", site.plan.config_dir());
    let text = site.read("pg1", &hba);
    site.write("pg1", &hba, format!("host all app 0.0.0.0/0 reject\n{text}"));
    let login = || site.login(OPERATOR, "pg1", "app", "app", "SELECT 1");
    assert_eq!(login().as_deref(), Ok("1"));
    // A host without some libraries.
    let lib = format!("{}/lib", site.plan.bin_dir().trim_end_matches("/bin"));
    let remove = "rm /srv/lib/hstore.so /srv/lib/pg_stat_statements.so";
    site.sh("pg2", &format!("cp -a {lib} /srv/ && {remove} && mount --bind /srv/lib {lib}"));
    for member in ["pg1", "pg2"] {
        let last = "        max_wal_senders: 12\n";
        edit(&site, member, last, &format!("{last}        shared_preload_libraries: pg_stat_statements\n"));
    }
    let said = check(&site);
    said.finding("config-world-readable", "mode 0644");
    said.finding("configuration-not-reloaded", &hba);
    let reload = said.step("configuration-not-reloaded", "SQL: ").to_owned();
    said.finding("extension-library-missing", "`$libdir/hstore`, which the host of pg2 does not have");
    said.finding("preload-library-missing", "of pg2 names `pg_stat_statements`, which its host does not have");
    let hstore = || site.try_sql("pg2", "postgres", "SELECT 'a=>1'::hstore");
    let error = hstore().expect_err("it is not there");
    says(&error, "could not access file \"$libdir/hstore\"");

    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    let refused = login().expect_err("the rule is in force");
    says(&refused, "pg_hba.conf rejects connection");
    site.start_patroni("pg2");
    wait_for(&site, "pg2", "a secondary, and following a leader (pg1)");
    // What the store says comes to a standby that was taken over with the first reload only.
    let patronictl = |words: &[&str]| {
        let ran = site.patronictl("pg1", words);
        format!("{}{}", ran.out, ran.err)
    };
    patronictl(&["reload", "orders", "pg2", "--force"]);
    let file = format!("{}/postgresql.conf", site.plan.config_dir());
    site.wait("the setting", 10, || site.read("pg2", &file).contains("pg_stat_statements"));
    patronictl(&["restart", "orders", "pg2", "--force"]);
    wait_for(&site, "pg2", "could not access file \"pg_stat_statements\": No such file or directory");
    site.sh("pg2", &format!("umount -l {lib}"));
    site.wait("the server", 30, || hstore().is_ok());
    assert_eq!(site.sql("pg2", "SHOW shared_preload_libraries"), "pg_stat_statements");

    // The mode of the file on the host counts, not that of the operator's copy.
    site.sh("pg1", "chmod 0640 /etc/patroni/pg1.yml");
    site.sh(OPERATOR, "chmod 0644 /etc/patroni/pg1.yml");
    let said = check(&site);
    said.is_silent(&of_files);
    said.is_silent(&of_libraries);

    // A setting that waits for a restart, which Patroni makes.
    let show = || site.sql("pg1", "SHOW wal_buffers");
    let before = show();
    site.sql("pg1", "ALTER SYSTEM SET wal_buffers = '1MB'");
    site.reload_postgres("pg1");
    let waits = "SELECT pending_restart FROM pg_settings WHERE name = 'wal_buffers'";
    site.wait("the new value", 5, || site.sql("pg1", waits) == "t");
    // The server tells the times of files in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    site.write("pg1", &hba, text);
    let said = check(&site);
    said.finding("configuration-not-reloaded", &hba);
    // Beside what Patroni itself has set anew.
    said.finding(
        "pending-restart",
        "`shared_preload_libraries`, `wal_buffers`, `wal_log_hints` of the server of pg1 wait",
    );
    assert!(patronictl(&["list"]).contains("Pending restart"));
    assert_eq!(show(), before);
    site.sql("pg1", &reload);
    site.wait("the rules", 5, || login().is_ok());
    let said = patronictl(&["restart", "orders", "pg1", "--force"]);
    says(&said, "Success");
    assert_eq!(show(), "1MB");
    let said = check(&site);
    said.is_silent(&of_files);
    said.is_silent(&["pending-restart"]);
}

/// A member that tells the others an address of its host that its server does not listen on.
#[test]
fn an_address_that_is_not_listened_on() {
    let rule = "listen-narrower-than-connect-address";
    let site = Site::of(15).start();
    let (told, other) = (site.address("pg1"), "10.77.0.211");
    site.sh(
        "pg1",
        &format!("dev=$(ip -o -4 addr show to {told} | awk '{{print $2}}') && ip addr add {other}/24 dev $dev"),
    );
    site.stop_postgres("pg1", "fast");
    let listen = |hosts: &str| format!("  listen: {hosts}:5432\n  connect_address");
    edit(&site, "pg1", &listen(&format!("{told},127.0.0.1")), &listen(&format!("{other},127.0.0.1")));
    let said = check(&site);
    said.finding(rule, &format!("{told} of this host is not among `{other},127.0.0.1`"));
    site.start_patroni("pg1");
    wait_for_leader(&site, "pg1");
    let refused = site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").unwrap_err();
    says(&refused, "Connection refused");
    edit(&site, "pg1", &listen(&format!("{other},127.0.0.1")), &listen(&format!("{other},{told},127.0.0.1")));
    site.patronictl("pg1", &["reload", "orders", "pg1", "--force"]);
    site.patronictl("pg1", &["restart", "orders", "pg1", "--force"]);
    site.wait("the server", 30, || site.login(OPERATOR, "pg1", "dba", "postgres", "SELECT 1").is_ok());
    check(&site).is_silent(&[rule]);
}
