//! The key that decides what stands in the place of a secret.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{hmac, pbkdf2};
use zeroize::Zeroizing;

/// A text that is shorter can be guessed, and with it every secret.
const SHORTEST: usize = 16;
/// How much work it takes to try one text.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("invariant: not 0");

/// Whoever has it can tell which secret a word stands for, if he can guess the secret; without it the words say nothing but how
/// long the secrets are, and of which kind each character is.
pub struct Key {
    mac: hmac::Key,
    fingerprint: String,
}

impl Key {
    /// One that nobody knows: bundles that were written with different ones cannot be joined.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn random() -> Result<Self, String> {
        let mut bytes = Zeroizing::new([0; 32]);
        let filled = SystemRandom::new().fill(&mut *bytes);
        filled.map_err(|_| "the system gives no random bytes".to_owned())?;
        Ok(Self::new(&bytes))
    }

    /// The same for everybody who has the same text, such as that of a file that is handed to several hosts. White space around it
    /// does not count.
    ///
    /// # Errors
    /// When it is too short.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < SHORTEST {
            return Err(format!(
                "a key of {} bytes can be guessed; it takes {SHORTEST} or more, for example of `openssl rand -base64 32`",
                text.len()
            ));
        }
        let mut bytes = Zeroizing::new([0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, b"patroni-preflight bundle", text.as_bytes(), &mut *bytes);
        Ok(Self::new(&bytes))
    }

    fn new(bytes: &[u8; 32]) -> Self {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let tag = hmac::sign(&mac, b"fingerprint");
        let fingerprint = tag.as_ref().iter().take(8).fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        Self { mac, fingerprint }
    }

    /// Tells keys apart without revealing them.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A number below each of some sizes, decided by what is given.
    pub(super) fn numbers(&self, about: &[u8], sizes: impl Iterator<Item = u32>) -> Vec<u32> {
        let seed = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.mac, about).as_ref());
        let mut block = Vec::new();
        let mut blocks = 0_u32;
        let number = |size: u32| {
            if block.is_empty() {
                block.extend_from_slice(hmac::sign(&seed, &blocks.to_be_bytes()).as_ref());
                blocks += 1;
            }
            let rest = block.split_off(block.len() - 4);
            u32::from_be_bytes(rest.try_into().unwrap_or_default()) % size
        };
        sizes.map(number).collect()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn the_same_text_is_the_same_key() {
        let print = |text: &str| Key::from_text(text).map(|k| k.fingerprint().to_owned());
        let one = print("0123456789abcdef").expect("long enough");
        assert_eq!(print("  0123456789abcdef\n").as_ref(), Ok(&one));
        assert_ne!(print("0123456789abcdeg").as_ref(), Ok(&one));
        assert!(print("0123456789abcde").is_err());
        assert!(!one.contains("0123") && one.len() == 16);
        let random = || Key::random().expect("random bytes").fingerprint().to_owned();
        assert_ne!(random(), random());
    }
}
