//! Workflow commands of GitHub Actions: notes at the lines of a pull request.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write as _;

use super::{Page, last_line, place};
use crate::finding::Finding;
use crate::rules::schema::Severity;

/// GitHub keeps 64 KiB of a message.
const LONGEST: usize = 64 * 1024;

/// The whole report. GitHub shows ten notes of each level a step, so the worst come first.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let mut out = String::new();
    for finding in page.worst_first() {
        out.push_str(&command(page, finding));
    }
    let title = property(&format!("{}: not checked", env!("CARGO_PKG_NAME")));
    for gap in page.not_checked() {
        let level = if gap.open { "warning" } else { "notice" };
        let _ = writeln!(out, "::{level} title={title}::{}", data(&format!("{}: {}", gap.cause, gap.rules.join(", "))));
    }
    let title = property(&format!("{}: fault of this program", env!("CARGO_PKG_NAME")));
    for broken in &page.outcome.broken {
        let message = page.redactor.words(&[], &broken.message);
        let _ = writeln!(out, "::error title={title}::{}", data(&format!("{}: {message}", broken.rule)));
    }
    let _ = writeln!(out, "{}", last_line(page));
    out
}

fn command(page: &Page<'_>, finding: &Finding) -> String {
    let at = place::place(page, finding.at);
    let range = at.range;
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut place = format!("file={},line={},endLine={}", property(&at.file), range.line, range.end_line);
    // Columns of a range over several lines are refused.
    if range.line == range.end_line {
        let _ = write!(place, ",col={},endColumn={}", range.column, range.end_column);
    }
    let title = property(&format!("{} ({})", env!("CARGO_PKG_NAME"), finding.rule));
    // The log shows the words alone, so they repeat the place.
    let mut words = format!("{}:{}:{}: {}", at.file, range.line, range.column, page.message(finding));
    if let Ok(fix) = &finding.fix {
        let _ = write!(words, "\nfix: {}", page.redactor.words(&finding.sources(), &fix.title));
    }
    format!("::{level} {place},title={title}::{}\n", data(&words))
}

/// What stands behind the colons.
fn data(text: &str) -> String {
    let escaped = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if escaped.len() <= LONGEST {
        return escaped;
    }
    let mut end = LONGEST;
    // Neither within a character nor within an escape.
    while !escaped.is_char_boundary(end) || escaped.as_bytes()[end - 2..end].contains(&b'%') {
        end -= 1;
    }
    escaped[..end].to_owned()
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("50 %\r\n::x"), "50 %25%0D%0A::x");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
        let long = data(&format!("{}%%%ü", "x".repeat(LONGEST - 4)));
        assert!(long.len() <= LONGEST && long.ends_with("x%25"), "{}", &long[long.len() - 8..]);
    }
}
