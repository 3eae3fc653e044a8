//! What stands in the way of a major upgrade that is meant, and of Patroni's start behind it.

pub(super) mod carried;
pub(super) mod control;
pub(super) mod dynamic_json;
pub(super) mod libraries;
pub(super) mod objects;
pub(super) mod patroni_too_old;
pub(super) mod slots;
pub(super) mod standby_not_wiped;

use crate::bundle::upgrade::NewServer;
use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::nodes::Node;
use crate::facts::upgrade::ForUpgrade;
use crate::facts::written::Written;
use crate::facts::{Member, PatroniFile};
use crate::rules::report::Report;

/// A member, and the major that its server is to have.
#[derive(Clone, Copy)]
pub(super) struct Upgraded<'a> {
    pub(super) to: u16,
    pub(super) node: &'a Node,
    /// Its configuration, if there is one.
    pub(super) member: Option<&'a Member>,
}

/// Looks at each member that an upgrade is meant for; what cannot be looked at ends the look at that member and is noted as one gap.
pub(super) fn each<'a>(
    facts: &'a Facts,
    report: &mut Report,
    mut look: impl FnMut(&Upgraded<'a>, &mut Report) -> Fact<()>,
) {
    let Some(to) = facts.upgrade.as_ref().map(|upgrade| upgrade.to) else { return };
    for live in facts.live() {
        let before = report.problems.len();
        let looked = look(&Upgraded { to, node: live.node, member: live.member }, report);
        for problem in &mut report.problems[before..] {
            problem.nodes.push(live.node.name.clone());
        }
        report.known(looked);
    }
}

/// The same for servers that are primaries of an older major: `pg_upgrade` works on those, and standbys are made anew of them.
pub(super) fn each_primary<'a>(
    facts: &'a Facts,
    report: &mut Report,
    mut look: impl FnMut(&Upgraded<'a>, &mut Report) -> Fact<()>,
) {
    each(facts, report, |on, report| {
        let is_old = on.node.version.is_none_or(|version| version / 10_000 < u32::from(on.to));
        if on.node.is_standby()? || !is_old { Ok(()) } else { look(on, report) }
    });
}

impl<'a> Upgraded<'a> {
    /// Its configuration.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn file(&self, facts: &'a Facts) -> Fact<&'a PatroniFile> {
        let member = self.member.ok_or_else(|| self.node.not_asked("Patroni's configuration"))?;
        Ok(&facts.patroni[member.file])
    }

    /// The major of the server that runs.
    ///
    /// # Errors
    /// When it is not known.
    pub(super) fn major(&self) -> Fact<u16> {
        let major = self.node.version.and_then(|version| u16::try_from(version / 10_000).ok());
        major.ok_or_else(|| self.node.not_asked("the version of the server"))
    }

    /// What it has for the new major.
    ///
    /// # Errors
    /// When it was not asked.
    pub(super) fn ready(&self) -> Fact<&'a ForUpgrade> {
        self.node.upgrade()
    }

    /// What lies on its host for the new major.
    ///
    /// # Errors
    /// When it was not looked at.
    pub(super) fn new_server(&self) -> Fact<&'a Written<NewServer>> {
        self.ready()?.server(self.node)
    }

    /// The new data directory with what lies there; `None` when there is no cluster of the new major in it yet.
    ///
    /// # Errors
    /// When it is not known, or could not be looked at.
    pub(super) fn new_data(&self) -> Fact<Option<(&'a str, &'a Written<NewServer>)>> {
        let dir = self.ready()?.data_dir(self.node)?;
        let server = self.new_server()?;
        let version = self.node.answer(&format!("PG_VERSION in {dir}"), &server.value().data.version)?;
        Ok((version.as_deref() == Some(&*self.to.to_string())).then_some((dir, server)))
    }

    /// The same, where only a cluster that is there tells.
    ///
    /// # Errors
    /// Also when there is none yet.
    pub(super) fn made_data(&self) -> Fact<(&'a str, &'a Written<NewServer>)> {
        let absent = || {
            let dir = self.ready().and_then(|ready| ready.data_dir(self.node)).unwrap_or("its directory");
            let what = format!("the new cluster in {dir}");
            Gap::new(what, GapReason::NotGiven)
                .on(&self.node.name)
                .because(&format!("there is no PostgreSQL {} yet: look again behind `initdb`", self.to))
        };
        self.new_data()?.ok_or_else(absent)
    }

    /// A line of the new cluster's `pg_controldata`.
    ///
    /// # Errors
    /// When it is not known.
    pub(super) fn new_control(&self, server: &'a Written<NewServer>, label: &str) -> Fact<&'a str> {
        let control = self.node.answer("pg_controldata of the new cluster", &server.value().data.control)?;
        let line = control.get(label).map(String::as_str);
        line.ok_or_else(|| self.node.not_asked(&format!("`{label}` of the new cluster")))
    }
}

/// How many things a message names.
pub(super) const MOST: usize = 5;

/// Some of many, in one line.
pub(super) fn listed(all: &[String]) -> String {
    let more = all.len().saturating_sub(MOST);
    let shown = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
