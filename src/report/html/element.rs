//! Elements of a page. Texts and values of attributes become HTML in one place, [`escape`].

use std::fmt::Write as _;

/// An element with what is in it.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: String,
    inside: String,
    is_void: bool,
}

impl Element {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), inside: String::new(), is_void: false }
    }

    /// One that never has anything in it.
    pub(super) fn void(name: &'static str) -> Self {
        Self { is_void: true, ..Self::new(name) }
    }

    /// A style sheet of ours, as it is.
    pub(super) fn style(sheet: &'static str) -> Self {
        debug_assert!(!sheet.contains('<'), "a style sheet of ours ends no element");
        Self { inside: format!("\n{sheet}"), ..Self::new("style") }
    }

    /// The same with an attribute.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        let _ = write!(self.attributes, " {name}=\"{}\"", escape(value));
        self
    }

    /// The same with a text behind what is in it.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.inside.push_str(&escape(text));
        self
    }

    /// The same with another element behind what is in it.
    pub(super) fn child(mut self, child: Self) -> Self {
        self.add(child);
        self
    }

    /// Adds an element.
    pub(super) fn add(&mut self, child: Self) {
        if is_block(child.name) {
            self.inside.push('\n');
        }
        self.inside.push_str(&child.render());
    }

    /// Adds several.
    pub(super) fn add_all(&mut self, children: impl IntoIterator<Item = Self>) {
        children.into_iter().for_each(|child| self.add(child));
    }

    /// The HTML.
    pub(super) fn render(self) -> String {
        let Self { name, attributes, inside, is_void } = self;
        if is_void { format!("<{name}{attributes}>") } else { format!("<{name}{attributes}>{inside}</{name}>") }
    }
}

/// Whether a line end in front of an element shows nowhere.
fn is_block(name: &str) -> bool {
    !matches!(name, "span" | "strong" | "b" | "a" | "code")
}

/// A text as HTML, in an element and in an attribute between quotes: nothing in it means anything.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // HTML knows no way to write them.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A sentence of ours, with what stands between backticks as code.
pub(super) fn sentence(element: Element, text: &str) -> Element {
    let is_paired = text.matches('`').count().is_multiple_of(2);
    if !is_paired {
        return element.text(text);
    }
    text.split('`').enumerate().fold(element, |element, (i, part)| match i % 2 {
        0 => element.text(part),
        _ => element.child(Element::new("code").text(part)),
    })
}

/// A table with its caption and its head. On a phone its cells stand below each other: the roles keep what they are.
pub(super) fn table(caption: &str, head: &[&str]) -> Element {
    let mut row = Element::new("tr").with("role", "row");
    for name in head {
        row.add(Element::new("th").with("scope", "col").with("role", "columnheader").text(name));
    }
    Element::new("table")
        .with("role", "table")
        .child(Element::new("caption").text(caption))
        .child(Element::new("thead").with("role", "rowgroup").child(row))
}

/// A row whose first cell is its head.
pub(super) fn row(class: &str, first: &[(&str, &str)]) -> Element {
    let row = Element::new("tr").with("role", "row").with("class", class);
    first.iter().fold(row, |row, (label, text)| {
        let head = Element::new("th").with("scope", "row").with("role", "rowheader").with("data-label", label);
        row.child(head.text(text))
    })
}

/// A cell of the column of this name.
pub(super) fn cell(label: &str) -> Element {
    Element::new("td").with("role", "cell").with("data-label", label)
}

/// Something that may be wider than the page: it is moved by itself, also with the keyboard.
pub(super) fn scroll(inside: Element) -> Element {
    Element::new("div").with("class", "scroll").child(inside)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a browser makes of it.
    fn read(html: &str) -> String {
        let names = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        names.iter().fold(html.to_owned(), |text, (name, c)| text.replace(name, c))
    }

    #[test]
    fn nothing_in_a_text_means_anything() {
        let element = Element::new("p").with("title", "\"><script>").text("<b> & 'x'");
        assert_eq!(element.render(), "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt; &amp; &#39;x&#39;</p>");
        assert_eq!(sentence(Element::new("p"), "a `<b>` c").render(), "<p>a <code>&lt;b&gt;</code> c</p>");
        assert_eq!(sentence(Element::new("p"), "an odd ` here").render(), "<p>an odd ` here</p>");
    }

    proptest! {
        #[test]
        fn a_text_reads_back_and_ends_nothing(text in "[\\PC\n\t<>&\"'`]{0,80}") {
            let html = escape(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']), "{html}");
            prop_assert_eq!(read(&html), text);
        }

        #[test]
        fn no_byte_that_html_has_no_way_for(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
        }
    }
}
