//! The store's files are nobody else's on the machine: in them are hashes of passwords and everybody's records.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::STORE_FILE;
use crate::host::{
    exit::{Exit, Failure},
    private,
};

/// What SQLite adds to the store's name for the files beside it, which it makes as it finds that one.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Sees to it that only we may open the store of a state directory; tells its path.
///
/// # Errors
/// A file of it cannot be looked at, or made.
pub(super) fn to_others(state: &Path) -> Result<PathBuf, Failure> {
    let failed =
        |path: &Path, e: io::Error| Failure::new(Exit::Permission, format!("{}: {e}", path.display()));
    private::folder(state).map_err(|e| failed(state, e))?;
    let path = state.join(STORE_FILE);
    private::file(&path).map_err(|e| failed(&path, e))?;
    for beside in BESIDE.map(|ending| path.with_file_name(format!("{STORE_FILE}{ending}"))) {
        private::from_others(&beside).map_err(|e| failed(&beside, e))?;
    }
    Ok(path)
}
