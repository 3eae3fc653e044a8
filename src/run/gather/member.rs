//! One member: its server, then its host, then the files that both name.

use std::collections::BTreeMap;

use super::limits;
use super::manifest::Touched;
use super::plan::Plan;
use super::questions::{add_server, settings};
use super::reach;
use crate::bundle::sql::Session;
use crate::bundle::{Answer, Bundle, Node};
use crate::collect::host;
use crate::collect::host::files::{Texts, Wanted};
use crate::collect::recorded::{Recorded, root};
use crate::collect::sql::{self, Target, files};
use crate::facts::{self, Options, nodes};
use crate::gap::GapReason;
use crate::knowledge::queries::Question;
use crate::run::check::layout;
use crate::source::SourceMap;

/// How often files may name further files.
const ROUNDS: usize = 8;

/// The most files that are read of a member.
const MOST: usize = 1000;

/// What a member has answered, and what was touched for it.
pub(super) struct Asked {
    pub(super) node: Node,
    pub(super) touched: Touched,
}

/// Asks a member.
pub(super) async fn ask(mut plan: Plan, questions: &[Question], options: Options) -> Asked {
    let mut touched = Touched { own: plan.texts.keys().cloned().collect(), ..Touched::default() };
    let mut node = Node { files: std::mem::take(&mut plan.texts), ..Node::default() };
    node.sql = match &plan.target {
        Some(Ok(target)) => Some(server(&plan.name, target, questions.to_vec(), &mut touched).await),
        Some(Err(miss)) => Some(Answer::Missing(miss.clone())),
        None => None,
    };
    let session = node.sql.as_ref().and_then(Answer::got).cloned();
    if let Some(way) = &plan.way {
        if let Some(session) = &session {
            add_server(&mut plan.questions, session);
            reach::add_told(&mut plan.questions.reach, plan.ports, session);
        }
        let looked = host::look(way, &plan.questions, limits().1).await;
        touched.add_host(looked.manifest);
        node.host = Some(looked.host);
    }
    let mut reader = Reader { plan: &plan, is_served: session.is_some(), touched: &mut touched };
    let (wanted, kinds) = first(&node, session.as_ref(), &plan);
    reader.read(&mut node, wanted).await;
    for (path, kind) in kinds {
        if let Some(Answer::Got(Some(file))) = node.files.get_mut(&path) {
            file.kind = Some(kind.to_owned());
        }
    }
    for _ in 0..ROUNDS {
        let wanted = missed(&plan.name, &node, options);
        if wanted.is_empty() || node.files.len() > MOST || !reader.read(&mut node, wanted).await {
            break;
        }
    }
    Asked { node, touched }
}

async fn server(name: &str, target: &Target, questions: Vec<Question>, touched: &mut Touched) -> Answer<Session> {
    let target = vec![(name.to_owned(), target.clone())];
    let mut collected = sql::collect(target, questions, limits().0).await;
    touched.statements.extend(collected.sent.remove(name).unwrap_or_default());
    let lost = || Answer::missing(GapReason::Unreadable, "the program failed while it asked; please report this");
    collected.sessions.remove(name).unwrap_or_else(lost)
}

/// The files that are known to be wanted from the beginning, and what some of them are.
fn first(node: &Node, session: Option<&Session>, plan: &Plan) -> (Wanted, BTreeMap<String, &'static str>) {
    let mut wanted = Wanted::default();
    let mut kinds = BTreeMap::new();
    let mut add = |path: String, kind: Option<&'static str>| {
        if let Some(kind) = kind {
            kinds.insert(path.clone(), kind);
        }
        wanted.files.insert(path);
    };
    let of_server = |setting: &str| match setting {
        "config_file" => Some("postgresql.conf"),
        "hba_file" => Some("pg_hba.conf"),
        "ident_file" => Some("pg_ident.conf"),
        _ => None,
    };
    let mut is_known = false;
    for (name, value) in session.into_iter().flat_map(settings).filter(|(_, value)| value.starts_with('/')) {
        if let Some(kind) = of_server(name) {
            is_known = true;
            add(value.to_owned(), Some(kind));
        } else if name == "data_directory" {
            add(below(value, "postgresql.auto.conf"), None);
        }
    }
    let host = node.host.as_ref().and_then(Answer::got);
    if !is_known && host.is_some() {
        // The server does not say where its files are: they are where Patroni expects them.
        let config_dirs = plan.questions.config_dirs.iter().chain(&plan.questions.data_dirs).take(1);
        for dir in config_dirs {
            add(below(dir, "postgresql.conf"), Some("postgresql.conf"));
            add(below(dir, "pg_hba.conf"), Some("pg_hba.conf"));
            add(below(dir, "pg_ident.conf"), Some("pg_ident.conf"));
        }
        for dir in &plan.questions.data_dirs {
            add(below(dir, "postgresql.auto.conf"), None);
        }
    }
    (wanted, kinds)
}

fn below(dir: &str, name: &str) -> String {
    format!("{}/{name}", dir.trim_end_matches('/'))
}

/// The files that those we have name and that we do not have.
fn missed(name: &str, node: &Node, options: Options) -> Wanted {
    let nodes = [(name.to_owned(), node.clone())].into();
    let bundle = Bundle::of_nodes(nodes);
    let (sources, recorded) = (SourceMap::default(), Recorded::new(&bundle));
    let gathered = recorded.gather(&sources);
    let _facts = facts::build(sources, gathered, nodes::Collected::default(), &recorded, &layout(&bundle, options));
    let missed = recorded.missed();
    let root = root(name);
    let absolute = |path: &std::path::PathBuf| Some(format!("/{}", path.strip_prefix(&root).ok()?.display()));
    Wanted {
        files: missed.files.iter().filter_map(absolute).filter(|p| !node.files.contains_key(p)).collect(),
        directories: missed
            .directories
            .iter()
            .filter_map(absolute)
            .filter(|p| !node.directories.contains_key(p))
            .collect(),
    }
}

/// Reads files from the host, or through the server where that may.
struct Reader<'a> {
    plan: &'a Plan,
    is_served: bool,
    touched: &'a mut Touched,
}

impl Reader<'_> {
    /// Whether there was a way to ask.
    async fn read(&mut self, node: &mut Node, mut wanted: Wanted) -> bool {
        wanted.files.retain(|path| !node.files.contains_key(path));
        if wanted.is_empty() {
            return true;
        }
        let mut asked = false;
        if let Some(way) = self.plan.way.as_ref().filter(|_| node.host.as_ref().is_some_and(|h| h.got().is_some())) {
            let (texts, manifest) = host::files::read(way, &wanted, limits().1).await;
            self.touched.add_host(manifest);
            keep(node, &mut wanted, texts);
            asked = true;
        }
        let target = self.plan.target.as_ref().and_then(|t| t.as_ref().ok());
        if let Some(target) = target.filter(|_| self.is_served && !wanted.is_empty()) {
            let session = server(&self.plan.name, target, files::questions(&wanted), self.touched).await;
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
