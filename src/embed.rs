//! Build script: turns the tables under `src/knowledge` into static Rust, so that they cost nothing at start.

#[path = "embed/guc.rs"]
mod guc;

fn main() {
    let root = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo::rerun-if-changed=src/embed");
    println!("cargo::rerun-if-changed=src/knowledge/guc");
    std::fs::write(out.join("guc_tables.rs"), guc::generate(&root)).expect("OUT_DIR can be written");
}
