//! All integration tests, in one binary because linking the SQL parser is slow.

mod hostile_yaml;
mod oracle_yaml;
mod support;
