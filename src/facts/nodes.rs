//! Members as they run: what their servers, hosts and REST APIs have answered, of a bundle or recorded for the cases of rules.
//!
//! A recording is YAML: node, then question (an entry of `knowledge::queries`, or a rule of the `rows` kind), then a list of rows
//! (maps of column to text) or the reason why there is no answer. `host` and `rest` of a node, and `stores` of all, are as a bundle has
//! them, where what is left out was not asked for; so are `upgrade` of all and of a node, whose databases stand beside it and are written as the
//! answers of the node itself:
//!
//! ```yaml
//! pg1:
//!   slot-wal-status-lost:
//!     - {slot_name: old_standby, slot_type: physical, wal_status: lost}
//!   role-settings-hostile: denied
//!   host: !got
//!     uid: !got 0
//!   upgrade:
//!     bin_dir: !got /usr/lib/postgresql/16/bin
//!   in_databases:
//!     app: {libraries: []}
//! stores: []
//! upgrade: {to: 16}
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Deserialize;

use super::gap::{Fact, Gap, GapReason};
use super::upgrade::{Answers, ForUpgrade};
use super::written::Written;
use crate::bundle::dcs::Store;
use crate::bundle::host::Host;
use crate::bundle::rest::Rest;
use crate::bundle::sql::{Agreement, Compared, Session, Table};
use crate::bundle::upgrade::{Ready, Upgrade};
use crate::bundle::{self, Answer, Bundle};
use crate::collect::recorded;
use crate::source::{Origin, SourceMap, Span};

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the text that was written of the answer.
    pub at: Span,
    /// Its columns; those that are NULL are not there.
    pub columns: BTreeMap<String, String>,
}

impl Row {
    /// The value of a column; `None` for NULL.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.columns.get(column).map(String::as_str)
    }

    /// Whether a column is true, as the server writes it.
    #[must_use]
    pub fn is(&self, column: &str) -> bool {
        self.get(column) == Some("t")
    }

    /// A column that holds a number.
    #[must_use]
    pub fn number(&self, column: &str) -> Option<i64> {
        self.get(column)?.parse().ok()
    }
}

/// A member as it runs.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The directory that stands for the root of its host, below which its files are; none for recorded answers.
    pub root: Option<PathBuf>,
    /// Rows by question, or why there are none.
    pub answers: BTreeMap<String, Fact<Vec<Row>>>,
    /// `server_version_num`, where it is known.
    pub version: Option<u32>,
    passwords: BTreeMap<String, Answer<Compared>>,
    host: Option<Fact<Written<Host>>>,
    rest: Option<Fact<Written<Rest>>>,
    upgrade: Option<ForUpgrade>,
}

impl Node {
    /// The rows of an answer.
    ///
    /// # Errors
    /// Why there are none: the question was not asked, or not answered.
    pub fn rows(&self, question: &str) -> Fact<&[Row]> {
        match self.answers.get(question).or_else(|| self.answers.get(SESSION)) {
            Some(Ok(rows)) => Ok(rows),
            Some(Err(gap)) => Err(gap.clone()),
            None => Err(self.not_asked(&format!("the answer to `{question}`"))),
        }
    }

