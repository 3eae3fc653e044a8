//! Build script: reads and checks the rule files and knowledge tables, and writes them down as Rust statics, so that they
//! cost nothing at start. No network, no other program.
#![allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a build script documents itself by what it writes; it uses part of the schema"
)]

#[path = "rules/bounds.rs"]
mod bounds;
#[path = "embed/example.rs"]
mod example;
#[path = "rules/faults.rs"]
mod faults;
#[path = "embed/guc.rs"]
mod guc;
#[path = "embed/patroni.rs"]
mod patroni;
#[path = "embed/rules.rs"]
mod rules;
#[path = "rules/schema.rs"]
mod schema;
#[path = "rules/trial.rs"]
mod trial;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(required("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(required("OUT_DIR")?);
    for input in [
        "src/embed.rs",
        "src/embed",
        "src/rules/schema.rs",
        "src/rules/bounds.rs",
        "src/rules/faults.rs",
        "src/rules/trial.rs",
        "src/knowledge",
    ] {
        println!("cargo::rerun-if-changed={input}");
    }
    std::fs::write(out.join("rules.rs"), rules::generate(&root.join("rules"), &root.join("fixtures/rules"))?)?;
    std::fs::write(out.join("guc_tables.rs"), guc::generate(&root))?;
    std::fs::write(out.join("patroni.rs"), patroni::generate(&root.join("src/knowledge/patroni")))?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
fn required(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}
