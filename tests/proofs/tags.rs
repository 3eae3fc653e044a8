//! What tags keep members from.

use crate::support::patroni::{Etcd, Patroni, Site};
use crate::support::proof_site::prove;

#[test]
fn nobody_is_promoted() {
    let (mut patroni, rule) = (Patroni::new(), "tag-all-nofailover");
    for is_bad in [true, false] {
        let etcd = Etcd::start();
        let site = Site::new(etcd.port);
        site.lay(rule, "bad-both");
        if !is_bad {
            site.replace("a/patroni.yml", b"tags:\n  nofailover: true\n", "");
        }
        for member in ["a", "b"] {
            let file = format!("{member}/patroni.yml");
            site.replace_all(&file, ",127.0.0.1", "");
            site.take_over(&file, 16, true);
            patroni.start(&site, member, &[&file]);
        }
        let barred = "following a different leader because I am not allowed to promote";
        if is_bad {
            patroni.expect("a", barred);
            patroni.expect("b", barred);
        } else {
            patroni.expect("a", "promoted self to leader by acquiring session lock");
        }
        assert_eq!(site.findings(rule).is_empty(), !is_bad);
        for member in ["a", "b"] {
            patroni.stop(member);
        }
    }
}

#[test]
fn a_tag_against_another() {
    prove("tags", "a_tag_against_another");
}
