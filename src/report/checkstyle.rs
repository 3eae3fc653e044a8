//! The report of Checkstyle, which Jenkins, reviewdog and many others read.
//!
//! It has no place for what was not checked, so that stands in a comment; the exit code tells too.

use quick_xml::events::{BytesText, Event};

use super::{Page, last_line, place, xml};
use crate::rules::schema::Severity;

/// The version of the format that Checkstyle's own reports name today.
const VERSION: &str = "10.0";

/// The whole report, with a line end.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    xml::document(|out| {
        out.create_element("checkstyle")
            .with_attribute(("version", VERSION))
            .write_inner_content(|out| {
                for (name, findings) in page.by_file() {
                    let file = out.create_element("file").with_attribute(("name", &*xml::chars(&name)));
                    if findings.is_empty() {
                        file.write_empty()?;
                        continue;
                    }
                    file.write_inner_content(|out| findings.iter().try_for_each(|finding| error(page, out, finding)))?;
                }
                // Two hyphens would end a comment.
                let last = format!(" {} ", last_line(page).replace("--", "-"));
                out.write_event(Event::Comment(BytesText::from_escaped(last)))
            })
            .map(|_| ())
    })
}

fn error(page: &Page<'_>, out: &mut xml::Out, finding: &crate::finding::Finding) -> std::io::Result<()> {
    let range = place::place(page, finding.at).range;
    out.create_element("error")
        .with_attribute(("line", &*range.line.to_string()))
        .with_attribute(("column", &*range.column.to_string()))
        .with_attribute(("severity", level(finding.severity)))
        .with_attribute(("message", &*xml::chars(&page.message(finding))))
        .with_attribute(("source", &*format!("{}.{}", env!("CARGO_PKG_NAME"), finding.rule)))
        .write_empty()
        .map(|_| ())
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    }
}
