//! What a host says of itself.

use serde::{Deserialize, Serialize};

/// A host, or the tree of one that does not run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Whether it was looked at while it ran; a tree below some directory has no processes and no sockets.
    pub running: bool,
}
