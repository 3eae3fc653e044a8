//! One session: the first statement, then one question after the other, each with its own outcome.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::Stream as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::Limits;
use super::connect::{Connected, connect};
use super::failure::{Phase, causes, miss};
use super::target::Target;
use crate::bundle::sql::{Session, Table};
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::knowledge::queries::{GREETING, Question};
use crate::parse::conninfo::secrets_of_setting;

/// The statements that were sent to a node, in their order.
pub(super) type Sent = Arc<Mutex<Vec<String>>>;

fn note(sent: &Sent, sql: &str) {
    sent.lock().unwrap_or_else(PoisonError::into_inner).push(sql.to_owned());
}

/// The answer to the first statement.
#[derive(Debug)]
pub(super) struct Greeting {
    version: u32,
    pub(super) in_recovery: bool,
    user: String,
    database: String,
    tls: Option<String>,
}

/// Sends the first statement and looks whether our safety settings are in force: a pooler may have dropped them.
pub(super) async fn greet(client: &Client, limits: &Limits, sent: &Sent) -> Result<Greeting, Miss> {
    note(sent, GREETING);
    let table = match run(client, GREETING).await {
        Ok(table) => table,
        Err(Failure::Server(e)) => return Err(miss(&e, Phase::Asking { needs_version: false })),
        Err(Failure::Text(detail)) => return Err(Miss { why: GapReason::Unreadable, detail }),
    };
    let get = |name: &str| {
        let column = table.columns.iter().position(|c| c == name)?;
        table.rows.first()?.get(column)?.clone()
    };
    for (name, value) in limits.settings() {
        let is = get(name).unwrap_or_else(|| "unknown".to_owned());
        if is != value {
            let detail = format!(
                "{name} is {is} in our session and not {value} as we asked for, so nothing was asked; this looks like a connection \
                 pooler: give the address of the server itself"
            );
            return Err(Miss { why: GapReason::Denied, detail });
        }
    }
    let strange = || Miss { why: GapReason::Unreadable, detail: "the server's first answer makes no sense".to_owned() };
    Ok(Greeting {
        version: get("version").and_then(|v| v.parse().ok()).ok_or_else(strange)?,
        in_recovery: get("in_recovery").ok_or_else(strange)? == "t",
        user: get("role").ok_or_else(strange)?,
        database: get("database").ok_or_else(strange)?,
        tls: get("tls"),
    })
}

/// A connection over which questions are asked.
#[derive(Debug)]
pub(super) struct Held {
    client: Client,
    /// The task of the connection, until it is over.
    task: Option<JoinHandle<Result<(), tokio_postgres::Error>>>,
    address: String,
    greeting: Greeting,
    /// Why nothing can be asked any more.
    lost: Option<Miss>,
}

impl Held {
    /// Connects.
    pub(super) async fn open(target: &Target, limits: &Limits, end: Instant, sent: &Sent) -> Result<Self, Miss> {
        let Connected { client, task, address, greeting } = connect(target, limits, end, sent)
            .await
            .map_err(|miss| Miss { why: miss.why, detail: target.mask(&miss.detail) })?;
        Ok(Self { client, task: Some(task), address, greeting, lost: None })
    }

    /// Whether more can be asked.
    pub(super) fn is_open(&self) -> bool {
        self.lost.is_none() && !self.client.is_closed()
    }

    /// Asks one question after the other.
    pub(super) async fn ask(
        &mut self,
        target: &Target,
        questions: &[Question],
        limits: &Limits,
        end: Instant,
        sent: &Sent,
    ) -> Session {
        let mut answers = BTreeMap::new();
        for question in questions {
            if !question.fits(self.greeting.version) {
                let newer = question.from.is_some_and(|from| from > self.greeting.version / 10_000);
                let words = if newer {
                    "the server is older than this question needs"
                } else {
                    "the server is newer than this question"
                };
                // Another question of the same name may fit.
                answers.entry(question.name.clone()).or_insert_with(|| Answer::missing(GapReason::TooOld, words));
                continue;
            }
            let answer = match &self.lost {
                Some(miss) => Answer::Missing(miss.clone()),
                None => match ask(&self.client, &mut self.task, question, limits, end, sent).await {
                    Ok(table) => Answer::Got(table),
                    Err((miss, over)) => {
                        let miss = Miss { why: miss.why, detail: target.mask(&miss.detail) };
                        if over {
                            let detail = format!("the connection was lost before this was asked: {}", miss.detail);
                            // What was asked when time ran out was too slow, and so is all behind it.
                            let why = if miss.why == GapReason::TimedOut { miss.why } else { GapReason::Unreachable };
                            self.lost = Some(Miss { why, detail });
                        }
                        Answer::Missing(miss)
                    }
                },
            };
            answers.insert(question.name.clone(), answer);
        }
        Session {
            address: self.address.clone(),
            user: self.greeting.user.clone(),
            database: self.greeting.database.clone(),
            tls: self.greeting.tls.clone(),
            version: self.greeting.version,
            answers,
        }
    }

