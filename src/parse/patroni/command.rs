//! Command lines as Patroni takes them apart: Python's `shlex.split`. No shell ever sees them.

/// The words of a command line.
///
/// # Errors
/// With the message of Python's `ValueError`.
pub fn split_command(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // `shlex` knows these four and no other white space.
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => quoted(&mut chars, '\'', word.get_or_insert_default())?,
            '"' => quoted(&mut chars, '"', word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads on to the closing quote. Between double quotes a backslash stands for itself unless a quote or a backslash follows.
fn quoted(chars: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or("No closing quotation")? {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => {
                let next = chars.next().ok_or("No escaped character")?;
                if !matches!(next, '"' | '\\') {
                    word.push('\\');
                }
                word.push(next);
            }
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split_command;

    #[test]
    fn words_are_those_of_python() {
        for (text, words) in [
            ("/a/b.sh  x\ty", vec!["/a/b.sh", "x", "y"]),
            (r#"sh -c "echo \"\$x\" && true" '' 'a\b'"#, vec!["sh", "-c", r#"echo "\$x" && true"#, "", r"a\b"]),
            (r"a\ b #c", vec!["a b", "#c"]),
            ("", vec![]),
        ] {
            assert_eq!(
                split_command(text).as_deref(),
                Ok(&words.into_iter().map(str::to_owned).collect::<Vec<_>>()[..])
            );
        }
        assert_eq!(split_command("it's"), Err("No closing quotation"));
        assert_eq!(split_command("a\\"), Err("No escaped character"));
        assert_eq!(split_command("\"a\\"), Err("No escaped character"));
    }
}
