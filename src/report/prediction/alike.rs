//! What is the same of several members is shown once.

use std::collections::BTreeMap;

use super::words::Level;

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Row {
    /// In the order of the table's head, without the place.
    pub(in crate::report) cells: Vec<String>,
    /// Where it is written.
    pub(in crate::report) place: Option<String>,
    /// How much it matters.
    pub(in crate::report) level: Level,
    /// What belongs to it and fits into no column.
    pub(in crate::report) more: Vec<String>,
}

/// Rows of the members that have all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Part {
    /// By their numbers.
    pub(in crate::report) members: Vec<usize>,
    /// In the order of the first member that has them.
    pub(in crate::report) rows: Vec<Row>,
}

/// Rows by the members that have them: those of all first. Rows are the same when all but their places is.
pub(in crate::report) fn parts(members: Vec<Vec<Row>>) -> Vec<Part> {
    type Same = (Vec<String>, Level, Vec<String>);
    let mut order: Vec<Row> = Vec::new();
    let mut owners: Vec<Vec<usize>> = Vec::new();
    let mut places: Vec<Vec<String>> = Vec::new();
    let mut known: BTreeMap<Same, usize> = BTreeMap::new();
    for (member, rows) in members.into_iter().enumerate() {
        for row in rows {
            let same = (row.cells.clone(), row.level, row.more.clone());
            let at = *known.entry(same).or_insert_with(|| {
                order.push(row.clone());
                owners.push(Vec::new());
                places.push(Vec::new());
                order.len() - 1
            });
            if owners[at].last() != Some(&member) {
                owners[at].push(member);
            }
            if let Some(place) = row.place.filter(|place| !places[at].contains(place)) {
                places[at].push(place);
            }
        }
    }
    let mut parts: BTreeMap<(std::cmp::Reverse<usize>, Vec<usize>), Vec<Row>> = BTreeMap::new();
    for ((mut row, owners), places) in order.into_iter().zip(owners).zip(places) {
        row.place = match places.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            [first, rest @ ..] => Some(format!("{first} (+{})", rest.len())),
        };
        parts.entry((std::cmp::Reverse(owners.len()), owners)).or_default().push(row);
    }
    parts.into_iter().map(|((_, members), rows)| Part { members, rows }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cell: &str, place: &str) -> Row {
        Row { cells: vec![cell.to_owned()], place: Some(place.to_owned()), level: Level::Fine, more: Vec::new() }
    }

    #[test]
    fn equal_rows_stand_together_whatever_their_places() {
        let parts = parts(vec![
            vec![row("a", "pg1:1"), row("b", "pg1:2")],
            vec![row("a", "pg2:1"), row("c", "x:3")],
            vec![row("a", "pg1:1"), row("c", "x:3")],
        ]);
        let shown: Vec<(Vec<usize>, Vec<Row>)> = parts.into_iter().map(|p| (p.members, p.rows)).collect();
        assert_eq!(
            shown,
            [
                (vec![0, 1, 2], vec![row("a", "pg1:1 (+1)")]),
                (vec![1, 2], vec![row("c", "x:3")]),
                (vec![0], vec![row("b", "pg1:2")]),
            ]
        );
    }
}
