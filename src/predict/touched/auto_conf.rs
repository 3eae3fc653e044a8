//! Settings of recovery in `postgresql.auto.conf`, which Patroni takes out (`ConfigHandler._sanitize_auto_conf`).

use crate::facts::clamp::is_recovery;
use crate::facts::gap::Fact;
use crate::facts::running::is_auto;
use crate::facts::{Facts, Member};

/// Each once.
pub(super) fn recovery_settings(facts: &Facts, member: &Member) -> Fact<Vec<String>> {
    let mut found = Vec::new();
    let mut add = |name: &str| {
        if is_recovery(name) && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    };
    let rows = facts.node_of(member).and_then(|node| node.rows("settings").ok()).unwrap_or_default();
    rows.iter().filter(|row| is_auto(row)).filter_map(|row| row.get("name")).for_each(&mut add);
    match &member.conf {
        Ok(conf) => {
            let conf = &facts.confs[*conf];
            for located in conf.conf.assignments() {
                if facts.sources.get(located.set.span.source).name().ends_with(".auto.conf") {
                    add(&located.set.name.value);
                }
            }
            if let (true, Some(gap)) = (found.is_empty() && rows.is_empty(), conf.unread()) {
                return Err(gap.clone());
            }
        }
        Err(gap) if rows.is_empty() => return Err(gap.clone()),
        Err(_) => {}
    }
    Ok(found)
}
