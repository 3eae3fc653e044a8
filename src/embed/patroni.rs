//! Turns the tables of Patroni's keys into static, sorted slices. A row that makes no sense stops the build.

use std::fmt::Write as _;
use std::path::Path;

/// The Rust text for every table in `dir`.
///
/// # Panics
/// When a table is missing or a row of it is malformed; the build stops with the row.
pub(crate) fn generate(dir: &Path) -> String {
    let mut out = String::new();
    keys(&rows(&dir.join("keys.tsv"), 11), &mut out);
    variables(&rows(&dir.join("env.tsv"), 6), &mut out);
    cmdline(&rows(&dir.join("cmdline.tsv"), 6), &mut out);
    settings(&rows(&dir.join("gucs.tsv"), 9), &mut out);
    out
}

/// The rows behind the comments and the line of names.
fn rows(path: &Path, columns: usize) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            assert!(cells.len() == columns, "{}: {line:?} has {} columns", path.display(), cells.len());
            cells
        })
        .collect()
}

/// `{a,b}` in a path and in the name that replaces it.
fn braces(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else { return vec![text.to_owned()] };
    let (words, after) = rest.split_once('}').unwrap_or_else(|| panic!("no closing brace in {text:?}"));
    words.split(',').flat_map(|word| braces(&format!("{before}{word}{after}"))).collect()
}

fn option(text: &str) -> String {
    if text == "-" { "None".to_owned() } else { format!("Some({text:?})") }
}

fn version(text: &str) -> String {
    let parts: Vec<u8> = text.split('.').map(|p| p.parse().unwrap_or_else(|_| panic!("version {text:?}"))).collect();
    assert!(parts.len() == 3, "version {text:?}");
    format!("Version::new({}, {}, {})", parts[0], parts[1], parts[2])
}

/// The fields `since` and `removed`.
fn lifetime(since: &str, removed: &str) -> String {
    let since: Vec<String> = since.split(',').map(version).collect();
    let removed = if removed == "-" { "None".to_owned() } else { format!("Some({})", version(removed)) };
    format!("lifetime: Lifetime {{ since: &[{}], removed: {removed} }}", since.join(", "))
}

fn bounds(text: &str) -> (String, String) {
    let bound = |t: &str| if t.is_empty() { "None".to_owned() } else { format!("Some({})", number(t)) };
    text.split_once("..")
        .map_or_else(|| ("None".to_owned(), "None".to_owned()), |(low, high)| (bound(low), bound(high)))
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("number {text:?}"))
}

fn words(text: &str) -> String {
    let words: Vec<String> = if text == "-" || text.contains("..") {
        Vec::new()
    } else {
        text.split('|').map(|w| format!("{w:?}")).collect()
    };
    format!("&[{}]", words.join(", "))
}

fn keys(rows: &[Vec<String>], out: &mut String) {
    let mut lines: Vec<(String, String)> = Vec::new();
    for row in rows {
        let paths = braces(&row[0]);
        let renamed = braces(&row[8]);
        for (i, path) in paths.iter().enumerate() {
            let new_name = &renamed[if renamed.len() == paths.len() { i } else { 0 }];
            lines.push((path.clone(), key(path, new_name, row)));
            if row[5] == "both" {
                let path = format!("bootstrap.dcs.{path}");
                let new_name = if new_name == "-" { "-".to_owned() } else { format!("bootstrap.dcs.{new_name}") };
                lines.push((path.clone(), key(&path, &new_name, row)));
            }
        }
    }
    lines.sort();
    for pair in lines.windows(2) {
        assert!(pair[0].0 != pair[1].0, "two rows for {}", pair[0].0);
    }
    write!(out, "pub(super) static KEYS: [KeyFact; {}] = [", lines.len()).expect("invariant: a String takes all");
    for (_, line) in &lines {
        out.push_str(line);
    }
    out.push_str("];\n");
}

