//! Tables of text that fit a width, whatever script the words are written in.

use std::cmp::Reverse;

use unicode_width::UnicodeWidthStr as _;

/// Blanks between two columns.
const GAP: usize = 2;
/// So much of a place shows if there is any room: the name of a file and a line.
const PLACE: usize = 18;
/// A column is never made narrower than this.
const LEAST: usize = 6;
/// Nor wider for the sake of one word.
const WORD: usize = 20;
/// A cell that would take more lines is cut.
const LINES: usize = 6;

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
    let hides = |a: usize, b: usize| {
        let (one, other) = (plain[a].trim_end_matches('…'), plain[b].trim_end_matches('…'));
        let are_cut = plain[a] != cells[a] && plain[b] != cells[b];
        cells[a] != cells[b] && are_cut && (one.starts_with(other) || other.starts_with(one))
    };
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
    /// How wide each column is, so that all take no more than so many: as its longest word, and what is left goes to those that need the
    /// most lines.
    fn widths(&self, columns: usize) -> Vec<usize> {
        let all = 0..self.head.len();
        let natural = |i: usize| {
            let cells = self.rows.iter().map(|row| width(&row[i]));
            cells.chain([width(self.head[i])]).max().unwrap_or(0)
        };
        let natural: Vec<usize> = all.clone().map(natural).collect();
        // A mark and the value behind it stay together.
        let longest = |cell: &String| {
            let (mark, text) = cell.strip_prefix("* ").map_or((0, cell.as_str()), |text| (2, text));
            let parts = text.split_inclusive([' ', '/', ',', '=']);
            mark + parts.map(|part| width(part.trim_end())).max().unwrap_or(0)
        };
        let words = |i: usize| {
            let longest = self.rows.iter().map(|row| longest(&row[i])).max().unwrap_or(0);
            longest.min(WORD).max(width(self.head[i])).max(LEAST)
        };
        let least = |i: usize| {
            if self.firm.contains(&i) {
                natural[i]
            } else if i == self.place {
                PLACE.min(natural[i])
            } else {
                words(i).min(natural[i])
            }
        };
        let mut widths: Vec<usize> = all.clone().map(least).collect();
        let gaps = GAP * widths.iter().filter(|w| **w > 0).count().saturating_sub(1);
        let room = columns.saturating_sub(gaps);
        for all_shrink in [false, true] {
            while widths.iter().sum::<usize>() > room {
                let may = |i: &usize| widths[*i] > LEAST && (all_shrink || !self.firm.contains(i));
                let Some(widest) = all.clone().filter(may).max_by_key(|i| widths[*i]) else { break };
                widths[widest] -= 1;
            }
        }
        self.share(room.saturating_sub(widths.iter().sum()), &natural, &mut widths);
        widths
    }

    /// Gives columns what room is left: always to the one that makes the most rows as high as they are, and what nobody needs for that to
    /// the places.
    fn share(&self, room: usize, natural: &[usize], widths: &mut [usize]) {
        let high = |i: usize, columns: usize| -> Vec<usize> {
            let lines = |row: &Vec<String>| if i == self.place { 1 } else { wrap(&row[i], columns).len() };
            self.rows.iter().map(lines).collect()
        };
        let mut lines: Vec<Vec<usize>> = widths.iter().enumerate().map(|(i, w)| high(i, *w)).collect();
        for _ in 0..room {
            let tallest = |row: usize| lines.iter().map(|of| of[row]).max().filter(|most| *most > 1);
            let rows: Vec<Option<usize>> = (0..self.rows.len()).map(tallest).collect();
            let makes = |i: usize| lines[i].iter().zip(&rows).filter(|(own, most)| Some(**own) == **most).count();
            let grows = (0..widths.len()).filter(|i| widths[*i] < natural[*i]);
            let Some(most) = grows.max_by_key(|i| (makes(*i), *i == self.place, Reverse(widths[*i]))) else { break };
            widths[most] += 1;
            lines[most] = high(most, widths[most]);
        }
    }

    /// The lines of the head, then those of each row. Texts are broken between words, and cut where that takes too many lines; places are
    /// cut. Columns in which nothing stands are left out.
    pub(super) fn lines(&self, columns: usize) -> Vec<Vec<String>> {
        let used: Vec<usize> =
            (0..self.head.len()).filter(|i| self.rows.iter().any(|row| !row[*i].is_empty())).collect();
        let at = |i: &usize| used.iter().position(|u| u == i);
        let slim = Grid {
            head: used.iter().map(|i| self.head[*i]).collect(),
            rows: self.rows.iter().map(|row| used.iter().map(|i| row[*i].clone()).collect()).collect(),
            firm: self.firm.iter().filter_map(at).collect(),
            place: at(&self.place).unwrap_or(usize::MAX),
            compared: 0..0,
        };
        let widths = slim.widths(columns);
        let compared: Vec<usize> = self.compared.clone().filter_map(|i| at(&i)).collect();
        let head: Vec<Vec<String>> = slim.head.iter().zip(&widths).map(|(name, w)| vec![cut(name, *w)]).collect();
        let mut lines = vec![side_by_side(&head, &widths)];
        for row in &slim.rows {
            let cell = |(i, (cell, w)): (usize, (&String, &usize))| match wrap(cell, *w) {
                _ if i == slim.place => vec![cut_front(cell, *w)],
                lines if lines.len() <= LINES => lines,
                lines => {
                    let last = lines[LINES - 1..].join(" ");
                    lines.into_iter().take(LINES - 1).chain([cut(&last, *w)]).collect()
                }
            };
            let mut cells: Vec<Vec<String>> = row.iter().zip(&widths).enumerate().map(cell).collect();
            if compared.iter().any(|i| wrap(&row[*i], widths[*i]).len() > LINES) {
                let texts: Vec<String> = compared.iter().map(|i| row[*i].clone()).collect();
                let room: Vec<usize> = compared.iter().map(|i| widths[*i]).collect();
                for (i, cell) in compared.iter().zip(cut_apart(&texts, &room)) {
                    cells[*i] = vec![cell];
                }
            }
            lines.push(side_by_side(&cells, &widths));
        }
        lines
    }
}

