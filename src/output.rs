//! Writes reports into files: whole or not at all.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Puts a text in the place of a file. A reader sees the old one or the new one, never a part.
///
/// A link stays a link, and what is no regular file (`/dev/stderr`, a FIFO) is written to.
///
/// # Errors
/// A sentence that names the file.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    try_write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn try_write(path: &Path, text: &str) -> std::io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let old = std::fs::metadata(&target).ok();
    if old.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
    }
    if old.as_ref().is_some_and(|m| !m.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(&target)?.write_all(text.as_bytes());
    }
    let dir = match target.parent() {
        Some(dir) if dir != Path::new("") => dir,
        _ => Path::new("."),
    };
    // A new file gets what the umask leaves, an old one keeps its mode.
    let mode = old.map_or(0o666, |m| m.permissions().mode());
    let mut file = tempfile::Builder::new()
        .prefix(".patroni-preflight-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.persist(&target).map(|_| ()).map_err(|e| e.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode_and_its_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, link) = (dir.path().join("a"), dir.path().join("b"));
        write(&file, "one").expect("a new file");
        assert_ne!(std::fs::metadata(&file).expect("it").permissions().mode() & 0o044, 0, "others may read it");
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("ours");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write(&link, "two").expect("an old file");
        assert_eq!(std::fs::read_to_string(&file).expect("it"), "two");
        assert_eq!(std::fs::metadata(&file).expect("it").permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_dir(dir.path()).expect("it").count(), 2, "nothing is left behind");
        assert!(write(dir.path(), "x").is_err_and(|e| e.starts_with("cannot write ")));
        assert!(write(&dir.path().join("no/such"), "x").is_err());
    }
}
