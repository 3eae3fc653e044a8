//! The dynamic configuration that counts: that of the store, else what the data directory keeps of an earlier one, else
//! `bootstrap.dcs` (`__main__.py:Patroni.apply_dynamic_configuration`, `config.py:Config._load_cache`).
//!
//! It takes the place of `bootstrap.dcs` in a member's configuration, so that every rule looks at what Patroni will go by; what the
//! file says stays in [`PatroniFile::written_dynamic`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::nodes::Node;
use super::patroni_file::{DynamicFrom, PatroniFile};
use super::patroni_keys;
use super::written::Written;
use crate::bundle::Answer;
use crate::bundle::dcs::Store;
use crate::parse::patroni::{Type, dynamic_configuration};
use crate::parse::yaml;
use crate::problem::Problem;
use crate::source::{Origin, Source, SourceMap};

/// Puts what counts in its place. The problems are those of what counts; nothing there can be changed by an edit of a file.
pub(super) fn apply(
    files: &mut [PatroniFile],
    nodes: &[Node],
    stores: &[Written<Store>],
    sources: &SourceMap,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known: BTreeMap<String, Arc<Source>> = BTreeMap::new();
    for file in files {
        let Some(node) = nodes.iter().find(|node| is_of(file, node)) else { continue };
        let Some((name, text, from)) = counts(file, node, stores) else { continue };
        let is_new = !known.contains_key(&name);
        let source = known.entry(name.clone()).or_insert_with(|| write(&name, text, sources));
        let item = dynamic_configuration(&yaml::parse(source).tree);
        if item.kind() != Type::Map {
            continue;
        }
        file.written_dynamic = file.config.put_dynamic(item);
        file.dynamic_from = from;
        if is_new {
            let found = patroni_keys::check_keys(&file.config);
            problems.extend(found.into_iter().filter(|p| p.at.source == source.id()));
        }
    }
    for problem in &mut problems {
        problem.edits.clear();
    }
    problems
}

fn is_of(file: &PatroniFile, node: &Node) -> bool {
    match &node.root {
        Some(root) => file.source.path().is_some_and(|path| path.starts_with(root)),
        None => file.config.name().is_some_and(|name| name.value == node.name),
    }
}

/// What goes before `bootstrap.dcs`, with a name for its text. Nothing is said where the store could not be asked.
fn counts<'a>(
    file: &PatroniFile,
    node: &'a Node,
    stores: &'a [Written<Store>],
) -> Option<(String, &'a str, DynamicFrom)> {
    let path = file.config.dcs_path()?;
    let store = stores.iter().find(|store| store.members.contains(&node.name))?;
    let Some(Answer::Got(scope)) = store.scopes.get(&path) else { return None };
    if let Some(config) = scope.keys.get("config") {
        return Some((format!("{}: {path}/config", store.kind), config, DynamicFrom::Store));
    }
    let data_dir = file.config.data_dir()?;
    let data = node.host().ok()?.value().data.get(data_dir.value)?;
    let cached = data.dynamic.got()?.as_deref()?;
    let name = format!("{}: {}/patroni.dynamic.json", node.name, data_dir.value.trim_end_matches('/'));
    Some((name, cached, DynamicFrom::Cache))
}

/// The text as people read it.
fn write(name: &str, text: &str, sources: &SourceMap) -> Arc<Source> {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_default();
    sources.add(Origin::Virtual(name.to_owned()), name.to_owned(), pretty.into_bytes())
}
