//! What makes the program bearable in a repository: which files, whose settings, what is accepted, what is known.

use std::path::Path;
use std::process::{Command, Stdio};

use patroni_preflight::config;
use patroni_preflight::pattern::Root;
use patroni_preflight::rules::builtin::BUILTIN;
use serde_json::Value;

use crate::cli::{program, run, text};
use crate::support::{TempDir, path};

const TRUST: &str = "host all all 10.0.0.0/8 trust\n";
const PATRONI: &str = "scope: orders\nname: pg1\nrestapi:\n  listen: 10.0.0.1:8008\n  connect_address: 10.0.0.1:8008\npostgresql:\n  \
                       listen: 10.0.0.1:5432\n  connect_address: 10.0.0.1:5432\n  data_dir: /var/lib/pg\n";

fn short(dir: &TempDir, args: &[&str]) -> String {
    let mut all = vec!["lint", "--format", "short"];
    all.extend(args);
    text(&run(&all, &dir.0))
}

fn with_stdin(dir: &Path, args: &[&str], input: &str) -> (Option<i32>, String) {
    use std::io::Write as _;
    let mut child =
        program(args, dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), text(&output) + &String::from_utf8_lossy(&output.stderr))
}

#[expect(clippy::disallowed_methods, reason = "makes a repository to look at")]
fn git(dir: &TempDir, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]).args(args);
    let output = command.current_dir(&dir.0).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[expect(clippy::disallowed_methods, reason = "git is looked for in PATH")]
