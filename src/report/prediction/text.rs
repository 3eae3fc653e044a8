//! For people, on a terminal.

use std::fmt::Write as _;

use super::Shown;

/// The tables.
#[must_use]
pub fn render(shown: &Shown<'_>) -> String {
    let mut text = String::new();
    for member in &shown.prediction.members {
        let _ = writeln!(text, "{}", shown.redactor.words(&[], &member.name));
    }
    text
}
