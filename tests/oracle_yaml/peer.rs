//! The real PyYAML, in one process that lives as long as the test.
#![expect(clippy::disallowed_methods, reason = "the oracle is another program")]

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(super) struct Peer {
    child: Child,
}

/// Where `make setup` puts the tools.
pub(super) fn tools() -> String {
    std::env::var("PREFLIGHT_TOOLS").unwrap_or_else(|_| "target/tools".to_owned())
}

pub(super) fn corpus() -> Option<std::path::PathBuf> {
    let path = std::env::var("PREFLIGHT_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let path = std::path::PathBuf::from(path);
    path.is_dir().then_some(path)
}

impl Peer {
    pub(super) fn start() -> Self {
        let python = format!("{}/py/bin/python", tools());
        let child = Command::new(&python)
            .arg("tests/oracle/pyyaml.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{python}: {e}; run `make setup`"));
        Self { child }
    }

    pub(super) fn ask(&mut self, document: &[u8]) -> Value {
        let input = self.child.stdin.as_mut().expect("a pipe");
        let len = u32::try_from(document.len()).expect("a small document");
        input.write_all(&len.to_le_bytes()).expect("PyYAML listens");
        input.write_all(document).expect("PyYAML listens");
        input.flush().expect("PyYAML listens");
        let output = self.child.stdout.as_mut().expect("a pipe");
        let mut head = [0; 4];
        output.read_exact(&mut head).expect("PyYAML answers; if it cannot be imported, run `make setup`");
        let mut reply = vec![0; u32::from_le_bytes(head) as usize];
        output.read_exact(&mut reply).expect("PyYAML answers");
        serde_json::from_slice(&reply).expect("JSON")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("the oracle ends when its input does");
    }
}