/// The lines of cells that stand beside each other, without blanks at their ends.
fn side_by_side(cells: &[Vec<String>], widths: &[usize]) -> Vec<String> {
    let high = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |n: usize| {
        let parts = cells.iter().zip(widths).map(|(cell, w)| pad(cell.get(n).map_or("", String::as_str), w + GAP));
        parts.collect::<String>().trim_end().to_owned()
    };
    (0..high).map(line).collect()
}

/// Where the last part of a word begins, not so early that what is before it gets short.
fn last_part(word: &str) -> Option<usize> {
    let signs: [&[char]; 2] = [&['/', ',', '=', ':'], &['.', '-', '_']];
    let behind = |signs: &&[char]| word.rfind(*signs).map(|at| at + 1);
    signs.iter().filter_map(behind).find(|at| 3 * width(&word[..*at]) >= width(word))
}

/// Breaks a text between words into lines of so many columns; a word that is longer is broken as well, behind a sign that parts it if
/// there is one.
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
                let rest = last_part(last).map(|at| last.split_off(at));
                lines.push(rest.unwrap_or_default());
                lines.last_mut().expect("invariant: there is a line").push(c);
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
    fn long_words_are_broken_behind_their_parts() {
        assert_eq!(wrap("/etc/postgresql/15/main/pg_hba.conf", 16), ["/etc/postgresql/", "15/main/", "pg_hba.conf"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn texts_are_broken_and_places_cut() {
        let row = ["slot", "wanted: made where it is declared", "a/long/way/patroni.yml:29"].map(str::to_owned);
        let grid = Grid {
            head: vec!["slot", "becomes", "where"],
            rows: vec![row.to_vec()],
            firm: vec![0],
            place: 2,
            compared: 0..0,
        };
        let rows = grid.lines(44);
        assert_eq!(rows[1], ["slot  wanted: made where  …ay/patroni.yml:29", "      it is declared"]);
    }

    #[test]
    fn what_is_different_shows_where_the_beginnings_are_equal() {
        let cells = ["host=10.0.0.1 user=joe", "host=10.0.0.1 user=ann", "x"].map(str::to_owned);
        assert_eq!(cut_apart(&cells, &[10, 10, 10]), ["…er=joe", "…er=ann", "x"]);
        assert_eq!(cut_apart(&cells, &[10, 9, 10]), ["…er=joe", "…er=ann", "x"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_page(
            cells in prop::collection::vec(prop::collection::vec("[a-z 日\u{301}é👩‍💻_.:/-]{0,60}", 5), 1..8),
            columns in 60usize..160,
        ) {
            let grid = Grid { head: vec!["a", "now", "attached", "restarted", "where"], rows: cells, firm: vec![0], place: 4, compared: 1..4 };
            for text in grid.lines(columns).concat() {
                prop_assert!(width(&text) <= columns, "{text}");
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
