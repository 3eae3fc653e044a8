//! `!vault |` and the block below it: an encrypted value of Ansible, which decrypts it before Patroni sees it.

use std::ops::Range;

use super::{Format, Part, Role, Scan};

/// The whole value, and the bytes of it that must not be shown.
pub(super) fn scan(scan: &Scan<'_>, at: usize) -> Option<(Part, Range<usize>)> {
    if scan.format != Format::Yaml || !scan.bytes[at..].starts_with(b"!vault") {
        return None;
    }
    let before = scan.head(at);
    let after = scan.at(at + 6);
    if !before.ends_with(b" ") || !after.is_none_or(|b| b.is_ascii_whitespace()) {
        return None;
    }
    let own = indent(before);
    let head = scan.line.end;
    let mut end = head;
    let mut next = head;
    while next < scan.bytes.len() {
        let line_end = scan.line_end(next + 1);
        let line = &scan.bytes[next + 1..line_end];
        if !line.trim_ascii().is_empty() {
            if indent(line) <= own {
                break;
            }
            end = line_end;
        }
        next = line_end;
    }
    let end = at + scan.bytes[at..end].trim_ascii_end().len();
    Some((Part::new(at, end, Role::Value), (at + 6).min(end)..end))
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}
