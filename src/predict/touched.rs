//! What Patroni does to the files and processes of a host, in the order in which it does it.

mod auto_conf;
mod rounds;
mod store;

use serde::Serialize;

use super::paths::Paths;
use super::role_of;
use crate::facts::gap::{Fact, Gap};
use crate::facts::nodes::Node;
use crate::facts::{Facts, Member, PatroniFile};
use crate::knowledge::patroni::Version;

/// Something that Patroni does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Touch {
    /// When.
    pub moment: Moment,
    /// What it does.
    pub act: Act,
    /// To what: a path on the host, `postmaster`, a key of the store.
    pub what: String,
    /// What the path becomes, or where it is copied to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why, or what is in it afterwards, in words for people.
    pub because: String,
    /// What is not known and decides whether it happens; `None` where it certainly does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_doubt: Option<Gap>,
}

/// When Patroni does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// When Patroni has found the running server.
    Attach,
    /// In its first rounds.
    FirstRounds,
    /// At the first restart of the server.
    Restart,
}

/// What Patroni does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A file gets another name.
    Renamed,
    /// A file is copied.
    Copied,
    /// A file is made.
    Created,
    /// What was in a file is lost, but for the copies above.
    Replaced,
    /// Lines are taken out of a file.
    Edited,
    /// A file is removed.
    Removed,
    /// The server reads its files again.
    Reloaded,
    /// The WAL receiver starts anew.
    Reconnected,
    /// The server is restarted.
    Restarted,
    /// A key of the store is written.
    Stored,
}

/// The server process.
const POSTMASTER: &str = "postmaster";
/// The process of a standby that streams.
const WAL_RECEIVER: &str = "WAL receiver";

/// From here on Patroni looks at what a running server has before it writes files, and makes its copies of them (3.1.2).
const LOOKS_FIRST: Version = Version::new(3, 1, 2);

/// On the host of a member.
///
/// # Errors
/// When Patroni's file does not tell where its files lie.
pub fn of_member(facts: &Facts, member: &Member) -> Fact<Vec<Touch>> {
    let file = &facts.patroni[member.file];
    let node = facts.node_of(member);
    let paths = Paths::of(file, member)?;
    let is_standby = role_of(facts, member).is_standby();
    let mut plan = Plan {
        facts,
        member,
        file,
        node,
        paths,
        is_standby,
        is_written: Ok(false),
        auto_conf_done: false,
        all: Vec::new(),
    };
    plan.attach();
    plan.first_rounds();
    plan.restart();
    Ok(plan.all)
}

/// What is done, so far.
struct Plan<'a> {
    facts: &'a Facts,
    member: &'a Member,
    file: &'a PatroniFile,
    node: Option<&'a Node>,
    paths: Paths,
    is_standby: bool,
    /// Whether Patroni has written `postgresql.conf`.
    is_written: Fact<bool>,
    /// Whether recovery settings are out of `postgresql.auto.conf`.
    auto_conf_done: bool,
    all: Vec<Touch>,
}

impl Plan<'_> {
    fn add(&mut self, moment: Moment, act: Act, what: impl Into<String>, because: impl Into<String>) -> &mut Touch {
        let (what, because) = (what.into(), because.into());
        self.all.push(Touch { moment, act, what, to: None, because, in_doubt: None });
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    /// Lists of `patroni.yml` that Patroni writes to files (`ConfigHandler.replace_pg_hba`, `replace_pg_ident`). Whether there were any.
    fn write_lists(&mut self, moment: Moment) -> bool {
        let lists = [
            (self.file.hba_lines().is_empty(), self.paths.hba.clone(), "pg_hba"),
            (self.file.ident_lines().is_empty(), self.paths.ident.clone(), "pg_ident"),
        ];
        let mut any = false;
        for (_, path, key) in lists.into_iter().filter(|(is_empty, _, _)| !is_empty) {
            any = true;
            let is_there = self.exists(&path) != Ok(false);
            let act = if is_there { Act::Replaced } else { Act::Created };
            self.add(moment, act, path, format!("it becomes the list `postgresql.{key}`, and nothing else"));
        }
        any
    }

    /// The copies of configuration in the data directory (`ConfigHandler.save_configuration_files`).
    fn back_up(&mut self, moment: Moment) {
        for (name, path) in self.paths.saved(self.file) {
            // Of the original, once it has another name.
            let is_base = path == self.paths.base;
            let is_there = if is_base { self.base_is_there() } else { self.exists(&path) };
            if is_there == Ok(false) {
                continue;
            }
            let to = format!("{}/{name}.backup", self.paths.data);
            let because = match self.exists(&to) {
                Ok(true) => "the copy that is there is lost",
                _ => "Patroni's copy, which the next start of the server writes over",
            };
            let touch = self.add(moment, Act::Copied, path, because);
            touch.to = Some(to);
            touch.in_doubt = is_there.err();
        }
    }

    /// Whether there is a base file by now.
    fn base_is_there(&self) -> Fact<bool> {
        match &self.is_written {
            Ok(true) => Ok(!self.paths.has_custom_conf || self.exists(&self.paths.base)?),
            Ok(false) => self.exists(&self.paths.base),
            Err(gap) => {
                self.exists(&self.paths.base).and_then(|is_there| if is_there { Ok(true) } else { Err(gap.clone()) })
            }
        }
    }

    /// `ConfigHandler.write_postgresql_conf`; what decides whether it happens at all may not be known.
    fn write_conf(&mut self, moment: Moment, because: &str, in_doubt: Option<&Gap>) {
        let (conf, base) = (self.paths.conf.clone(), self.paths.base.clone());
        let first = self.all.len();
        let was_renamed = self.paths.has_custom_conf || self.is_written == Ok(true);
        let has_base = if was_renamed { Ok(true) } else { self.exists(&base) };
        if has_base == Ok(true) {
            let lost = if was_renamed { "" } else { ", and what was in it is not kept: there is a base file already" };
            self.add(moment, Act::Replaced, conf, format!("{because}{lost}"));
        } else {
            let touch = self.add(moment, Act::Renamed, conf.clone(), "Patroni includes it from the one that it writes");
            touch.to = Some(base);
            touch.in_doubt = has_base.err();
            self.add(moment, Act::Created, conf, because);
        }
        self.clean_auto_conf(moment);
        for touch in &mut self.all[first..] {
            touch.in_doubt = touch.in_doubt.take().or_else(|| in_doubt.cloned());
        }
        self.is_written = match (&self.is_written, in_doubt) {
            (Ok(true), _) | (_, None) => Ok(true),
            (_, Some(gap)) => Err(gap.clone()),
        };
    }

    /// `ConfigHandler._sanitize_auto_conf`
    fn clean_auto_conf(&mut self, moment: Moment) {
        if std::mem::replace(&mut self.auto_conf_done, true) {
            return;
        }
        let what = format!("{}/postgresql.auto.conf", self.paths.data);
        match auto_conf::recovery_settings(self.facts, self.member) {
            Ok(names) if names.is_empty() => {}
            Ok(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                self.add(moment, Act::Edited, what, format!("{} are taken out", names.join(", ")));
            }
            Err(gap) => {
                self.add(moment, Act::Edited, what, "recovery settings are taken out, where there are some").in_doubt =
                    Some(gap);
            }
        }
    }

    fn exists(&self, path: &str) -> Fact<bool> {
        self.paths.exists(self.node, self.member, path)
    }
}