    /// The only row of an answer, such as `position`; `None` when there is no row.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn row(&self, question: &str) -> Fact<Option<&Row>> {
        Ok(self.rows(question)?.first())
    }

    /// What the server runs with: the row of `pg_settings`; `None` for a setting that it does not know.
    ///
    /// # Errors
    /// As [`Self::rows`]; and when the row is not there and our role does not see all of them.
    pub fn setting(&self, name: &str) -> Fact<Option<&Row>> {
        let row = self.rows("settings")?.iter().find(|row| row.get("name") == Some(name));
        let sees_all = || self.rows("server").is_ok_and(|rows| rows.iter().any(|row| row.is("reads_all_settings")));
        if row.is_none() && !sees_all() {
            let what = format!("setting `{name}` (our role is no member of pg_read_all_settings)");
            return Err(Gap::new(what, GapReason::Denied).on(&self.name));
        }
        Ok(row)
    }

    /// Whether the server is a standby.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn is_standby(&self) -> Fact<bool> {
        let row = self.row("position")?.ok_or_else(|| self.not_asked("whether the server is in recovery"))?;
        Ok(row.is("in_recovery"))
    }

    /// Whether the password of its configuration is the one that its server keeps, by section of `postgresql.authentication`.
    ///
    /// # Errors
    /// When that was not asked, or not answered.
    pub fn password(&self, section: &str) -> Fact<Agreement> {
        // As for the answers of other questions, a server that cannot be asked is the reason.
        if let Some(Err(gap)) = self.answers.get(SESSION) {
            return Err(gap.clone());
        }
        let what = format!("the password of `postgresql.authentication.{section}` (only superusers may compare it)");
        let answer = self.passwords.get(section).ok_or_else(|| self.not_asked(&what))?;
        self.answer(&what, answer).map(|compared| compared.kind)
    }

    /// What its host says.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn host(&self) -> Fact<&Written<Host>> {
        self.host.as_ref().map_or_else(|| Err(self.not_asked("the host")), |host| host.as_ref().map_err(Clone::clone))
    }

    /// What its REST API answers.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn rest(&self) -> Fact<&Written<Rest>> {
        let missing = || Err(self.not_asked("the answers of the REST API"));
        self.rest.as_ref().map_or_else(missing, |rest| rest.as_ref().map_err(Clone::clone))
    }

    /// What it has for the major upgrade that is meant.
    ///
    /// # Errors
    /// When it was not asked for one.
    pub fn upgrade(&self) -> Fact<&ForUpgrade> {
        self.upgrade
            .as_ref()
            .ok_or_else(|| self.not_asked("what there is of the new major (collect with --upgrade-to)"))
    }

    /// An answer of this node that is a part of something else.
    ///
    /// # Errors
    /// Why it is missing.
    pub fn answer<'a, T>(&self, what: &str, answer: &'a Answer<T>) -> Fact<&'a T> {
        answer.as_result().map_err(|miss| Gap::new(what, miss.why).on(&self.name))
    }

    /// A gap for what nobody has asked this node.
    #[must_use]
    pub fn not_asked(&self, what: &str) -> Gap {
        Gap::new(what, GapReason::NotGiven).on(&self.name)
    }
}

