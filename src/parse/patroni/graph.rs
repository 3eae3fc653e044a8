//! Values while they are being joined, as Python has them: an object may be reachable on several ways.
//!
//! A YAML alias is a second reference to one object, and `utils.py:patch_config` changes maps in place. So a later file of a
//! configuration directory that changes a map under one key changes it under every key that shares it. Objects live in an
//! arena for that; [`Graph::expand`] writes them out afterwards, within limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::item::{Item, ItemValue, Key, Layer, Pair, Type};
use super::{python, secrets};
use crate::parse::yaml::{Entry, Int, NodeId, Tree, Value};
use crate::secret::Secret;
use crate::source::{Span, Spanned};

/// Deepest nesting that is written out; PyYAML and Patroni's recursive functions end before 1,000 levels.
const MAX_DEPTH: usize = 200;

/// An object of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(u32);

#[derive(Debug, Clone)]
pub(super) enum Object {
    Null,
    Bool(bool),
    Int(Int),
    Float(f64),
    Str(Arc<str>),
    Other(Box<str>, Type),
    Map(Vec<(Spanned<Key>, Id)>),
    List(Vec<Id>),
    Unknown,
}

#[derive(Debug)]
struct Cell {
    object: Object,
    span: Span,
    layer: Layer,
    /// A map or list that may hold more or less than is known.
    open: bool,
    /// A template decides whether it is there.
    optional: bool,
}

/// Why a value could not be written out in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    Size,
    Depth,
}

