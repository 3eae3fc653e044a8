//! Documents that follow the grammar of YAML, with everything it has.
#![expect(clippy::format_push_string, reason = "shorter, and speed is not what the test is about")]

use super::words::{COMMENTS, KEYS, PLAIN, PLAIN_WILD, TAGS, TAGS_WILD, Words};

pub(super) struct Grammar<'r> {
    pub(super) words: Words<'r>,
    pub(super) out: String,
    pub(super) anchors: Vec<usize>,
    pub(super) left: usize,
}

impl Grammar<'_> {
    pub(super) fn stream(mut self) -> String {
        if self.words.rng.one_in(10) {
            let directive =
                ["%YAML 1.1\n---\n", "%YAML 2.0\n---\n", "%TAG !e! tag:yaml.org,2002:\n---\n", "%X y\n---\n", "--- "];
            self.out.push_str(self.words.rng.pick(&directive));
        }
        self.node(0, true);
        if !self.out.ends_with('\n') && !self.words.rng.one_in(6) {
            self.out.push('\n');
        }
        if self.words.rng.one_in(15) {
            self.out.push_str(self.words.rng.pick(&[
                "...\n",
                "---\n",
                "--- x\n",
                "...\n...\n",
                "...\n# end\n",
                "%YAML 1.1\n",
            ]));
        }
        self.out
    }

    fn properties(&mut self) {
        if self.words.rng.one_in(if self.words.wild { 8 } else { 30 }) {
            self.out.push_str(self.words.pick(TAGS, TAGS_WILD));
            self.out.push(' ');
        }
        if self.words.rng.one_in(9) {
            let name = if self.words.wild { self.words.rng.below(8) } else { self.anchors.len() };
            self.anchors.push(name);
            self.out += &format!("&a{name} ");
        }
    }

    /// A node whose first line goes on at the end of the output; lines that follow are indented by `indent`.
    fn node(&mut self, indent: usize, top: bool) {
        self.left = self.left.saturating_sub(1);
        let plain = self.left == 0 || indent > 16;
        match self.words.rng.below(if plain { 4 } else { 11 }) {
            0 => {
                self.properties();
                let text = self.words.scalar();
                self.out.push_str(&text);
            }
            1 if !self.anchors.is_empty() => {
                let name = self.anchors[self.words.rng.below(self.anchors.len())];
                self.out += &format!("*a{name}");
            }
            2 => self.block_scalar(indent),
            3 => self.out.push_str(self.words.pick(PLAIN, PLAIN_WILD)),
            4 | 5 => self.flow(3),
            6 | 7 => self.sequence(indent, top),
            _ => self.mapping(indent, top),
        }
    }

    fn break_line(&mut self, top: bool) {
        if !top || !self.out.is_empty() && !self.out.ends_with('\n') {
            self.properties();
            if self.words.rng.one_in(12) {
                self.out.push(' ');
                self.out.push_str(self.words.rng.pick(COMMENTS));
            }
            self.out.push('\n');
        }
    }

    fn end_line(&mut self) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        if self.words.rng.one_in(25) {
            self.out.push_str(self.words.pick(&["\n", "# c\n", "  \n", "   # c\n"], &["\t\n"]));
        }
    }

    fn sequence(&mut self, indent: usize, top: bool) {
        self.break_line(top);
        for _ in 0..=self.words.rng.below(3) {
            self.out += &format!("{}- ", " ".repeat(indent));
            if self.words.rng.one_in(4) {
                // A mapping on the line of its dash.
                self.out += &format!("{}: ", self.words.rng.pick(KEYS));
                self.node(indent + 4, false);
            } else {
                self.node(indent + 2, false);
            }
            self.end_line();
        }
    }

    fn mapping(&mut self, indent: usize, top: bool) {
        self.break_line(top);
        for _ in 0..=self.words.rng.below(4) {
            self.out.push_str(&" ".repeat(indent));
            if self.words.rng.one_in(12) {
                self.out.push_str("? ");
                self.node(indent + 2, false);
                self.end_line();
                if self.words.rng.one_in(3) {
                    continue;
                }
                self.out += &format!("{}: ", " ".repeat(indent));
            } else {
                self.key();
                self.out.push_str(self.words.pick(&[": ", ": ", ": ", ":  ", " : "], &[":\t", ":"]));
            }
            let deeper = indent
                + if self.words.wild {
                    *self.words.rng.pick(&[&2, &2, &4, &1, &0])
                } else {
                    1 + self.words.rng.below(4)
                };
            self.node(deeper, false);
            self.end_line();
        }
    }

    fn key(&mut self) {
        if self.words.rng.one_in(10) {
            self.properties();
        }
        match self.words.rng.below(8) {
            0 => {
                let text = self.words.scalar();
                self.out.push_str(&text);
            }
            1 if self.words.wild => self.out.push_str("<<"),
            1 if !self.anchors.is_empty() => self.out.push_str("<<"),
            _ => self.out.push_str(self.words.rng.pick(KEYS)),
        }
    }

    fn flow(&mut self, depth: usize) {
        self.properties();
        let list = self.words.rng.one_in(2);
        self.out.push(if list { '[' } else { '{' });
        for i in 0..self.words.rng.below(4) {
            if i > 0 {
                self.out.push_str(self.words.pick(&[", ", ",", " ,\n   ", ", # c\n "], &[",\t"]));
            }
            if !list || self.words.rng.one_in(6) {
                self.key();
                self.out.push_str(self.words.pick(&[": ", " : ", ": ", ": "], &["", ":"]));
            }
            if depth > 0 && self.words.rng.one_in(3) {
                self.flow(depth - 1);
            } else if self.words.rng.one_in(8) && !self.anchors.is_empty() {
                let name = self.anchors[self.words.rng.below(self.anchors.len())];
                self.out += &format!("*a{name} ");
            } else {
                let text = self.words.scalar();
                self.out.push_str(&text);
            }
        }
        self.out.push_str(self.words.rng.pick(&["", "", "", ",", " ", "\n"]));
        self.out.push(if list { ']' } else { '}' });
    }

    fn block_scalar(&mut self, indent: usize) {
        self.properties();
        self.out.push_str(
            self.words.rng.pick(&["|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", "|+3", "|0", "| # c", "|x", ">9"]),
        );
        self.out.push('\n');
        for _ in 0..self.words.rng.below(5) {
            let deep = indent + if self.words.wild { self.words.rng.below(4) } else { 4 };
            let line = self.words.rng.pick(&[
                "text",
                "  more",
                "",
                "",
                "# no comment",
                "a: b",
                "- c",
                "\ttab",
                "é",
                "x \u{85} y",
                " ",
            ]);
            self.out += &format!("{}{line}\n", " ".repeat(deep));
        }
    }
}

