//! One line of JSON a finding, and a last line with all else.
//!
//! A finding looks as in the `json` format, and the last line is that format's object without `findings`.

use super::{Page, json};

/// The whole report, with a line end.
///
/// # Panics
/// Never: plain data has a JSON form.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let mut out = String::new();
    for finding in &page.outcome.findings {
        push(&mut out, &json::item(page, finding));
    }
    push(&mut out, &json::rest(page));
    out
}

fn push(out: &mut String, value: &impl serde::Serialize) {
    out.push_str(&serde_json::to_string(value).expect("invariant: plain data has a JSON form"));
    out.push('\n');
}
