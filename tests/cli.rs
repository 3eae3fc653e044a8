//! The program from outside: exit codes, formats, order of output.

use std::process::{Command, Output, Stdio};

use patroni_preflight::cli::Format;

use crate::support::cases::copy;
use crate::support::{TempDir, path, pg};

pub(crate) fn program(args: &[&str], dir: &std::path::Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_patroni-preflight"));
    command.args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str], dir: &std::path::Path) -> Output {
    program(args, dir).output().unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn last_line(output: &Output) -> String {
    text(output).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_exit_code_tells_what_was_found_and_the_last_line_says_it() {
    let clusters = path("fixtures/clusters");
    let clean = run(&["lint", "healthy-orders"], &clusters);
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean));
    assert!(last_line(&clean).ends_with("exit 0, nothing of severity error or worse"), "{}", last_line(&clean));
    let bad = run(&["lint", "shop"], &clusters);
    assert_eq!(bad.status.code(), Some(1));
    assert!(last_line(&bad).contains("exit 1, "), "{}", last_line(&bad));
    for usage in [
        &["lint", "--format", "nonsense"][..],
        &["lint", "--patroni", "2.1"],
        &["explain", "no-such-rule"],
        &["rules", "list", "--area", "nonsense"],
        &["schema", "patroni", "--patroni", "2.1"],
        &["no-such-verb"],
    ] {
        let output = run(usage, &clusters);
        assert_eq!((output.status.code(), text(&output).as_str()), (Some(2), ""), "{usage:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn what_could_not_be_looked_at_is_no_success() {
    let dir = TempDir::new("gap");
    let healthy = std::fs::read_to_string(path("fixtures/clusters/healthy-orders/pg1/patroni.yml")).unwrap();
    dir.write("c/pg1/patroni.yml", &healthy);
    dir.write("c/pg1/pg_hba.conf", "host all all 127.0.0.1/32 nonsense\n");
    dir.write("preflight.toml", "[severity]\nhba-invalid-line = \"off\"\n");
    let output = run(&["lint", "c"], &dir.0);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("not checked"), "{}", text(&output));
}

#[test]
fn severities_come_from_the_configuration() {
    let dir = TempDir::new("config");
    dir.write("pg_hba.conf", "host all all 0.0.0.0/0 trust\n");
    assert_eq!(run(&["lint"], &dir.0).status.code(), Some(0));
    assert_eq!(run(&["lint", "--fail-on", "warning"], &dir.0).status.code(), Some(1));
    dir.write("preflight.toml", "[severity]\nhba-trust-for-other-hosts = \"error\"\n");
    assert_eq!(run(&["lint"], &dir.0).status.code(), Some(1));
    dir.write("preflight.toml", "[severity]\nhba-trust = \"error\"\n");
    let wrong = run(&["lint"], &dir.0);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("preflight.toml:2:1"));
}

#[test]
fn output_does_not_depend_on_threads() {
    let clusters = path("fixtures");
    for format in formats() {
        let format = format.as_str();
        let one = program(&["lint", "--format", format], &clusters).env("RAYON_NUM_THREADS", "1").output().unwrap();
        let many = program(&["lint", "--format", format], &clusters).env("RAYON_NUM_THREADS", "8").output().unwrap();
        assert_eq!(text(&one), text(&many));
        assert!(text(&one).len() > 1000);
    }
}

#[test]
fn an_allow_comment_is_counted_and_an_idle_one_is_reported() {
    let dir = TempDir::new("allow");
    dir.write("pg_hba.conf", "# preflight: allow(hba-trust-for-other-hosts) lab only\nhost all all 0.0.0.0/0 trust\nlocal all all peer # preflight: allow(hba-trust-for-other-hosts) old\n");
    let output = text(&run(&["lint", "--format", "short"], &dir.0));
    assert!(!output.contains("[hba-trust-for-other-hosts]") && output.contains("1 allowed"), "{output}");
    assert!(output.contains("pg_hba.conf:3:39: warning[unused-allow]"), "{output}");
}

