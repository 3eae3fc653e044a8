//! Files, directories and where they lie.

use serde::{Deserialize, Serialize};

use crate::bundle::Answer;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link to nothing, or in a circle.
    DeadLink,
    /// A pipe with a name.
    Fifo,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

/// What there is at a path, links followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// The number of its owner.
    pub uid: u32,
    /// The name of its owner, if the number has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The number of its group.
    pub gid: u32,
    /// The name of its group, if the number has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The path without links, where it can be had; other than the path itself when there is a link in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<String>,
    /// Whether the last part of the path is a link itself.
    #[serde(default)]
    pub is_link: bool,
}

/// A filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    /// Its size in KiB.
    pub total: u64,
    /// What users may still fill, in KiB.
    pub free: u64,
    /// Where it is mounted.
    pub mounted: String,
    /// Its kind: `ext2/ext3`, `xfs`, `nfs`, `tmpfs`.
    pub kind: Answer<String>,
}

/// What a user may do with a path.
#[expect(clippy::struct_excessive_bools, reason = "three permissions, and how they are known")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Read it.
    pub read: bool,
    /// Write to it; in a directory: make, rename and remove files.
    pub write: bool,
    /// Run it; of a directory: reach what is in it.
    pub execute: bool,
    /// Whether it was tried as that user, and not only computed from owners and modes.
    pub tried: bool,
}
