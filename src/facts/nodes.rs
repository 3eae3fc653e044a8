//! Answers of running servers: those of a bundle, or recorded ones for the cases of rules.
//!
//! A recording is YAML: node, then question (an entry of `knowledge::queries`, or a rule of the `rows` kind), then a list of rows
//! (maps of column to text) or the reason why there is no answer:
//!
//! ```yaml
//! pg1:
//!   slot-wal-status-lost:
//!     - {slot_name: old_standby, slot_type: physical, wal_status: lost}
//!   role-settings-hostile: denied
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::gap::{Fact, Gap, GapReason};
use crate::bundle::sql::{Session, Table};
use crate::bundle::{self, Answer, Bundle};
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
}

/// What a node has answered, by question.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Rows, or why there are none.
    pub answers: BTreeMap<String, Fact<Vec<Row>>>,
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
            None => Err(Gap::new(format!("the answer to `{question}`"), GapReason::NotGiven).on(&self.name)),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Recorded {
    Rows(Vec<BTreeMap<String, String>>),
    Why(GapReason),
}

/// Answers by node and rule, before they have a place.
#[derive(Debug, Default, Deserialize)]
pub struct Recording(BTreeMap<String, BTreeMap<String, Recorded>>);

/// Reads a recording.
///
/// # Errors
/// What is wrong with the text, with line and column.
pub fn parse(text: &str) -> Result<Recording, String> {
    serde_yaml::from_str(text).map_err(|e| format!("recorded answers: {e}"))
}

/// The answers of a bundle.
#[must_use]
pub fn of_bundle(bundle: &Bundle) -> Recording {
    let row = |table: &Table, values: &[Option<String>]| {
        table.columns.iter().cloned().zip(values).filter_map(|(c, v)| Some((c, v.clone()?))).collect()
    };
    let answer = |answer: &Answer<Table>| match answer {
        Answer::Got(table) => Recorded::Rows(table.rows.iter().map(|values| row(table, values)).collect()),
        Answer::Missing(miss) => Recorded::Why(miss.why),
    };
    let answers = |session: &Session| session.answers.iter().map(|(q, a)| (q.clone(), answer(a))).collect();
    let of_node = |(name, node): (&String, &bundle::Node)| match node.sql.as_ref()? {
        Answer::Got(session) => Some((name.clone(), answers(session))),
        Answer::Missing(miss) => Some((name.clone(), BTreeMap::from([(SESSION.to_owned(), Recorded::Why(miss.why))]))),
    };
    Recording(bundle.nodes.iter().filter_map(of_node).collect())
}

/// Stands in the place of all answers of a server that could not be asked.
const SESSION: &str = "session";

/// Writes each answer down as a small text, so that a finding can point at a row.
#[must_use]
pub fn place(recording: Recording, sources: &SourceMap) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (name, answers) in recording.0 {
        let mut placed = BTreeMap::new();
        for (rule, recorded) in answers {
            let answer = match recorded {
                Recorded::Rows(rows) => Ok(write(&name, &rule, rows, sources)),
                Recorded::Why(why) => Err(Gap::new(format!("the answer to `{rule}`"), why).on(&name)),
            };
            placed.insert(rule, answer);
        }
        nodes.push(Node { name, answers: placed });
    }
    nodes
}

fn write(node: &str, rule: &str, rows: Vec<BTreeMap<String, String>>, sources: &SourceMap) -> Vec<Row> {
    let mut text = String::new();
    let mut ranges = Vec::new();
    for row in &rows {
        let start = text.len();
        for (i, (column, value)) in row.iter().enumerate() {
            let _ = write!(text, "{}{column} = {value}", if i > 0 { ", " } else { "" });
        }
        ranges.push(start..text.len());
        text.push('\n');
    }
    let name = format!("{node}: {rule}");
    let source = sources.add(Origin::Virtual(name.clone()), name, text.into_bytes());
    rows.into_iter().zip(ranges).map(|(columns, r)| Row { at: source.span(r.start, r.end), columns }).collect()
}
