//! What starts a program with variables and files: a service of a compose file, a container of a pod.

use std::path::PathBuf;

use crate::parse::unit::Variable;

/// A service of a compose file, or a container of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// What is set for it; one without a name where more may be set that is not seen.
    pub variables: Vec<Variable>,
    /// Files of variables, in order; those set for it go over them.
    pub env_files: Vec<PathBuf>,
    /// Files and directories of the host that it mounts.
    pub mounts: Vec<PathBuf>,
    /// A template or another file decides what it mounts.
    pub mounts_more: bool,
}

impl Service {
    /// Whether more may be set than is seen.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.variables.iter().any(|v| v.name.value.is_empty())
    }

    /// Whether a variable of Patroni is set, or may be.
    #[must_use]
    pub fn may_be_patroni(&self) -> bool {
        self.is_open() || self.variables.iter().any(|v| v.name.value.starts_with("PATRONI_"))
    }
}
