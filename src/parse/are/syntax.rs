//! The grammar of an advanced regular expression: `parse`, `parsebranch`, `parseqatom` and `brackpart` in
//! `src/backend/regex/regcomp.c`. The order of checks is theirs, so that the first error is theirs.

use super::AreError;
use super::lex::{
    BAD_BACKREF, BAD_CLASS, BAD_COLLATING, BAD_COUNT, BAD_QUANTIFIER, BAD_RANGE, Lexer, OPEN_PAREN, Shorthand, Token,
};

/// How deep groups may nest before the server's own stack check would say no; deeper ones are not modelled.
const MAX_DEPTH: usize = 200;
/// `DUPMAX`.
const MAX_COUNT: u32 = 255;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Alternatives(Vec<Node>),
    Sequence(Vec<Node>),
    Group(Box<Node>),
    Capture(Box<Node>),
    /// Minimum, maximum, greedy.
    Repeat(Box<Node>, u32, Option<u32>, bool),
    Set(Set),
    Byte(u32),
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordStart,
    WordEnd,
    WordEdge,
    NotWordEdge,
    /// Lookaround or a back reference.
    Beyond,
}

/// One byte out of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) complement: bool,
    /// Complements leave line ends out.
    pub(super) no_newline: bool,
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Range(u32, u32),
    Class(&'static str),
    NotClass(&'static str),
}

type Step<T> = Result<T, AreError>;

const fn refuse<T>(text: &'static str) -> Step<T> {
    Err(AreError::Refused(text))
}

/// Reads a whole pattern; the flag says that case is ignored.
pub(super) fn parse(pattern: &[u8], version: u16) -> Step<(Node, bool)> {
    let mut parser = Parser { lex: Lexer::new(pattern, version)?, version, closed: Vec::new(), depth: 0, look: 0 };
    let node = parser.alternatives(Token::End)?;
    Ok((node, parser.lex.ignore_case))
}

struct Parser<'a> {
    lex: Lexer<'a>,
    version: u16,
    /// For each capturing group that was opened: is it complete?
    closed: Vec<bool>,
    depth: usize,
    /// How many lookarounds we are inside of: groups in there do not capture.
    look: usize,
}