fn key(path: &str, renamed: &str, row: &[String]) -> String {
    let kind = match row[1].as_str() {
        "str" => "Str",
        "text" => "Text",
        "bool" => "Bool",
        "truth" => "Truth",
        "int" => "Int",
        "pyint" => "PyInt",
        "strs" => "Strs",
        "strs-csv" => "StrsCsv",
        "ints-csv" => "IntsCsv",
        "map" => "Map",
        "free" => "Free",
        "maps" => "Maps",
        "address" => "Address",
        "any" => "Any",
        "enum" => "Enum",
        "Enum" => "ExactEnum",
        "format" => "Format",
        "options" => "Options",
        other => panic!("type {other:?} of {path}"),
    };
    let place = match row[5].as_str() {
        _ if path.starts_with("bootstrap.dcs.") => "Dynamic",
        "local" => "Local",
        "both" => "Both",
        "bootstrap" => "Bootstrap",
        other => panic!("place {other:?} of {path}"),
    };
    let (demand, need) = match row[2].strip_suffix('!') {
        Some(d) => (d, "Always"),
        None => row[2].strip_suffix('?').map_or((row[2].as_str(), "Never"), |d| (d, "Sibling")),
    };
    let (low, high) = bounds(&row[3]);
    assert!(row[9].chars().all(|c| "SRDL-".contains(c)), "flags {:?} of {path}", row[9]);
    let flag = |c: char| row[9].contains(c);
    format!(
        "KeyFact {{ path: {path:?}, kind: Kind::{kind}, demand: {}, need: Need::{need}, low: {low}, high: {high}, words: {}, \
         default: {}, place: Place::{place}, {}, renamed: {}, secret: {}, required: {}, deprecated: {}, old_place: {}, \
         source: {:?} }},\n",
        option(demand),
        words(&row[3]),
        option(&row[4]),
        lifetime(&row[6], &row[7]),
        option(renamed),
        flag('S'),
        flag('R'),
        flag('D'),
        flag('L'),
        row[10],
    )
}

fn variables(rows: &[Vec<String>], out: &mut String) {
    let mut lines: Vec<String> = Vec::new();
    for row in rows {
        let read = match row[2].as_str() {
            "text" => "Text",
            "raw" => "Raw",
            "int" => "Int",
            "int-or-empty" => "IntOrEmpty",
            "bool" => "Bool",
            "list" => "List",
            "list-or-empty" => "ListOrEmpty",
            "dict" => "Dict",
            "format" => "Format",
            "options" => "Options",
            "text-in-section" => "TextInSection",
            other => panic!("reading {other:?} of {}", row[0]),
        };
        lines.push(format!(
            "Variable {{ name: {:?}, path: {:?}, read: Read::{read}, {}, renamed: {} }},\n",
            row[0],
            row[1],
            lifetime(&row[3], &row[4]),
            option(&row[5])
        ));
    }
    writeln!(out, "pub(super) static VARIABLES: [Variable; {}] = [{}];", lines.len(), lines.concat())
        .expect("invariant: a String takes all");
}

fn cmdline(rows: &[Vec<String>], out: &mut String) {
    let mut lines: Vec<String> = Vec::new();
    for row in rows {
        let parts: Vec<&str> = row[3].split(' ').collect();
        let accepts = match parts[..] {
            ["never"] => "Accepts::Never".to_owned(),
            ["true"] => "Accepts::True".to_owned(),
            ["bool"] => "Accepts::Bool".to_owned(),
            ["words", list] => format!("Accepts::Words({})", words(list)),
            ["int", low] => format!("Accepts::Int {{ low: {}, unit: None }}", number(low)),
            ["int", low, unit] => format!("Accepts::Int {{ low: {}, unit: Some({unit:?}) }}", number(low)),
            _ => panic!("accepts {:?} of {}", row[3], row[0]),
        };
        lines.push(format!(
            "CommandLineSetting {{ name: {:?}, default: {}, server: {}, accepts: {accepts}, {} }},\n",
            row[0],
            option(&row[1]),
            number(&row[2]),
            lifetime(&row[4], &row[5])
        ));
    }
    writeln!(out, "pub(super) static COMMAND_LINE: [CommandLineSetting; {}] = [{}];", lines.len(), lines.concat())
        .expect("invariant: a String takes all");
}

fn settings(rows: &[Vec<String>], out: &mut String) {
    let mut lines: Vec<(String, usize, String)> = Vec::new();
    for (order, row) in rows.iter().enumerate() {
        let kind = match row[2].as_str() {
            "Bool" | "Integer" | "Real" | "Enum" | "EnumBool" | "String" => &row[2],
            other => panic!("type {other:?} of {}", row[1]),
        };
        let recovery = match row[0].as_str() {
            "parameters" => false,
            "recovery_parameters" => true,
            other => panic!("group {other:?} of {}", row[1]),
        };
        let till = if row[4] == "-" { "None".to_owned() } else { format!("Some({})", number(&row[4])) };
        let line = format!(
            "SettingFact {{ name: {:?}, recovery: {recovery}, kind: SettingKind::{kind}, from: {}, till: {till}, min: {}, \
             max: {}, unit: {}, words: {} }},\n",
            row[1],
            number(&row[3]),
            option(&row[5]),
            option(&row[6]),
            option(&row[7]),
            words(&row[8])
        );
        lines.push((row[1].to_lowercase(), order, line));
    }
    lines.sort();
    let text: String = lines.iter().map(|l| l.2.as_str()).collect();
    writeln!(out, "pub(super) static SETTINGS: [SettingFact; {}] = [{text}];", lines.len())
        .expect("invariant: a String takes all");
}
