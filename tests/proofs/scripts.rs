//! Programs that Patroni starts.

use super::starts::{Change, mend};
use crate::support::patroni::{Etcd, Patroni, Site, holds};

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
