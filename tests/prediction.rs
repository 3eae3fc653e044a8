//! How a prediction looks: whole pages of one that has something of everything, and what must hold of any.

use std::path::Path;

use patroni_preflight::cli::PredictFormat;
use patroni_preflight::finding::Finding;
use patroni_preflight::gap::{Gap, GapReason};
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::predict::connections::{Connection, Decided, Purpose};
use patroni_preflight::predict::settings::{By, Change, Risk, Setting, State, Value};
use patroni_preflight::predict::slots::{Fate, Slot};
use patroni_preflight::predict::touched::{Act, Moment, Touch};
use patroni_preflight::predict::{MemberPrediction, Prediction, Role};
use patroni_preflight::report::prediction::json::SCHEMA;
use patroni_preflight::report::prediction::text::Paper;
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::rules::tally::{Checked, State as Came};
use patroni_preflight::run::{Linted, show};
use patroni_preflight::source::Span;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::cli::run;
use crate::support::{golden, lint_dir, path};

/// Where some words stand in a file.
fn at(linted: &Linted, file: &str, words: &str) -> Span {
    let sources = linted.facts.sources.all();
    let source = sources.iter().find(|s| s.name() == file).unwrap_or_else(|| panic!("no {file}"));
    let text = String::from_utf8_lossy(source.bytes()).into_owned();
    let start = text.find(words).unwrap_or_else(|| panic!("no {words} in {file}"));
    source.span(start, start + words.len())
}

fn is(value: &str, by: By, at: Option<Span>) -> State {
    let source = if matches!(by, By::Server) { "default" } else { "configuration file" };
    State { value: Value::Is(value.to_owned()), source: source.to_owned(), by, at, pending: false }
}

/// A setting that is the same from the first restart on.
fn setting(name: &str, now: State, attached: State, then: State, change: Change, risks: &[Risk]) -> Setting {
    Setting {
        name: name.to_owned(),
        now: Ok(now),
        attached: Ok(attached),
        restarted: Ok(then.clone()),
        started: Ok(then),
        change,
        risks: risks.to_vec(),
    }
}

/// One that stays as it is.
fn stays(name: &str, state: &State, change: Change) -> Setting {
    setting(name, state.clone(), state.clone(), state.clone(), change, &[])
}

fn pending(state: &State) -> State {
    State { pending: true, ..state.clone() }
}

fn settings(linted: &Linted, member: &str) -> Vec<Setting> {
    let conf = |words| Some(at(linted, &format!("{member}/postgresql.conf"), words));
    let yml = |words| Some(at(linted, &format!("{member}/patroni.yml"), words));
    let old = |value, words| is(value, By::OldFiles, conf(words));
    let logical = old("logical", "wal_level");
    let default = |value| is(value, By::PatroniDefault, None);
    let mut all = vec![
        setting(
            "wal_level",
            logical.clone(),
            pending(&logical),
            default("replica"),
            Change::DynamicAndRestart,
            &[Risk::DoesNotStart, Risk::Lost, Risk::NeedsRestart],
        ),
        stays("shared_buffers", &old("16384", "shared_buffers"), Change::Restart),
        stays("work_mem", &is("65536", By::AutoConf, None), Change::Reload),
        stays("wal_keep_size", &is("2048", By::AutoConf, None), Change::DynamicAndReload),
        setting(
            "archive_command",
            old("test ! -f /mnt/archive/%f && cp %p /mnt/archive/%f", "listen_addresses"),
            is("test ! -f /mnt/archive/%f && gzip < %p > /mnt/archive/%f.gz", By::Local, yml("parameters")),
            is("test ! -f /mnt/archive/%f && gzip < %p > /mnt/archive/%f.gz", By::Local, yml("parameters")),
            Change::Reload,
            &[],
        ),
        setting(
            "max_connections",
            is("300", By::AutoConf, None),
            pending(&is("300", By::AutoConf, None)),
            default("100"),
            Change::DynamicAndRestart,
            &[Risk::Lost, Risk::NeedsRestart],
        ),
        setting(
            "random_page_cost",
            is("1.1", By::OldFiles, conf("listen_addresses")),
            is("1.1", By::Dynamic, yml("dcs")),
            is("1.1", By::Dynamic, yml("dcs")),
            Change::Reload,
            &[],
        ),
        Setting {
            name: "log_timezone".to_owned(),
            now: Err(Gap::new("SHOW log_timezone", GapReason::Denied).on(member).because("permission denied")),
            attached: Err(Gap::new("SHOW log_timezone", GapReason::Denied).on(member).because("permission denied")),
            restarted: Err(Gap::new("SHOW log_timezone", GapReason::Denied).on(member).because("permission denied")),
            started: Err(Gap::new("SHOW log_timezone", GapReason::Denied).on(member).because("permission denied")),
            change: Change::Reload,
            risks: Vec::new(),
        },
    ];
    all.extend(of_role(linted, member));
    all
}

