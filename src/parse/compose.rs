//! The services of a compose file: which variables they are started with, and which files of the host they see.
//!
//! `environment` may be a mapping or a list, `env_file` a path or several. A variable without a value, and `${NAME}`, come from
//! outside and are not known (docs.docker.com, "Set environment variables" and "Interpolation").

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::parse::service::Service;
use crate::parse::unit::Variable;
use crate::parse::yaml::{Int, NodeId, Tree, Value};
use crate::source::path::normal;
use crate::source::{Source, Span, Spanned};

/// Whether a text is a compose file that speaks of Patroni. Cheap: every YAML file is asked.
#[must_use]
pub fn is_compose(bytes: &[u8]) -> bool {
    let services = memmem::find_iter(bytes, b"services:").any(|at| at == 0 || bytes[at - 1] == b'\n');
    services && [&b"PATRONI_"[..], b"patroni"].iter().any(|word| memmem::find(bytes, word).is_some())
}

/// The services of a compose file that set a variable of Patroni, or may do so.
#[must_use]
pub fn services(source: &Source, tree: &Tree) -> Vec<Service> {
    let reader = Reader { source, tree };
    let Some(root) = tree.root() else { return Vec::new() };
    let section = tree.get(root, "services").map(|e| e.value);
    let mut all: Vec<Service> =
        section.map_or(&[][..], |s| tree.entries(s)).iter().map(|s| reader.service(s.value)).collect();
    if section.map_or(tree.is_open(root), |s| tree.is_open(s) || tree.node(s).value == Value::Unknown) {
        all.push(reader.any(tree.node(root).span));
    }
    all.retain(Service::may_be_patroni);
    all
}

struct Reader<'a> {
    source: &'a Source,
    tree: &'a Tree,
}

