//! Documents to compare on: shapes of real `patroni.yml` files, and whatever the grammar of YAML allows.

use crate::support::rng::Rng;

/// A document: two of three hold nothing that is meant to be refused.
pub(super) fn document(rng: &mut Rng) -> String {
    let wild = rng.one_in(3);
    match rng.below(10) {
        0..4 => Shape { words: Words { rng, wild }, out: String::new(), anchored: false }.patroni(),
        4..9 => Grammar { words: Words { rng, wild }, out: String::new(), anchors: Vec::new(), left: 24 }.stream(),
        _ => lines(&mut Words { rng, wild: true }),
    }
}

/// Where documents take their words from.
struct Words<'r> {
    rng: &'r mut Rng,
    /// Whether words may be wrong where they stand.
    wild: bool,
}

impl Words<'_> {
    fn pick<'t>(&mut self, tame: &[&'t str], wild: &[&'t str]) -> &'t str {
        let all = tame.len() + if self.wild { wild.len() } else { 0 };
        let at = self.rng.below(all);
        if at < tame.len() { tame[at] } else { wild[at - tame.len()] }
    }

    fn scalar(&mut self) -> String {
        match self.rng.below(8) {
            0 => format!("\"{}{}\"", self.pick(DOUBLE, DOUBLE_WILD), self.pick(DOUBLE, DOUBLE_WILD)),
            1 => format!("'{}{}'", self.rng.pick(SINGLE), self.rng.pick(SINGLE)),
            2 => numeric(self),
            _ => self.pick(PLAIN, PLAIN_WILD).to_owned(),
        }
    }
}

/// Scalars that people write, and those that YAML 1.1 reads in unexpected ways.
const PLAIN: &[&str] = &[
    "on",
    "off",
    "yes",
    "no",
    "true",
    "False",
    "y",
    "n",
    "~",
    "null",
    "NULL",
    "0777",
    "0644",
    "08",
    "0o17",
    "0x1F",
    "0b101",
    "1_000",
    "22:30",
    "1:30:00",
    "190:20:30.15",
    "1.5",
    "1e3",
    "1.5e+3",
    ".5",
    "-.5",
    "+.inf",
    "-.INF",
    ".nan",
    "-0",
    "+12",
    "2024-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "10.0.0.1:5432",
    "10.0.0.1:8008",
    "0.0.0.0",
    "postgres",
    "replicator",
    "/var/lib/postgresql/16/main",
    "md5",
    "host all all 0.0.0.0/0 scram-sha-256",
    "abc#def",
    "a:b",
    "-1",
    "cp %p /archive/%f",
    "test ! -f /a/%f && cp %p /a/%f",
    "https://etcd-1:2379",
    "patroni-%h",
    "node1",
    "hot_standby",
    "18446744073709551616",
    "-9223372036854775809",
    "1.7976931348623157e+400",
    "é",
    "日本",
    "\u{1F600}",
    "a\u{a0}b",
    "x y z",
    "-x",
    "1:60",
    "60:1",
    "0:0",
    "00",
    "0_",
    "1__0",
    "_1",
    "0.0",
    "-0.0",
    "100.",
    "1_0.5_0",
    ".e+1",
    "2024-01-01 10:00",
    "12-12-2024",
    "0b",
    "0x",
    "0b12",
    "1:2:3:4:5:6:7:8:9:10:11:12:13",
];

const PLAIN_WILD: &[&str] = &[
    "2024-13-01",
    "2001-12-15 2:59:43.10",
    "=",
    "<<",
    "local all all peer # note",
    "abc #def",
    "a: b",
    "%p",
    "?x",
    ":x",
    "- x",
    "---",
    "...",
    "a,b",
    "[]",
    "{}",
    "a]b",
    "2024-02-30",
    "x\u{85}y",
    "@x",
    "`x",
];

const KEYS: &[&str] = &[
    "scope",
    "namespace",
    "name",
    "restapi",
    "listen",
    "connect_address",
    "etcd",
    "etcd3",
    "hosts",
    "bootstrap",
    "dcs",
    "ttl",
    "loop_wait",
    "postgresql",
    "parameters",
    "use_pg_rewind",
    "pg_hba",
    "authentication",
    "replication",
    "username",
    "password",
    "tags",
    "nofailover",
    "noloadbalance",
    "data_dir",
    "bin_dir",
    "watchdog",
    "mode",
    "a",
    "b",
    "c",
];

