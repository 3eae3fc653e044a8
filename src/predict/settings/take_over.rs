//! What Patroni's steps make of the settings of one server: which files it has behind each of them, whether it reads them again, and what it is
//! started with.

use std::collections::BTreeMap;

use super::files::{Files, Line};
use super::loaded::{Settings, Today, difference, loaded};
use super::recovery::{self, Upstream};
use super::today::Known;
use super::wants::{Parameter, Parameters, Patroni};
use super::worked_out::WorkedOut;
use super::{By, Change, Setting, State, Value, follow, risk, server};
use crate::facts::Facts;
use crate::facts::gap::{Fact, GapReason};
use crate::facts::nodes::Node;
use crate::facts::running::primary_of;
use crate::knowledge::guc::{self, Context};
use crate::knowledge::patroni::{Version, command_line_setting};
use crate::parse::patroni::Item;
use crate::predict::slots::{self, Fate};
use crate::predict::{feedback, role_of};

/// From this release on Patroni goes by what a running server has, when it finds one (`load_current_server_parameters`).
const LOADS: Version = Version::new(3, 1, 2);

/// A start of the server.
#[derive(Debug, Default)]
struct Start {
    files: Files,
    options: BTreeMap<String, Fact<Line>>,
}

/// What happens to a server.
pub(super) struct TakeOver<'a> {
    patroni: &'a Patroni<'a>,
    facts: &'a Facts,
    is_standby: bool,
    /// Patroni restarts it when it attaches: to have it follow, or for the files of logical slots (`SlotsHandler.copy_logical_slots`).
    is_restarted: bool,
    /// The files that the server reads again once Patroni has attached; nothing when it does not.
    attached: Option<Files>,
    restarted: Start,
    started: Start,
    worked_out: WorkedOut,
    /// Whether the server archives: now, restarted and started.
    archives: [Option<bool>; 3],
}

/// What the server shows of `archive_command` while `archive_mode` is off (`show_archive_command` in `xlog.c`).
const UNUSED: &str = "(disabled)";

impl<'a> TakeOver<'a> {
    pub(super) fn of(facts: &'a Facts, patroni: &'a Patroni<'a>, known: &Known<'_>, today: &Settings<'_>) -> Self {
        let is_standby = role_of(facts, patroni.member).is_standby();
        let wanted = patroni.parameters();
        let upstream = recovery::upstream(facts, patroni);
        let later = Later { facts, patroni, known, upstream: &upstream, wanted: &wanted };
        let goes_by_server = patroni.version() >= LOADS;
        let taken = loaded(patroni, today, &wanted);
        let (attached, restarted) = if is_standby {
            let own = if goes_by_server { taken } else { wanted.clone() };
            let files = later.files(&own, Role::Standby);
            let restarted = later.start(&later.not_below_control(&own), Role::Standby);
            (Some(files), restarted)
        } else {
            let mut own = wanted.clone();
            if let Some(names) = later.synchronous() {
                own.insert("synchronous_standby_names".to_owned(), names);
            }
            let is_own = patroni.has_own_lists() || patroni.feeds_back() || patroni.file.is_synchronous();
            // What is not known hardly makes the file the same as it is.
            let rewritten = is_own || (goes_by_server && !matches!(difference(today, &taken, &own), Ok(None)));
            let files = later.files(&own, Role::Primary);
            (rewritten.then_some(files), later.start(&own, Role::Primary))
        };
        let follows = || {
            let recovery = recovery::lines(patroni, &wanted, &upstream);
            matches!(follow::restarts(facts, patroni, today, &recovery), Ok(Some(_)))
        };
        let is_restarted = is_standby && (patroni.copies_slots() || follows());
        let role = if is_standby { Role::Standby } else { Role::Returning };
        let started = later.start(&later.not_below_control(&wanted), role);
        let mut all = Self {
            patroni,
            facts,
            is_standby,
            is_restarted,
            attached,
            restarted,
            started,
            worked_out: WorkedOut::default(),
            archives: [None; 3],
        };
        if let Some(mode) = today.get("archive_mode") {
            let [restarted, started] = [&all.restarted, &all.started].map(|start| all.start(mode, start));
            all.archives = [&mode.state, &restarted, &started].map(|state| {
                let value = state.as_ref().ok().map(|state| &state.value);
                value.map(|value| *value != Value::Is("off".to_owned()))
            });
        }
        all.worked_out = WorkedOut::of(today, |setting| {
            let [restarted, started] = [&all.restarted, &all.started].map(|start| all.start(setting, start));
            (restarted, started)
        });
        all
    }

