//! What proofs on a site ask of the program: `check` of members as they run, and its words.

use std::collections::BTreeMap;

use crate::support::record::{self, SOME, Stage, says};
use crate::support::site::{OPERATOR, Site};

/// What `check` has said.
#[derive(Debug)]
pub(crate) struct Checked {
    /// All of it.
    pub(crate) text: String,
    /// The text of findings, by rule.
    blocks: BTreeMap<String, Vec<String>>,
}

impl Checked {
    /// Of what it has written.
    pub(crate) fn new(text: String) -> Self {
        let mut blocks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut current: Option<String> = None;
        for line in text.lines() {
            let head = ["error[", "warning[", "note["].iter().find_map(|start| line.strip_prefix(start));
            if let Some((rule, _)) = head.and_then(|rest| rest.split_once("]: ")) {
                blocks.entry(rule.to_owned()).or_default().push(String::new());
                current = Some(rule.to_owned());
            } else if line.starts_with("not checked") || line.starts_with("checked") {
                current = None;
            }
            if let Some(block) = current.as_ref().and_then(|rule| blocks.get_mut(rule)?.last_mut()) {
                block.push_str(line);
                block.push('\n');
            }
        }
        Self { text, blocks }
    }

    /// Whether a rule has found something.
    pub(crate) fn has(&self, rule: &str) -> bool {
        self.blocks.contains_key(rule)
    }

    /// The finding of a rule whose words hold a text.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) fn finding(&self, rule: &str, words: &str) -> &str {
        let of_rule = self.blocks.get(rule).map_or(&[][..], Vec::as_slice);
        let found = of_rule.iter().find(|block| block.contains(words));
        let found = found.unwrap_or_else(|| panic!("no finding of {rule} with {words:?}:\n{}", self.text));
        record::note(Stage::Said, rule, found.lines().next().unwrap_or_default());
        found
    }

    /// What stands behind a mark in a finding, to the end of the line: `later: `, `SQL: `, `$ `.
    ///
    /// # Panics
    /// When the finding has no such line.
    pub(crate) fn step(&self, rule: &str, mark: &str) -> &str {
        let block = self.finding(rule, "");
        let line = block.lines().find_map(|line| line.split_once(mark).map(|(_, rest)| rest));
        let line = line.unwrap_or_else(|| panic!("no {mark:?} in\n{block}"));
        let step = line.split(" [").next().unwrap_or(line);
        record::note(Stage::Fix, rule, step);
        step
    }

    /// That rules are silent.
    ///
    /// # Panics
    /// When one is not.
    pub(crate) fn is_silent(&self, rules: &[&str]) {
        for rule in rules {
            assert!(!self.has(rule), "{rule} still speaks:\n{}", self.text);
            record::note(Stage::Gone, rule, "");
        }
    }
}

/// `check` of some members, with the ways to their hosts and servers.
pub(crate) fn check_of(site: &Site, members: &[&str]) -> Checked {
    check_with(site, members, &[])
}

/// The same with further options.
pub(crate) fn check_with(site: &Site, members: &[&str], options: &[&str]) -> Checked {
    let files: Vec<String> = members.iter().map(|m| format!("/etc/patroni/{m}.yml")).collect();
    let ssh: Vec<String> = members.iter().map(|m| format!("{m}={m}")).collect();
    let dsns: Vec<String> = members.iter().map(|m| format!("{m}={}", site.dsn(m, "dba", "postgres"))).collect();
    let mut args = [&["check", "--format", "full"], options].concat();
    args.extend(files.iter().map(String::as_str));
    args.extend(ssh.iter().flat_map(|s| ["--ssh", s.as_str()]));
    args.extend(dsns.iter().flat_map(|s| ["--dsn", s.as_str()]));
    let ran = site.preflight(&args);
    assert!(matches!(ran.code, Some(0..=3)), "{ran:?}");
    Checked::new(format!("{}{}", ran.out, ran.err))
}

/// `check` of all members.
pub(crate) fn check(site: &Site) -> Checked {
    let members: Vec<&str> = site.members().iter().map(String::as_str).collect();
    check_of(site, &members)
}

/// Changes a member's file of Patroni, there and where the operator has it.
pub(crate) fn edit(site: &Site, member: &str, from: &str, to: &str) {
    for host in [member, OPERATOR] {
        site.replace(host, &format!("/etc/patroni/{member}.yml"), from, to);
    }
    record::note(Stage::Fix, SOME, format!("{member}.yml: {from:?} -> {to:?}"));
}

/// Runs a command of `patronictl` as it was printed, on a member, without its questions.
pub(crate) fn patronictl(site: &Site, member: &str, printed: &str) {
    let command = printed.strip_prefix("patronictl").unwrap_or_else(|| panic!("{printed:?} is not patronictl"));
    let command = command.replace(" -c patroni.yml", "");
    let force = if command.contains("--force") || command.contains(" resume ") { "" } else { " --force" };
    let text = format!("patronictl -c /etc/patroni/{member}.yml{command}{force}");
    site.must(member, "postgres", &["sh", "-c", &text]);
}

/// Waits until Patroni's log of a member holds a text.
pub(crate) fn wait_for(site: &Site, member: &str, words: &str) {
    site.wait(words, 40, || site.patroni_log(member).contains(words));
    says(&site.patroni_log(member), words);
}

/// What Patroni says when the store is lost to a leader: by whether the servers say nothing, or one without a majority answers with an error.
pub(crate) const DEMOTED: [&str; 2] = [
    "demoting self because DCS is not accessible and I was a leader",
    "demoted self because failed to update leader lock in DCS",
];

/// Waits until a leader that has lost the store demotes itself.
pub(crate) fn wait_for_demotion(site: &Site, member: &str) {
    let said = || DEMOTED.into_iter().find(|words| site.patroni_log(member).contains(words));
    site.wait("the demotion", 40, || said().is_some());
    says(&site.patroni_log(member), said().expect("what was said a moment ago"));
}

/// Waits until a member leads.
pub(crate) fn wait_for_leader(site: &Site, member: &str) {
    site.wait("a leader", 40, || site.rest(member, "/primary").is_some_and(|(status, _)| status == 200));
}

/// Waits until the log of a member's server holds a text, as long as Patroni has not started it.
pub(crate) fn wait_for_server(site: &Site, member: &str, words: &str) {
    site.wait(words, 40, || site.postgres_log(member).contains(words));
    says(&site.postgres_log(member), words);
}