/// A key in the order and equality of Python's `dict`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Canonical<'a> {
    Null,
    Int(i64),
    Number(String),
    Str(&'a str),
    Other(&'a str),
}

impl Key {
    pub(super) fn canonical(&self) -> Canonical<'_> {
        match self {
            Self::Null => Canonical::Null,
            Self::Bool(b) => Canonical::Int(i64::from(*b)),
            Self::Int(Int::Small(n)) => Canonical::Int(*n),
            Self::Int(Int::Big(digits)) => Canonical::Number(digits.to_string()),
            Self::Float(x) => float_key(*x),
            Self::Str(text) => Canonical::Str(text),
            Self::Other(text) => Canonical::Other(text),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the number is whole and in range")]
fn float_key<'a>(x: f64) -> Canonical<'a> {
    if x.fract() == 0.0 && x.abs() < 9e15 { Canonical::Int(x as i64) } else { Canonical::Number(python::float(x)) }
}

/// Objects that refer to each other.
#[derive(Debug, Default)]
pub(super) struct Graph {
    cells: Vec<Cell>,
}

impl Graph {
    pub(super) fn add(&mut self, object: Object, span: Span, layer: Layer) -> Id {
        let id = Id(u32::try_from(self.cells.len()).expect("invariant: fewer objects than bytes of input"));
        self.cells.push(Cell { object, span, layer, open: false, optional: false });
        id
    }

    /// There may be more or less in a map than is known.
    pub(super) fn set_open(&mut self, id: Id) {
        self.cells[id.0 as usize].open = true;
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Gives every object from `first` on the same place: that of the value they were read from.
    pub(super) fn place_all(&mut self, first: usize, at: Span) {
        for cell in &mut self.cells[first..] {
            cell.span = at;
            if let Object::Map(pairs) = &mut cell.object {
                for (key, _) in pairs {
                    key.span = at;
                }
            }
        }
    }

    pub(super) fn object(&self, id: Id) -> &Object {
        &self.cells[id.0 as usize].object
    }

    pub(super) fn is_map(&self, id: Id) -> bool {
        matches!(self.object(id), Object::Map(_))
    }

    pub(super) fn get(&self, id: Id, key: &str) -> Option<Id> {
        let Object::Map(pairs) = self.object(id) else { return None };
        pairs.iter().find(|(k, _)| k.value.as_str() == Some(key)).map(|(_, v)| *v)
    }

    /// The place of a string key of a map, and its value.
    pub(super) fn entry(&self, id: Id, key: &str) -> Option<(Span, Id)> {
        let Object::Map(pairs) = self.object(id) else { return None };
        pairs.iter().find(|(k, _)| k.value.as_str() == Some(key)).map(|(k, v)| (k.span, *v))
    }

    /// Python's truth.
    pub(super) fn is_true(&self, id: Id) -> bool {
        match self.object(id) {
            Object::Null | Object::Bool(false) => false,
            Object::Str(t) => !t.is_empty(),
            Object::Map(p) => !p.is_empty(),
            Object::List(l) => !l.is_empty(),
            Object::Int(Int::Small(n)) => *n != 0,
            Object::Float(x) => *x != 0.0,
            Object::Other(text, Type::Bytes) => &**text != "b''",
            _ => true,
        }
    }

    pub(super) fn kind(&self, id: Id) -> Type {
        match self.object(id) {
            Object::Null => Type::Null,
            Object::Bool(_) => Type::Bool,
            Object::Int(_) => Type::Int,
            Object::Float(_) => Type::Float,
            Object::Str(_) => Type::Str,
            Object::Other(_, kind) => *kind,
            Object::Map(_) => Type::Map,
            Object::List(_) => Type::List,
            Object::Unknown => Type::Unknown,
        }
    }

    /// Sets a string key of a map.
    pub(super) fn set(&mut self, map: Id, key: Spanned<&str>, value: Id) {
        if let Object::Map(pairs) = &mut self.cells[map.0 as usize].object {
            match pairs.iter_mut().find(|(k, _)| k.value.as_str() == Some(key.value)) {
                Some(pair) => pair.1 = value,
                None => pairs.push((key.map(Key::named), value)),
            }
        }
    }

    /// Takes over a parsed text. `None` when it has no top.
    pub(super) fn load(&mut self, tree: &Tree, layer: Layer) -> Option<Id> {
        let root = tree.root()?;
        let mut seen = Cells(vec![None; tree.len()]);
        let mut open = vec![root];
        // Cells are made first and filled when their parts are known, because a node may contain itself.
        while let Some(node) = open.pop() {
            if seen.0[node.index()].is_some() {
                continue;
            }
            seen.0[node.index()] = Some(self.add(Object::Unknown, tree.node(node).span, layer));
            match &tree.node(node).value {
                Value::Mapping(entries) => open.extend(entries.iter().map(|e| e.value)),
                Value::Sequence(items) => open.extend(items.iter().copied()),
                Value::Pairs(entries) => open.extend(entries.iter().flat_map(|e| [e.key, e.value])),
                _ => {}
            }
        }
        for (index, cell) in seen.0.iter().enumerate() {
            if let Some(cell) = cell {
                let id = NodeId::at(index);
                let cell = &mut self.cells[cell.0 as usize];
                cell.object = fill(tree, id, &seen);
                cell.open = tree.is_open(id) || tree.entries(id).iter().any(|e| is_filled_in(tree, id, e));
                cell.optional = tree.is_optional(id);
            }
        }
        seen.0[root.index()]
    }

    /// `utils.py:patch_config`: what `data` has goes into `config`; maps are joined, null deletes, everything else replaces.
    pub(super) fn patch(&mut self, config: Id, data: Id) {
        self.patch_at(config, data, 0);
    }

    fn patch_at(&mut self, config: Id, data: Id, depth: usize) {
        let (Object::Map(old), Object::Map(new)) = (self.object(config), self.object(data)) else { return };
        if depth > MAX_DEPTH || config == data {
            return;
        }
        let open = self.cells[data.0 as usize].open;
        if old.is_empty() {
            let taken = new.iter().filter(|(_, value)| !matches!(self.object(*value), Object::Null)).cloned().collect();
            let cell = &mut self.cells[config.0 as usize];
            cell.object = Object::Map(taken);
            cell.open |= open;
            return;
        }
        let was_open = self.cells[config.0 as usize].open;
        let (old, new) = (old.clone(), new.clone());
        let mut pairs: Vec<Option<(Spanned<Key>, Id)>> = old.iter().cloned().map(Some).collect();
        let mut index: BTreeMap<Canonical<'_>, usize> =
            old.iter().enumerate().map(|(i, (k, _))| (k.value.canonical(), i)).collect();
        for (key, value) in &new {
            let name = key.value.canonical();
            let at = index.get(&name).copied();
            let was = at.and_then(|i| pairs[i].as_ref()).map(|p| p.1);
            match (self.object(*value), at, was) {
                (Object::Null, Some(i), _) => {
                    pairs[i] = None;
                    index.remove(&name);
                }
                (Object::Null, None, _) => {}
                (Object::Map(_), Some(_), Some(was)) if self.is_map(was) => self.patch_at(was, *value, depth + 1),
                (Object::Map(_), Some(i), Some(was)) if matches!(self.object(was), Object::Unknown) => {
                    // Joined to what a template makes, from which null takes keys away, or in its place.
                    pairs[i] = Some((key.clone(), *value));
                    self.drop_nulls(*value);
                    self.set_open(*value);
                }
                (Object::Map(_), Some(i), _) => pairs[i] = Some((key.clone(), *value)),
                (_, Some(_), Some(was)) if self.prints_alike(was, *value) => {}
                (_, Some(i), _) => pairs[i] = Some((key.clone(), *value)),
                (_, None, _) => {
                    if was_open && self.is_map(*value) {
                        self.drop_nulls(*value);
                        self.set_open(*value);
                    }
                    index.insert(name, pairs.len());
                    pairs.push(Some((key.clone(), *value)));
                }
            }
        }
        let cell = &mut self.cells[config.0 as usize];
        cell.object = Object::Map(pairs.into_iter().flatten().collect());
        cell.open |= open;
    }

    fn drop_nulls(&mut self, map: Id) {
        let Object::Map(pairs) = self.object(map) else { return };
        let kept = pairs.iter().filter(|(_, value)| !matches!(self.object(*value), Object::Null)).cloned().collect();
        self.cells[map.0 as usize].object = Object::Map(kept);
    }

    /// Whether `str()` of both is the same text.
    fn prints_alike(&self, a: Id, b: Id) -> bool {
        matches!((self.print(a), self.print(b)), (Some(a), Some(b)) if a == b)
    }

    /// `str()` of an object; `None` when the text would be very long.
    pub(super) fn print(&self, id: Id) -> Option<String> {
        match self.object(id) {
            Object::Str(text) => Some(text.to_string()),
            Object::Other(text, Type::Date) => Some(text.replacen('T', " ", 1)),
            _ => {
                let mut out = String::new();
                let mut left = 1 << 20;
                self.repr(id, &mut Vec::new(), &mut left, &mut out).then_some(out)
            }
        }
    }

    fn repr(&self, id: Id, above: &mut Vec<Id>, left: &mut usize, out: &mut String) -> bool {
        *left = left.saturating_sub(1 + out.len() / (1 << 20));
        if *left == 0 || above.len() > MAX_DEPTH {
            return false;
        }
        let inside = above.contains(&id);
        match self.object(id) {
            Object::Null => out.push_str("None"),
            Object::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
            Object::Int(n) => out.push_str(&python::int(n)),
            Object::Float(x) => out.push_str(&python::float(*x)),
            Object::Str(text) => out.push_str(&python::quoted(text)),
            Object::Other(text, Type::Date) => out.push_str(&python::date(text)),
            Object::Other(text, _) => out.push_str(text),
            Object::Unknown => return false,
            Object::List(_) if inside => out.push_str("[...]"),
            Object::Map(_) if inside => out.push_str("{...}"),
            Object::List(items) => {
                out.push('[');
                above.push(id);
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    if !self.repr(*item, above, left, out) {
                        return false;
                    }
                }
                above.pop();
                out.push(']');
            }
            Object::Map(pairs) => {
                out.push('{');
                above.push(id);
                for (i, (key, value)) in pairs.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    out.push_str(&key.value.repr());
                    out.push_str(": ");
                    if !self.repr(*value, above, left, out) {
                        return false;
                    }
                }
                above.pop();
                out.push('}');
            }
        }
        true
    }

    /// Writes an object out, every alias as a copy, secrets out of sight. At most `budget` values are made.
    /// `place` is the path pattern under which it is known to the table of keys.
    pub(super) fn expand(&self, id: Id, budget: usize, place: &'static str) -> (Item, Option<(Excess, Span)>) {
        let mut writer = Writer { graph: self, left: budget, excess: None };
        let item = writer.item(id, None, 0, &mut secrets::Place::at(place));
        (item, writer.excess)
    }
}

impl Key {
    /// `repr()` of the key.
    #[must_use]
    pub fn repr(&self) -> String {
        match self {
            Self::Null => "None".to_owned(),
            Self::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
            Self::Int(n) => python::int(n),
            Self::Float(x) => python::float(*x),
            Self::Str(text) => python::quoted(text),
            Self::Other(text) => text.to_string(),
        }
    }
}

struct Writer<'a> {
    graph: &'a Graph,
    left: usize,
    excess: Option<(Excess, Span)>,
}

impl Writer<'_> {
    fn item(&mut self, id: Id, key_span: Option<Span>, depth: usize, place: &mut secrets::Place) -> Item {
        let cell = &self.graph.cells[id.0 as usize];
        let excess = if self.left == 0 {
            Some(Excess::Size)
        } else if depth > MAX_DEPTH {
            Some(Excess::Depth)
        } else {
            None
        };
        if let Some(kind) = excess {
            self.excess.get_or_insert((kind, cell.span));
            let (span, layer, optional) = (cell.span, cell.layer, cell.optional);
            return Item { value: ItemValue::Unknown, span, key_span, layer, open: false, optional };
        }
        self.left -= 1;
        let value = match &cell.object {
            Object::Map(pairs) => ItemValue::Map(
                pairs
                    .iter()
                    .map(|(key, value)| {
                        let mark = place.enter(key.value.as_str());
                        let item = self.item(*value, Some(key.span), depth + 1, place);
                        place.leave(&mark);
                        Pair { key: key.clone(), item }
                    })
                    .collect(),
            ),
            Object::List(items) => {
                let mark = place.enter_list();
                let items = items.iter().map(|i| self.item(*i, None, depth + 1, place)).collect();
                place.leave(&mark);
                ItemValue::List(items)
            }
            scalar => self.scalar(id, scalar, place),
        };
        let (open, optional) = (cell.open, cell.optional);
        Item { value, span: cell.span, key_span, layer: cell.layer, open, optional }
    }

    fn scalar(&self, id: Id, object: &Object, place: &secrets::Place) -> ItemValue {
        let (value, kind) = match object {
            Object::Null => return ItemValue::Null,
            Object::Bool(b) => (ItemValue::Bool(*b), Type::Bool),
            Object::Int(n) => (ItemValue::Int(n.clone()), Type::Int),
            Object::Float(x) => (ItemValue::Float(*x), Type::Float),
            Object::Str(text) => (ItemValue::Str((**text).into()), Type::Str),
            Object::Other(text, kind) => (ItemValue::Other(text.clone(), *kind), *kind),
            Object::Unknown | Object::Map(_) | Object::List(_) => return ItemValue::Unknown,
        };
        let hidden = place.is_secret() || matches!(&value, ItemValue::Str(text) if secrets::holds_credentials(text));
        if hidden { ItemValue::Secret(Secret::new(self.graph.print(id).unwrap_or_default()), kind) } else { value }
    }
}

