//! Replication slots as the configuration declares them.

pub(super) mod slot_name_collision;
pub(super) mod slots_bad_value;
pub(super) mod slots_invalid_name;
pub(super) mod slots_not_mapping;

/// The names under which Patroni looks for permanent slots (`global_config.py:GlobalConfig.permanent_slots`).
const NAMES: [&str; 3] = ["permanent_replication_slots", "permanent_slots", "slots"];
