//! The closed set of typed kinds: logic that a rule file only fills in.

pub mod file;
pub mod hba;
pub mod rows;
pub mod same_on_all_members;
pub mod setting;
pub mod yaml_key;