/// Those that only a primary or only a standby has.
fn of_role(linted: &Linted, member: &str) -> Vec<Setting> {
    let conf = |words| Some(at(linted, &format!("{member}/postgresql.conf"), words));
    let old = |value, words| is(value, By::OldFiles, conf(words));
    let mut all = Vec::new();
    if member == "pg1" {
        let waits = is("FIRST 1 (standby_a)", By::OldFiles, conf("wal_level"));
        all.push(setting(
            "synchronous_standby_names",
            waits.clone(),
            waits.clone(),
            waits,
            Change::Reload,
            &[Risk::HangsCommits],
        ));
    } else {
        let conninfo = || State { value: Value::Hidden, ..is("", By::Patroni, None) };
        all.push(setting("primary_conninfo", conninfo(), conninfo(), conninfo(), Change::OtherKeys, &[]));
        let mut kept = setting(
            "max_worker_processes",
            old("16", "shared_buffers"),
            pending(&old("16", "shared_buffers")),
            is("16", By::Control, None),
            Change::DynamicAndRestart,
            &[Risk::StandbyBelowPrimary],
        );
        kept.started = Ok(is("8", By::PatroniDefault, None));
        all.push(kept);
    }
    all
}

fn slot(name: &str, logical: bool, active: Option<bool>, fate: Fate, because: &str) -> Slot {
    Slot {
        name: name.to_owned(),
        logical: logical.then(|| ("orders".to_owned(), "pgoutput".to_owned())),
        active,
        fate,
        when: "in the first round of the leader",
        because: because.to_owned(),
        at: None,
    }
}

fn connection(purpose: Purpose, from: &str, to: &str, decided: Result<Decided, Gap>) -> Connection {
    let is_sql = !matches!(purpose, Purpose::RestApi | Purpose::Store);
    Connection {
        purpose,
        from: from.to_owned(),
        to: to.to_owned(),
        place: None,
        address: is_sql.then(|| "10.0.0.12".parse().unwrap()),
        user: is_sql.then(|| "replicator".to_owned()),
        database: is_sql.then(|| "replication".to_owned()),
        tls: is_sql.then_some(false),
        decided,
        today: None,
    }
}

fn connections(linted: &Linted, member: &str) -> Vec<Connection> {
    let hba = || at(linted, &format!("{member}/pg_hba.conf"), "host");
    let line =
        |stored: &str| Decided::Line { at: hba(), method: "scram-sha-256".to_owned(), stored: Some(stored.to_owned()) };
    let seen = |seen: &str| Ok(Decided::Endpoint { seen: seen.to_owned() });
    vec![
        connection(Purpose::Stream, "pg2", member, Ok(line("scram-sha-256"))),
        connection(Purpose::Rewind, "pg2", member, Ok(line("md5"))),
        connection(Purpose::Check, "pg3", member, Ok(Decided::Refused { at: hba() })),
        connection(Purpose::BaseBackup, "pg3", member, Ok(Decided::NoLine)),
        connection(Purpose::Store, member, "10.0.0.5:2379", seen("refused")),
        connection(Purpose::RestApi, "pg3", member, seen("not tried")),
    ]
}

