//! Collects all that is known of members into one bundle: their files, servers, hosts, REST APIs and stores.
//!
//! Members are asked side by side; of each, first the server, then the host, then the files that both name. What one does has no
//! bearing on the others.

mod discover;
mod follow;
mod inventory;
mod login;
mod manifest;
mod member;
mod passwords;
mod plan;
mod questions;
mod reach;
mod scripts;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use inventory::add as add_inventory;
pub use manifest::Manifest;

use self::member::Asked;
use self::plan::{Plan, Plans};
use crate::bundle::Bundle;
use crate::bundle::upgrade::Upgrade;
use crate::cli::Named;
use crate::collect::member::Member;
use crate::collect::net::Net;
use crate::collect::sql::Environment;
use crate::collect::{clock, dcs, host, rest, sql};
use crate::facts::Options;
use crate::knowledge::guc::MAJORS;
use crate::knowledge::queries;
use crate::progress::{self, Progress};
use crate::rules::builtin::BUILTIN;
use crate::rules::range;
use crate::rules::schema::{CheckSpec, Rule};

/// How many members are asked at once.
const AT_ONCE: usize = 32;

/// Patroni's configuration of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// A file or directory.
    pub path: PathBuf,
    /// What the member is called in this run, `cluster/member` of an inventory; the name of the configuration when nothing is said.
    pub key: Option<String>,
}

/// What is to be collected.
#[derive(Debug, Default)]
pub struct Request {
    /// Patroni's configuration of members.
    pub files: Vec<Given>,
    /// Connection strings by member.
    pub dsns: Vec<Named>,
    /// Targets of ssh by member.
    pub ssh: Vec<Named>,
    /// The command that runs others on another host: what it is told is the target, then the command.
    pub ssh_command: Vec<String>,
    /// Trees of hosts that do not run, by member.
    pub roots: Vec<Named>,
    /// What libpq would take from its surroundings.
    pub environment: Environment,
    /// Versions, where nothing else tells them.
    pub options: Options,
    /// The major upgrade that is meant.
    pub upgrade: Option<Upgrade>,
    /// Say on standard error how far it is.
    pub progress: bool,
}

/// Collects, for these rules; the built-in ones when there are none.
///
/// # Errors
/// What is wrong with the request: a file that cannot be read, a name that no member has.
pub fn gather(request: &Request, rules: &[Rule]) -> Result<(Bundle, Manifest), String> {
    let rules = if rules.is_empty() { BUILTIN } else { rules };
    let plans = plan::plan(request)?;
    let warnings = plans.warnings();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| format!("cannot begin: {e}"))?;
    let (bundle, manifest) = runtime.block_on(all(plans, asked(rules), request));
    Ok((bundle, Manifest { warnings, ..manifest }))
}

/// The questions of this program, and those of rules that bring their own.
fn asked(rules: &[Rule]) -> Vec<queries::Question> {
    let of_rule = |rule: &Rule| match &rule.check {
        CheckSpec::Rows(rows) => {
            let mut fitting = MAJORS.filter(|major| range::holds_major(&rule.postgresql, *major)).map(u32::from);
            let from = fitting.next();
            // A rule without an end is true of servers that are newer than we know.
            let until = fitting.next_back().or(from).filter(|last| *last < u32::from(*MAJORS.end()));
            Some(queries::Question { name: rule.id.to_string(), from, until, sql: rows.query.to_string() })
        }
        _ => None,
    };
    queries::questions().into_iter().chain(rules.iter().filter_map(of_rule)).collect()
}

async fn all(plans: Plans, questions: Vec<queries::Question>, request: &Request) -> (Bundle, Manifest) {
    let Plans { plans, facts } = plans;
    let net = Net::default();
    let configured: Vec<(&Plan, Member<'_>)> = plans
        .iter()
        .filter_map(|plan| {
            let config = &facts.patroni[plan.file?].config;
            Some((plan, Member { name: &plan.name, config, here: plan.is_here }))
        })
        .collect();
    let members: Vec<Member<'_>> = configured.iter().map(|(_, member)| *member).collect();
    let nodes = nodes(&plans, questions, request);
    let (nodes, stores, mut rests) = tokio::join!(nodes, dcs::collect(&members, &net), rest::collect(&members, &net));
    let mut manifest = Manifest { endpoints: net.touched(), ..Manifest::default() };
    let upgrade = request.upgrade.clone();
    let mut bundle = Bundle { taken: clock::now(), stores, upgrade, ..Bundle::of_nodes(BTreeMap::new()) };
    for (name, asked) in nodes {
        manifest.nodes.insert(name.clone(), asked.touched);
        let mut node = asked.node;
        node.rest = rests.remove(&name);
        bundle.nodes.insert(name, node);
    }
    (bundle, manifest)
}

async fn nodes(plans: &[Plan], questions: Vec<queries::Question>, request: &Request) -> Vec<(String, Asked)> {
    let questions: Arc<[queries::Question]> = questions.into();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let options = request.options;
    let mut tasks = JoinSet::new();
    let begin = |tasks: &mut JoinSet<_>, plan: Plan| {
        let (questions, turns) = (Arc::clone(&questions), Arc::clone(&turns));
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            let asked = member::ask(plan.clone(), &questions, options).await;
            (plan, asked)
        });
    };
    // Without any configuration a server is asked for the others of its cluster.
    let discovers = request.files.is_empty();
    let mut names: BTreeSet<String> = plans.iter().map(|plan| plan.name.clone()).collect();
    let mut known = BTreeSet::new();
    let left = Arc::new(AtomicUsize::new(plans.len()));
    let shown = Arc::clone(&left);
    let _progress = request.progress.then(|| Progress::start(shown, progress::members, std::io::stderr()));
    for plan in plans {
        begin(&mut tasks, plan.clone());
    }
    let mut all: Vec<(String, Asked)> = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok((plan, asked)) => {
                let further =
                    if discovers { discover::plans(&plan, &asked.node, &mut known, &mut names) } else { Vec::new() };
                left.fetch_add(further.len(), Ordering::Relaxed);
                for plan in further {
                    begin(&mut tasks, plan);
                }
                all.push((plan.name, asked));
            }
            Err(broken) if broken.is_panic() => std::panic::resume_unwind(broken.into_panic()),
            Err(_) => {}
        }
        left.fetch_sub(1, Ordering::Relaxed);
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// How long a member may take.
fn limits() -> (sql::Limits, host::Limits) {
    (sql::Limits::default(), host::Limits::default())
}
