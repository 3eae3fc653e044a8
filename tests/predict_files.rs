//! What is predicted of files alone: what is certain is said, and what only a server or a host could tell is named.

use std::fs;

use patroni_preflight::facts::Options;
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::predict::connections::{Decided, Purpose};
use patroni_preflight::predict::slots::Fate;
use patroni_preflight::predict::touched::{Act, Moment};
use patroni_preflight::predict::{MemberPrediction, gaps, predict};
use patroni_preflight::run::{Lint, lint};

const HBA: &str = "\
local all all peer
host all patroni_su 127.0.0.1/32 scram-sha-256
host replication replicator 127.0.0.1/32 scram-sha-256
host replication replicator 10.0.0.2/32 md5
host all patroni_su 10.0.0.2/32 reject
hostssl replication replicator 10.0.0.3/32 scram-sha-256
";

fn member(number: usize, more: &str) -> String {
    format!(
        "scope: orders
name: pg{number}
restapi: {{listen: '10.0.0.{number}:8008', connect_address: '10.0.0.{number}:8008'}}
etcd3: {{hosts: ['10.0.0.9:2379']}}
bootstrap:
  dcs:
    postgresql: {{use_pg_rewind: true, parameters: {{wal_level: logical}}}}
    slots:
      cdc: {{type: logical, database: app, plugin: pgoutput}}
      archive: {{type: physical}}
postgresql:
  listen: 10.0.0.{number},127.0.0.1:5432
  connect_address: 10.0.0.{number}:5432
  data_dir: /data/15
  pgpass: /data/pgpass
  authentication:
    superuser: {{username: patroni_su, password: one-secret}}
    replication: {{username: replicator, password: one-more-secret}}
{more}"
    )
}

/// Three members: pg1 has files of PostgreSQL, and pg2 a list of its own.
fn predicted(version: Version) -> Vec<MemberPrediction> {
    let dir = tempfile::tempdir().expect("a directory");
    let put = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    };
    put("pg1/patroni.yml", &member(1, ""));
    put("pg1/pg_hba.conf", HBA);
    put("pg1/postgresql.conf", "ssl = off\n");
    put(
        "pg2/patroni.yml",
        &member(2, "  pg_hba:\n  - host all all 127.0.0.1/32 scram-sha-256\ntags: {nostream: true}\n"),
    );
    put("pg3/patroni.yml", &member(3, "tags: {nofailover: true}\n"));
    let options = Options { postgresql: Some(15), patroni: version };
    let request = Lint { paths: vec![dir.path().to_owned()], options, ..Lint::default() };
    predict(&lint(&request).expect("read").facts).members
}

fn of<'a>(all: &'a [MemberPrediction], name: &str) -> &'a MemberPrediction {
    all.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("{name}: {all:#?}"))
}

fn slots(member: &MemberPrediction) -> Vec<(&str, Fate)> {
    member.slots.as_ref().expect("known").iter().map(|slot| (slot.name.as_str(), slot.fate)).collect()
}

#[test]
fn slots_of_servers_that_nobody_asked() {
    let all = predicted(Version::LATEST);
    let wanted = |names: &[&'static str]| names.iter().map(|name| (*name, Fate::Wanted)).collect::<Vec<_>>();
    // pg2 does not stream, and pg3 may not lead.
    assert_eq!(slots(of(&all, "pg1")), wanted(&["archive", "cdc", "pg3"]));
    assert_eq!(slots(of(&all, "pg2")), wanted(&["archive", "pg1", "pg3"]));
    assert_eq!(slots(of(&all, "pg3")), wanted(&[]));
    for member in &all {
        assert!(member.all_slots.is_err(), "{member:#?}");
        assert!(gaps(member).iter().any(|gap| gap.what == "the slots that the server has now"), "{member:#?}");
    }
    let older = predicted(Version::new(3, 0, 4));
    assert_eq!(slots(of(&older, "pg1")), wanted(&["archive", "cdc", "pg2", "pg3"]));
}

#[test]
fn lines_decide_where_all_is_known() {
    let all = predicted(Version::LATEST);
    let pg1 = of(&all, "pg1");
    let decided = |from: &str, purpose: Purpose| {
        let found = pg1.connections.iter().find(|c| c.from == from && c.purpose == purpose);
        found.unwrap_or_else(|| panic!("{from} {purpose:?}: {:#?}", pg1.connections)).clone()
    };
    let method = |connection: &patroni_preflight::predict::connections::Connection| match &connection.decided {
        Ok(Decided::Line { method, stored, .. }) => {
            assert_eq!(stored, &None, "nobody was asked");
            method.clone()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(method(&decided("pg1", Purpose::Watch)), "scram-sha-256");
    assert_eq!(method(&decided("pg2", Purpose::BaseBackup)), "md5");
    assert!(matches!(decided("pg2", Purpose::Rewind).decided, Ok(Decided::Refused { .. })));
    assert!(!pg1.connections.iter().any(|c| c.from == "pg2" && c.purpose == Purpose::Stream), "it does not stream");
    let by_tls = decided("pg3", Purpose::Stream);
    assert!(matches!(by_tls.decided, Ok(Decided::NeedsTls { .. })), "{by_tls:#?}");
    assert_eq!(decided("pg3", Purpose::Rewind).decided, Ok(Decided::NoLine));
    let databases: Vec<&str> =
        pg1.connections.iter().filter(|c| c.purpose == Purpose::Watch).filter_map(|c| c.database.as_deref()).collect();
    assert_eq!(databases, ["postgres", "app"]);
    assert!(
        decided("pg2", Purpose::RestApi).decided.is_ok_and(|d| d == Decided::Endpoint { seen: "not tried".to_owned() })
    );
    // A list takes the place of a file that nobody has given.
    let pg2 = of(&all, "pg2");
    let watch = pg2.connections.iter().find(|c| c.purpose == Purpose::Watch).expect("a watch");
    assert!(watch.decided.is_ok() && watch.today.as_ref().is_some_and(Result::is_err), "{watch:#?}");
    // Nothing is known of the third one.
    let pg3 = of(&all, "pg3");
    assert!(pg3.connections.iter().filter(|c| c.user.is_some()).all(|c| c.decided.is_err()), "{:#?}", pg3.connections);
}

#[test]
fn what_is_in_doubt_is_named() {
    let all = predicted(Version::LATEST);
    let touched = of(&all, "pg1").touched.as_ref().expect("known");
    let renamed = touched.iter().find(|t| t.act == Act::Renamed).expect("a new name");
    assert_eq!(
        (renamed.what.as_str(), renamed.to.as_deref()),
        ("/data/15/postgresql.conf", Some("/data/15/postgresql.base.conf"))
    );
    assert!(renamed.in_doubt.is_some() && renamed.moment == Moment::Attach, "{renamed:?}");
    let initialize = touched.iter().find(|t| t.what == "/service/orders/initialize").expect("a key");
    assert!(initialize.in_doubt.is_some(), "{initialize:?}");
    let leader = touched.iter().find(|t| t.what == "/service/orders/leader").expect("a key");
    assert!(leader.in_doubt.is_none(), "{leader:?}");
    let with_list = of(&all, "pg2").touched.as_ref().expect("known");
    let list = with_list.iter().find(|t| t.what == "/data/15/pg_hba.conf" && t.act != Act::Copied).expect("the list");
    assert_eq!((list.act, list.moment), (Act::Replaced, Moment::Attach));
    assert!(list.in_doubt.is_none(), "{list:?}");
}
