//! Tables of text that fit a width, whatever script the words are written in.

use unicode_width::UnicodeWidthStr as _;

/// Blanks between two columns.
const GAP: usize = 2;
/// So much of a place shows if there is any room: the name of a file and a line.
const PLACE: usize = 18;
/// A column is never made narrower than this.
const LEAST: usize = 6;

/// A table before it is laid out.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    /// The names of the columns.
    pub(super) head: Vec<&'a str>,
    /// As many cells each.
    pub(super) rows: Vec<Vec<String>>,
    /// Columns that are only made narrower when all others are as narrow as can be.
    pub(super) firm: Vec<usize>,
    /// A column whose ends matter more than its beginnings: places.
    pub(super) place: usize,
    /// Columns of which the beginnings that are equal may be left out, so that the difference shows.
    pub(super) compared: std::ops::Range<usize>,
}

/// The columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// A text that takes no more columns, with an ellipsis where it was cut.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        // The width of a text may be more than that of its characters.
        out.push(c);
        if width(&out) + 1 > columns {
            out.pop();
            break;
        }
    }
    while !out.is_empty() && width(&out) + 1 > columns {
        out.pop();
    }
    if columns == 0 { String::new() } else { out + "…" }
}

/// The end of a text that takes no more columns, with an ellipsis where it was cut.
fn cut_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let ends = starts.map(|at| format!("…{}", &text[at..]));
    ends.into_iter().find(|end| width(end) <= columns).unwrap_or_default()
}

/// A text with blanks up to a width.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{:blanks$}", "")
}

/// Texts of one row, cut so that what is different in them still is.
fn cut_apart(cells: &[String], columns: &[usize]) -> Vec<String> {
    let shown = |skip: usize| -> Vec<String> {
        let one = |(cell, columns): (&String, &usize)| {
            if skip == 0 || width(cell) <= *columns {
                return cut(cell, *columns);
            }
            let rest: String = cell.chars().skip(skip).collect();
            cut(&format!("…{rest}"), *columns)
        };
        cells.iter().zip(columns).map(one).collect()
    };
    let plain = shown(0);
    let hides = |a: usize, b: usize| cells[a] != cells[b] && plain[a] == plain[b];
    let pairs = (0..cells.len()).flat_map(|a| (a + 1..cells.len()).map(move |b| (a, b)));
    let common = |(a, b): (usize, usize)| {
        let (one, other) = (cells[a].chars(), cells[b].chars());
        one.zip(other).take_while(|(x, y)| x == y).count()
    };
    match pairs.filter(|(a, b)| hides(*a, *b)).map(common).min() {
        Some(common) => shown(common.saturating_sub(3)),
        None => plain,
    }
}

