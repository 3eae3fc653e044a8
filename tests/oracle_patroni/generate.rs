//! Configurations that look like Patroni's, with everything that can be wrong with them.

use std::fmt::Write as _;

use patroni_preflight::knowledge::patroni::{self as known, Kind};
use serde_json::{Value as Json, json};

use crate::support::rng::Rng;

#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    pub(super) files: Vec<(String, String)>,
    pub(super) directory: bool,
    pub(super) env: Vec<(String, String)>,
    pub(super) dynamic: Option<String>,
}

impl Case {
    pub(super) fn request(&self) -> Json {
        let files: serde_json::Map<String, Json> =
            self.files.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
        let env: serde_json::Map<String, Json> = self.env.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        json!({"op": "config", "files": files, "directory": self.directory, "env": env, "dynamic": self.dynamic})
    }

    /// Cases with one line or one variable less.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut out = Vec::new();
        for i in 0..self.env.len() {
            let mut tried = self.clone();
            tried.env.remove(i);
            out.push(tried);
        }
        if let Some(text) = &self.dynamic {
            out.extend(fewer_lines(text).into_iter().map(|t| Self { dynamic: Some(t), ..self.clone() }));
        }
        for (i, (_, text)) in self.files.iter().enumerate() {
            for lines in fewer_lines(text) {
                let mut tried = self.clone();
                tried.files[i].1 = lines;
                out.push(tried);
            }
        }
        out
    }
}

fn fewer_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    (0..lines.len())
        .map(|skip| lines.iter().enumerate().filter(|(i, _)| *i != skip).map(|(_, l)| *l).collect())
        .collect()
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, text) in &self.files {
            writeln!(f, "--- {name}\n{text}")?;
        }
        for (name, value) in &self.env {
            writeln!(f, "{name}={value:?}")?;
        }
        self.dynamic.as_ref().map_or(Ok(()), |text| writeln!(f, "--- dynamic\n{text}"))
    }
}

const SCALARS: [&str; 44] = [
    "a",
    "1",
    "0",
    "10",
    "'10'",
    "true",
    "'true'",
    "off",
    "on",
    "~",
    "''",
    "0123",
    "1.5",
    "1e3",
    "2024-01-01",
    "1:30",
    "'127.0.0.1:5432'",
    "localhost:8008",
    "/nowhere/data",
    "postgres",
    "\"x y\"",
    "!!binary aGk=",
    ".inf",
    "5432",
    "'quorum'",
    "required",
    "null",
    "-1",
    "99999999999999999999",
    "1.0",
    "'1'",
    "'None'",
    "'True'",
    "100MB",
    "16MB",
    "replica",
    "minimal",
    "25",
    "24",
    "!!str 5",
    "'it''s'",
    "\"tab\\t\"",
    "host=a password=b",
    "http://u:p@h:1",
];
const NAMES: [&str; 10] = ["x", "initdb", "1", "true", "1.0", "~", "'y z'", "wal_e", "joe", "'1'"];

struct Writer<'r> {
    rng: &'r mut Rng,
    out: String,
    anchors: usize,
    open: usize,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.out, "{}{text}", "  ".repeat(depth)).expect("a String takes all");
    }

    fn scalar(&mut self) -> String {
        self.rng.pick(&SCALARS).to_owned()
    }

    /// A key with whatever value.
    fn any(&mut self, depth: usize, key: &str) {
        match self.rng.below(12) {
            0 => self.line(depth, &format!("{key}:")),
            1 => {
                let (a, b) = (self.scalar(), self.scalar());
                self.line(depth, &format!("{key}: [{a}, {b}]"));
            }
            2 => {
                let (a, b) = (self.scalar(), self.scalar());
                self.line(depth, &format!("{key}: {{x: {a}, y: {b}}}"));
            }
            3 => self.line(depth, &format!("{key}: {{}}")),
            4 if self.anchors > 0 && self.open == 0 => {
                let n = self.rng.below(self.anchors);
                self.line(depth, &format!("{key}: *a{n}"));
            }
            5 if self.anchors > 0 && self.open == 0 => {
                let n = self.rng.below(self.anchors);
                self.line(depth, &format!("{key}:"));
                self.line(depth + 1, &format!("<<: *a{n}"));
                let value = self.scalar();
                self.line(depth + 1, &format!("x: {value}"));
            }
            _ => {
                let value = self.scalar();
                self.line(depth, &format!("{key}: {value}"));
            }
        }
    }

    /// The known keys below a path pattern, some of them, mostly with values of the right shape.
    fn section(&mut self, depth: usize, parent: &str, chance: usize) {
        let children: Vec<_> = known::keys()
            .iter()
            .filter_map(|row| {
                let rest =
                    if parent.is_empty() { row.path } else { row.path.strip_prefix(parent)?.strip_prefix('.')? };
                (!rest.contains('.')).then_some((rest, row))
            })
            .collect();
        let mut written = 0;
        for (name, row) in children {
            let needed = parent.ends_with("i.authentication") || parent == "ctl.authentication";
            if self.rng.below(10) >= chance && (!needed || self.rng.one_in(20)) {
                continue;
            }
            written += 1;
            let name = if name.starts_with(['*', '@']) { self.rng.pick(&NAMES).to_owned() } else { name.to_owned() };
            self.key(depth, &name, row);
        }
        if written == 0 {
            let name = self.rng.pick(&NAMES).to_owned();
            self.any(depth, &name);
        }
    }

    fn key(&mut self, depth: usize, name: &str, row: &known::KeyFact) {
        let oddly = self.rng.one_in(if depth == 0 { 60 } else { 20 });
        if oddly || name.ends_with(']') {
            self.any(depth, name.trim_end_matches("[]"));
            return;
        }
        match row.kind {
            Kind::Map | Kind::Free => {
                let anchor = if self.rng.one_in(5) {
                    self.anchors += 1;
                    self.open += 1;
                    format!(" &a{}", self.anchors - 1)
                } else {
                    String::new()
                };
                self.line(depth, &format!("{name}:{anchor}"));
                self.section(depth + 1, row.path, 5);
                self.open = self.open.saturating_sub(usize::from(!anchor.is_empty()));
            }
            Kind::Strs | Kind::Maps => {
                self.line(depth, &format!("{name}:"));
                for _ in 0..=self.rng.below(2) {
                    let value = self.scalar();
                    self.line(depth, &format!("- {value}"));
                }
            }
            Kind::Int | Kind::PyInt => {
                let value = self.rng.pick(&["10", "30", "'5'", "1", "100"]).to_owned();
                self.line(depth, &format!("{name}: {value}"));
            }
            Kind::Str | Kind::Text | Kind::Address => {
                let value = self.rng.pick(&["text", "'quoted'", "/nowhere/path", "'h:1'", "other"]).to_owned();
                self.line(depth, &format!("{name}: {value}"));
            }
            _ => self.any(depth, name),
        }
    }
}

