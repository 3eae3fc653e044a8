//! Which files differ from a commit, asked of the `git` that `PATH` leads to.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The files of a work tree that are not as in a commit: changed, added, staged, or not yet known to git and not ignored.
#[derive(Debug, Default)]
pub struct Changed(BTreeSet<PathBuf>);

impl Changed {
    /// Whether a file is among them.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        std::fs::canonicalize(path).is_ok_and(|p| self.0.contains(&p))
    }
}

/// The files that differ from a commit, in the work tree that holds a directory.
///
/// # Errors
/// When there is no git, no work tree, or no such commit.
pub fn changed(dir: &Path, reference: &str) -> Result<Changed, String> {
    if reference.is_empty() || reference.starts_with('-') {
        return Err(format!("--changed: `{reference}` names no commit"));
    }
    let top = git(dir, &["rev-parse", "--show-toplevel"])?;
    let top = PathBuf::from(OsStr::from_bytes(top.trim_ascii_end()));
    let is_first = reference == "HEAD" && git(&top, &["rev-parse", "--quiet", "--verify", "HEAD"]).is_err();
    // Neither a configured program nor a filter of the repository is run for this.
    let known: &[&str] = if is_first {
        &["ls-files", "-z", "--cached"]
    } else {
        &[
            "diff",
            "--name-only",
            "-z",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--end-of-options",
            reference,
            "--",
        ]
    };
    let mut files = BTreeSet::new();
    for list in [known, &["ls-files", "-z", "--others", "--exclude-standard"]] {
        let names = git(&top, list)?;
        let paths = names.split(|b| *b == 0).filter(|n| !n.is_empty()).map(|n| top.join(OsStr::from_bytes(n)));
        // A file that is gone holds no finding.
        files.extend(paths.filter_map(|p| std::fs::canonicalize(p).ok()));
    }
    Ok(Changed(files))
}

#[expect(clippy::disallowed_methods, reason = "collect runs programs")]
fn git(dir: &Path, args: &[&str]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("git");
    command.args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]).args(args);
    if !dir.as_os_str().is_empty() {
        command.current_dir(dir);
    }
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("--changed: git cannot be run: {e}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("--changed: git says: {}", said.lines().next().unwrap_or("nothing").trim()))
}
