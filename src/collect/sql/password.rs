//! Finds passwords in password files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::parse::pgpass::{Key, password};
use crate::secret::Secret;

/// The text of a password file, or why it does not count; `None` when there is none.
pub(super) struct Passwords(Option<Secret>);

impl Passwords {
    /// Reads a password file. Others must not be able to read it, or it does not count, which is said in `warnings`.
    pub(super) fn read(file: Option<&Path>, warnings: &mut Vec<String>) -> Self {
        let Some((file, meta)) = file.and_then(|f| Some((f, std::fs::metadata(f).ok()?))) else { return Self(None) };
        let shown = file.display();
        if !meta.is_file() {
            warnings.push(format!("password file \"{shown}\" is not a plain file; it is ignored"));
            return Self(None);
        }
        if meta.permissions().mode() & 0o077 != 0 {
            warnings.push(format!(
                "password file \"{shown}\" has group or world access; it is ignored: permissions should be u=rw (0600) or less"
            ));
            return Self(None);
        }
        match std::fs::read(file) {
            Ok(bytes) => Self(Some(Secret::new(String::from_utf8_lossy(&bytes)))),
            Err(e) => {
                warnings.push(format!("password file \"{shown}\" cannot be read: {e}"));
                Self(None)
            }
        }
    }

    pub(super) fn get(&self, key: Key<'_>) -> Option<Secret> {
        // libpq says of an empty password that none was supplied.
        password(self.0.as_ref()?.reveal(), key).filter(|p| !p.reveal().is_empty())
    }
}
