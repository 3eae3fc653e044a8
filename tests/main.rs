//! All integration tests, in one binary because linking the SQL parser is slow.
mod sql;
mod unit;

mod fuzz_smoke;
mod hostile_conf;
mod oracle_conf;

mod oracle_hba;

mod oracle_yaml;
mod support;
