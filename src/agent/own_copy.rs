//! The gateway's own copy of the latest receipt, beside its key: it shows when a journal is missing or was shortened.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
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

/// When the copy was written, by this machine's clock as it was then, in milliseconds since 1970-01-01 UTC.
pub fn written_unix_ms(state: &Path) -> Option<i64> {
    let written = fs::metadata(path(state)).ok()?;
    Some(written.mtime().saturating_mul(1_000).saturating_add(written.mtime_nsec() / 1_000_000))
}

/// A receipt that was believed when it was kept.
pub fn read(bytes: &[u8]) -> Option<Receipt> {
    Receipt::kept(&Signed::read(bytes).ok()?)
}

fn path(state: &Path) -> PathBuf {
    state.join(RECEIPT_FILE)
}
