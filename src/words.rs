//! Words that several parts of a message need.

/// Names in backquotes as one reads them aloud: "`a`, `b` and `c`".
#[must_use]
pub fn join(names: &[&str]) -> String {
    let mut out = String::new();
    for (i, name) in names.iter().enumerate() {
        if i > 0 {
            out.push_str(if i + 1 == names.len() { " and " } else { ", " });
        }
        out.extend(["`", name, "`"]);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_of_several_is_joined_by_a_word() {
        assert_eq!(super::join(&["a"]), "`a`");
        assert_eq!(super::join(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
