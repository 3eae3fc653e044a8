//! All integration tests, in one binary because linking the SQL parser is slow.

mod cli;
mod clusters;
mod docs;
mod hostile_files;
mod render;
mod rules;
mod support;
