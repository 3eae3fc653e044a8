//! Build script: reads and checks the rule files and knowledge tables, and writes them down as Rust statics, so that they
//! cost nothing at start. No network, no other program.
#![allow(missing_docs, dead_code, reason = "a build script documents itself by what it writes; it uses part of the schema")]

#[path = "embed/rules.rs"]
mod rules;
#[path = "rules/schema.rs"]
mod schema;

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(required("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(required("OUT_DIR")?);
    write(&out.join("rules.rs"), &rules::generate(&root.join("rules"))?)
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
fn required(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}

fn write(path: &Path, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::write(path, text)?;
    Ok(())
}
