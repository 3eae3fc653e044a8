//! More connections reserved than there are (`src/backend/postmaster/postmaster.c:PostmasterMain`).

use crate::facts::Facts;
use crate::facts::enforced::Used;
use crate::facts::gap::Gap;
use crate::facts::take_over::later;
use crate::parse::patroni::parse_int;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for member in facts.members() {
        // A file that was not given leaves the server's own 3 and 0, and only a mad one would set more.
        let of = |name: &str| later(facts, member, name).ok().flatten();
        let number = |used: &Used| parse_int(&used.value, None);
        let Some(limit) = of("max_connections") else { continue };
        let (superuser, others) = (of("superuser_reserved_connections"), of("reserved_connections"));
        let reserved = superuser.as_ref().map_or(Some(3), number);
        let also = others.as_ref().map_or(Some(0), number);
        let (Some(reserved), Some(also), Some(max)) = (reserved, also, number(&limit)) else { continue };
        let Some(at) = superuser.as_ref().and_then(|s| s.at).or_else(|| others.as_ref()?.at) else { continue };
        if reserved + also < max {
            continue;
        }
        let mut problem = report.problem(at).arg("reserved", (reserved + also).to_string()).arg("max", max.to_string());
        problem = match limit.at {
            Some(at) => problem.label(at, "Patroni will use this"),
            None => problem.label(
                facts.patroni[member.file].place_of("bootstrap.dcs.postgresql.parameters"),
                "`max_connections` is not set here, so Patroni uses its default",
            ),
        };
        report.add(problem);
    }
    Ok(())
}
