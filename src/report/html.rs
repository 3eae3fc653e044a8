//! One page for a browser, on a screen, a phone or paper: the verdict, what was found, and what Patroni's take-over changes.
//!
//! It needs nothing else: no script, no picture, no font, no network. Every text goes through [`element::escape`].

mod element;
mod findings;
mod prediction;

use element::Element;

use super::gate::{Answer, gates};
use super::prediction::{Shown, words::Level};
use super::{Page, last_line, members, plural};
use crate::rules::schema::Severity;

/// How it looks: light and dark, narrow and wide, and on paper.
const STYLE: &str = include_str!("html/style.css");

/// Nothing but the style that stands in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The whole page.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let mut html = Element::new("html").with("lang", "en");
    html.add(head(page));
    let mut body = Element::new("body");
    body.add(Element::new("a").with("class", "skip").with("href", "#main").text("To the report"));
    body.add(Element::new("header").child(Element::new("h1").text(&title(page))));
    let mut main = Element::new("main").with("id", "main");
    let shown = page.prediction.map(|prediction| Shown { page, prediction, all: false });
    main.add(verdict(page, shown.as_ref()));
    main.add_all(gate(page));
    main.add_all(what_there_is(page));
    main.add(findings::section(page));
    main.add_all(findings::not_checked(page));
    main.add_all(since(page));
    main.add_all(shown.as_ref().map(prediction::section));
    body.add(main);
    let by = format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    body.add(
        Element::new("footer")
            .child(Element::new("p").text(&format!("Made by {by}. Nothing was changed; no secret is shown."))),
    );
    html.add(body);
    format!("<!doctype html>\n{}\n", html.render())
}

/// The clusters that the page is about.
fn title(page: &Page<'_>) -> String {
    let scopes = page.prediction.iter().flat_map(|p| &p.members).filter_map(|m| m.scope.as_deref());
    let mut scopes: Vec<String> = scopes.map(|scope| page.redactor.everywhere(scope)).collect();
    scopes.dedup();
    match scopes.as_slice() {
        [] => "Patroni preflight".to_owned(),
        some => format!("Patroni preflight: {}", super::full::some(some)),
    }
}

fn head(page: &Page<'_>) -> Element {
    let meta = |name: &str, content: &str| Element::void("meta").with("name", name).with("content", content);
    Element::new("head")
        .child(Element::void("meta").with("charset", "utf-8"))
        .child(Element::void("meta").with("http-equiv", "Content-Security-Policy").with("content", POLICY))
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(meta("generator", concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"))))
        .child(Element::new("title").text(&title(page)))
        .child(Element::style(STYLE))
}

/// A part of the page below its own heading.
fn section(id: &str, title: &str) -> Element {
    let heading = format!("{id}-title");
    let section = Element::new("section").with("id", id).with("aria-labelledby", &heading);
    section.child(Element::new("h2").with("id", &heading).text(title))
}

/// A word that says how bad something is; never the colour alone.
fn badge(class: &str, word: &str) -> Element {
    Element::new("span").with("class", &format!("badge {class}")).text(word)
}

const fn class_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Note => "note",
    }
}

const fn class_of_level(level: Level) -> &'static str {
    match level {
        Level::Danger => "bad",
        Level::Notice => "notice",
        Level::Fine => "fine",
    }
}

const fn class_of_exit(code: u8) -> (&'static str, &'static str) {
    match code {
        0 => ("good", "ok"),
        1 => ("bad", "not ready"),
        3 => ("warn", "incomplete"),
        _ => ("bad", "fault"),
    }
}

/// What comes of it all, in a sentence each.
fn verdict(page: &Page<'_>, shown: Option<&Shown<'_>>) -> Element {
    let line = |label: &str, code: u8, reason: &str| {
        let (class, word) = class_of_exit(code);
        let item = Element::new("li").with("class", &format!("verdict {class}")).child(badge(class, word));
        item.child(Element::new("strong").text(label)).text(&format!(" {reason} (exit code {code})"))
    };
    let mut list = Element::new("ul").with("class", "plain");
    list.add(line("Findings:", page.verdict.code, &page.redactor.everywhere(&page.verdict.reason)));
    if let Some(shown) = shown {
        let verdict = super::prediction::verdict(shown, page.question);
        list.add(line("Take-over:", verdict.code, &page.redactor.everywhere(&verdict.reason)));
    }
    let count = |severity| page.outcome.findings.iter().filter(|f| f.severity == severity).count();
    let mut counts = Element::new("ul").with("class", "counts");
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let n = count(severity);
        let item = Element::new("li").with("class", class_of(severity));
        counts
            .add(item.child(Element::new("b").text(&n.to_string())).text(&format!(" {}", plural(n, severity.word()))));
    }
    let gaps = page.outcome.gaps.len();
    if gaps > 0 {
        let item = Element::new("li").with("class", "warn");
        counts.add(item.child(Element::new("b").text(&gaps.to_string())).text(" not checked"));
    }
    let said = last_line(page);
    let mut part = section("verdict", "Verdict").child(list).child(counts);
    for line in said.lines() {
        part.add(Element::new("p").with("class", "faint").text(&page.redactor.everywhere(line)));
    }
    part
}

/// Whether a start of Patroni could stop a server that runs.
fn gate(page: &Page<'_>) -> Option<Element> {
    let gates = gates(page);
    if gates.is_empty() {
        return None;
    }
    let mut body = Element::new("tbody");
    for gate in gates {
        let (class, answer) = match gate.answer {
            Answer::No => ("good", "no"),
            Answer::NotKnown => ("warn", "not known"),
            Answer::OutOfOrder => ("warn", "only out of order"),
            Answer::Yes => ("bad", "YES"),
        };
        let rules = gate.rules.join(", ");
        let row = element::row(class, &[("Member", &page.redactor.everywhere(&gate.member))]);
        body.add(
            row.child(element::cell("Answer").child(badge(class, answer))).child(element::cell("Rules").text(&rules)),
        );
    }
    let table = element::table("Could a start of Patroni stop a running server?", &["Member", "Answer", "Rules"]);
    Some(section("gate", "Could a start of Patroni stop a running server?").child(element::scroll(table.child(body))))
}

/// The cluster as its servers say it is.
fn what_there_is(page: &Page<'_>) -> Option<Element> {
    let members = members::shown(page);
    if members.is_empty() {
        return None;
    }
    let mut body = Element::new("tbody");
    for seen in &members {
        let row = element::row("", &[("Member", &page.redactor.everywhere(&seen.member))]);
        body.add(row.child(element::cell("Server").text(&page.redactor.everywhere(&members::words(seen)))));
    }
    let table = element::table("The servers as they are", &["Member", "Server"]);
    Some(section("members", "What there is").child(element::scroll(table.child(body))))
}

/// What has changed since another moment, if that was asked.
fn since(page: &Page<'_>) -> Option<Element> {
    let changes = page.changes?;
    let part = section("since", &format!("Changed since {}", page.redactor.everywhere(&changes.since)));
    if changes.lines.is_empty() {
        return Some(part.child(Element::new("p").text("Nothing.")));
    }
    let mut list = Element::new("ul");
    for line in &changes.lines {
        list.add(Element::new("li").text(&page.redactor.everywhere(line)));
    }
    Some(part.child(list))
}
