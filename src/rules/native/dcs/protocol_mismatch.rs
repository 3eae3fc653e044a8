//! Certificates for a store that is spoken to in clear, and keys that have other names in other sections.

use crate::facts::endpoints;
use crate::facts::gap::Gap;
use crate::facts::{Facts, PatroniFile};
use crate::parse::patroni::{Item, Layer};
use crate::rules::report::Report;
use crate::source::Span;

/// The keys for TLS, and names that they have elsewhere.
const NAMES: [(&str, &[&str]); 3] = [
    ("cacert", &["ca", "ca_certs", "ca_file", "cacertfile", "cafile", "trusted_ca_file"]),
    ("cert", &["cert_file", "certfile", "client_cert"]),
    ("key", &["client_key", "key_file", "keyfile", "private_key"]),
];

pub(in crate::rules::native) fn etcd(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        if let Some((kind @ ("etcd" | "etcd3"), section)) = file.config.dcs() {
            look(kind, section, "protocol", endpoints::protocol(section).as_deref(), file, report);
        }
    }
    Ok(())
}

pub(in crate::rules::native) fn consul(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        if let Some((kind @ "consul", section)) = file.config.dcs() {
            let of_url = section.get("url").map(|u| u.as_str()?.split_once("://").map(|(s, _)| s.to_lowercase()));
            let of_key = || match section.get("scheme") {
                None => (!section.open).then(|| "http".to_owned()),
                Some(item) if item.optional => None,
                Some(item) => item.as_str().map(str::to_lowercase),
            };
            look(kind, section, "scheme", of_url.unwrap_or_else(of_key).as_deref(), file, report);
        }
    }
    Ok(())
}

fn look(kind: &str, section: &Item, switch: &str, protocol: Option<&str>, file: &PatroniFile, report: &mut Report) {
    for (right, wrong) in NAMES {
        for (name, item) in wrong.iter().filter_map(|name| Some((name, section.get(name)?))) {
            let text = format!("`{kind}.{name}` is not read; the key is called `{right}` here");
            let mut problem = report.problem(item.key_or_value()).arg("problem", text);
            if let Some(key) = item.key_span.filter(|_| section.get(right).is_none()) {
                problem = problem.edit(key, right);
            }
            report.add(problem);
        }
    }
    let used: Vec<(&str, &Item)> = ["cacert", "ca_cert", "cert", "key"]
        .into_iter()
        .filter_map(|key| Some((key, section.get(key).filter(|i| i.is_truthy())?)))
        .collect();
    if let ([(first, item), rest @ ..], Some("http")) = (used.as_slice(), protocol) {
        let store = kind.trim_end_matches('3');
        let text = format!("`{kind}.{first}` is for TLS, and {store} is spoken to over http");
        let mut problem = report.problem(item.key_or_value()).arg("problem", text);
        for (_, other) in rest {
            problem = problem.label(other.key_or_value(), "");
        }
        if let Some((at, text)) = switch_on(section, item, switch, file) {
            problem = problem.edit(at, text);
        }
        report.add(problem);
    } else if let Some((_, key)) = used.iter().find(|(name, _)| *name == "key")
        && !section.open
        && section.get("cert").is_none()
        && section.get("certfile").is_none()
    {
        let text = format!("`{kind}.key` counts only together with `cert`");
        report.add(report.problem(key.key_or_value()).arg("problem", text));
    }
}

/// The change that makes Patroni speak TLS, where it can be written down for certain.
fn switch_on(section: &Item, tls: &Item, switch: &str, file: &PatroniFile) -> Option<(Span, String)> {
    if ["proxy", "url"].iter().any(|key| section.get(key).is_some()) {
        return None;
    }
    if let Some(item) = section.get(switch) {
        return (item.layer == Layer::File && item.span.start < item.span.end).then(|| (item.span, "https".to_owned()));
    }
    let at = tls.key_span.filter(|at| tls.layer == Layer::File && at.source == file.source.id())?.at_start();
    let line = file.source.line_span(file.source.line_index(at.start))?;
    let indent = file.source.bytes().get(line.start as usize..at.start as usize)?;
    let indent = std::str::from_utf8(indent).ok().filter(|i| i.bytes().all(|b| b == b' '))?;
    Some((at, format!("{switch}: https\n{indent}")))
}