#[test]
fn names_are_explained_for_people_and_programs() {
    let here = path("fixtures");
    for (name, facts) in [
        ("ttl", &["bootstrap.dcs.ttl", "at least 20", "edit-config", "timeouts-rule"][..]),
        ("postgresql.pg_hba", &["the files over the dynamic configuration", "patronictl reload"]),
        (
            "max_connections",
            &["at least 25; anything else becomes 100", "cmdline-guc-in-local-parameters", "patronictl restart"],
        ),
        ("PATRONI_SCOPE", &["sets `scope`", "restart of Patroni"]),
        ("hba-invalid-line", &["severity", "allow(hba-invalid-line)", "https://"]),
    ] {
        let page = run(&["explain", name], &here);
        assert_eq!(page.status.code(), Some(0), "{name}");
        for fact in facts {
            let words = text(&page).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(fact), "{name} lacks {fact:?}:\n{}", text(&page));
        }
        let json: serde_json::Value =
            serde_json::from_str(&text(&run(&["explain", name, "--format", "json"], &here))).unwrap();
        assert!(json["pages"][0]["facts"].as_array().unwrap().len() > 2, "{json}");
    }
    let slip = run(&["explain", "use_slot"], &here);
    let said = String::from_utf8_lossy(&slip.stderr).into_owned();
    assert_eq!(slip.status.code(), Some(2));
    assert!(said.contains("did you mean `bootstrap.dcs.postgresql.use_slots`?"), "{said}");
}

#[test]
fn every_key_setting_variable_and_rule_has_a_page() {
    use patroni_preflight::explain::{Found, find};
    use patroni_preflight::knowledge::{guc, patroni};
    use patroni_preflight::rules;
    let keys = patroni::keys().iter().map(|k| k.path).filter(|p| !p.contains('@'));
    let ids = rules::builtin::BUILTIN.iter().map(|r| &*r.id);
    let mut looked = 0;
    for name in keys.chain(guc::names()).chain(ids) {
        match find(name) {
            Found::Pages(pages, _) if !pages.is_empty() => {
                assert!(pages.iter().all(|p| p.facts.len() >= 2), "{name}: {pages:?}");
                let open = rules::builtin::find(name).map_or_else(Vec::new, |r| rules::faults::placeholders(&r.why));
                let page = pages[0].text();
                assert!(open.iter().all(|p| !page.contains(&format!("{{{p}}}"))), "{name}: {page}");
            }
            other => panic!("{name}: {other:?}"),
        }
        looked += 1;
    }
    assert!(looked > 800);
}

#[test]
fn rules_are_listed_by_area_and_severity() {
    let here = path("fixtures");
    let lines = |args: &[&str]| text(&run(args, &here)).lines().count();
    let all = lines(&["rules", "list"]);
    let of = |severity: &str| lines(&["rules", "list", "--severity", severity]);
    assert_eq!(of("note") + of("warning") + of("error"), all);
    let hba: serde_json::Value =
        serde_json::from_str(&text(&run(&["rules", "list", "--area", "hba", "--format", "json"], &here))).unwrap();
    let hba = hba.as_array().unwrap();
    assert!(hba.len() > 5 && hba.len() < all && hba.iter().all(|r| r["area"] == "hba"));
}

