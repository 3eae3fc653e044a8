//! What is asked besides when a major upgrade is meant: where the new major is, what lies there, and what each database holds.

use std::collections::BTreeMap;

use super::follow::{Kinds, Reader};
use super::limits;
use super::manifest::Touched;
use super::plan::Plan;
use crate::bundle::sql::Session;
use crate::bundle::upgrade::{Ready, Upgrade};
use crate::bundle::{Answer, FileText, Node};
use crate::collect::host::files::Wanted;
use crate::collect::host::upgrade::{Places, kept, look};
use crate::collect::kind::Kind;
use crate::collect::sql::{Line, Target};
use crate::facts::Options;
use crate::gap::GapReason;
use crate::knowledge::guc::MAJORS;
use crate::knowledge::queries;
use crate::parse::patroni::Patroni;

/// Where the new major is on a member, as far as options and its configuration tell.
pub(super) fn places(meant: &Upgrade, config: Option<&Patroni>) -> Ready {
    let moved = |dir: Option<&str>| dir.and_then(|dir| moved(dir, meant.to));
    let unknown = |what: &str, option: &str| {
        Answer::missing(GapReason::NotGiven, format!("the layout does not tell {what}: give {option} DIR"))
    };
    let data = config.and_then(Patroni::data_dir).map(|dir| dir.value);
    let own_config = config.and_then(Patroni::config_dir).map(|dir| dir.value).filter(|dir| Some(*dir) != data);
    let of_old = config.and_then(Patroni::bin_dir).map(|dir| dir.value);
    let debian = || of_old.is_none().then(|| format!("/usr/lib/postgresql/{}/bin", meant.to));
    let bin_dir = meant.bin_dir.clone().or_else(|| moved(of_old)).or_else(debian);
    let data_dir = meant.data_dir.clone().or_else(|| moved(data));
    let config_dir = match own_config {
        Some(dir) => moved(Some(dir)).map_or_else(
            || Answer::missing(GapReason::NotGiven, format!("the layout does not tell it: `config_dir` is {dir}")),
            Answer::Got,
        ),
        None => data_dir.clone().map_or_else(|| unknown("its place", "--new-datadir"), Answer::Got),
    };
    Ready {
        bin_dir: bin_dir.map_or_else(|| unknown("where its programs are", "--new-bindir"), Answer::Got),
        data_dir: data_dir.map_or_else(|| unknown("where its data will be", "--new-datadir"), Answer::Got),
        config_dir,
        ..Ready::default()
    }
}

/// A path with the major in it replaced, where one part of it is one: `15` or `pgsql-15`.
fn moved(path: &str, to: u16) -> Option<String> {
    let number =
        |part: &str| part.strip_prefix("pgsql-").unwrap_or(part).parse::<u16>().ok().filter(|n| (9..100).contains(n));
    let mut majors = path.split('/').filter(|part| number(part).is_some());
    let (only, None) = (majors.next()?, majors.next()) else { return None };
    let new = if only.starts_with("pgsql-") { format!("pgsql-{to}") } else { to.to_string() };
    Some(path.split('/').map(|part| if part == only { new.as_str() } else { part }).collect::<Vec<_>>().join("/"))
}

/// Asks a member.
pub(super) async fn ask(
    meant: &Upgrade,
    mut ready: Ready,
    node: &Node,
    (plan, options): (&Plan, Options),
    target: Option<&Target>,
    touched: &mut Touched,
) -> Ready {
    in_place(meant, &mut ready, node);
    if let Some(way) = &plan.way {
        let got = |place: &Answer<String>| place.got().cloned();
        let places =
            Places { bin_dir: got(&ready.bin_dir), data_dir: got(&ready.data_dir), older: older(meant, &ready, node) };
        let (mut server, manifest) = look(way, &places, limits().1).await;
        touched.add_host(manifest);
        if let Answer::Got(server) = &mut server {
            let reader = Reader { name: &plan.name, options, way: Some(way), line: None, touched };
            server.files = configuration(&ready, reader).await;
        }
        ready.server = Some(server);
    }
    if let (Some(target), Some(session)) = (target, node.sql.as_ref().and_then(Answer::got)) {
        for database in databases(session) {
            let answer = of_database(target, &database, touched).await;
            ready.databases.insert(database, answer);
        }
    }
    ready
}

