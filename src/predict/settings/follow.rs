//! What makes Patroni restart a standby that it finds, rather than have it read its files again (`ConfigHandler.check_recovery_conf`). The latter it
//! always does at first.

use super::files::Files;
use super::loaded::Settings;
use super::wants::Patroni;
use super::{By, Value};
use crate::facts::clamp::recovery_settings;
use crate::facts::gap::Fact;
use crate::facts::{Facts, Member};
use crate::knowledge::guc::Context;
use crate::predict::paths::Paths;

/// What Patroni does not compare (`ConfigHandler._recovery_parameters_to_compare`).
const NOT_COMPARED: [&str; 5] =
    ["pause_at_recovery_target", "recovery_target_inclusive", "recovery_target_action", "standby_mode", "trigger_file"];

/// What an included file may say without Patroni's minding, of that which takes a restart: of 13 alone.
const FROM_INCLUDED: &str = "restore_command";

/// In words; `None` when it is not restarted.
///
/// # Errors
/// When a setting that decides is not known.
pub(super) fn restarts(
    facts: &Facts,
    patroni: &Patroni<'_>,
    today: &Settings<'_>,
    wanted: &Files,
) -> Fact<Option<String>> {
    // One that was not looked for was there when the standby was started.
    if has_signal(facts, patroni.member) == Ok(false) {
        return Ok(Some("there is no standby.signal".to_owned()));
    }
    for name in recovery_settings().filter(|name| !NOT_COMPARED.contains(name)) {
        let Some(setting) = today.get(name).filter(|s| s.shape.context() == Context::Postmaster) else { continue };
        let before = setting.before().map_err(Clone::clone)?;
        let Value::Is(now) = &before.value else { continue };
        let line = wanted.get(name)?;
        if name == FROM_INCLUDED && line.is_none() && !setting.in_main && before.by != By::AutoConf {
            continue;
        }
        let same = line.map_or(now.is_empty(), |line| setting.shape.value_of(line) == Some(Value::Is(now.clone())));
        if !same {
            return Ok(Some(match line {
                Some(line) if !line.value.is_empty() => format!("`{name}` is `{now}`, and is to be `{}`", line.value),
                _ => format!("`{name}` is set"),
            }));
        }
    }
    Ok(None)
}

/// Whether the file is there that makes a server a standby.
///
/// # Errors
/// When nobody has looked.
pub(super) fn has_signal(facts: &Facts, member: &Member) -> Fact<bool> {
    let paths = Paths::of(&facts.patroni[member.file], member)?;
    paths.exists(facts.node_of(member), member, &paths.standby_signal())
}
