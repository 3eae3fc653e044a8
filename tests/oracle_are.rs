//! Which regular expressions we refuse, with which words, and what the others match, against `~` and `regexp_match` of real
//! servers, in a database in which every byte is a character and with the C collation.

use patroni_preflight::parse::are::{Are, GroupMatch};

use crate::support::hba_files::{Rng, seed, size};
use crate::support::pg::{Client, Server};

const PIECES: [&str; 78] = [
    "a",
    "b",
    "ab",
    "x",
    "1",
    "_",
    "-",
    "@",
    "\\.",
    ".",
    ".*",
    ".+",
    "^",
    "$",
    "(",
    ")",
    "(?:",
    "[",
    "]",
    "[a-c]",
    "[^a]",
    "[[:digit:]]",
    "[[:alpha:]_]",
    "[[:foo:]]",
    "[b-a]",
    "[a-]",
    "[]a]",
    "[^]a]",
    "{2}",
    "{1,2}",
    "{2,1}",
    "{,2}",
    "{1,",
    "{256}",
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{1,2}?",
    "|",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\m",
    "\\M",
    "\\y",
    "\\Y",
    "\\A",
    "\\Z",
    "\\1",
    "\\2",
    "\\b",
    "\\q",
    "\\",
    "\\x41",
    "\\u0061",
    "\\u00e9",
    "\\101",
    "\\08",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?i)",
    "(?x)",
    "(?n)",
    "(?#c)",
    "***:",
    "\\e",
    "[\\w-]",
    "[\\D]",
    "[[.a.]]",
    "[[=a=]]",
    "é",
];
const TEXTS: [&str; 22] = [
    "",
    "a",
    "b",
    "ab",
    "ba",
    "aab",
    "abab",
    "x1",
    "A",
    "AB",
    "a@b",
    "joe@example.com",
    "db12",
    "a b",
    "a\nb",
    "_a-1",
    "é",
    "aé",
    "\\",
    "[",
    "a.b",
    "111",
];
const COMMON: [&str; 12] = [
    "^(.*)@example\\.com$",
    "^db_[0-9]+$",
    "^([^@]+)@.*$",
    "^(a*)(b*)$",
    "(a+)b",
    "^x?(.*)$",
    "^(.?)(.?)",
    "([a-c]+)[bc]",
    "a(.*)b",
    "^[[:alnum:]_]+$",
    "(a?)(ab)?$",
    "b*(.)",
];

fn pattern(rng: &mut Rng) -> String {
    if rng.one_in(6) {
        return rng.pick(&COMMON).to_owned();
    }
    let mut text: String = (0..=rng.below(6)).map(|_| rng.pick(&PIECES)).collect();
    if rng.one_in(2) {
        let open = text.matches('(').count();
        text.push_str(&")".repeat(open.saturating_sub(text.matches(')').count())));
    }
    text
}

fn hex(text: &str) -> String {
    text.bytes().flat_map(|b| [b >> 4, b & 15]).filter_map(|d| char::from_digit(d.into(), 16)).collect()
}

fn quoted(text: &str) -> String {
    format!("convert_from('\\x{}'::bytea, 'SQL_ASCII')", hex(text))
}

struct Tally {
    refused: usize,
    matched: usize,
    groups: usize,
    unknown: usize,
    explained: usize,
}

/// PostgreSQL 13 writes `[:alnum:]_` for a `\w` in brackets before it reads on, so that `\w-` begins a range from `_` and the
/// missing bracket is what it complains of; since 14 the range itself is refused. Both refuse the line.
fn is_explained(pattern: &str, version: u16, theirs: &str, ours: &str) -> bool {
    version == 13
        && pattern.contains("\\w-")
        && ours == "invalid character range"
        && theirs.ends_with("brackets [] not balanced")
}

fn check(db: &mut Client, pattern: &str, version: u16, tally: &mut Tally) -> Result<(), String> {
    let list = TEXTS.map(quoted).join(", ");
    let sql = format!(
        "SELECT (t ~ p COLLATE \"C\")::text, encode(convert_to((regexp_match(t, p COLLATE \"C\"))[1], 'SQL_ASCII'), 'hex') \
         FROM unnest(ARRAY[{list}]) WITH ORDINALITY u(t, o), (SELECT {} AS p) p ORDER BY o",
        quoted(pattern)
    );
    let theirs =
        db.try_query(&sql).map_err(|e| e.as_db_error().map_or_else(|| e.to_string(), |e| e.message().to_owned()));
    let ours = Are::parse(pattern, version);
    let (rows, are) = match (theirs, ours) {
        (Err(theirs), Err(ours)) if theirs == format!("invalid regular expression: {ours}") => {
            tally.refused += 1;
            return Ok(());
        }
        (Err(theirs), Err(ours)) if is_explained(pattern, version, &theirs, ours) => {
            tally.explained += 1;
            return Ok(());
        }
        (Ok(rows), Ok(are)) => (rows, are),
        (Err(theirs), Ok(are)) if are.is_match("").is_none() && theirs.contains("regular expression") => {
            tally.unknown += 1;
            return Ok(());
        }
        (theirs, ours) => return Err(format!("{pattern:?}: we {:?}, they {:?}", ours.err(), theirs.err())),
    };
    let has_group = pattern.contains('(');
    for (text, row) in TEXTS.iter().zip(rows) {
        let Some(ours) = are.is_match(text) else {
            tally.unknown += 1;
            continue;
        };
        tally.matched += 1;
        if Some(if ours { "true" } else { "false" }) != row[0].as_deref() {
            return Err(format!("{pattern:?} on {text:?}: we {ours}, they {:?}", row[0]));
        }
        let group = are.first_group(text);
        if let (true, Some(GroupMatch::Text(ours))) = (has_group, group) {
            tally.groups += 1;
            let hex = hex(&ours);
            if !ours.contains('\u{fffd}') && Some(&hex) != row[1].as_ref() {
                return Err(format!("{pattern:?} on {text:?}: our group is {ours:?}, theirs {:?}", row[1]));
            }
        }
    }
    Ok(())
}

#[test]
fn patterns_are_refused_and_match_as_in_the_servers() {
    let (seed, n) = (seed(), size(600));
    for version in [18, 15, 13] {
        let server = Server::start(version, |_| String::new());
        server.client().query("UPDATE pg_database SET encoding = 0 WHERE datname = 'postgres'");
        let mut db = server.client();
        let mut rng = Rng::new(seed ^ u64::from(version));
        let mut tally = Tally { refused: 0, matched: 0, groups: 0, unknown: 0, explained: 0 };
        let failures: Vec<String> =
            (0..n).filter_map(|_| check(&mut db, &pattern(&mut rng), version, &mut tally).err()).collect();
        assert!(
            failures.is_empty(),
            "seed {seed}, PostgreSQL {version}: {} of {n}\n{}",
            failures.len(),
            failures[..failures.len().min(25)].join("\n")
        );
        println!(
            "PostgreSQL {version}: {n} patterns: {} refused alike, {} matches and {} groups alike, {} not understood, {} explained",
            tally.refused, tally.matched, tally.groups, tally.unknown, tally.explained
        );
    }
}
