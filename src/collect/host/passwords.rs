//! Password files of libpq: whom their entries are for. The passwords themselves are not kept.

use std::collections::BTreeMap;

use super::eye::Reply;
use super::wire;
use crate::bundle::Answer;

/// The entries of files, by path.
pub(super) fn files(
    paths: &[String],
    asked: &[usize],
    replies: &[Reply],
) -> BTreeMap<String, Answer<Option<Vec<String>>>> {
    let entries = |at: usize| wire::text(&replies[at]).map(|text| text.map(|text| entries(&text)));
    paths.iter().zip(asked).map(|(path, at)| (path.clone(), entries(*at).into())).collect()
}

/// Host, port, database and user of each line that libpq reads (`fe-connect.c:passwordFromFile`).
fn entries(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line[..end(line, 4)?].to_owned())).collect()
}

/// Where the colon with that number stands, those behind a backslash left out.
fn end(line: &str, number: usize) -> Option<usize> {
    let mut is_escaped = false;
    let mut colons = line.bytes().enumerate().filter(|(_, b)| {
        let is_colon = *b == b':' && !is_escaped;
        is_escaped = *b == b'\\' && !is_escaped;
        is_colon
    });
    colons.nth(number - 1).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn passwords_are_cut_off() {
        let text = "# own\n\ndb1:5432:app:reporter:se:cret\n\\:\\:1:*:*:a\\\\:x\nnonsense:1\n";
        assert_eq!(entries(text), ["db1:5432:app:reporter", "\\:\\:1:*:*:a\\\\"]);
    }
}