    /// A setting through all of it.
    pub(super) fn of_setting(&self, today: &Today<'_>) -> Setting {
        let name = today.shape.name();
        let attached = match (&self.attached, today.before()) {
            (None, _) => today.state.clone(),
            (Some(_), Err(gap)) => self.reload_of_unknown(today).unwrap_or_else(|| Err(gap.clone())),
            (Some(files), Ok(before)) => server::reloaded(&today.shape, before, files.get(name)),
        };
        let [restarted, started] = [(&self.restarted, 0), (&self.started, 1)]
            .map(|(start, which)| self.worked_out.apply(today, which, self.start(today, start)));
        let mut states = [today.state.clone(), attached, restarted, started];
        if name == "archive_command" {
            let [now, after, anew] = self.archives;
            let [a, b, c, d] = states;
            states = [shown(a, now), shown(b, now), shown(c, after), shown(d, anew)];
        }
        let [now, attached, restarted, started] = states;
        let attached = if self.is_restarted { restarted.clone() } else { attached };
        let change = self.change(today);
        let mut setting =
            Setting { name: name.to_owned(), now, attached, restarted, started, change, risks: Vec::new() };
        setting.risks = risk::of(self.facts, self.patroni, self.is_standby, &setting);
        setting
    }

    /// A setting whose value of today is not known, once the files are read again: what they set counts, where that takes no restart.
    fn reload_of_unknown(&self, today: &Today<'_>) -> Option<Fact<State>> {
        let fixed = matches!(today.shape.context(), Context::Postmaster | Context::Internal);
        let line = self.attached.as_ref()?.get(today.shape.name()).ok()??;
        // What stands on the command line or is set by the server itself would hide it.
        let value = today.shape.value_of(line).filter(|_| !fixed && line.by != By::OldFiles)?;
        Some(Ok(State { value, source: server::FILE.to_owned(), by: line.by, at: line.at, pending: false }))
    }

    fn start(&self, today: &Today<'_>, start: &Start) -> Fact<State> {
        let name = today.shape.name();
        let option = start.options.get(&name.to_ascii_lowercase()).cloned().transpose()?;
        let before = today.before();
        let state = server::started(&today.shape, before.ok(), start.files.get(name), option.as_ref())?;
        // What nobody sets is only known where it was seen.
        match before {
            Err(gap) if state.source == server::DEFAULT => Err(gap.clone()),
            _ if name == "config_file" => Ok(State { by: By::Patroni, ..Self::place(state, &self.patroni.conf) }),
            _ => Ok(state),
        }
    }

    /// The server is told where its file is.
    fn place(state: State, path: &str) -> State {
        let known = Value::Is(path.to_owned());
        if state.value == known { state } else { State { value: known, at: None, ..state } }
    }

    fn change(&self, today: &Today<'_>) -> Change {
        let name = today.shape.name();
        let context = today.shape.context();
        match command_line_setting(name, self.patroni.version()) {
            _ if context == Context::Internal => Change::Never,
            Some(row) if row.default.is_none() => Change::OtherKeys,
            Some(_) if context == Context::Postmaster => Change::DynamicAndRestart,
            Some(_) => Change::DynamicAndReload,
            None if context == Context::Postmaster => Change::Restart,
            None => Change::Reload,
        }
    }
}

/// `archive_command` as a server shows it that archives or does not.
fn shown(state: Fact<State>, archives: Option<bool>) -> Fact<State> {
    let state = state?;
    let hidden = Value::Is(UNUSED.to_owned());
    Ok(match archives {
        Some(false) => State { value: hidden, ..state },
        Some(true) if state.value == hidden && state.source == server::DEFAULT => {
            State { value: Value::Is(String::new()), ..state }
        }
        _ => state,
    })
}

