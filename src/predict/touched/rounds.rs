//! The moments: attach, the first rounds, the first restart.

use super::{Act, LOOKS_FIRST, Moment, POSTMASTER, Plan, WAL_RECEIVER, store};
use crate::facts::gap::{Fact, Gap};
use crate::facts::running::primary_of;
use crate::knowledge::patroni::slot_name;
use crate::parse::patroni::Item;
use crate::predict::slots::{self, Fate};
use crate::predict::{feedback, settings};

const WRITTEN: &str = "Patroni's own settings, with the file from before included in front of them";

impl Plan<'_> {
    /// `Postgresql.__init__`
    pub(super) fn attach(&mut self) {
        if self.file.version < LOOKS_FIRST {
            if !self.is_standby {
                self.write_conf(Moment::Attach, WRITTEN, None);
            }
            if self.write_lists(Moment::Attach) {
                self.add(Moment::Attach, Act::Reloaded, POSTMASTER, "the lists are to count");
            }
            return;
        }
        self.back_up(Moment::Attach);
        let has_lists = self.write_lists(Moment::Attach);
        if self.is_standby {
            if has_lists {
                self.add(Moment::Attach, Act::Reloaded, POSTMASTER, "the lists are to count");
            }
            return;
        }
        let differs: Fact<Option<String>> = if has_lists {
            Ok(Some("the lists are to count".to_owned()))
        } else {
            settings::difference(self.facts, self.member)
        };
        match differs {
            Ok(None) => {}
            Ok(Some(why)) => self.write_and_reload(Moment::Attach, WRITTEN, &why, None),
            Err(gap) => {
                self.write_and_reload(Moment::Attach, WRITTEN, "the server differs from it in something", Some(&gap));
            }
        }
    }

    fn write_and_reload(&mut self, moment: Moment, written: &str, why: &str, in_doubt: Option<&Gap>) {
        self.write_conf(moment, written, in_doubt);
        self.add(moment, Act::Reloaded, POSTMASTER, why).in_doubt = in_doubt.cloned();
    }

    /// Until Patroni has nothing more to do.
    pub(super) fn first_rounds(&mut self) {
        let feedback = feedback::is_enforced(self.facts, self.member);
        if self.is_standby {
            store::of_member(self);
            if feedback {
                self.write_and_reload(Moment::FirstRounds, WRITTEN, FEEDBACK, None);
            }
            self.follow();
        } else {
            store::of_leader(self);
            if feedback {
                self.write_and_reload(Moment::FirstRounds, WRITTEN, FEEDBACK, None);
            }
            if self.file.is_synchronous() && self.has_standbys() {
                let why = "`synchronous_standby_names` is to name the standbys that Patroni has chosen";
                self.write_and_reload(Moment::FirstRounds, WRITTEN, why, None);
            }
        }
        self.keep_dynamic();
        if self.is_standby {
            self.copy_slots();
        }
    }

    fn has_standbys(&self) -> bool {
        self.facts.cluster_of(self.member.file).is_some_and(|cluster| cluster.members.len() > 1)
    }

    /// `Ha.follow`
    fn follow(&mut self) {
        let (restarts, in_doubt) = match settings::restart_of_standby(self.facts, self.member) {
            Ok(why) => (why, None),
            Err(gap) => (None, Some(gap)),
        };
        let first = self.all.len();
        let signal = self.paths.standby_signal();
        match self.exists(&signal) {
            Ok(false) => self.add(Moment::FirstRounds, Act::Created, signal, "it is empty"),
            _ => self.add(Moment::FirstRounds, Act::Replaced, signal, "it is written anew, and stays empty"),
        };
        if let Some(why) = restarts {
            self.start(Moment::FirstRounds, &why);
        } else {
            self.write_conf(Moment::FirstRounds, WRITTEN, in_doubt.as_ref());
            self.write_pgpass(Moment::FirstRounds);
            self.add(Moment::FirstRounds, Act::Reloaded, POSTMASTER, "it is to stream as Patroni wants it");
            let leader = primary_of(self.facts, self.member)
                .and_then(|(leader, _)| self.facts.patroni[leader.file].config.connect_address());
            let from =
                leader.map_or_else(|| "the leader".to_owned(), |a| crate::bundle::host::place(&a.value.0, a.value.1));
            let own = || format!(" by slot {}", slot_name(&self.member.name));
            let by = if self.file.uses_slots() { own() } else { String::new() };
            let because = format!("it streams from {from}{by}, with the role of Patroni's for replication");
            self.add(Moment::FirstRounds, Act::Reconnected, WAL_RECEIVER, because);
        }
        for touch in &mut self.all[first..] {
            touch.in_doubt = touch.in_doubt.take().or_else(|| in_doubt.clone());
        }
    }

    /// The password of the role that a standby streams with (`ConfigHandler.write_pgpass`).
    fn write_pgpass(&mut self, moment: Moment) {
        let config = &self.file.config;
        if config.get("postgresql.authentication.replication.password").is_none()
            || config.get("tags.nostream").and_then(Item::as_bool) == Some(true)
        {
            return;
        }
        let because = "the password of the role for replication, and nothing else";
        match self.paths.pgpass.clone() {
            Some(path) => {
                let is_there = self.exists(&path);
                let is_new = is_there == Ok(false) && !self.all.iter().any(|touch| touch.what == path);
                let act = if is_new { Act::Created } else { Act::Replaced };
                self.add(moment, act, path, because);
            }
            None => drop(self.add(
                moment,
                Act::Replaced,
                "~/pgpass",
                format!("{because}; in the home directory of Patroni's user"),
            )),
        }
    }

    /// `Config.save_cache`
    fn keep_dynamic(&mut self) {
        let path = format!("{}/patroni.dynamic.json", self.paths.data);
        let act = if self.exists(&path) == Ok(true) { Act::Replaced } else { Act::Created };
        self.add(Moment::FirstRounds, act, path, "the dynamic configuration, as the store has it");
    }

    /// `SlotsHandler.copy_logical_slots`
    fn copy_slots(&mut self) {
        let Ok(all) = slots::of_member(self.facts, self.member) else { return };
        let copied: Vec<&str> =
            all.iter().filter(|slot| slot.fate == Fate::Copied).map(|slot| slot.name.as_str()).collect();
        if copied.is_empty() {
            return;
        }
        let names = copied.join(", ");
        for name in &copied {
            let path = format!("{}/pg_replslot/{name}", self.paths.data);
            self.add(Moment::FirstRounds, Act::Created, path, "the state of the leader's slot");
        }
        self.start(Moment::FirstRounds, &format!("logical slots are copied from the leader: {names}"));
    }

    /// `Postgresql.restart`, as `patronictl restart` has it done.
    pub(super) fn restart(&mut self) {
        self.start(Moment::Restart, "you restart it, and the settings of its command line count from then on");
    }

    /// `Postgresql.start`
    fn start(&mut self, moment: Moment, why: &str) {
        self.write_conf(moment, WRITTEN, None);
        if self.is_standby {
            self.write_pgpass(moment);
        }
        self.write_lists(moment);
        self.add(moment, Act::Restarted, POSTMASTER, why);
        self.back_up(moment);
    }
}

const FEEDBACK: &str = "`hot_standby_feedback` is to be on for the logical slots that are declared";
