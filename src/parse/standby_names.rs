//! `synchronous_standby_names` as the server reads it (`src/backend/replication/syncrep_gram.y`, `syncrep_scanner.l`).

/// Which standbys a commit waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandbyNames {
    /// How many of them.
    pub count: usize,
    /// The names, `*` for any.
    pub names: Vec<String>,
}

impl StandbyNames {
    /// Whether a name is among them; capitals do not matter, and `*` stands for all.
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == "*" || n.eq_ignore_ascii_case(name))
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    /// `FIRST` or `ANY` without quotes; no standby of that name is meant.
    Method,
    Name(String),
    Number(String),
    Other(char),
}

/// Why the server refuses a value (`check_synchronous_standby_names`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be read.
    Syntax,
    /// That many standbys are no number to wait for.
    Number(i32),
}

/// Reads a value; `None` for an empty one, which means that nothing is waited for.
///
/// # Errors
/// Why the server does not start with it.
pub fn parse_standby_names(text: &str) -> Result<Option<StandbyNames>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    match list(text) {
        Some((count, names)) => match usize::try_from(count) {
            Ok(count @ 1..) => Ok(Some(StandbyNames { count, names })),
            _ => Err(Refused::Number(count)),
        },
        None => Err(Refused::Syntax),
    }
}

/// How many of which names.
fn list(text: &str) -> Option<(i32, Vec<String>)> {
    let tokens = scan(text)?;
    let prefixed = tokens.first() == Some(&Token::Method);
    let rest = if prefixed { &tokens[1..] } else { &tokens[..] };
    match rest {
        [Token::Number(n), Token::Other('('), list @ .., Token::Other(')')] => Some((atoi(n), names(list)?)),
        _ if prefixed => None,
        list => Some((1, names(list)?)),
    }
}

/// Digits as C reads them on 64 bits: what is too large becomes the largest `long`, of which the lower half counts.
#[expect(clippy::cast_possible_truncation, reason = "so does the server")]
fn atoi(digits: &str) -> i32 {
    digits.parse::<i64>().unwrap_or(i64::MAX) as i32
}

/// Names with commas between them, at least one.
fn names(list: &[Token]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for (i, token) in list.iter().enumerate() {
        match token {
            Token::Other(',') if i % 2 == 1 => {}
            Token::Name(name) | Token::Number(name) if i % 2 == 0 => names.push(name.clone()),
            _ => return None,
        }
    }
    (list.len() % 2 == 1).then_some(names)
}

fn scan(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let Some(first) = rest.chars().next() else { return Some(tokens) };
        let of = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
        let length = match first {
            '"' => {
                let (name, length) = quoted(&rest[1..])?;
                tokens.push(Token::Name(name));
                length + 1
            }
            '*' => {
                tokens.push(Token::Name("*".to_owned()));
                1
            }
            ',' | '(' | ')' => {
                tokens.push(Token::Other(first));
                1
            }
            '0'..='9' => {
                let length = of(|c| c.is_ascii_digit());
                tokens.push(Token::Number(rest[..length].to_owned()));
                length
            }
            c if c.is_ascii_alphabetic() || c == '_' || !c.is_ascii() => {
                let length = of(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii());
                let word = &rest[..length];
                let is_method = ["first", "any"].iter().any(|m| word.eq_ignore_ascii_case(m));
                tokens.push(if is_method { Token::Method } else { Token::Name(word.to_owned()) });
                length
            }
            _ => return None,
        };
        rest = &rest[length..];
    }
}

/// A name up to its closing quote, and how many bytes that takes; two quotes stand for one.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = 0;
    loop {
        let end = at + text[at..].find('"')?;
        name.push_str(&text[at..end]);
        if text[end + 1..].starts_with('"') {
            name.push('"');
            at = end + 2;
        } else {
            return Some((name, end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refused, parse_standby_names};

    fn read(text: &str) -> Option<(usize, Vec<String>)> {
        parse_standby_names(text).unwrap().map(|s| (s.count, s.names))
    }

    #[test]
    fn all_forms_of_the_grammar_are_read() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(read("pg2"), Some((1, names(&["pg2"]))));
        assert_eq!(read("2 (pg2, \"Pg-3\", 4)"), Some((2, names(&["pg2", "Pg-3", "4"]))));
        assert_eq!(read("ANY 1 (*)"), Some((1, names(&["*"]))));
        assert_eq!(read("first 2(a,b)"), Some((2, names(&["a", "b"]))));
        assert_eq!(read(r#""a""b""#), Some((1, names(&["a\"b"]))));
        assert_eq!(read(r#""""#), Some((1, names(&[""]))));
        assert_eq!(read(""), None);
        for bad in [" ", "pg-2", "ANY (a)", "a,", "2 (a", "\"a", "a b", "a, any", "first"] {
            assert_eq!(parse_standby_names(bad), Err(Refused::Syntax), "{bad}");
        }
        for (bad, number) in [("0 (a)", 0), ("4294967296 (a)", 0), ("99999999999999999999 (a)", -1)] {
            assert_eq!(parse_standby_names(bad), Err(Refused::Number(number)));
        }
    }

    #[test]
    fn capitals_do_not_matter() {
        let names = parse_standby_names("FIRST 1 (Pg2)").unwrap().unwrap();
        assert!(names.holds("pg2") && !names.holds("pg3"));
        assert!(parse_standby_names("*").unwrap().unwrap().holds("x"));
    }
}
