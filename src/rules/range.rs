//! For which releases a rule is true: `>=3.0, <4.0` of Patroni, `>=16` of PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Facts;
use crate::knowledge::patroni::Version;
use crate::problem::Problem;
use crate::source::SourceId;

/// Whether a release lies in a range; an empty range holds all.
///
/// # Panics
/// For a range that cannot be read; a test reads those of all built-in rules.
#[must_use]
pub fn holds(range: &str, version: Version) -> bool {
    holds_all(range, &version)
}

/// Whether a major version of PostgreSQL lies in a range; an empty range holds all.
///
/// # Panics
/// For a range that cannot be read, as [`holds`].
#[must_use]
pub fn holds_major(range: &str, major: u16) -> bool {
    holds_all(range, &major)
}

fn holds_all<V: std::str::FromStr + PartialOrd>(range: &str, version: &V) -> bool {
    range.split(',').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let (bound, at_least) = part.strip_prefix(">=").map_or((part.strip_prefix('<'), false), |b| (Some(b), true));
        let bound: Option<V> = bound.and_then(|b| b.trim().parse().ok());
        let bound = bound.unwrap_or_else(|| panic!("`{part}` is no bound of versions"));
        (*version >= bound) == at_least
    })
}

/// The major versions of PostgreSQL that each text is read by.
pub(super) type Majors = BTreeMap<SourceId, BTreeSet<u16>>;

/// The versions of the members that the texts belong to, as far as they are known.
pub(super) fn majors(facts: &Facts) -> Majors {
    let mut majors = Majors::new();
    for member in facts.members() {
        let Some(major) = member.postgresql else { continue };
        let conf = member.conf.as_ref().ok().map(|conf| &facts.confs[*conf]);
        let included = conf.into_iter().flat_map(|c| c.conf.files()).filter_map(|path| facts.sources.by_path(path));
        let hba = member.hba.as_ref().ok().map(|hba| facts.hbas[*hba].source.id());
        let own = [facts.patroni[member.file].source.id()];
        let all = own.into_iter().chain(conf.map(|c| c.source.id())).chain(hba).chain(included.map(|s| s.id()));
        for source in all {
            majors.entry(source).or_default().insert(major);
        }
    }
    majors
}

/// Keeps what is true of a version that reads the text. Where that version is not known, the problem says for which it is true.
pub(super) fn keep_true(range: &str, majors: &Majors, problems: &mut Vec<Problem>) {
    problems.retain_mut(|problem| {
        let Some(known) = majors.get(&problem.at.source) else {
            problem.notes.push(format!("true for PostgreSQL {range}; which version reads this file is not known"));
            return true;
        };
        known.iter().any(|major| holds_major(range, *major))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_joined() {
        assert!(holds(">=3.0, <4.0", Version::new(3, 3, 8)) && !holds(">=3.0, <4.0", Version::new(4, 0, 0)));
        assert!(holds("", Version::LATEST) && !holds(">=4.0", Version::new(3, 3, 8)));
        assert!(holds_major(">=16", 16) && !holds_major(">=14, <16", 16));
    }

    #[test]
    fn a_version_that_is_not_known_is_said() {
        let source = crate::source::Source::lone("x", "y");
        let problem = || vec![Problem::new("r", source.span(0, 1))];
        let known = |major| Majors::from([(source.id(), BTreeSet::from([major]))]);
        let (mut there, mut gone, mut open) = (problem(), problem(), problem());
        keep_true(">=16", &known(17), &mut there);
        keep_true(">=16", &known(15), &mut gone);
        keep_true(">=16", &Majors::new(), &mut open);
        assert_eq!((there.len(), gone.len(), there[0].notes.len()), (1, 0, 0));
        assert_eq!(open[0].notes, ["true for PostgreSQL >=16; which version reads this file is not known"]);
    }
}
