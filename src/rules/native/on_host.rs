//! Members whose hosts were looked at, and what rules ask of those.

use std::collections::BTreeSet;

use crate::bundle::host::{Access, DataDir, Entry, Holder, Listener, Place, Process, Unit};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::nodes::Node;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::written::Written;
use crate::facts::{Facts, LiveMember, Member, PatroniFile};
use crate::parse::patroni::Item;
use crate::rules::report::Report;
use crate::source::{Span, Spanned};

/// Names that the kernel has for a server.
const SERVERS: [&str; 3] = ["postgres", "postmaster", "edb-postgres"];

/// A member, its configuration, and what its host says.
#[derive(Clone, Copy)]
pub(super) struct OnHost<'a> {
    pub(super) node: &'a Node,
    pub(super) member: &'a Member,
    pub(super) file: &'a PatroniFile,
    pub(super) host: &'a Written<crate::bundle::host::Host>,
}

/// Looks at each member as it runs; what cannot be looked at ends the look at that member and is noted as one gap.
pub(super) fn each<'a>(facts: &'a Facts, report: &mut Report, look: impl FnMut(&OnHost<'a>, &mut Report) -> Fact<()>) {
    each_with(facts, report, |_| true, look);
}

/// The same for members whose configuration is of a kind: of others nothing is asked.
pub(super) fn each_with<'a>(
    facts: &'a Facts,
    report: &mut Report,
    concerns: impl Fn(&PatroniFile) -> bool,
    mut look: impl FnMut(&OnHost<'a>, &mut Report) -> Fact<()>,
) {
    for live in facts.live() {
        if live.member.is_some_and(|member| !concerns(&facts.patroni[member.file])) {
            continue;
        }
        let before = report.problems.len();
        let looked = OnHost::of(facts, live).and_then(|on| look(&on, report));
        for problem in &mut report.problems[before..] {
            problem.nodes.push(live.node.name.clone());
        }
        report.known(looked);
    }
}

impl<'a> OnHost<'a> {
    /// A member as it runs.
    ///
    /// # Errors
    /// When its configuration or its host is not known.
    pub(super) fn of(facts: &'a Facts, live: LiveMember<'a>) -> Fact<Self> {
        let member = live.member()?;
        Ok(Self { node: live.node, member, file: &facts.patroni[member.file], host: live.node.host()? })
    }

    /// A gap about this member.
    pub(super) fn gap<T>(&self, what: impl Into<String>) -> Fact<T> {
        Err(Gap::new(what, GapReason::NotGiven).on(&self.node.name))
    }