/// Members as they run, and the stores that keep the state of their clusters.
#[derive(Debug, Default)]
pub struct Collected {
    /// The members, by name.
    pub nodes: Vec<Node>,
    /// The stores.
    pub stores: Vec<Written<Store>>,
    /// The major upgrade that is meant.
    pub upgrade: Option<Upgrade>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Recorded {
    Rows(Vec<BTreeMap<String, String>>),
    Why(GapReason),
}

impl Recorded {
    /// The rows of a node, written down under a title.
    fn rows(self, node: &str, title: &str, question: &str, sources: &SourceMap) -> Fact<Vec<Row>> {
        match self {
            Self::Rows(rows) => {
                let rows: Vec<Vec<_>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
                Ok(write(title, question, rows, sources))
            }
            Self::Why(why) => Err(unanswered(question, why).on(node)),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RecordedDatabase {
    Answers(BTreeMap<String, Recorded>),
    Why(GapReason),
}

impl RecordedDatabase {
    fn answers(self, node: &str, database: &str, sources: &SourceMap) -> Fact<Answers> {
        match self {
            Self::Answers(answers) => {
                let title = of_database(node, database);
                let of_question = |(question, said): (String, Recorded)| {
                    let rows = said.rows(node, &title, &question, sources);
                    (question, rows)
                };
                Ok(answers.into_iter().map(of_question).collect())
            }
            Self::Why(why) => Err(not_looked_into(node, database, why)),
        }
    }
}

/// What the texts of a database's answers are called.
fn of_database(node: &str, database: &str) -> String {
    format!("{node}: database {database}")
}

fn not_looked_into(node: &str, database: &str, why: GapReason) -> Gap {
    Gap::new(format!("database `{database}`"), why).on(node)
}

/// Reads a recording and writes it down.
///
/// # Errors
/// What is wrong with the text, with line and column.
pub fn recorded(text: &str, sources: &SourceMap) -> Result<Collected, String> {
    let wrong = |e: serde_yaml::Error| format!("recorded answers: {e}");
    let mut recorded: BTreeMap<String, BTreeMap<String, serde_yaml::Value>> = BTreeMap::new();
    let mut in_stores = Vec::new();
    let mut meant = None;
    let all: BTreeMap<String, serde_yaml::Value> = serde_yaml::from_str(text).map_err(wrong)?;
    for (name, value) in all {
        if name == "stores" {
            in_stores = serde_yaml::from_value(value).map_err(wrong)?;
        } else if name == "upgrade" {
            meant = Some(serde_yaml::from_value(value).map_err(wrong)?);
        } else {
            recorded.insert(name, serde_yaml::from_value(value).map_err(wrong)?);
        }
    }
    let mut nodes = Vec::new();
    for (name, mut answers) in recorded {
        let host: Option<Answer<Host>> =
            answers.remove("host").map(serde_yaml::from_value).transpose().map_err(wrong)?;
        let rest: Option<Answer<Rest>> =
            answers.remove("rest").map(serde_yaml::from_value).transpose().map_err(wrong)?;
        let passwords = answers.remove("passwords").map(serde_yaml::from_value).transpose().map_err(wrong)?;
        let ready: Option<Ready> = answers.remove("upgrade").map(serde_yaml::from_value).transpose().map_err(wrong)?;
        let databases = answers.remove("in_databases").map(serde_yaml::from_value).transpose().map_err(wrong)?;
        let mut node = node(&name, None, host.as_ref(), rest.as_ref(), sources);
        node.passwords = passwords.unwrap_or_default();
        if ready.is_some() || databases.is_some() {
            let mut upgrade = ForUpgrade::new(&name, &ready.unwrap_or_default(), sources);
            let databases: BTreeMap<String, RecordedDatabase> = databases.unwrap_or_default();
            upgrade.databases.extend(databases.into_iter().map(|(database, said)| {
                let said = said.answers(&name, &database, sources);
                (database, said)
            }));
            node.upgrade = Some(upgrade);
        }
        for (question, answer) in answers {
            let answer: Recorded = serde_yaml::from_value(answer).map_err(wrong)?;
            let answer = answer.rows(&name, &name, &question, sources);
            node.answers.insert(question, answer);
        }
        let version = node.setting("server_version_num").ok().flatten();
        node.version = version.and_then(|row| row.get("setting")?.parse().ok());
        nodes.push(node);
    }
    Ok(Collected { nodes, stores: stores(&in_stores, sources), upgrade: meant })
}

/// Writes down what a bundle holds.
#[must_use]
pub fn of_bundle(bundle: &Bundle, sources: &SourceMap) -> Collected {
    let of_node = |(name, said): (&String, &bundle::Node)| {
        let mut node = node(name, Some(recorded::root(name)), said.host.as_ref(), said.rest.as_ref(), sources);
        match &said.sql {
            Some(Answer::Got(session)) => {
                node.version = Some(session.version);
                node.answers = answers(name, name, session, sources);
            }
            Some(Answer::Missing(miss)) => {
                node.answers
                    .insert(SESSION.to_owned(), Err(Gap::new("the server", miss.why).on(name).because(&miss.detail)));
            }
            None => {}
        }
        node.passwords.clone_from(&said.passwords);
        node.upgrade = said.upgrade.as_ref().map(|ready| {
            let mut upgrade = ForUpgrade::new(name, ready, sources);
            for (database, session) in &ready.databases {
                let said = match session {
                    Answer::Got(session) => Ok(answers(name, &of_database(name, database), session, sources)),
                    Answer::Missing(miss) => Err(not_looked_into(name, database, miss.why).because(&miss.detail)),
                };
                upgrade.databases.insert(database.clone(), said);
            }
            upgrade
        });
        node
    };
    Collected {
        nodes: bundle.nodes.iter().map(of_node).collect(),
        stores: stores(&bundle.stores, sources),
        upgrade: bundle.upgrade.clone(),
    }
}

/// Stands in the place of all answers of a server that could not be asked.
const SESSION: &str = "session";

fn unanswered(question: &str, why: GapReason) -> Gap {
    let what = if question == SESSION { "the server".to_owned() } else { format!("the answer to `{question}`") };
    Gap::new(what, why)
}

fn node(
    name: &str,
    root: Option<PathBuf>,
    host: Option<&Answer<Host>>,
    rest: Option<&Answer<Rest>>,
    sources: &SourceMap,
) -> Node {
    let gap = |what: &str, miss: &bundle::Miss| Gap::new(what, miss.why).on(name).because(&miss.detail);
    let host = host.map(|host| match host {
        Answer::Got(host) => Ok(Written::new(name, host.clone(), sources)),
        Answer::Missing(miss) => Err(gap("the host", miss)),
    });
    let rest = rest.map(|rest| match rest {
        Answer::Got(rest) => Ok(Written::new(&format!("{name}: REST API"), rest.clone(), sources)),
        Answer::Missing(miss) => Err(gap("the answers of the REST API", miss)),
    });
    let (answers, passwords) = (BTreeMap::new(), BTreeMap::new());
    Node { name: name.to_owned(), root, answers, version: None, passwords, host, rest, upgrade: None }
}

fn stores(stores: &[Store], sources: &SourceMap) -> Vec<Written<Store>> {
    let written = |(i, store): (usize, &Store)| {
        let number = if stores.len() > 1 { format!(" {}", i + 1) } else { String::new() };
        Written::new(&format!("{}{number}", store.kind), store.clone(), sources)
    };
    stores.iter().enumerate().map(written).collect()
}

fn answers(name: &str, title: &str, session: &Session, sources: &SourceMap) -> BTreeMap<String, Fact<Vec<Row>>> {
    let row = |table: &Table, values: &[Option<String>]| -> Vec<(String, String)> {
        table.columns.iter().cloned().zip(values).filter_map(|(c, v)| Some((c, v.clone()?))).collect()
    };
    let answer = |(question, answer): (&String, &Answer<Table>)| {
        let rows = match answer {
            Answer::Got(table) => {
                let rows = table.rows.iter().map(|values| row(table, values)).collect();
                Ok(write(title, question, rows, sources))
            }
            Answer::Missing(miss) => Err(unanswered(question, miss.why).on(name)),
        };
        (question.clone(), rows)
    };
    session.answers.iter().map(answer).collect()
}

/// Writes rows down as a small text.
fn write(node: &str, question: &str, rows: Vec<Vec<(String, String)>>, sources: &SourceMap) -> Vec<Row> {
    let mut text = String::new();
    let mut ranges = Vec::new();
    for row in &rows {
        let start = text.len();
        if question == "settings" {
            write_setting(&mut text, row);
        } else {
            for (i, (column, value)) in row.iter().enumerate() {
                let value = value.replace(['\n', '\r'], " ");
                let _ = write!(text, "{}{column} = {value}", if i > 0 { ", " } else { "" });
            }
        }
        ranges.push(start..text.len());
        text.push('\n');
    }
    let name = format!("{node}: {question}");
    let source = sources.add(Origin::Virtual(name.clone()), name, text.into_bytes());
    let row = |(row, range): (Vec<(String, String)>, std::ops::Range<usize>)| Row {
        at: source.span(range.start, range.end),
        columns: row.into_iter().collect(),
    };
    rows.into_iter().zip(ranges).map(row).collect()
}

/// A setting as a file would say it, and where it comes from: `port = 5433  -- /etc/postgresql/15/main/postgresql.conf:64`.
fn write_setting(text: &mut String, row: &[(String, String)]) {
    let get = |column: &str| row.iter().find(|(c, _)| c == column).map(|(_, v)| v.replace(['\n', '\r'], " "));
    let _ = write!(text, "{} = {}", get("name").unwrap_or_default(), get("setting").unwrap_or_default());
    if let Some(unit) = get("unit") {
        let _ = write!(text, " (in {unit})");
    }
    match (get("sourcefile"), get("sourceline"), get("source")) {
        (Some(file), Some(line), _) => drop(write!(text, "  -- {file}:{line}")),
        (_, _, Some(source)) => drop(write!(text, "  -- {source}")),
        _ => {}
    }
}