const TAGS: &[&str] =
    &["!!str", "!!str", "!!binary", "!!null", "!", "!<tag:yaml.org,2002:str>", "!!st%72", "!<!>", "!!float", "!!int"];

const TAGS_WILD: &[&str] = &[
    "!!bool",
    "!!timestamp",
    "!!seq",
    "!!map",
    "!!set",
    "!!omap",
    "!!pairs",
    "!!merge",
    "!!value",
    "!local",
    "!e!x",
    "!!python/tuple",
    "!!foo%ff",
    "!a%e2%82x",
    "!!int,",
];

const COMMENTS: &[&str] = &["# note", "#", "# a: b", "#\tx", "# é"];

/// The body of a double-quoted scalar.
const DOUBLE: &[&str] = &[
    "abc",
    "a b",
    "\\n",
    "\\x41",
    "\\u00e9",
    "\\U0001F600",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\0",
    "\\e",
    "\\_",
    "\\N\\L\\P",
    "\\\"",
    "\\\\",
    "\\/",
    "a\n  b",
    "a\n\n b",
    "a \\\n  b",
    "  ",
    "\t",
    "'",
    "#",
    ": ",
    "- ",
    "%p",
    "*",
];

const DOUBLE_WILD: &[&str] = &["\\q", "\\xZZ", "\\U00110000", "\\UFFFFFFFF"];

/// The body of a single-quoted scalar.
const SINGLE: &[&str] =
    &["abc", "''", "a b", "\"", "\\n", "a\n  b", "a\n\n\n b", "*", "0777", "on", "", " ", "#", ": ", "{", "é"];

/// Digits and the signs that make numbers, times and dates of them.
fn numeric(words: &mut Words<'_>) -> String {
    let rng = &mut *words.rng;
    let alphabet = b"0011234567899.:_-+eExXbTZ ";
    let mut out: String = (0..=rng.below(9)).map(|_| alphabet[rng.below(alphabet.len())] as char).collect();
    if rng.one_in(3) {
        let (months, days) = if words.wild { (14, 33) } else { (12, 28) };
        out = format!("20{:02}-{:02}-{:02}", rng.below(100), 1 + rng.below(months), 1 + rng.below(days));
        if rng.one_in(2) {
            out += &format!(
                "{}{}:{:02}:{:02}",
                rng.pick(&["T", " ", "t", "  "]),
                rng.below(26),
                rng.below(62),
                rng.below(62)
            );
            out += rng.pick(&["", "Z", " Z", "+1", "-05:30", ".5", ".1234567 +23:59"]);
            if words.wild {
                out += rng.pick(&["", "+24", "-99:59", ":99"]);
            }
        }
    }
    out
}

struct Shape<'r> {
    words: Words<'r>,
    out: String,
    anchored: bool,
}

