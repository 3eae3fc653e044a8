//! All questions on each major version: they are answered, change nothing, and are all that is sent.

use std::collections::BTreeSet;

use patroni_preflight::collect::sql::Limits;
use patroni_preflight::gap::GapReason;
use patroni_preflight::knowledge::queries::{GREETING, Question, of_each_database, questions};
use patroni_preflight::rules::query::{columns, is_harmless};

use super::{ask, collect_now, column, missed, question, session, socket_dsn, target};
use crate::support::pg::{Server, VERSIONS};

/// Whether a server of a version knows what a question asks for.
fn knows(question: &str, version: u16) -> bool {
    match question {
        "ident_mappings" => version >= 15,
        "upgrade_not_null" => version < 18,
        "upgrade_operators" => version == 13,
        _ => true,
    }
}

/// Those of the server and those of each database.
fn all_questions() -> Vec<Question> {
    let mut all = questions();
    all.extend(of_each_database().into_iter().filter(|question| !questions().contains(question)));
    all
}

#[test]
fn each_question_is_harmless_and_names_its_columns() {
    for q in all_questions() {
        is_harmless(&q.sql).unwrap_or_else(|e| panic!("{}: {e}", q.name));
        let names = columns(&q.sql).unwrap_or_else(|e| panic!("{}: {e}", q.name));
        assert!(!names.is_empty(), "{}", q.name);
    }
    is_harmless(GREETING).unwrap();
}

#[test]
fn all_questions_are_answered_by_each_version_and_nothing_else_is_sent() {
    let names: BTreeSet<String> = all_questions().into_iter().map(|q| q.name).collect();
    for version in VERSIONS {
        let conf = "log_statement = all\nlog_line_prefix = '%a|'\nlog_destination = stderr\nwal_level = logical\n";
        let server = Server::start(version, |_| format!("{conf}primary_conninfo = 'host=x password=s3cret'\n"));
        let mut db = server.client();
        db.query("SELECT pg_create_physical_replication_slot('standby_1')");
        db.query("CREATE ROLE repl REPLICATION LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01'");
        db.query("ALTER ROLE repl SET work_mem = '7MB'; CREATE PUBLICATION p FOR ALL TABLES");
        db.query("CREATE TABLE r (a regproc)");
        let mut collected =
            collect_now(vec![("pg1".into(), target(&socket_dsn(&server)))], all_questions(), Limits::default());
        let answer = collected.sessions.remove("pg1").unwrap();
        let session = session(&answer);
        assert_eq!(session.version / 10_000, u32::from(version));
        assert_eq!((session.user.as_str(), session.database.as_str(), &session.tls), ("postgres", "postgres", &None));
        assert_eq!(session.address, format!("{}:{}", server.socket_dir.display(), server.port));
        assert_eq!(session.answers.keys().cloned().collect::<BTreeSet<_>>(), names, "{version}");
        for (name, answer) in &session.answers {
            if !knows(name, version) {
                assert_eq!(missed(answer).0, GapReason::TooOld);
                continue;
            }
            let table = answer.as_result().unwrap_or_else(|m| panic!("{version} {name}: {m:?}"));
            assert!(!table.columns.is_empty(), "{version} {name}");
            assert!(table.rows.iter().all(|r| r.len() == table.columns.len()), "{version} {name}");
        }
        let table = |name: &str| session.answers[name].got().unwrap();
        assert_eq!(column(table("slots"), "slot_name"), [Some("standby_1")]);
        assert_eq!(column(table("position"), "in_recovery"), [Some("f")]);
        assert!(column(table("position"), "current_lsn")[0].is_some());
        assert_eq!(column(table("publications"), "pubname"), [Some("p")]);
        assert_eq!(column(table("role_settings"), "setting"), [Some("7MB")]);
        assert_eq!(column(table("upgrade_columns"), "column"), [Some("a")]);
        let kinds = column(table("role_passwords"), "kind");
        let kind = if version == 13 { "md5" } else { "SCRAM-SHA-256" };
        assert!(kinds.contains(&Some(kind)) && kinds.contains(&Some("none")), "{kinds:?}");
        assert!(table("settings").rows.len() > 300 && table("roles").rows.len() > 8);
        assert_eq!(table("rewind_privileges").rows.len(), 2 * 4);
        assert!(!serde_json::to_string(session).unwrap().contains("s3cret"));

        // What the server logged is what we say that we sent.
        let log = server.log();
        let ours = log.split("patroni-preflight|LOG:  statement: ").skip(1);
        let logged: Vec<String> = ours
            .map(|entry| {
                // Further lines of a statement begin with a tab.
                let lines = entry.split('\n');
                let mut own = vec![];
                for (n, line) in lines.enumerate() {
                    match (n, line.strip_prefix('\t')) {
                        (0, _) => own.push(line),
                        (_, Some(line)) => own.push(line),
                        _ => break,
                    }
                }
                own.join("\n")
            })
            .collect();
        assert_eq!(logged, collected.sent["pg1"], "{version}");
        let others = log.lines().filter(|l| l.starts_with("patroni-preflight|") && !l.contains("LOG:  statement: "));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new(), "{version}");
        assert_eq!(logged.len(), 1 + names.iter().filter(|name| knows(name, version)).count(), "{version}");
    }
}

