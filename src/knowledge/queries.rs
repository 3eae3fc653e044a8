//! What we ask a running server.

/// The questions, as they are written.
const TEXT: &str = include_str!("queries.sql");

/// The first statement of each session: who and where we are, and whether our safety settings are in force.
pub const GREETING: &str = "SELECT pg_catalog.current_setting('server_version_num') AS version, \
    pg_catalog.pg_is_in_recovery() AS in_recovery, session_user AS role, pg_catalog.current_database() AS database, \
    (SELECT version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()) AS tls, \
    pg_catalog.current_setting('default_transaction_read_only') AS default_transaction_read_only, \
    pg_catalog.current_setting('search_path') AS search_path, \
    (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'statement_timeout') AS statement_timeout, \
    (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'lock_timeout') AS lock_timeout, \
    (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'idle_in_transaction_session_timeout') \
    AS idle_in_transaction_session_timeout";

/// The settings that our session has of its own, so that `pg_settings` of it does not speak for others.
pub const OWN_SETTINGS: [&str; 7] = [
    "application_name",
    "client_encoding",
    "default_transaction_read_only",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "search_path",
    "statement_timeout",
];

/// A question: one `SELECT` that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its name among the answers. Several questions may share one, for versions that do not overlap.
    pub name: String,
    /// The first major version that knows it.
    pub from: Option<u32>,
    /// The last one.
    pub until: Option<u32>,
    /// The statement.
    pub sql: String,
}

/// The word behind the versions of a question that goes to each database when a major upgrade is meant.
const EACH: &str = "each";
/// The word behind that, of one that goes to the database of the session at any time too.
const ALSO: &str = "also";

impl Question {
    /// Whether it can be asked of a server with this `server_version_num`.
    #[must_use]
    pub fn fits(&self, version: u32) -> bool {
        let major = version / 10_000;
        self.from.is_none_or(|from| from <= major) && self.until.is_none_or(|until| major <= until)
    }
}

/// The questions that rules of ours need of a server.
#[must_use]
pub fn questions() -> Vec<Question> {
    read(TEXT).filter(|(_, words)| *words != [EACH]).map(|(question, _)| question).collect()
}

/// The questions that rules of ours need of each database, when a major upgrade is meant.
#[must_use]
pub fn of_each_database() -> Vec<Question> {
    read(TEXT).filter(|(_, words)| words.contains(&EACH)).map(|(question, _)| question).collect()
}

/// Each question, and the words that say where it goes.
fn read(text: &str) -> impl Iterator<Item = (Question, Vec<&str>)> {
    let blocks = text.split("\n--: ").skip(1);
    blocks.filter_map(|block| {
        let (head, body) = block.split_once('\n')?;
        let mut words = head.split_whitespace();
        let (name, (from, until)) = (words.next()?, words.next()?.split_once('-')?);
        let words: Vec<&str> = words.collect();
        debug_assert!(matches!(words[..], [] | [EACH] | [EACH, ALSO]), "{name}: {words:?}");
        let lines: Vec<&str> = body.lines().filter(|l| !l.starts_with("--") && !l.trim().is_empty()).collect();
        let major = |text: &str| text.parse().ok();
        let question =
            Question { name: name.to_owned(), from: major(from), until: major(until), sql: lines.join("\n") };
        Some((question, words))
    })
}

#[cfg(test)]
mod tests {
    use super::{TEXT, of_each_database, questions};

    #[test]
    fn each_text_is_read_and_versions_do_not_overlap() {
        let mut all: Vec<_> = questions().into_iter().chain(of_each_database()).collect();
        assert_eq!(all.len(), TEXT.matches("\n--:").count() + TEXT.matches(" each also\n").count());
        all.sort_by(|one, other| (&one.name, one.from).cmp(&(&other.name, other.from)));
        all.dedup();
        for major in 13..=18 {
            let mut names: Vec<&str> = all.iter().filter(|q| q.fits(major * 10_000 + 5)).map(|q| &q.name[..]).collect();
            let n = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), n, "{major}");
            assert!(names.contains(&"slots") && names.contains(&"hba_rules"), "{major}");
            assert_eq!(names.contains(&"ident_mappings"), major >= 15, "{major}");
        }
        assert!(all.iter().all(|q| q.sql.starts_with("SELECT ")));
    }
}
