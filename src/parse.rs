//! Text in, spanned trees and problems out. Pure: no disk, no network, no output.

pub mod are;
pub mod boot;
pub mod compose;
pub mod conf;
pub mod conninfo;
pub mod date_style;
pub mod dsn;
pub mod guc_value;
pub mod hba;
pub mod ident;
pub mod manifest;
pub mod patroni;
pub mod pg_service;
pub mod pgpass;
pub mod pod;
pub mod service;
pub mod sql;
pub mod standby_names;
pub mod template;
pub mod unit;
pub mod yaml;
