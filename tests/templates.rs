//! Templates: what is not known never becomes a finding, and hostile ones end soon.

mod mutations;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patroni_preflight::cli::Format;
use patroni_preflight::parse::sql::looks_like_role_sql;
use patroni_preflight::parse::template::{self, Engine, scan};
use patroni_preflight::parse::yaml;
use patroni_preflight::rules::builtin::area;
use patroni_preflight::run::Linted;
use patroni_preflight::source::Source;
use rayon::prelude::*;

use crate::hostile_yaml::on_cpu;
use crate::support::cases::{cases, copy, lint_case_at};
use crate::support::rng::Rng;
use crate::support::{TempDir, lint_dir, number, path, report};

use mutations::mutations;

/// What is found, as often as it is: the rule, the file, and the line as it was before a mutation of one file.
fn found(linted: &Linted, line: impl Fn(&str, usize) -> usize) -> Found {
    let mut all = Found::new();
    for finding in linted.outcome.findings.iter().filter(|f| area(&f.rule) != Some("tool")) {
        let source = linted.facts.sources.get(finding.at.source);
        let at = line(source.name(), source.line_index(finding.at.start));
        let key = (finding.rule.to_string(), source.name().to_owned(), at);
        all.entry(key).or_default().push(finding.message.clone());
    }
    all
}

/// Rules of which one finding speaks of several places. What is unknown may be the place that it pointed at; that the others are
/// at odds stays certain, and is said at another of them, never more often than before.
const OF_SEVERAL: [&str; 18] = [
    // Members that certainly differ. Which of them is told so is a matter of what most have.
    "bootstrap-dcs-drift",
    "dcs-endpoints-differ-between-members",
    "dcs-kind-differs-between-members",
    "dcs-scope-namespace-inconsistent",
    "restapi-auth-differs-between-members",
    "slot-name-collision",
    // Slots of the cluster, told at the first member that certainly has them.
    "unbounded-slot-wal",
    "wal-level-lowered-with-logical-slots",
    // The last variable that certainly sets a key.
    "env-overrides-file",
    // The first of several keys or lines that are wrong together.
    "bin-dir-unset",
    "log-destination-moves",
    "use-unix-socket-without-dirs",
    "hba-tls-line-without-tls",
    // Where a section is looked for that is not there: beside the key that looks like it, else at the start.
    "dcs-section-missing",
    // A list or map that is wrong as a whole, told at its first entry that is written out.
    "dcs-etcd-hosts-format",
    "slots-not-mapping",
    "validator-rejects-harmless-type",
    "yaml-recursive-alias",
];

/// Findings that are true by themselves and are left out where another one says more of the same cause. When that one is not
/// certain any more, the plain one is said.
const LEFT_OUT: [(&str, &str); 18] = [
    // What the setting breaks, and that it changes.
    ("cmdline-guc-not-carried-over", "wal-level-lowered-with-logical-slots"),
    // A slip in one member's list, and that it is short of a server or that its API is old.
    ("dcs-etcd-hosts-even", "dcs-endpoints-differ-between-members"),
    ("dcs-etcd-v2-api", "dcs-kind-differs-between-members"),
    // A member that stands apart is judged alone.
    ("unbounded-slot-wal", "dcs-scope-namespace-inconsistent"),
    ("data-dir-shared", "duplicate-connect-address"),
    // The address that is published without the key, and that the validator wants the key.
    ("validator-requires-key", "restapi-connect-address-unusable"),
    ("validator-requires-key", "pg-connect-address-unusable"),
    // What an empty password does, and that the validator wants a text.
    ("validator-rejects-harmless-type", "yaml-implicit-null"),
    // The connections that a line refuses or passes over, and the line below it that is never reached, or that it never matches.
    ("hba-line-unreachable", "hba-line-refuses-patroni"),
    ("hba-line-cannot-match", "hba-tls-line-without-tls"),
    // What two tags come to, and that they exclude each other.
    ("generated-config-tags-conflict", "tag-contradiction"),
    // What was meant by a key without its section, and that the key has no effect where it is.
    ("deprecated-key", "yaml-section-not-indented"),
    ("yaml-misplaced-key", "dcs-section-missing"),
    ("yaml-misplaced-key", "yaml-section-not-indented"),
    // A slip in the name of a key, which is told with the key that is missing where that is certain.
    ("yaml-unknown-key", "yaml-required-key-missing"),
    // The milder of two, where it is not known whether a value is lost.
    ("yaml-repeated-key", "yaml-duplicate-key"),
    // What Patroni does with a map in place of a list, and that it is one.
    ("yaml-wrong-type", "ignore-slots-not-list"),
    // A key that says the same as the one at its place is only too much.
    ("yaml-misplaced-key", "yaml-unknown-key"),
];

