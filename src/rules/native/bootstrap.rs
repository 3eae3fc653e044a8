//! How a new cluster and new replicas are made.

pub(super) mod basebackup_options;
pub(super) mod bootstrap_method_undefined;
pub(super) mod bootstrap_section_missing;
pub(super) mod create_replica_method_undefined;
pub(super) mod initdb_options;
mod user_options;