impl Parser<'_> {
    fn see(&self, token: Token) -> bool {
        self.lex.token == token
    }

    fn alternatives(&mut self, stopper: Token) -> Step<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(AreError::NotModelled);
        }
        let mut branches = Vec::new();
        loop {
            let mut items = Vec::new();
            while !self.see(Token::Or) && !self.see(stopper) && !self.see(Token::End) {
                items.push(self.quantified()?);
            }
            branches.push(Node::Sequence(items));
            if !self.see(Token::Or) {
                break;
            }
            self.lex.advance()?;
        }
        self.depth -= 1;
        if !self.see(stopper) {
            return refuse(OPEN_PAREN);
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alternatives(branches) })
    }

    fn constraint(&mut self, node: Node) -> Step<Node> {
        self.lex.advance()?;
        Ok(node)
    }

    fn quantified(&mut self) -> Step<Node> {
        let atom = match self.lex.token {
            Token::LineStart => {
                return self.constraint(if self.lex.anchor_at_newline { Node::LineStart } else { Node::TextStart });
            }
            Token::LineEnd => {
                return self.constraint(if self.lex.anchor_at_newline { Node::LineEnd } else { Node::TextEnd });
            }
            Token::TextStart => return self.constraint(Node::TextStart),
            Token::TextEnd => return self.constraint(Node::TextEnd),
            Token::WordStart => return self.constraint(Node::WordStart),
            Token::WordEnd => return self.constraint(Node::WordEnd),
            Token::WordEdge => return self.constraint(Node::WordEdge),
            Token::NotWordEdge => return self.constraint(Node::NotWordEdge),
            Token::Look => {
                self.lex.advance()?;
                self.look += 1;
                self.alternatives(Token::CloseParen)?;
                self.look -= 1;
                return self.constraint(Node::Beyond);
            }
            Token::Star(_) | Token::Plus(_) | Token::Question(_) | Token::OpenBrace => {
                return refuse(BAD_QUANTIFIER);
            }
            Token::CloseParen => return refuse(OPEN_PAREN),
            Token::OpenParen(captures) => self.group(captures)?,
            Token::Backref(n) => self.back_reference(n)?,
            _ => self.single()?,
        };
        self.quantifier(atom)
    }

    fn group(&mut self, captures: bool) -> Step<Node> {
        let number = (captures && self.look == 0).then(|| {
            self.lex.groups += 1;
            self.closed.push(false);
            self.closed.len() - 1
        });
        self.lex.advance()?;
        let inner = Box::new(self.alternatives(Token::CloseParen)?);
        if let Some(number) = number {
            self.closed[number] = true;
        }
        self.lex.advance()?;
        Ok(if number.is_some() { Node::Capture(inner) } else { Node::Group(inner) })
    }

    fn back_reference(&mut self, n: u32) -> Step<Node> {
        let known = n.checked_sub(1).and_then(|i| self.closed.get(i as usize));
        if self.look > 0 || known != Some(&true) {
            return refuse(BAD_BACKREF);
        }
        self.lex.advance()?;
        Ok(Node::Beyond)
    }

    /// An atom that takes one byte.
    fn single(&mut self) -> Step<Node> {
        let no_newline = self.lex.stop_at_newline;
        let set = |complement, items| Node::Set(Set { complement, no_newline, items });
        let node = match self.lex.token {
            Token::Plain(n) => Node::Byte(n),
            Token::Dot => set(true, Vec::new()),
            Token::Class(class) => set(false, vec![Item::Class(class_of(class))]),
            // From 14 on `\D` and `\W` take line ends whatever the options say.
            Token::NotClass(class) => Node::Set(Set {
                complement: true,
                no_newline: no_newline && self.version < 14,
                items: vec![Item::Class(class_of(class))],
            }),
            Token::OpenBracket(plain) => {
                self.lex.advance()?;
                let mut items = Vec::new();
                while !self.see(Token::CloseBracket) && !self.see(Token::End) {
                    self.bracket_part(&mut items)?;
                }
                set(!plain, items)
            }
            _ => return Err(AreError::NotModelled),
        };
        self.lex.advance()?;
        Ok(node)
    }

    fn quantifier(&mut self, atom: Node) -> Step<Node> {
        let (min, max, greedy) = match self.lex.token {
            Token::Star(greedy) => (0, None, greedy),
            Token::Plus(greedy) => (1, None, greedy),
            Token::Question(greedy) => (0, Some(1), greedy),
            Token::OpenBrace => self.bounds()?,
            _ => return Ok(atom),
        };
        self.lex.advance()?;
        Ok(Node::Repeat(Box::new(atom), min, max, greedy))
    }

    fn bounds(&mut self) -> Step<(u32, Option<u32>, bool)> {
        self.lex.advance()?;
        let min = self.count()?;
        let mut max = Some(min);
        if self.see(Token::Comma) {
            self.lex.advance()?;
            max = if matches!(self.lex.token, Token::Digit(_)) { Some(self.count()?) } else { None };
            if max.is_some_and(|max| min > max) {
                return refuse(BAD_COUNT);
            }
        }
        match self.lex.token {
            Token::CloseBrace(greedy) => Ok((min, max, greedy)),
            _ => refuse(BAD_COUNT),
        }
    }

    fn count(&mut self) -> Step<u32> {
        let mut n = 0;
        while let Token::Digit(d) = self.lex.token {
            if n >= MAX_COUNT {
                return refuse(BAD_COUNT);
            }
            n = n * 10 + d;
            self.lex.advance()?;
        }
        if n > MAX_COUNT { refuse(BAD_COUNT) } else { Ok(n) }
    }

    fn bracket_part(&mut self, items: &mut Vec<Item>) -> Step<()> {
        let first = match self.lex.token {
            Token::Range => return refuse(BAD_RANGE),
            Token::Plain(n) => {
                self.lex.advance()?;
                n
            }
            Token::CollatingOpen => self.element()?,
            Token::EquivalenceOpen => {
                let n = self.element()?;
                items.push(Item::Range(n, n));
                return Ok(());
            }
            Token::ClassOpen => {
                items.push(Item::Class(self.named_class()?));
                return Ok(());
            }
            Token::Class(class) => {
                items.push(Item::Class(class_of(class)));
                return self.lex.advance();
            }
            Token::NotClass(class) => {
                items.push(Item::NotClass(class_of(class)));
                return self.lex.advance();
            }
            _ => return Err(AreError::NotModelled),
        };
        let mut last = first;
        if self.see(Token::Range) {
            self.lex.advance()?;
            last = match self.lex.token {
                Token::Plain(n) => {
                    self.lex.advance()?;
                    n
                }
                Token::Range => {
                    self.lex.advance()?;
                    u32::from(b'-')
                }
                Token::CollatingOpen => self.element()?,
                _ => return refuse(BAD_RANGE),
            };
        }
        if first > last {
            return refuse(BAD_RANGE);
        }
        items.push(Item::Range(first, last));
        Ok(())
    }

    /// The raw name between `[:` and `:]`; the name of an empty one runs into its end mark, as in the server.
    fn name(&mut self) -> Step<Vec<u8>> {
        let start = self.lex.now;
        self.lex.advance()?;
        let mut name = self.lex.since(start).to_vec();
        while matches!(self.lex.token, Token::Plain(_)) {
            name = self.lex.since(start).to_vec();
            self.lex.advance()?;
        }
        self.lex.advance()?;
        Ok(name)
    }

    fn element(&mut self) -> Step<u32> {
        let name = self.name()?;
        match name.as_slice() {
            [one] => Ok(u32::from(*one)),
            _ if name.iter().all(|c| c.is_ascii_lowercase() || *c == b'-')
                || name.iter().all(u8::is_ascii_uppercase) =>
            {
                Err(AreError::NotModelled)
            }
            _ => refuse(BAD_COLLATING),
        }
    }

    fn named_class(&mut self) -> Step<&'static str> {
        const CLASSES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "xdigit", "word",
        ];
        let name = self.name()?;
        let known = CLASSES.iter().find(|c| c.as_bytes() == name && (**c != "word" || self.version >= 14));
        match known {
            Some(class) => Ok(class),
            None => refuse(BAD_CLASS),
        }
    }
}

const fn class_of(class: Shorthand) -> &'static str {
    match class {
        Shorthand::Digit => "digit",
        Shorthand::Space => "space",
        Shorthand::Word => "word",
    }
}
