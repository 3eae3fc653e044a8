//! Whole repositories: healthy ones are silent, the others say what is expected.

use patroni_preflight::cli::Format;

use crate::support::{golden, lint_dir, name, path, report, subdirs};

#[test]
fn healthy_clusters_are_silent_and_the_others_as_expected() {
    let clusters = subdirs(&path("fixtures/clusters"));
    assert!(clusters.len() >= 2);
    let mut wrong = Vec::new();
    for cluster in clusters {
        let linted = lint_dir(&cluster, None);
        assert!(!linted.files.is_empty(), "{}: nothing was looked at", cluster.display());
        let actual = report(&linted, Format::Short);
        if name(&cluster).starts_with("healthy-") {
            let silent = linted.outcome.findings.is_empty()
                && linted.outcome.gaps.is_empty()
                && linted.outcome.broken.is_empty();
            if !silent {
                wrong.push(format!("{}:\n{actual}", cluster.display()));
            }
        } else if let Err(difference) = golden(&cluster.join("expected.txt"), &actual) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
