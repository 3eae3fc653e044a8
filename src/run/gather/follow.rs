//! Reads files of a member, and the files that those name.

use std::collections::BTreeMap;

use super::limits;
use super::manifest::Touched;
use super::passwords::{self, Credential};
use crate::bundle::{Answer, Bundle, Node};
use crate::collect::host;
use crate::collect::host::Way;
use crate::collect::host::files::{Texts, Wanted};
use crate::collect::recorded::{Recorded, root};
use crate::collect::sql::{Line, files};
use crate::facts::{self, Options, nodes};
use crate::run::check::layout;
use crate::source::SourceMap;

/// How often files may name further files.
const ROUNDS: usize = 8;

/// The most files that are read of a member.
const MOST: usize = 1000;

/// What files are known to be, in the words of [`crate::bundle::FileText::kind`], by path.
pub(super) type Kinds = BTreeMap<String, &'static str>;

/// Reads files from the host, or through the server where that may.
pub(super) struct Reader<'a> {
    /// The member.
    pub(super) name: &'a str,
    /// Versions, where nothing else tells them.
    pub(super) options: Options,
    /// The way to its host, if there is one.
    pub(super) way: Option<&'a Way>,
    /// The line to its server, if that may be asked.
    pub(super) line: Option<&'a mut Line>,
    /// What was touched.
    pub(super) touched: &'a mut Touched,
}

impl Reader<'_> {
    /// Reads what is wanted, and then, again and again, what the files that were had name. What they say in the end of Patroni's roles.
    pub(super) async fn follow(&mut self, node: &mut Node, wanted: Wanted, kinds: &Kinds) -> Vec<Credential> {
        self.read(node, wanted).await;
        for (path, kind) in kinds {
            if let Some(Answer::Got(Some(file))) = node.files.get_mut(path) {
                file.kind = Some((*kind).to_owned());
            }
        }
        let mut rounds = 0;
        loop {
            let (wanted, credentials) = look(self.name, node, self.options);
            rounds += 1;
            let is_over = wanted.is_empty() || node.files.len() > MOST || rounds > ROUNDS;
            if is_over || !self.read(node, wanted).await {
                return credentials;
            }
        }
    }

    /// Whether there was a way to ask.
    async fn read(&mut self, node: &mut Node, mut wanted: Wanted) -> bool {
        wanted.files.retain(|path| !node.files.contains_key(path));
        if wanted.is_empty() {
            return true;
        }
        let mut asked = false;
        if let Some(way) = self.way {
            let (texts, manifest) = host::files::read(way, &wanted, limits().1).await;
            self.touched.add_host(manifest);
            keep(node, &mut wanted, texts);
            asked = true;
        }
        if let Some(line) = self.line.as_mut().filter(|_| !wanted.is_empty()) {
            let session = line.ask(files::questions(&wanted).into()).await;
            let texts = files::texts(&wanted, &|question| match &session {
                Answer::Got(session) => session.answers.get(question).cloned().unwrap_or_default(),
                Answer::Missing(miss) => Answer::Missing(miss.clone()),
            });
            keep(node, &mut wanted, texts);
            asked = true;
        }
        asked
    }
}

/// The files that those we have name and that we do not have, and Patroni's roles.
fn look(name: &str, node: &mut Node, options: Options) -> (Wanted, Vec<Credential>) {
    let mut bundle = Bundle::of_nodes([(name.to_owned(), std::mem::take(node))].into());
    let (sources, recorded) = (SourceMap::default(), Recorded::new(&bundle));
    let gathered = recorded.gather(&sources);
    let facts = facts::build(sources, gathered, nodes::Collected::default(), &recorded, &layout(&bundle, options));
    let missed = recorded.missed();
    *node = bundle.nodes.remove(name).expect("invariant: it was put there");
    let root = root(name);
    let absolute = |path: &std::path::PathBuf| Some(format!("/{}", path.strip_prefix(&root).ok()?.display()));
    let whole = facts.patroni.iter().find(|file| file.is_whole());
    let credentials = whole.map(|file| passwords::of_configuration(&file.config)).unwrap_or_default();
    let wanted = Wanted {
        files: missed.files.iter().filter_map(absolute).filter(|p| !node.files.contains_key(p)).collect(),
        directories: missed
            .directories
            .iter()
            .filter_map(absolute)
            .filter(|p| !node.directories.contains_key(p))
            .collect(),
    };
    (wanted, credentials)
}

/// Keeps what was had, and of the rest the first reason why not; what was not had stays wanted.
fn keep(node: &mut Node, wanted: &mut Wanted, texts: Texts) {
    for (path, text) in texts.files {
        if text.got().is_some() {
            wanted.files.remove(&path);
            node.files.insert(path, text);
        } else {
            node.files.entry(path).or_insert(text);
        }
    }
    for (path, names) in texts.directories {
        if names.got().is_some() {
            wanted.directories.remove(&path);
            node.directories.insert(path, names);
        } else {
            node.directories.entry(path).or_insert(names);
        }
    }
}
