//! What the kinds of a prediction are called.

use crate::facts::gap::Fact;
use crate::predict::connections::{Connection, Decided, Purpose};
use crate::predict::settings::{By, Change, Risk, Setting};
use crate::predict::slots::{Fate, Slot};
use crate::predict::touched::{Act, Moment};
use crate::predict::{MemberPrediction, Role};
use crate::source::Span;

/// How much a row matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::report) enum Level {
    /// It is as it should be.
    #[default]
    Fine,
    /// It changes, or it is not known.
    Notice,
    /// Something fails, or is lost.
    Danger,
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Standby => "standby",
        Role::TakenForPrimary => "taken for a primary: nobody asked its server",
        Role::TakenForStandby => "taken for a standby: nobody asked its server",
    }
}

/// Who sets a setting, where there is little room.
pub(super) const fn by(by: By) -> &'static str {
    match by {
        By::Server => "server default",
        By::Environment => "environment",
        By::OldFiles => "postgresql.conf",
        By::CustomConf => "custom_conf",
        By::AutoConf => "ALTER SYSTEM",
        By::CommandLine => "command line",
        By::Role => "ALTER ROLE",
        By::PatroniDefault => "Patroni default",
        By::Dynamic => "edit-config",
        By::Local => "Patroni's file",
        By::Variable => "PATRONI_ variable",
        By::Patroni => "Patroni",
        By::Kept => "kept by Patroni",
        By::Control => "pg_control",
    }
}

/// Who sets a setting and where, in a sentence: the place alone, where that tells who it is.
pub(super) fn hand(by: By, at: Option<String>) -> String {
    let is_file = matches!(by, By::OldFiles | By::CustomConf | By::Local);
    match (by, at) {
        (_, Some(at)) if is_file => at,
        (By::Dynamic, at) => join("the dynamic configuration", at),
        (By::PatroniDefault, at) => join("Patroni's default", at),
        (By::Server, at) => join("the server's default", at),
        (By::Patroni, at) => join("Patroni itself", at),
        (by, at) => join(self::by(by), at),
    }
}

fn join(who: &str, at: Option<String>) -> String {
    at.map_or_else(|| who.to_owned(), |at| format!("{who}, {at}"))
}

/// Which key of Patroni's file stands for a setting that no parameter sets.
fn other_key(name: &str) -> &'static str {
    match name {
        "listen_addresses" | "port" => "`postgresql.listen`",
        "cluster_name" => "`scope`",
        "primary_conninfo" => "`postgresql.authentication.replication` and the `connect_address` of the leader",
        "primary_slot_name" => "`name`, or `postgresql.use_slots`",
        "hba_file" | "ident_file" => "`postgresql.config_dir`",
        "data_directory" => "`postgresql.data_dir`",
        _ => "other keys of Patroni's file",
    }
}

/// What it takes to change a setting under Patroni.
pub(super) fn change(setting: &Setting) -> String {
    match setting.change {
        Change::Never => "nobody can change it".to_owned(),
        Change::DynamicAndRestart => "patronictl edit-config alone, then patronictl restart".to_owned(),
        Change::DynamicAndReload => "patronictl edit-config alone; Patroni reloads".to_owned(),
        Change::Restart => "patronictl edit-config or Patroni's file, then patronictl restart".to_owned(),
        Change::Reload => "patronictl edit-config, or Patroni's file and patronictl reload".to_owned(),
        Change::OtherKeys => format!("{} of Patroni's file", other_key(&setting.name)),
    }
}

/// How to keep the value that a setting has today.
pub(super) fn keep(setting: &Setting, value: &str) -> String {
    let name = &setting.name;
    let yaml = yaml(value);
    let assignment = shell(&format!("postgresql.parameters.{name}={value}"));
    let restart = match setting.change {
        Change::DynamicAndRestart | Change::Restart => ", and patronictl restart",
        _ => "",
    };
    match setting.change {
        Change::DynamicAndRestart | Change::DynamicAndReload => format!(
            "`{name}: {yaml}` under bootstrap.dcs.postgresql.parameters before Patroni's first start; later patronictl edit-config -s {assignment}{restart}"
        ),
        Change::Restart | Change::Reload => format!(
            "`{name}: {yaml}` under postgresql.parameters of each member's file, or for all members patronictl edit-config -s {assignment}{restart}"
        ),
        Change::Never | Change::OtherKeys => change(setting),
    }
}

