//! Tokens of an advanced regular expression: `next` and `lexescape` in `src/backend/regex/regc_lex.c`.

use super::AreError;

pub(super) const BAD_PATTERN: &str = "invalid regexp (reg version 0.8)";
pub(super) const BAD_ESCAPE: &str = "invalid escape \\ sequence";
pub(super) const BAD_BACKREF: &str = "invalid backreference number";
pub(super) const OPEN_BRACKET: &str = "brackets [] not balanced";
pub(super) const OPEN_PAREN: &str = "parentheses () not balanced";
pub(super) const OPEN_BRACE: &str = "braces {} not balanced";
pub(super) const BAD_COUNT: &str = "invalid repetition count(s)";
pub(super) const BAD_RANGE: &str = "invalid character range";
pub(super) const BAD_QUANTIFIER: &str = "quantifier operand invalid";
pub(super) const BAD_OPTION: &str = "invalid embedded option";
pub(super) const BAD_CLASS: &str = "invalid character class";
pub(super) const BAD_COLLATING: &str = "invalid collating element";

/// Named classes, with `\d`, `\s`, `\w` among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shorthand {
    Digit,
    Space,
    Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Nothing was read yet.
    Empty,
    End,
    Plain(u32),
    Digit(u32),
    Or,
    /// `*`, `+`, `?` and the end of a bound; true when greedy.
    Star(bool),
    Plus(bool),
    Question(bool),
    OpenBrace,
    CloseBrace(bool),
    Comma,
    /// A group; true when it captures.
    OpenParen(bool),
    CloseParen,
    Look,
    /// A bracket expression; true when it is not complemented.
    OpenBracket(bool),
    CloseBracket,
    Dot,
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordStart,
    WordEnd,
    WordEdge,
    NotWordEdge,
    Class(Shorthand),
    NotClass(Shorthand),
    Backref(u32),
    Range,
    CollatingOpen,
    EquivalenceOpen,
    ClassOpen,
    NameEnd,
}

/// What the lexer is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Expression,
    Bound,
    Bracket,
    /// `[. .]`, `[= =]`, `[: :]` by their middle character.
    Name(u8),
}

#[expect(clippy::struct_excessive_bools, reason = "one per embedded option")]
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    pub(super) now: usize,
    inside: Inside,
    pub(super) token: Token,
    last: Token,
    version: u16,
    expanded: bool,
    pub(super) ignore_case: bool,
    /// `.` and complements stop at line ends.
    pub(super) stop_at_newline: bool,
    /// `^` and `$` also match at line ends.
    pub(super) anchor_at_newline: bool,
    pub(super) groups: u32,
}

type Step<T> = Result<T, AreError>;