fn in_repository(dir: &TempDir, args: &[&str]) -> (Option<i32>, String) {
    let mut command = program(args, &dir.0);
    let output = command.env("PATH", std::env::var("PATH").unwrap()).output().unwrap();
    (output.status.code(), text(&output) + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn standard_input_is_what_its_name_says() {
    let dir = TempDir::new("stdin");
    let args = ["lint", "--format", "short", "--fail-on", "warning", "-", "--stdin-filename", "c/pg_hba.conf"];
    let (code, said) = with_stdin(&dir.0, &args, TRUST);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("c/pg_hba.conf:1:25: warning[hba-trust-for-other-hosts]"), "{said}");
    // It stands in the place of the file on the disk, with the neighbours that lie there.
    dir.write("c/pg_hba.conf", "local all all peer\n");
    dir.write("c/postgresql.conf", "include 'more.conf'\n");
    dir.write("c/more.conf", "port = x\n");
    let (_, said) =
        with_stdin(&dir.0, &["lint", "--format", "short", "c", "-", "--stdin-filename", "./c/pg_hba.conf"], TRUST);
    assert!(said.contains("c/pg_hba.conf:1:25: warning[hba-trust-for-other-hosts]"), "{said}");
    assert!(said.contains("c/more.conf:1:8: error[guc-value-invalid]") && said.contains("in 2 files"), "{said}");
    // Without a name only Patroni's own configuration can be told by its text.
    let (_, said) = with_stdin(&dir.0, &["lint", "--format", "short", "-"], PATRONI);
    assert!(said.contains("<stdin>:1:1: error[dcs-section-missing]"), "{said}");
    let (_, said) = with_stdin(&dir.0, &["lint", "--format", "short", "-"], TRUST);
    assert!(said.contains("warning[unrecognised-file]"), "{said}");
    assert_eq!(with_stdin(&dir.0, &["lint", "--stdin-filename", "x.yml", "."], "").0, Some(2));
}

#[test]
fn only_what_concerns_changed_files_is_shown() {
    let dir = TempDir::new("changed");
    for member in ["pg1", "pg2"] {
        dir.write(&format!("{member}/patroni.yml"), PATRONI.replace("pg1", member));
        dir.write(&format!("{member}/pg_hba.conf"), TRUST);
    }
    dir.write(".gitignore", "ignored/\n");
    let changed = |extra: &[&str]| {
        let mut args = vec!["lint", "--format", "short"];
        args.extend(extra);
        in_repository(&dir, &args)
    };
    assert_eq!(changed(&["--changed"]).0, Some(2), "outside of a repository");
    git(&dir, &["init", "--quiet"]);
    let (_, all) = changed(&[]);
    let (_, first) = changed(&["--changed"]);
    assert_eq!(all, first, "before the first commit everything is new");
    git(&dir, &["add", "."]);
    git(&dir, &["commit", "--quiet", "-m", "one"]);
    let (code, none) = changed(&["--changed"]);
    assert_eq!(code, Some(0), "{none}");
    assert_eq!(none.lines().filter(|l| l.contains("pg1/") || l.contains("pg2/")).count(), 0, "{none}");
    // The cluster is still seen as a whole: the other member is why this one is wrong.
    dir.write("pg2/patroni.yml", PATRONI.replace("pg1", "pg2").replace("restapi", "namespace: /other\nrestapi"));
    dir.write("new/pg_hba.conf", TRUST);
    dir.write("ignored/pg_hba.conf", TRUST);
    let (_, some) = changed(&["--changed=HEAD"]);
    assert!(some.contains("pg2/patroni.yml:1:1: error[dcs-section-missing]"), "{some}");
    assert!(some.contains("pg2/patroni.yml:3:1: error[dcs-scope-namespace-inconsistent]"), "{some}");
    assert!(
        some.contains("new/pg_hba.conf") && !some.contains("ignored/") && !some.contains("pg2/pg_hba.conf:"),
        "{some}"
    );
    assert!(!some.contains("pg1/patroni.yml:1:1: error[dcs-section-missing]"), "{some}");
    git(&dir, &["add", "."]);
    git(&dir, &["commit", "--quiet", "-m", "two"]);
    assert!(changed(&["--changed=HEAD~1"]).1.contains("pg2/patroni.yml:1:1"));
    assert!(!changed(&["--changed"]).1.contains("pg2/patroni.yml:1:1"));
    for (wrong, said) in [("--changed=no-such", "git says"), ("--changed=--output=x", "names no commit")] {
        let (code, words) = changed(&[wrong]);
        assert!(code == Some(2) && words.contains(said), "{wrong}: {words}");
    }
}

#[test]
fn the_nearest_configuration_of_the_repository_counts() {
    let dir = TempDir::new("upwards");
    dir.write("preflight.toml", "fail-on = \"warning\"\nexclude = [\"a/old\"]\n");
    dir.write("a/b/pg_hba.conf", TRUST);
    dir.write("a/old/pg_hba.conf", TRUST);
    let code = |below: &str| run(&["lint"], &dir.0.join(below)).status.code();
    assert_eq!((code(""), code("a")), (Some(1), Some(0)), "outside of a repository only the directory itself counts");
    git(&dir, &["init", "--quiet"]);
    assert_eq!((code(""), code("a"), code("a/b"), code("a/old")), (Some(1), Some(1), Some(1), Some(0)));
    let named = run(&["lint", "pg_hba.conf"], &dir.0.join("a/old"));
    assert_eq!(named.status.code(), Some(1), "what is named is checked");
    dir.write("a/preflight.toml", "fail-on = \"error\"\n");
    assert_eq!(code("a/b"), Some(0));
    dir.write("a/preflight.toml", "fail-on = \"eror\"\n");
    let wrong = run(&["lint"], &dir.0.join("a/b"));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("../preflight.toml:1:11: unknown variant `eror`"));
}

#[test]
fn versions_and_severities_depend_on_the_path() {
    let dir = TempDir::new("targets");
    for place in ["old", "new"] {
        dir.write(&format!("{place}/pg_hba.conf"), "local all /^app_ peer\n");
        dir.write(&format!("{place}/patroni.yml"), PATRONI.replace("name: pg1", "name: pg1\nthread_pool_size: 5"));
    }
    let toml = "[[target]]\npaths = [\"**\"]\npostgresql = 17\n[[target]]\npaths = [\"old/**\"]\npostgresql = 15\npatroni = \"4.0.5\"\n";
    dir.write("preflight.toml", toml);
    let said = short(&dir, &["."]);
    assert!(said.contains("old/pg_hba.conf:1:11: warning[hba-regex-before-16]"), "{said}");
    assert!(!said.contains("new/pg_hba.conf:1:11"), "{said}");
    dir.write(
        "preflight.toml",
        format!("{toml}severity.hba-regex-before-16 = \"error\"\nseverity.dcs-section-missing = \"off\"\n"),
    );
    let said = short(&dir, &["."]);
    assert!(said.contains("old/pg_hba.conf:1:11: error[hba-regex-before-16]"), "{said}");
    assert!(
        said.contains("new/patroni.yml:1:1: error[dcs-section-missing]")
            && !said.contains("old/patroni.yml:1:1: error[dcs"),
        "{said}"
    );
}

