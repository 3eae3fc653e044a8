//! The scripts that commands of Patroni run on a member's host, as far as they are small texts.

use std::collections::BTreeSet;

use super::limits;
use super::manifest::Touched;
use super::questions::Script;
use crate::bundle::host::{Host, Kind};
use crate::bundle::{Answer, FileText, Node};
use crate::collect::host::Way;
use crate::collect::host::files::{self, Wanted};
use crate::collect::kind::SCRIPT;

/// The longest script that is read, in bytes.
const LONGEST: u64 = 1 << 16;

/// Reads scripts. What is not there, is longer, or is a program of the machine is left out; so is what a command is only handed, unless
/// it says itself that it is a script: it may be anything.
pub(super) async fn read(node: &mut Node, way: &Way, scripts: &BTreeSet<Script>, touched: &mut Touched) {
    let Some(Answer::Got(host)) = &node.host else { return };
    let paths = scripts.iter().map(|script| &script.path).filter(|path| is_small(host, path));
    let wanted =
        Wanted { files: paths.filter(|p| !node.files.contains_key(*p)).cloned().collect(), ..Wanted::default() };
    if wanted.is_empty() {
        return;
    }
    let (texts, manifest) = files::read(way, &wanted, limits().1).await;
    touched.add_host(manifest);
    for (path, text) in texts.files {
        let Answer::Got(Some(mut file)) = text else { continue };
        let is_program = scripts.contains(&Script { path: path.clone(), is_program: true });
        if is_script(&file, is_program) {
            file.kind = Some(SCRIPT.to_owned());
            node.files.insert(path, Answer::Got(Some(file)));
        }
    }
}

fn is_small(host: &Host, path: &str) -> bool {
    let entry = host.paths.get(path).and_then(Answer::got).and_then(Option::as_ref);
    entry.is_some_and(|entry| entry.kind == Kind::File && entry.size <= LONGEST)
}

fn is_script(file: &FileText, is_program: bool) -> bool {
    file.text.starts_with("#!") || (is_program && !file.text.starts_with('\u{7f}') && !file.text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_kept_only_when_they_are_scripts() {
        let is = |text: &str, is_program| {
            let file = FileText { text: text.to_owned(), kind: None, given: None, mode: None };
            is_script(&file, is_program)
        };
        assert!(is("#!/bin/sh\n", false) && is("true\n", true));
        assert!(!is("true\n", false) && !is("\u{7f}ELF", true) && !is("a\0b", true));
    }
}