/// A text as a value of YAML.
fn yaml(text: &str) -> String {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b))
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let is_number = !text.is_empty() && text.len() < 16 && text.bytes().all(|b| b.is_ascii_digit());
    let is_number = is_number && (text == "0" || !text.starts_with('0'));
    let amount = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_amount = amount != text
        && !text.starts_with('0')
        && matches!(amount, "B" | "kB" | "MB" | "GB" | "TB" | "us" | "ms" | "s" | "min" | "h" | "d");
    let is_word = is_plain
        && !matches!(&*text.to_ascii_lowercase(), "y" | "n" | "yes" | "no" | "true" | "false" | "null" | "on" | "off");
    if is_number || is_amount || is_word { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let is_plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.=/:,%+@".contains(&b));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A risk in a table.
pub(super) const fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::DoesNotStart => "DOES NOT START",
        Risk::HangsCommits => "HANGS COMMITS",
        Risk::StandbyBelowPrimary => "STOPS STANDBYS",
        Risk::Lost => "LOST",
        Risk::NeedsRestart => "waits for a restart",
    }
}

/// A risk in a sentence.
pub(super) const fn effect(risk: Risk) -> &'static str {
    match risk {
        Risk::DoesNotStart => "the server does not start with it",
        Risk::HangsCommits => "commits wait for a standby that will not come",
        Risk::StandbyBelowPrimary => "a standby that replays from here cannot go on with less",
        Risk::Lost => "the value of today is lost",
        Risk::NeedsRestart => "it waits for a restart",
    }
}

/// Whether a risk is one that a person must know of before Patroni starts.
pub(super) fn is_danger(risk: Risk) -> bool {
    risk != Risk::NeedsRestart
}

pub(super) const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Dropped => "DROPPED",
        Fate::Remade => "DROPPED, made anew",
        Fate::NotMade => "CANNOT BE MADE",
        Fate::Wanted => "wanted: made where it is missing",
        Fate::Created => "made",
        Fate::Copied => "copied from the leader",
        Fate::Kept => "kept",
        Fate::LeftAlone => "left alone",
    }
}

/// What a slot is: `logical, pgoutput in orders`.
pub(super) fn kind(slot: &Slot) -> String {
    slot.logical
        .as_ref()
        .map_or_else(|| "physical".to_owned(), |(database, plugin)| format!("logical, {plugin} in {database}"))
}

pub(super) const fn active(active: Option<bool>) -> &'static str {
    match active {
        Some(true) => "in use",
        Some(false) => "not in use",
        None => "not there",
    }
}

pub(super) const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Watch => "Patroni watches its server",
        Purpose::OwnReplication => "Patroni reads its timelines",
        Purpose::Stream => "a standby streams",
        Purpose::BaseBackup => "a standby is made",
        Purpose::Rewind => "a primary is rewound",
        Purpose::Check => "a member asks the leader",
        Purpose::RestApi => "REST API",
        Purpose::Store => "store",
    }
}