#[test]
fn the_release_of_patroni_depends_on_the_path() {
    let dir = TempDir::new("releases");
    for place in ["old", "new"] {
        dir.write(&format!("{place}/patroni.yml"), PATRONI.to_owned() + "tags:\n  sync_priority: 2\n");
    }
    dir.write("preflight.toml", "[[target]]\npaths = [\"old\"]\npatroni = \"3.3.8\"\n");
    let said = short(&dir, &["."]);
    assert!(said.contains("old/patroni.yml:11:3: warning[key-needs-newer-patroni]"), "{said}");
    assert!(!said.contains("new/patroni.yml:11:3"), "{said}");
}

#[test]
fn clusters_can_be_named_and_listed() {
    let dir = TempDir::new("clusters");
    dir.write("one/a.cfg", PATRONI.replace("name: pg1\n", ""));
    dir.write("one/a.settings", "max_connections = 300\n");
    dir.write("one/a.access", "local all all peer\n");
    dir.write("two/patroni.yml", PATRONI.replace("pg1", "pg2"));
    dir.write("far/away/patroni.yml", PATRONI.replace("pg1", "pg3"));
    dir.write("far/away/docker-compose.yml", "services: {postgresql: {}, etcd: {}, x: {scope: bootstrap}}\n");
    dir.write(
        "preflight.toml",
        "[[cluster]]\nname = \"blue\"\nmembers = [\n  { file = \"one/a.cfg\", name = \"pg1\", postgresql.conf = \"one/a.settings\", pg_hba.conf = \"one/a.access\" },\n  \"far/**\",\n]\n",
    );
    let listed = text(&run(&["lint", "--list-files"], &dir.0));
    let expected = "\
far/away/docker-compose.yml: patroni.yml (preflight.toml says so); not Patroni's after a closer look, so nothing in it is checked
far/away/patroni.yml: patroni.yml (preflight.toml says so); member pg3 of cluster blue, named in preflight.toml
one/a.access: pg_hba.conf (preflight.toml says so); member pg1 of cluster blue, named in preflight.toml
one/a.cfg: patroni.yml (preflight.toml says so); member pg1 of cluster blue, named in preflight.toml
one/a.settings: postgresql.conf (preflight.toml says so); member pg1 of cluster blue, named in preflight.toml
two/patroni.yml: patroni.yml (its name says so); member pg2 of cluster orders
6 files, 3 members, 2 clusters
";
    assert_eq!(listed, expected);
    let said = short(&dir, &["."]);
    assert!(said.contains("one/a.settings:1:19: error[cmdline-guc-not-carried-over]"), "{said}");
}

#[test]
fn files_are_listed_with_what_they_are_and_whose() {
    let listed = text(&run(&["lint", "--list-files", "clusters/healthy-orders"], &path("fixtures")));
    for line in [
        "clusters/healthy-orders/pg1/conf.d/10-logging.conf: postgresql.conf (clusters/healthy-orders/pg1/postgresql.conf includes it)",
        "clusters/healthy-orders/pg1/patroni.yml: patroni.yml (its name says so); member pg1 of cluster orders",
        "clusters/healthy-orders/pg3/pg_hba.conf: pg_hba.conf (its name says so); member pg3 of cluster orders",
        "clusters/healthy-orders/sql/patroni-roles.sql: role-sql (its text looks so); for cluster orders",
        "clusters/healthy-orders/systemd/patroni.service: unit (its text looks so); starts Patroni",
    ] {
        assert!(listed.lines().any(|l| l == line), "{line}\n{listed}");
    }
}

