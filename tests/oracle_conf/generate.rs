//! Configurations and values that are almost right.

use patroni_preflight::knowledge::guc::{self, Context, Guc, Kind};

/// A small repeatable source of chance (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n as u64).expect("small")
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "+5",
    "007",
    "010",
    "0x1F",
    "0X1f",
    "0xg",
    "100",
    "1e3",
    "1e",
    "1.5",
    ".5",
    " .5",
    "1.",
    "-0.5",
    "1e-3",
    "16",
    "0x1.8p3",
    "99999999999",
    "2147483647",
    "2147483648",
    "-2147483648",
    "1e400",
    "1e-400",
    "inf",
    "nan",
    "NaN",
    "Infinity",
    "1 2",
    "12abc",
    "0.1",
    "0.0001",
    "100.4999",
    "2.5",
    "3.5",
    "8",
    "64",
    "1024",
    "1048576",
    "08",
    "0x",
    "-",
    "+",
    "- 1",
    "1_000",
    "5e-1",
    "0.5e1",
    "1e+2",
    "4611686018427387904",
    "9223372036854775808",
    "-9223372036854775809",
    "00",
    "1,5",
];
const UNITS: &[&str] = &[
    "", "", "", "kB", "MB", "GB", "TB", "B", "KB", "mb", "k", "M", "ms", "s", "min", "h", "d", "us", "sec", "minute",
    " kB", " MB ", "\tms", "S", "PB", "kBx", " k B", "%", "m", "MiB",
];
const BOOLS: &[&str] = &[
    "on", "off", "of", "o", "ON", "oN", "true", "t", "tru", "trues", "false", "f", "fals", "yes", "y", "ye", "no", "n",
    "1", "0", "00", "2", " on", "on ", "", "none", "enabled", "Ja",
];
const TEXTS: &[&str] = &[
    "",
    "a b",
    "/tmp/x",
    "it's",
    "back\\slash",
    "é",
    "*",
    "localhost",
    "a,b",
    "pg_catalog",
    "\"$user\"",
    "x=y#z",
    "%m [%p] ",
];

/// A value that such a setting might be given, right or wrong.
pub(crate) fn value(c: &mut Chance, guc: &Guc) -> String {
    if c.one_in(12) {
        let all = [BOOLS, NUMBERS, TEXTS];
        let list = all[c.below(3)];
        return c.pick(list).to_owned();
    }
    match &guc.kind {
        Kind::Bool => c.pick(BOOLS).to_owned(),
        Kind::Int { min, max, .. } => number(c, &[*min, *max]),
        Kind::Real { .. } => number(c, &[0, 1]),
        Kind::Enum { labels, synonyms } => {
            let n = c.below(labels.len() + synonyms.len());
            let word = labels.get(n).copied().unwrap_or_else(|| synonyms[n - labels.len()].0);
            match c.below(6) {
                0 => word.to_ascii_uppercase(),
                1 => format!("{word} "),
                2 => c.pick(BOOLS).to_owned(),
                _ => word.to_owned(),
            }
        }
        Kind::Str => c.pick(TEXTS).to_owned(),
    }
}

fn number(c: &mut Chance, edges: &[i32]) -> String {
    let unit = c.pick(UNITS);
    match c.below(3) {
        0 => {
            let edge = i64::from(c.pick(edges));
            format!("{}{unit}", edge + [-1, 0, 0, 1][c.below(4)])
        }
        1 => format!("{}{unit}", c.below(5000)),
        _ => format!("{}{unit}", c.pick(NUMBERS)),
    }
}

fn name(c: &mut Chance, version: u16) -> String {
    let known: Vec<&Guc> = guc::all(version).filter(|g| g.context != Context::Internal).collect();
    let name = known[c.below(known.len())].name.to_owned();
    match c.below(24) {
        0 => name.to_ascii_uppercase(),
        1 => format!("{name}x"),
        2 => c.pick(&["my.setting", "a.b", "A.B", "ext.flag", "é.ü", "a.b.c", "a.1", "a."]).to_owned(),
        3 => c
            .pick(&[
                "sort_mem",
                "vacuum_mem",
                "ssl_ecdh_curve",
                "wal_keep_segments",
                "stats_temp_directory",
                "force_parallel_mode",
            ])
            .to_owned(),
        4 => c.pick(&["1abc", "-x", "'quoted'", "a-b", "a b", "", "=", "é"]).to_owned(),
        _ => name,
    }
}

