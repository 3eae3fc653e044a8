//! For which releases a rule is true: `>=3.0, <4.0` of Patroni, `>=16` of PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds;
use super::report::Report;
use crate::facts::gap::Fact;
use crate::facts::{Facts, Member};
use crate::knowledge::patroni::Version;
use crate::problem::Problem;
use crate::source::SourceId;

/// Whether a release lies in a range; an empty range holds all.
///
/// # Panics
/// For a range that cannot be read. Rules with such a range are refused when they are loaded.
#[must_use]
pub fn holds(range: &str, version: Version) -> bool {
    within(range, [version.major.into(), version.minor.into(), version.patch.into()])
}

/// Whether a major version of PostgreSQL lies in a range; an empty range holds all.
///
/// # Panics
/// As [`holds`].
#[must_use]
pub fn holds_major(range: &str, major: u16) -> bool {
    within(range, [major, 0, 0])
}

fn within(range: &str, version: bounds::Numbers) -> bool {
    let bounds = bounds::parse(range).expect("invariant: ranges are checked when rules are loaded");
    bounds.iter().all(|bound| bound.holds(version))
}

/// The releases of Patroni that take over in this run.
pub(super) fn releases(facts: &Facts) -> BTreeSet<Version> {
    facts.patroni.iter().map(|f| f.version).chain([facts.patroni_version]).collect()
}

/// The releases of Patroni that each text is read by.
pub(super) type Releases = BTreeMap<SourceId, BTreeSet<Version>>;

/// The releases of the members that the texts belong to.
pub(super) fn releases_by_text(facts: &Facts) -> Releases {
    let mut releases = Releases::new();
    for file in &facts.patroni {
        releases.entry(file.source.id()).or_default().insert(file.version);
    }
    for member in facts.members() {
        for source in texts(facts, member) {
            releases.entry(source).or_default().insert(facts.patroni[member.file].version);
        }
    }
    releases
}

/// Keeps what is true of a release that reads the text.
pub(super) fn keep_released(range: &str, releases: &Releases, default: Version, problems: &mut Vec<Problem>) {
    problems.retain(|problem| match releases.get(&problem.at.source) {
        Some(known) => known.iter().any(|release| holds(range, *release)),
        None => holds(range, default),
    });
}

/// The major versions of PostgreSQL that each text is read by; a gap where a template decides.
pub(super) type Majors = BTreeMap<SourceId, Fact<BTreeSet<u16>>>;

/// The versions of the members that the texts belong to, as far as they are known.
pub(super) fn majors(facts: &Facts) -> Majors {
    let mut majors = Majors::new();
    for file in &facts.patroni {
        if let Err(gap) = file.knows_version() {
            majors.insert(file.source.id(), Err(gap));
        }
    }
    for member in facts.members() {
        let Some(major) = member.postgresql else {
            if let Err(gap) = facts.patroni[member.file].knows_version() {
                for source in texts(facts, member) {
                    majors.entry(source).or_insert_with(|| Err(gap.clone()));
                }
            }
            continue;
        };
        for source in texts(facts, member) {
            match majors.entry(source).or_insert_with(|| Ok(BTreeSet::new())) {
                Ok(known) => drop(known.insert(major)),
                open => *open = Ok(BTreeSet::from([major])),
            }
        }
    }
    majors
}

/// The texts that are read for a member.
fn texts(facts: &Facts, member: &Member) -> Vec<SourceId> {
    let conf = member.conf.as_ref().ok().map(|conf| &facts.confs[*conf]);
    let included = conf.into_iter().flat_map(|c| c.conf.files()).filter_map(|path| facts.sources.by_path(path));
    let hba = member.hba.as_ref().ok().map(|hba| facts.hbas[*hba].source.id());
    let own = [facts.patroni[member.file].source.id()];
    own.into_iter().chain(conf.map(|c| c.source.id())).chain(hba).chain(included.map(|s| s.id())).collect()
}

/// Keeps what is true of a version that reads the text. Where that version is not known, the problem says for which it is true;
/// where a template fills it in, nothing is said.
pub(super) fn keep_true(range: &str, majors: &Majors, report: &mut Report) {
    let gaps = &mut report.gaps;
    report.problems.retain_mut(|problem| match majors.get(&problem.at.source) {
        Some(Ok(known)) => known.iter().any(|major| holds_major(range, *major)),
        Some(Err(gap)) => {
            gaps.push(gap.clone());
            false
        }
        None => {
            problem.notes.push(format!("true for PostgreSQL {range}; which version reads this file is not known"));
            true
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::gap::{Gap, GapReason};

    #[test]
    fn bounds_are_joined() {
        assert!(holds(">=3.0, <4.0", Version::new(3, 3, 8)) && !holds(">=3.0, <4.0", Version::new(4, 0, 0)));
        assert!(holds("", Version::LATEST) && !holds(">=4.0", Version::new(3, 3, 8)));
        assert!(holds_major(">=16", 16) && !holds_major(">=14, <16", 16));
    }

    #[test]
    fn a_version_that_is_not_known_is_said() {
        let source = crate::source::Source::lone("x", "y");
        let kept = |majors: Majors| {
            let mut report = Report::new("r");
            report.add(report.problem(source.span(0, 1)));
            keep_true(">=16", &majors, &mut report);
            (report.problems, report.gaps.len())
        };
        let known = |major| Majors::from([(source.id(), Ok(BTreeSet::from([major])))]);
        let (there, gone, unsaid) = (kept(known(17)).0, kept(known(15)), kept(Majors::new()).0);
        assert_eq!((there.len(), gone.0.len(), gone.1, there[0].notes.len()), (1, 0, 0, 0));
        assert_eq!(unsaid[0].notes, ["true for PostgreSQL >=16; which version reads this file is not known"]);
        let gap = Gap::new("`postgresql.bin_dir`", GapReason::Unreadable);
        let (silent, gaps) = kept(Majors::from([(source.id(), Err(gap))]));
        assert_eq!((silent.len(), gaps), (0, 1));
    }
}
