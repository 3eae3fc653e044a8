//! What is wrong with what was found: rules as data, the engine that runs them, and the checks that need code.

pub mod allow;
pub mod builtin;
pub mod engine;
pub mod kinds;
#[expect(clippy::unnecessary_wraps, reason = "checks of all kinds have one signature")]
pub mod native;
pub mod query;
pub mod range;
pub mod report;
pub mod schema;
pub mod template;
