use std::path::Path;

use super::{Engine, Format, declared, is_placeholder, problem, scan};
use crate::parse::yaml::{self, Tree, Value};
use crate::problem::Parsed;
use crate::source::Source;
use crate::source::template::Template;

/// A template; the empty lines that stand for whole lines of YAML are shown as blanks.
fn read(text: &str, engine: Engine, format: Format) -> Template {
    let mut template = scan(text.as_bytes(), engine, format).unwrap_or_else(|| panic!("no template: {text}"));
    assert_eq!(template.text.len(), text.len(), "{text}");
    for (shown, written) in template.text.iter_mut().zip(text.bytes()) {
        if *shown == b'\n' && written != b'\n' {
            assert_eq!(format, Format::Yaml);
            *shown = b' ';
        }
    }
    let lines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count();
    assert!(lines(&template.text) <= lines(text.as_bytes()));
    template
}

fn plain(text: &str, engine: Engine) -> String {
    String::from_utf8(read(text, engine, Format::Yaml).text).expect("text")
}

#[test]
fn names_declare_their_engine() {
    for (name, becomes, engine) in [
        ("a/patroni.yml.j2", "a/patroni.yml", Engine::Jinja),
        ("pg_hba.conf.erb", "pg_hba.conf", Engine::Erb),
        ("patroni.yaml.tmpl", "patroni.yaml", Engine::Go),
        ("patroni.yml.tftpl", "patroni.yml", Engine::Terraform),
        ("postgresql.conf.in", "postgresql.conf", Engine::Other),
        ("patroni.yml", "patroni.yml", Engine::Undeclared),
    ] {
        assert_eq!(declared(Path::new(name)), (becomes.into(), engine), "{name}");
    }
}

#[test]
fn a_value_becomes_a_word_of_the_same_length() {
    let undeclared = [
        ("name: {{ a }}\n", "name: xxxxxxx\n"),
        ("listen: \"{{ .Host }}:8008\"\n", "listen: \"xxxxxxxxxxx:8008\"\n"),
        ("a: <%= @x %>:1\n", "a: xxxxxxxxx:1\n"),
        ("a: ${A:-b}/c\n", "a: xxxxxxx/c\n"),
        ("a: $(POD_IP)\n", "a: xxxxxxxxx\n"),
        ("a: $HOST\n", "a: xxxxx\n"),
        ("a: ${{ matrix.x }}\n", "a: xxxxxxxxxxxxxxx\n"),
        ("a: <your password>\n", "a: xxxxxxxxxxxxxxx\n"),
        ("a: %{hiera('x')}\n", "a: xxxxxxxxxxxxx\n"),
        ("a: %HOST%\n", "a: xxxxxx\n"),
        ("a: @HOST@\n", "a: xxxxxx\n"),
        ("a: __HOST__\n", "a: xxxxxxxx\n"),
        ("a: {{ '}}' }} # b\n", "a: xxxxxxxxxx # b\n"),
    ];
    for (text, expected) in undeclared {
        assert_eq!(plain(text, Engine::Undeclared), expected);
        assert_eq!(read(text, Engine::Undeclared, Format::Yaml).holes.len(), 1, "{text}");
    }
}

#[test]
fn what_can_be_literal_stays() {
    for text in [
        "archive_command: 'test ! -f ${dir}/%f && cp %p ${dir}/%f'\n",
        "on_start: /bin/x $HOME\n",
        "log_line_prefix: '%m {{'\n",
        "log_line_prefix: '<%u%%%d> '\n",
        "log_filename: 'postgresql-%Y-%m-%d_%H%M%S.log'\n",
        "search_path: '\"$user\", public'\n",
        "a: {b: {c: 1}}\n",
        "a: {}\n",
        "<<: *common\n",
        "a: x@y.z\n",
        "# e.g. {{ name }} or ${NAME}\n",
        "a: '%m {%p} '\n",
    ] {
        assert!(scan(text.as_bytes(), Engine::Undeclared, Format::Yaml).is_none(), "{text}");
    }
    assert!(scan(b"ExecStart=/bin/x ${PGDATA}\n", Engine::Jinja, Format::Unit).is_none());
    assert!(scan(b"SELECT $1, $$x$$, a<b\n", Engine::Undeclared, Format::Sql).is_none());
}

#[test]
fn statements_on_their_own_lines_are_blank_and_bound_branches() {
    let text = "a: 1\n{% if x %}\nb: 2\n{% else %}\nc: 3\n{% endif %}\nd: 4\n";
    let template = read(text, Engine::Jinja, Format::Yaml);
    let seen = String::from_utf8(template.text.clone()).expect("text");
    let words: Vec<&str> = seen.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(words, ["a: 1", "b: 2", "c: 3", "d: 4"]);
    let optional = |word: &str| template.is_optional(text.find(word).expect("there"));
    assert!(!optional("a:") && optional("b:") && optional("c:") && !optional("d:"));
    assert_eq!(template.branches.iter().map(|b| b.is_other).collect::<Vec<_>>(), [false, true]);
    assert!(!String::from_utf8_lossy(&template.first_branches()).contains("c: 3"));
}