type Found = BTreeMap<(String, String, usize), Vec<String>>;

/// Whether a new finding of a rule takes the place of one that is gone.
fn is_moved(rule: &str, before: &Found, after: &Found) -> bool {
    let count =
        |of: &Found, rule: &str| -> usize { of.iter().filter(|(k, _)| k.0 == rule).map(|(_, m)| m.len()).sum() };
    let moves = OF_SEVERAL.contains(&rule);
    let is_gone = |other: &str| before.keys().any(|k| k.0 == other && !after.contains_key(k));
    moves && count(after, rule) <= count(before, rule) || LEFT_OUT.iter().any(|(r, by)| *r == rule && is_gone(by))
}

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut entries: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { files(&entry, into) } else { into.push(entry) }
    }
}

/// The directories that are linted as one: those of all cases, and whole clusters.
fn inputs() -> Vec<(PathBuf, PathBuf)> {
    let clusters = ["healthy-orders", "shop"].map(|name| path("fixtures/clusters").join(name));
    // The files of members that run are whole.
    let cases = cases().into_iter().filter(|(_, case)| !case.join("nodes.yml").exists());
    let cases = cases.map(|(_, case)| (case.join("input"), case));
    clusters.map(|c| (c.clone(), c)).into_iter().chain(cases).collect()
}

/// What mutations of one input add to what is found; how many were tried. Of many mutations, one in `stride` is tried.
fn additions(input: &Path, case: &Path, offset: usize, stride: usize) -> (usize, Vec<String>) {
    let mut all = Vec::new();
    files(input, &mut all);
    let (mut tried, mut wrong, mut n) = (0, Vec::new(), offset);
    let mut before = None;
    let temp = TempDir::new("placeholders");
    // A work tree of version control: the modes of the copy say nothing.
    std::fs::create_dir(temp.0.join(".git")).unwrap();
    copy(input, &temp.0);
    for file in all {
        let name = file.strip_prefix(input).unwrap().to_str().unwrap().to_owned();
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for mutation in mutations(&name, &text) {
            n += 1;
            if n % stride != 0 {
                continue;
            }
            let before = before.get_or_insert_with(|| found(&lint_case_at(case, &temp.0), |_, line| line));
            let mutated = mutation.apply(&text);
            // A script of which nothing is left that tells it to be about roles is as if nobody had handed it over.
            if name.contains(".sql") && looks_like_role_sql(&text) && !looks_like_role_sql(&mutated) {
                continue;
            }
            temp.write(&name, mutated);
            let same_line = |of: &str, line| if of == name { mutation.line_before(&text, line) } else { line };
            let linted = lint_case_at(case, &temp.0);
            let after = found(&linted, same_line);
            for (what, messages) in &after {
                let known = before.get(what).map_or(&[][..], |m| m);
                let shows_filler = |m: &String| m.contains("xxxxx") && !known.contains(m);
                let is_new = messages.len() > known.len() && !is_moved(&what.0, before, &after);
                if is_new || messages.iter().any(shows_filler) {
                    let (rule, of, line) = what;
                    let line = line + 1;
                    let did = mutation.describe(&text);
                    wrong.push(format!("{rule} at {of}:{line}, {messages:?}: {did} in {name} of {}", case.display()));
                }
            }
            tried += 1;
        }
        temp.write(&name, &text);
    }
    (tried, wrong)
}

/// All mutations of all cases are some 170,000: one in so many is tried, others with another `PREFLIGHT_SEED`, all with a large
/// `PREFLIGHT_ORACLE_N`.
#[test]
fn nothing_that_a_template_fills_in_adds_a_finding() {
    let inputs = inputs();
    let (seed, n) = (number("PREFLIGHT_SEED", 1), number("PREFLIGHT_ORACLE_N", 5000));
    let all: usize = inputs.par_iter().map(|(input, _)| count(input)).sum();
    let stride = (all / usize::try_from(n).unwrap().max(1)).max(1);
    let per_input = inputs.par_iter().enumerate().map(|(i, (input, case))| {
        let offset = Rng::new(seed + i as u64).below(stride);
        additions(input, case, offset, stride)
    });
    let results: Vec<(usize, Vec<String>)> = per_input.collect();
    let tried: usize = results.iter().map(|r| r.0).sum();
    let wrong: Vec<String> = results.into_iter().flat_map(|r| r.1).collect();
    println!("{tried} of {all} places in {} directories", inputs.len());
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 500);
}