fn touched(data: &str) -> Vec<Touch> {
    let touch = |moment, act, what: &str, to: Option<&str>, because: &str| Touch {
        moment,
        act,
        what: format!("{data}/{what}"),
        to: to.map(|to| format!("{data}/{to}")),
        because: because.to_owned(),
        in_doubt: None,
    };
    vec![
        touch(
            Moment::Attach,
            Act::Renamed,
            "postgresql.conf",
            Some("postgresql.base.conf"),
            "Patroni's own file includes it",
        ),
        touch(Moment::Attach, Act::Created, "postgresql.conf", None, "what Patroni wants of the server"),
        touch(Moment::FirstRounds, Act::Edited, "postgresql.auto.conf", None, "settings of recovery are taken out"),
    ]
}

fn member(linted: &Linted, name: &str, role: Role) -> MemberPrediction {
    let slots = if name == "pg1" {
        Ok(vec![
            slot("warehouse_cdc", true, Some(true), Fate::Dropped, "no member is called so and no `slots` declares it"),
            slot("standby_a", false, Some(false), Fate::Dropped, "no member is called so and no `slots` declares it"),
            slot("pg2", false, None, Fate::Created, "for member pg2"),
            slot("backup", false, Some(false), Fate::Kept, "declared under `slots`"),
        ])
    } else {
        Err(Gap::new("pg_replication_slots", GapReason::Unreachable).on(name).because("connection refused"))
    };
    MemberPrediction {
        name: name.to_owned(),
        scope: Some("orders".to_owned()),
        role,
        postgresql: Some(15),
        patroni: Version::LATEST,
        assumed: Vec::new(),
        settings: Ok(settings(linted, name)),
        slots,
        all_slots: Ok(()),
        connections: connections(linted, name),
        touched: Ok(touched("/srv/pg")),
    }
}

/// A cluster of which everything is to be said.
pub(crate) fn sample() -> (Linted, Prediction) {
    let mut linted = lint_dir(&path("fixtures/clusters/healthy-orders"), None);
    let members = [("pg1", Role::Primary), ("pg2", Role::Standby), ("pg3", Role::Standby)];
    let members = members.map(|(name, role)| member(&linted, name, role)).into();
    let state = |member: &str| if member == "pg3" { Came::Finding } else { Came::Fine };
    for member in ["pg1", "pg2", "pg3"] {
        let rule = "dcs-history-ahead".to_owned();
        linted.outcome.checked.push(Checked { rule, member: member.to_owned(), state: state(member) });
    }
    linted.outcome.findings.push(Finding {
        rule: "dcs-history-ahead".into(),
        severity: Severity::Error,
        at: at(&linted, "pg3/patroni.yml", "scope"),
        message: "`/service/orders/history` knows timeline 5, and pg3 is on timeline 1".to_owned(),
        labels: Vec::new(),
        nodes: vec!["pg3".to_owned()],
        notes: vec!["Patroni stops a primary that is behind what the store knows.".to_owned()],
        fix: Err("whether the other cluster is still needed nobody but you knows".to_owned()),
    });
    (linted, Prediction { members })
}

fn page(format: PredictFormat, all: bool, columns: usize) -> (String, u8) {
    let (linted, prediction) = sample();
    show(&linted, &prediction, format, Severity::Error, all, Paper { colour: false, columns })
}

fn shape(name: &str, text: &str) {
    golden(&path(&format!("fixtures/render/{name}")), text).unwrap();
}

#[test]
fn as_text() {
    shape("prediction.txt", &page(PredictFormat::Text, false, 100).0);
    shape("prediction-all.txt", &page(PredictFormat::Text, true, 100).0);
    shape("prediction-narrow.txt", &page(PredictFormat::Text, false, 60).0);
}