const fn refuse<T>(text: &'static str) -> Step<T> {
    Err(AreError::Refused(text))
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], version: u16) -> Step<Self> {
        let mut lexer = Self {
            text,
            now: 0,
            inside: Inside::Expression,
            token: Token::Empty,
            last: Token::Empty,
            version,
            expanded: false,
            ignore_case: false,
            stop_at_newline: false,
            anchor_at_newline: false,
            groups: 0,
        };
        lexer.prefixes()?;
        lexer.advance()?;
        Ok(lexer)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.now).copied()
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.now..]
    }

    fn eat(&mut self, c: u8) -> bool {
        let found = self.peek() == Some(c);
        self.now += usize::from(found);
        found
    }

    /// `***:` and friends, then `(?xyz)`.
    fn prefixes(&mut self) -> Step<()> {
        if let [b'*', b'*', b'*', flavour, ..] = self.rest() {
            match flavour {
                b'?' => return refuse(BAD_PATTERN),
                b'=' => return Err(AreError::NotModelled),
                b':' => self.now += 4,
                _ => return refuse(BAD_QUANTIFIER),
            }
        }
        if !matches!(self.rest(), [b'(', b'?', letter, ..] if letter.is_ascii_alphabetic()) {
            return Ok(());
        }
        self.now += 2;
        let mut modelled = true;
        while let Some(letter) = self.peek().filter(u8::is_ascii_alphabetic) {
            self.now += 1;
            match letter {
                b'b' | b'e' | b'q' => modelled = false,
                b'c' => self.ignore_case = false,
                b'i' => self.ignore_case = true,
                b'm' | b'n' => (self.stop_at_newline, self.anchor_at_newline) = (true, true),
                b'p' => (self.stop_at_newline, self.anchor_at_newline) = (true, false),
                b's' => (self.stop_at_newline, self.anchor_at_newline) = (false, false),
                b'w' => (self.stop_at_newline, self.anchor_at_newline) = (false, true),
                b't' => self.expanded = false,
                b'x' => self.expanded = true,
                _ => return refuse(BAD_OPTION),
            }
        }
        if !self.eat(b')') {
            return refuse(BAD_OPTION);
        }
        if modelled { Ok(()) } else { Err(AreError::NotModelled) }
    }

    /// White space and comments of the expanded syntax.
    fn skip(&mut self) {
        if !self.expanded {
            return;
        }
        loop {
            let start = self.now;
            while self.peek().is_some_and(|c| c.is_ascii_whitespace() || c == b'\x0b') {
                self.now += 1;
            }
            if self.peek() == Some(b'#') {
                while self.peek().is_some_and(|c| c != b'\n') {
                    self.now += 1;
                }
            }
            if self.now == start {
                return;
            }
        }
    }

    /// Reads the next token.
    pub(super) fn advance(&mut self) -> Step<()> {
        self.last = self.token;
        self.token = self.scan()?;
        Ok(())
    }

    fn scan(&mut self) -> Step<Token> {
        if matches!(self.inside, Inside::Expression | Inside::Bound) {
            self.skip();
        }
        let Some(c) = self.peek() else {
            return match self.inside {
                Inside::Expression => Ok(Token::End),
                Inside::Bound => refuse(OPEN_BRACE),
                Inside::Bracket | Inside::Name(_) => refuse(OPEN_BRACKET),
            };
        };
        self.now += 1;
        match self.inside {
            Inside::Bound => self.in_bound(c),
            Inside::Bracket => self.in_bracket(c),
            Inside::Name(mark) => {
                if c == mark && self.eat(b']') {
                    self.inside = Inside::Bracket;
                    return Ok(Token::NameEnd);
                }
                Ok(Token::Plain(u32::from(c)))
            }
            Inside::Expression => self.in_expression(c),
        }
    }

    fn in_bound(&mut self, c: u8) -> Step<Token> {
        match c {
            b'0'..=b'9' => Ok(Token::Digit(u32::from(c - b'0'))),
            b',' => Ok(Token::Comma),
            b'}' => {
                self.inside = Inside::Expression;
                Ok(Token::CloseBrace(!self.eat(b'?')))
            }
            _ => refuse(BAD_COUNT),
        }
    }

    fn in_bracket(&mut self, c: u8) -> Step<Token> {
        let first = matches!(self.last, Token::OpenBracket(_));
        match c {
            b'\\' => {
                if self.peek().is_none() {
                    return refuse(BAD_ESCAPE);
                }
                match self.escape()? {
                    token @ (Token::Plain(_) | Token::Class(_)) => Ok(token),
                    token @ Token::NotClass(_) if self.version >= 14 => Ok(token),
                    _ => refuse(BAD_ESCAPE),
                }
            }
            b'-' if first || self.peek() == Some(b']') => Ok(Token::Plain(u32::from(c))),
            b'-' => Ok(Token::Range),
            b'[' => {
                let Some(mark) = self.peek() else { return refuse(OPEN_BRACKET) };
                let token = match mark {
                    b'.' => Token::CollatingOpen,
                    b'=' => Token::EquivalenceOpen,
                    b':' => Token::ClassOpen,
                    _ => return Ok(Token::Plain(u32::from(c))),
                };
                self.now += 1;
                self.inside = Inside::Name(mark);
                Ok(token)
            }
            b']' if !first => {
                self.inside = Inside::Expression;
                Ok(Token::CloseBracket)
            }
            _ => Ok(Token::Plain(u32::from(c))),
        }
    }

    fn in_expression(&mut self, c: u8) -> Step<Token> {
        match c {
            b'|' => Ok(Token::Or),
            b'*' => Ok(Token::Star(!self.eat(b'?'))),
            b'+' => Ok(Token::Plus(!self.eat(b'?'))),
            b'?' => Ok(Token::Question(!self.eat(b'?'))),
            b'{' => {
                self.skip();
                if self.peek().is_some_and(|d| d.is_ascii_digit()) {
                    self.inside = Inside::Bound;
                    return Ok(Token::OpenBrace);
                }
                Ok(Token::Plain(u32::from(c)))
            }
            b'(' => self.open_paren(),
            b')' => Ok(Token::CloseParen),
            b'[' => Ok(self.open_bracket()),
            b'.' => Ok(Token::Dot),
            b'^' => Ok(Token::LineStart),
            b'$' => Ok(Token::LineEnd),
            b'\\' if self.peek().is_none() => refuse(BAD_ESCAPE),
            b'\\' => self.escape(),
            _ => Ok(Token::Plain(u32::from(c))),
        }
    }

    fn open_paren(&mut self) -> Step<Token> {
        if !self.eat(b'?') {
            return Ok(Token::OpenParen(true));
        }
        let Some(c) = self.peek() else { return refuse(BAD_QUANTIFIER) };
        self.now += 1;
        match c {
            b':' => Ok(Token::OpenParen(false)),
            b'#' => {
                while self.peek().is_some_and(|c| c != b')') {
                    self.now += 1;
                }
                self.now = (self.now + 1).min(self.text.len());
                self.scan()
            }
            b'=' | b'!' => Ok(Token::Look),
            b'<' if self.eat(b'=') || self.eat(b'!') => Ok(Token::Look),
            _ => refuse(BAD_QUANTIFIER),
        }
    }

    fn open_bracket(&mut self) -> Token {
        if let [b'[', b':', mark @ (b'<' | b'>'), b':', b']', b']', ..] = self.rest() {
            self.now += 6;
            return if *mark == b'<' { Token::WordStart } else { Token::WordEnd };
        }
        self.inside = Inside::Bracket;
        Token::OpenBracket(!self.eat(b'^'))
    }

    /// A backslash was eaten and something follows.
    fn escape(&mut self) -> Step<Token> {
        let c = self.text[self.now];
        self.now += 1;
        if !c.is_ascii_alphanumeric() {
            return Ok(Token::Plain(u32::from(c)));
        }
        let plain = |n: u32| Ok(Token::Plain(n));
        match c {
            b'a' => plain(7),
            b'A' => Ok(Token::TextStart),
            b'b' => plain(8),
            b'B' => plain(u32::from(b'\\')),
            b'c' => {
                let Some(next) = self.peek() else { return refuse(BAD_ESCAPE) };
                self.now += 1;
                plain(u32::from(next & 0o37))
            }
            b'd' => Ok(Token::Class(Shorthand::Digit)),
            b'D' => Ok(Token::NotClass(Shorthand::Digit)),
            b'e' => plain(0o33),
            b'f' => plain(12),
            b'm' => Ok(Token::WordStart),
            b'M' => Ok(Token::WordEnd),
            b'n' => plain(10),
            b'r' => plain(13),
            b's' => Ok(Token::Class(Shorthand::Space)),
            b'S' => Ok(Token::NotClass(Shorthand::Space)),
            b't' => plain(9),
            b'u' => self.code_point(4, 4),
            b'U' => self.code_point(8, 8),
            b'v' => plain(11),
            b'w' => Ok(Token::Class(Shorthand::Word)),
            b'W' => Ok(Token::NotClass(Shorthand::Word)),
            b'x' => self.code_point(1, 255),
            b'y' => Ok(Token::WordEdge),
            b'Y' => Ok(Token::NotWordEdge),
            b'Z' => Ok(Token::TextEnd),
            b'0'..=b'9' => self.number(c),
            _ => refuse(BAD_ESCAPE),
        }
    }

    fn code_point(&mut self, min: usize, max: usize) -> Step<Token> {
        let n = self.digits(16, min, max)?;
        if n > 0x7fff_fffe { refuse(BAD_ESCAPE) } else { Ok(Token::Plain(n)) }
    }

    /// A back reference when it has one digit or as many groups were opened, else an octal number.
    fn number(&mut self, first: u8) -> Step<Token> {
        let save = self.now;
        self.now -= 1;
        if first != b'0' {
            let n = self.digits(10, 1, 255)?;
            if self.now == save || (n > 0 && n <= self.groups) {
                return Ok(Token::Backref(n));
            }
            self.now = save - 1;
        }
        let mut n = self.digits(8, 1, 3)?;
        if n > 0xff {
            self.now -= 1;
            n >>= 3;
        }
        Ok(Token::Plain(n))
    }

    fn digits(&mut self, base: u32, min: usize, max: usize) -> Step<u32> {
        let (mut n, mut count) = (0_u32, 0);
        while count < max {
            let Some(d) = self.peek().and_then(|c| char::from(c).to_digit(base)) else { break };
            n = n.wrapping_mul(base).wrapping_add(d);
            self.now += 1;
            count += 1;
        }
        if count < min { refuse(BAD_ESCAPE) } else { Ok(n) }
    }

    /// The raw text up to here, for the names of classes.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.text[start..self.now]
    }
}
