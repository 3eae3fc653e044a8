//! A host of its own with real PostgreSQL and the real Patroni, at the paths and addresses that files name; `tests/oracle/host.py`
//! says what it does. Needs root and iproute2, like `hba_net`. All of it is gone when the value goes out of scope.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Map, Value, json};

use super::pg;

/// See the module's text.
pub(crate) struct Host {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Host {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let by_major = |path: &dyn Fn(u16) -> std::path::PathBuf| -> Map<String, Value> {
            pg::VERSIONS.iter().map(|&v| (v.to_string(), json!(path(v)))).collect()
        };
        let programs = by_major(&|v| pg::program(v, "postgres").parent().expect("a directory").to_path_buf());
        let first = json!({"programs": programs, "templates": by_major(&pg::template)});
        let mut child = pg::command("unshare")
            // Shared memory too: data directories of two hosts may have one inode number, which PostgreSQL makes its key of.
            .args(["--mount", "--net", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child"])
            .arg(pg::tools().join("py/bin/python"))
            .arg("-B")
            .arg(super::path("tests/oracle/host.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare and Python: run `make setup`");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut host = Self { child, to, from };
        host.tell(&first);
        host
    }

    /// The first process of its namespaces: what was started by the last request lives there until the next one.
    pub(crate) fn pid(&self) -> u32 {
        let outer = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).expect("proc");
        children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a child of unshare")
    }

    fn tell(&mut self, value: &Value) {
        writeln!(self.to.as_mut().expect("a pipe"), "{value}").expect("the host listens");
    }

    /// Does the steps of a request; what programs, servers and Patroni said.
    ///
    /// # Errors
    /// What went wrong with the steps themselves.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<String, String> {
        self.tell(request);
        let mut line = String::new();
        self.from.read_line(&mut line).expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("the host died");
        let text = |key| answer[key].as_str().map(str::to_owned);
        match text("error") {
            Some(error) => Err(format!("{}{error}", text("said").unwrap_or_default())),
            None => Ok(text("said").unwrap_or_default()),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Its input ends, so it does, and whatever it has started with it.
        self.to = None;
        let _ = self.child.wait();
    }
}
