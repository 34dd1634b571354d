//! Public keys on disk, as handed over at enrolment.

use std::{fs, path::Path};

use super::exit::{Exit, Failure};
use crate::evidence::{PublicKey, Suite, suite::NoKey};

/// Reads a public key file.
///
/// # Errors
/// The file cannot be read or is no public key of a suite this build knows.
pub fn load(path: &Path) -> Result<PublicKey, Failure> {
    let text = fs::read_to_string(path).map_err(|e| failed(path, &e))?;
    let wrong = || {
        let why = match Suite::of_pem(&text).filter(|suite| !suite.is_built_in()) {
            Some(suite) => NoKey::NotBuiltIn(suite).to_string(),
            None if text.contains("PRIVATE KEY-----") => {
                "this is a private key, and is nobody else's; the .pub file beside it is expected".to_owned()
            }
            None => "not a public key; a .pub file is expected (BEGIN PUBLIC KEY)".to_owned(),
        };
        Failure::new(Exit::Usage, format!("{}: {why}", path.display()))
    };
    PublicKey::from_pem(&text).or_else(|| PublicKey::from_base64(text.trim())).ok_or_else(wrong)
}

pub(crate) fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let exit =
        if error.kind() == std::io::ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Config };
    Failure::new(exit, format!("{}: {error}", path.display()))
}