#[test]
fn a_block_inside_of_a_line_is_one_value() {
    let text = "hosts: {% for h in hs %}{{ h }}:2379{% if not loop.last %},{% endif %}{% endfor %}\n";
    let template = read(text, Engine::Jinja, Format::Yaml);
    assert_eq!(template.holes, vec![7..text.len() - 1]);
    let text = "host<% if @ssl %>ssl<% end %> all all all md5\n";
    assert_eq!(read(text, Engine::Erb, Format::Lines).holes, vec![4..29]);
}

#[test]
fn a_line_of_nothing_but_values_is_an_insertion() {
    let indent = |text: &str, engine| read(text, engine, Format::Yaml).insertions[0].indent;
    assert_eq!(indent("tags:\n  {{ tags }}\n", Engine::Jinja), Some(2));
    assert_eq!(indent("tags:\n{{- toYaml .tags | nindent 4 }}\n", Engine::Go), Some(4));
    assert_eq!(indent("tags:\n{{ tags | indent(n) }}\n", Engine::Jinja), None);
    assert_eq!(indent("tags:\n  {% if a %}{{ b }}{% endif %}\n", Engine::Jinja), Some(2));
    assert_eq!(indent("tags:\n  {{ a }}{% for b in c %}x{% endfor %}\n", Engine::Jinja), None);
    let none =
        read("{% set a = 1 %}{# b #}\n{% macro c(d) %}{{ d }}{% endmacro %}\ne: 1\n", Engine::Jinja, Format::Yaml);
    assert!(none.insertions.is_empty() && none.holes.is_empty());
}

#[test]
fn blocks_of_each_engine_are_matched() {
    for (text, engine, branches) in [
        ("{{- if .a }}\nb: 1\n{{- else if .c }}\nd: 1\n{{- end }}\n", Engine::Go, 2),
        ("{{ range $k, $v := .x }}\nb: 1\n{{ end }}\n", Engine::Go, 1),
        ("{{#a}}\nb: 1\n{{/a}}\n", Engine::Go, 1),
        ("<% @a.each do |x| -%>\nb: 1\n<% end -%>\n", Engine::Erb, 1),
        ("<% if $a { -%>\nb: 1\n<% } else { -%>\nc: 1\n<% } -%>\n", Engine::Erb, 2),
        ("%{ for a in b ~}\nc: ${a}\n%{ endfor ~}\n", Engine::Terraform, 1),
        ("{% raw %}\n{% if %}\n{% endraw %}\n{% for a in b %}\nc: 1\n{% endfor %}\n", Engine::Jinja, 1),
    ] {
        let template = read(text, engine, Format::Yaml);
        assert!(template.unbalanced.is_none(), "{text}: {:?}", template.unbalanced);
        assert_eq!(template.branches.len(), branches, "{text}");
    }
}

#[test]
fn what_has_no_counterpart_is_told_with_its_place() {
    for (text, engine, at) in [
        ("a: 1\nb: {{ x }\nc: {{ y }}\n", Engine::Jinja, 8),
        ("{% if a %}\nb: 1\n", Engine::Jinja, 0),
        ("b: 1\n{% endif %}\n", Engine::Jinja, 5),
        ("{% if a %}\n{% endfor %}\n", Engine::Jinja, 11),
        ("{{ if .a }}\nb: 1\n", Engine::Go, 0),
        ("a: <%= x\n", Engine::Erb, 3),
        ("a: ${x\n", Engine::Terraform, 3),
        ("# {# x\n", Engine::Jinja, 2),
    ] {
        let template = read(text, engine, Format::Yaml);
        assert_eq!(template.unbalanced.as_ref().map(|u| u.range.start), Some(at), "{text}");
        assert!(template.text.trim_ascii().is_empty());
        let source = Source::lone("t", text).with_template(Some(template));
        assert_eq!(problem(&source).map(|p| p.at.start as usize), Some(at));
    }
    // What begins and ends a block of Ruby is a guess.
    let ruby = read("<% foo { |x| bar %>\na: 1\n", Engine::Erb, Format::Yaml);
    assert!(ruby.unbalanced.is_none());
}

#[test]
fn an_encrypted_value_is_one_value_and_hidden() {
    let text = "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n\nb: 1\n";
    let template = read(text, Engine::Undeclared, Format::Yaml);
    let source = Source::lone("t", text);
    let hidden = source.text(source.span(template.masked[0].start, template.masked[0].end)).into_owned();
    assert!(hidden.contains("6162") && !hidden.contains("b: 1"));
    assert_eq!(template.holes.len(), 1);
}

#[test]
fn a_placeholder_is_no_secret_unless_it_brings_one() {
    for (value, expected) in [
        ("{{ pw }}", true),
        ("\"{{ pw }}\"", true),
        ("${PW}", true),
        ("{{ pw }}{{ salt }}", true),
        ("{{ pw | default('hunter2') }}", false),
        ("${PW:-hunter2}", false),
        ("hunter2{{ pw }}", false),
        ("{{ pw }}hunter2", false),
    ] {
        let text = format!("password: {value}\n");
        let template = scan(text.as_bytes(), Engine::Undeclared, Format::Yaml);
        let source = Source::lone("t", text.clone()).with_template(template);
        assert_eq!(is_placeholder(&source, source.span(10, text.len() - 1)), expected, "{value}");
    }
}