fn text(rng: &mut Rng, parent: &str, chance: usize) -> String {
    let mut writer = Writer { rng, out: String::new(), anchors: 0, open: 0 };
    writer.section(0, parent, chance);
    writer.out
}

/// A configuration whose shape is right nearly everywhere.
fn usual(rng: &mut Rng) -> String {
    let mut out = text(rng, "", 4);
    if !out.contains("\nscope:") && rng.below(4) > 0 {
        out.push_str("scope: demo\n");
    }
    out
}

pub(super) fn one_file(rng: &mut Rng) -> Case {
    Case { files: vec![("patroni.yml".to_owned(), usual(rng))], ..Case::default() }
}

pub(super) fn directory(rng: &mut Rng) -> Case {
    let mut files = Vec::new();
    for name in ["10-base.yml", "2.yaml", "Z.yml", "a.yml", "é.yml", "notes.txt", ".hidden.yml"] {
        if rng.below(5) < 2 {
            let mut content = usual(rng);
            // Later files speak of the keys of earlier ones, with nulls among them.
            if rng.one_in(2) {
                content = content
                    .lines()
                    .map(|l| {
                        if rng.one_in(12) && l.contains(": ") && !l.contains('&') {
                            format!("{}: ~\n", l.split(": ").next().unwrap_or_default())
                        } else {
                            format!("{l}\n")
                        }
                    })
                    .collect();
            }
            files.push((name.to_owned(), content));
        }
    }
    files.push(("50.yml".to_owned(), usual(rng)));
    Case { files, directory: true, ..Case::default() }
}

const ENV_VALUES: [&str; 26] = [
    "",
    "x",
    "7",
    "on",
    "maybe",
    "a,b",
    "[a, b]",
    "- a\n- b",
    "a: 1, b: 2",
    "{a: 1}",
    "1, 2",
    "0x10",
    "'q'",
    "%(message)s",
    "{",
    "[",
    "a: b: c",
    "null",
    "1.5",
    "127.0.0.1:5432",
    "~",
    "[]",
    "{}",
    "  7 ",
    "true",
    "a b",
];

fn environment(rng: &mut Rng, count: usize) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for _ in 0..count {
        let row = &known::variables()[rng.below(known::variables().len())];
        let section = rng.pick(&[
            "ETCD",
            "ETCD3",
            "CONSUL",
            "KUBERNETES",
            "ZOOKEEPER",
            "EXHIBITOR",
            "CITUS",
            "FOO",
            "Etcd",
            "RESTAPI",
        ]);
        let mut name = row.name.replace("<SECTION>", section).replace("<USER>", rng.pick(&["joe", "ETCD", "A_B"]));
        match rng.below(40) {
            0 => name.push('X'),
            1 => name = name.to_lowercase(),
            2 => "TTL".clone_into(&mut name),
            _ => {}
        }
        let name = format!("PATRONI_{name}");
        if !out.iter().any(|(n, _)| *n == name) {
            out.push((name, (rng.pick(&ENV_VALUES)).to_owned()));
        }
    }
    // Names that differ in case only make the same section; which one wins depends on the order of the environment.
    let mixed = out.iter().any(|(n, _)| n.starts_with("PATRONI_Etcd_"));
    out.retain(|(n, _)| !mixed || !n.starts_with("PATRONI_ETCD_"));
    out
}

