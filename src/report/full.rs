//! The report for people: every place with its text, what will happen, and the way out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity as Level};
use codespan_reporting::term::termcolor::{Ansi, NoColor, WriteColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

use super::edits::apart;
use super::redact::MASK;
use super::snippet::Excerpts;
use super::style::link;
use super::{Links, Page, Style, gate, last_line, members, overview};
use crate::finding::{Action, Finding, Fix, Step};
use crate::gap::Gap;
use crate::problem::Edit;
use crate::rules::schema::{Disruption, Safety, Severity};
use crate::source::{SourceId, Span};

/// Columns that a paragraph may fill.
const WIDTH: usize = 100;

/// The whole report, the worst findings first.
#[must_use]
pub fn render(page: &Page<'_>, style: &Style) -> String {
    let mut text = String::new();
    let mut explained = BTreeSet::new();
    for finding in page.worst_first() {
        let first = explained.insert(finding.rule.clone());
        let drawn = draw(page, finding, first, style.colour);
        text.push_str(&match &style.links {
            Some(links) => linked(page, finding, &drawn, links),
            None => drawn,
        });
    }
    text.push_str(&gaps(page));
    for broken in &page.outcome.broken {
        let message = page.redactor.words(&[], &broken.message);
        let _ = writeln!(
            text,
            "fault of this program in rule {}: {message}\n  please report it; the other rules ran\n",
            broken.rule
        );
    }
    text.push_str(&overview::table(page));
    text.push_str(&since(page));
    text.push_str(&members::block(page));
    text.push_str(&gate::block(page));
    text.push_str(&last_line(page));
    text.push('\n');
    text
}

/// One finding with all its words, for other formats.
pub(super) fn plain(page: &Page<'_>, finding: &Finding) -> String {
    draw(page, finding, true, false)
}

/// The places of a finding with their texts, without any other word.
pub(super) fn places(page: &Page<'_>, finding: &Finding) -> String {
    let bare = Finding { notes: Vec::new(), fix: Err(String::new()), ..finding.clone() };
    let drawn = draw(page, &bare, false, false);
    let places = drawn.split_once('\n').map(|(_, places)| places).unwrap_or_default();
    places.trim_end().to_owned()
}

/// The steps of a fix, in the order in which they are done.
pub(super) fn steps(page: &Page<'_>, fix: &Fix) -> Vec<String> {
    let text = |step: &Step| {
        let text = describe_step(page, step);
        text.lines().filter(|l| !l.is_empty()).map(|l| l.strip_prefix("  ").unwrap_or(l)).collect::<Vec<_>>().join("\n")
    };
    fix.steps.iter().map(text).filter(|text| !text.is_empty()).collect()
}

fn draw(page: &Page<'_>, finding: &Finding, first: bool, colour: bool) -> String {
    let mut out = Vec::new();
    if colour {
        emit(&mut Ansi::new(&mut out), page, finding, first);
    } else {
        emit(&mut NoColor::new(&mut out), page, finding, first);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Puts links on the name of the rule and on the places, each on its own line as the renderer writes them.
fn linked(page: &Page<'_>, finding: &Finding, drawn: &str, links: &Links) -> String {
    let code = format!("[{}]", finding.rule);
    let url = page.rule(&finding.rule).and_then(|r| r.references.first());
    let names: Vec<(String, String)> = finding
        .sources()
        .into_iter()
        .map(|id| page.sources.get(id))
        .filter(|s| s.path().is_some())
        .map(|s| (page.name(&s), links.file(s.name())))
        .collect();
    let mut out = String::with_capacity(drawn.len());
    for (i, line) in drawn.split_inclusive('\n').enumerate() {
        let place = line.split_once(CORNER).filter(|(gutter, _)| is_gutter(gutter));
        let target = place.and_then(|(_, rest)| names.iter().find(|(name, _)| rest.contains(&format!("{name}:"))));
        match (url, target) {
            (Some(url), _) if i == 0 => {
                out.push_str(&line.replacen(&code, &format!("[{}]", link(url, &finding.rule)), 1));
            }
            (_, Some((name, url))) => {
                let from = line.find(name.as_str()).unwrap_or(0);
                let text = line[from..].trim_end();
                out.push_str(&line[..from]);
                out.push_str(&link(url, text));
                out.push_str(&line[from + text.len()..]);
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// What stands in front of a place.
const CORNER: &str = "┌─";

/// Blanks and colours only.
fn is_gutter(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c == '\u{1b}' || c == '[' || c == ';' || c == 'm' || c.is_ascii_digit())
}

fn emit(writer: &mut dyn WriteColor, page: &Page<'_>, finding: &Finding, first: bool) {
    let mut spans = vec![finding.at];
    spans.extend(finding.labels.iter().map(|l| l.at));
    let spans: Vec<Span> = spans.into_iter().map(|s| first_line(page, s)).collect();
    let excerpts = Excerpts::new(page.sources, page.redactor, &spans);
    let about = finding.sources();
    let mut labels = Vec::new();
    let (file, range) = excerpts.place(spans[0]);
    labels.push(Label::primary(file, range));
    for (label, span) in finding.labels.iter().zip(&spans[1..]) {
        let (file, range) = excerpts.place(*span);
        labels.push(Label::secondary(file, range).with_message(page.redactor.words(&about, &label.text)));
    }
    let diagnostic = Diagnostic::new(level(finding.severity))
        .with_code(&finding.rule)
        .with_message(page.redactor.words(&about, &finding.message))
        .with_labels(labels)
        .with_notes(notes(page, finding, first));
    let styles = Styles::default();
    let mut painter = StylesWriter::new(writer, &styles);
    let drawn = emit_to_write_style(&mut painter, &Config::default(), &excerpts, &diagnostic);
    debug_assert!(drawn.is_ok(), "a diagnostic could not be drawn: {diagnostic:?}");
}

/// The part of a span that lies on its first line: a whole section is shown by its head.
fn first_line(page: &Page<'_>, span: Span) -> Span {
    let source = page.sources.get(span.source);
    let line_end = source.line_span(source.line_index(span.start)).map_or(span.end, |l| l.end);
    Span { end: span.end.min(line_end.max(span.start)), ..span }
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    }
}

fn notes(page: &Page<'_>, finding: &Finding, first: bool) -> Vec<String> {
    let about = finding.sources();
    let mut notes: Vec<String> = Vec::new();
    for (i, note) in finding.notes.iter().enumerate() {
        if i > 0 || first {
            notes.push(wrap(&page.redactor.words(&about, note), "  "));
        }
    }
    match &finding.fix {
        Ok(fix) => notes.push(page.redactor.words(&about, &describe(page, fix))),
        Err(reason) if first => {
            notes.push(wrap(&format!("no ready fix: {}", page.redactor.words(&about, reason)), "  "));
        }
        Err(_) => {}
    }
    notes
}

fn describe(page: &Page<'_>, fix: &Fix) -> String {
    let how = match fix.safety {
        Safety::Safe => String::new(),
        Safety::Unsafe | Safety::Manual if fix.because.is_empty() => String::new(),
        Safety::Unsafe | Safety::Manual => format!(" ({})", fix.because),
    };
    let mut text = wrap(&format!("fix: {}{how}", fix.title), "  ");
    for step in &fix.steps {
        text.push_str(&describe_step(page, step));
    }
    text
}

/// A word as a shell takes it.
fn word_of_shell(word: &str) -> String {
    let is_plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.=/:,%+@".contains(&b));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn describe_step(page: &Page<'_>, step: &Step) -> String {
    let cost = match step.disruption {
        Disruption::None => "",
        Disruption::Reload => " [reload]",
        Disruption::Restart => " [restart: connections drop]",
        Disruption::Downtime => " [downtime]",
    };
    match &step.action {
        Action::Edit(edits) => changes(page, edits),
        Action::SetDynamic { key, value } => format!(
            "\n  before Patroni's first start: `{key}: {value}` under `bootstrap.dcs`\n  later: patronictl edit-config -s {}{cost}",
            word_of_shell(&format!("{key}={value}"))
        ),
        Action::Sql(sql) => format!("\n  SQL: {sql}"),
        Action::Command(command) => format!("\n  $ {command}"),
        Action::Reload => format!("\n  reload the configuration{cost}"),
        Action::Restart => format!("\n  restart PostgreSQL{cost}"),
        Action::Wait(what) => format!("\n  wait until {what}"),
        Action::Human(what) => format!("\n  {}", wrap(what, "  ")),
    }
}

/// Edits as the lines before and after them.
fn changes(page: &Page<'_>, edits: &[Edit]) -> String {
    let mut by_line: BTreeMap<(SourceId, usize), Vec<Edit>> = BTreeMap::new();
    for edit in edits {
        let source = page.sources.get(edit.at.source);
        let line = source.line_index(edit.at.start);
        by_line.entry((edit.at.source, line)).or_default().extend(apart(&source, edit));
    }
    by_line.into_iter().map(|((source, line), edits)| change(page, source, line, &edits)).collect()
}

/// The edits that begin on one line.
fn change(page: &Page<'_>, source: SourceId, index: usize, edits: &[Edit]) -> String {
    let source = page.sources.get(source);
    let Some(line) = source.line_span(index) else { return String::new() };
    let last = edits.iter().map(|e| e.at.end).max().unwrap_or(line.end);
    let end = source.line_span(source.line_index(last)).map_or(line.end, |l| l.end).max(last);
    let whole = page.redactor.line(&source, Span { source: source.id(), start: line.start, end });
    let before = &whole.text;
    let mut after = String::new();
    let mut at = 0;
    for edit in edits {
        let (from, to) = (whole.at(edit.at.start), whole.at(edit.at.end));
        after.push_str(&before[at..from.max(at)]);
        let replaces_secret = edit.at.start < edit.at.end && (from == to || before[from..to].contains(MASK));
        after.push_str(&if replaces_secret {
            MASK.to_owned()
        } else {
            page.redactor.words(&[edit.at.source], &edit.text)
        });
        at = to.max(from);
    }
    after.push_str(&before[at..]);
    let mut text = String::new();
    for line in before.lines().filter(|l| !l.trim().is_empty()) {
        let _ = write!(text, "\n  - {line}");
    }
    for line in after.lines().filter(|l| !l.trim().is_empty()) {
        let _ = write!(text, "\n  + {line}");
    }
    text
}

/// Breaks a paragraph into lines; those after the first are indented.
fn wrap(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            out.push_str(indent);
            column = indent.len();
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

/// What has changed since another moment.
fn since(page: &Page<'_>) -> String {
    let Some(changes) = page.changes else { return String::new() };
    let moment = page.redactor.words(&[], &changes.since);
    if changes.lines.is_empty() {
        return format!("nothing has changed since {moment}\n\n");
    }
    let mut text = format!("changed since {moment}:\n");
    for line in &changes.lines {
        let _ = writeln!(text, "  {}", page.redactor.words(&[], line));
    }
    text.push('\n');
    text
}

/// The first of some names, and how many more there are; reports for programs have all of them.
pub(super) fn some<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 12;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(MOST);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// What was not checked, one line a cause; what is the same of several members stands there once.
fn gaps(page: &Page<'_>) -> String {
    let mut rules: BTreeMap<&Gap, Vec<&str>> = BTreeMap::new();
    for (rule, gap) in &page.outcome.gaps {
        rules.entry(gap).or_default().push(rule);
    }
    let mut alike: BTreeMap<(Gap, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for (gap, rules) in rules {
        let of_any = Gap { node: None, ..gap.clone() };
        alike.entry((of_any, rules)).or_default().extend(gap.node.as_deref());
    }
    let mut lines: Vec<String> = Vec::new();
    for ((gap, rules), members) in alike {
        let cause = if members.is_empty() { gap } else { gap.on(some(&members)) };
        let cause = page.redactor.words(&[], &cause.to_string());
        lines.push(format!("not checked, because {cause}: {}\n", some(&rules)));
    }
    lines.sort();
    if !lines.is_empty() {
        lines.push("\n".to_owned());
    }
    lines.concat()
}