/// An escape that means a character of ASCII.
fn octal(ch: char) -> Vec<char> {
    format!("\\{:03o}", u32::from(ch)).chars().collect()
}

fn quoted(c: &mut Chance, value: &str) -> String {
    let style = c.below(3);
    let mut out = String::from("'");
    for ch in value.chars() {
        match (ch, style) {
            ('\'', 0) => out.push_str("''"),
            ('\'', _) => out.push_str("\\'"),
            ('\\', _) => out.push_str("\\\\"),
            (ch, 2) if ch.is_ascii() && c.one_in(6) => out.extend(octal(ch)),
            (ch, _) => out.push(ch),
        }
    }
    out.push('\'');
    out
}

fn line(c: &mut Chance, version: u16, includes: &[&str]) -> String {
    if c.one_in(20) {
        return c
            .pick(&[
                "",
                "# comment = 'x",
                "   ",
                "\t# x",
                "garbage line here",
                "'",
                "a = 'x\\",
                "= 5",
                "a ==5",
                "name",
                "a = my.host",
            ])
            .to_owned();
    }
    if !includes.is_empty() && c.one_in(9) {
        let word = c.pick(&["include", "include", "include_if_exists", "include_dir", "INCLUDE_dir"]);
        let sign = c.pick(&[" ", " = "]);
        let path = c.pick(includes);
        return format!("{word}{sign}'{path}'");
    }
    let name = name(c, version);
    let value = match guc::find(&name, version) {
        Some(g) => value(c, g),
        None => c.pick(TEXTS).to_owned(),
    };
    let value = if c.one_in(3) { value } else { quoted(c, &value) };
    let sign = c.pick(&[" = ", "=", " ", "= ", "\t=\t", " == "]);
    let tail = c.pick(&["", "", "", " # note", "#x", "\r", " ;", " trailing"]);
    let lead = c.pick(&["", "", "", " ", "\t"]);
    format!("{lead}{name}{sign}{value}{tail}")
}

/// A file: mostly right lines, some wrong ones, at times damaged bytes.
pub(crate) fn file(c: &mut Chance, version: u16, includes: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    if c.one_in(40) {
        out.extend(b"\xEF\xBB\xBF");
    }
    let calm = c.one_in(2);
    for _ in 0..c.below(9) {
        let mut text = line(c, version, includes);
        // Half of the files have no wrong lines, so that what stands behind the first error is compared as well.
        while calm && !reads_well(&text) {
            text = line(c, version, includes);
        }
        out.extend(text.bytes());
        out.extend(c.pick(&["\n", "\n", "\n", "\r\n"]).bytes());
    }
    if c.one_in(5) && !out.is_empty() {
        out.pop();
    }
    if c.one_in(5) {
        for _ in 0..=c.below(3) {
            damage(c, &mut out);
        }
    }
    out
}

fn reads_well(line: &str) -> bool {
    let source = patroni_preflight::source::Source::lone("line", line);
    patroni_preflight::parse::conf::parse(&source).problems.is_empty()
}

fn damage(c: &mut Chance, text: &mut Vec<u8>) {
    let at = c.below(text.len() + 1);
    let byte = c.pick(b"'\\=#.\n\r\t -+0x1eE\"$\xff\xc3_:/7\x01\x0b\x00");
    // A NUL behind an opening quote makes the server write outside its memory.
    if byte == 0 && (at == 0 || text[at - 1] == b'\'') {
        return;
    }
    if c.one_in(3) && at < text.len() && byte != 0 {
        text[at] = byte;
    } else if c.one_in(2) && at < text.len() && byte != 0 {
        text.remove(at);
    } else {
        text.insert(at, byte);
    }
    let bad = text.windows(2).any(|w| w == b"'\0");
    text.retain(|b| !(bad && *b == 0));
}