impl Shape<'_> {
    /// A file like those that Patroni is started with.
    fn patroni(mut self) -> String {
        let step = *self.words.rng.pick(&[&2, &2, &2, &4, &3]);
        if self.words.rng.one_in(12) {
            self.out.push_str(self.words.rng.pick(&["---\n", "# Patroni\n", "\u{feff}", "%YAML 1.1\n---\n", "\n\n"]));
        }
        for (section, keys) in SECTIONS {
            if self.words.rng.one_in(5) {
                continue;
            }
            if keys.is_empty() {
                let value = self.value(step);
                self.line(0, section, &value);
                continue;
            }
            self.line(0, section, "");
            for key in *keys {
                self.entry(step, step, key);
            }
            if self.words.rng.one_in(8) {
                self.out.push('\n');
            }
        }
        if self.words.rng.one_in(20) {
            self.out = self.out.replace('\n', "\r\n");
        }
        self.out
    }

    fn entry(&mut self, indent: usize, step: usize, key: &str) {
        match (key, self.words.rng.below(10)) {
            ("pg_hba" | "hosts" | "callbacks", 0..8) => {
                self.line(indent, key, "");
                let inner = if self.words.rng.one_in(2) { indent } else { indent + step };
                for _ in 0..self.words.rng.below(4) {
                    let item = self.value(inner);
                    self.out += &format!("{}- {item}\n", " ".repeat(inner));
                }
            }
            ("parameters" | "authentication" | "superuser" | "dcs", 0..8) => {
                let again = self.words.wild || !self.anchored;
                let anchor = if again && self.words.rng.one_in(6) { " &base" } else { "" };
                self.out += &format!("{}{key}:{anchor}\n", " ".repeat(indent));
                if (self.anchored || self.words.wild) && self.words.rng.one_in(4) {
                    self.out += &format!("{}<<: *base\n", " ".repeat(indent + step));
                }
                self.anchored |= !anchor.is_empty();
                for _ in 0..=self.words.rng.below(4) {
                    let name = self.words.rng.pick(KEYS);
                    if indent < 12 {
                        self.entry(indent + step, step, name);
                    }
                }
            }
            _ => {
                let value = self.value(indent + step);
                self.line(indent, key, &value);
            }
        }
    }

    fn value(&mut self, indent: usize) -> String {
        let pad = " ".repeat(indent + 2);
        match self.words.rng.below(14) {
            0 => format!("[{}, {}]", self.words.scalar(), self.words.scalar()),
            1 => format!("{{{}: {}}}", self.words.rng.pick(KEYS), self.words.scalar()),
            2 => format!(
                "{}\n{pad}{}\n{pad}{}",
                self.words.pick(&["|", ">", "|-", ">+", "> # x"], &["|2"]),
                self.words.scalar(),
                self.words.scalar()
            ),
            3 => String::new(),
            4 if self.words.wild => format!("*{}", self.words.rng.pick(&["base", ":5432", "", "x"])),
            4 if self.anchored => "*base".to_owned(),
            _ => self.words.scalar(),
        }
    }

    fn line(&mut self, indent: usize, key: &str, value: &str) {
        let gap = if value.is_empty() { "" } else { " " };
        self.out += &format!("{}{key}:{gap}{value}", " ".repeat(indent));
        if self.words.rng.one_in(15) {
            self.out.push(' ');
            self.out.push_str(self.words.rng.pick(COMMENTS));
        }
        self.out.push('\n');
    }
}

const SECTIONS: &[(&str, &[&str])] = &[
    ("scope", &[]),
    ("name", &[]),
    ("restapi", &["listen", "connect_address", "certfile", "authentication"]),
    ("etcd3", &["hosts", "protocol", "username", "password"]),
    ("bootstrap", &["dcs", "initdb", "pg_hba", "users"]),
    (
        "postgresql",
        &["listen", "connect_address", "data_dir", "bin_dir", "authentication", "parameters", "pg_hba", "callbacks"],
    ),
    ("watchdog", &["mode", "device"]),
    ("tags", &["nofailover", "clonefrom", "nosync"]),
];

struct Grammar<'r> {
    words: Words<'r>,
    out: String,
    anchors: Vec<usize>,
    left: usize,
}

impl Grammar<'_> {
    fn stream(mut self) -> String {
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

/// Lines that have little to do with each other.
fn lines(words: &mut Words<'_>) -> String {
    let mut out = String::new();
    for _ in 0..=words.rng.below(7) {
        out.push_str(&" ".repeat(*words.rng.pick(&[&0, &0, &2, &2, &4, &1, &6])));
        for _ in 0..=words.rng.below(4) {
            match words.rng.below(6) {
                0 => out += &format!("{}: ", words.rng.pick(KEYS)),
                1 => out.push_str("- "),
                2 => out.push_str(&words.scalar()),
                3 => out.push_str(words.rng.pick(INDICATORS)),
                4 => out.push_str(words.rng.pick(KEYS)),
                _ => out.push(' '),
            }
        }
        out.push_str(words.rng.pick(&["\n", "\n", "\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\n\n"]));
    }
    out
}

pub(super) const INDICATORS: &[&str] = &[
    "-",
    "?",
    ":",
    ",",
    "[",
    "]",
    "{",
    "}",
    "#",
    "&",
    "*",
    "!",
    "|",
    ">",
    "'",
    "\"",
    "%",
    "@",
    "`",
    "<<",
    "=",
    "~",
    "--- ",
    "... ",
    "\t",
    " #",
    ": ",
    "- ",
    "? ",
    "&a1 ",
    "*a1",
    "!!str ",
    "!!int ",
    "!x ",
    "{{ x }}",
    "\\",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{85}",
    "\r",
    "\u{0}",
    "\u{7f}",
    "\u{80}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{200b}",
    "\u{e000}",
];
