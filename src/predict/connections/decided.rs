//! What decides about a log-in: the line of the `pg_hba.conf` that counts.

use std::net::IpAddr;

use super::Decided;
use crate::facts::connections::{Admission, Attempt, Login, admitted};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::hba_decision::{Database, Surroundings};
use crate::facts::nodes::Node;
use crate::facts::running::speaker_of;
use crate::facts::surroundings::Around;
use crate::facts::take_over::later;
use crate::facts::{Facts, Member, has_tls};
use crate::parse::guc_value::parse_bool;
use crate::parse::hba::Hba;
use crate::source::Source;

/// The server of a member.
pub(super) struct Server<'a> {
    pub(super) facts: &'a Facts,
    pub(super) member: &'a Member,
}

impl Server<'_> {
    fn node(&self) -> Option<&Node> {
        self.facts.node_of(self.member)
    }

    /// Whether another `pg_hba.conf` counts once Patroni has taken over than today: its list, or one in another place.
    pub(super) fn is_replaced(&self) -> bool {
        let (later, today) = (&self.member.hba, &self.member.hba_file);
        later != today || self.other_file().is_some()
    }

    /// The path of the `pg_hba.conf` that the server will read, where nothing but Patroni's `config_dir` leads away from the one
    /// that it reads now (`ConfigHandler.write_postgresql_conf`).
    fn other_file(&self) -> Option<String> {
        let file = &self.facts.patroni[self.member.file];
        if self.member.hba != self.member.hba_file || file.written_parameter("hba_file").is_some() {
            return None;
        }
        let now = self.node()?.setting("hba_file").ok()??.get("setting")?;
        let later = format!("{}/pg_hba.conf", file.config.config_dir()?.value.trim_end_matches('/'));
        (later != now).then_some(later)
    }

    /// Once Patroni has taken over, with the transport that counts.
    pub(super) fn later(
        &self,
        login: &Login,
        from: Option<IpAddr>,
        database: &Database,
    ) -> Fact<(Decided, Option<bool>)> {
        let hba = match self.other_file() {
            Some(path) => {
                let is_it = |source: &Source| {
                    let here = self.facts.node_at(source.id()).zip(self.node());
                    here.is_some_and(|(one, other)| std::ptr::eq(one, other)) && self.facts.name_on_host(source) == path
                };
                let found = self.facts.hbas.iter().position(|hba| is_it(&hba.source));
                let gap = || Gap::new(format!("`{path}`, which the server will read,"), GapReason::NotGiven);
                found.ok_or_else(|| gap().on(&self.member.name))?
            }
            None => self.member.hba.clone()?,
        };
        let used = later(self.facts, self.member, "ssl");
        let ssl = match used {
            Ok(used) => used.map_or(Some(false), |used| parse_bool(&used.value)),
            Err(_) => has_tls(self.facts, self.member),
        };
        self.decide(hba, ssl, login, from, database)
    }

    /// Today.
    pub(super) fn today(
        &self,
        login: &Login,
        from: Option<IpAddr>,
        database: &Database,
    ) -> Fact<(Decided, Option<bool>)> {
        let row = self.node().and_then(|node| node.setting("ssl").ok().flatten());
        let ssl = row.and_then(|row| parse_bool(row.get("setting")?));
        self.decide(self.member.hba_file.clone()?, ssl, login, from, database)
    }

    fn decide(
        &self,
        hba: usize,
        ssl: Option<bool>,
        login: &Login,
        from: Option<IpAddr>,
        database: &Database,
    ) -> Fact<(Decided, Option<bool>)> {
        let hba = &self.facts.hbas[hba].hba;
        let around = Around::of(self.node());
        let around = around.as_ref().map_or_else(Surroundings::unknown, Around::surroundings);
        let with = |transports: &[bool]| -> Fact<(Decided, bool)> {
            let attempt = Attempt { user: &login.user, transports, from, database };
            let (outcome, tls) = admitted(hba, &attempt, &around).map_err(|gap| gap.on(&self.member.name))?;
            Ok((self.said(hba, outcome, &login.user), tls))
        };
        if from.is_none() {
            return with(&[false]).map(|(decided, _)| (decided, None));
        }
        let by = |has_tls: bool| match login.tried(has_tls) {
            [] => Ok((Decided::ServerWithoutTls, false)),
            transports => with(transports),
        };
        match ssl {
            Some(has_tls) => by(has_tls).map(|(decided, tls)| (decided, Some(tls))),
            None => match (by(true)?, by(false)?) {
                ((one, tls), (other, same)) if one == other => Ok((one, (tls == same).then_some(tls))),
                _ => Err(Gap::new("whether the server has TLS", GapReason::NotGiven).on(&self.member.name)),
            },
        }
    }

    fn said(&self, hba: &Hba, outcome: Admission, user: &str) -> Decided {
        let span = |rule: usize| hba.rules[rule].span;
        match outcome {
            Admission::Asked(rule) => Decided::Line {
                at: span(rule),
                method: hba.rules[rule].method.value.name().to_owned(),
                stored: self.stored(user),
            },
            Admission::Refused(rule) => Decided::Refused { at: span(rule) },
            Admission::NeedsTls(rule) => Decided::NeedsTls { at: span(rule) },
            Admission::NoLine => Decided::NoLine,
        }
    }

    /// How the server keeps the password of a role; `None` where nobody says.
    fn stored(&self, user: &str) -> Option<String> {
        let rows = speaker_of(self.facts, self.member)?.rows("role_passwords").ok()?;
        let Some(row) = rows.iter().find(|row| row.get("rolname") == Some(user)) else {
            return Some("no role".to_owned());
        };
        row.get("kind").map(str::to_ascii_lowercase)
    }
}
