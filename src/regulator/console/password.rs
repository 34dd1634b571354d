//! Passwords: hashed by Argon2id with the parameters its authors' library ships, a salt of their own each.

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};

use crate::host::{
    exit::{Exit, Failure},
    keys,
};

/// Fewest characters of a password.
pub const LEAST_CHARS: usize = 12;
/// Most bytes of a password that are looked at.
pub const MOST_BYTES: usize = 256;
/// A hash that no password fits, for names that nobody has: finding that out takes as long.
const OF_NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes a password for keeping.
///
/// # Errors
/// It is too short or too long, or there is no entropy.
pub fn hashed(password: &str) -> Result<String, Failure> {
    if password.chars().count() < LEAST_CHARS || password.len() > MOST_BYTES {
        let why =
            format!("a password has {LEAST_CHARS} characters or more, and no more than {MOST_BYTES} bytes");
        return Err(Failure::new(Exit::Data, why));
    }
    let failed = |e: argon2::password_hash::Error| Failure::new(Exit::Bug, format!("a password's hash: {e}"));
    let salt = SaltString::encode_b64(&keys::entropy::<16>()?).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether this is the password of this hash; without a hash it is not, and takes as long.
pub(super) fn fits(password: &str, hash: Option<&str>) -> bool {
    let parsed = PasswordHash::new(hash.unwrap_or(OF_NOBODY));
    let is_short = password.len() <= MOST_BYTES;
    parsed.is_ok_and(|hash| is_short && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_and_none_is_kept() {
        let hash = hashed("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("horse"));
        assert!(fits("correct horse battery", Some(&hash)) && !fits("correct horse batterz", Some(&hash)));
        assert_ne!(hashed("correct horse battery").unwrap(), hash, "a salt of its own");
        assert!(PasswordHash::new(OF_NOBODY).is_ok(), "it is worked on as long as a real one");
        assert!(!fits("correct horse battery", None));
    }

    #[test]
    fn a_short_one_is_refused() {
        assert!(hashed("elevenchars").is_err() && hashed(&"x".repeat(MOST_BYTES + 1)).is_err());
        assert!(hashed("十二个汉字也是密码对吧呀").is_ok());
    }
}
