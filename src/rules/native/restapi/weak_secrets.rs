//! Passwords that everybody knows.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::knowledge::patroni::Version;
use crate::parse::patroni::{ItemValue, Type};
use crate::rules::report::Report;
use crate::words::join;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        // Patroni reads these no more since 4.0.
        let dead = |path: &str| path.starts_with("bootstrap.users.") && facts.patroni_version >= Version::new(4, 0, 0);
        let secrets = file.secrets().into_iter().filter(|n| n.path.ends_with("password") && !dead(&n.path));
        let weak: Vec<_> = secrets
            .filter(|named| match &named.item.value {
                // What YAML does not read as text has a finding of its own.
                ItemValue::Secret(secret, Type::Str) => facts.is_well_known(secret.reveal()),
                _ => false,
            })
            .collect();
        let Some(first) = weak.first() else { continue };
        let mut paths: Vec<&str> = weak.iter().map(|named| named.path.as_str()).collect();
        paths.dedup();
        let each = if paths.len() == 1 { "is a password" } else { "are passwords" };
        let problem = report.problem(first.item.key_or_value()).arg("paths", join(&paths)).arg("each", each);
        report.add(weak[1..].iter().fold(problem, |problem, named| problem.label(named.item.key_or_value(), "")));
    }
    Ok(())
}
