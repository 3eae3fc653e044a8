//! A permanent slot that is described otherwise than the server has it, or the SQL makes it (`postgresql/slots.py:compare_slots`).

use std::collections::BTreeSet;

use crate::facts::gap::Gap;
use crate::facts::nodes::{Node, Row};
use crate::facts::slot_fate::{is_logical, permanent};
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;
use crate::rules::report::Report;
use crate::source::Span;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for member in facts.members() {
        if let Some(node) = facts.node_of(member) {
            of_server(facts, member, node, &mut said, report);
            continue;
        }
        for (name, item) in permanent(&facts.patroni[member.file]) {
            let made = member.sqls.iter().flat_map(|i| &facts.sqls[*i].sql.slots).find(|s| s.name.value == name);
            let Some(made) = made else { continue };
            let plugin = item.get("plugin").and_then(Item::as_str).filter(|_| is_logical(item));
            // A plugin that is no constant in the SQL is not known.
            let same = match (&made.plugin, plugin) {
                (Some(made), Some(declared)) => made == declared,
                (None, None) => !is_logical(item),
                _ => false,
            };
            let unknown =
                is_logical(item) && plugin.is_none() || made.plugin.as_deref().is_some_and(|p| p.starts_with(':'));
            let at = item.key_or_value();
            if same || unknown || !said.insert(at) {
                continue;
            }
            report.add(
                report
                    .problem(at)
                    .arg("slot", name)
                    .arg("declared", words(plugin, None))
                    .arg("made", format!("the SQL makes it {}", words(made.plugin.as_deref(), None)))
                    .label(made.name.span, "made here"),
            );
        }
    }
    Ok(())
}

/// The same against what a server has; a slot that it does not have is made as it is declared.
fn of_server(facts: &Facts, member: &Member, node: &Node, said: &mut BTreeSet<Span>, report: &mut Report) {
    let declared: Vec<(&str, &Item)> = permanent(&facts.patroni[member.file]).collect();
    if declared.is_empty() {
        return;
    }
    let Some(rows) = report.known(node.rows("slots")) else { return };
    for (name, item) in declared {
        let left = |row: &&Row| row.is("temporary") || row.is("failover");
        let Some(row) = rows.iter().find(|row| row.get("slot_name") == Some(name)).filter(|row| !left(row)) else {
            continue;
        };
        let of_item = |key: &str| item.get(key).and_then(Item::as_str).filter(|_| is_logical(item));
        let (plugin, database) = (of_item("plugin"), of_item("database"));
        if (row.get("plugin"), row.get("database")) == (plugin, database) || !said.insert(row.at) {
            continue;
        }
        report.add(
            report
                .problem(item.key_or_value())
                .node(&member.name)
                .arg("slot", name)
                .arg("declared", words(plugin, database))
                .arg("made", format!("{} has it {}", member.name, words(row.get("plugin"), row.get("database"))))
                .label(row.at, "as it is"),
        );
    }
}

/// A kind of slot in words.
fn words(plugin: Option<&str>, database: Option<&str>) -> String {
    match (plugin, database) {
        (None, _) => "physical".to_owned(),
        (Some(plugin), None) => format!("logical with {plugin}"),
        (Some(plugin), Some(database)) => format!("logical with {plugin} in database {database}"),
    }
}
