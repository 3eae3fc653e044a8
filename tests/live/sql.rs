//! Sessions with real servers, against what the server and real libpq say.

mod hostile;
mod libpq;
mod login;
mod questions;
mod recorder;
mod tls;

use std::collections::BTreeMap;
use std::path::Path;

use patroni_preflight::bundle::Answer;
use patroni_preflight::bundle::sql::{Session, Table};
use patroni_preflight::collect::sql::{Collected, Environment, Limits, Target, collect};
use patroni_preflight::gap::GapReason;
use patroni_preflight::knowledge::queries::Question;

use crate::support::pg::Server;

/// An environment with these variables and this home.
fn environment(home: &Path, variables: &[(&str, &str)]) -> Environment {
    let variables: BTreeMap<_, _> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let home = Some(home.to_path_buf());
    Environment { variables, home, user: Some("postgres".to_owned()), ..Environment::of_system() }
}

fn target(dsn: &str) -> Target {
    Target::new(dsn, &environment(Path::new("/nonexistent"), &[])).unwrap_or_else(|e| panic!("{dsn}: {e}"))
}

fn question(name: &str, sql: &str) -> Question {
    Question { name: name.to_owned(), from: None, until: None, sql: sql.to_owned() }
}

fn collect_now(targets: Vec<(String, Target)>, questions: Vec<Question>, limits: Limits) -> Collected {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(collect(targets, questions, limits))
}

/// Asks one node.
fn ask(target: Target, questions: Vec<Question>, limits: Limits) -> Answer<Session> {
    let mut all = collect_now(vec![("pg1".to_owned(), target)], questions, limits);
    all.sessions.remove("pg1").expect("an answer for each node")
}

/// A connection string for a server's socket.
fn socket_dsn(server: &Server) -> String {
    format!("host={} port={} dbname=postgres", server.socket_dir.display(), server.port)
}

fn session(answer: &Answer<Session>) -> &Session {
    answer.as_result().unwrap_or_else(|m| panic!("{:?}: {}", m.why, m.detail))
}

/// Reason and words of a missing answer.
#[track_caller]
fn missed<T: std::fmt::Debug>(answer: &Answer<T>) -> (GapReason, &str) {
    let miss = answer.as_result().expect_err("no answer");
    (miss.why, &miss.detail)
}

/// A column of a table.
fn column<'a>(table: &'a Table, name: &str) -> Vec<Option<&'a str>> {
    let n = table.columns.iter().position(|c| c == name).unwrap_or_else(|| panic!("{name} in {:?}", table.columns));
    table.rows.iter().map(|r| r[n].as_deref()).collect()
}
