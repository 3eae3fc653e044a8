//! Directives, anchors, aliases and tags (`scan_directive`, `scan_anchor`, `scan_tag` of PyYAML's scanner).

use std::borrow::Cow;

use super::chars::{is_uri, is_word, repr_at};
use super::fault::{Exception, Refused};
use super::number::too_many_digits;
use super::scanner::Scanner;
use super::token::{Directive, Kind, Token};

/// What a text is scanned for when a mistake is found: the words of PyYAML's `context`, and where it began.
#[derive(Clone, Copy)]
struct During {
    what: &'static str,
    since: usize,
}

impl<'a> Scanner<'a> {
    fn found(&self, expected: &str, at: usize, during: &'static str, since: usize) -> Box<Exception> {
        let problem = format!("expected {expected}, but found {}", repr_at(self.text, at));
        Exception::scanner(problem, at).during(during, since)
    }

    fn words_end(&self, mut at: usize) -> usize {
        while is_word(self.byte(at)) {
            at += 1;
        }
        at
    }

    pub(super) fn scan_anchor(&mut self) -> Refused<Token<'a>> {
        let start = self.pos;
        let alias = self.byte(start) == b'*';
        let during = if alias { "while scanning an alias" } else { "while scanning an anchor" };
        let end = self.words_end(start + 1);
        let stops = self.is_blank(end) || b"?:,]}%@`".contains(&self.byte(end));
        if end == start + 1 || !stops {
            return Err(self.found("alphabetic or numeric character", end, during, start));
        }
        self.pos = end;
        let name = &self.text[start + 1..end];
        Ok(Token { kind: if alias { Kind::Alias(name) } else { Kind::Anchor(name) }, start, end })
    }

    pub(super) fn scan_tag(&mut self) -> Refused<Token<'a>> {
        let start = self.pos;
        let during = During { what: "tag", since: start };
        let raw = if self.byte(start + 1) == b'<' {
            self.pos = start + 2;
            let suffix = self.scan_uri(during)?;
            if self.byte(self.pos) != b'>' {
                return Err(self.found("'>'", self.pos, "while parsing a tag", start));
            }
            self.pos += 1;
            (None, suffix)
        } else if self.is_blank(start + 1) {
            self.pos = start + 1;
            (None, Cow::Borrowed("!"))
        } else {
            let mut at = start + 1;
            while !self.ends_word(at) && self.byte(at) != b'!' {
                at += 1;
            }
            let handle = if self.byte(at) == b'!' {
                self.scan_handle(during)?
            } else {
                self.pos += 1;
                "!"
            };
            (Some(handle), self.scan_uri(during)?)
        };
        if !self.ends_word(self.pos) {
            return Err(self.found("' '", self.pos, "while scanning a tag", start));
        }
        Ok(Token { kind: Kind::Tag(Box::new(raw)), start, end: self.pos })
    }

    fn scan_handle(&mut self, during: During) -> Refused<&'a str> {
        let start = self.pos;
        let context = if during.what == "tag" { "while scanning a tag" } else { "while scanning a directive" };
        if self.byte(start) != b'!' {
            return Err(self.found("'!'", start, context, during.since));
        }
        let mut end = start + 1;
        if self.byte(end) != b' ' {
            end = self.words_end(end);
            if self.byte(end) != b'!' {
                return Err(self.found("'!'", end, context, during.since));
            }
            end += 1;
        }
        self.pos = end;
        Ok(&self.text[start..end])
    }

    fn scan_uri(&mut self, during: During) -> Refused<Cow<'a, str>> {
        let start = self.pos;
        let mut out = Cow::Borrowed("");
        let mut from = start;
        while is_uri(self.byte(self.pos)) {
            if self.byte(self.pos) == b'%' {
                out.to_mut().push_str(&self.text[from..self.pos]);
                let escaped = self.scan_uri_escapes(during)?;
                out.to_mut().push_str(&escaped);
                from = self.pos;
            } else {
                self.pos += 1;
            }
        }
        if self.pos == start {
            // PyYAML says "parsing" here and "scanning" everywhere else.
            let context = if during.what == "tag" { "while parsing a tag" } else { "while parsing a directive" };
            return Err(self.found("URI", start, context, during.since));
        }
        if from == start {
            return Ok(Cow::Borrowed(&self.text[start..self.pos]));
        }
        out.to_mut().push_str(&self.text[from..self.pos]);
        Ok(out)
    }

    fn scan_uri_escapes(&mut self, during: During) -> Refused<String> {
        let start = self.pos;
        let context = if during.what == "tag" { "while scanning a tag" } else { "while scanning a directive" };
        let mut codes = Vec::new();
        while self.byte(self.pos) == b'%' {
            self.pos += 1;
            for k in 0..2 {
                if !self.byte(self.pos + k).is_ascii_hexdigit() {
                    let found = repr_at(self.text, self.pos + k);
                    let problem = format!("expected URI escape sequence of 2 hexadecimal numbers, but found {found}");
                    return Err(Exception::scanner(problem, self.pos).during(context, during.since));
                }
            }
            let digits = &self.text[self.pos..self.pos + 2];
            codes.push(u8::from_str_radix(digits, 16).expect("invariant: two hexadecimal digits"));
            self.pos += 2;
        }
        String::from_utf8(codes).map_err(|e| {
            let problem =
                super::text::decode_error(e.as_bytes(), e.utf8_error().valid_up_to(), e.utf8_error().error_len());
            Exception::scanner(problem, start).during(context, during.since)
        })
    }

    pub(super) fn scan_directive(&mut self) -> Refused<Token<'a>> {
        let start = self.pos;
        self.pos += 1;
        let name = self.scan_directive_name(start)?;
        let (directive, end) = match name {
            "YAML" => {
                let is_one = self.scan_yaml_version(start)?;
                (Directive::Yaml(is_one), self.pos)
            }
            "TAG" => {
                let definition = self.scan_tag_definition(start)?;
                (Directive::Tag(Box::new(definition)), self.pos)
            }
            _ => {
                let end = self.pos;
                self.pos = self.line_end(end);
                (Directive::Other, end)
            }
        };
        self.skip_spaces();
        self.skip_comment();
        if !self.ends_line(self.pos) {
            return Err(self.found("a comment or a line break", self.pos, "while scanning a directive", start));
        }
        self.skip_break();
        Ok(Token { kind: Kind::Directive(directive), start, end })
    }

    fn scan_directive_name(&mut self, since: usize) -> Refused<&'a str> {
        let start = self.pos;
        let end = self.words_end(start);
        if end == start || !self.ends_word(end) {
            return Err(self.found("alphabetic or numeric character", end, "while scanning a directive", since));
        }
        self.pos = end;
        Ok(&self.text[start..end])
    }

    fn scan_yaml_version(&mut self, since: usize) -> Refused<bool> {
        let during = "while scanning a directive";
        self.skip_spaces();
        let major = self.scan_version_number(since)?;
        if self.byte(self.pos) != b'.' {
            return Err(self.found("a digit or '.'", self.pos, during, since));
        }
        self.pos += 1;
        self.scan_version_number(since)?;
        if !self.ends_word(self.pos) {
            return Err(self.found("a digit or ' '", self.pos, during, since));
        }
        Ok(major.trim_start_matches('0') == "1")
    }

    fn scan_version_number(&mut self, since: usize) -> Refused<&'a str> {
        let start = self.pos;
        while self.byte(self.pos).is_ascii_digit() {
            self.pos += 1;
        }
        if self.pos == start {
            return Err(self.found("a digit", start, "while scanning a directive", since));
        }
        if let Some(problem) = too_many_digits(self.pos - start) {
            return Err(Exception::new("ValueError", problem, start).to(self.pos));
        }
        Ok(&self.text[start..self.pos])
    }

    fn scan_tag_definition(&mut self, since: usize) -> Refused<(&'a str, Cow<'a, str>)> {
        let during = During { what: "directive", since };
        self.skip_spaces();
        let handle = self.scan_handle(during)?;
        if self.byte(self.pos) != b' ' {
            return Err(self.found("' '", self.pos, "while scanning a directive", since));
        }
        self.skip_spaces();
        let prefix = self.scan_uri(during)?;
        if !self.ends_word(self.pos) {
            return Err(self.found("' '", self.pos, "while scanning a directive", since));
        }
        Ok((handle, prefix))
    }
}
