//! A setting of all members that is true of one only.

use crate::facts::gap::Gap;
use crate::facts::{Cluster, Facts, Member, PatroniFile};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters().iter().filter(|c| c.members.len() > 1) {
        for member in &cluster.members {
            for (name, item) in facts.patroni[member.file].dynamic_parameters() {
                let Some(value) = item.as_str() else { continue };
                let Some((problem, other)) = belongs(facts, cluster, member, name, value) else { continue };
                let section = other.key_or_value();
                let found = report.problem(item.span).arg("name", name).arg("value", value).arg("problem", problem);
                report.add(found.label(section, "another member"));
            }
        }
    }
    Ok(())
}

/// Why a value is right on one member only, and what is different on another.
fn belongs<'a>(
    facts: &'a Facts,
    cluster: &Cluster,
    member: &Member,
    name: &str,
    value: &str,
) -> Option<(String, &'a Item)> {
    let own = &facts.patroni[member.file];
    let mut peers = cluster.members.iter().filter(|m| m.file != member.file).map(|m| &facts.patroni[m.file]);
    for key in ["config_dir", "data_dir"] {
        let path = format!("postgresql.{key}");
        let dir = |file: &'a PatroniFile| file.config.get(&path).filter(|i| i.as_str().is_some_and(|d| d.len() > 1));
        let inside =
            |item: &Item| item.as_str().is_some_and(|d| value.starts_with(&format!("{}/", d.trim_end_matches('/'))));
        let Some(_) = dir(own).filter(|d| inside(d)) else { continue };
        let other = peers.find_map(|p| dir(p).filter(|d| !inside(d)));
        return other.map(|item| (format!("it lies in `{key}`, which is another directory there"), item));
    }
    // A name of a host in a path: certificates, mostly.
    let text = own.config.name()?.value;
    let names_it = value.starts_with('/') && text.len() > 2 && holds_word(value, text);
    let other = peers.find_map(|p| p.config.get("name").filter(|n| n.as_str().is_some_and(|n| !holds_word(value, n))));
    let is_path = ["_file", "_directory", "_directories", "_dir"].iter().any(|end| name.ends_with(end));
    other.filter(|_| names_it && is_path).map(|item| (format!("it names this member, {text}"), item))
}

/// Whether a word stands in a text with nothing beside it that would make it another word.
fn holds_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric();
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::holds_word;

    #[test]
    fn words_end_where_letters_and_digits_end() {
        assert!(holds_word("/etc/ssl/pg1.crt", "pg1") && holds_word("/x/pg1", "pg1"));
        assert!(!holds_word("/etc/ssl/pg11.crt", "pg1") && !holds_word("/etc/mypg1/x", "pg1"));
    }
}
