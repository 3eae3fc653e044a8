//! All integration tests, in one binary because linking the SQL parser is slow.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod benchmark;
mod cli;
mod clusters;
mod corpus;
mod coverage;
mod docs;
mod embedded;
mod fixes;
mod formats;
mod fuzz_smoke;
mod hostile_conf;
mod hostile_files;
mod hostile_hba;
mod hostile_yaml;
mod living;
mod options;
mod oracle_are;
mod oracle_conf;
mod oracle_hba;
mod oracle_logins;
mod oracle_patroni;
mod oracle_validate;
mod oracle_yaml;
mod org_rules;
mod patroni_keys;
mod pipelines;
mod planted;
mod proofs;
mod render;
mod rules;
mod schema;
mod sql;
mod support;
mod templates;
mod unit;
