//! A permanent slot that is described otherwise than the SQL makes it (`postgresql/slots.py:compare_slots`).

use std::collections::BTreeSet;

use super::{is_logical, permanent};
use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::parse::patroni::Item;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut said = BTreeSet::new();
    for member in facts.members() {
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
            let words = |plugin: Option<&str>| plugin.map_or("physical".to_owned(), |p| format!("logical with {p}"));
            report.add(
                report
                    .problem(at)
                    .arg("slot", name)
                    .arg("declared", words(plugin))
                    .arg("made", words(made.plugin.as_deref()))
                    .label(made.name.span, "made here"),
            );
        }
    }
    Ok(())
}
