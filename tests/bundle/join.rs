//! Several bundles in one.

use std::collections::BTreeMap;

use patroni_preflight::bundle::dcs::{Endpoint, Scope, Store};
use patroni_preflight::bundle::{Answer, Bundle};
use patroni_preflight::gap::GapReason;
use patroni_preflight::run::redact::{Key, redact};

use super::bundle;
use super::redact::{key, said};
use crate::support::path;

const FILE: &str = "/patroni.yml";

fn of(member: &str, password: &str) -> Bundle {
    let case = path("fixtures/rules/role-password-mismatch/bad-between-members/input/a/patroni.yml");
    let text = std::fs::read_to_string(case).unwrap();
    let text = text.replace("bill-a", member).replace("fixture-repl-3Tn", password);
    assert!(text.contains(member) && text.contains(password));
    bundle(&[(member, &[(FILE, text.as_str())])])
}

fn join(bundles: &[&Bundle]) -> Result<Bundle, String> {
    let named = ["a.json", "b.json", "c.json"].into_iter().zip(bundles);
    Bundle::join(named.map(|(name, bundle)| (name.to_owned(), (*bundle).clone())).collect())
}

#[test]
fn bundles_of_several_hosts_are_judged_together() {
    for (password, differs) in [("Same-pass-1", false), ("Other-pass-2", true)] {
        let (one, two) = (of("pg1", "Same-pass-1"), of("pg2", password));
        let raw = join(&[&one, &two]).unwrap();
        let redacted = join(&[&redact(&one, &key()), &redact(&two, &key())]).unwrap();
        assert_eq!(said(&raw), said(&redacted));
        assert_eq!(said(&redacted).contains("[role-password-mismatch]: "), differs);
    }
    let known = join(&[&redact(&of("pg1", "zalando"), &key()), &redact(&of("pg2", "vagrant"), &key())]).unwrap();
    assert_eq!(known.redaction.unwrap().well_known.len(), 2);
}

#[test]
fn bundles_that_do_not_fit_are_refused() {
    let (one, two) = (of("pg1", "Same-pass-1"), of("pg2", "Same-pass-1"));
    let refused = |bundles: &[&Bundle]| join(bundles).unwrap_err();
    assert!(refused(&[]).contains("no bundle"));
    let twice = refused(&[&one, &two, &one]);
    assert!(twice.contains("a.json and c.json both speak of the member `pg1`"), "{twice}");
    let other = Key::from_text("another key of these tests").unwrap();
    let keys = refused(&[&redact(&one, &key()), &redact(&two, &other)]);
    assert!(keys.contains("different keys") && keys.contains("the same key file"), "{keys}");
    let raw = refused(&[&one, &redact(&two, &key())]);
    assert!(raw.contains("those in a.json were not"), "{raw}");
    let form = refused(&[&Bundle { format: 99, ..one }]);
    assert!(form.contains("form 99"), "{form}");
}

fn store(member: &str, healthy: Answer<bool>, scope: Answer<Scope>) -> Store {
    let endpoint = Endpoint {
        url: "http://h:2379".to_owned(),
        configured: true,
        version: Answer::Got("3.5.0".to_owned()),
        healthy,
        v2: None,
        advertised: None,
        cluster: None,
        session_ttl_min: None,
    };
    let scopes = BTreeMap::from([("/service/a".to_owned(), scope)]);
    Store { kind: "etcd3".to_owned(), members: vec![member.to_owned()], endpoints: vec![endpoint], scopes }
}

#[test]
fn a_store_that_several_members_name_is_one() {
    let (mut one, mut two) = (of("pg1", "x"), of("pg2", "x"));
    let keys = Scope { keys: BTreeMap::from([("leader".to_owned(), "pg1".to_owned())]) };
    one.stores = vec![store("pg1", Answer::Got(true), Answer::missing(GapReason::Denied, "no"))];
    two.stores = vec![store("pg2", Answer::missing(GapReason::Unreachable, "refused"), Answer::Got(keys.clone()))];
    let joined = join(&[&two, &one]).unwrap();
    assert_eq!(joined, join(&[&two, &one]).unwrap());
    let [store] = &joined.stores[..] else { panic!("{:?}", joined.stores) };
    assert_eq!(store.members, ["pg1", "pg2"]);
    assert_eq!(store.scopes["/service/a"], Answer::Got(keys));
    assert!(store.endpoints[0].healthy.got().is_none(), "what one host cannot reach is not known to be healthy");
    two.stores[0].endpoints[0].url = "http://other:2379".to_owned();
    assert_eq!(join(&[&one, &two]).unwrap().stores.len(), 2);
}
