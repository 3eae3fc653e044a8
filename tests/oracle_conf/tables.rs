//! The compiled tables against the running servers.

use std::collections::BTreeMap;

use patroni_preflight::knowledge::guc::{self, Context, Flag, Kind};

use crate::support::number;
use crate::support::pg::{Server, VERSIONS};
use crate::support::rng::Rng;

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

/// Numbers of a range: its ends, small and round ones, and some between.
fn numbers(min: i32, max: i32, rng: &mut Rng) -> Vec<i64> {
    let (min, max) = (i64::from(min), i64::from(max));
    let mut all =
        vec![min, max, 0, -1, 1, 7, 8, 60, 90, 128, 1000, 1024, 1440, 3600, 16_384, 86_400, 131_072, 1_048_576];
    let size = usize::try_from(max - min + 1).unwrap();
    all.extend((0..6).map(|_| min + i64::try_from(rng.below(size)).unwrap()));
    all.retain(|n| (min..=max).contains(n));
    all
}

#[test]
fn values_are_shown_as_the_servers_show_them() {
    use patroni_preflight::knowledge::units::Unit;

    let mut rng = Rng::new(number("PREFLIGHT_SEED", 1));
    let mut looked = 0;
    for version in VERSIONS {
        let server = Server::start(version, |_| String::new());
        let mut db = server.client();
        for row in db.query("SELECT name, setting, current_setting(name) FROM pg_settings WHERE name NOT LIKE '%.%'") {
            let [name, setting, shown] = [0, 1, 2].map(|i| row[i].clone().unwrap_or_default());
            let ours = match guc::find(&name, version).map(|g| &g.kind) {
                Some(Kind::Int { unit: Some(unit), .. }) => unit.shown(setting.parse().unwrap()),
                Some(Kind::Real { unit: Some(unit), .. }) => unit.shown_real(&setting),
                _ => continue,
            };
            assert_eq!(ours, shown, "{version}: {name} = {setting}");
            looked += 1;
        }
        // What the kernel keeps of a connection it shows as 0 where there is none.
        let is_own =
            |g: &&guc::Guc| matches!(g.context, Context::User | Context::Superuser) && !g.name.starts_with("tcp_");
        for guc in guc::all(version).filter(is_own) {
            let values: Vec<(String, String)> = match guc.kind {
                Kind::Int { min, max, unit: Some(unit) } => {
                    numbers(min, max, &mut rng).into_iter().map(|n| (n.to_string(), unit.shown(n))).collect()
                }
                Kind::Real { unit: Some(unit), .. } => {
                    ["0.5", "1", "2.5", "20", "100"].map(|text| (text.to_owned(), Unit::shown_real(unit, text))).into()
                }
                _ => continue,
            };
            for (value, ours) in values {
                // It holds for this statement alone: one that ends statements ends none of ours.
                let sql = format!("SELECT set_config('{}', '{value}', true)", guc.name);
                let Ok(rows) = db.try_query(&sql) else { continue };
                assert_eq!(rows[0][0].as_deref(), Some(&*ours), "{version}: {} = {value}", guc.name);
                looked += 1;
            }
        }
    }
    assert!(looked > 2000, "{looked}");
}
