//! XML that every reader takes: `quick-xml` escapes, and characters that XML 1.0 cannot hold are replaced.

use std::borrow::Cow;

use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// Where a document is written to.
pub(super) type Out = Writer<Vec<u8>>;

/// A document with one root, with a line end.
pub(super) fn document(write: impl FnOnce(&mut Out) -> std::io::Result<()>) -> String {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    let result =
        out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).and_then(|()| write(&mut out));
    debug_assert!(result.is_ok(), "writing into memory does not fail: {result:?}");
    let mut text = String::from_utf8_lossy(&out.into_inner()).into_owned();
    text.push('\n');
    text
}

/// A value as XML 1.0 can hold it. <https://www.w3.org/TR/xml/#charsets>
pub(super) fn chars(text: &str) -> Cow<'_, str> {
    let holds = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..) && !('\u{7f}'..='\u{9f}').contains(&c)
    };
    if text.chars().all(holds) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if holds(c) { c } else { char::REPLACEMENT_CHARACTER }).collect())
}

/// The text of an element.
pub(super) fn text(text: &str) -> BytesText<'_> {
    BytesText::from_escaped(partial_escape(chars(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(chars("a\u{0}b\u{1b}c\u{ffff}d\u{85}"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}");
        assert_eq!(chars("ü\t😀"), "ü\t😀");
        let made = document(|out| {
            out.create_element("a").with_attribute(("b", "<\"&\n")).write_text_content(text("]]><")).map(|_| ())
        });
        assert_eq!(made.lines().last(), Some("<a b=\"&lt;&quot;&amp;&#10;\">]]&gt;&lt;</a>"));
    }
}