impl Reader<'_> {
    /// A service of which nothing is known.
    fn any(&self, at: Span) -> Service {
        let variables = vec![Variable::anything_at(self.source.span(at.range().start, at.range().start))];
        Service { variables, mounts_more: true, ..Service::default() }
    }

    fn service(&self, id: NodeId) -> Service {
        let span = self.tree.node(id).span;
        if self.tree.node(id).value == Value::Unknown {
            return self.any(span);
        }
        let mut is_open = self.tree.is_open(id) || self.tree.get(id, "extends").is_some();
        let mut service = Service { mounts_more: is_open, ..Service::default() };
        if let Some(environment) = self.tree.get(id, "environment").map(|e| e.value) {
            is_open |= self.tree.is_open(environment);
            match &self.tree.node(environment).value {
                Value::Sequence(items) => service.variables.extend(items.iter().map(|i| self.item(*i))),
                Value::Mapping(entries) => {
                    service.variables.extend(entries.iter().map(|e| self.variable(e.key, e.value)));
                }
                Value::Unknown => is_open = true,
                _ => {}
            }
        }
        if let Some(files) = self.tree.get(id, "env_file").map(|e| e.value) {
            for file in self.list(files) {
                // Its long form is a mapping.
                let path = self.tree.get(file, "path").map_or(file, |e| e.value);
                match self.tree.as_str(path).and_then(|text| self.on_host(text)) {
                    Some(path) => service.env_files.push(path),
                    None => is_open = true,
                }
            }
        }
        let volumes = self.tree.get(id, "volumes").map(|v| v.value);
        service.mounts_more |= volumes.is_some_and(|v| self.tree.is_open(v));
        for mount in volumes.map_or_else(Vec::new, |v| self.list(v)) {
            let parts = std::iter::once(mount).chain(self.tree.entries(mount).iter().map(|e| e.value));
            service.mounts_more |=
                self.tree.is_open(mount) || { parts }.any(|p| self.tree.node(p).value == Value::Unknown);
            let of_host = self.tree.get(mount, "source").and_then(|e| self.tree.as_str(e.value));
            let text = of_host.or_else(|| Some(self.tree.as_str(mount)?.split_once(':')?.0));
            service.mounts.extend(text.filter(|t| t.starts_with('.')).and_then(|t| self.on_host(t)));
        }
        if is_open {
            service.variables.push(Variable::anything_at(span.at_start()));
        }
        service
    }

    /// The items of a list, or what stands in place of one.
    fn list(&self, id: NodeId) -> Vec<NodeId> {
        if let Value::Sequence(items) = &self.tree.node(id).value { items.clone() } else { vec![id] }
    }

    /// A path as the compose file writes it, relative to its directory.
    fn on_host(&self, text: &str) -> Option<PathBuf> {
        let dir = self.source.path()?.parent().unwrap_or(Path::new(""));
        (!text.starts_with(['/', '~'])).then(|| normal(&dir.join(text)))
    }

    /// `NAME: value`
    fn variable(&self, key: NodeId, value: NodeId) -> Variable {
        let (key, node) = (self.tree.node(key), self.tree.node(value));
        let Value::Str(name) = &key.value else { return Variable::anything_at(key.span) };
        let name = Spanned::new(name.to_string(), key.span);
        let written = || self.source.text(node.span).into_owned();
        let text = match &node.value {
            Value::Str(text) => Some(text.replace("$$", "$")),
            // How compose prints other numbers is its own matter.
            Value::Int(Int::Small(n)) if written() == n.to_string() => Some(n.to_string()),
            Value::Bool(b) if written() == b.to_string() => Some(b.to_string()),
            _ => None,
        };
        match text.filter(|_| !self.tree.is_optional(value)) {
            Some(text) => Variable::new(name, Spanned::new(text, node.span)),
            None => Variable::unknown(name, node.span),
        }
    }

    /// `- NAME=value`
    fn item(&self, id: NodeId) -> Variable {
        let span = self.tree.node(id).span;
        let (start, written) = (span.range().start, self.source.text(span));
        let quotes = usize::from(written.starts_with(['"', '\'']));
        let inner = &written[quotes..written.len() - quotes.min(written.len() - quotes)];
        let equals = inner.find('=');
        let end = start + quotes + equals.unwrap_or(inner.len());
        let name_at = self.source.span(start + quotes, end.min(span.range().end));
        if self.source.is_unknown(name_at) {
            return Variable::anything_at(span);
        }
        let name = Spanned::new(self.source.text(name_at).into_owned(), name_at);
        let value_at = Span { start: name_at.end + u32::from(equals.is_some()), ..span };
        let value_at = Span { end: span.end.saturating_sub(u32::from(quotes > 0)).max(value_at.start), ..value_at };
        match self.tree.as_str(id).and_then(|text| text.split_once('=')) {
            Some((_, text)) if !self.tree.is_optional(id) => {
                Variable::new(name, Spanned::new(text.replace("$$", "$"), value_at))
            }
            _ => Variable::unknown(name, value_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Service, is_compose, services};
    use crate::parse::template::{Engine, Format, scan};
    use crate::parse::yaml;
    use crate::source::Source;

    fn read(text: &str) -> Vec<Service> {
        let template = scan(text.as_bytes(), Engine::Undeclared, Format::Yaml);
        let source = Source::lone("compose.yml", text).with_template(template);
        assert!(is_compose(text.as_bytes()));
        services(&source, &yaml::parse(&source).tree)
    }

    fn shown(service: &Service) -> Vec<(String, Option<String>)> {
        let value = |v: &crate::parse::unit::Variable| v.is_known.then(|| v.value.value.reveal().to_owned());
        service.variables.iter().map(|v| (v.name.value.clone(), value(v))).collect()
    }

    #[test]
    fn variables_stand_in_a_mapping_or_in_a_list() {
        let text = "services:\n  a:\n    environment:\n      PATRONI_NAME: a$$b\n      PATRONI_SCOPE: ${S}\n      X: 1\n      Y:\n      Z: 010\n  \
                    b:\n    environment:\n      - PATRONI_NAME=b=c\n      - \"PATRONI_SCOPE=${S:-x}\"\n      - HOME\n      - ${ALL}\n  c:\n    \
                    environment: {Q: PATRONI_NAME}\n";
        let found = read(text);
        let of = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(found.len(), 2);
        assert_eq!(
            shown(&found[0]),
            [
                of("PATRONI_NAME", Some("a$b")),
                of("PATRONI_SCOPE", None),
                of("X", Some("1")),
                of("Y", None),
                of("Z", None)
            ]
        );
        assert_eq!(
            shown(&found[1]),
            [of("PATRONI_NAME", Some("b=c")), of("PATRONI_SCOPE", None), of("HOME", None), of("", None)]
        );
    }
}
