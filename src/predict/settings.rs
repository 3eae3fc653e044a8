//! Every setting of a server: now, once Patroni has attached to it, and behind its next starts.

mod files;
mod follow;
mod loaded;
mod recovery;
mod risk;
mod server;
mod shape;
mod take_over;
mod today;
mod wants;
mod worked_out;

use serde::Serialize;

use super::role_of;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::running::told;
use crate::facts::{Facts, Member};
use crate::source::Span;
use take_over::TakeOver;
use today::Known;
use wants::Patroni;

/// A setting through the take-over.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name as the server writes it.
    pub name: String,
    /// Today.
    pub now: Fact<State>,
    /// Once Patroni runs beside the server.
    pub attached: Fact<State>,
    /// Behind `patronictl restart`.
    pub restarted: Fact<State>,
    /// Behind a start of Patroni over a stopped server.
    pub started: Fact<State>,
    /// What it takes to change it under Patroni.
    pub change: Change,
    /// What is dangerous about it.
    pub risks: Vec<Risk>,
}

impl Setting {
    /// Whether anything of it changes: a value, who sets it, or whether a restart is due.
    #[must_use]
    pub fn changes(&self) -> bool {
        let states = [&self.now, &self.attached, &self.restarted, &self.started].map(|s| s.as_ref().ok());
        states.windows(2).any(|w| w[0] != w[1])
    }

    /// Whether a value changes.
    #[must_use]
    pub fn changes_value(&self) -> bool {
        let values =
            [&self.now, &self.attached, &self.restarted, &self.started].map(|s| s.as_ref().ok().map(|s| &s.value));
        values.windows(2).any(|w| w[0] != w[1])
    }
}

/// A setting at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// As `pg_settings.setting` has it, in the base unit.
    pub value: Value,
    /// As `pg_settings.source` has it: `configuration file`.
    pub source: String,
    /// Who sets it.
    pub by: By,
    /// Where it is written, or the row of the server.
    pub at: Option<Span>,
    /// `pg_settings.pending_restart`
    pub pending: bool,
}

/// A value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// It is known.
    Is(String),
    /// The server works it out when it starts: `shared_memory_size`.
    Computed,
    /// It holds a secret, or what stands for one.
    Hidden,
}

/// Who sets a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Nobody: the server's default, or what it works out itself.
    Server,
    /// The environment that the server is started in.
    Environment,
    /// The postgresql.conf of today, which Patroni's file includes as `postgresql.base.conf`, or a file that it includes.
    OldFiles,
    /// `custom_conf`.
    CustomConf,
    /// `postgresql.auto.conf`: `ALTER SYSTEM`.
    AutoConf,
    /// The command line that starts the server today.
    CommandLine,
    /// `ALTER ROLE` or `ALTER DATABASE`.
    Role,
    /// Patroni's default.
    PatroniDefault,
    /// The dynamic configuration: `bootstrap.dcs`, then `patronictl edit-config`.
    Dynamic,
    /// Patroni's file.
    Local,
    /// A `PATRONI_` variable.
    Variable,
    /// Patroni itself, of other keys: `listen`, `scope`, who leads.
    Patroni,
    /// What the server ran with when Patroni found it, which it writes down.
    Kept,
    /// `pg_control`: a standby may not start with less.
    Control,
}

/// What it takes to change a setting under Patroni.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nobody can.
    Never,
    /// `patronictl edit-config` alone, and a restart.
    DynamicAndRestart,
    /// `patronictl edit-config` alone, and a reload.
    DynamicAndReload,
    /// Patroni's configuration, and a restart.
    Restart,
    /// Patroni's configuration, and a reload.
    Reload,
    /// Other keys of Patroni's file: `listen`, `scope`.
    OtherKeys,
}

/// What is dangerous about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// The server does not start with it.
    DoesNotStart,
    /// Commits wait for a standby that will not come.
    HangsCommits,
    /// A standby that replays from here cannot go on with less.
    StandbyBelowPrimary,
    /// A value of today is lost.
    Lost,
    /// It waits for a restart.
    NeedsRestart,
}

/// Of the server of a member, by name.
///
/// # Errors
/// When nothing is known of its settings.
pub fn of_member(facts: &Facts, member: &Member) -> Fact<Vec<Setting>> {
    let patroni = Patroni::of(facts, member)?;
    let known = Known::of(facts, &patroni);
    let today = known.settings(&patroni);
    let take_over = TakeOver::of(facts, &patroni, &known, &today);
    Ok(today.values().map(|setting| take_over.of_setting(setting)).collect())
}

/// In what a running server differs from what Patroni wants, so that Patroni writes its files when it finds it
/// (`ConfigHandler.reload_config`), in words; `None` when in nothing.
///
/// # Errors
/// When the server was not asked, or what decides is not known.
pub fn difference(facts: &Facts, member: &Member) -> Fact<Option<String>> {
    let patroni = Patroni::of(facts, member)?;
    if told(facts, member).is_none() {
        return Err(patroni.gap("what the server runs with", GapReason::NotGiven));
    }
    let today = Known::of(facts, &patroni).settings(&patroni);
    let wanted = patroni.parameters();
    loaded::difference(&today, &loaded::loaded(&patroni, &today, &wanted), &wanted)
}

/// Why Patroni restarts a standby that it finds, in words; `None` when it only has it read its files again.
///
/// # Errors
/// When what decides is not known.
pub fn restart_of_standby(facts: &Facts, member: &Member) -> Fact<Option<String>> {
    let patroni = Patroni::of(facts, member)?;
    let today = Known::of(facts, &patroni).settings(&patroni);
    let upstream = recovery::upstream(facts, &patroni);
    follow::restarts(facts, &patroni, &today, &recovery::lines(&patroni, &patroni.parameters(), &upstream))
}

/// What is taken for granted, because it could not be looked at.
#[must_use]
pub fn assumed(facts: &Facts, member: &Member) -> Vec<Gap> {
    let custom = facts.patroni[member.file].known_postgresql("custom_conf");
    let included = member.included.as_ref().err().filter(|_| member.conf.is_ok() && matches!(custom, Ok(None)));
    let signal = || follow::has_signal(facts, member).err();
    included.cloned().into_iter().chain(signal().filter(|_| role_of(facts, member).is_standby())).collect()
}
