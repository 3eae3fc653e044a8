//! The report for programs: one JSON object, versioned; its schema is `src/report/json.schema.json`.
//!
//! Lines and columns count from 1, columns in characters, ends are exclusive.

use serde::Serialize;

use super::gate::{Gate, gates};
use super::place::{Place, place};
use super::redact::MASK;
use super::{Changes, Page, edits, members};
use crate::facts::topology::Seen;
use crate::finding::{Action, Finding, Fix, Step};
use crate::rules::schema::{Disruption, Safety, Severity};
use crate::rules::tally::Checked;
use crate::source::SourceId;

/// Changes when a reader of an older version could misread the output.
pub const VERSION: u32 = 1;

/// The JSON Schema of the output.
pub const SCHEMA: &str = include_str!("json.schema.json");

#[derive(Serialize)]
struct Document {
    findings: Vec<Item>,
    #[serde(flatten)]
    rest: Rest,
}

/// All but the findings.
#[derive(Serialize)]
pub(super) struct Rest {
    version: u32,
    tool: Tool,
    not_checked: Vec<NotChecked>,
    faults: Vec<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Seen>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gate: Vec<Gate>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    checked: Vec<Checked>,
    summary: Summary,
}

/// This program.
#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    /// As it was built.
    pub(super) const fn own() -> Self {
        Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") }
    }
}

#[derive(Serialize)]
pub(super) struct Item {
    rule: String,
    severity: Severity,
    message: String,
    at: Place,
    labels: Vec<Labelled>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_fix: Option<String>,
}

#[derive(Serialize)]
struct Labelled {
    at: Place,
    text: String,
}

#[derive(Serialize)]
struct FixItem {
    title: String,
    safety: Safety,
    #[serde(skip_serializing_if = "String::is_empty")]
    because: String,
    steps: Vec<StepItem>,
}

#[derive(Serialize)]
struct StepItem {
    disruption: Disruption,
    #[serde(flatten)]
    action: ActionItem,
}

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
enum ActionItem {
    Edit { edits: Vec<EditItem> },
    SetDynamic { key: String, value: String },
    Sql { statement: String },
    Command { line: String },
    Reload,
    Restart,
    Wait { until: String },
    Human { text: String },
}

#[derive(Serialize)]
struct EditItem {
    at: Place,
    text: String,
    /// The text holds a secret and cannot be shown: the edit cannot be applied from here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
}

#[derive(Serialize)]
struct NotChecked {
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    what: String,
    why: crate::facts::gap::GapReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize)]
struct Fault {
    rule: String,
    message: String,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
    allowed: usize,
    baseline: usize,
    not_checked: usize,
    files: usize,
    rules: usize,
    exit: u8,
    reason: String,
}

/// The whole report, with a line end.
///
/// # Panics
/// Never: plain data has a JSON form.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let findings = page.outcome.findings.iter().map(|f| item(page, f)).collect();
    let document = Document { findings, rest: rest(page) };
    let mut text = serde_json::to_string_pretty(&document).expect("invariant: plain data has a JSON form");
    text.push('\n');
    text
}

/// All but the findings.
pub(super) fn rest(page: &Page<'_>) -> Rest {
    let outcome = page.outcome;
    let count = |s| outcome.findings.iter().filter(|f| f.severity == s).count();
    Rest {
        version: VERSION,
        tool: Tool::own(),
        not_checked: outcome
            .gaps
            .iter()
            .map(|(rule, g)| NotChecked {
                rule: rule.clone(),
                node: g.node.clone(),
                what: page.redactor.words(&[], &g.what),
                why: g.why,
                detail: g.detail.as_ref().map(|detail| page.redactor.words(&[], detail)),
            })
            .collect(),
        faults: outcome
            .broken
            .iter()
            .map(|b| Fault { rule: b.rule.clone(), message: page.redactor.words(&[], &b.message) })
            .collect(),
        changes: page.changes.map(|changes| Changes {
            since: page.redactor.words(&[], &changes.since),
            lines: changes.lines.iter().map(|line| page.redactor.words(&[], line)).collect(),
        }),
        members: members::shown(page),
        gate: gates(page),
        checked: outcome.checked.clone(),
        summary: Summary {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            allowed: outcome.allowed,
            baseline: outcome.known,
            not_checked: outcome.gaps.len(),
            files: page.files.len(),
            rules: outcome.rules,
            exit: page.verdict.code,
            reason: page.verdict.reason.clone(),
        },
    }
}

pub(super) fn item(page: &Page<'_>, finding: &Finding) -> Item {
    let about = finding.sources();
    let words = |t: &str| page.redactor.words(&about, t);
    Item {
        rule: finding.rule.to_string(),
        severity: finding.severity,
        message: words(&finding.message),
        at: place(page, finding.at),
        labels: finding.labels.iter().map(|l| Labelled { at: place(page, l.at), text: words(&l.text) }).collect(),
        notes: finding.notes.iter().map(|n| words(n)).collect(),
        fix: finding.fix.as_ref().ok().map(|f| fix_item(page, &about, f)),
        no_fix: finding.fix.as_ref().err().map(|r| words(r)),
    }
}

fn fix_item(page: &Page<'_>, about: &[SourceId], fix: &Fix) -> FixItem {
    FixItem {
        title: page.redactor.words(about, &fix.title),
        safety: fix.safety,
        because: page.redactor.words(about, &fix.because),
        steps: fix.steps.iter().map(|s| step_item(page, about, s)).collect(),
    }
}

fn step_item(page: &Page<'_>, about: &[SourceId], step: &Step) -> StepItem {
    let words = |t: &str| page.redactor.words(about, t);
    let action = match &step.action {
        Action::Edit(edits) => ActionItem::Edit {
            edits: edits
                .iter()
                .flat_map(|e| edits::apart(&page.sources.get(e.at.source), e))
                .map(|e| {
                    let masked = edits::hides(page, &e);
                    EditItem { at: place(page, e.at), text: if masked { MASK.to_owned() } else { e.text }, masked }
                })
                .collect(),
        },
        Action::SetDynamic { key, value } => ActionItem::SetDynamic { key: words(key), value: words(value) },
        Action::Sql(statement) => ActionItem::Sql { statement: words(statement) },
        Action::Command(line) => ActionItem::Command { line: words(line) },
        Action::Reload => ActionItem::Reload,
        Action::Restart => ActionItem::Restart,
        Action::Wait(until) => ActionItem::Wait { until: words(until) },
        Action::Human(text) => ActionItem::Human { text: words(text) },
    };
    StepItem { disruption: step.disruption, action }
}
