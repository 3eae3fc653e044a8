//! Files of a server's host through the server, for roles that may read them: superusers and members of `pg_read_server_files`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bundle::sql::Table;
use crate::bundle::{Answer, FileText, Miss};
use crate::collect::host::files::{Texts, Wanted, text_of};
use crate::gap::GapReason;
use crate::knowledge::queries::Question;

/// Larger files are no configuration.
const MOST: u32 = 1 << 20;

/// The questions for files and directories, and how their answers are read.
#[must_use]
pub fn questions(wanted: &Wanted) -> Vec<Question> {
    let file = |path: &String| Question {
        name: format!("file {path}"),
        from: None,
        until: None,
        sql: format!(
            "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file('{path}', 0, {}, true), 'base64') AS content",
            MOST + 1
        ),
    };
    let directory = |path: &String| Question {
        name: format!("directory {path}"),
        from: None,
        until: None,
        sql: format!("SELECT name FROM pg_catalog.pg_ls_dir('{path}', true, false) AS name ORDER BY name"),
    };
    let files = wanted.files.iter().filter(|p| is_harmless(p)).map(file);
    files.chain(wanted.directories.iter().filter(|p| is_harmless(p)).map(directory)).collect()
}

/// A path that can stand between apostrophes whatever the session's settings are.
fn is_harmless(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['\'', '\\']) && !path.chars().any(char::is_control)
}

/// Reads the answers to [`questions`]. A file through which others are named has no mode.
#[must_use]
pub fn texts(wanted: &Wanted, answer: &dyn Fn(&str) -> Answer<Table>) -> Texts {
    let bytes = |path: &str| -> Result<Option<Vec<u8>>, Miss> {
        let table = answer(&format!("file {path}"));
        let broken = |detail: &str| Miss { why: GapReason::Unreadable, detail: detail.to_owned() };
        let rows = &table.as_result().map_err(Clone::clone)?.rows;
        let Some(text) = rows.first().and_then(|r| r.first()).ok_or_else(|| broken("the server sent no row"))? else {
            return Ok(None);
        };
        let text: String = text.split_whitespace().collect();
        let bytes = STANDARD.decode(text).map_err(|_| broken("the server sent no base64"))?;
        if bytes.len() > MOST as usize { Err(broken(&format!("longer than {MOST} bytes"))) } else { Ok(Some(bytes)) }
    };
    let names = |path: &str| -> Answer<Option<Vec<String>>> {
        let table = answer(&format!("directory {path}"));
        let rows = table.as_result().map_err(Clone::clone);
        rows.map(|t| Some(t.rows.iter().filter_map(|r| r.first()?.clone()).collect())).into()
    };
    let refused = || Miss { why: GapReason::Unreadable, detail: "a path that is not sent to a server".to_owned() };
    let file = |path: &String| -> (String, Answer<Option<FileText>>) {
        let bytes = if is_harmless(path) { bytes(path) } else { Err(refused()) };
        (path.clone(), text_of(bytes, None))
    };
    let directory =
        |path: &String| (path.clone(), if is_harmless(path) { names(path) } else { Answer::Missing(refused()) });
    Texts {
        files: wanted.files.iter().map(file).collect(),
        directories: wanted.directories.iter().map(directory).collect(),
    }
}
