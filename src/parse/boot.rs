//! What is started at boot: `start.conf` of Debian's scripts and presets of systemd.

use crate::source::{Source, Spanned};

/// What a `start.conf` says, without comments, white space and empty lines, as `postgresql-generator` of postgresql-common reads
/// it. `None` when nothing is left.
#[must_use]
pub fn parse_start_conf(source: &Source) -> Option<Spanned<String>> {
    let mut words = lines(source).map(|line| line.map(str::trim)).filter(|line| !line.value.is_empty());
    let first = words.next()?;
    let rest: Vec<&str> = words.map(|line| line.value).collect();
    let all = std::iter::once(first.value).chain(rest).collect::<Vec<_>>().join("\n");
    Some(Spanned::new(all, first.span))
}

/// A line of a preset file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Whether it enables.
    pub enables: bool,
    /// Which units, with wildcards.
    pub pattern: Spanned<String>,
}

/// The lines of a preset file that enable or disable units (systemd.preset(5)); the first one that fits a unit counts.
#[must_use]
pub fn parse_preset(source: &Source) -> Vec<Directive> {
    let directive = |line: Spanned<&str>| {
        if line.value.trim_start().starts_with(';') {
            return None;
        }
        let (verb, rest) = line.value.trim().split_once(char::is_whitespace)?;
        let enables = match verb {
            "enable" => true,
            "disable" => false,
            _ => return None,
        };
        let pattern = rest.split_whitespace().next()?;
        Some(Directive { enables, pattern: Spanned::new(pattern.to_owned(), line.span) })
    };
    lines(source).filter_map(directive).collect()
}

/// The lines without what stands behind `#`; the place is that of the text without white space around it.
fn lines(source: &Source) -> impl Iterator<Item = Spanned<&str>> {
    (0..source.line_count()).filter_map(|index| {
        let line = source.line_span(index)?;
        let text = std::str::from_utf8(source.bytes().get(line.range())?).ok()?;
        let text = text.split('#').next().unwrap_or_default();
        let skip = text.len() - text.trim_start().len();
        let start = line.start as usize + skip;
        Some(Spanned::new(text, source.span(start, start + text.trim().len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_conf_holds_one_word() {
        let start = |text: &str| parse_start_conf(&Source::lone("start.conf", text)).map(|s| s.value);
        assert_eq!(start("# auto: …\n\n  auto  # why\n").as_deref(), Some("auto"));
        assert_eq!(start("manual").as_deref(), Some("manual"));
        assert_eq!(start("auto\nmanual").as_deref(), Some("auto\nmanual"));
        assert_eq!(start("# nothing\n"), None);
    }

    #[test]
    fn presets_enable_and_disable() {
        let text = "# x\n; enable a\ndisable b.service\n enable\tc@.service d e\nnonsense\n";
        let source = Source::lone("x.preset", text);
        let all: Vec<(bool, String)> =
            parse_preset(&source).into_iter().map(|d| (d.enables, d.pattern.value)).collect();
        assert_eq!(all, [(false, "b.service".to_owned()), (true, "c@.service".to_owned())]);
    }
}