#[test]
fn allow_comments_work_in_every_kind_of_file() {
    let dir = TempDir::new("allow");
    let cases = [
        ("patroni.yml", PATRONI.to_owned() + "nonsense: 1 # preflight: allow(yaml-unknown-key) ours\n", "yaml-unknown-key"),
        ("postgresql.conf", "max_conections = 1 # preflight: allow(unknown-guc) ours\n".to_owned(), "unknown-guc"),
        ("pg_hba.conf", format!("# preflight: allow(hba-trust-for-other-hosts) until=2026-12-31 lab\n{TRUST}"), "hba-trust-for-other-hosts"),
        ("patroni.service", "[Service]\nExecStart=/usr/bin/patroni /etc/patroni.yml\n; preflight: allow(systemd-killmode) lab\nKillMode=mixed\nUser=postgres\n".to_owned(), "systemd-killmode"),
        ("roles.sql", "CREATE ROLE a LOGIN;\n-- preflight: allow(sql-syntax-error) for another server\nCREATE ROLE b LOGN;\n".to_owned(), "sql-syntax-error"),
    ];
    for (name, with, rule) in &cases {
        let before = with.replace("preflight: allow", "preflght: allow");
        dir.write(name, &before);
        let said = short(&dir, &["--today", "2026-11-01", name]);
        assert!(said.contains(&format!("[{rule}]")), "{said}");
        for text in [with.clone(), before.replacen("preflght: allow", "preflight: allow-file", 1)] {
            dir.write(name, &text);
            let said = short(&dir, &["--today", "2026-11-01", name]);
            assert!(
                !said.contains(&format!("[{rule}]")) && said.contains("1 allowed") && !said.contains("-allow]"),
                "{said}"
            );
        }
    }
    dir.write("pg_hba.conf", &cases[2].1);
    let late = short(&dir, &["--today", "2027-01-01", "pg_hba.conf"]);
    assert!(
        late.contains("pg_hba.conf:2:25: warning[hba-trust")
            && late.contains("pg_hba.conf:1:47: warning[allow-expired]"),
        "{late}"
    );
}

#[test]
fn ids_of_an_allow_are_judged_one_by_one() {
    let dir = TempDir::new("ids");
    dir.write(
        "pg_hba.conf",
        "host all all 10.0.0.0/8 trust # preflight: allow(hba-trust-for-other-hosts, hba-password-in-clear) lab\n",
    );
    let said = short(&dir, &["."]);
    assert!(
        said.contains("pg_hba.conf:1:77: warning[unused-allow]: this comment allows `hba-password-in-clear`"),
        "{said}"
    );
    assert!(!said.contains("`hba-trust-for-other-hosts`"), "{said}");
}

/// Whether a report shows no finding but hides some.
fn is_quiet(said: &str) -> bool {
    let last = said.lines().last().unwrap_or_default();
    last.starts_with("0 errors, 0 warnings, 0 notes, ") && last.contains(" in the baseline")
}

fn copy_shop(dir: &TempDir) {
    for member in ["pg1", "pg2", "pg3"] {
        for file in ["patroni.yml", "pg_hba.conf", "postgresql.conf"] {
            let name = format!("{member}/{file}");
            dir.write(&name, std::fs::read(path("fixtures/clusters/shop").join(&name)).unwrap());
        }
    }
}

#[test]
fn a_baseline_hides_what_is_known_and_says_what_is_gone() {
    let dir = TempDir::new("baseline");
    copy_shop(&dir);
    let written = text(&run(&["lint", "--write-baseline", "known.json"], &dir.0));
    let baseline = std::fs::read_to_string(dir.0.join("known.json")).unwrap();
    assert!(written.starts_with("wrote ") && baseline.lines().count() > 10, "{written}");
    for secret in ["demo-restapi-word", "demo-superuser-word", "demo-replication-word", "demo-rewind-word"] {
        assert!(!baseline.contains(secret));
    }
    let known = |args: &[&str]| {
        let mut all = vec!["--baseline", "known.json", "--fail-on", "note"];
        all.extend(args);
        short(&dir, &all)
    };
    assert!(is_quiet(&known(&["."])), "{}", known(&["."]));
    // Lines move, comments come and go, everything is indented anew, passwords change.
    for member in ["pg1", "pg2", "pg3"] {
        let file = format!("{member}/patroni.yml");
        let old = std::fs::read_to_string(dir.0.join(&file)).unwrap();
        let mut new = "# moved\n\n".to_owned();
        for line in old.lines() {
            let text = line.trim_start();
            new.push_str(&" ".repeat((line.len() - text.len()) * 2));
            new.push_str(&text.replace("-word", "-other"));
            new.push_str("\n\n");
        }
        dir.write(&file, new);
    }
    assert!(is_quiet(&known(&["."])), "{}", known(&["."]));
    // What is new shows, what was mended is told.
    let file = "pg1/postgresql.conf";
    let conf = std::fs::read_to_string(dir.0.join(file)).unwrap();
    dir.write(file, conf.replace("wal_level = logical", "wal_level = replica") + "max_conections = 3\n");
    let said = known(&["."]);
    assert!(
        said.contains("error[unknown-guc]")
            && said.contains(
                "note[stale-baseline-entry]: `wal-level-lowered-with-logical-slots` in `pg1/postgresql.conf`"
            ),
        "{said}"
    );
    assert!(!known(&["pg2"]).contains("stale"), "what was not looked at is not gone");
    // Only what was looked at is written anew.
    let before = std::fs::read_to_string(dir.0.join("known.json")).unwrap();
    run(&["lint", "--write-baseline", "known.json", "pg1"], &dir.0);
    let after = std::fs::read_to_string(dir.0.join("known.json")).unwrap();
    let of = |text: &str, member: &str| text.lines().filter(|l| l.contains(member)).count();
    assert_eq!((of(&before, "pg2/"), of(&before, "pg3/")), (of(&after, "pg2/"), of(&after, "pg3/")));
    let again = known(&["pg1"]);
    assert!(is_quiet(&again), "{again}");
    assert_eq!(run(&["lint", "--baseline", "no-such"], &dir.0).status.code(), Some(2));
}

