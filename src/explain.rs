//! What the tables know of one name: a rule, a key of Patroni, a setting of PostgreSQL, an environment variable.
//!
//! Every fact comes from `knowledge` or from the rule files; nothing is written down here twice.

mod about;
mod find;
mod key;
mod layers;
mod rule;
mod setting;
mod variable;

use std::fmt::Write as _;

use serde::Serialize;

use crate::predict::settings::Change;

pub use find::{Found, find};
pub use key::{describe as describe_key, value_of};
pub use layers::{Edit, Layer};

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A rule.
    Rule,
    /// A key of Patroni's configuration.
    Key,
    /// A setting of PostgreSQL.
    Setting,
    /// An environment variable of Patroni.
    Variable,
}

/// One fact of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is about.
    pub name: &'static str,
    /// In words.
    pub text: String,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// What it is about.
    pub subject: Subject,
    /// The name of that.
    pub name: String,
    /// One line.
    pub summary: String,
    /// What there is to know, in the order of worth.
    pub facts: Vec<Fact>,
    /// Of a setting: who sets it under Patroni, the strongest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// What each edit of it does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// What it takes to change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Rules that speak of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

impl Page {
    fn new(subject: Subject, name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            subject,
            name: name.into(),
            summary: summary.into(),
            facts: Vec::new(),
            layers: Vec::new(),
            edits: Vec::new(),
            change: None,
            rules: Vec::new(),
        }
    }

    /// Adds a fact, unless there is nothing to say.
    fn fact(&mut self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.facts.push(Fact { name, text });
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{}: {}\n\n", self.name, self.summary);
        let width = self.facts.iter().map(|f| f.name.len()).max().unwrap_or(0).max(5);
        for fact in &self.facts {
            for (i, line) in fact.text.lines().flat_map(|line| wrapped(line, 96 - width)).enumerate() {
                let name = if i == 0 { fact.name } else { "" };
                let _ = writeln!(out, "{}", format!("{name:width$}  {line}").trim_end());
            }
        }
        for (i, id) in self.rules.iter().enumerate() {
            let _ = writeln!(out, "{:width$}  {id}", if i == 0 { "rules" } else { "" });
        }
        self.hands(&mut out);
        out
    }

    /// Who sets a setting, and what edits do.
    fn hands(&self, out: &mut String) {
        if !self.layers.is_empty() {
            out.push_str("\nWho sets it under Patroni, the strongest first:\n");
        }
        for (i, layer) in self.layers.iter().enumerate() {
            entry(out, &format!("{:>3}. ", i + 1), 5, &layer.text);
        }
        if !self.edits.is_empty() {
            out.push_str("\nWhat an edit does:\n");
        }
        for edit in &self.edits {
            let _ = writeln!(out, "  {}", edit.edit);
            entry(out, "      ", 6, &edit.effect);
        }
    }
}

/// A text below its mark.
fn entry(out: &mut String, mark: &str, indent: usize, text: &str) {
    for (i, line) in wrapped(text, 98 - indent).iter().enumerate() {
        let mark = if i == 0 { mark } else { "" };
        let _ = writeln!(out, "{mark:indent$}{line}");
    }
}

/// A line cut between words. One that begins with a blank is shown as it is.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.starts_with(' ') || line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("invariant: there is a line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}
