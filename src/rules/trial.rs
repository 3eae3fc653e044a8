//! A rule that a release brings is on trial there, and stable or gone in the next minor one. The build script asks the same.

use super::schema::Status;

/// Release and minor release of a version; `None` when it is none.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The first release, whose rules are all new together.
const FIRST: (u32, u32) = (0, 1);

/// Why a built-in rule may not have its status in the release that is being made; `since` is the release that brought it, empty for
/// the first one.
#[must_use]
pub fn fault(since: &str, status: Status, release: &str) -> Option<String> {
    let here = minor(release)?;
    let since = if since.is_empty() { FIRST } else { minor(since)? };
    match status {
        _ if since > here => Some(format!("it comes with {}.{}, and this is {}.{}", since.0, since.1, here.0, here.1)),
        Status::Stable if since == here && since > FIRST => {
            Some(format!("it is new in {}.{}: `status: trial` until the next minor release", here.0, here.1))
        }
        Status::Trial if since < here => {
            Some(format!("it is on trial since {}.{}: make it stable, or take it out", since.0, since.1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_rule_is_on_trial_until_the_next_minor_release() {
        let may = |since, status, release| fault(since, status, release).is_none();
        assert!(may("", Status::Stable, "0.1.0") && may("0.1.0", Status::Trial, "0.1.3"));
        assert!(!may("0.2.0", Status::Stable, "0.2.0") && may("0.2.0", Status::Trial, "0.2.7"));
        assert!(!may("0.2.1", Status::Stable, "0.2.1"), "a patch release brings rules on trial too");
        assert!(may("0.2.0", Status::Stable, "0.3.0") && !may("0.2.0", Status::Trial, "0.3.0"));
        assert!(!may("", Status::Trial, "0.2.0") && !may("0.3.0", Status::Trial, "0.2.0"));
        assert!(may("0.2.0", Status::Deprecated, "0.3.0"));
    }
}
