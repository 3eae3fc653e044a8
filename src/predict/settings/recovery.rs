//! What Patroni writes for a standby (`ConfigHandler.build_recovery_params`, `_write_recovery_params`).

use super::By;
use super::files::{Files, Line};
use super::wants::{Parameters, Patroni};
use crate::facts::clamp::{is_recovery, written_for_recovery};
use crate::facts::gap::{Fact, GapReason};
use crate::facts::host_path::normal;
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::{Version, slot_name};
use crate::parse::patroni::{Item, ItemValue};
use crate::predict::role_of;

/// Blanked, so that no included file makes a standby stop or promote itself.
const BLANK: [&str; 5] =
    ["recovery_target", "recovery_target_name", "recovery_target_time", "recovery_target_xid", "recovery_target_lsn"];

/// Whom a standby follows.
pub(super) enum Upstream<'a> {
    /// A member.
    Member(&'a Member),
    /// Nobody: it has the tag `nostream`, or it is alone.
    Nobody,
}

/// Whom a member will follow (`Ha._get_node_to_follow`).
///
/// # Errors
/// When the server is not one of the members, or it is not known which one leads.
pub(super) fn upstream<'a>(facts: &'a Facts, patroni: &Patroni<'_>) -> Fact<Upstream<'a>> {
    let tag = |name: &str| patroni.effective.get("tags").and_then(|tags| tags.get(name));
    if patroni.version() >= Version::new(3, 3, 0) && tag("nostream").and_then(Item::as_bool) == Some(true) {
        return Ok(Upstream::Nobody);
    }
    if patroni.file.is_standby_cluster() {
        return Err(patroni.gap("the server that the standby cluster follows", GapReason::NotGiven));
    }
    let others: Vec<&Member> = facts
        .cluster_of(patroni.member.file)
        .map_or(&[][..], |cluster| &cluster.members)
        .iter()
        .filter(|m| m.file != patroni.member.file)
        .collect();
    if let Some(named) = tag("replicatefrom").and_then(Item::as_str).filter(|n| *n != patroni.member.name)
        && let Some(member) = others.iter().find(|m| m.name == named)
    {
        return Ok(Upstream::Member(member));
    }
    let leaders: Vec<&&Member> = others.iter().filter(|m| !role_of(facts, m).is_standby()).collect();
    match leaders[..] {
        [leader] => Ok(Upstream::Member(leader)),
        _ => Err(patroni.gap("which member leads", GapReason::NotGiven)),
    }
}

/// The lines of recovery that Patroni writes for a member that follows another one.
pub(super) fn lines(patroni: &Patroni<'_>, wanted: &Parameters, upstream: &Fact<Upstream<'_>>) -> Files {
    let own = |value: String| Ok(Line { value, is_secret: false, by: By::Patroni, at: None });
    let mut all: Vec<(String, Fact<Line>)> =
        BLANK.iter().map(|name| ((*name).to_owned(), own(String::new()))).collect();
    all.push(("recovery_target_timeline".to_owned(), own("latest".to_owned())));
    all.extend(of_users(patroni, wanted));
    match upstream {
        Err(gap) => {
            for name in ["primary_conninfo", "primary_slot_name"] {
                all.push((name.to_owned(), Err(gap.clone())));
            }
        }
        Ok(Upstream::Nobody) => {}
        Ok(Upstream::Member(member)) => {
            all.push(("primary_conninfo".to_owned(), conninfo(patroni, member)));
            if patroni.file.uses_slots() {
                all.push(("primary_slot_name".to_owned(), own(slot_name(&patroni.member.name))));
            }
        }
    }
    Files::of_patroni(all)
}

/// `recovery_conf`, or settings of recovery among the parameters, which take its place (`_adjust_recovery_parameters`).
fn of_users(patroni: &Patroni<'_>, wanted: &Parameters) -> Vec<(String, Fact<Line>)> {
    let counts = |name: &str| !name.starts_with("recovery_target") && !is_own(name);
    let mut among: Vec<(String, Fact<Line>)> = Vec::new();
    for (name, parameter) in wanted.iter().filter(|(name, _)| is_recovery(name)) {
        let line = match parameter {
            Err(gap) => Err(gap.clone()),
            Ok(p) => Ok(Line { value: p.text.clone(), is_secret: p.is_secret, by: p.by, at: p.at }),
        };
        among.push((name.clone(), line));
    }
    if among.is_empty() {
        for pair in patroni.postgresql("recovery_conf").map_or(&[][..], Item::pairs) {
            let Some(name) = pair.key.value.as_str() else { continue };
            let Some(value) = pair.item.as_written() else { continue };
            let (by, at) = (By::Local, Some(pair.item.key_or_value()));
            among.push((name.to_ascii_lowercase(), Ok(Line { value, is_secret: false, by, at })));
        }
    }
    let taken = among.into_iter().filter(|(name, _)| counts(name));
    let checked = taken.filter_map(|(name, line)| match line {
        Ok(line) => {
            let value = written_for_recovery(&name, &line.value, patroni.server)?;
            Some((name, Ok(Line { value, ..line })))
        }
        gap => Some((name, gap)),
    });
    checked.collect()
}

