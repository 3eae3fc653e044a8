//! Proofs of the rules about the host: directories, units, files of passwords.

use crate::support::patroni::{Etcd, Patroni, Site, holds};
use crate::support::pg::data_dir;
use crate::support::proof::prove;

#[test]
fn a_new_cluster_is_made_beside_the_old_one() {
    let mut patroni = Patroni::new();
    let cases = [("data-dir-misread", "bad-tilde", "~/main"), ("data-dir-relative", "bad-relative", "data/billing")];
    for ((rule, case, written), is_bad) in cases.into_iter().flat_map(|c| [(c, true), (c, false)]) {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, case);
        let old = site.dir.join("meant");
        std::fs::rename(data_dir(16, &site.dir), &old).expect("the database that is meant");
        let sockets = "  parameters:\n    unix_socket_directories: /run/postgresql\n    fsync: 'off'\n  bin_dir:";
        site.replace("patroni.yml", b"  bin_dir:", sockets);
        if !is_bad {
            site.replace("patroni.yml", written.as_bytes(), &old.display().to_string());
        }
        let said = patroni.run(&site, &["patroni.yml"], "initialized a new cluster|starting as a secondary");
        assert_eq!(holds(&said.log, "initialized a new cluster"), is_bad, "{}", said.log);
        assert_eq!(site.dir.join(written).join("PG_VERSION").exists(), is_bad);
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
    }
}

#[test]
fn directories_and_programs() {
    prove("host", "directories_and_programs");
}

#[test]
fn units() {
    prove("host", "units");
}
