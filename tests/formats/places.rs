//! Places in reports lead back to the bytes that findings point at.

use patroni_preflight::cli::Format;
use patroni_preflight::source::{Source, Span};
use serde_json::Value;

use super::{parsed, shots};
use crate::support::report;

/// Where a line and a column lie, both from 1, columns in characters. `None` outside of the text.
pub(super) fn byte(text: &str, line: usize, column: usize) -> Option<usize> {
    let start = if line == 1 { 0 } else { text.match_indices('\n').nth(line - 2)?.0 + 1 };
    let rest = text[start..].split_inclusive('\n').next().unwrap_or_default();
    let ends = rest.char_indices().map(|(i, _)| i).chain([rest.len()]);
    ends.skip(column - 1).map(|i| start + i).next()
}

/// The range of bytes that four numbers name.
pub(super) fn range(text: &str, place: &Value, names: [&str; 4]) -> Option<(usize, usize)> {
    let [line, column, end_line, end_column] = names.map(|n| usize::try_from(place[n].as_u64().unwrap()).unwrap());
    Some((byte(text, line, column)?, byte(text, end_line, end_column)?))
}

fn check(what: &str, source: &Source, span: Span, place: &Value, names: [&str; 4]) {
    // Bytes that are no UTF-8 count as U+FFFD, so that places move but stay inside.
    let text = String::from_utf8_lossy(source.bytes());
    let found = range(&text, place, names).unwrap_or_else(|| panic!("{what}: {place} is outside of {}", source.name()));
    let plain = text.len() == source.bytes().len() && !text.starts_with('\u{feff}');
    assert!(!plain || found == (span.start as usize, span.end as usize), "{what}: {place} in {}", source.name());
}

#[test]
fn every_place_is_inside_its_file_and_is_the_one_that_is_meant() {
    let mut looked = 0;
    for shot in shots() {
        let (json, sarif) = (parsed(&shot, Format::Json), parsed(&shot, Format::Sarif));
        for (i, finding) in shot.linted.outcome.findings.iter().enumerate() {
            let source = shot.linted.facts.sources.get(finding.at.source);
            let (item, result) = (&json["findings"][i], &sarif["runs"][0]["results"][i]);
            check(&shot.name, &source, finding.at, &item["at"], ["line", "column", "end_line", "end_column"]);
            let places = std::iter::once((finding.at, &result["locations"][0]))
                .chain(finding.labels.iter().enumerate().map(|(k, l)| (l.at, &result["relatedLocations"][k])));
            for (span, place) in places {
                let source = shot.linted.facts.sources.get(span.source);
                let region = &place["physicalLocation"]["region"];
                check(&shot.name, &source, span, region, ["startLine", "startColumn", "endLine", "endColumn"]);
                looked += 1;
            }
        }
    }
    assert!(looked > 200);
}

/// A workflow command.
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
}

/// Reads a workflow command as the runner does.
/// <https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>
fn command(line: &str) -> Option<Command> {
    let (head, data) = line.strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let plain = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let value = |text: &str| plain(text).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
    let properties = properties.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), value(v)));
    let properties = properties.collect();
    Some(Command { name: name.to_owned(), properties, data: plain(data).replace("%25", "%") })
}

#[test]
fn workflow_commands_read_back_as_what_was_found() {
    let mut looked = 0;
    for shot in shots() {
        let text = report(&shot.linted, Format::Github);
        let mut places: Vec<String> = Vec::new();
        for line in text.lines().filter(|l| l.contains(" file=")) {
            let Command { name, properties, data } = command(line).unwrap_or_else(|| panic!("{line}"));
            let get = |name: &str| properties.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
            assert!(["error", "warning", "notice"].contains(&name.as_str()), "{line}");
            let place = format!("{}:{}", get("file").unwrap(), get("line").unwrap());
            assert!(data.starts_with(&place), "{line}");
            assert!(get("title").is_some_and(|t| t.starts_with("patroni-preflight (")), "{line}");
            places.push(place);
        }
        let mut expected: Vec<String> = shot
            .linted
            .outcome
            .findings
            .iter()
            .map(|f| {
                let source = shot.linted.facts.sources.get(f.at.source);
                format!("{}:{}", source.name(), source.position(f.at.start).0)
            })
            .collect();
        places.sort();
        expected.sort();
        assert_eq!(places, expected, "{}", shot.name);
        looked += places.len();
    }
    assert!(looked > 200);
}