fn is_own(name: &str) -> bool {
    matches!(name, "primary_conninfo" | "primary_slot_name" | "standby_mode")
}

/// In the order in which Patroni writes them (`ConfigHandler.format_dsn`), each with the first major that gets it.
const KEYWORDS: [(&str, u16); 19] = [
    ("dbname", 0),
    ("user", 0),
    ("passfile", 0),
    ("host", 0),
    ("port", 0),
    ("sslmode", 0),
    ("sslcompression", 0),
    ("sslcert", 0),
    ("sslkey", 0),
    ("sslpassword", 13),
    ("sslrootcert", 0),
    ("sslcrl", 0),
    ("sslcrldir", 14),
    ("application_name", 0),
    ("krbsrvname", 0),
    ("gssencmode", 12),
    ("channel_binding", 13),
    ("target_session_attrs", 10),
    ("sslnegotiation", 17),
];

/// `primary_conninfo` for a member (`ConfigHandler.primary_conninfo_params`).
fn conninfo(patroni: &Patroni<'_>, upstream: &Member) -> Fact<Line> {
    let unreadable = |what: &str| patroni.gap(what, GapReason::Unreadable);
    let address = patroni.upstream_address(upstream)?;
    let login = patroni.postgresql("authentication").and_then(|a| a.get("replication"));
    let login = login.ok_or_else(|| unreadable("`postgresql.authentication.replication`"))?;
    let database = patroni.postgresql("database").and_then(Item::as_str).unwrap_or("postgres");
    let mut is_secret = false;
    let mut parts = Vec::new();
    for (keyword, _) in KEYWORDS.into_iter().filter(|(_, since)| *since <= patroni.major) {
        let own = login.get(if keyword == "user" { "username" } else { keyword });
        let written = own.and_then(Item::as_written);
        let value = match keyword {
            "dbname" => (patroni.version() >= Version::new(3, 3, 4)).then(|| database.to_owned()),
            "passfile" if login.get("password").is_some() => Some(patroni.pgpass()?),
            "host" => Some(address.0.clone()),
            "port" => Some(address.1.to_string()),
            "application_name" => Some(patroni.member.name.clone()),
            "krbsrvname" => patroni.postgresql("krbsrvname").and_then(Item::as_written),
            "sslmode" | "gssencmode" | "channel_binding" => Some(written.unwrap_or_else(|| "prefer".to_owned())),
            "sslnegotiation" if patroni.version() >= Version::new(3, 3, 0) => {
                Some(written.unwrap_or_else(|| "postgres".to_owned()))
            }
            "passfile" | "target_session_attrs" | "sslnegotiation" => None,
            _ => {
                is_secret |= own.is_some_and(|item| matches!(item.value, ItemValue::Secret(..)));
                written
            }
        };
        parts.extend(value.map(|value| format!("{keyword}={}", escaped(&value))));
    }
    Ok(Line { value: parts.join(" "), is_secret, by: By::Patroni, at: None })
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\'' | '\\' | ' ') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

impl Patroni<'_> {
    /// Where a member publishes its server.
    fn upstream_address(&self, upstream: &Member) -> Fact<(String, i64)> {
        let unreadable = || self.gap(format!("the address of {}", upstream.name), GapReason::Unreadable);
        let config = &self.facts.patroni[upstream.file].config;
        let own = config.connect_address().map(|a| a.value);
        let of_listen = || {
            let (hosts, port) = config.listen().filter(|_| config.is_absent("postgresql.connect_address"))?.value;
            let all =
                |h: &str| matches!(h.trim().to_ascii_lowercase().as_str(), "*" | "localhost" | "0.0.0.0" | "127.0.0.1");
            let local = hosts.split(',').any(all);
            let first = if local { "localhost" } else { hosts.split(',').next().unwrap_or_default().trim() };
            Some((first.to_owned(), port))
        };
        let (host, port) = own.or_else(of_listen).ok_or_else(unreadable)?;
        Ok((host.trim_matches(['[', ']']).to_owned(), port))
    }

    /// Where it writes the password of the role that replicates.
    fn pgpass(&self) -> Fact<String> {
        let item = self.postgresql("pgpass").filter(|item| item.is_true());
        let path = item.and_then(Item::as_str).filter(|path| path.starts_with('/'));
        path.map(normal)
            .ok_or_else(|| self.gap("`postgresql.pgpass` (its default depends on Patroni's home)", GapReason::NotGiven))
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn values_of_a_connection_string_are_escaped_as_patroni_does() {
        assert_eq!(escaped(r"a b'c\d"), r"a\ b\'c\\d");
    }
}
