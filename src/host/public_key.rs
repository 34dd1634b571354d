//! Public keys on disk, as handed over at enrolment.

use std::{fs, path::Path};

use super::exit::{Exit, Failure};
use crate::evidence::PublicKey;

/// Reads a public key file.
///
/// # Errors
/// The file cannot be read or is no Ed25519 public key.
pub fn load(path: &Path) -> Result<PublicKey, Failure> {
    let text = fs::read_to_string(path).map_err(|e| failed(path, &e))?;
    let wrong = || {
        Failure::new(
            Exit::Usage,
            format!(
                "{}: not an Ed25519 public key; expected the gateway's .pub file (BEGIN PUBLIC KEY)",
                path.display()
            ),
        )
    };
    PublicKey::from_pem(&text).or_else(|| PublicKey::from_base64(text.trim())).ok_or_else(wrong)
}

pub(crate) fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let exit =
        if error.kind() == std::io::ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Config };
    Failure::new(exit, format!("{}: {error}", path.display()))
}
