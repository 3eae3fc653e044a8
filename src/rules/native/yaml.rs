//! What YAML makes of what was written, and sections that choose between each other.

pub(super) mod dcs_multiple_sections;
pub(super) mod dcs_section_missing;
pub(super) mod generated_config_placeholder;
pub(super) mod log_level_value;
pub(super) mod name_or_scope_not_string;
pub(super) mod name_unsafe_characters;
pub(super) mod scope_from_debian_cluster_name;
pub(super) mod tag_nofailover_string;
pub(super) mod yaml_hash_truncated_value;
pub(super) mod yaml_implicit;
pub(super) mod yaml_implicit_null;