/// Who comes as whom: `replicator to replication, from 10.0.0.2`.
pub(super) fn identity(connection: &Connection) -> String {
    let user = connection.user.as_deref().unwrap_or_default();
    let database = connection.database.as_ref().map(|database| format!(" to {database}")).unwrap_or_default();
    let from = connection.address.map(|address| format!("from {address}"));
    let tls = connection.tls.map(|tls| if tls { "with TLS" } else { "without TLS" });
    let who = format!("{user}{database}");
    let parts = [Some(who).filter(|who| !who.is_empty()), from, tls.map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What decides about a connection, with the place of the line, and how much that matters.
pub(super) fn decided(
    member: &MemberPrediction,
    connection: &Connection,
    place: &dyn Fn(Span) -> String,
) -> (Level, String) {
    verdict(member, connection, &connection.decided, place)
}

/// What decides today, where Patroni replaces `pg_hba.conf`.
pub(super) fn decided_today(
    member: &MemberPrediction,
    connection: &Connection,
    place: &dyn Fn(Span) -> String,
) -> Option<String> {
    let today = connection.today.as_ref()?;
    Some(format!("today: {}", verdict(member, connection, today, place).1))
}

fn verdict(
    member: &MemberPrediction,
    connection: &Connection,
    decided: &Fact<Decided>,
    place: &dyn Fn(Span) -> String,
) -> (Level, String) {
    match decided {
        Err(gap) => (Level::Notice, format!("not known: {gap}")),
        Ok(Decided::Line { at, method, stored }) => {
            let line = format!("{} {method}", place(*at));
            match fails(method, stored.as_deref()) {
                Some(why) => (Level::Danger, format!("REFUSED by {line}: {why}")),
                None => (Level::Fine, line),
            }
        }
        Ok(Decided::Refused { at }) => (Level::Danger, format!("REFUSED by {}", place(*at))),
        Ok(Decided::NeedsTls { at }) => {
            (Level::Danger, format!("REFUSED: {} wants TLS, which the server has not", place(*at)))
        }
        Ok(Decided::ServerWithoutTls) => {
            (Level::Danger, "REFUSED: the client insists on TLS, which the server has not".to_owned())
        }
        Ok(Decided::NoLine) => (Level::Danger, "REFUSED: no line of pg_hba.conf speaks of it".to_owned()),
        Ok(Decided::Endpoint { seen }) => match (&**seen, connection.purpose) {
            (said, _) if answers(said) => (Level::Fine, seen.clone()),
            // One server of the store that answers is enough; before Patroni runs nothing listens at its REST API.
            ("refused", Purpose::Store) if !member.connections.iter().any(is_answering_store) => {
                (Level::Danger, "REFUSED: nothing listens there".to_owned())
            }
            _ => (Level::Notice, seen.clone()),
        },
    }
}

fn is_answering_store(connection: &Connection) -> bool {
    connection.purpose == Purpose::Store
        && matches!(&connection.decided, Ok(Decided::Endpoint { seen }) if answers(seen))
}

/// Whether an endpoint was seen to work, from wherever that was tried.
fn answers(seen: &str) -> bool {
    seen.starts_with("answers") && !seen.contains("not healthy")
}

/// Why a password of a role is of no use for a method (`CheckPWChallengeAuth` and `CheckSASLAuth` of the server).
fn fails(method: &str, stored: Option<&str>) -> Option<&'static str> {
    let asks = matches!(method, "password" | "md5" | "scram-sha-256");
    match stored? {
        "no role" => Some("the server has no such role"),
        "" | "none" if asks => Some("the role has no password"),
        "md5" if method == "scram-sha-256" => Some("the server keeps its password as md5"),
        _ => None,
    }
}

pub(super) const fn moment(moment: Moment) -> &'static str {
    match moment {
        Moment::Attach => "when it attaches",
        Moment::FirstRounds => "in its first rounds",
        Moment::Restart => "at the first restart",
    }
}

pub(super) const fn act(act: Act) -> &'static str {
    match act {
        Act::Renamed => "renames",
        Act::Copied => "copies",
        Act::Created => "makes",
        Act::Replaced => "replaces",
        Act::Edited => "edits",
        Act::Removed => "removes",
        Act::Reloaded => "reloads",
        Act::Reconnected => "reconnects",
        Act::Restarted => "restarts",
        Act::Stored => "stores",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_yaml_read_back_as_the_same_text() {
        for (text, written) in [
            ("logical", "logical"),
            ("300", "300"),
            ("128MB", "128MB"),
            ("on", "'on'"),
            ("0640", "'0640'"),
            ("1e3", "'1e3'"),
            ("", "''"),
            ("it's", "'it''s'"),
            ("*", "'*'"),
            ("0", "0"),
        ] {
            assert_eq!(yaml(text), written);
        }
    }

    #[test]
    fn a_password_is_of_no_use_where_the_server_keeps_it_in_another_way() {
        assert!(fails("scram-sha-256", Some("md5")).is_some() && fails("md5", Some("scram-sha-256")).is_none());
        assert!(fails("trust", Some("")).is_none() && fails("md5", Some("")).is_some() && fails("md5", None).is_none());
    }
}
