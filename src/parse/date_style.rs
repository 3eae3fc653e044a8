//! `DateStyle`: how dates are written and in which order they are read (`check_datestyle` in `src/backend/commands/variable.c`).

use std::fmt;

/// A value of `DateStyle`, shown as the server shows it: style, then order, whatever is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateStyle {
    /// `ISO`, `SQL`, `Postgres` or `German`.
    pub style: &'static str,
    /// `MDY`, `DMY` or `YMD`.
    pub order: &'static str,
}

impl DateStyle {
    /// What the server starts with.
    pub const DEFAULT: Self = Self { style: "ISO", order: "MDY" };

    /// What a text makes of the value that counted before it: what the text does not name stays. Words that are none are passed over.
    #[must_use]
    pub fn then(self, text: &str) -> Self {
        let (mut style, mut order) = (None, None);
        for word in words(text) {
            match word.as_str() {
                "iso" => style = Some("ISO"),
                "sql" => style = Some("SQL"),
                "german" => style = Some("German"),
                "ymd" => order = Some("YMD"),
                "mdy" | "us" => order = Some("MDY"),
                "dmy" => order = Some("DMY"),
                "default" => return Self::DEFAULT,
                w if w.starts_with("postgres") => style = Some("Postgres"),
                w if w.starts_with("noneuro") => order = Some("MDY"),
                w if w.starts_with("euro") => order = Some("DMY"),
                _ => {}
            }
        }
        let of_style = (style == Some("German")).then_some("DMY");
        Self { style: style.unwrap_or(self.style), order: order.or(of_style).unwrap_or(self.order) }
    }

    /// Whether the server takes a text for one, so that it holds no word that is none.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        let names = ["iso", "sql", "german", "ymd", "mdy", "us", "dmy", "default"];
        let begins = |word: &str| ["postgres", "noneuro", "euro"].iter().any(|name| word.starts_with(name));
        words(text).all(|word| names.contains(&word.as_str()) || begins(&word))
    }

    /// Whether clients that read only that way can read it.
    #[must_use]
    pub fn is_iso(self) -> bool {
        self.style == Self::DEFAULT.style
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|word| word.trim().trim_matches('"').to_ascii_lowercase())
}

impl fmt::Display for DateStyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.style, self.order)
    }
}

#[cfg(test)]
mod tests {
    use super::DateStyle;

    #[test]
    fn what_a_text_does_not_name_stays() {
        for (text, shown) in [
            ("iso, mdy", "ISO, MDY"),
            ("dmy, sql", "SQL, DMY"),
            ("German", "German, DMY"),
            ("ymd, german", "German, YMD"),
            ("European", "ISO, DMY"),
            ("Postgresql, noneuropean", "Postgres, MDY"),
            ("", "ISO, MDY"),
        ] {
            assert_eq!(DateStyle::DEFAULT.then(text).to_string(), shown, "{text}");
            assert!(DateStyle::is_one(text) || text.is_empty(), "{text}");
        }
        assert_eq!(DateStyle::DEFAULT.then("sql, dmy").then("iso").to_string(), "ISO, DMY");
        assert!(!DateStyle::is_one("german, :order") && !DateStyle::is_one("{{ style }}"));
    }
}
