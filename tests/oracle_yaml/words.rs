//! Words for generated documents: what people write, and what YAML 1.1 reads in unexpected ways.
#![expect(clippy::format_push_string, reason = "shorter, and speed is not what the test is about")]

use crate::support::rng::Rng;

/// Where documents take their words from.
pub(super) struct Words<'r> {
    pub(super) rng: &'r mut Rng,
    /// Whether words may be wrong where they stand.
    pub(super) wild: bool,
}

impl Words<'_> {
    pub(super) fn pick<'t>(&mut self, tame: &[&'t str], wild: &[&'t str]) -> &'t str {
        let all = tame.len() + if self.wild { wild.len() } else { 0 };
        let at = self.rng.below(all);
        if at < tame.len() { tame[at] } else { wild[at - tame.len()] }
    }

    pub(super) fn scalar(&mut self) -> String {
        match self.rng.below(8) {
            0 => format!("\"{}{}\"", self.pick(DOUBLE, DOUBLE_WILD), self.pick(DOUBLE, DOUBLE_WILD)),
            1 => format!("'{}{}'", self.rng.pick(SINGLE), self.rng.pick(SINGLE)),
            2 => numeric(self),
            _ => self.pick(PLAIN, PLAIN_WILD).to_owned(),
        }
    }
}

/// Scalars that people write, and those that YAML 1.1 reads in unexpected ways.
#[rustfmt::skip]
pub(super) const PLAIN: &[&str] = &[
    "on", "off", "yes", "no", "true", "False", "y", "n", "~", "null", "NULL", "0777", "0644", "08", "0o17", "0x1F",
    "0b101", "1_000", "22:30", "1:30:00", "190:20:30.15", "1.5", "1e3", "1.5e+3", ".5", "-.5", "+.inf", "-.INF",
    ".nan", "-0", "+12", "2024-01-01", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "10.0.0.1:5432",
    "10.0.0.1:8008", "0.0.0.0", "postgres", "replicator", "/var/lib/postgresql/16/main", "md5",
    "host all all 0.0.0.0/0 scram-sha-256", "abc#def", "a:b", "-1", "cp %p /archive/%f",
    "test ! -f /a/%f && cp %p /a/%f", "https://etcd-1:2379", "patroni-%h", "node1", "hot_standby",
    "18446744073709551616", "-9223372036854775809", "1.7976931348623157e+400", "é", "日本", "\u{1F600}", "a\u{a0}b",
    "x y z", "-x", "1:60", "60:1", "0:0", "00", "0_", "1__0", "_1", "0.0", "-0.0", "100.", "1_0.5_0", ".e+1",
    "2024-01-01 10:00", "12-12-2024", "0b", "0x", "0b12", "1:2:3:4:5:6:7:8:9:10:11:12:13",
];

#[rustfmt::skip]
pub(super) const PLAIN_WILD: &[&str] = &[
    "2024-13-01", "2001-12-15 2:59:43.10", "=", "<<", "local all all peer # note", "abc #def", "a: b", "%p", "?x",
    ":x", "- x", "---", "...", "a,b", "[]", "{}", "a]b", "2024-02-30", "x\u{85}y", "@x", "`x",
];

#[rustfmt::skip]
pub(super) const KEYS: &[&str] = &[
    "scope", "namespace", "name", "restapi", "listen", "connect_address", "etcd", "etcd3", "hosts", "bootstrap",
    "dcs", "ttl", "loop_wait", "postgresql", "parameters", "use_pg_rewind", "pg_hba", "authentication", "replication",
    "username", "password", "tags", "nofailover", "noloadbalance", "data_dir", "bin_dir", "watchdog", "mode", "a",
    "b", "c",
];

#[rustfmt::skip]
pub(super) const TAGS: &[&str] =
    &[
    "!!str", "!!str", "!!binary", "!!null", "!", "!<tag:yaml.org,2002:str>", "!!st%72", "!<!>", "!!float", "!!int",
];

#[rustfmt::skip]
pub(super) const TAGS_WILD: &[&str] = &[
    "!!bool", "!!timestamp", "!!seq", "!!map", "!!set", "!!omap", "!!pairs", "!!merge", "!!value", "!local", "!e!x",
    "!!python/tuple", "!!foo%ff", "!a%e2%82x", "!!int,",
];

#[rustfmt::skip]
pub(super) const COMMENTS: &[&str] = &[
    "# note", "#", "# a: b", "#\tx", "# é",
];

/// The body of a double-quoted scalar.
#[rustfmt::skip]
pub(super) const DOUBLE: &[&str] = &[
    "abc", "a b", "\\n", "\\x41", "\\u00e9", "\\U0001F600", "\\ud83d\\ude00", "\\ud800", "\\0", "\\e", "\\_",
    "\\N\\L\\P", "\\\"", "\\\\", "\\/", "a\n  b", "a\n\n b", "a \\\n  b", "  ", "\t", "'", "#", ": ", "- ", "%p", "*",
];

#[rustfmt::skip]
pub(super) const DOUBLE_WILD: &[&str] = &[
    "\\q", "\\xZZ", "\\U00110000", "\\UFFFFFFFF",
];

/// The body of a single-quoted scalar.
#[rustfmt::skip]
pub(super) const SINGLE: &[&str] =
    &[
    "abc", "''", "a b", "\"", "\\n", "a\n  b", "a\n\n\n b", "*", "0777", "on", "", " ", "#", ": ", "{", "é",
];

/// Digits and the signs that make numbers, times and dates of them.
pub(super) fn numeric(words: &mut Words<'_>) -> String {
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

#[rustfmt::skip]
pub(super) const INDICATORS: &[&str] = &[
    "-", "?", ":", ",", "[", "]", "{", "}", "#", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", "<<", "=", "~",
    "--- ", "... ", "\t", " #", ": ", "- ", "? ", "&a1 ", "*a1", "&a1`", "*a1@", "&b%", "&c?", "*a1}", "!!str ", "!!int ", "!x ", "{{ x }}", "\\",
    "\u{feff}", "\u{a0}", "\u{2028}", "\u{2029}", "\u{85}", "\r", "\u{0}", "\u{7f}", "\u{80}", "\u{fffe}", "\u{ffff}",
    "\u{10ffff}", "\u{200b}", "\u{e000}",
];
