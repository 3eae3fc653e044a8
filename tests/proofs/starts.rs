//! Proofs that need no more than one start of Patroni: what it says of a file, and what it says once the file is mended.

use crate::support::patroni::{Etcd, Patroni, Site, holds};

/// Patroni has read its configuration, found its store and got hold of its port.
pub(crate) const IS_UP: &str = "Lock owner: |waiting for leader to bootstrap|trying to bootstrap";

/// How the files are mended where no edit of the rule does it: a text and what stands in its place.
pub(crate) type Change = (&'static [u8], &'static str);

/// A case, what Patroni says of it, and what a person changes who follows the printed fix.
pub(crate) struct Start {
    /// The rule.
    pub(crate) rule: &'static str,
    /// A case of it with one `patroni.yml`.
    pub(crate) case: &'static str,
    /// A pattern of what Patroni says.
    pub(crate) says: &'static str,
    /// Empty where the edits of the rule mend it.
    pub(crate) changes: &'static [Change],
}

/// Applies what a rule offers, or what a person does who follows its fix.
pub(crate) fn mend(site: &Site, rule: &str, changes: &[Change]) {
    if changes.is_empty() {
        assert_ne!(site.mend(rule), 0, "{rule} offers no edit");
    }
    for (from, to) in changes {
        site.replace("patroni.yml", from, to);
    }
}

/// Starts Patroni with each file and with each mended file.
pub(crate) fn check(starts: &[Start]) {
    let mut patroni = Patroni::new();
    let etcd = Etcd::start();
    let mut wrong = Vec::new();
    for start in starts {
        let what = format!("{}/{}", start.rule, start.case);
        let site = Site::new(etcd.port);
        site.lay(start.rule, start.case);
        let before = patroni.run(&site, &["patroni.yml"], &format!("{}|{IS_UP}", start.says));
        if !holds(&before.log, start.says) {
            wrong.push(format!("{what}: Patroni does not say {:?}, but {}", start.says, before.log));
        }
        if site.findings(start.rule).is_empty() {
            wrong.push(format!("{what}: lint says nothing"));
        }
        mend(&site, start.rule, start.changes);
        let after = patroni.run(&site, &["patroni.yml"], IS_UP);
        if !holds(&after.log, IS_UP) || holds(&after.log, start.says) {
            wrong.push(format!("{what}: mended, and Patroni says {}", after.log));
        }
        let left = site.findings(start.rule);
        if !left.is_empty() {
            wrong.push(format!("{what}: mended, and lint still says {left:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