#[test]
fn writes_slow_statements_and_locks_are_refused_one_by_one() {
    let server = Server::start(18, |_| String::new());
    let mut db = server.client();
    db.query("CREATE TABLE t (a int); CREATE TABLE locked (a int)");
    let mut holder = server.client();
    holder.query("BEGIN");
    holder.query("LOCK TABLE locked");
    let limits = Limits { statement: std::time::Duration::from_millis(700), ..Limits::default() };
    let mut asked = vec![
        question("write", "INSERT INTO public.t VALUES (1)"),
        question("ddl", "CREATE TABLE public.u (a int)"),
        question("slow", "SELECT pg_sleep(60)"),
        question("locked", "SELECT * FROM public.locked"),
        question("wrong", "SELECT nothing FROM nowhere"),
        question("null", "SELECT NULL AS a, '' AS b"),
    ];
    asked.push(patroni_preflight::knowledge::queries::Question {
        from: Some(13),
        ..question("old", "SELECT x FROM pg_new")
    });
    asked.push(question("fine", "SELECT 1 AS one"));
    let short = Limits { lock: std::time::Duration::from_millis(100), ..limits };
    let answer = ask(target(&socket_dsn(&server)), asked, short);
    let all = &session(&answer).answers;
    assert!(matches!(missed(&all["write"]), (GapReason::Denied, d) if d.starts_with("25006: cannot execute INSERT")));
    assert_eq!(missed(&all["ddl"]).0, GapReason::Denied);
    assert!(matches!(missed(&all["slow"]), (GapReason::TimedOut, d) if d.starts_with("57014: ")));
    assert!(matches!(missed(&all["locked"]), (GapReason::TimedOut, d) if d.starts_with("55P03: ")));
    assert_eq!(missed(&all["wrong"]).0, GapReason::Unreadable);
    assert_eq!(missed(&all["old"]).0, GapReason::TooOld);
    let null = all["null"].got().unwrap();
    assert_eq!((null.columns.join(" "), &null.rows), ("a b".to_owned(), &vec![vec![None, Some(String::new())]]));
    assert_eq!(column(all["fine"].got().unwrap(), "one"), [Some("1")]);
    assert_eq!(db.query("SELECT count(*) FROM t"), [[Some("0".to_owned())]]);
}

#[test]
fn a_monitoring_role_is_denied_what_only_superusers_may_see() {
    for version in VERSIONS {
        let server = Server::start(version, |_| "work_mem = 5MB\n".to_owned());
        server.client().query("CREATE ROLE mon LOGIN IN ROLE pg_monitor");
        let answer = ask(target(&format!("{} user=mon", socket_dsn(&server))), questions(), Limits::default());
        let denied: BTreeSet<&str> = session(&answer)
            .answers
            .iter()
            .filter(|(_, a)| {
                a.as_result().is_err_and(|m| m.why == GapReason::Denied && m.detail.starts_with("42501: "))
            })
            .map(|(name, _)| name.as_str())
            .collect();
        let mut want = BTreeSet::from(["file_settings", "file_times", "hba_rules", "role_passwords"]);
        if version >= 15 {
            want.insert("ident_mappings");
        }
        assert_eq!(denied, want, "{version}");
        let server_row = session(&answer).answers["server"].got().unwrap();
        assert_eq!(column(server_row, "superuser"), [Some("f")]);
        assert_eq!(column(server_row, "reads_all_settings"), [Some("t")]);
        let settings = session(&answer).answers["settings"].got().unwrap();
        assert!(column(settings, "sourcefile").iter().any(Option::is_some), "{version}");
    }
}

#[test]
fn a_standby_is_told_from_a_primary_though_our_session_is_read_only() {
    let primary = Server::start(17, |_| String::new());
    let standby = Server::start(17, |data| {
        std::fs::write(data.join("standby.signal"), "").unwrap();
        crate::support::pg::give(&data.join("standby.signal"));
        String::new()
    });
    let hosts = format!(
        "host={},{} port={},{} dbname=postgres",
        standby.socket_dir.display(),
        primary.socket_dir.display(),
        standby.port,
        primary.port
    );
    let all = questions();
    for (attrs, is_standby) in [
        ("any", true),
        ("read-write", false),
        ("primary", false),
        ("standby", true),
        ("read-only", true),
        ("prefer-standby", true),
    ] {
        let answer = ask(target(&format!("{hosts} target_session_attrs={attrs}")), all.clone(), Limits::default());
        let position = session(&answer).answers["position"].got().unwrap();
        assert_eq!(column(position, "in_recovery") == [Some("t")], is_standby, "{attrs}");
        assert!(session(&answer).answers.values().all(|a| a.got().is_some()), "{attrs}");
    }
    let only = socket_dsn(&primary);
    let answer = ask(target(&format!("{only} target_session_attrs=prefer-standby")), vec![], Limits::default());
    session(&answer);
    let answer = ask(target(&format!("{only} target_session_attrs=standby")), vec![], Limits::default());
    assert!(matches!(missed(&answer), (GapReason::Unreachable, d) if d.contains("target_session_attrs")));
}