pub(super) fn with_environment(rng: &mut Rng) -> Case {
    let count = 1 + rng.below(10);
    Case { env: environment(rng, count), ..one_file(rng) }
}

pub(super) fn environment_only(rng: &mut Rng) -> Case {
    let count = 1 + rng.below(16);
    let mut env = environment(rng, count);
    if rng.one_in(6) {
        let text = if rng.one_in(5) { (rng.pick(&ENV_VALUES)).to_owned() } else { usual(rng) };
        env.push(("PATRONI_CONFIGURATION".to_owned(), text));
    }
    Case { env, ..Case::default() }
}

pub(super) fn old_layout(rng: &mut Rng) -> Case {
    let mut out = String::from("scope: demo\n");
    let user = |rng: &mut Rng, indent: &str| {
        let mut text = String::new();
        for key in ["username", "password", "network", "sslmode", "sslcert"] {
            if rng.below(3) > 0 {
                writeln!(text, "{indent}{key}: {}", rng.pick(&["a", "b", "1", "require"])).expect("a String takes all");
            }
        }
        if text.is_empty() { format!("{indent}username: u\n") } else { text }
    };
    out.push_str("postgresql:\n  listen: '127.0.0.1:5432'\n");
    for key in ["name", "data_dir"] {
        if rng.one_in(2) {
            writeln!(out, "  {key}: /nowhere/n").expect("a String takes all");
        }
    }
    for section in ["superuser", "replication", "pg_rewind", "admin"] {
        if rng.below(3) > 0 {
            write!(out, "  {section}:\n{}", user(rng, "    ")).expect("a String takes all");
        }
    }
    if rng.one_in(3) {
        out.push_str("  authentication:\n");
        for section in ["superuser", "replication", "rewind"] {
            if rng.below(3) > 0 {
                write!(out, "    {section}:\n{}", user(rng, "      ")).expect("a String takes all");
            }
        }
    }
    if rng.one_in(3) {
        out.push_str("zookeeper:\n  exhibitor:\n    hosts: [a]\n    port: 1\n");
    }
    for section in ["restapi", "ctl"] {
        if rng.one_in(2) {
            write!(out, "{section}:\n  authentication:\n{}", user(rng, "    ")).expect("a String takes all");
        }
    }
    if rng.one_in(3) {
        writeln!(out, "citus: {{group: {}, database: {}}}", rng.pick(&["0", "true", "'1'"]), rng.pick(&["db", "5"]))
            .expect("a String takes all");
    }
    Case { files: vec![("patroni.yml".to_owned(), out)], ..Case::default() }
}

pub(super) fn with_dynamic(rng: &mut Rng) -> Case {
    let mut dynamic = text(rng, "bootstrap.dcs", 4);
    if dynamic.contains("*a") || dynamic.is_empty() {
        "ttl: 30\n".clone_into(&mut dynamic);
    }
    if rng.one_in(2) {
        dynamic = String::from("postgresql:\n  parameters:\n");
        for row in known::command_line(known::Version::LATEST) {
            if rng.one_in(2) {
                let name = if rng.one_in(6) { row.name.to_uppercase() } else { row.name.to_owned() };
                writeln!(dynamic, "    {name}: {}", rng.pick(&SCALARS)).expect("a String takes all");
            }
        }
        writeln!(dynamic, "    work_mem: {}", rng.pick(&SCALARS)).expect("a String takes all");
    }
    Case { dynamic: Some(dynamic), ..one_file(rng) }
}

pub(super) fn name(rng: &mut Rng) -> String {
    let parts =
        ["a", "B", "-", ".", "_", "é", "İ", "ß", "Σ", "\u{1F600}", " ", "/", "node", "9", "\u{0}", "Ａ", "ǅ", "\n"];
    (0..rng.below(40)).map(|_| rng.pick(&parts)).collect()
}

pub(super) fn address(rng: &mut Rng) -> String {
    let parts = [
        "127.0.0.1",
        ":",
        "5432",
        "[::1]",
        ",",
        " ",
        "*",
        "host",
        "]",
        "[",
        "1_0",
        "+5",
        "-1",
        "x",
        "\t",
        "::",
        "0x5",
        "_",
    ];
    (0..rng.below(7)).map(|_| rng.pick(&parts)).collect()
}

pub(super) fn quantity(rng: &mut Rng) -> (String, Option<&'static str>) {
    let numbers = [
        "1", "0", "10", "-5", "+7", "0x1F", "0x", "070", "08", "1.5", "2.5", ".5", "5.", "1e2", "1e", "", "x", "on",
        "False",
    ];
    let units = ["", "", " ", "B", "kB", "MB", "GB", "TB", "ms", "s", "min", "h", "d", "us", " MB ", "mb", "m", "%"];
    let unit = [None, Some("MB"), Some("s"), Some("B"), Some("16MB"), Some("8kB"), Some("ms"), Some("min"), Some("GB")];
    (format!("{}{}{}", rng.pick(&["", " ", "\t"]), rng.pick(&numbers), rng.pick(&units)), unit[rng.below(unit.len())])
}
