//! Replication slots as the configuration declares them.

pub(super) mod slot_name_collision;
pub(super) mod slots_bad_value;
pub(super) mod slots_invalid_name;
pub(super) mod slots_not_mapping;
