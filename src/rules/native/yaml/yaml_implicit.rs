//! Passwords and names that YAML 1.1 does not read as text.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::{Item, Layer, Type};
use crate::parse::yaml;
use crate::problem::Problem;
use crate::rules::report::Report;

pub(in crate::rules::native) fn bool(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(facts, report, |kind, _| kind == Type::Bool);
    Ok(())
}

pub(in crate::rules::native) fn sexagesimal(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(facts, report, |kind, text| matches!(kind, Type::Int | Type::Float) && text.contains(':'));
    Ok(())
}

pub(in crate::rules::native) fn number_or_date(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    find(facts, report, |kind, text| match kind {
        Type::Date => true,
        // A number that Python prints as it was written does no harm.
        Type::Int | Type::Float => !text.contains(':') && !is_canonical(text),
        _ => false,
    });
    Ok(())
}

/// Digits without a leading zero: Python prints them as they stand.
fn is_canonical(text: &str) -> bool {
    text == "0" || (text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.len() < 19)
}

fn find(facts: &Facts, report: &mut Report, wanted: impl Fn(Type, &str) -> bool) {
    for file in facts.files() {
        for credential in file.credentials_not_text().into_iter().filter(|c| c.item.layer == Layer::File) {
            let item = credential.item;
            let source = facts.sources.get(item.span.source);
            let text = source.text(item.span);
            if text.starts_with(['"', '\'']) || !wanted(item.kind(), &text) {
                continue;
            }
            let problem =
                report.problem(item.span).arg("key", credential.path.as_str()).arg("found", item.kind().name());
            report.add(quoted(facts, item, problem));
        }
    }
}

/// The problem with an edit that puts the written text in quotes.
pub(super) fn quoted(facts: &Facts, item: &Item, problem: Problem) -> Problem {
    let text = facts.sources.get(item.span.source).text(item.span).into_owned();
    if text.is_empty() || item.layer != Layer::File { problem } else { problem.edit(item.span, yaml::quote(&text)) }
}
