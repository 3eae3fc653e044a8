//! What makes a finding the same one in the next run, for the formats that track findings over time.
//!
//! Made of the rule, the file, the text of the lines without secrets, and a number that tells equal ones apart.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::redact::Redactor;
use crate::finding::Finding;
use crate::source::SourceMap;

/// Names the way in which fingerprints are made. Two with the same name can be compared across releases.
pub const VERSION: &str = "v1";

/// One fingerprint for each finding, as 32 hexadecimal digits, in the order of the findings.
#[must_use]
pub fn fingerprints(sources: &SourceMap, redactor: &Redactor, findings: &[Finding]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut hashes = Vec::with_capacity(findings.len());
    for finding in findings {
        let source = sources.get(finding.at.source);
        let line = source.line_span(source.line_index(finding.at.start));
        let shown = line.map(|line| redactor.line(&source, line).text).unwrap_or_default();
        let cause = format!("{VERSION}\0{}\0{}\0{}", finding.rule, source.name(), shown.trim());
        let number = seen.entry(cause.clone()).or_default();
        *number += 1;
        hashes.push(hash(&format!("{cause}\0{number}")));
    }
    hashes
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
