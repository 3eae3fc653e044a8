//! A scope like `15/main`, which Debian gives every server as `cluster_name` and `--generate-config` copies.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some(scope) = file.config.scope() else { continue };
        if is_debian(scope.value) {
            report.add(report.problem(scope.span).arg("scope", scope.value));
        }
    }
    Ok(())
}

/// `%v/%c` of `/etc/postgresql-common/createcluster.conf`.
fn is_debian(scope: &str) -> bool {
    let Some((version, cluster)) = scope.split_once('/') else { return false };
    let number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    version.split('.').all(number) && !cluster.is_empty() && !cluster.contains('/')
}

#[cfg(test)]
mod tests {
    use super::is_debian;

    #[test]
    fn version_and_cluster_make_a_debian_name() {
        assert!(is_debian("15/main") && is_debian("9.6/orders"));
        for other in ["main", "shop/main", "15/", "/main", "15/a/b"] {
            assert!(!is_debian(other), "{other}");
        }
    }
}
