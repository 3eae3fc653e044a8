//! Files that stand in a manifest of Kubernetes, and the containers that it starts.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::disk::LIMIT;
use super::kind::{By, Guess, Kind, format, guess};
use super::search::{Found, Missed, Seen};
use crate::parse::manifest::{self, Entry};
use crate::parse::pod;
use crate::parse::template::{self, Format};
use crate::source::template::Template;
use crate::source::{Origin, Source, SourceMap};

/// What of a manifest is ours. Each part is a source of its own, whose places are those of the manifest.
pub(super) fn parts(sources: &SourceMap, outer: &Source, named: bool) -> Vec<Seen> {
    let Some(file) = outer.file() else { return Vec::new() };
    let mut parts = Parts { sources, outer, file, named, size: 0, found: Vec::new() };
    parts.files();
    parts.pods();
    parts.found
}

struct Parts<'a> {
    sources: &'a SourceMap,
    outer: &'a Source,
    file: &'a Path,
    named: bool,
    /// Of the texts taken so far, in bytes.
    size: u64,
    found: Vec<Seen>,
}

impl Parts<'_> {
    /// The configuration files of it. One that is ours by its name and is not written in lines of its own is not read.
    fn files(&mut self) {
        let entries = manifest::entries(self.outer.plain(), self.outer.template());
        let documents: BTreeSet<usize> = entries.iter().map(|e| e.document).collect();
        let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
        for Entry { name, document, text } in entries {
            let Some(guess) = guess(Path::new(&name)) else { continue };
            // What boots a host has no place in a pod.
            if matches!(guess.kind(), Kind::Unit | Kind::Preset | Kind::StartConf) {
                continue;
            }
            let Some(range) = text else {
                if matches!(guess, Guess::Sure(_)) {
                    self.unread(&name, "not written as a block of lines, `|`");
                }
                continue;
            };
            let Some((kind, by)) = guess.confirm(&self.outer.bytes()[range.clone()]) else { continue };
            let template = self.template(&range, format(kind));
            if template.text[range.clone()].trim_ascii().is_empty() {
                continue;
            }
            let mut dir = self.file.to_path_buf();
            if documents.len() > 1 {
                dir.push(document.to_string());
            }
            // Alternatives of a template may have one name.
            while !taken.insert(dir.join(&name)) {
                dir.push("else");
            }
            self.add(dir.join(&name), range, template, (kind, by));
        }
    }

    /// The documents that start containers with variables of Patroni.
    fn pods(&mut self) {
        for (number, range) in manifest::documents(self.outer.plain()).into_iter().enumerate() {
            if pod::may_hold_pods(&self.outer.bytes()[range.clone()]) {
                let template = self.template(&range, Format::Yaml);
                self.add(self.file.join(format!("pod {number}")), range, template, (Kind::Pod, By::Text));
            }
        }
    }

    /// What a template fills in of a part.
    fn template(&self, range: &Range<usize>, format: Format) -> Template {
        let (_, engine) = template::declared(self.file);
        let bytes = self.outer.bytes();
        let plain = || Template { text: bytes.to_vec(), ..Template::default() };
        template::scan(bytes, engine, format).unwrap_or_else(plain).within(range)
    }

    fn add(&mut self, path: PathBuf, range: Range<usize>, template: Template, (kind, by): (Kind, By)) {
        self.size += self.outer.bytes().len() as u64;
        if self.size > LIMIT {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return self.unread(&name, "too large with so many files");
        }
        let origin = Origin::Part { file: self.file.to_path_buf(), path, range };
        let bytes = self.outer.bytes().to_vec();
        let source = self.sources.add_template(origin, self.outer.name(), bytes, Some(template));
        self.found.push(Ok(Found { source, kind, by, mode: None, named: self.named }));
    }

    fn unread(&mut self, name: &str, why: &str) {
        self.found.push(Err(Missed::Unread(format!("`{name}` in {} ({why})", self.outer.name()))));
    }
}
