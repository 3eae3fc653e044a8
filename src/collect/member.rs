//! A member that is asked through the network.

use crate::parse::patroni::Patroni;

/// A member whose store or REST API is asked.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its configuration.
    pub config: &'a Patroni,
    /// Whether it is a member of this machine. Of others, what listens on `localhost` cannot be asked from here.
    pub here: bool,
}
