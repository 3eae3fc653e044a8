//! The report of `JUnit`, in the form that Jenkins and GitLab read: each file is a suite.
//!
//! A finding is a test case. It has failed when it is one of those that make the exit code 1, so that pipelines and this
//! program say the same; the others have passed and carry their words as output. What was not checked is skipped, a
//! fault of ours is an error.

use std::collections::BTreeSet;

use super::{NotChecked, Page, full, place, xml};
use crate::finding::Finding;

const NOT_CHECKED: &str = "not checked";

/// A suite and what is in it.
struct Suite<'p> {
    name: String,
    cases: Vec<Case<'p>>,
}

struct Case<'p> {
    name: String,
    end: End<'p>,
}

/// How a test case ended.
enum End<'p> {
    Passed,
    Told(&'p Finding),
    Failed(&'p Finding),
    Skipped(String),
    Broken(String),
}

/// The whole report, with a line end.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let mut suites: Vec<Suite<'_>> =
        page.by_file().into_iter().map(|(name, findings)| file(page, name, &findings)).collect();
    suites.extend(rest(page));
    let count = |is: fn(&End<'_>) -> bool| {
        let cases = suites.iter().flat_map(|s| &s.cases);
        cases.filter(|c| is(&c.end)).count().to_string()
    };
    xml::document(|out| {
        out.create_element("testsuites")
            .with_attribute(("name", env!("CARGO_PKG_NAME")))
            .with_attribute(("tests", &*count(|_| true)))
            .with_attribute(("failures", &*count(failed)))
            .with_attribute(("errors", &*count(broken)))
            .write_inner_content(|out| suites.iter().try_for_each(|s| suite(page, out, s)))
            .map(|_| ())
    })
}

fn file<'p>(page: &Page<'_>, name: String, findings: &[&'p Finding]) -> Suite<'p> {
    let mut names = BTreeSet::new();
    let mut cases: Vec<Case<'_>> = findings
        .iter()
        .map(|finding| {
            let at = place::place(page, finding.at).range;
            let name = format!("{} at {}:{}", finding.rule, at.line, at.column);
            let end = if finding.severity >= page.fail_on { End::Failed(finding) } else { End::Told(finding) };
            Case { name: unique(&mut names, &name), end }
        })
        .collect();
    if cases.is_empty() {
        cases.push(Case { name: "nothing found".to_owned(), end: End::Passed });
    }
    Suite { name, cases }
}

/// Readers show one of several cases with the same name.
fn unique(names: &mut BTreeSet<String>, name: &str) -> String {
    let mut tried = name.to_owned();
    let mut number = 1;
    while !names.insert(tried.clone()) {
        number += 1;
        tried = format!("{name} ({number})");
    }
    tried
}

/// What belongs to no file.
fn rest<'p>(page: &Page<'_>) -> Option<Suite<'p>> {
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for NotChecked { cause, rules, .. } in page.not_checked() {
        for rule in rules {
            cases
                .push(Case { name: unique(&mut names, &format!("{rule}: {cause}")), end: End::Skipped(cause.clone()) });
        }
    }
    for broken in &page.outcome.broken {
        let message = page.redactor.words(&[], &broken.message);
        cases.push(Case { name: unique(&mut names, &broken.rule), end: End::Broken(message) });
    }
    (!cases.is_empty()).then(|| Suite { name: NOT_CHECKED.to_owned(), cases })
}

const fn failed(end: &End<'_>) -> bool {
    matches!(end, End::Failed(_))
}

const fn broken(end: &End<'_>) -> bool {
    matches!(end, End::Broken(_))
}

const fn skipped(end: &End<'_>) -> bool {
    matches!(end, End::Skipped(_))
}

fn suite(page: &Page<'_>, out: &mut xml::Out, suite: &Suite<'_>) -> std::io::Result<()> {
    let count = |is: fn(&End<'_>) -> bool| suite.cases.iter().filter(|c| is(&c.end)).count().to_string();
    out.create_element("testsuite")
        .with_attribute(("name", &*xml::chars(&suite.name)))
        .with_attribute(("tests", &*count(|_| true)))
        .with_attribute(("failures", &*count(failed)))
        .with_attribute(("errors", &*count(broken)))
        .with_attribute(("skipped", &*count(skipped)))
        .write_inner_content(|out| suite.cases.iter().try_for_each(|c| case(page, out, &suite.name, c)))
        .map(|_| ())
}

fn case(page: &Page<'_>, out: &mut xml::Out, class: &str, case: &Case<'_>) -> std::io::Result<()> {
    let element = out
        .create_element("testcase")
        .with_attribute(("classname", &*xml::chars(class)))
        .with_attribute(("name", &*xml::chars(&case.name)))
        .with_attribute(("time", "0"));
    match &case.end {
        End::Passed => element.write_empty(),
        End::Failed(finding) => element.write_inner_content(|out| {
            let failure = out
                .create_element("failure")
                .with_attribute(("type", finding.severity.word()))
                .with_attribute(("message", &*xml::chars(&page.message(finding))));
            failure.write_text_content(xml::text(&full::plain(page, finding))).map(|_| ())
        }),
        End::Told(finding) => element.write_inner_content(|out| {
            out.create_element("system-out").write_text_content(xml::text(&full::plain(page, finding))).map(|_| ())
        }),
        End::Skipped(why) => element.write_inner_content(|out| {
            out.create_element("skipped").with_attribute(("message", &*xml::chars(why))).write_empty().map(|_| ())
        }),
        End::Broken(why) => element.write_inner_content(|out| {
            let error = out.create_element("error").with_attribute(("type", "fault of this program"));
            error.with_attribute(("message", &*xml::chars(why))).write_empty().map(|_| ())
        }),
    }
    .map(|_| ())
}
