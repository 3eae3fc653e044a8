//! A password that ends where a comment begins.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        for secret in file.secrets() {
            let source = facts.sources.get(secret.item.span.source);
            let end = secret.item.span.range().end;
            let bytes = source.bytes();
            let plain =
                bytes.get(secret.item.span.range().start).is_some_and(|b| !matches!(b, b'"' | b'\'' | b'|' | b'>'));
            let rest = &bytes[end..bytes[end..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| end + n)];
            let blanks = rest.iter().take_while(|b| **b == b' ').count();
            // A comment that is set off, or has a blank behind its hash, was meant as one.
            if plain && blanks == 1 && rest.get(1) == Some(&b'#') && rest.get(2).is_some_and(|b| !b" \t\r!".contains(b))
            {
                let hash = source.span(end + 1, end + 2);
                report.add(report.problem(hash).arg("key", secret.path.as_str()));
            }
        }
    }
    Ok(())
}
