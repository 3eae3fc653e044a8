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
        // What Python prints as it was written does no harm.
        Type::Date => !is_printed_alike(text),
        Type::Int => !text.contains(':') && !is_canonical(text),
        Type::Float => !text.contains(':') && !is_canonical_fraction(text),
        _ => false,
    });
    Ok(())
}

/// Digits without a leading zero: Python prints them as they stand.
fn is_canonical(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text == "0" || (digits && !text.starts_with('0') && text.len() < 19)
}

/// A number with a fraction of which Python prints all digits, and no exponent.
fn is_canonical_fraction(text: &str) -> bool {
    text.len() < 16
        && text.split_once('.').is_some_and(|(whole, part)| {
            is_canonical(whole)
                && part.bytes().all(|b| b.is_ascii_digit())
                && (part == "0" || !part.is_empty() && !part.ends_with('0'))
                && !(whole == "0" && part.starts_with("0000"))
        })
}

/// A date, or a date and a time with a blank between them and no zone.
fn is_printed_alike(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = text.chars().map(shape).collect();
    match shape.as_str() {
        "0000-00-00" | "0000-00-00 00:00:00" => true,
        "0000-00-00 00:00:00.000000" => !text.ends_with(".000000"),
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::{is_canonical, is_canonical_fraction, is_printed_alike};

    #[test]
    fn what_python_prints_as_it_is_written() {
        for same in ["0", "7", "12345"] {
            assert!(is_canonical(same), "{same}");
        }
        for same in ["1.5", "0.0001", "10.0", "0.25"] {
            assert!(is_canonical_fraction(same), "{same}");
        }
        for other in ["1.50", "01.5", "0.00001", "1.", ".5", "1e3", "1_0.5", "+1.5", "1234567890123456.5"] {
            assert!(!is_canonical_fraction(other), "{other}");
        }
        for same in ["2024-01-31", "2024-01-31 10:00:00", "2024-01-31 10:00:00.500000"] {
            assert!(is_printed_alike(same), "{same}");
        }
        for other in ["2024-01-31T10:00:00", "2024-01-31 10:00:00Z", "2024-1-31 1:00:00", "2024-01-31 10:00:00.000000"]
        {
            assert!(!is_printed_alike(other), "{other}");
        }
    }
}
