//! `fixtures/coverage.tsv`: what is known to go wrong, the rules that tell it, and where these look.

use std::collections::BTreeSet;

use patroni_preflight::rules::builtin::find;
use patroni_preflight::rules::schema::Need;

use crate::support::cases::cases;
use crate::support::{name, path};

/// What a rule may name as its need so that it looks at a place. The files of a server are read through it or on its host; the dynamic configuration
/// of the store takes the place of that below `bootstrap.dcs`; texts of units are read where they are in force; what is asked for an upgrade is
/// asked of server and host.
const PLACES: [(char, &[Need]); 4] = [
    ('S', &[Need::Sql, Need::Conf, Need::Hba, Need::Ident, Need::Upgrade]),
    ('H', &[Need::Host, Need::Unit, Need::Upgrade]),
    ('D', &[Need::Dcs, Need::Patroni]),
    ('R', &[Need::Rest]),
];

/// Needs of which only recorded answers can show that a rule looks at them.
const ANSWERS: [Need; 5] = [Need::Sql, Need::Host, Need::Dcs, Need::Rest, Need::Upgrade];

#[test]
fn everything_that_is_known_has_a_rule_that_looks_where_it_shows() {
    let text = std::fs::read_to_string(path("fixtures/coverage.tsv")).unwrap();
    let bad: BTreeSet<String> =
        cases().into_iter().filter(|(_, case)| name(case).starts_with("bad-")).map(|(rule, _)| rule).collect();
    let mut seen = BTreeSet::new();
    let (mut reasons, mut places, mut wrong) = (0, 0, Vec::new());
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [what, shown, told, rest @ ..] = &columns[..] else { panic!("too few columns in {line:?}") };
        assert!(seen.insert(*what), "{what} stands twice");
        if let Some(reason) = told.strip_prefix('!') {
            assert!(!reason.trim().is_empty(), "{what}: no reason");
            reasons += 1;
            continue;
        }
        let mut needs = Vec::new();
        for rule in told.split(", ") {
            let found = find(rule).unwrap_or_else(|| panic!("{what}: there is no rule {rule}"));
            assert!(bad.contains(rule), "{what}: {rule} has no bad case");
            needs.extend(found.needs.iter().copied());
        }
        for (place, names) in PLACES.iter().filter(|(place, _)| shown.contains(*place)) {
            places += 1;
            let excused = rest.iter().any(|why| why.strip_prefix(*place).is_some_and(|why| why.len() > 10));
            let looks = needs.iter().any(|need| names.contains(need));
            if looks == excused {
                wrong.push(format!("{what}: {told} and place {place}: looks {looks}, excused {excused}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() >= 280 && reasons < 20 && places > 200, "{} entries, {reasons}, {places}", seen.len());
}

/// Rules whose answers belong to the path of a file on its host, which recorded answers do not have; `proofs::reach` shows them.
const OF_PATHS: [&str; 2] = ["config-world-readable", "environment-world-readable"];

#[test]
fn rules_look_at_the_answers_that_they_need() {
    let with_answers: BTreeSet<String> = cases()
        .into_iter()
        .filter(|(_, case)| name(case).starts_with("bad-") && case.join("nodes.yml").is_file())
        .map(|(rule, _)| rule)
        .collect();
    let mut wrong = Vec::new();
    for rule in patroni_preflight::rules::builtin::BUILTIN {
        if rule.needs.iter().any(|need| ANSWERS.contains(need))
            && with_answers.contains(&*rule.id) == OF_PATHS.contains(&&*rule.id)
        {
            wrong.push(format!(
                "{}: no bad case with recorded answers, or one where that was thought impossible",
                rule.id
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(with_answers.len() > 100);
}
