//! A comment for a pull request, or a page of a wiki: the same as the tables for a terminal.

use std::fmt::Write as _;

use super::Shown;
use super::danger::Danger;
use super::sheet::{Sheet, Table, sheets};
use super::verdict::last_line;
use super::words::Level;
use crate::report::Verdict;
use crate::report::full::some;
use crate::report::gate::{Answer, gates};
use crate::report::markdown::{LONGEST, cell, fill, text};

/// The whole prediction, as long as it fits.
#[must_use]
pub fn render(shown: &Shown<'_>, verdict: &Verdict) -> String {
    let mut out = format!("### {}: take-over\n\n{}\n", env!("CARGO_PKG_NAME"), text(&last_line(shown, verdict)));
    let sheets = sheets(shown);
    let mut parts: Vec<String> = gate(shown).into_iter().collect();
    for sheet in &sheets {
        parts.push(head(sheet));
        parts.extend(sheet.dangers.iter().enumerate().map(|(i, danger)| item(i + 1, danger)));
    }
    for sheet in &sheets {
        parts.extend(sheet.tables.iter().map(|table| section(sheet, table)));
        if !sheet.unknown.is_empty() {
            let lines: Vec<String> = sheet.unknown.iter().map(|gap| format!("- {}\n", text(gap))).collect();
            parts.push(format!("\n#### Not known\n\n{}", lines.concat()));
        }
    }
    fill(&mut out, LONGEST, parts.into_iter(), |left| {
        format!("\n{left} more parts do not fit here; the other formats have them.\n")
    });
    out
}

fn gate(shown: &Shown<'_>) -> Option<String> {
    let gates = gates(shown.page);
    let line = |gate: &crate::report::gate::Gate| {
        let answer = match gate.answer {
            Answer::No => "✅ no",
            Answer::NotKnown => "❔ not known",
            Answer::OutOfOrder => "⚠️ only out of order",
            Answer::Yes => "❌ yes",
        };
        let rules: Vec<String> = gate.rules.iter().map(|rule| format!("`{rule}`")).collect();
        format!("| {} | {answer} | {} |\n", cell(&text(&shown.words(&gate.member))), rules.join(", "))
    };
    let rows: String = gates.iter().map(line).collect();
    let head = "| member | could a start of Patroni stop its running server? | rules |\n|---|---|---|\n";
    (!gates.is_empty()).then(|| format!("\n{head}{rows}"))
}

fn head(sheet: &Sheet) -> String {
    let scope = sheet.scope.as_deref().unwrap_or("a cluster without a scope");
    let roles = sheet.roles.iter().map(|(names, is)| format!("- {}: {}\n", text(&some(names)), text(is)));
    let roles: String = roles.collect();
    let dangers = match sheet.dangers.len() {
        0 => "No dangerous change is known.".to_owned(),
        _ => "Dangerous, the worst first:".to_owned(),
    };
    format!("\n#### {}\n\n{roles}\n{dangers}\n\n", text(scope))
}

fn item(number: usize, danger: &Danger) -> String {
    let more = [&danger.who, &danger.todo].into_iter().filter(|text| !text.is_empty());
    let more: Vec<String> = more.map(|line| format!("\n   {}", text(line))).collect();
    format!("{number}. ❌ **{}** on {}{}\n", text(&danger.what), text(&some(&danger.members)), more.concat())
}

fn section(sheet: &Sheet, table: &Table) -> String {
    let members = if table.members.is_empty() { &sheet.members } else { &table.members };
    let mut out = format!("\n#### {} of {}\n", table.kind, text(&some(members)));
    let columns: Vec<usize> = (0..table.head.len())
        .filter(|i| table.rows.iter().any(|row| value(row, *i).is_some_and(|cell| !cell.is_empty())))
        .collect();
    if !table.rows.is_empty() {
        let names: Vec<&str> = columns.iter().map(|i| table.head[*i]).collect();
        let rule = "|---".repeat(columns.len() + 1);
        let _ = write!(out, "\n| | {} |\n{rule}|\n", names.join(" | "));
    }
    for row in &table.rows {
        let mark = if row.level == Level::Danger { "❌" } else { "" };
        let cells: Vec<String> = columns.iter().map(|i| cell(&text(value(row, *i).unwrap_or_default()))).collect();
        let more: Vec<String> = row.more.iter().map(|more| format!("<br>{}", cell(&text(more)))).collect();
        let _ = writeln!(out, "| {mark} | {}{} |", cells.join(" | "), more.concat());
    }
    if !table.notes.is_empty() {
        out.push('\n');
    }
    for note in &table.notes {
        let _ = writeln!(out, "- {}", text(note));
    }
    out
}

/// What stands in a column; the place is the last one.
fn value(row: &super::alike::Row, column: usize) -> Option<&str> {
    row.cells.get(column).map(String::as_str).or(row.place.as_deref())
}
