//! Proofs with a Patroni of its own on loopback: what a rule says of files happens, and is gone once its fix is applied.
//!
//! `tests/proofs/<area>_site.yml` has them in groups of rows; a test of that name runs a group. Unlike those of `proof.rs` the rows need
//! no host of their own: what is asked of Patroni is a word of its log, or what it makes of a key.

use std::collections::BTreeMap;

use patroni_preflight::rules::builtin::find;
use serde::Deserialize;

use super::path;
use super::patroni::{Etcd, Patroni, Site, holds};
use super::record::{self, Stage};

/// Patroni has read its configuration, found its store and got hold of its port.
const IS_UP: &str = "Lock owner: |waiting for leader to bootstrap|trying to bootstrap";

/// One proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// `rule/case` below `fixtures/rules`.
    case: String,
    /// What Patroni gets as its configuration, `patroni.yml` by default.
    file: Option<String>,
    /// A file with variables that it gets as well.
    env: Option<String>,
    /// Arguments of `patroni` instead of the file.
    args: Option<Vec<String>>,
    /// The major of a server that exists already.
    takes_over: Option<u16>,
    /// Whether that server runs already.
    #[serde(default)]
    running: bool,
    /// How often Patroni looks after it, in seconds; each second by default.
    loop_wait: Option<u32>,
    /// Whether that server is a standby.
    #[serde(default)]
    standby: bool,
    /// Changes that only make the case fit for this machine, as `mend`.
    #[serde(default)]
    before: BTreeMap<String, Vec<String>>,
    /// What Patroni has said when its log is read, or the question is asked; `-` when it does not run.
    until: Option<String>,
    /// A Python expression, `tests/oracle/patroni_daemon.py` has its names. Nothing: the log is what Patroni says.
    asks: Option<String>,
    /// The file of the member who asks, when it is another one.
    asker: Option<String>,
    /// What it says because of the mistake, and not without it.
    says: String,
    /// What it says only without it.
    then: Option<String>,
    /// Each file with texts and what takes their place; an empty text adds to the file. Nothing: the edits of the rule.
    #[serde(default)]
    mend: BTreeMap<String, Vec<String>>,
    /// Files that the fix takes away.
    #[serde(default)]
    remove: Vec<String>,
}

impl Row {
    fn file(&self) -> &str {
        self.file.as_deref().unwrap_or("patroni.yml")
    }

    /// What Patroni says of the files as they are.
    fn ask(&self, patroni: &mut Patroni, site: &mut Site, namespace: &str) -> String {
        site.env = self.env.iter().flat_map(|file| variables(site, file)).collect();
        let runs = self.until.as_deref() != Some("-");
        if runs {
            // Rows share a store.
            site.env.push(("PATRONI_NAMESPACE".to_owned(), namespace.to_owned()));
            if let Some(version) = self.takes_over {
                site.take_over(self.file(), version, self.standby);
            }
            if let Some(seconds) = self.loop_wait {
                site.replace(self.file(), b"loop_wait: 1\n", &format!("loop_wait: {seconds}\n"));
            }
            if let Some(version) = self.takes_over.filter(|_| self.running) {
                site.run_server(self.file(), version);
            }
            let default = format!("{}|{IS_UP}", self.says);
            let until = self.until.as_deref().unwrap_or(&default);
            let args = self.args.clone().unwrap_or_else(|| vec![self.file().to_owned()]);
            patroni.start(site, "member", &args.iter().map(String::as_str).collect::<Vec<_>>());
            let said = patroni.wait("member", until, 20);
            if self.asks.is_none() {
                patroni.kill("member");
                site.end_servers();
                return format!("{}ended: {:?}", said.log, said.ended);
            }
        }
        let question = site.localized(self.asks.as_deref().expect("asked, or run"));
        let answer = patroni.eval(site, self.asker.as_deref().unwrap_or(self.file()), &question);
        if runs {
            patroni.kill("member");
            site.end_servers();
        }
        answer
    }

    fn mend(&self, rule: &str, site: &Site) -> Result<(), String> {
        if self.mend.is_empty() && self.remove.is_empty() && site.mend(rule) == 0 {
            return Err("the rule offers no edit".to_owned());
        }
        for file in &self.remove {
            site.remove(file);
        }
        change(site, &self.mend)
    }

    /// What does not happen as it should.
    fn check(&self, rule: &str, patroni: &mut Patroni, etcd: &Etcd, namespace: &str) -> Result<(), String> {
        let mut site = Site::new(etcd.port);
        site.lay(rule, self.case.split_once('/').map_or("", |(_, case)| case));
        change(&site, &self.before)?;
        if site.findings(rule).is_empty() {
            return Err("the rule does not fire".to_owned());
        }
        let before = self.ask(patroni, &mut site, &format!("/{namespace}-before/"));
        if !holds(&before, &self.says) {
            return Err(format!("this does not say {}:\n{before}", self.says));
        }
        self.mend(rule, &site)?;
        if !self.mend.is_empty() {
            record::note(Stage::Fix, rule, format!("{:?}", self.mend));
        }
        let left = site.findings(rule);
        if !left.is_empty() {
            return Err(format!("the rule is not silent about the mended files: {left:?}"));
        }
        let after = self.ask(patroni, &mut site, &format!("/{namespace}-after/"));
        if holds(&after, &self.says) {
            return Err(format!("this still says {}:\n{after}", self.says));
        }
        match &self.then {
            Some(then) if holds(&before, then) => Err(format!("this says {then} before the fix:\n{before}")),
            Some(then) if !holds(&after, then) => Err(format!("this does not say {then} after the fix:\n{after}")),
            _ => Ok(()),
        }
    }
}

fn change(site: &Site, files: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    for (file, changes) in files {
        for change in changes.chunks(2) {
            let [from, to] = change else { return Err(format!("{file}: texts go in pairs")) };
            if from.is_empty() { site.append(file, to) } else { site.replace(file, from.as_bytes(), to) }
        }
    }
    Ok(())
}

/// The variables of a file as systemd and Docker have them.
fn variables(site: &Site, file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(site.dir.join(file)).unwrap_or_default();
    let pairs = text.lines().filter_map(|l| l.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// Runs the rows of a group.
pub(crate) fn prove(area: &str, group: &str) {
    let text = std::fs::read_to_string(path(&format!("tests/proofs/{area}_site.yml"))).expect("a table");
    let mut groups: BTreeMap<String, Vec<Row>> = serde_yaml::from_str(&text).expect("a table of proofs");
    let rows = groups.remove(group).expect("a group of this name");
    let (mut patroni, etcd) = (Patroni::new(), Etcd::start());
    let mut wrong = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let name = row.case.split('/').next().unwrap_or_default();
        let rule = find(name).unwrap_or_else(|| panic!("no rule {name}"));
        if *rule.proof != *format!("tests/proofs::{area}::{group}") {
            wrong.push(format!("{}: its rule file names another proof: {}", row.case, rule.proof));
        }
        let failed = row.check(name, &mut patroni, &etcd, &format!("row{at}")).err();
        wrong.extend(failed.map(|why| format!("{}: {why}", row.case)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