    /// Says good-bye to the server.
    pub(super) async fn close(self) {
        drop(self.client);
        if let Some(mut task) = self.task
            && timeout(Duration::from_secs(1), &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

/// Asks a question. A failure says whether the connection is over.
async fn ask(
    client: &Client,
    task: &mut Option<JoinHandle<Result<(), tokio_postgres::Error>>>,
    question: &Question,
    limits: &Limits,
    end: Instant,
    sent: &Sent,
) -> Result<Table, (Miss, bool)> {
    if Instant::now() >= end {
        let detail = "the time for this node was over before this was asked".to_owned();
        return Err((Miss { why: GapReason::TimedOut, detail }, true));
    }
    note(sent, &question.sql);
    // The server itself ends a statement that is too slow; a server that does not even do that is given up a little later.
    let until = end.min(Instant::now() + limits.statement + limits.grace);
    match timeout_at(until, run(client, &question.sql)).await {
        Ok(Ok(mut table)) => {
            mask_settings(&mut table);
            Ok(table)
        }
        Ok(Err(Failure::Text(detail))) => Err((Miss { why: GapReason::Unreadable, detail }, false)),
        Ok(Err(Failure::Server(e))) => {
            let mut found = miss(&e, Phase::Asking { needs_version: question.from.is_some() });
            if let Some(said) = e.as_db_error() {
                return Err((found, matches!(said.severity(), "FATAL" | "PANIC") || client.is_closed()));
            }
            // The task of the connection knows better why it ended. It is awaited once: nothing is asked after this.
            if let Some(mut task) = task.take()
                && let Ok(Ok(Err(reason))) = timeout(Duration::from_millis(200), &mut task).await
            {
                let better = miss(&reason, Phase::Asking { needs_version: false });
                found = Miss { why: better.why, detail: format!("{}: {}", causes(&e), better.detail) };
            }
            Err((found, true))
        }
        Err(_) => {
            let detail = "the server did not answer within the time, and did not end the statement either".to_owned();
            Err((Miss { why: GapReason::TimedOut, detail }, true))
        }
    }
}

/// Why a statement has no answer.
enum Failure {
    Server(tokio_postgres::Error),
    Text(String),
}

/// Runs a statement with the simple protocol, in which values come as the server writes them.
async fn run(client: &Client, sql: &str) -> Result<Table, Failure> {
    let mut stream = pin!(client.simple_query_raw(sql).await.map_err(Failure::Server)?);
    let mut table = Table::default();
    let mut unreadable = None;
    while let Some(message) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        match message.map_err(Failure::Server)? {
            SimpleQueryMessage::RowDescription(columns) => {
                table.columns = columns.iter().map(|c| c.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let value = |n| row.try_get(n).map(|v| v.map(str::to_owned));
                match (0..row.len()).map(value).collect() {
                    Ok(values) => table.rows.push(values),
                    Err(_) => unreadable = Some("a value is not UTF-8"),
                }
            }
            _ => {}
        }
    }
    unreadable.map_or(Ok(table), |why| Err(Failure::Text(why.to_owned())))
}

/// Replaces the secrets in values of settings: `setting`, `reset_val` and `boot_val` beside a `name`.
fn mask_settings(table: &mut Table) {
    let Some(name) = table.columns.iter().position(|c| c == "name") else { return };
    let is_value = |c: &String| matches!(c.as_str(), "setting" | "reset_val" | "boot_val");
    let values: Vec<usize> = (0..table.columns.len()).filter(|n| is_value(&table.columns[*n])).collect();
    for row in &mut table.rows {
        let Some(setting) = row.get(name).cloned().flatten() else { continue };
        for n in &values {
            if let Some(Some(value)) = row.get_mut(*n) {
                for range in secrets_of_setting(&setting, value).into_iter().rev() {
                    value.replace_range(range, "***");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, mask_settings};

    #[test]
    fn passwords_in_settings_are_masked() {
        let row = |cells: [&str; 2]| cells.map(|c| Some(c.to_owned())).to_vec();
        let mut table = Table {
            columns: vec!["name".to_owned(), "setting".to_owned()],
            rows: vec![row(["primary_conninfo", "host=a password=s3 user=b"]), row(["port", "5432"])],
        };
        mask_settings(&mut table);
        assert_eq!(table.rows, [row(["primary_conninfo", "host=a password=*** user=b"]), row(["port", "5432"])]);
    }
}