/// The cell of each node of a tree that can be reached from its top.
struct Cells(Vec<Option<Id>>);

/// The object of a node whose parts have their cells.
fn fill(tree: &Tree, node: NodeId, seen: &Cells) -> Object {
    let cell = |id: &NodeId| seen.0[id.index()].expect("invariant: every reachable node has a cell");
    match &tree.node(node).value {
        Value::Null => Object::Null,
        Value::Bool(b) => Object::Bool(*b),
        Value::Int(n) => Object::Int(n.clone()),
        Value::Float(x) => Object::Float(*x),
        Value::Str(text) => Object::Str(Arc::clone(text)),
        Value::Binary(bytes) => Object::Other(bytes_repr(bytes), Type::Bytes),
        Value::Timestamp(text) => Object::Other(text.clone(), Type::Date),
        Value::Set(items) => {
            let mut members: Vec<String> = items.iter().map(|i| key_of(tree, *i).repr()).collect();
            members.sort();
            Object::Other(format!("{{{}}}", members.join(", ")).into(), Type::Set)
        }
        Value::Sequence(items) => Object::List(items.iter().map(cell).collect()),
        // A pair is a tuple in Python; nothing in Patroni tells it from a list.
        Value::Pairs(entries) => Object::List(entries.iter().flat_map(|e| [cell(&e.key), cell(&e.value)]).collect()),
        Value::Mapping(entries) => Object::Map(
            entries
                .iter()
                // A placeholder: the map is open.
                .filter(|e| !is_filled_in(tree, node, e))
                .map(|e| (Spanned::new(key_of(tree, e.key), tree.node(e.key).span), cell(&e.value)))
                .collect(),
        ),
        Value::Unknown => Object::Unknown,
    }
}

/// Whether a template fills in the key of an entry, which may come from another map.
fn is_filled_in(tree: &Tree, map: NodeId, entry: &Entry) -> bool {
    tree.node(entry.key).value == Value::Unknown && (entry.merged || tree.is_open(map))
}

fn key_of(tree: &Tree, node: NodeId) -> Key {
    match &tree.node(node).value {
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Bool(*b),
        Value::Int(n) => Key::Int(n.clone()),
        Value::Float(x) => Key::Float(*x),
        Value::Str(text) => Key::named(text),
        Value::Binary(bytes) => Key::Other(bytes_repr(bytes)),
        Value::Timestamp(text) => Key::Other(text.clone()),
        _ => Key::Other("?".into()),
    }
}

fn bytes_repr(bytes: &[u8]) -> Box<str> {
    use std::fmt::Write as _;
    let mut out = String::from("b'");
    for b in bytes {
        match b {
            b'\\' | b'\'' => {
                out.push('\\');
                out.push(char::from(*b));
            }
            b' '..=b'~' => out.push(char::from(*b)),
            _ => write!(out, "\\x{b:02x}").expect("invariant: a String takes all"),
        }
    }
    out.push('\'');
    out.into()
}