/// The configuration files of the new cluster with those that they include. A directory that could not be listed stands among them.
async fn configuration(ready: &Ready, mut reader: Reader<'_>) -> BTreeMap<String, Answer<Option<String>>> {
    let below = |dir: &String, name: &str| format!("{}/{name}", dir.trim_end_matches('/'));
    let (mut wanted, mut kinds) = (Wanted::default(), Kinds::new());
    if let Some(dir) = ready.config_dir.got() {
        for (name, kind) in [("postgresql.conf", Kind::Conf), ("pg_hba.conf", Kind::Hba)] {
            kinds.insert(below(dir, name), kind.word());
        }
    }
    wanted.files.extend(kinds.keys().cloned());
    wanted.files.extend(ready.data_dir.got().map(|dir| below(dir, "postgresql.auto.conf")));
    let mut node = Node::default();
    reader.follow(&mut node, wanted, &kinds).await;
    let text = |answer: Answer<Option<FileText>>| match answer {
        Answer::Got(file) => Answer::Got(file.map(|file| kept(&file.text))),
        Answer::Missing(miss) => Answer::Missing(miss),
    };
    let unlisted = node.directories.into_iter().filter_map(|(dir, names)| match names {
        Answer::Got(_) => None,
        Answer::Missing(miss) => Some((dir, Answer::Missing(miss))),
    });
    node.files.into_iter().map(|(path, file)| (path, text(file))).chain(unlisted).collect()
}

/// The data directory keeps its name where the layout has no major in it: once it holds the new major, that is the one.
fn in_place(meant: &Upgrade, ready: &mut Ready, node: &Node) {
    if ready.data_dir.got().is_some() {
        return;
    }
    let data = node.host.as_ref().and_then(Answer::got).map(|host| &host.data);
    let new = meant.to.to_string();
    let is_new = |version: &Answer<Option<String>>| version.got().and_then(Option::as_ref) == Some(&new);
    let mut upgraded = data.into_iter().flatten().filter(|(_, dir)| is_new(&dir.version));
    if let (Some((dir, _)), None) = (upgraded.next(), upgraded.next()) {
        ready.data_dir = Answer::Got(dir.clone());
        if ready.config_dir.got().is_none() {
            ready.config_dir = Answer::Got(dir.clone());
        }
    }
}

/// Where data of older majors lie: where the server and the configuration say, and where the layout would have them.
fn older(meant: &Upgrade, ready: &Ready, node: &Node) -> Vec<String> {
    let new = ready.data_dir.got().map(|dir| dir.trim_end_matches('/'));
    let known = node.host.as_ref().and_then(Answer::got).map(|host| host.data.keys().cloned());
    let by_layout = new.into_iter().flat_map(|dir| (*MAJORS.start()..meant.to).filter_map(|major| moved(dir, major)));
    let mut all: Vec<String> = known.into_iter().flatten().chain(by_layout).collect();
    all.retain(|dir| Some(dir.trim_end_matches('/')) != new);
    all.sort();
    all.dedup();
    all
}

/// The databases of a primary that let sessions in.
fn databases(session: &Session) -> Vec<String> {
    let table = |question: &str| session.answers.get(question).and_then(Answer::got);
    let column = |question: &str, name: &str| table(question)?.columns.iter().position(|c| c == name);
    let values = |question: &str, name: &str| -> Vec<Option<&str>> {
        let Some(at) = column(question, name) else { return Vec::new() };
        table(question).into_iter().flat_map(|t| &t.rows).map(|row| row.get(at).and_then(Option::as_deref)).collect()
    };
    if values("position", "in_recovery") != [Some("f")] {
        return Vec::new();
    }
    let names = values("databases", "datname").into_iter();
    let open = names.zip(values("databases", "datallowconn")).zip(values("databases", "datconnlimit"));
    open.filter(|((_, allowed), limit)| *allowed == Some("t") && *limit != Some("-2"))
        .filter_map(|((name, _), _)| name.map(str::to_owned))
        .collect()
}

async fn of_database(target: &Target, database: &str, touched: &mut Touched) -> Answer<Session> {
    let mut target = target.clone();
    database.clone_into(&mut target.database);
    let mut line = Line::to(target, limits().0);
    let answer = line.ask(queries::of_each_database().into()).await;
    touched.statements.extend(line.end().await);
    answer
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn a_major_in_a_path_is_replaced_where_there_is_one() {
        for (old, new) in [
            ("/var/lib/postgresql/15/main", Some("/var/lib/postgresql/16/main")),
            ("/usr/pgsql-15/bin", Some("/usr/pgsql-16/bin")),
            ("/var/lib/pgsql/15/data/", Some("/var/lib/pgsql/16/data/")),
            ("/var/lib/postgresql/16/main", Some("/var/lib/postgresql/16/main")),
            ("/srv/data", None),
            ("/srv/15/pg/15", None),
            ("/srv/2/data", None),
        ] {
            assert_eq!(moved(old, 16).as_deref(), new, "{old}");
        }
    }
}
