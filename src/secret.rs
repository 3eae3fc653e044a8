//! Values that must never be seen.

use zeroize::Zeroizing;

/// A password or other secret. It prints as `***`, is not serialisable in clear, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Takes a secret out of sight.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into().into_boxed_str()))
    }

    /// The secret itself, to compare it or to hand it to a server; never to print it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn is_not_shown() {
        let s = Secret::new("hunter2");
        assert_eq!(format!("{s} {s:?} {}", serde_json::to_string(&s).expect("a string")), "*** *** \"***\"");
        assert_eq!(s.reveal(), "hunter2");
    }
}
