//! Values of settings against the servers' own checks, with their messages.

use patroni_preflight::knowledge::guc::{self, Context, Flag, Guc, Kind};
use patroni_preflight::parse::guc_value::{GucValue, ValueError, parse_value};

use super::generate::{Chance, value};
use super::{say, seed, size};
use crate::support::pg::{Client, Server};

/// Settings, texts aside, whose right values a server may refuse for what it is and where it runs.
pub(crate) const HOOKED: &[&str] = &[
    // Depend on how the server was built.
    "bonjour",
    "default_toast_compression",
    "io_method",
    "jit",
    "log_destination",
    "recovery_init_sync_method",
    "ssl",
    "wal_compression",
    // The stack limit of the process.
    "max_stack_depth",
    // The sum of four settings has a limit.
    "autovacuum_max_workers",
    "max_connections",
    "max_wal_senders",
    "max_worker_processes",
    // The state of the session.
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
];

fn quote(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What the server says about a value, without keeping it.
fn asked(db: &mut Client, guc: &Guc, text: &str) -> Result<(), ValueError> {
    match db.try_query(&format!("ALTER SYSTEM SET {} = {}", guc.name, quote(text))) {
        Ok(_) => Ok(()),
        Err(e) => {
            let said = e.as_db_error().unwrap_or_else(|| panic!("{} = {text}: {e}", guc.name));
            let text = |t: Option<&str>| t.map(str::to_owned);
            Err(ValueError { message: said.message().to_owned(), detail: text(said.detail()), hint: text(said.hint()) })
        }
    }
}

fn close(a: &GucValue, b: &GucValue) -> bool {
    match (a, b) {
        (GucValue::Real(x), GucValue::Real(y)) => (x - y).abs() <= 1e-5 * x.abs().max(y.abs()),
        _ => a == b,
    }
}

/// The value that the server shows for a text equals ours; only for settings that a session may change.
fn shown_is_equal(db: &mut Client, version: u16, guc: &Guc, text: &str, ours: &GucValue) -> Result<bool, String> {
    // On a unix socket the tcp settings always show 0.
    let elsewhere = guc.name.starts_with("transaction_") || guc.name.starts_with("tcp_");
    if !matches!(guc.context, Context::User | Context::Superuser) || elsewhere {
        return Ok(false);
    }
    let sql = format!("SELECT set_config('{}', {}, true)", guc.name, quote(text));
    let Ok(rows) = db.try_query(&sql) else { return Ok(false) };
    let shown = rows[0][0].clone().unwrap_or_default();
    match parse_value(guc, &shown, version) {
        Ok(v) if close(&v, ours) => Ok(true),
        other => Err(format!("{} = {text:?}: server shows {shown:?} = {other:?}, ours {ours:?}", guc.name)),
    }
}

fn run(version: u16, n: usize) {
    let seed = seed("values");
    let server = Server::start(version, |_| String::new());
    let mut db = server.client();
    let mut c = Chance::new(seed + u64::from(version));
    let settable =
        |g: &&Guc| g.context != Context::Internal && g.kind != Kind::Str && !g.flags.contains(&Flag::NoAlterSystem);
    let gucs: Vec<&Guc> = guc::all(version).filter(settable).collect();
    let (mut refused, mut shown) = (0, 0);
    let mut differences = Vec::new();
    for _ in 0..n {
        let guc = gucs[c.below(gucs.len())];
        let text = value(&mut c, guc);
        let ours = parse_value(guc, &text, version);
        let server = asked(&mut db, guc, &text);
        match (&ours, &server) {
            (Ok(v), Ok(())) => match shown_is_equal(&mut db, version, guc, &text, v) {
                Ok(equal) => shown += usize::from(equal),
                Err(why) => differences.push(why),
            },
            (Err(a), Err(b))
                if same_message(&a.message, &b.message, version) && a.detail == b.detail && same_hint(guc, a, b) =>
            {
                refused += 1;
            }
            (Ok(_), Err(_)) if HOOKED.contains(&guc.name) => {}
            _ => differences.push(format!("{} = {text:?}: ours {ours:?}, server {server:?}", guc.name)),
        }
    }
    db.query("ALTER SYSTEM RESET ALL");
    differences.sort();
    differences.dedup();
    assert!(differences.is_empty(), "PostgreSQL {version}, seed {seed}: {differences:#?}");
    say(&format!("PostgreSQL {version}: {n} values, {refused} refused alike, {shown} shown alike"));
    assert!(refused > n / 10 && shown > n / 20);
}

/// A value of `synchronous_standby_names`, often a wrong one.
fn standby_names(c: &mut Chance) -> String {
    const WORDS: [&str; 22] = [
        "a",
        "Pg2",
        "\"Pg-3\"",
        "\"\"",
        "\"x",
        "é",
        "_1",
        "1",
        "0",
        "2147483648",
        "99999999999999999999",
        "*",
        ",",
        "(",
        ")",
        "FIRST",
        "any",
        "\"first\"",
        "-",
        ".",
        "a$1",
        "1a",
    ];
    let whole = ["FIRST 1 (a, b)", "ANY 2 (*)", "2 (a, b)", "a, b", ""];
    if c.below(4) == 0 {
        return whole[c.below(whole.len())].to_owned();
    }
    let words: Vec<&str> = (0..=c.below(7)).map(|_| WORDS[c.below(WORDS.len())]).collect();
    words.join(["", " ", ", "][c.below(3)])
}

#[test]
fn standby_names_are_judged_as_the_servers_judge_them() {
    for version in guc::MAJORS {
        let guc = guc::find("synchronous_standby_names", version).expect("a setting");
        let server = Server::start(version, |_| String::new());
        let mut db = server.client();
        let seed = seed("standby names");
        let mut c = Chance::new(seed + u64::from(version));
        let mut taken = 0;
        for _ in 0..size(1000).clamp(1000, 20_000) {
            let text = standby_names(&mut c);
            // Its parser's own words, the `DETAIL`, are not repeated.
            let ours = parse_value(guc, &text, version).map(|_| ()).map_err(|e| e.message);
            let theirs = asked(&mut db, guc, &text).map_err(|e| e.message);
            assert_eq!(ours, theirs, "PostgreSQL {version}, seed {seed}: {text:?}");
            taken += usize::from(ours.is_ok());
        }
        assert!(taken > 100, "{taken}");
    }
}

/// Up to 17, messages repeat the name as it was given, and SQL gives it in small letters.
fn same_message(a: &str, b: &str, version: u16) -> bool {
    a == b || (version <= 17 && a.eq_ignore_ascii_case(b))
}

/// The hint of an enum lists the words of this build: those with optional words may differ.
fn same_hint(guc: &Guc, a: &ValueError, b: &ValueError) -> bool {
    a.hint == b.hint || (matches!(guc.kind, Kind::Enum { .. }) && HOOKED.contains(&guc.name))
}

#[test]
fn values_are_judged_as_the_servers_judge_them() {
    for version in [18, 15] {
        run(version, size(5000).max(5000));
    }
    for version in [13, 14, 16, 17] {
        run(version, (size(5000) / 5).max(500));
    }
}
