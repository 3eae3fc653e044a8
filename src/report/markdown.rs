//! A comment for a pull request: a table of what was found, and the details folded below it.
//!
//! GitHub takes comments of 65,536 characters, so the report ends before that with the number of what is left out.

use std::fmt::Write as _;

use super::{Page, full, last_line, place};
use crate::finding::Finding;
use crate::rules::schema::Severity;

/// Bytes that the report may have.
pub const LONGEST: usize = 60_000;
/// Bytes that the table may have, so that room is left for details.
const TABLE: usize = 20_000;

/// The whole report.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let mut out = format!("### {}\n\n{}\n", env!("CARGO_PKG_NAME"), text(&last_line(page)));
    let findings = page.worst_first();
    // What follows the findings is short, and must not be cut off.
    let mut end = String::new();
    for gap in page.not_checked() {
        let rules: Vec<String> = gap.rules.iter().map(|r| format!("`{r}`")).collect();
        let line = format!("- not checked, because {}: {}\n", text(&gap.cause), rules.join(", "));
        if end.len() + line.len() < TABLE / 4 {
            end.push_str(&line);
        } else {
            end.push_str("- more was not checked; the full report says what\n");
            break;
        }
    }
    for broken in &page.outcome.broken {
        let message = page.redactor.words(&[], &broken.message);
        let _ = writeln!(end, "- fault of this program in `{}`: {}", broken.rule, text(&message));
    }
    if !findings.is_empty() {
        out.push_str("\n| | place | rule | what |\n|---|---|---|---|\n");
        let rows = findings.iter().map(|f| row(page, f));
        fill(&mut out, TABLE, rows, |left| format!("\n{left} more findings are not in this table.\n"));
        out.push('\n');
        let limit = LONGEST - end.len() - 200;
        let details = findings.iter().map(|f| detail(page, f));
        fill(&mut out, limit, details, |left| format!("\nDetails of {left} more findings do not fit here.\n"));
    }
    if !end.is_empty() {
        out.push('\n');
        out.push_str(&end);
    }
    out
}

/// Adds parts while there is room, and then says how many are left.
pub(super) fn fill(
    out: &mut String,
    limit: usize,
    parts: impl ExactSizeIterator<Item = String>,
    more: impl Fn(usize) -> String,
) {
    let mut left = parts.len();
    for part in parts {
        if out.len() + part.len() > limit {
            out.push_str(&more(left));
            return;
        }
        out.push_str(&part);
        left -= 1;
    }
}

fn row(page: &Page<'_>, finding: &Finding) -> String {
    let source = page.sources.get(finding.at.source);
    let line = place::range(&source, finding.at).line;
    let place = code(&format!("{}:{line}", page.name(&source)));
    let rule = match page.rule(&finding.rule).and_then(|r| r.references.first()) {
        Some(url) => format!("[{}]({url})", finding.rule),
        None => finding.rule.to_string(),
    };
    let message = text(&page.message(finding));
    format!(
        "| {} {} | {} | {rule} | {} |\n",
        icon(finding.severity),
        finding.severity.word(),
        cell(&place),
        cell(&message)
    )
}

const fn icon(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Note => "ℹ️",
    }
}

/// A finding as the full report shows it, folded.
fn detail(page: &Page<'_>, finding: &Finding) -> String {
    let shown = full::plain(page, finding);
    let source = page.sources.get(finding.at.source);
    let line = place::range(&source, finding.at).line;
    let fence = "`".repeat(longest_run(&shown).max(2) + 1);
    format!(
        "<details><summary>{}: {}, {}:{line}</summary>\n\n{fence}text\n{}\n{fence}\n\n</details>\n",
        finding.severity.word(),
        finding.rule,
        html(&page.name(&source)),
        shown.trim_end()
    )
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A word as code, whatever backticks it holds.
fn code(word: &str) -> String {
    let fence = "`".repeat(longest_run(word) + 1);
    let pad = if word.starts_with('`') || word.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{word}{pad}{fence}")
}

/// A sentence of ours as Markdown. What stands between backticks stays code; nothing else in it means anything, names nobody
/// and is no HTML.
pub(super) fn text(words: &str) -> String {
    let paired = words.matches('`').count().is_multiple_of(2) && longest_run(words) < 2;
    let mut out = String::with_capacity(words.len());
    let mut in_code = false;
    for c in words.chars() {
        match c {
            '`' if paired => {
                in_code = !in_code;
                out.push(c);
            }
            _ if in_code => out.push(c),
            '@' | '#' | '<' | '>' | '&' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A part of a table: a bar ends a cell even within code.
pub(super) fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_nothing_outside_of_code() {
        assert_eq!(text("`a_b` is *not* <b> @me #1"), "`a_b` is \\*not\\* &#60;b&#62; &#64;me &#35;1");
        assert_eq!(text("an odd ` here"), "an odd \\` here");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(cell("`a|b`"), "`a\\|b`");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut out = String::new();
        fill(&mut out, 5, ["aa", "bb", "cc", "dd"].map(str::to_owned).into_iter(), |left| format!("+{left}"));
        assert_eq!(out, "aabb+2");
    }
}
