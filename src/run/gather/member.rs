//! One member: its server, then its host, then the files that both name.

use std::sync::Arc;

use super::follow::{Kinds, Reader};
use super::manifest::Touched;
use super::plan::Plan;
use super::questions::add_server;
use super::{limits, passwords, reach, scripts, upgrade};
use crate::bundle::host::{self as bundled, Entry, Host, Unit};
use crate::bundle::sql::Session;
use crate::bundle::{Answer, Node};
use crate::collect::host;
use crate::collect::host::files::Wanted;
use crate::collect::kind::Kind;
use crate::collect::sql::Line;
use crate::facts::{Options, is_postgresql_unit};
use crate::knowledge::queries::Question;

/// What a member has answered, and what was touched for it.
pub(super) struct Asked {
    pub(super) node: Node,
    pub(super) touched: Touched,
}

/// Asks a member.
pub(super) async fn ask(mut plan: Plan, questions: &Arc<[Question]>, options: Options) -> Asked {
    let mut touched = Touched { own: plan.texts.keys().cloned().collect(), ..Touched::default() };
    let mut node = Node { files: std::mem::take(&mut plan.texts), ..Node::default() };
    let mut line = None;
    node.sql = match &plan.target {
        Some(Ok(target)) => Some(line.insert(Line::to(target.clone(), limits().0)).ask(Arc::clone(questions)).await),
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
    if let Some((meant, ready)) = plan.upgrade.take() {
        if let Some(line) = &mut line {
            // One session at a time, and these are in other databases.
            line.pause().await;
        }
        let target = plan.target.as_ref().and_then(|target| target.as_ref().ok());
        node.upgrade = Some(upgrade::ask(&meant, ready, &node, (&plan, options), target, &mut touched).await);
    }
    if let Some(way) = &plan.way {
        scripts::read(&mut node, way, &plan.scripts, &mut touched).await;
    }
    let way = plan.way.as_ref().filter(|_| node.host.as_ref().is_some_and(|host| host.got().is_some()));
    let line_of_server = line.as_mut().filter(|_| session.is_some());
    let mut reader = Reader { name: &plan.name, options, way, line: line_of_server, touched: &mut touched };
    let (wanted, kinds) = first(&node, session.as_ref(), &plan);
    let credentials = reader.follow(&mut node, wanted, &kinds).await;
    if let Some(line) = line.as_mut().filter(|_| session.is_some()) {
        node.passwords = passwords::compare(&credentials, line).await;
    }
    if let Some(line) = line {
        touched.statements.extend(line.end().await);
    }
    Asked { node, touched }
}

/// The files that are known to be wanted from the beginning, and what some of them are.
fn first(node: &Node, session: Option<&Session>, plan: &Plan) -> (Wanted, Kinds) {
    let mut wanted = Wanted::default();
    let mut kinds = Kinds::new();
    let mut add = |path: String, kind: Option<&'static str>| {
        if let Some(kind) = kind {
            kinds.insert(path.clone(), kind);
        }
        wanted.files.insert(path);
    };
    let of_server = |setting: &str| match setting {
        "config_file" => Some(Kind::Conf.word()),
        "hba_file" => Some(Kind::Hba.word()),
        "ident_file" => Some(Kind::Ident.word()),
        _ => None,
    };
    let mut is_known = false;
    for (name, value) in session.into_iter().flat_map(Session::settings).filter(|(_, value)| value.starts_with('/')) {
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
            add(below(dir, "postgresql.conf"), Some(Kind::Conf.word()));
            add(below(dir, "pg_hba.conf"), Some(Kind::Hba.word()));
            add(below(dir, "pg_ident.conf"), Some(Kind::Ident.word()));
        }
        for dir in &plan.questions.data_dirs {
            add(below(dir, "postgresql.auto.conf"), None);
        }
    }
    plan.access_files.iter().for_each(|(path, kind)| add(path.clone(), Some(kind.word())));
    // What an earlier take-over, or an attempt at one, has left.
    let is_file =
        |entry: &Answer<Option<Entry>>| matches!(entry, Answer::Got(Some(e)) if e.kind == bundled::Kind::File);
    let there = host.into_iter().flat_map(|host| &host.paths).filter(|(_, entry)| is_file(entry));
    there.filter(|(path, _)| path.ends_with(".base.conf")).for_each(|(path, _)| add(path.clone(), None));
    for unit in units(host) {
        unit.texts().for_each(|path| add(path.to_owned(), Some(Kind::Unit.word())));
        unit.environments().for_each(|path| add(path.to_owned(), Some(Kind::Environment.word())));
    }
    (wanted, kinds)
}

/// The units of a host that start Patroni or PostgreSQL.
fn units(host: Option<&Host>) -> impl Iterator<Item = &Unit> {
    let all = host.and_then(|host| host.units.got()).into_iter().flatten();
    let of_them = |(name, unit): (&'_ String, &'_ Answer<Unit>)| {
        unit.got().is_some_and(Unit::starts_patroni) || is_postgresql_unit(name)
    };
    all.filter(move |(name, unit)| of_them((name, unit))).filter_map(|(_, unit)| unit.got())
}

fn below(dir: &str, name: &str) -> String {
    format!("{}/{name}", dir.trim_end_matches('/'))
}