fn tree(text: &str, engine: Engine) -> Parsed<Tree> {
    let template = scan(text.as_bytes(), engine, Format::Yaml);
    yaml::parse(&Source::lone("patroni.yml", text).with_template(template))
}

#[test]
fn what_stands_under_a_condition_may_be_absent() {
    let parsed = tree("log:\n  level: INFO\n{% if a %}\n  dir: /x\n{% endif %}\nname: b\n", Engine::Jinja);
    assert!(parsed.problems.is_empty() && parsed.tree.is_complete());
    let log = parsed.tree.at(&["log"]).expect("there").value;
    let at = |path: &[&str]| parsed.tree.at(path).expect("there").value;
    assert!(parsed.tree.is_open(log) && !parsed.tree.is_open(parsed.tree.root().expect("a top")));
    assert!(parsed.tree.is_optional(at(&["log", "dir"])) && !parsed.tree.is_optional(at(&["log", "level"])));
}

#[test]
fn a_statement_may_indent_the_line_below_it() {
    let text = "a:\n  b: 1\n  {% if x %}\nc: {{ y }}\n  {% endif %}\nd: 1\n";
    let parsed = tree(text, Engine::Jinja);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert!(parsed.tree.at(&["c"]).is_none() && parsed.tree.at(&["d"]).is_some());
    assert!(parsed.tree.at(&["a", "b"]).is_some());
    let text = "a:\n  {% if x %}\n  c: {{ y }}\n  {% endif %}\n  d: 1\n";
    let parsed = tree(text, Engine::Jinja);
    assert!(parsed.tree.at(&["a", "c"]).is_some() && parsed.tree.at(&["a", "d"]).is_some());
}

#[test]
fn equal_keys_are_duplicates_in_one_branch_only() {
    let text = "{% if a %}\nx: {b: 1}\ny: 1\n{% else %}\nx: {c: 2}\ny: 2\n{% endif %}\n";
    let parsed = tree(text, Engine::Jinja);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert!(parsed.tree.at(&["x", "b"]).is_some() && parsed.tree.at(&["x", "c"]).is_some());
    let y = parsed.tree.at(&["y"]).expect("there").value;
    assert_eq!(parsed.tree.node(y).value, Value::Unknown);
    let twice = tree("{% if a %}\nx: 1\nx: 2\n{% endif %}\n", Engine::Jinja).problems;
    assert_eq!(twice.iter().map(|p| &*p.rule).collect::<Vec<_>>(), ["yaml-duplicate-key"]);
}

#[test]
fn branches_that_make_no_sense_together_are_read_one_at_a_time() {
    let text = "a:\n{% if x %}\n  b:\n    c: 1\n{% else %}\n    d: 1\n{% endif %}\ne: 1\n";
    let parsed = tree(text, Engine::Jinja);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    assert!(parsed.tree.at(&["a", "b", "c"]).is_some() && parsed.tree.at(&["a", "b", "d"]).is_none());
    assert!(parsed.tree.is_open(parsed.tree.at(&["a"]).expect("there").value));
    assert!(parsed.tree.at(&["e"]).is_some());
}

#[test]
fn lines_that_a_template_puts_in_open_what_they_may_reach() {
    let parsed = tree("a:\n  b: 1\n  {{ more }}\nc:\n  {{ all }}\nd: 1\n", Engine::Jinja);
    let at = |key: &str| parsed.tree.at(&[key]).expect("there").value;
    assert!(parsed.tree.is_open(at("a")) && !parsed.tree.is_open(parsed.tree.root().expect("a top")));
    assert_eq!(parsed.tree.node(at("c")).value, Value::Unknown);
    let spread = tree("a:\n  b: 1\n{{ toYaml .x }}\n", Engine::Go).tree;
    assert!(spread.is_open(spread.root().expect("a top")));
    assert!(!tree("{{ all }}\n", Engine::Jinja).tree.is_complete());
}

#[test]
fn a_mistake_beside_placeholders_is_told_and_one_that_they_may_cause_is_not() {
    let rules = |text: &str| {
        let parsed = tree(text, Engine::Jinja);
        assert!(!parsed.tree.is_complete(), "{text}");
        parsed.problems.into_iter().map(|p| (p.rule.to_string(), p.at.start as usize)).collect::<Vec<_>>()
    };
    assert_eq!(rules("a: {{ x }}\nb: @c\n"), [("yaml-unquoted-special".to_owned(), 14)]);
    assert_eq!(rules("a: {{ x }}\n\tb: 1\n"), [("yaml-tab-indent".to_owned(), 11)]);
    assert_eq!(rules("a: [{{ x }}\nb: 1\n").len(), 1);
    assert_eq!(rules("a: @{{ x }}\n"), []);
    assert_eq!(rules("a: 1\n{% for b in c %}\n   d: 1\n{% endfor %}\n"), []);
}