fn count(input: &Path) -> usize {
    let mut all = Vec::new();
    files(input, &mut all);
    let of = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).ok()?;
        Some(mutations(file.to_str()?, &text).len())
    };
    all.iter().filter_map(of).sum()
}

#[test]
fn no_secret_of_a_template_is_shown() {
    let temp = TempDir::new("template-secrets");
    let text = "scope: {{ scope }}\nname: a\nrestapi: {listen: '{{ ip }}:1', authentication: {username: u, password: !x hunter-one}}\n\
                postgresql:\n  authentication:\n    superuser: {usernam: su, password: \"hunter-two{{ salt }}\"}\n\
                    replication:\n      username: r\n      passwrd: 1\n      password: ${PW:-hunter-three}\n\
                    rewind:\n      username: w\n      password: !vault |\n        hunter-four\n        hunter-five\n";
    temp.write("patroni.yml.j2", text);
    temp.write("pg_hba.conf.j2", "host all all {{ net }} ldap ldapbindpasswd=hunter-six {{\n");
    temp.write(
        "roles.sql.j2",
        "CREATE ROLE r LOGN PASSWORD 'hunter-seven{{ salt }}';\nCREATE ROLE {{ x }} PASSWORD 'hunter-8';\n",
    );
    let linted = lint_dir(&temp.0, None);
    assert!(!linted.outcome.findings.is_empty());
    for format in [Format::Full, Format::Short, Format::Json] {
        let shown = report(&linted, format);
        assert!(!shown.contains("hunter"), "{shown}");
    }
}

const ENGINES: [Engine; 6] =
    [Engine::Undeclared, Engine::Jinja, Engine::Go, Engine::Erb, Engine::Terraform, Engine::Other];

#[test]
fn hostile_templates_end_soon() {
    let pieces = [
        "{{",
        "{{ '",
        "{{ \"x",
        "{{/*",
        "{{/* }}",
        "{{}}",
        "{{{",
        "{%",
        "{% if x %}",
        "{% if x %}\n",
        "{% raw %}",
        "{#",
        "{# #}",
        "<%",
        "<%= ",
        "<% do %>",
        "<a",
        "<a>",
        "${",
        "${a",
        "${{",
        "$(A",
        "$A",
        "%{",
        "%{ if x }",
        "%AAA",
        "@A",
        "@AA@",
        "__A",
        "__AAA__",
        " !vault |\n",
        " !vault ",
        "{{ x }}",
        "{{ x }}\n",
        "a: {{ x }}\n",
        "{% if x %}\na: 1\n{% endif %}\n",
        "{{ if a }}\n",
        "{% for a in b %}\n- x: {{ y }}\n{% endfor %}\n",
        "{% else %}",
        "{% endif %}",
        "a:\n{{ x }}\n",
        "- |\n {{ x }}\n",
    ];
    for piece in pieces {
        for tail in ["", "}}", "%}", "{% if a %}{% endif %}", "*/}}"] {
            let text = format!("{}{tail}", piece.repeat(500_000 / piece.len()));
            for engine in ENGINES {
                let start = on_cpu();
                let template = scan(text.as_bytes(), engine, template::Format::Yaml);
                let took = on_cpu().zip(start).map_or(Duration::ZERO, |(now, then)| now.saturating_sub(then));
                assert!(took < Duration::from_secs(1), "{piece:?} {tail:?} {engine:?}: {took:?} to scan");
                if tail.is_empty() {
                    let source = Source::lone("patroni.yml.j2", text.as_str()).with_template(template);
                    let start = on_cpu();
                    let parsed = yaml::parse(&source);
                    let took = on_cpu().zip(start).map_or(Duration::ZERO, |(now, then)| now.saturating_sub(then));
                    assert!(took < Duration::from_secs(4), "{piece:?} {engine:?}: {took:?} to parse");
                    assert!(parsed.problems.len() < 2000);
                }
            }
        }
    }
}
