//! Merges `src/knowledge/guc/<major>.tsv` into one sorted static table: one entry per run of majors in which a setting
//! is the same in all columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const MAJORS: std::ops::RangeInclusive<u16> = 13..=18;

/// The text of `guc_tables.rs`: `GUCS`, sorted by lower-case name and then by major, and `ALIASES` likewise.
///
/// # Panics
/// When a table is missing or not as `scripts/knowledge/guc.py` writes it: that must stop the build.
pub(crate) fn generate(manifest_dir: &Path) -> String {
    let mut rows: BTreeMap<String, Vec<(u16, Vec<String>)>> = BTreeMap::new();
    for major in MAJORS {
        let path = manifest_dir.join(format!("src/knowledge/guc/{major}.tsv"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
            assert_eq!(columns.len(), 11, "{}: {line}", path.display());
            rows.entry(columns[0].to_ascii_lowercase()).or_default().push((major, columns));
        }
    }
    let mut gucs = String::new();
    let mut aliases = String::new();
    for versions in rows.values() {
        for (since, until, columns) in runs(versions) {
            if columns[1] == "alias" {
                let _ = writeln!(aliases, "    ({:?}, {since}, {until}, {:?}),", columns[0], columns[5]);
            } else {
                let _ = writeln!(gucs, "    {},", entry(since, until, columns));
            }
        }
    }
    format!(
        "pub(super) static GUCS: &[Guc] = &[\n{gucs}];\n\npub(super) static ALIASES: &[(&str, u16, u16, &str)] = &[\n{aliases}];\n"
    )
}

fn runs(versions: &[(u16, Vec<String>)]) -> Vec<(u16, u16, &Vec<String>)> {
    let mut out: Vec<(u16, u16, &Vec<String>)> = Vec::new();
    for (major, columns) in versions {
        match out.last_mut() {
            Some(last) if last.1 + 1 == *major && last.2 == columns => last.1 = *major,
            _ => out.push((*major, *major, columns)),
        }
    }
    out
}

fn entry(since: u16, until: u16, c: &[String]) -> String {
    let flags: Vec<String> =
        c[10].split(' ').filter(|f| !f.is_empty()).map(|f| format!("Flag::{}", camel(f))).collect();
    format!(
        "Guc {{ name: {:?}, since: {since}, until: {until}, kind: {}, context: Context::{}, default: {:?}, \
         category: {:?}, flags: &[{}] }}",
        c[0],
        kind(c),
        camel(&c[7]),
        c[8],
        c[9],
        flags.join(", ")
    )
}

fn kind(c: &[String]) -> String {
    let unit = match c[2].as_str() {
        "" => "None".to_owned(),
        u => format!("Some(Unit::{})", unit(u)),
    };
    match c[1].as_str() {
        "bool" => "Kind::Bool".to_owned(),
        "string" => "Kind::Str".to_owned(),
        "integer" => format!("Kind::Int {{ min: {}, max: {}, unit: {unit} }}", c[3], c[4]),
        "real" => format!("Kind::Real {{ min: {}, max: {}, unit: {unit} }}", real(&c[3]), real(&c[4])),
        "enum" => {
            let labels: Vec<String> = c[5].split(',').map(|l| format!("{l:?}")).collect();
            let pair = |p: &str| p.split_once('=').map(|(a, b)| format!("({a:?}, {b:?})")).expect("label=meaning");
            let synonyms: Vec<String> = c[6].split(',').filter(|p| !p.is_empty()).map(pair).collect();
            format!("Kind::Enum {{ labels: &[{}], synonyms: &[{}] }}", labels.join(", "), synonyms.join(", "))
        }
        other => panic!("type {other} of {}", c[0]),
    }
}

fn unit(name: &str) -> &'static str {
    match name {
        "B" => "Byte",
        "kB" => "Kb",
        "8kB" => "Block",
        "MB" => "Mb",
        "ms" => "Ms",
        "s" => "S",
        "min" => "Min",
        other => panic!("unit {other}"),
    }
}

/// `pg_settings` prints `DBL_MAX` with six digits, which is more than `DBL_MAX`.
fn real(text: &str) -> String {
    match text {
        "1.79769e+308" => "f64::MAX".to_owned(),
        t => format!("{:?}", t.parse::<f64>().unwrap_or_else(|e| panic!("{t}: {e}"))),
    }
}

fn camel(words: &str) -> String {
    words
        .split(['_', '-'])
        .map(|w| {
            let (head, tail) = w.split_at(1);
            head.to_ascii_uppercase() + &tail.to_ascii_lowercase()
        })
        .collect()
}
