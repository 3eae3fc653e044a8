//! `file`: mode bits of a file on a host.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;
use crate::rules::schema::{FileOf, FileSpec};

/// Reports files of that kind with a forbidden bit. Files in a work tree of version control have no mode that counts.
///
/// # Errors
/// Never: a file without a mode is outside the question.
pub fn check(spec: &FileSpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let sources: Vec<_> = match spec.of {
        FileOf::Patroni => facts.files().iter().map(|f| (&f.source, f.mode)).collect(),
        FileOf::Environment => facts.environments().iter().map(|f| (&f.source, f.mode)).collect(),
    };
    for (source, mode) in sources {
        let Some(mode) = mode.filter(|m| m & spec.forbidden_mode != 0) else { continue };
        if spec.with_secrets && !facts.holds_secrets(source.id()) {
            continue;
        }
        report.add(
            report
                .problem(source.span(0, 0))
                .arg("file", facts.name_on_host(source))
                .arg("mode", format!("{mode:04o}")),
        );
    }
    Ok(())
}
