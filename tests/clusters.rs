//! Whole repositories: healthy ones are silent, the others say what is expected.

use std::path::Path;

use patroni_preflight::cli::Format;

use crate::support::{TempDir, golden, lint_dir, name, path, report, subdirs};

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

/// Copies of a cluster in directories of their own, so many that rules look at them in parts.
#[test]
fn each_of_many_clusters_says_what_it_says_alone() {
    const COPIES: usize = 30;
    let root = path("fixtures/clusters/shop");
    let temp = TempDir::new("many-clusters");
    let files: Vec<_> =
        walkdir::WalkDir::new(&root).into_iter().map(Result::unwrap).filter(|e| e.path().is_file()).collect();
    for copy in 0..COPIES {
        for file in &files {
            let inside = file.path().strip_prefix(&root).unwrap().to_str().unwrap();
            let text = String::from_utf8(std::fs::read(file.path()).unwrap()).unwrap();
            temp.write(&format!("c{copy:02}/{inside}"), text.replace("scope: shop", &format!("scope: shop{copy:02}")));
        }
    }
    let said = |dir: &Path| -> Vec<String> {
        let linted = lint_dir(dir, None);
        assert!(linted.facts.parts().len() > 1 || !dir.ends_with(&temp.0));
        let text = report(&linted, Format::Short);
        text.lines()
            .filter(|l| l.contains(": error[") || l.contains(": warning[") || l.contains(": note["))
            .map(str::to_owned)
            .collect()
    };
    let alone = said(&temp.0.join("c07"));
    assert!(alone.len() > 5, "{alone:#?}");
    let together = said(&temp.0);
    let of_one: Vec<String> =
        together.iter().filter(|l| l.starts_with("c07/")).map(|l| l.replace("c07/", "")).collect();
    assert_eq!((together.len(), of_one), (COPIES * alone.len(), alone));
}
