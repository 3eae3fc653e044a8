//! Templates: what is not known never becomes a finding, and hostile ones end soon.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use patroni_preflight::cli::Format;
use patroni_preflight::parse::template::{self, Engine, scan};
use patroni_preflight::parse::yaml::{self, Style, Value};
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::run::Linted;
use patroni_preflight::source::Source;

use crate::hostile_yaml::on_cpu;
use crate::support::{TempDir, lint_dir, path, report};

/// How often each rule has found an error, by file.
fn errors(linted: &Linted) -> BTreeMap<(String, String), usize> {
    let mut found = BTreeMap::new();
    for finding in linted.outcome.findings.iter().filter(|f| f.severity == Severity::Error) {
        let file = linted.facts.sources.get(finding.at.source).name().to_owned();
        *found.entry((finding.rule.to_string(), file)).or_default() += 1;
    }
    found
}

fn files(dir: &Path, into: &mut Vec<std::path::PathBuf>) {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut entries: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { files(&entry, into) } else { into.push(entry) }
    }
}

const PLACEHOLDERS: [&str; 6] = ["{{ x }}", "${X_Y}", "<%= x %>", "<x>", "@X_Y@", "%{x}"];

#[test]
fn a_placeholder_for_any_scalar_adds_no_error() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for cluster in ["fixtures/clusters/healthy-orders", "fixtures/clusters/shop"] {
        let root = path(cluster);
        let mut all = Vec::new();
        files(&root, &mut all);
        let temp = TempDir::new("placeholders");
        for file in &all {
            temp.write(file.strip_prefix(&root).unwrap().to_str().unwrap(), std::fs::read(file).unwrap());
        }
        let before = errors(&lint_dir(&temp.0, None));
        for file in all.iter().filter(|f| f.extension().is_some_and(|e| e == "yml") && !f.ends_with("expected.txt")) {
            let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(file).unwrap();
            for (n, span) in scalars(&text).into_iter().enumerate() {
                let placeholder = PLACEHOLDERS[n % PLACEHOLDERS.len()];
                let changed = format!("{}{placeholder}{}", &text[..span.start], &text[span.end..]);
                temp.write(name, &changed);
                let after = errors(&lint_dir(&temp.0, None));
                for (what, count) in &after {
                    let was = before.get(what).copied().unwrap_or(0);
                    if *count > was {
                        wrong.push(format!(
                            "{what:?} for {placeholder} in place of {:?} in {name}",
                            &text[span.clone()]
                        ));
                    }
                }
                tried += 1;
            }
            temp.write(name, &text);
        }
    }
    println!("{tried} scalars");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 100);
}

/// The places of all values and items that are scalars written on one line.
fn scalars(text: &str) -> Vec<std::ops::Range<usize>> {
    let tree = yaml::parse(&Source::lone("patroni.yml", text)).tree;
    let mut found = Vec::new();
    let mut open: Vec<_> = tree.root().into_iter().collect();
    while let Some(id) = open.pop() {
        let node = tree.node(id);
        match &node.value {
            Value::Mapping(entries) => open.extend(entries.iter().map(|e| e.value)),
            Value::Sequence(items) => open.extend(items.iter().copied()),
            _ if node.span.start < node.span.end && node.style != Style::Block => found.push(node.span.range()),
            _ => {}
        }
    }
    found.sort_by_key(|range| range.start);
    found
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
