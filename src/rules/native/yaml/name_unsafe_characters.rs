//! A member's name that does not survive its way through the store or through PostgreSQL.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

/// What PostgreSQL keeps of `application_name` (`NAMEDATALEN`).
const LONGEST: usize = 63;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(name) = file.config.name() else { continue };
        let Some(effect) = fault(name.value) else { continue };
        report.add(report.problem(name.span).arg("name", name.value).arg("effect", effect));
    }
    Ok(())
}

fn fault(name: &str) -> Option<&'static str> {
    if name.contains('/') {
        // `_cluster_from_nodes` takes keys with exactly one slash for members.
        Some("has a slash: its key lies one level too deep in the store, and no member sees it")
    } else if name.contains(',') {
        Some("has a comma: Patroni keeps the synchronous standbys as a list with commas, and takes this name for two")
    } else if name.trim() != name {
        Some("begins or ends with white space, which Patroni cuts off in the list of synchronous standbys")
    } else if !name.is_ascii() {
        Some(
            "is not plain ASCII: PostgreSQL changes it in application_name, so it is never found as a synchronous standby",
        )
    } else if name.len() > LONGEST {
        Some(
            "is longer than 63 bytes: PostgreSQL cuts it in application_name, so it is never found as a synchronous standby",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn what_patroni_quotes_by_itself_is_fine() {
        for fine in ["pg1", "PG-1.example.com", "first", "a b", &"x".repeat(63)] {
            assert_eq!(fault(fine), None, "{fine}");
        }
        for bad in ["a/b", "a,b", " a", "köln", &"x".repeat(64)] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }
}
