//! One Python process with the real Patroni, asked line by line.
#![expect(clippy::disallowed_methods, reason = "the oracle is another program")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

pub(super) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

pub(super) fn corpus() -> Option<std::path::PathBuf> {
    let path = std::env::var("PREFLIGHT_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let path = std::path::PathBuf::from(path);
    path.is_dir().then_some(path)
}

pub(super) struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    pub(super) fn start() -> Self {
        let tools = std::env::var("PREFLIGHT_TOOLS").unwrap_or_else(|_| "target/tools".to_owned());
        let mut child = Command::new(format!("{tools}/py/bin/python"))
            .args(["-W", "ignore", "tests/oracle/patroni_config.py"])
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONUTF8", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("no Python with Patroni: run `make setup`");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    pub(super) fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").expect("the oracle died: run `make setup`");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the oracle died: run `make setup`; asked {request}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
