//! The dynamic configuration behind an upgrade that has emptied the store.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::kept::kept;
use crate::rules::native::upgrade::each;
use crate::rules::report::Report;

/// `upgrade-dynamic-json`: neither the store nor the new data directory has it, and the old one has.
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let file = on.file(facts)?;
        let member = on.member.ok_or_else(|| on.node.not_asked("Patroni's configuration"))?;
        let Some((dir, server)) = on.new_data()? else { return Ok(()) };
        if on.node.answer("patroni.dynamic.json of the new cluster", &server.value().data.dynamic)?.is_some() {
            return Ok(());
        }
        let kept = kept(facts, member, on.node)?;
        if kept.get("config").is_some() {
            return Ok(());
        }
        let before = &server.value().before;
        let Some(old) = before.iter().find(|(_, file)| file.got().is_some_and(Option::is_some)) else {
            // Without an older one nothing is lost; that has to be seen.
            for (file, answer) in before {
                on.node.answer(file, answer)?;
            }
            let unknown = || Err(on.node.not_asked("patroni.dynamic.json of the old cluster"));
            return if before.is_empty() { unknown() } else { Ok(()) };
        };
        report.add(
            report
                .problem(file.place_of("bootstrap.dcs"))
                .arg("member", &*on.node.name)
                .arg("path", &*kept.path)
                .arg("dir", dir.trim_end_matches('/'))
                .arg("old", &**old.0)
                .label(server.at(&["data", "dynamic"]), format!("of {dir}"))
                .label(server.at(&["before", old.0]), "what it was"),
        );
        Ok(())
    });
    Ok(())
}
