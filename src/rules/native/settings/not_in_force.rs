//! What stands in the files and the running server does not go by yet.

use crate::facts::gap::{Fact, Gap};
use crate::facts::nodes::{Node, Row};
use crate::facts::{Facts, PatroniFile};
use crate::rules::report::Report;

/// `pending-restart`
pub(in crate::rules::native) fn restart(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let Some(settings) = report.known(live.node.rows("settings")) else { continue };
        let waiting: Vec<&Row> = settings.iter().filter(|row| row.is("pending_restart") && comes(row)).collect();
        let [first, others @ ..] = &waiting[..] else { continue };
        let names: Vec<String> =
            waiting.iter().filter_map(|row| row.get("name")).map(|name| format!("`{name}`")).collect();
        let mut problem = report
            .problem(first.at)
            .node(&live.node.name)
            .arg("names", names.join(", "))
            .arg("wait", if names.len() > 1 { "wait" } else { "waits" })
            .arg("member", live.node.name.as_str());
        for row in others {
            problem = problem.label(row.at, "");
        }
        for row in &waiting {
            if let Some(file) = row.get("name").and_then(|name| in_file(live.node, name)) {
                problem = problem.label(file.at, "comes with the next restart");
            }
        }
        report.add(problem);
    }
    Ok(())
}

/// Whether a restart brings what the files say. What stands on the command line stays, and PostgreSQL says all the same that it
/// waits; the name of the cluster is Patroni's, waits on every member that was taken over, and changes nothing.
fn comes(row: &Row) -> bool {
    row.get("source") != Some("command line") && row.get("name") != Some("cluster_name")
}

/// The line of the files that counts for a setting: of several, the last one.
fn in_file<'a>(node: &'a Node, name: &str) -> Option<&'a Row> {
    let rows = node.rows("file_settings").ok()?;
    rows.iter().rfind(|row| row.get("name").is_some_and(|n| n.eq_ignore_ascii_case(name)))
}

/// `configuration-not-reloaded`
pub(in crate::rules::native) fn reload(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for live in facts.live() {
        let file = live.member.map(|member| &facts.patroni[member.file]);
        let Some(changed) = report.known(changed(live.node, file)) else { continue };
        let [first, others @ ..] = &changed[..] else { continue };
        let paths: Vec<&str> = changed.iter().filter_map(|row| row.get("path")).collect();
        let mut problem = report
            .problem(first.at)
            .node(&live.node.name)
            .arg("paths", paths.join(", "))
            .arg("member", live.node.name.as_str());
        for row in others {
            problem = problem.label(row.at, "");
        }
        report.add(problem);
    }
    Ok(())
}

/// Files that were changed after the server had read them, but for those that Patroni writes anew.
fn changed<'a>(node: &'a Node, file: Option<&PatroniFile>) -> Fact<Vec<&'a Row>> {
    let rows = node.rows("file_times")?;
    let mut replaced = Vec::new();
    for (setting, key) in [("hba_file", "pg_hba"), ("ident_file", "pg_ident")] {
        let path = node.setting(setting)?.and_then(|row| row.get("setting"));
        if file.is_some_and(|file| file.postgresql(key).is_some()) {
            replaced.extend(path);
        }
    }
    let is_kept = |row: &&Row| row.get("path").is_some_and(|path| !replaced.contains(&path));
    Ok(rows.iter().filter(|row| row.is("after_load")).filter(is_kept).collect())
}
