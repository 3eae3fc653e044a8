//! Files like those that Patroni is started with.
#![expect(clippy::format_push_string, reason = "shorter, and speed is not what the test is about")]

use super::words::{COMMENTS, KEYS, Words};

pub(super) struct Shape<'r> {
    pub(super) words: Words<'r>,
    pub(super) out: String,
    pub(super) anchored: bool,
}

impl Shape<'_> {
    /// A file like those that Patroni is started with.
    pub(super) fn patroni(mut self) -> String {
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
