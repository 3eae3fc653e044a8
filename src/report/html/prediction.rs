//! What Patroni's take-over changes.

use super::super::full::some;
use super::super::prediction::Shown;
use super::super::prediction::sheet::{Sheet, Table, sheets};
use super::super::prediction::words::Level;
use super::element::{Element, cell, row, scroll, sentence, table};
use super::{badge, class_of_level};

/// All clusters.
pub(super) fn section(shown: &Shown<'_>) -> Element {
    let mut part = super::section("take-over", "What Patroni's take-over changes");
    let sheets = sheets(shown);
    if sheets.is_empty() {
        part.add(Element::new("p").text("No member was found."));
    }
    for (i, sheet) in sheets.iter().enumerate() {
        part.add_all(cluster(sheet, i + 1));
    }
    part
}

fn cluster(sheet: &Sheet, number: usize) -> Vec<Element> {
    let scope = sheet.scope.as_deref().unwrap_or("a cluster without a scope");
    let mut all = vec![Element::new("h3").with("id", &format!("cluster-{number}")).text(scope)];
    let mut roles = Element::new("ul");
    for (names, is) in &sheet.roles {
        roles.add(Element::new("li").child(Element::new("strong").text(&some(names))).text(&format!(": {is}")));
    }
    all.push(roles);
    all.push(Element::new("h4").text("Dangerous, the worst first"));
    all.push(dangers(sheet));
    for table in &sheet.tables {
        all.extend(kind(sheet, table));
    }
    if !sheet.unknown.is_empty() {
        all.push(Element::new("h4").text("Not known"));
        let mut list = Element::new("ul");
        for gap in &sheet.unknown {
            list.add(Element::new("li").text(gap));
        }
        all.push(list);
    }
    all
}

fn dangers(sheet: &Sheet) -> Element {
    if sheet.dangers.is_empty() {
        return Element::new("p").text("No dangerous change is known.");
    }
    let mut list = Element::new("ol").with("class", "dangers");
    for danger in &sheet.dangers {
        let what = Element::new("p").child(badge("bad", "danger")).text(" ");
        let mut item = Element::new("li").child(what.child(sentence(Element::new("strong"), &danger.what)));
        item.add(Element::new("p").with("class", "faint").text(&format!("On {}", some(&danger.members))));
        for text in [&danger.who, &danger.todo].into_iter().filter(|text| !text.is_empty()) {
            item.add(sentence(Element::new("p"), text));
        }
        list.add(item);
    }
    list
}

/// A table with its notes.
fn kind(sheet: &Sheet, of: &Table) -> Vec<Element> {
    let members = if of.members.is_empty() { &sheet.members } else { &of.members };
    let title = format!("{} of {}", of.kind, some(members));
    let mut all = vec![Element::new("h4").text(&title)];
    let columns: Vec<(usize, &str)> = of.head.iter().copied().enumerate().filter(|(i, _)| is_used(of, *i)).collect();
    if !of.rows.is_empty() {
        let head: Vec<&str> = columns.iter().map(|(_, name)| *name).collect();
        let mut body = Element::new("tbody");
        for line in &of.rows {
            let text = |i: usize| line.cells.get(i).cloned().or_else(|| line.place.clone()).unwrap_or_default();
            let mut tr = row(class_of_level(line.level), &[(columns[0].1, &text(columns[0].0))]);
            for (at, (i, name)) in columns.iter().enumerate().skip(1) {
                let is_last = at + 1 == columns.len();
                let mut td = cell(name).text(&text(*i));
                if is_last {
                    for more in &line.more {
                        td.add(sentence(Element::new("p").with("class", "more"), more));
                    }
                }
                tr.add(td);
            }
            body.add(tr);
        }
        all.push(scroll(table(&title, &head).child(body)));
        if of.rows.iter().any(|line| line.cells.iter().any(|cell| cell.starts_with("* "))) {
            all.push(Element::new("p").with("class", "faint").text("* it waits for a restart of PostgreSQL"));
        }
    }
    for note in &of.notes {
        all.push(sentence(Element::new("p").with("class", "faint"), note));
    }
    debug_assert!(of.rows.iter().all(|line| line.level <= Level::Danger), "every row has a level");
    all
}

/// Whether anything stands in a column.
fn is_used(of: &Table, column: usize) -> bool {
    of.rows.iter().any(|line| match line.cells.get(column) {
        Some(cell) => !cell.is_empty(),
        None => line.place.is_some(),
    })
}