/// What a member is when its files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It leads.
    Primary,
    /// It follows.
    Standby,
    /// It has led, and is started as one that follows (`Ha.start_as…`): alone it is promoted, else another one leads.
    Returning,
}

/// What Patroni writes later.
struct Later<'a, 'b> {
    facts: &'b Facts,
    patroni: &'b Patroni<'a>,
    known: &'b Known<'a>,
    upstream: &'b Fact<Upstream<'b>>,
    wanted: &'b Parameters,
}

impl Later<'_, '_> {
    /// The files behind a write of these parameters.
    fn files(&self, parameters: &Parameters, role: Role) -> Files {
        let mut lines = self.patroni.lines(parameters);
        if self.patroni.feeds_back() {
            let on = Line { value: "on".to_owned(), is_secret: false, by: By::Patroni, at: None };
            lines = lines.then(&Files::of_patroni([("hot_standby_feedback".to_owned(), Ok(on))]));
        }
        let recovery = match role {
            Role::Primary => Files::default(),
            Role::Standby => recovery::lines(self.patroni, self.wanted, self.upstream),
            Role::Returning if self.is_alone() => recovery::lines(self.patroni, self.wanted, &Ok(Upstream::Nobody)),
            Role::Returning => {
                let gap = self.patroni.gap("which member leads then", GapReason::NotGiven);
                recovery::lines(self.patroni, self.wanted, &Err(gap))
            }
        };
        self.known.below.clone().then(&lines).then(&recovery).then(&self.known.parts.sanitized())
    }

    fn start(&self, parameters: &Parameters, role: Role) -> Start {
        Start { files: self.files(parameters, role), options: self.patroni.options(parameters) }
    }

    fn is_alone(&self) -> bool {
        self.facts
            .cluster_of(self.patroni.member.file)
            .is_none_or(|cluster| cluster.members.len() == 1 && !cluster.is_open)
    }

    /// A server that starts as a standby gets no less than `pg_control` says (`ConfigHandler.effective_configuration`).
    fn not_below_control(&self, parameters: &Parameters) -> Parameters {
        const LABELS: [(&str, &str); 5] = [
            ("max_connections", "max_connections setting"),
            ("max_prepared_transactions", "max_prepared_xacts setting"),
            ("max_locks_per_transaction", "max_locks_per_xact setting"),
            ("max_worker_processes", "max_worker_processes setting"),
            ("max_wal_senders", "max_wal_senders setting"),
        ];
        let mut all = parameters.clone();
        for (name, label) in LABELS {
            let Some(Ok(parameter)) = all.get(name).cloned() else { continue };
            let Some(number) = crate::parse::patroni::parse_int(&parameter.text, None) else { continue };
            let control = if parameter.by == By::Kept { Ok(number) } else { self.control(name, label) };
            match control {
                Ok(control) if control > number => {
                    let raised = Parameter { text: control.to_string(), by: By::Control, at: None, ..parameter };
                    all.insert(name.to_owned(), Ok(raised));
                }
                Ok(_) => {}
                Err(gap) => drop(all.insert(name.to_owned(), Err(gap))),
            }
        }
        all
    }

    /// What `pg_control` says, or what the primary runs with, which stands there.
    fn control(&self, name: &str, label: &str) -> Fact<i64> {
        let member = self.patroni.member;
        let node = self.facts.node_of(member);
        let own = node.and_then(|node| {
            let host = node.host().ok()?;
            let data = host
                .value()
                .data
                .iter()
                .find(|(dir, _)| crate::facts::host_path::normal(dir) == self.patroni.data_dir)?;
            data.1.control.got()?.get(label)?.trim().parse::<i64>().ok()
        });
        let of_node = |node: &Node| node.setting(name).ok().flatten()?.number("setting");
        let of_primary = || primary_of(self.facts, member).and_then(|(_, node)| of_node(node));
        let of_files = || {
            // Nobody was asked: what the primary's files say, it runs with.
            let Ok(Upstream::Member(primary)) = self.upstream else { return None };
            let conf = &self.facts.confs[*primary.conf.as_ref().ok()?].conf;
            let written = conf.effective(name).map(|l| l.set.value.value.clone());
            let default = || Some(guc::find(name, self.patroni.major)?.default.to_owned());
            let known = conf.is_decided(name) && node.is_none();
            crate::parse::patroni::parse_int(&written.or_else(default).filter(|_| known)?, None)
        };
        let missing = || self.patroni.gap(format!("`{label}` of pg_controldata"), GapReason::NotGiven);
        own.or_else(of_primary).or_else(of_files).ok_or_else(missing)
    }

