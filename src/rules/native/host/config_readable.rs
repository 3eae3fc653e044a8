//! Files with passwords that everybody on the host can read.

use crate::bundle::host::Entry;
use crate::facts::gap::Gap;
use crate::facts::{Facts, host_path};
use crate::rules::report::Report;
use crate::source::{Source, Span};

/// May be read by everybody.
const EVERYBODY: u32 = 0o004;

/// `config-world-readable`: as the host has the file, where one of that path is there and was looked at; else as it was given.
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let on_host = on_host(facts, &file.source);
        let mode = on_host.map(|(entry, _)| entry.mode).or(file.mode).filter(|mode| mode & EVERYBODY != 0);
        let Some(mode) = mode.filter(|_| facts.holds_secrets(file.source.id())) else { continue };
        let mut problem = report
            .problem(file.source.span(0, 0))
            .arg("file", file.source.name())
            .arg("mode", format!("{:04o}", mode & 0o7777));
        if let Some((_, at)) = on_host {
            problem = problem.label(at, "as the host has it");
        }
        report.add(problem);
    }
    Ok(())
}

/// The file on the host of its member.
fn on_host<'a>(facts: &'a Facts, source: &Source) -> Option<(&'a Entry, Span)> {
    let node = facts.node_at(source.id())?;
    let root = node.root.as_ref()?;
    let path = format!("/{}", source.path()?.strip_prefix(root).ok()?.display());
    let path = host_path::normal(&path);
    let host = node.host().ok()?;
    let entry = host.value().paths.get(&path)?.got()?.as_ref()?;
    Some((entry, host.at(&["paths", &path])))
}
