//! All integration tests, in one binary because linking the SQL parser is slow.

mod hostile_hba;
mod oracle_are;
mod oracle_hba;
mod oracle_logins;
mod support;
