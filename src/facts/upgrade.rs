//! What members have for the major upgrade that is meant.

use std::collections::BTreeMap;

use super::gap::{Fact, Gap};
use super::nodes::{Node, Row};
use super::written::Written;
use crate::bundle::Answer;
use crate::bundle::upgrade::{NewServer, Ready};
use crate::source::SourceMap;

/// Rows by question, or why there are none.
pub type Answers = BTreeMap<String, Fact<Vec<Row>>>;

/// What a member has for the new major.
#[derive(Debug, Clone)]
pub struct ForUpgrade {
    ready: Ready,
    server: Option<Fact<Written<NewServer>>>,
    /// What each database of the old server has answered.
    pub databases: BTreeMap<String, Fact<Answers>>,
}

impl ForUpgrade {
    /// Writes down what was collected of a node. Answers of databases are added by the one who has them.
    #[must_use]
    pub fn new(node: &str, ready: &Ready, sources: &SourceMap) -> Self {
        let server = ready.server.as_ref().map(|server| match server {
            Answer::Got(server) => Ok(Written::new(&format!("{node}: new major"), server.clone(), sources)),
            Answer::Missing(miss) => Err(Gap::new("the host", miss.why).on(node).because(&miss.detail)),
        });
        Self { ready: Ready { databases: BTreeMap::new(), ..ready.clone() }, server, databases: BTreeMap::new() }
    }

    /// The directory of the new programs.
    ///
    /// # Errors
    /// When neither an option nor the layout tells.
    pub fn bin_dir(&self, node: &Node) -> Fact<&str> {
        place(node, "the directory of the new programs", &self.ready.bin_dir)
    }

    /// The new data directory.
    ///
    /// # Errors
    /// When neither an option nor the layout tells.
    pub fn data_dir(&self, node: &Node) -> Fact<&str> {
        place(node, "the new data directory", &self.ready.data_dir)
    }

    /// The directory of the new configuration.
    ///
    /// # Errors
    /// When neither an option nor the layout tells.
    pub fn config_dir(&self, node: &Node) -> Fact<&str> {
        place(node, "the directory of the new configuration", &self.ready.config_dir)
    }

    /// What lies there on the host.
    ///
    /// # Errors
    /// When it was not looked at.
    pub fn server(&self, node: &Node) -> Fact<&Written<NewServer>> {
        let missing = || Err(node.not_asked("the host, for the new major,"));
        self.server.as_ref().map_or_else(missing, |server| server.as_ref().map_err(Clone::clone))
    }
}

fn place<'a>(node: &Node, what: &str, answer: &'a Answer<String>) -> Fact<&'a str> {
    match answer {
        Answer::Got(dir) => Ok(dir),
        Answer::Missing(miss) => Err(Gap::new(what, miss.why).on(&node.name).because(&miss.detail)),
    }
}
