//! For people, on a terminal: what is dangerous first, then everything that changes.

use std::fmt::Write as _;

use super::Shown;
use super::columns::{Grid, cut, pad, width, wrap};
use super::danger::Danger;
use super::sheet::{SETTINGS, SLOTS, Sheet, Table, sheets};
use super::verdict::last_line;
use super::words::Level;
use crate::report::Verdict;
use crate::report::full::some;
use crate::report::gate;

/// So many dangers are told in full; of the others the first line is enough for a first look.
const IN_FULL: usize = 6;
/// The width of a page that is no terminal.
pub const COLUMNS: usize = 100;
/// Below this a table cannot be read; terminals that are narrower break the lines.
const NARROWEST: usize = 60;
/// Lines that are longer are hard to follow.
const WIDEST: usize = 180;

/// What the page can show.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// Colours.
    pub colour: bool,
    /// Its width.
    pub columns: usize,
}

impl Default for Paper {
    fn default() -> Self {
        Self { colour: false, columns: COLUMNS }
    }
}

/// How a piece of text is painted.
#[derive(Clone, Copy)]
enum Paint {
    Plain,
    Bold,
    Red,
    Faint,
}

/// The column of the risk, in tables of settings.
const RISK: usize = 5;

struct Writer {
    out: String,
    paper: Paper,
}

/// The tables.
#[must_use]
pub fn render(shown: &Shown<'_>, verdict: &Verdict, paper: Paper) -> String {
    let paper = Paper { columns: paper.columns.clamp(NARROWEST, WIDEST), ..paper };
    let mut writer = Writer { out: String::new(), paper };
    let sheets = sheets(shown);
    let gate = gate::block(shown.page);
    if !gate.is_empty() {
        writer.out.push_str(&gate);
    } else if !sheets.is_empty() {
        writer.paragraph("Whether a start of Patroni could stop a running server is not known: no member was asked; `check` says it.", 0);
        writer.out.push('\n');
    }
    for sheet in &sheets {
        writer.head(sheet);
        writer.dangers(shown, sheet);
    }
    for sheet in &sheets {
        for table in &sheet.tables {
            writer.table(sheet, table, sheets.len() > 1);
        }
        if !sheet.unknown.is_empty() {
            let of = if sheets.len() > 1 { format!(" of {}", scope(sheet)) } else { String::new() };
            writer.line(Paint::Bold, &format!("Not known{of}"));
            for gap in &sheet.unknown {
                writer.paragraph(gap, 2);
            }
            writer.out.push('\n');
        }
    }
    writer.paragraph(&last_line(shown, verdict), 0);
    writer.out
}

/// The tables of settings alone, and what is not known of them.
#[must_use]
pub fn settings(shown: &Shown<'_>, paper: Paper) -> String {
    let paper = Paper { columns: paper.columns.clamp(NARROWEST, WIDEST), ..paper };
    let mut writer = Writer { out: String::new(), paper };
    let sheets = sheets(shown);
    for sheet in &sheets {
        for table in sheet.tables.iter().filter(|table| table.kind == SETTINGS) {
            writer.table(sheet, table, sheets.len() > 1);
        }
        for gap in &sheet.unknown {
            writer.paragraph(&format!("not known: {gap}"), 2);
        }
    }
    writer.out
}

fn scope(sheet: &Sheet) -> &str {
    sheet.scope.as_deref().unwrap_or("a cluster without a scope")
}

