//! Replication slots as the configuration declares them, and as servers have them.

pub(super) mod cascading_standby_without_tag;
pub(super) mod declared;
pub(super) mod ignore_slots;
pub(super) mod limits;
pub(super) mod slot_name_collision;
pub(super) mod slots_bad_value;
pub(super) mod slots_definition_differs;
pub(super) mod slots_invalid_name;
pub(super) mod slots_logical_name_equals_member;
pub(super) mod slots_not_mapping;
pub(super) mod sync_standby_names_app_name;
pub(super) mod unbounded_slot_wal;
pub(super) mod undeclared;
pub(super) mod use_slots_false;
