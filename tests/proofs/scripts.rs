//! Programs that Patroni starts.

use super::starts::{Change, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::pg::template;
use crate::support::proof::prove;

#[test]
fn scripts_do_not_do_what_they_are_for() {
    prove("scripts", "scripts_do_not_do_what_they_are_for");
}

#[test]
fn nobody_is_promoted() {
    let (mut patroni, rule) = (Patroni::new(), "pre-promote-fails");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-mode");
        site.take_over("host/etc/patroni/patroni.yml", 16, true);
        if !is_bad {
            site.chmod("host/etc/patroni/vip.sh", 0o755);
        }
        let ends = "Promotion cancelled because the pre-promote script failed|the leader with the lock";
        let said = patroni.run(&site, &["host/etc/patroni/patroni.yml"], ends);
        let is_refused =
            holds(&said.log, "Failed to execute .'[^ ]*/vip.sh'.*PermissionError.*Promotion cancelled because");
        assert_eq!(is_refused, is_bad, "{}", said.log);
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
    }
}

#[test]
fn the_cluster_is_not_made() {
    let (mut patroni, rule) = (Patroni::new(), "bootstrap-command-cannot-run");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-shell-syntax");
        let sockets = "  parameters:\n    unix_socket_directories: /run/postgresql\n    fsync: 'off'\n  bin_dir:";
        site.replace("patroni.yml", b"  bin_dir:", sockets);
        if !is_bad {
            let restore = format!("sh -c 'cp -a {} {}/data'", template(15).display(), site.dir.display());
            site.replace("patroni.yml", b"cd /srv && ./restore.sh", &restore);
            site.replace("patroni.yml", b"username: patroni_su", "username: postgres");
        }
        let said = patroni.run(&site, &["patroni.yml"], "PatroniFatalException|running post_bootstrap");
        let taken_back = "Failed to execute .'cd', .*removing initialize key.*Failed to bootstrap cluster";
        assert_eq!(holds(&said.log, taken_back), is_bad, "{}", said.log);
        assert_eq!(holds(&said.log, "running post_bootstrap"), !is_bad, "{}", said.log);
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
    }
}

#[test]
fn a_new_cluster_is_taken_back() {
    let (mut patroni, rule) = (Patroni::new(), "post-bootstrap-script");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-old-name");
        let sockets = "  parameters:\n    unix_socket_directories: /run/postgresql\n    fsync: 'off'\n  bin_dir:";
        site.replace("patroni.yml", b"  bin_dir:", sockets);
        if !is_bad {
            let change: Change = (b"cd /srv && ./post_init.sh", "sh -c 'cd /srv && true'");
            mend(&site, rule, &[change]);
        }
        let said = patroni.run(&site, &["patroni.yml"], "PatroniFatalException|initialized a new cluster");
        let taken_back =
            "Failed to execute .'cd', .*removing initialize key after failed attempt to bootstrap the cluster";
        assert!(holds(&said.log, if is_bad { taken_back } else { "initialized a new cluster" }), "{}", said.log);
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
    }
}