impl Writer {
    fn painted(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            _ if !self.paper.colour => return text.to_owned(),
            Paint::Plain => return text.to_owned(),
            Paint::Bold => "1",
            Paint::Red => "1;31",
            Paint::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn line(&mut self, paint: Paint, text: &str) {
        for line in wrap(text, self.paper.columns) {
            let line = self.painted(paint, &line);
            let _ = writeln!(self.out, "{line}");
        }
    }

    /// A text below an indentation.
    fn paragraph(&mut self, text: &str, indent: usize) {
        for line in wrap(text, self.paper.columns - indent) {
            let _ = writeln!(self.out, "{:indent$}{line}", "");
        }
    }

    fn head(&mut self, sheet: &Sheet) {
        self.line(Paint::Bold, &format!("What Patroni's take-over of {} changes", scope(sheet)));
        let names: Vec<(String, &str)> = sheet.roles.iter().map(|(names, is)| (some(names), &**is)).collect();
        let room = names.iter().map(|(names, _)| width(names)).max().unwrap_or(0).min(self.paper.columns / 3);
        for (names, is) in names {
            let text = format!("  {}  {is}", pad(&cut(&names, room), room));
            let _ = writeln!(self.out, "{}", cut(&text, self.paper.columns));
        }
        self.out.push('\n');
    }

    fn dangers(&mut self, shown: &Shown<'_>, sheet: &Sheet) {
        let count = sheet.dangers.len();
        let title = match count {
            0 => "No dangerous change is known.".to_owned(),
            1 => "1 dangerous change:".to_owned(),
            _ => format!("{count} dangerous changes, the worst first:"),
        };
        self.line(Paint::Bold, &title);
        for (i, danger) in sheet.dangers.iter().enumerate() {
            self.danger(i + 1, danger, sheet, i < IN_FULL || shown.all);
        }
        self.out.push('\n');
    }

    fn danger(&mut self, number: usize, danger: &Danger, sheet: &Sheet, in_full: bool) {
        const INDENT: usize = 5;
        let of = if danger.members.len() == sheet.members.len() && sheet.members.len() > 1 {
            "all members".to_owned()
        } else {
            some(&danger.members)
        };
        let head = format!("{}  [{of}]", danger.what);
        for (i, line) in wrap(&head, self.paper.columns - INDENT).iter().enumerate() {
            let mark = if i == 0 { format!("{number:>3}. ") } else { " ".repeat(INDENT) };
            let line = self.painted(Paint::Red, line);
            let _ = writeln!(self.out, "{mark}{line}");
        }
        if in_full {
            for text in [&danger.who, &danger.todo].into_iter().filter(|text| !text.is_empty()) {
                self.paragraph(text, INDENT);
            }
        }
    }

    fn table(&mut self, sheet: &Sheet, table: &Table, several: bool) {
        let of = if table.members.is_empty() { some(&sheet.members) } else { some(&table.members) };
        let cluster = if several { format!(" ({})", scope(sheet)) } else { String::new() };
        self.line(Paint::Bold, &format!("{} of {of}{cluster}", table.kind));
        if !table.rows.is_empty() {
            self.rows(table);
        }
        let pending = table.rows.iter().any(|row| row.cells.iter().any(|cell| cell.starts_with("* ")));
        if pending {
            self.paragraph("* it waits for a restart of PostgreSQL", 2);
        }
        for note in &table.notes {
            self.paragraph(note, 2);
        }
        self.out.push('\n');
    }

    fn rows(&mut self, table: &Table) {
        const INDENT: usize = 2;
        let cells = |row: &super::alike::Row| -> Vec<String> {
            row.cells.iter().cloned().chain([row.place.clone().unwrap_or_default()]).collect()
        };
        let grid = Grid {
            head: table.head.to_vec(),
            rows: table.rows.iter().map(cells).collect(),
            firm: match table.kind {
                SETTINGS => vec![0, RISK],
                SLOTS => vec![0],
                _ => Vec::new(),
            },
            place: table.head.len() - 1,
            compared: table.compared.clone(),
        };
        let mut lines = grid.lines(self.paper.columns - INDENT).into_iter();
        for head in lines.next().unwrap_or_default() {
            let head = self.painted(Paint::Faint, &head);
            let _ = writeln!(self.out, "{:INDENT$}{head}", "");
        }
        for (row, lines) in table.rows.iter().zip(lines) {
            let paint = match row.level {
                Level::Danger => Paint::Red,
                Level::Notice => Paint::Plain,
                Level::Fine => Paint::Faint,
            };
            for line in lines {
                let line = self.painted(paint, &line);
                let _ = writeln!(self.out, "{:INDENT$}{line}", "");
            }
            for more in &row.more {
                self.paragraph(more, 3 * INDENT);
            }
        }
    }
}