    /// An absolute path of the configuration; `None` where there is none.
    ///
    /// # Errors
    /// When a template decides.
    pub(super) fn path(&self, key: &str) -> Fact<Option<Spanned<&'a str>>> {
        let item = self.file.known(key).map_err(|gap| gap.on(&self.node.name))?;
        let text = item.and_then(Item::as_str).filter(|t| t.starts_with('/'));
        match (item, text) {
            (Some(_), Some(text)) if is_placeholder(text) => {
                Err(Gap::new(format!("`{key}`"), GapReason::Unreadable).on(&self.node.name))
            }
            (Some(item), Some(text)) => Ok(Some(Spanned::new(text, item.span))),
            _ => Ok(None),
        }
    }

    /// The data directory of the configuration, and what is there; `None` when the configuration names none that is absolute.
    ///
    /// # Errors
    /// When it was not looked at.
    pub(super) fn data(&self) -> Fact<Option<(Spanned<&'a str>, &'a DataDir)>> {
        let Some(dir) = self.path("postgresql.data_dir")? else { return Ok(None) };
        match self.host.value().data.get(dir.value) {
            Some(data) => Ok(Some((dir, data))),
            None => self.gap(format!("the data directory {}", dir.value)),
        }
    }

    /// The names in a data directory; `None` when it does not exist.
    ///
    /// # Errors
    /// When they are not known.
    pub(super) fn names(&self, data: &'a DataDir) -> Fact<Option<&'a [String]>> {
        if self.node.answer("the data directory", &data.entry)?.is_none() {
            return Ok(None);
        }
        Ok(Some(self.node.answer("what is in the data directory", &data.names)?))
    }

    /// Where a part of what the host says about the data directory is written.
    pub(super) fn data_at(&self, dir: &str, part: &str) -> Span {
        self.host.at(&["data", dir, part])
    }

    /// The process of the server that runs in a data directory, by its `postmaster.pid`.
    ///
    /// # Errors
    /// When that cannot be told.
    pub(super) fn server_in(&self, data: &DataDir) -> Fact<Option<u32>> {
        if self.node.answer("the data directory", &data.entry)?.is_none() {
            return Ok(None);
        }
        let Some(file) = self.node.answer("postmaster.pid", &data.pid_file)? else { return Ok(None) };
        let name = self.node.answer("the process of postmaster.pid", &file.alive)?;
        Ok(name.as_deref().filter(|name| SERVERS.contains(name)).map(|_| file.pid))
    }

    /// The servers that run on the host, each with its number in the list of processes.
    ///
    /// # Errors
    /// When processes are not known.
    pub(super) fn servers(&self) -> Fact<Vec<(usize, &'a Process)>> {
        Ok(self.processes()?.iter().enumerate().filter(|(_, p)| SERVERS.contains(&p.name.as_str())).collect())
    }

    /// The processes of the host that matter here.
    ///
    /// # Errors
    /// When they are not known.
    pub(super) fn processes(&self) -> Fact<&'a [Process]> {
        Ok(self.node.answer("the processes", &self.host.value().processes)?)
    }

    /// Whether Patroni runs here.
    ///
    /// # Errors
    /// When processes are not known.
    pub(super) fn runs_patroni(&self) -> Fact<bool> {
        Ok(self.processes()?.iter().any(is_patroni))
    }

    /// What listens on the host.
    ///
    /// # Errors
    /// When that is not known.
    pub(super) fn listeners(&self) -> Fact<&'a [Listener]> {
        Ok(self.node.answer("what listens", &self.host.value().listeners)?)
    }

    /// What listens on a TCP port at one of some addresses, with its number in the list; addresses are written as in
    /// `postgresql.listen`. Two listeners meet where one of them takes all addresses.
    ///
    /// # Errors
    /// When that is not known.
    pub(super) fn on_port(&self, hosts: &str, port: i64) -> Fact<Vec<(usize, &'a Listener)>> {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for host in hosts.split(',').map(|h| h.trim().trim_matches(['[', ']']).to_ascii_lowercase()) {
            wanted.extend(self.resolved(&host)?);
        }
        let meets = |address: &str| {
            let every = |a: &str| matches!(a, "0.0.0.0" | "::");
            every(address) || wanted.iter().any(|w| every(w) || w == address)
        };
        let listeners = self.listeners()?.iter().enumerate();
        let on = |(_, l): &(usize, &Listener)| matches!(&l.at, Place::Tcp { address, port: p } if i64::from(*p) == port && meets(address));
        Ok(listeners.filter(on).collect())
    }

    /// The addresses that a host of `postgresql.listen` stands for there.
    ///
    /// # Errors
    /// When a name was not asked for.
    pub(super) fn resolved(&self, host: &str) -> Fact<Vec<String>> {
        match host {
            "" | "*" => return Ok(vec!["0.0.0.0".to_owned(), "::".to_owned()]),
            "localhost" => return Ok(vec!["127.0.0.1".to_owned(), "::1".to_owned()]),
            _ if host.parse::<std::net::IpAddr>().is_ok() => return Ok(vec![host.to_owned()]),
            _ => {}
        }
        let what = format!("the address of `{host}`");
        match self.host.value().names.get(host) {
            Some(answer) => Ok(self.node.answer(&what, answer)?.clone()),
            None => self.gap(what),
        }
    }

    /// Who holds a listener.
    ///
    /// # Errors
    /// When that is not known.
    pub(super) fn holders(&self, listener: &'a Listener) -> Fact<&'a [Holder]> {
        Ok(self.node.answer("the process that listens", &listener.holders)?)
    }

    /// What is at a path; `None` when it does not exist.
    ///
    /// # Errors
    /// When it was not asked for, or not seen.
    pub(super) fn entry(&self, path: &str) -> Fact<Option<&'a Entry>> {
        match self.host.value().paths.get(path) {
            Some(answer) => Ok(self.node.answer(path, answer)?.as_ref()),
            None => self.gap(path),
        }
    }

    /// The units of the host that start Patroni, by name.
    ///
    /// # Errors
    /// When units are not known.
    pub(super) fn patroni_units(&self) -> Fact<Vec<(&'a str, &'a Unit)>> {
        let units = self.node.answer("the units", &self.host.value().units)?;
        let known = units.iter().filter_map(|(name, unit)| Some((name.as_str(), unit.got()?)));
        Ok(known.filter(|(_, unit)| unit.starts_patroni()).collect())
    }

    /// The user that Patroni runs as, or will: that of its unit, else the owner of the data directory, as whom alone it could start the
    /// server.
    ///
    /// # Errors
    /// When that is not known.
    pub(super) fn user(&self) -> Fact<&'a str> {
        let users: BTreeSet<&str> = self
            .patroni_units()?
            .into_iter()
            .filter_map(|(_, unit)| Some(unit.user.got()?.as_deref().unwrap_or("root")))
            .collect();
        let mut users = users.into_iter();
        if let (Some(user), None) = (users.next(), users.next()) {
            return Ok(user);
        }
        let owner = || self.data().ok()??.1.entry.got()?.as_ref()?.owner.as_deref();
        owner().map_or_else(|| self.gap("the user that Patroni runs as"), Ok)
    }

    /// What Patroni's user may do with a path that exists.
    ///
    /// # Errors
    /// When that is not known.
    pub(super) fn access(&self, path: &str) -> Fact<(&'a str, Access)> {
        let user = self.user()?;
        let what = format!("what {user} may do with {path}");
        let Some(all) = self.host.value().access.get(user) else { return self.gap(what) };
        let all = self.node.answer(&what, all)?;
        match all.get(path) {
            Some(access) => Ok((user, *self.node.answer(&what, access)?)),
            None => self.gap(what),
        }
    }
}

/// Whether a process is Patroni.
pub(super) fn is_patroni(process: &Process) -> bool {
    let mut words = process.command.iter().take(3);
    process.name == "patroni" || words.any(|w| matches!(w.rsplit('/').next(), Some("patroni" | "patroni.py")))
}
