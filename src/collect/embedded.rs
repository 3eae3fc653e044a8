//! Files that stand in a manifest of Kubernetes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::{Found, Guess, Kind, LIMIT, Missed, Seen, format, guess};
use crate::parse::manifest::{self, Entry};
use crate::parse::template;
use crate::source::template::Template;
use crate::source::{Origin, Source, SourceMap};

/// The configuration files in a manifest. Each is a source of its own, whose places are those of the manifest.
/// One that is
/// ours by its name and is not written in lines of its own is not read.
pub(super) fn parts(sources: &SourceMap, outer: &Source, named: bool) -> Vec<Seen> {
    let entries = manifest::entries(outer.plain(), outer.template());
    let Some(file) = outer.file().filter(|_| !entries.is_empty()) else { return Vec::new() };
    let documents: BTreeSet<usize> = entries.iter().map(|e| e.document).collect();
    let mut found = Vec::new();
    let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
    for Entry { name, document, text } in entries {
        let Some(guess) = guess(Path::new(&name)) else { continue };
        // What boots a host has no place in a pod.
        if matches!(guess.kind(), Kind::Unit | Kind::Preset | Kind::StartConf) {
            continue;
        }
        let unread = |why: &str| Err(Missed::Unread(format!("`{name}` in {} ({why})", outer.name())));
        let Some(range) = text else {
            if matches!(guess, Guess::Sure(_)) {
                found.push(unread("not written as a block of lines, `|`"));
            }
            continue;
        };
        let Some((kind, by)) = guess.confirm(&outer.bytes()[range.clone()]) else { continue };
        if (found.len() as u64 + 1) * outer.bytes().len() as u64 > LIMIT {
            found.push(unread("too large with so many files"));
            continue;
        }
        let (_, engine) = template::declared(file);
        let plain = || Template { text: outer.bytes().to_vec(), ..Template::default() };
        let whole = template::scan(outer.bytes(), engine, format(kind)).unwrap_or_else(plain);
        let template = whole.within(&range);
        if template.text[range.clone()].trim_ascii().is_empty() {
            continue;
        }
        let mut dir = file.to_path_buf();
        if documents.len() > 1 {
            dir.push(document.to_string());
        }
        // Alternatives of a template may have one name.
        while !taken.insert(dir.join(&name)) {
            dir.push("else");
        }
        let origin = Origin::Part { file: file.to_path_buf(), path: dir.join(&name), range };
        let source = sources.add_template(origin, outer.name(), outer.bytes().to_vec(), Some(template));
        found.push(Ok(Found { source, kind, by, mode: None, named }));
    }
    found
}
