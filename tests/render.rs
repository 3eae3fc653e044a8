//! How reports look: a few shapes, whole.

use patroni_preflight::cli::Format;
use patroni_preflight::report::Style;
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::run::render;

use crate::support::{TempDir, golden, lint_dir, path, report};

fn shape(name: &str, files: &[(&str, &str)]) {
    let dir = TempDir::new("render");
    for (file, text) in files {
        dir.write(file, text);
    }
    let actual = report(&lint_dir(&dir.0, None), Format::Full);
    golden(&path(&format!("fixtures/render/{name}.txt")), &actual).unwrap();
}

#[test]
fn one_line_with_a_fix() {
    shape("one-line", &[("pg_hba.conf", "local all all peer\nhost all all 0.0.0.0/0 trust\n")]);
}

#[test]
fn a_broken_file_with_control_characters_tabs_and_wide_characters() {
    let text =
        "scope: 日本\nname: a\u{1b}[31m\nrestapi:\n\tlisten: 1\npostgresql:\n  listen: *:5432\netcd3: {host: 'h:1'}\n";
    shape("awkward", &[("patroni.yml", text)]);
}

#[test]
fn a_very_long_line_is_cut() {
    let line = format!("host all {} 10.0.0.0/8 nonsense{}\n", "a,".repeat(3000), " x".repeat(2000));
    shape("long-line", &[("pg_hba.conf", &line)]);
}

#[test]
fn an_empty_file_that_cannot_be_used() {
    shape("empty", &[("patroni.yml", "")]);
}

#[test]
fn colours_only_when_asked_for() {
    let linted = lint_dir(&path("fixtures/clusters/shop"), None);
    let plain = render(&linted, Format::Full, Severity::Error, &Style::default()).0;
    let coloured = render(&linted, Format::Full, Severity::Error, &Style { colour: true, links: None }).0;
    assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}["));
}

#[test]
fn a_whole_repository() {
    let actual = report(&lint_dir(&path("fixtures/clusters/shop"), None), Format::Full);
    golden(&path("fixtures/render/shop.txt"), &actual).unwrap();
}