/// Mappings that take pairs from each other, in every order, with keys of every kind that can be equal.
pub(super) fn merges(words: &mut Words<'_>) -> String {
    let mut out = String::new();
    let keys = [
        "a",
        "b",
        "c",
        "1",
        "1.0",
        "true",
        "\"1\"",
        "~",
        "=",
        "'a'",
        ".nan",
        "!!float nan",
        "!!float -nan",
        "2024-01-01",
        "0x1",
        "-0.0",
        "0",
        "false",
    ];
    for i in 0..2 + words.rng.below(6) {
        out += &format!("- &m{i}");
        let flow = words.rng.one_in(3);
        out.push_str(if flow { " {" } else { "\n" });
        for _ in 0..=words.rng.below(5) {
            let last = if i > 0 { i - 1 } else { 0 };
            let (one, two) = (words.rng.below(last + 1), words.rng.below(last + 1));
            let (key, value) = match words.rng.below(if i > 0 { 8 } else { 4 }) {
                0 if words.wild => ("<<", words.pick(&["{a: b}"], &["x", "[x]", "[]", "~"]).to_owned()),
                0..4 => (words.rng.pick(&keys), words.rng.pick(&["1", "x", "{a: b}", "~"]).to_owned()),
                4 => ("<<", format!("*m{one}")),
                5 => ("<<", format!("[*m{one}, *m{two}, {{c: {one}, a: z}}]")),
                6 => ("<<", format!("{{<<: [*m{one} , *m{two} ], b: y}}")),
                _ => ("b", format!("*m{}", if words.wild { i } else { one })),
            };
            out += &if flow { format!("{key}: {value} , ") } else { format!("    {key}: {value}\n") };
        }
        out.push_str(if flow { "}\n" } else { "" });
    }
    out
}
