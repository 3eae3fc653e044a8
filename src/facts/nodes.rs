//! Recorded answers of running servers, for rules of the `rows` kind.
//!
//! The text is YAML: node, then rule, then a list of rows (maps of column to text) or the reason why there is no answer:
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
use crate::source::{Origin, SourceMap, Span};

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the text that was written of the answer.
    pub at: Span,
    /// Its columns.
    pub columns: BTreeMap<String, String>,
}

/// What a node has answered, by rule.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Rows, or why there are none.
    pub answers: BTreeMap<String, Fact<Vec<Row>>>,
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
