//! Endpoints of etcd that Patroni takes apart wrongly. What happens was seen with Patroni 4.1.5.

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::facts::endpoints::{Entry, Named, hosts, named};
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::parse::patroni::{Item, Type, split_host_port};
use crate::problem::Problem;
use crate::rules::report::Report;
use crate::source::Span;

/// The etcd section that Patroni uses, of each file.
fn sections(facts: &Facts) -> impl Iterator<Item = (&'static str, &Item)> {
    facts.files().iter().filter_map(|f| f.config.dcs()).filter(|(kind, _)| ["etcd", "etcd3"].contains(kind))
}

/// Texts with which Patroni does not start, or finds no server.
pub(in crate::rules::native) fn format(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (kind, section) in sections(facts) {
        let Some(named) = named(section) else { continue };
        let path = format!("{kind}.{}", named.key);
        let problem = |at: Span, text: &str| report.problem(at).arg("path", &path).arg("problem", text);
        if let Some(problem) = whole_fault(section, &named, problem) {
            report.add(problem);
            continue;
        }
        let is_url = ["proxy", "url"].contains(&named.key);
        let fault = |text| if is_url { url_fault(text) } else { host_fault(text) };
        if let Some((at, text)) = named.entries.iter().find_map(|e| Some((e.at, fault(e.text)?))) {
            report.add(problem(at, &text));
        }
    }
    Ok(())
}

/// What is wrong with the value as a whole.
fn whole_fault(section: &Item, named: &Named<'_>, problem: impl Fn(Span, &str) -> Problem) -> Option<Problem> {
    let item = named.item;
    let renamed = |problem: Problem| match item.key_span {
        Some(key) if section.get("hosts").is_none() => problem.edit(key, "hosts"),
        _ => problem,
    };
    match named.key {
        "host" if item.kind() == Type::List => {
            let text = "a list belongs under `hosts` (`'list' object has no attribute 'rsplit'`)";
            Some(renamed(problem(item.span, text)))
        }
        "host" if item.as_str().is_some_and(|t| t.contains(',') && !t.contains("://") && !is_placeholder(t)) => {
            Some(renamed(problem(item.span, "it is taken for one host; several belong under `hosts`")))
        }
        "hosts"
            if named.is_complete
                && [Type::Str, Type::List].contains(&item.kind())
                && named.entries.iter().all(|e| e.text.is_empty()) =>
        {
            Some(problem(item.key_or_value(), "it names no host"))
        }
        _ => None,
    }
}

fn host_fault(text: &str) -> Option<String> {
    if text.is_empty() || is_placeholder(text) {
        return None;
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Some(format!("`{scheme}://` does not belong here; `protocol` says how etcd is spoken to"));
    }
    if text.contains(',') {
        return Some("an item of the list is one host".to_owned());
    }
    if text.contains(';') || text.contains(char::is_whitespace) {
        return Some("hosts are separated by commas".to_owned());
    }
    if split_host_port(text, 2379).is_none() {
        return Some(format!(
            "what stands behind the last colon of `{text}` is no port (`ValueError: invalid literal for int()`)"
        ));
    }
    None
}

fn url_fault(text: &str) -> Option<String> {
    if text.is_empty() || is_placeholder(text) {
        return None;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some(
            "it does not begin with `http://` or `https://`, so Patroni looks for etcd on another host".to_owned(),
        );
    };
    if !["http", "https"].contains(&scheme.to_lowercase().as_str()) {
        return Some(format!("`{scheme}` is no protocol of etcd"));
    }
    rest.contains(',').then(|| "it is one URL; several hosts belong under `hosts`".to_owned())
}

/// A comma too many.
pub(in crate::rules::native) fn empty_entry(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (kind, section) in sections(facts) {
        let Some(named) = named(section).filter(|n| n.key == "hosts") else { continue };
        let (empty, full): (Vec<_>, Vec<_>) = named.entries.iter().partition(|e| e.text.is_empty());
        if let (Some(entry), false) = (empty.first(), full.is_empty()) {
            let at = if entry.at.start == entry.at.end { named.item.key_or_value() } else { entry.at };
            report.add(report.problem(at).arg("path", format!("{kind}.hosts")));
        }
    }
    Ok(())
}

/// A host that stands there twice.
pub(in crate::rules::native) fn repeated(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for (kind, section) in sections(facts) {
        // Of an open list some items may be alternatives.
        let Some(named) = named(section).filter(|n| n.key == "hosts" && n.is_complete) else { continue };
        if let Some(entry) = first_repeated(&named) {
            let problem = report.problem(entry.at);
            report.add(problem.arg("path", format!("{kind}.hosts")).arg("host", entry.text));
        }
    }
    Ok(())
}

/// An entry that stands there before already; not one like `x.x.x.x`, which somebody is going to fill in.
fn first_repeated<'a>(named: &'a Named<'_>) -> Option<&'a Entry<'a>> {
    let mut seen = BTreeSet::new();
    let mut full =
        named.entries.iter().filter(|e| !e.text.is_empty() && !is_placeholder(e.text) && !e.text.contains("x.x"));
    full.find(|e| split_host_port(e.text, 2379).is_some_and(|host| !seen.insert(host)))
}

/// An even number of members outlives the loss of no more of them than the odd number below it.
pub(in crate::rules::native) fn even(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some((kind, section)) = file.config.dcs() else { continue };
        let Some(named) = named(section).filter(|n| n.key == "hosts" && ["etcd", "etcd3"].contains(&kind)) else {
            continue;
        };
        if first_repeated(&named).is_some() {
            continue;
        }
        let Some(count) = hosts(&file.config).map(|h| h.len()).filter(|n| n % 2 == 0) else { continue };
        let loss = match count / 2 - 1 {
            0 => "none".to_owned(),
            n => n.to_string(),
        };
        report.add(
            report
                .problem(named.item.key_or_value())
                .arg("path", format!("{kind}.hosts"))
                .arg("count", count.to_string())
                .arg("loss", loss),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_with_ports_that_may_be_absent() {
        for good in ["a:2379", "a", "[::1]:2379", "10.0.0.1:2379", "${HOST}:x", "", "<ip>:2379"] {
            assert_eq!(host_fault(good), None, "{good}");
        }
        for bad in ["http://a:1", "a:1,b:1", "a:1;b:1", "a:1 b:1", "a:", "a:1/"] {
            assert!(host_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_url_has_a_scheme_and_one_host() {
        assert_eq!(url_fault("HTTPS://a:2379/").or(url_fault("http://u:p@a")), None);
        for bad in ["a:2379", "etcd://a", "http://a:1,http://b:1"] {
            assert!(url_fault(bad).is_some(), "{bad}");
        }
    }
}
