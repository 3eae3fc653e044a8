//! What the terminal can show. Only `main` looks at the environment; the decisions are here.

use crate::cli::When;

/// What surrounds the process.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is one.
    pub stderr: bool,
    /// What the environment wants of colours; see [`wish`].
    pub colour: Option<bool>,
    /// `TERM`; empty when it is not set.
    pub term: String,
    /// The columns of the terminal that standard output is.
    pub columns: Option<u16>,
}

/// What `NO_COLOR` and `CLICOLOR_FORCE` want of colours; empty when they are not set. The first wins.
/// <https://no-color.org>, <https://bixense.com/clicolors/>
#[must_use]
pub fn wish(no_color: &str, clicolor_force: &str) -> Option<bool> {
    match (no_color, clicolor_force) {
        ("", "" | "0") => None,
        ("", _) => Some(true),
        _ => Some(false),
    }
}

impl Surroundings {
    /// Whether reports on standard output have colours.
    #[must_use]
    pub fn colour(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto => self.colour.unwrap_or(self.stdout && !self.is_dumb()),
        }
    }

    /// Whether they have links. Terminals that do not know links show nothing of them, but for a few old ones.
    #[must_use]
    pub fn hyperlinks(&self, when: When) -> bool {
        let old = self.is_dumb() || self.term == "linux" || self.term.starts_with("screen");
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto => self.stdout && !old,
        }
    }

    /// Whether there may be a line about progress on standard error.
    #[must_use]
    pub fn progress(&self) -> bool {
        self.stderr && !self.is_dumb()
    }

    fn is_dumb(&self) -> bool {
        self.term.is_empty() || self.term == "dumb"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_on_terminals_unless_it_is_asked_for() {
        let pipe = Surroundings::default();
        assert!(!pipe.colour(When::Auto) && !pipe.hyperlinks(When::Auto) && !pipe.progress());
        assert!(pipe.colour(When::Always) && pipe.hyperlinks(When::Always));
        let tty = Surroundings { stdout: true, stderr: true, term: "xterm-256color".to_owned(), ..pipe };
        assert!(tty.colour(When::Auto) && tty.hyperlinks(When::Auto) && tty.progress());
        assert!(!tty.colour(When::Never) && !tty.hyperlinks(When::Never));
        let dumb = Surroundings { term: "dumb".to_owned(), ..tty.clone() };
        assert!(!dumb.colour(When::Auto) && !dumb.hyperlinks(When::Auto) && !dumb.progress());
        let quiet = Surroundings { colour: wish("1", "1"), ..tty };
        assert!(!quiet.colour(When::Auto) && quiet.colour(When::Always));
        let forced = Surroundings { colour: wish("", "1"), ..Surroundings::default() };
        assert!(forced.colour(When::Auto) && !forced.hyperlinks(When::Auto));
        assert_eq!((wish("", ""), wish("", "0")), (None, None));
    }
}
