//! Keeps trees walkable: aliases that make a node contain itself, or a small text mean a huge value, are cut.

use std::collections::BTreeSet;

use super::tree::{Node, NodeId, Style, Value};

/// The most steps that a walk through all of a tree takes, if the text itself has not more nodes.
pub const MOST_STEPS: usize = 1 << 20;

/// What was cut, by the collection in which it stood.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// Collections that contain themselves.
    pub(super) recursive: Vec<NodeId>,
    /// Collections that are too large with all aliases written out.
    pub(super) large: Vec<NodeId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    No,
    /// A walk is inside it.
    Open,
    /// With everything in it, so many nodes.
    Closed(usize),
}

/// A collection that a walk is inside of.
struct Frame {
    id: NodeId,
    left: Vec<NodeId>,
    cut: BTreeSet<NodeId>,
}

/// Goes through everything below the root and cuts what makes it endless.
pub(super) fn bound(nodes: &mut Vec<Node>, root: NodeId) -> Cuts {
    let limit = MOST_STEPS.max(2 * nodes.len());
    let mut seen = vec![Seen::No; nodes.len()];
    let mut cuts = Cuts::default();
    let mut path: Vec<Frame> = Vec::new();
    enter(nodes, &mut seen, &mut path, root);
    while let Some(frame) = path.last_mut() {
        match frame.left.pop() {
            Some(child) => match seen[child.index()] {
                Seen::No => enter(nodes, &mut seen, &mut path, child),
                Seen::Open => {
                    frame.cut.insert(child);
                }
                Seen::Closed(_) => {}
            },
            None => {
                if let Some(frame) = path.pop() {
                    let id = frame.id;
                    let size = close(nodes, &seen, frame, limit, &mut cuts);
                    seen[id.index()] = Seen::Closed(size);
                }
            }
        }
    }
    cuts
}

fn enter(nodes: &[Node], seen: &mut [Seen], path: &mut Vec<Frame>, id: NodeId) {
    let left = children(&nodes[id.index()].value);
    if left.is_empty() {
        seen[id.index()] = Seen::Closed(1);
    } else {
        seen[id.index()] = Seen::Open;
        path.push(Frame { id, left, cut: BTreeSet::new() });
    }
}

fn children(value: &Value) -> Vec<NodeId> {
    match value {
        Value::Sequence(items) | Value::Set(items) => items.clone(),
        Value::Mapping(entries) | Value::Pairs(entries) => entries.iter().flat_map(|e| [e.key, e.value]).collect(),
        _ => Vec::new(),
    }
}

/// Adds up what is in a collection, and cuts what makes it endless or too large.
fn close(nodes: &mut Vec<Node>, seen: &[Seen], frame: Frame, limit: usize, cuts: &mut Cuts) -> usize {
    let Frame { id, mut cut, .. } = frame;
    if !cut.is_empty() {
        cuts.recursive.push(id);
    }
    let mut size = 1_usize;
    let mut large = false;
    for child in children(&nodes[id.index()].value) {
        let more = match seen.get(child.index()) {
            Some(Seen::Closed(more)) if !cut.contains(&child) => *more,
            _ => 1,
        };
        if size + more > limit {
            large = true;
            cut.insert(child);
        } else {
            size += more;
        }
    }
    if large {
        cuts.large.push(id);
    }
    if !cut.is_empty() {
        replace(nodes, id, &cut);
    }
    size
}

/// Puts an unknown value in the place of children, wherever they stand in the collection.
fn replace(nodes: &mut Vec<Node>, parent: NodeId, cut: &BTreeSet<NodeId>) {
    let span = nodes[parent.index()].span.at_end();
    let unknown = NodeId::at(nodes.len());
    let swap = |id: &mut NodeId| {
        if cut.contains(id) {
            *id = unknown;
        }
    };
    match &mut nodes[parent.index()].value {
        Value::Sequence(items) | Value::Set(items) => items.iter_mut().for_each(swap),
        Value::Mapping(entries) | Value::Pairs(entries) => entries.iter_mut().map(|e| &mut e.value).for_each(swap),
        _ => {}
    }
    nodes.push(Node { value: Value::Unknown, span, style: Style::Plain });
}
