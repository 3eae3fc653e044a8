//! What several test modules need.

pub(crate) mod booted;
pub(crate) mod cases;
pub(crate) mod hba_files;
pub(crate) mod hba_net;
pub(crate) mod host;
pub(crate) mod patroni;
pub(crate) mod pg;
pub(crate) mod predicted;
pub(crate) mod proof;
pub(crate) mod proof_site;
pub(crate) mod record;
pub(crate) mod rng;
pub(crate) mod site;

use std::path::{Path, PathBuf};

use patroni_preflight::cli::Format;
use patroni_preflight::knowledge::patroni::Version;
use patroni_preflight::report::Style;
use patroni_preflight::rules::schema::Severity;
use patroni_preflight::run::{self, Lint, Linted};

/// A path below the crate root.
pub(crate) fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The directories directly in a directory, sorted.
pub(crate) fn subdirs(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut dirs: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    dirs.sort();
    dirs
}

/// A path's last part.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Lints everything below a directory, with all rules, those on trial too.
pub(crate) fn lint_dir(base: &Path, nodes: Option<String>) -> Linted {
    lint_for(base, vec![".".into()], nodes, Version::LATEST)
}

/// The same, for some paths and a release of Patroni.
pub(crate) fn lint_for(base: &Path, paths: Vec<PathBuf>, nodes: Option<String>, patroni: Version) -> Linted {
    let mut request = Lint { base: base.to_path_buf(), paths, nodes, ..Lint::default() };
    request.selection.trial = true;
    request.options.patroni = patroni;
    run::lint(&request).unwrap_or_else(|e| panic!("{}: {e}", base.display()))
}

/// The report of a run without colours.
pub(crate) fn report(linted: &Linted, format: Format) -> String {
    run::render(linted, format, Severity::Error, &Style::default()).0
}

/// Compares with a golden file; `UPDATE=1` in the environment rewrites it instead.
pub(crate) fn golden(file: &Path, actual: &str) -> Result<(), String> {
    golden_bytes(file, actual.as_bytes())
}

/// The same for bytes that may be no text.
#[expect(clippy::disallowed_methods, reason = "a switch for people, as for other golden files")]
pub(crate) fn golden_bytes(file: &Path, actual: &[u8]) -> Result<(), String> {
    if std::env::var("UPDATE").is_ok_and(|v| v == "1") {
        std::fs::create_dir_all(file.parent().unwrap_or(file)).map_err(|e| e.to_string())?;
        std::fs::write(file, actual).map_err(|e| e.to_string())?;
        return Ok(());
    }
    let expected = std::fs::read(file).map_err(|e| format!("{}: {e}; UPDATE=1 writes it", file.display()))?;
    if expected == actual {
        return Ok(());
    }
    let [expected, actual] = [&expected[..], actual].map(String::from_utf8_lossy);
    Err(format!("{} differs:\n--- expected\n{expected}\n--- actual\n{actual}", file.display()))
}

/// A directory of its own that goes away with its owner.
pub(crate) struct TempDir(pub(crate) PathBuf);

impl TempDir {
    pub(crate) fn new(what: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("patroni-preflight-{what}-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// Writes a file below it.
    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A number from the environment, for sizes and seeds.
///
/// # Panics
/// When it is set and no number.
#[expect(clippy::disallowed_methods, reason = "sizes and seeds of tests come from the environment")]
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}
