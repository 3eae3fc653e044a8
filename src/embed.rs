//! Build script: turns the tables under `src/knowledge` into Rust, so that reading them costs nothing at start.

#[path = "embed/patroni.rs"]
mod patroni;

use std::path::Path;

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "that is how cargo talks with a build script")]
fn main() {
    let out = std::env::var("OUT_DIR").expect("invariant: cargo sets OUT_DIR");
    println!("cargo::rerun-if-changed=src/embed.rs");
    println!("cargo::rerun-if-changed=src/embed");
    println!("cargo::rerun-if-changed=src/knowledge/patroni");
    let tables = patroni::generate(Path::new("src/knowledge/patroni"));
    std::fs::write(Path::new(&out).join("patroni.rs"), tables).expect("invariant: OUT_DIR is writable");
}
