//! The containers in a manifest of Kubernetes: which variables they are started with.
//!
//! A manifest may hold its pods at any depth (`Pod`, `StatefulSet`, `CronJob`, resources of operators), so every list called
//! `containers` or `initContainers` counts. `valueFrom` and `envFrom` come from elsewhere and are not known, and so is what refers
//! to another variable, `$(NAME)` (kubernetes.io, "Define Dependent Environment Variables").

use memchr::memmem;

use crate::parse::service::Service;
use crate::parse::unit::Variable;
use crate::parse::yaml::{NodeId, Tree, Value};
use crate::source::{Source, Span, Spanned};

/// Whether a document may hold a container that sets a variable of Patroni.
#[must_use]
pub fn may_hold_pods(document: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(document, word).is_some();
    has(b"PATRONI_") && (has(b"containers:") || has(b"initContainers:"))
}

/// The containers of a document that set a variable of Patroni. One that only may do so is not among them: any may.
#[must_use]
pub fn containers(source: &Source, tree: &Tree) -> Vec<Service> {
    let mut found = Vec::new();
    let mut open: Vec<NodeId> = tree.root().into_iter().collect();
    while let Some(id) = open.pop() {
        if let Value::Sequence(items) = &tree.node(id).value {
            open.extend(items);
        }
        for entry in tree.entries(id) {
            open.push(entry.value);
            let is_list = matches!(tree.as_str(entry.key), Some("containers" | "initContainers"));
            if let (true, Value::Sequence(items)) = (is_list, &tree.node(entry.value).value) {
                found.extend(items.iter().map(|item| container(source, tree, *item)));
            }
        }
    }
    found.retain(|c| c.variables.iter().any(|v| v.name.value.starts_with("PATRONI_")));
    found.sort_by_key(|c| c.variables.first().map(|v| v.name.span.start));
    found
}

fn container(source: &Source, tree: &Tree, id: NodeId) -> Service {
    let span = tree.node(id).span;
    let mut service = Service::default();
    let mut is_open = tree.is_open(id) || tree.get(id, "envFrom").is_some();
    if let Some(list) = tree.get(id, "env").map(|e| e.value) {
        is_open |= tree.is_open(list);
        match &tree.node(list).value {
            Value::Sequence(items) => service.variables.extend(items.iter().map(|i| variable(source, tree, *i))),
            Value::Unknown => is_open = true,
            _ => {}
        }
    }
    if is_open {
        service.variables.push(Variable::anything_at(span.at_start()));
    }
    service
}

/// `{name: NAME, value: text}`
fn variable(source: &Source, tree: &Tree, id: NodeId) -> Variable {
    let span = tree.node(id).span;
    let text = |key: &str| {
        let at = tree.get(id, key)?.value;
        Some((tree.as_str(at)?.to_owned(), tree.node(at).span)).filter(|_| !tree.is_optional(at))
    };
    let Some((name, at)) = text("name").filter(|(_, at)| !source.is_unknown(*at)) else {
        return Variable::anything_at(span);
    };
    let name = Spanned::new(name, at);
    let value: Option<(String, Span)> = text("value").filter(|_| !tree.is_open(id) && !tree.is_optional(id));
    match value.and_then(|(text, at)| Some((plain(&text)?, at))) {
        Some((text, at)) => Variable::new(name, Spanned::new(text, at)),
        None => Variable::unknown(name, tree.get(id, "value").map_or(at, |e| tree.node(e.value).span)),
    }
}

/// A value without references to other variables; `$$` stands for one `$`.
fn plain(text: &str) -> Option<String> {
    let refers = text.replace("$$", "").contains("$(");
    (!refers).then(|| text.replace("$$", "$"))
}

#[cfg(test)]
mod tests {
    use super::{containers, may_hold_pods};
    use crate::parse::template::{Engine, Format, scan};
    use crate::parse::yaml;
    use crate::source::Source;

    fn read(text: &str) -> Vec<Vec<(String, Option<String>)>> {
        let template = scan(text.as_bytes(), Engine::Undeclared, Format::Yaml);
        let source = Source::lone("pod.yml", text).with_template(template);
        assert!(may_hold_pods(text.as_bytes()));
        let shown = |v: &crate::parse::unit::Variable| {
            (v.name.value.clone(), v.is_known.then(|| v.value.value.reveal().to_owned()))
        };
        let found = containers(&source, &yaml::parse(&source).tree);
        found.iter().map(|c| c.variables.iter().map(shown).collect()).collect()
    }

    #[test]
    fn variables_of_containers() {
        let text = "kind: StatefulSet\nspec:\n  template:\n    spec:\n      initContainers:\n      - name: x\n        env: \n        - {name: A, value: b}\n      \
                    containers:\n      - name: patroni\n        env:\n        - name: PATRONI_NAME\n          valueFrom: {fieldRef: {fieldPath: metadata.name}}\n        \
                    - name: PATRONI_SCOPE\n          value: a$$b\n        - name: PATRONI_RESTAPI_LISTEN\n          value: $(POD_IP):8008\n        - name: PATRONI_LOG_LEVEL\n          value: {{ .Values.level }}\n        \
                    - name: PATRONI_TTL\n          value: 30\n";
        let of = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(
            read(text),
            [[
                of("PATRONI_NAME", None),
                of("PATRONI_SCOPE", Some("a$b")),
                of("PATRONI_RESTAPI_LISTEN", None),
                of("PATRONI_LOG_LEVEL", None),
                of("PATRONI_TTL", None),
            ]]
        );
    }

    #[test]
    fn what_comes_from_elsewhere_is_not_known() {
        let text = "spec:\n  containers:\n  - env:\n    - name: PATRONI_NAME\n      value: a\n{{ toYaml .Values.env | indent 4 }}\n  - envFrom: [{configMapRef: {name: c}}]\n    \
                    env: [{name: PATRONI_SCOPE, value: s}]\n";
        let found = read(text);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|c| c.iter().any(|(name, _)| name.is_empty())), "{found:?}");
    }
}
