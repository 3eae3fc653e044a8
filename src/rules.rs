//! What is wrong with what was found: rules as data, the engine that runs them, and the checks that need code.

pub mod allow;
pub mod builtin;
pub mod engine;
pub mod kinds;
pub mod native;
pub mod report;
pub mod schema;
pub mod template;
