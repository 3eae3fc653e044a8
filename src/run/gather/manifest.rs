//! Everything that a run has touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::collect::host;

/// What was touched of one member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Files of the one who ran the program.
    pub own: BTreeSet<String>,
    /// Statements that were sent to its server, in their order.
    pub statements: Vec<String>,
    /// Files that were read or looked at on its host; some are patterns.
    pub files: BTreeSet<String>,
    /// Programs that were run there.
    pub programs: BTreeSet<String>,
}

impl Touched {
    pub(super) fn add_host(&mut self, manifest: host::Manifest) {
        self.files.extend(manifest.files);
        self.programs.extend(manifest.programs);
    }
}

/// Everything that was touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// By member.
    pub nodes: BTreeMap<String, Touched>,
    /// What the user should know, such as a password file that does not count.
    pub warnings: Vec<String>,
    /// What was asked through the network beside servers of PostgreSQL: `GET http://192.0.2.21:2379/version`.
    pub endpoints: Vec<String>,
}

impl Manifest {
    /// As a text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, touched) in &self.nodes {
            let _ = writeln!(text, "{name}");
            section(&mut text, "read here", &touched.own);
            section(&mut text, "sent to its server", &touched.statements);
            section(&mut text, "looked at on its host", &touched.files);
            section(&mut text, "run on its host", &touched.programs);
        }
        if !self.endpoints.is_empty() {
            text.push_str("network\n");
            section(&mut text, "asked", &self.endpoints);
        }
        text
    }
}

fn section<'a>(text: &mut String, title: &str, lines: impl IntoIterator<Item = &'a String>) {
    for (i, line) in lines.into_iter().enumerate() {
        if i == 0 {
            let _ = writeln!(text, "  {title}:");
        }
        let flat: Vec<&str> = line.split_whitespace().collect();
        let _ = writeln!(text, "    {}", flat.join(" "));
    }
}
