//! The gateway's own copy of the latest receipt, beside its key: it shows when a journal is missing or was shortened.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    evidence::{PublicKey, Receipt, Signed},
    host::exit::{Exit, Failure},
};

/// File name of the copy in the state directory.
pub const RECEIPT_FILE: &str = "receipt.json";

/// Replaces the copy, whole or not at all.
///
/// # Errors
/// It cannot be written. A full disk is no error: the older copy stands.
pub fn write(state: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let (path, draft) = (path(state), state.join("receipt.json.new"));
    let written = fs::File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    match written.and_then(|()| fs::rename(&draft, &path)) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::StorageFull => Ok(()),
        Err(e) => Err(Failure::new(Exit::Permission, format!("{}: {e}", path.display()))),
    }
}

/// The copy, if there is one that the authority signed. Anything else there proves nothing.
pub fn load(state: &Path, authority: &[PublicKey]) -> Option<Receipt> {
    let bytes = fs::read(path(state)).ok()?;
    let signed = Signed::read(&bytes).ok()?;
    authority.iter().find_map(|key| Receipt::open(&signed, key).ok())
}

/// A receipt that was believed when it was kept.
pub fn read(bytes: &[u8]) -> Option<Receipt> {
    Receipt::kept(&Signed::read(bytes).ok()?)
}

fn path(state: &Path) -> PathBuf {
    state.join(RECEIPT_FILE)
}
