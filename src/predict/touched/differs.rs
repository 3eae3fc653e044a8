//! Whether Patroni finds a running primary to differ from its configuration, so that it writes its files (`ConfigHandler.reload_config`).

use super::{Plan, recovery};
use crate::facts::PatroniFile;
use crate::facts::enforced::enforced;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::nodes::Row;
use crate::facts::running::value;
use crate::facts::settings::equal;
use crate::knowledge::patroni::command_line_setting;
use crate::parse::patroni::Item;

/// What Patroni does not look at there.
fn is_passed_over(name: &str) -> bool {
    name == "hot_standby" || recovery::ALL.binary_search(&name).is_ok()
}

/// The first setting in which they differ, in words; `None` when nothing does.
///
/// # Errors
/// When the server was not asked.
pub(super) fn first(plan: &Plan<'_>) -> Fact<Option<String>> {
    let missing = || Gap::new("what the server runs with", GapReason::NotGiven).on(&plan.member.name);
    let node = plan.node.ok_or_else(missing)?;
    let rows = node.rows("settings")?;
    for row in rows {
        let name = row.get("name").unwrap_or_default();
        if is_passed_over(name) || row.get("context") == Some("internal") {
            continue;
        }
        if let Some(why) = of_row(plan, name, row) {
            return Ok(Some(why));
        }
    }
    // Where our role does not see all, what it does not see may differ.
    node.setting("no_such_setting")?;
    Ok(None)
}

fn of_row(plan: &Plan<'_>, name: &str, row: &Row) -> Option<String> {
    let setting = row.get("setting").unwrap_or_default();
    let Some(wanted) = wanted(plan.file, name) else {
        let from = row.get("source").unwrap_or_default();
        let is_of_file = row.get("sourcefile") == Some(&plan.paths.conf);
        let is_of_command = from == "command line" || from == "environment variable";
        return (is_of_file || is_of_command).then(|| format!("`{name}` is not among Patroni's settings"));
    };
    (!equal(name, &value(row), &wanted) && setting != wanted).then(|| format!("`{name}` is to be `{wanted}`"))
}

/// What Patroni has for a setting (`ConfigHandler.get_server_parameters`).
fn wanted(file: &PatroniFile, name: &str) -> Option<String> {
    match name {
        "cluster_name" => file.config.scope().map(|scope| scope.value.to_owned()),
        "listen_addresses" => file.config.listen().map(|listen| listen.value.0),
        "port" => file.config.listen().map(|listen| listen.value.1.to_string()),
        _ => match command_line_setting(name, file.version) {
            Some(setting) => enforced(file, setting).map(|used| used.value),
            None => file.written_parameter(name).and_then(Item::as_setting),
        },
    }
}
