//! Asks running servers: read-only, with limits, each question with its own outcome.
//!
//! Connections are described as for libpq and made by our own code, since tokio-postgres reads neither its files nor its variables.

mod certificate;
mod connect;
mod environment;
mod failure;
pub mod files;
pub mod kept;
mod options;
mod password;
mod session;
mod target;
mod tls;
mod verifier;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use environment::Environment;
pub use target::{ChannelBinding, Place, Server, Target, Wanted};
pub use tls::{SslMode, TlsOptions};

use self::session::{Held, Sent};
use crate::bundle::Answer;
use crate::bundle::sql::Session;
use crate::gap::GapReason;
use crate::knowledge::queries::Question;

/// How long things may take and how much may come.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a connection to one address, where the target does not say (`connect_timeout`).
    pub connect: Duration,
    /// For one statement; the server ends it.
    pub statement: Duration,
    /// For waiting for a lock.
    pub lock: Duration,
    /// For standing idle in a transaction.
    pub idle: Duration,
    /// How much longer than a statement may take the server's word about its end is waited for.
    pub grace: Duration,
    /// For a node with all its questions.
    pub node: Duration,
    /// Bytes that are read from a server.
    pub bytes: usize,
    /// How many nodes are asked at once.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            statement: Duration::from_secs(10),
            lock: Duration::from_secs(1),
            idle: Duration::from_secs(10),
            grace: Duration::from_secs(2),
            node: Duration::from_mins(1),
            bytes: 256 << 20,
            at_once: 32,
        }
    }
}

impl Limits {
    /// What must be in force in each session, as `pg_settings` writes it.
    fn settings(&self) -> [(&'static str, String); 5] {
        let ms = |d: Duration| d.as_millis().max(1).to_string();
        [
            ("default_transaction_read_only", "on".to_owned()),
            ("statement_timeout", ms(self.statement)),
            ("lock_timeout", ms(self.lock)),
            ("idle_in_transaction_session_timeout", ms(self.idle)),
            ("search_path", "pg_catalog".to_owned()),
        ]
    }

    /// The startup options: those of the target, then ours, of which the last count.
    fn options(&self, given: Option<&str>) -> String {
        let own = self.settings().map(|(name, value)| format!("-c {name}={value}"));
        given.map(str::to_owned).into_iter().chain(own).collect::<Vec<_>>().join(" ")
    }
}

/// What came of asking many nodes.
#[derive(Debug, Default)]
pub struct Collected {
    /// The sessions by the name of the node.
    pub sessions: BTreeMap<String, Answer<Session>>,
    /// The statements that were sent to each node, in their order.
    pub sent: BTreeMap<String, Vec<String>>,
}

/// A server that is asked, more than once perhaps, over one connection as long as that holds.
#[derive(Debug)]
pub struct Line {
    target: Arc<Target>,
    limits: Arc<Limits>,
    held: Option<Held>,
    sent: Sent,
}

impl Line {
    /// Nothing is connected before something is asked.
    #[must_use]
    pub fn to(target: Target, limits: Limits) -> Self {
        Self { target: Arc::new(target), limits: Arc::new(limits), held: None, sent: Sent::default() }
    }

    /// Asks one question after the other; connects where that is not done or no longer holds.
    pub async fn ask(&mut self, questions: Arc<[Question]>) -> Answer<Session> {
        let held = self.held.take().filter(Held::is_open);
        let (target, limits, sent) = (Arc::clone(&self.target), Arc::clone(&self.limits), Arc::clone(&self.sent));
        let asking = async move {
            let end = Instant::now() + limits.node;
            let mut held = match held {
                Some(held) => held,
                None => Held::open(&target, &limits, end, &sent).await?,
            };
            let session = held.ask(&target, &questions, &limits, end, &sent).await;
            Ok((held, session))
        };
        // In a task of its own, so that a mistake of ours while reading what a server sends ends only this node.
        match tokio::spawn(asking).await {
            Ok(Ok((held, session))) => {
                self.held = Some(held);
                Answer::Got(session)
            }
            Ok(Err(miss)) => Answer::Missing(miss),
            Err(_) => {
                let words = "the program failed while it read what the server sent; please report this";
                Answer::missing(GapReason::Unreadable, words)
            }
        }
    }

    /// Says good-bye to the server; the next question connects again.
    pub async fn pause(&mut self) {
        if let Some(held) = self.held.take() {
            held.close().await;
        }
    }

    /// Says good-bye to the server. The statements that were sent, in their order.
    pub async fn end(mut self) -> Vec<String> {
        self.pause().await;
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Asks all nodes all questions, many at once.
///
/// A node's name is expected once. What one node does has no bearing on the others.
pub async fn collect(targets: Vec<(String, Target)>, questions: Vec<Question>, limits: Limits) -> Collected {
    let questions: Arc<[Question]> = questions.into();
    let turns = Arc::new(Semaphore::new(limits.at_once.max(1)));
    let mut tasks = JoinSet::new();
    for (name, target) in targets {
        let (questions, turns) = (Arc::clone(&questions), Arc::clone(&turns));
        let mut line = Line::to(target, limits.clone());
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            let answer = line.ask(questions).await;
            (name, answer, line.end().await)
        });
    }
    let mut all = Collected::default();
    while let Some(done) = tasks.join_next().await {
        if let Ok((name, answer, sent)) = done {
            all.sent.insert(name.clone(), sent);
            all.sessions.insert(name, answer);
        }
    }
    all
}