#[test]
fn as_markdown() {
    shape("prediction.md", &page(PredictFormat::Markdown, false, 100).0);
}

#[test]
fn the_first_screen_shows_what_is_dangerous_the_worst_first() {
    let (text, code) = page(PredictFormat::Text, false, 100);
    assert_eq!(code, 1);
    let screen: Vec<&str> = text.lines().take(40).collect();
    let screen = screen.join("\n");
    let order = [
        "Could a start of Patroni stop a running server?",
        "1. a start of Patroni stops the server",
        "the server does not start with it",
        "connection refused, store",
        "commits wait for a standby that will not come",
        "a standby that replays from here cannot go on with less",
        "slot warehouse_cdc",
    ];
    let places: Vec<usize> =
        order.iter().map(|words| screen.find(words).unwrap_or_else(|| panic!("{words} is not in\n{screen}"))).collect();
    assert!(places.is_sorted(), "{screen}");
    let last = text.lines().last().unwrap();
    assert!(last.contains("exit 1, ") && last.contains("dangerous changes"), "{last}");
}

#[test]
fn values_are_written_as_people_write_them_and_what_stays_shows_only_when_asked_for() {
    let (some, _) = page(PredictFormat::Text, false, 100);
    let (all, _) = page(PredictFormat::Text, true, 100);
    assert!(!some.contains("128MB") && all.contains("128MB") && all.contains("64MB") && all.contains("2GB"));
    assert!(!all.contains("16384") && !all.contains("65536"));
    // Two long values that begin alike are cut so that the difference shows.
    assert!(some.contains("…&& cp") && some.contains("…&& gzip"), "{some}");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_colours_change_no_letter() {
    let (linted, prediction) = sample();
    let text = |colour, columns| {
        show(&linted, &prediction, PredictFormat::Text, Severity::Error, true, Paper { colour, columns }).0
    };
    for columns in [60, 80, 100, 132, 180] {
        let plain = text(false, columns);
        for line in plain.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        let coloured = text(true, columns);
        assert!(coloured.contains("\u{1b}[1;31m"));
        let stripped = regex_lite(&coloured);
        assert_eq!(stripped, plain);
    }
}

/// A text without colours.
fn regex_lite(text: &str) -> String {
    text.split('\u{1b}')
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once('m').unwrap().1 })
        .collect()
}

#[test]
fn json_is_what_its_schema_says() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let check = |text: &str| {
        let document: Json = serde_json::from_str(text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        document
    };
    let document = check(&page(PredictFormat::Json, false, 100).0);
    assert_eq!(document["summary"]["exit"], 1);
    assert_eq!(document["members"].as_array().unwrap().len(), 3);
    let names: Vec<&str> = document["members"][0]["settings"]["known"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"shared_buffers"), "what does not change is there too: {names:?}");
    assert_eq!(document["gate"][2]["answer"], "yes");
    for cluster in ["shop", "healthy-orders"] {
        let output = run(&["predict", "--offline", "--format", "json", cluster], &path("fixtures/clusters"));
        check(&String::from_utf8_lossy(&output.stdout));
    }
    let printed = run(&["schema", "prediction"], Path::new("/"));
    assert_eq!(String::from_utf8_lossy(&printed.stdout), SCHEMA);
    // A document of another kind is refused: the schema says something.
    for wrong in ["{}", "{\"version\": 2}", "[]"] {
        assert!(!validator.is_valid(&serde_json::from_str(wrong).unwrap()));
    }
}