#[test]
fn equal_findings_are_told_apart_by_their_number() {
    let dir = TempDir::new("twice");
    dir.write("pg_hba.conf", TRUST);
    run(&["lint", "--write-baseline", "known.json"], &dir.0);
    dir.write("pg_hba.conf", format!("{TRUST}local all all peer\n{TRUST}"));
    let said = short(&dir, &["--baseline", "known.json"]);
    assert!(said.contains("1 in the baseline"), "{said}");
}

/// A configuration as its schema sees it: a day is a text.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(day) => Value::String(day.to_string()),
        toml::Value::Table(table) => table.into_iter().map(|(k, v)| (k, as_json(v))).collect(),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}

#[test]
fn the_schema_of_the_configuration_agrees_with_the_program() {
    let printed = text(&run(&["schema", "config"], &path("fixtures")));
    assert_eq!(printed, config::SCHEMA);
    let schema: Value = serde_json::from_str(&printed).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let parses = |text: &str| {
        let root = Root { base: "/r".into(), dir: "/r".into() };
        config::read(Path::new("p.toml"), text).and_then(|d| d.finish(BUILTIN, &root, &|_| true))
    };
    let valid = |text: &str| validator.is_valid(&as_json(toml::Value::Table(text.parse().unwrap())));
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let example: String = readme
        .split("<!-- preflight.toml -->")
        .nth(1)
        .unwrap()
        .lines()
        .map(|l| l.trim_start_matches("    ").to_owned() + "\n")
        .collect();
    for good in [
        &example.replace("\"org/owner-tag-missing\" = \"warning\"\n", ""),
        "",
        "fail-on = \"note\"\nexclude = [\"a/**\"]\nrules = [\"r\"]\n[severity]\nunused-allow = \"off\"\n",
        "[[cluster]]\nname = \"x\"\nmembers = [\"a\", { file = \"b\", \"postgresql.conf\" = \"c\", pg_hba.conf = \"d\" }]\n",
    ] {
        assert!(parses(good).is_ok() && valid(good), "{good}\n{:?}", parses(good).err());
    }
    for bad in [
        "fail-on = \"off\"\n",
        "excludes = []\n",
        "exclude = [\"/a\"]\n",
        "exclude = \"a\"\n",
        "[severity]\nunused-allow = \"bad\"\n",
        "[[target]]\npostgresql = 15\n",
        "[[target]]\npaths = [\"a\"]\npostgresql = 12\n",
        "[[target]]\npaths = [\"a\"]\npostgresql = \"15\"\n",
        "[[target]]\npaths = [\"a\"]\npatroni = \"2.1.0\"\n",
        "[[ignore]]\nrules = [\"unused-allow\"]\npaths = [\"a\"]\n",
        "[[ignore]]\nrules = [\"unused-allow\"]\npaths = [\"a\"]\nreason = \"\"\n",
        "[[ignore]]\nrules = [\"unused-allow\"]\npaths = [\"a\"]\nreason = \"x\"\nuntil = 10:00:00\n",
        "[[cluster]]\nmembers = []\n",
        "[[cluster]]\nname = \"x\"\nmembers = [{ name = \"y\" }]\n",
        "[[cluster]]\nname = \"x\"\nmembers = [{ file = \"y\", port = 1 }]\n",
    ] {
        assert!(parses(bad).is_err(), "the program takes {bad}");
        assert!(!valid(bad), "the schema takes {bad}");
    }
}
