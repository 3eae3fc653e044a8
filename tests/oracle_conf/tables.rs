//! The compiled tables against the running servers.

use std::collections::BTreeMap;

use patroni_preflight::knowledge::guc::{self, Context, Flag, Kind};

use crate::support::pg::{Server, VERSIONS};

/// The columns of `pg_settings` that the table stands for, as text.
fn described(guc: &guc::Guc) -> (String, String, String) {
    let unit = |u: &Option<patroni_preflight::knowledge::units::Unit>| u.map_or("", |u| u.name()).to_owned();
    let (kind, unit) = match &guc.kind {
        Kind::Bool => ("bool", String::new()),
        Kind::Int { unit: u, .. } => ("integer", unit(u)),
        Kind::Real { unit: u, .. } => ("real", unit(u)),
        Kind::Enum { .. } => ("enum", String::new()),
        Kind::Str => ("string", String::new()),
    };
    let context = match guc.context {
        Context::Internal => "internal",
        Context::Postmaster => "postmaster",
        Context::Sighup => "sighup",
        Context::SuperuserBackend => "superuser-backend",
        Context::Backend => "backend",
        Context::Superuser => "superuser",
        Context::User => "user",
    };
    (kind.to_owned(), unit, context.to_owned())
}

fn range(guc: &guc::Guc) -> Option<(f64, f64)> {
    match guc.kind {
        Kind::Int { min, max, .. } => Some((f64::from(min), f64::from(max))),
        Kind::Real { min, max, .. } => Some((min, max)),
        _ => None,
    }
}

/// Whether a server (`15.21 (Debian …)`) is a later minor release than the one that the table was made from.
fn is_newer(server: &str, table: &str) -> bool {
    let minor = |text: &str| -> Option<u32> { text.split([' ', '.']).nth(1)?.parse().ok() };
    minor(server) > minor(table)
}

#[test]
fn tables_are_what_the_servers_say() {
    for version in VERSIONS {
        let server = Server::start(version, |_| String::new());
        let mut db = server.client();
        let rows = db.query(
            "SELECT name, vartype, coalesce(unit, ''), context, coalesce(boot_val, ''), min_val, max_val,
             array_to_string(enumvals, ',') FROM pg_settings WHERE name NOT LIKE '%.%'",
        );
        let text = |r: &[Option<String>], n: usize| r[n].clone().unwrap_or_default();
        let live: BTreeMap<String, _> = rows.iter().map(|r| (text(r, 0), r)).collect();
        let newer =
            is_newer(&text(live["server_version"], 4), guc::find("server_version", version).map_or("", |g| g.default));
        for (name, row) in &live {
            let Some(ours) = guc::find(name, version) else {
                assert!(newer, "{version}: {name} is not in the table");
                println!("PostgreSQL {version}: {name} came with a minor release that is newer than the table");
                continue;
            };
            assert_eq!(
                (ours.name, described(ours)),
                (name.as_str(), (text(row, 1), text(row, 2), text(row, 3))),
                "{version}"
            );
            if !(newer && name.starts_with("server_version")) {
                assert_eq!(ours.default, text(row, 4), "{version}: {name}");
            }
            if let Some((min, max)) = range(ours) {
                let live = |n: usize| match text(row, n).as_str() {
                    "1.79769e+308" => f64::MAX,
                    t => t.parse().expect("a number"),
                };
                assert_eq!((min, max), (live(5), live(6)), "{version}: {name}");
            }
            if let Kind::Enum { labels, .. } = ours.kind {
                assert!(text(row, 7).split(',').all(|l| labels.contains(&l)), "{version}: {name}");
            }
        }
        for guc in guc::all(version) {
            assert!(live.contains_key(guc.name) || guc.flags.contains(&Flag::NoShowAll), "{version}: {}", guc.name);
        }
        for (old, new) in guc::aliases(version) {
            let value =
                |db: &mut crate::support::pg::Client, n: &str| db.query(&format!("SELECT current_setting('{n}')"));
            assert_eq!(value(&mut db, old), value(&mut db, new), "{version}: {old}");
        }
        println!("PostgreSQL {version}: {} settings alike", live.len());
        assert!(live.len() > 300);
    }
}