impl Grid<'_> {
    /// How wide each column is, so that all take no more than so many.
    fn widths(&self, columns: usize) -> Vec<usize> {
        let natural = |i: usize| {
            let cells = self.rows.iter().map(|row| width(&row[i]));
            cells.chain([width(self.head[i])]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.head.len()).map(natural).collect();
        let gaps = GAP * widths.iter().filter(|w| **w > 0).count().saturating_sub(1);
        let room = columns.saturating_sub(gaps);
        for may_shrink in [false, true] {
            while widths.iter().sum::<usize>() > room {
                let soft = |i: &usize| may_shrink || !self.firm.contains(i);
                let floor = |i: usize| match may_shrink {
                    true => LEAST,
                    false if i == self.place => PLACE,
                    false => LEAST.max(width(self.head[i])),
                };
                let widest =
                    (0..widths.len()).filter(soft).filter(|i| widths[*i] > floor(*i)).max_by_key(|i| widths[*i]);
                let Some(widest) = widest else { break };
                widths[widest] -= 1;
            }
        }
        widths
    }

    /// The lines: the head, then one a row; each is a list of padded cells, so that they can be coloured. Columns in which nothing stands are
    /// left out.
    pub(super) fn lines(&self, columns: usize) -> Vec<Vec<(usize, String)>> {
        let used: Vec<usize> =
            (0..self.head.len()).filter(|i| self.rows.iter().any(|row| !row[*i].is_empty())).collect();
        let slim = Grid {
            head: used.iter().map(|i| self.head[*i]).collect(),
            rows: self.rows.iter().map(|row| used.iter().map(|i| row[*i].clone()).collect()).collect(),
            firm: used.iter().enumerate().filter(|(_, i)| self.firm.contains(i)).map(|(at, _)| at).collect(),
            place: used.iter().position(|i| *i == self.place).unwrap_or(usize::MAX),
            compared: 0..0,
        };
        let widths = slim.widths(columns);
        let compared: Vec<usize> =
            used.iter().enumerate().filter(|(_, i)| self.compared.contains(i)).map(|(at, _)| at).collect();
        let lay = |cells: Vec<String>| -> Vec<(usize, String)> {
            let last = cells.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
            let cells = cells.into_iter().enumerate().take(last + 1);
            cells.map(|(at, cell)| (used[at], if at == last { cell } else { pad(&cell, widths[at] + GAP) })).collect()
        };
        let head = slim.head.iter().zip(&widths).map(|(name, w)| cut(name, *w)).collect();
        let mut lines = vec![lay(head)];
        for row in &slim.rows {
            let cut = |(at, (cell, w)): (usize, (&String, &usize))| {
                if at == slim.place { cut_front(cell, *w) } else { cut(cell, *w) }
            };
            let mut cells: Vec<String> = row.iter().zip(&widths).enumerate().map(cut).collect();
            let texts: Vec<String> = compared.iter().map(|at| row[*at].clone()).collect();
            let room: Vec<usize> = compared.iter().map(|at| widths[*at]).collect();
            for (at, cell) in compared.iter().zip(cut_apart(&texts, &room)) {
                cells[*at] = cell;
            }
            lines.push(lay(cells));
        }
        lines
    }
}

/// Breaks a text between words into lines of so many columns; a word that is longer is cut into pieces.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = vec![String::new()];
    for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
        let last = lines.last_mut().expect("invariant: there is a line");
        if !last.is_empty() && width(last) + 1 + width(word) > columns {
            lines.push(String::new());
        } else if !last.is_empty() {
            last.push(' ');
        }
        for c in word.chars() {
            let last = lines.last_mut().expect("invariant: there is a line");
            last.push(c);
            if width(last) > columns {
                last.pop();
                lines.push(c.to_string());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_characters_are_cut_by_their_columns() {
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut_front("a/日本/pg.conf:12", 12), "…/pg.conf:12");
        assert_eq!(pad("日本", 6), "日本  ");
    }

    #[test]
    fn what_is_different_shows_where_the_beginnings_are_equal() {
        let cells = ["host=10.0.0.1 user=joe", "host=10.0.0.1 user=ann", "x"].map(str::to_owned);
        assert_eq!(cut_apart(&cells, &[10, 10, 10]), ["…er=joe", "…er=ann", "x"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_page(
            cells in prop::collection::vec(prop::collection::vec("[a-z 日\u{301}é👩‍💻_.:/-]{0,60}", 5), 1..8),
            columns in 60usize..160,
        ) {
            let grid = Grid { head: vec!["a", "now", "attached", "restarted", "where"], rows: cells, firm: vec![0], place: 4, compared: 1..4 };
            for line in grid.lines(columns) {
                let text: String = line.into_iter().map(|(_, cell)| cell).collect();
                prop_assert!(width(text.trim_end()) <= columns, "{text}");
            }
        }

        #[test]
        fn wrapped_lines_fit_and_lose_no_word(text in "[a-z日 \u{301}]{0,200}", columns in 2usize..60) {
            let lines = wrap(&text, columns);
            prop_assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
            let squeezed = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeezed(&lines.concat()), squeezed(&text));
        }
    }
}
