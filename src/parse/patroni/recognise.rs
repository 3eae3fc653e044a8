//! Telling Patroni's configuration from other YAML.

use crate::knowledge::patroni::{DCS_SECTIONS, child};
use crate::parse::yaml::{Tree, Value};

/// Whether a YAML text is a configuration of Patroni, or a part of one as a configuration directory holds it, by what it says.
///
/// Every known key at the top counts when its value has the right shape, more when known keys stand below it; names that other
/// programs use too (`name`, `tags`, `log`) count little, unknown ones against it. The keys of a Kubernetes object, an Ansible
/// playbook, a Compose or a workflow file rule it out.
#[must_use]
pub fn looks_like_patroni(tree: &Tree) -> bool {
    let Some(root) = tree.root() else { return false };
    let entries = tree.entries(root);
    let mut points = 0_i32;
    for entry in entries {
        if tree.node(entry.key).value == Value::Unknown {
            continue;
        }
        let Some(key) = tree.as_str(entry.key) else { return false };
        if ["apiVersion", "kind", "services", "hosts", "tasks", "jobs", "on", "version", "global_defs"].contains(&key) {
            return false;
        }
        let node = tree.node(entry.value);
        points += match key {
            "scope" | "namespace" if matches!(node.value, Value::Str(_) | Value::Unknown) => 3,
            "name" => 1,
            "postgresql" | "restapi" | "bootstrap" | "citus" | "watchdog" | "ctl" | "tags" | "log" | "raft" => {
                section(tree, key, entry.value)
            }
            "thread_pool_size" | "thread_stack_size" => 3,
            "scope" | "namespace" | "ttl" | "loop_wait" | "retry_timeout" | "maximum_lag_on_failover" => 2,
            _ if DCS_SECTIONS.contains(&key) => section(tree, key, entry.value),
            _ => -2,
        };
    }
    points >= 4
}

/// Points for a section: its known keys against its unknown ones.
fn section(tree: &Tree, name: &str, node: crate::parse::yaml::NodeId) -> i32 {
    let free = matches!(name, "tags");
    match &tree.node(node).value {
        Value::Mapping(entries) => {
            let known = entries
                .iter()
                .filter(|e| tree.as_str(e.key).and_then(|k| child(name, k)).is_some_and(|row| !row.path.ends_with('*')))
                .count();
            let unknown = entries.len() - known;
            let known = i32::try_from(known.min(6)).unwrap_or(6);
            let unknown = if free { 0 } else { i32::try_from(unknown.min(20)).unwrap_or(20) };
            (known * 2 - unknown).clamp(-6, 8)
        }
        Value::Null | Value::Unknown => 1,
        _ => -3,
    }
}