#[test]
fn exit_codes_are_those_of_check() {
    let (linted, mut prediction) = sample();
    let code = |linted: &Linted, prediction: &Prediction| {
        let (text, code) = show(linted, prediction, PredictFormat::Text, Severity::Error, false, Paper::default());
        assert!(text.trim_end().lines().last().unwrap().contains(&format!("exit {code}, ")), "{text}");
        code
    };
    assert_eq!(code(&linted, &prediction), 1);
    let mut calm = lint_dir(&path("fixtures/clusters/healthy-orders"), None);
    for member in &mut prediction.members {
        member.settings.as_mut().unwrap().retain(|setting| setting.risks.is_empty());
        member.connections.truncate(1);
        member.slots = Ok(Vec::new());
    }
    // A value that was refused to us is not known.
    assert_eq!(code(&calm, &prediction), 3);
    for member in &mut prediction.members {
        member.settings.as_mut().unwrap().retain(|setting| setting.now.is_ok());
    }
    assert_eq!(code(&calm, &prediction), 0);
    calm.outcome.checked.push(Checked {
        rule: "dcs-history-ahead".to_owned(),
        member: "pg1".to_owned(),
        state: Came::NotChecked,
    });
    assert_eq!(code(&calm, &prediction), 3);
    calm.outcome.checked.clear();
    // Over files, what only a server tells was not asked for; a server that does not answer was.
    prediction.members[0].slots = Err(Gap::new("the slots", GapReason::NotGiven).on("pg1"));
    assert_eq!(code(&calm, &prediction), 0);
    prediction.members[0].slots = Err(Gap::new("the slots", GapReason::Unreachable).on("pg1"));
    assert_eq!(code(&calm, &prediction), 3);
    prediction.members[0].slots = Ok(Vec::new());
    prediction.members[0].settings = Err(Gap::new("the settings", GapReason::NotGiven).on("pg1"));
    assert_eq!(code(&calm, &prediction), 3);
    assert_eq!(code(&calm, &Prediction { members: Vec::new() }), 3);
}

#[test]
fn reports_go_to_files_too() {
    let dir = crate::support::TempDir::new("predict");
    crate::support::cases::copy(&path("fixtures/clusters/healthy-orders"), &dir.0);
    let formats = ["text", "markdown", "json", "html"];
    let outputs: Vec<String> = formats.iter().map(|f| format!("--output={f}=out.{f}")).collect();
    let mut args = vec!["predict", "--offline", "."];
    args.extend(outputs.iter().map(String::as_str));
    let output = run(&args, &dir.0);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = |format: &str| std::fs::read_to_string(dir.0.join(format!("out.{format}"))).unwrap();
    assert_eq!(file("text"), String::from_utf8_lossy(&output.stdout));
    assert!(
        file("markdown").starts_with("### ") && file("json").starts_with('{') && file("html").starts_with("<!doctype")
    );
    let twice = run(&["predict", "--offline", ".", "--format", "json", "--output", "text=-"], &dir.0);
    assert_eq!(twice.status.code(), Some(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the names and values are, lines fit and no byte drives the terminal.
    #[test]
    fn any_words_fit(name in "[\\PC\u{1b}\n\t日]{1,40}", value in "[\\PC\u{7}\u{1b}\n日é]{0,80}", columns in 60usize..140) {
        use unicode_width::UnicodeWidthStr as _;
        let linted = lint_dir(&path("fixtures/clusters/healthy-orders"), None);
        let mut prediction = Prediction { members: vec![member(&linted, "pg1", Role::Primary)] };
        let one = &mut prediction.members[0];
        one.name.clone_from(&name);
        one.scope = Some(value.clone());
        for setting in one.settings.as_mut().unwrap() {
            setting.name.clone_from(&name);
            setting.restarted = Ok(is(&value, By::Dynamic, None));
        }
        for slot in one.slots.as_mut().unwrap() {
            slot.name.clone_from(&name);
            slot.because.clone_from(&value);
        }
        for touch in one.touched.as_mut().unwrap() {
            touch.what.clone_from(&value);
        }
        let paper = Paper { colour: false, columns };
        let (text, _) = show(&linted, &prediction, PredictFormat::Text, Severity::Error, true, paper);
        for line in text.lines() {
            prop_assert!(line.width() <= columns, "{} > {columns}: {line:?}", line.width());
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}