    /// `synchronous_standby_names` once the members have attached, where Patroni sets it.
    fn synchronous(&self) -> Option<Fact<Parameter>> {
        let file = self.patroni.file;
        if !file.is_synchronous() {
            return None;
        }
        let named = |text: String| Parameter {
            name: "synchronous_standby_names".to_owned(),
            text,
            is_secret: false,
            by: By::Patroni,
            at: Some(file.place_of("bootstrap.dcs.synchronous_mode")),
        };
        match self.patroni.synchronous_names(self.facts) {
            Ok(text) => Some(Ok(named(text?))),
            Err(gap) => Some(Err(gap)),
        }
    }
}

impl Patroni<'_> {
    /// Whether it replaces `pg_hba.conf` or `pg_ident.conf` by lists of its own, and then writes all its files.
    fn has_own_lists(&self) -> bool {
        !self.file.hba_lines().is_empty() || !self.file.ident_lines().is_empty()
    }

    /// Whether it switches `hot_standby_feedback` on.
    fn feeds_back(&self) -> bool {
        feedback::is_enforced(self.facts, self.member)
    }

    /// Whether a standby is restarted for a logical slot that it lacks. One that nobody has asked is taken to lack it: before 16 no standby can
    /// have one.
    fn copies_slots(&self) -> bool {
        let is_copied = |slot: &slots::Slot| match slot.fate {
            Fate::Copied => true,
            Fate::Wanted => slot.logical.is_some(),
            _ => false,
        };
        slots::of_member(self.facts, self.member).is_ok_and(|slots| slots.iter().any(is_copied))
    }

    /// The names as Patroni writes them (`SyncHandler.set_synchronous_standby_names`); `None` when it has none.
    ///
    /// # Errors
    /// When it may choose among several.
    fn synchronous_names(&self, facts: &Facts) -> Fact<Option<String>> {
        let Some(cluster) = facts.cluster_of(self.member.file) else { return Ok(None) };
        let others = cluster.members.iter().filter(|m| m.file != self.member.file);
        let is_candidate = |file: usize| {
            let tag = facts.patroni[file].config.get("tags.nosync");
            tag.is_none_or(|tag| tag.as_bool() != Some(true))
        };
        let mut names: Vec<&str> = others.filter(|m| is_candidate(m.file)).map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        let count = self.file.dynamic("synchronous_node_count").and_then(Item::as_setting);
        let count = count.and_then(|count| count.parse::<usize>().ok()).unwrap_or(1).max(1);
        let quorum = self
            .file
            .dynamic("synchronous_mode")
            .and_then(Item::as_str)
            .is_some_and(|m| m.eq_ignore_ascii_case("quorum"));
        let strict = self.file.dynamic("synchronous_mode_strict").and_then(Item::as_bool) == Some(true);
        let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        Ok(match (quoted.len(), quorum) {
            (0, _) if strict => Some("*".to_owned()),
            (0, _) => None,
            (n, true) => Some(format!("ANY {} ({})", count.min(n), quoted.join(","))),
            (1, false) => Some(quoted[0].clone()),
            (n, false) if n <= count => Some(format!("{n} ({})", quoted.join(","))),
            _ => {
                let what = format!("which {count} of {} Patroni makes synchronous", quoted.join(", "));
                return Err(self.gap(what, GapReason::NotGiven));
            }
        })
    }
}

/// `sync.py:quote_standby_name`
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
    if plain && !matches!(name.to_ascii_lowercase().as_str(), "first" | "any") {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
