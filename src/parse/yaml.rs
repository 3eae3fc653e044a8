//! YAML as Patroni reads it: PyYAML's pure-Python `safe_load`, with spans.

mod tree;

pub use tree::{Entry, Int, Node, NodeId, Style, Tree, Value};
