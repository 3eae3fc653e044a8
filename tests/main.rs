//! All integration tests, in one binary because linking the SQL parser is slow.

mod hostile_yaml;
mod oracle_patroni;
mod oracle_yaml;
mod patroni_keys;
mod support;