#[test]
fn schemas_are_printed() {
    let here = path("fixtures");
    for what in ["patroni", "report"] {
        let schema: serde_json::Value = serde_json::from_str(&text(&run(&["schema", what], &here))).unwrap();
        assert!(schema["properties"].as_object().is_some_and(|p| p.len() > 3), "{what}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = program(&["rules", "list"], &path("fixtures")).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn formats() -> Vec<String> {
    Format::all().iter().map(|f| f.name()).collect()
}

#[test]
fn several_reports_are_the_same_as_one_by_one() {
    let dir = TempDir::new("outputs");
    copy(&path("fixtures/clusters/shop"), &dir.0);
    let outputs: Vec<String> = formats().iter().map(|f| format!("--output={f}=out/{f}")).collect();
    std::fs::create_dir(dir.0.join("out")).unwrap();
    let mut args = vec!["lint", "--format", "short", "pg1", "pg2", "pg3"];
    args.extend(outputs.iter().map(String::as_str));
    let all = run(&args, &dir.0);
    assert_eq!(all.status.code(), Some(1), "{}", text(&all));
    for format in formats() {
        let one = text(&run(&["lint", "--format", &format, "pg1", "pg2", "pg3"], &dir.0));
        assert_eq!(std::fs::read_to_string(dir.0.join("out").join(&format)).unwrap(), one);
        if format == "short" {
            assert_eq!(text(&all), one);
        }
    }
    assert_eq!(std::fs::read_dir(dir.0.join("out")).unwrap().count(), formats().len());
    let dash = run(&["lint", "--output", "json=-", "pg1"], &dir.0);
    assert_eq!(text(&dash), text(&run(&["lint", "--format", "json", "pg1"], &dir.0)));
}

#[test]
fn a_report_that_cannot_be_written_is_a_mistake_that_is_told() {
    let dir = TempDir::new("unwritable");
    dir.write("pg_hba.conf", "local all all peer\n");
    let output = run(&["lint", "--output", "json=no/such/dir", "--output", "junit=good.xml"], &dir.0);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("patroni-preflight: cannot write no/such/dir: "), "{said}");
    assert!(text(&output).contains("in 1 file:") && dir.0.join("good.xml").exists());
    for usage in [
        &["lint", "--output", "json=x", "--output", "sarif=x"][..],
        &["lint", "--output", "json=-", "--format", "short"],
        &["lint", "--output", "json"],
        &["lint", "--output", "json="],
        &["lint", "--output", "nonsense=x"],
    ] {
        let output = run(usage, &dir.0);
        assert_eq!((output.status.code(), text(&output).as_str()), (Some(2), ""), "{usage:?}");
        assert!(!dir.0.join("x").exists());
    }
}

/// What the program writes when all its ends are one terminal.
fn on_terminal(args: &[&str], env: &[(&str, &str)]) -> String {
    let mut python = pg::command(pg::tools().join("py/bin/python3"));
    python.args([
        "-c",
        "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)",
        env!("CARGO_BIN_EXE_patroni-preflight"),
    ]);
    python.args(args).current_dir(path("fixtures/clusters/shop")).env_clear().stdin(Stdio::null());
    let output = python.envs(env.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    text(&output)
}

#[test]
fn colours_and_links_are_for_terminals() {
    let xterm = ("TERM", "xterm");
    let strip = regex::Regex::new("\u{1b}\\]8;;[^\u{1b}]*\u{1b}\\\\|\u{1b}\\[[0-9;]*m").unwrap();
    for format in ["full", "short"] {
        let args = ["lint", "--format", format];
        let shown = on_terminal(&args, &[xterm]);
        assert!(shown.contains("\u{1b}[") && shown.contains("\u{1b}]8;;file://"), "{shown}");
        assert!(shown.contains("\u{1b}]8;;https://"), "{shown}");
        assert!(!shown.contains("files read"), "a short run shows no progress");
        let plain = on_terminal(&args, &[xterm, ("NO_COLOR", "1")]);
        assert!(!plain.contains("\u{1b}[") && plain.contains("\u{1b}]8;;file://"), "{plain}");
        assert!(!on_terminal(&args, &[("TERM", "dumb")]).contains('\u{1b}'));
        let piped = text(&run(&args, &path("fixtures/clusters/shop")));
        assert!(!piped.contains('\u{1b}'));
        // Without what only terminals understand, both are the same.
        assert_eq!(strip.replace_all(&shown.replace("\r\n", "\n"), ""), piped);
    }
    for format in formats().iter().filter(|f| !["full", "short"].contains(&f.as_str())) {
        assert!(!on_terminal(&["lint", "--format", format], &[xterm]).contains('\u{1b}'), "{format}");
    }
}

/// Named here and not taken from what the program knows: one that it overlooks must not go unseen.
#[test]
fn planted_secrets_are_in_no_format() {
    for format in formats() {
        let output = text(&run(&["lint", "--format", &format, "clusters"], &path("fixtures")));
        for secret in
            ["demo-restapi-word", "demo-superuser-word", "demo-replication-word", "demo-rewind-word", "-7Lq", "-2xT"]
        {
            assert!(!output.contains(secret), "{format} shows {secret}");
        }
    }
}
