//! The commands that a configuration makes Patroni run, and the scripts behind them, where they lie among the files given.
//!
//! Paths of commands are those of a host; in a repository the same path lies below a directory that stands for the host's root,
//! or the script lies beside the configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::parse::patroni::{Item, Patroni, split_command};
use crate::source::{Reader, Source};

/// A script that a configuration names.
#[derive(Debug)]
pub struct Script {
    /// As the configuration writes it.
    pub path: String,
    /// Its text.
    pub source: Arc<Source>,
    /// Whether anybody may execute it, where that can be told.
    pub executable: Option<bool>,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `postgresql.callbacks.*`
    Callback,
    /// `postgresql.pre_promote`
    PrePromote,
    /// `bootstrap.post_bootstrap`, and its other name `post_init`.
    PostBootstrap,
    /// The command of the method that makes the cluster.
    Bootstrap,
    /// The command of a method that makes a replica.
    Replica,
}

/// A command line in a configuration.
#[derive(Debug)]
pub struct Command<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The path of its key.
    pub path: String,
    /// The command line.
    pub item: &'a Item,
    /// The same as text.
    pub text: &'a str,
}

/// Every command that Patroni runs with this configuration.
#[must_use]
pub fn commands<'a>(config: &'a Patroni) -> Vec<Command<'a>> {
    let mut found = Vec::new();
    // Paths are written for what is there: hardly anything is.
    let mut add = |purpose, section: &'a Item, above: &str, below: &str| {
        let Some(item) = section.at(below) else { return false };
        let Some(text) = item.as_str().filter(|t| !t.is_empty()) else { return false };
        found.push(Command { purpose, path: format!("{above}.{below}"), item, text });
        true
    };
    for above in ["postgresql", "bootstrap.dcs.postgresql"] {
        let Some(section) = config.get(above) else { continue };
        if section.get("callbacks").is_some() {
            for event in ["on_reload", "on_restart", "on_role_change", "on_start", "on_stop"] {
                add(Purpose::Callback, section, above, &format!("callbacks.{event}"));
            }
        }
        add(Purpose::PrePromote, section, above, "pre_promote");
        for name in replica_methods(config).filter_map(Item::as_str) {
            add(Purpose::Replica, section, above, &format!("{name}.command"));
        }
    }
    if let Some(section) = config.get("bootstrap") {
        // The older name counts only without the newer one (`Bootstrap.call_post_bootstrap`).
        let _ = ["post_bootstrap", "post_init"].iter().any(|key| {
            add(Purpose::PostBootstrap, section, "bootstrap", key) || !config.is_decided(&format!("bootstrap.{key}"))
        });
        if let Some(method) = section.get("method").and_then(Item::as_str) {
            add(Purpose::Bootstrap, section, "bootstrap", &format!("{method}.command"));
        }
    }
    found
}

/// The methods that make a replica, in the order in which they are tried; none when Patroni takes `basebackup` by itself
/// (`Postgresql.create_replica_methods`).
pub fn replica_methods(config: &Patroni) -> impl Iterator<Item = &Item> {
    let list = |key| local_or_dynamic(config, key).map(Item::items).filter(|l| !l.is_empty());
    list("create_replica_methods").or_else(|| list("create_replica_method")).unwrap_or_default().iter()
}

/// A key of section `postgresql` that counts in both places, the local one first.
#[must_use]
pub fn local_or_dynamic<'a>(config: &'a Patroni, key: &str) -> Option<&'a Item> {
    ["postgresql", "bootstrap.dcs.postgresql"].into_iter().find_map(|section| config.get(section)?.get(key))
}

/// The scripts of all commands that the reader can find for a configuration file.
pub(super) fn find(config: &Patroni, file: Option<&Path>, reader: &dyn Reader) -> Vec<Script> {
    let Some(file) = file else { return Vec::new() };
    let mut scripts: Vec<Script> = Vec::new();
    for command in commands(config) {
        for word in split_command(command.text).unwrap_or_default() {
            if !word.starts_with('/') || scripts.iter().any(|s| s.path == word) {
                continue;
            }
            let found = reader.script(&word, file, &mut candidates(Path::new(&word), file));
            if let Some((source, path)) = found {
                scripts.push(Script { executable: reader.is_executable(&path), source, path: word });
            }
        }
    }
    scripts
}

/// Where a file of a host may lie in a repository: below each directory above the configuration, the nearest first, or beside it.
fn candidates<'a>(wanted: &'a Path, file: &'a Path) -> impl Iterator<Item = PathBuf> {
    let below = wanted.strip_prefix("/").unwrap_or(wanted);
    let beside = file.parent().zip(wanted.file_name()).map(|(dir, name)| dir.join(name));
    file.ancestors().skip(1).map(move |root| root.join(below)).chain(beside)
}

#[cfg(test)]
mod tests {
    use super::candidates;
    use std::path::Path;

    #[test]
    fn the_nearest_place_comes_first() {
        let found: Vec<String> = candidates(Path::new("/etc/patroni/x.sh"), Path::new("a/etc/patroni/p.yml"))
            .map(|p| p.display().to_string())
            .collect();
        assert_eq!(
            found,
            [
                "a/etc/patroni/etc/patroni/x.sh",
                "a/etc/etc/patroni/x.sh",
                "a/etc/patroni/x.sh",
                "etc/patroni/x.sh",
                "a/etc/patroni/x.sh"
            ]
        );
    }
}
