//! Names that Kubernetes does not take for its objects.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::rules::report::Report;

/// The longest name that Patroni makes of a scope is `<scope>-failover`, and a label holds 63 characters.
const LONGEST_LABEL: usize = 63;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        if file.config.dcs_kind() != Some("kubernetes") {
            continue;
        }
        let named = [("scope", file.config.scope()), ("name", file.config.name())];
        for (key, value) in named.into_iter().filter_map(|(k, v)| Some((k, v?))) {
            if is_placeholder(value.value) {
                continue;
            }
            let problem = if !is_subdomain(value.value) {
                "Kubernetes names consist of small letters, digits, `-` and `.`, and begin and end with a letter or digit"
            } else if key == "scope" && value.value.len() > LONGEST_LABEL {
                "it becomes the value of a label, which holds 63 characters"
            } else {
                continue;
            };
            report.add(report.problem(value.span).arg("key", key).arg("value", value.value).arg("problem", problem));
        }
    }
    Ok(())
}

/// RFC 1123, as Kubernetes checks names of its objects.
fn is_subdomain(name: &str) -> bool {
    let label = |l: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !l.is_empty() && l.bytes().all(fits) && !l.starts_with('-') && !l.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::is_subdomain;

    #[test]
    fn names_are_those_of_rfc_1123() {
        assert!(is_subdomain("batman") && is_subdomain("a-0.b1"));
        for bad in ["my_cluster", "Main", "-a", "a-", "a..b", "", "15/main"] {
            assert!(!is_subdomain(bad), "{bad}");
        }
    }
}
