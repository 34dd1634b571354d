//! Folders and files that nobody else on the machine reads, whatever mask the program runs under.

use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// Mode of a folder that is made here.
pub const FOLDER_MODE: u32 = 0o700;
/// Mode of a file that is made here.
pub const FILE_MODE: u32 = 0o600;
/// What everybody on the machine may.
const EVERYBODY: u32 = 0o007;
/// What others than its owner may.
const OTHERS: u32 = 0o077;

/// Makes a folder, and those above it, where there is none. Of one that is there already somebody has decided who comes in.
///
/// # Errors
/// It cannot be made.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Makes a folder where nothing is yet.
///
/// # Errors
/// Something is there, or it cannot be made.
pub fn new_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)
}

/// A file to be written from its beginning, taken from others before anything stands in it.
///
/// # Errors
/// It cannot be made.
pub fn anew(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    from_others(path)?;
    Ok(file)
}

/// Makes an empty file where there is none; of one that is there, see [`from_others`]. It is not opened then: to close a
/// database's file would let go of the locks that this program has on it.
///
/// # Errors
/// It cannot be made.
pub fn file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => from_others(path),
        Err(e) => Err(e),
    }
}

/// Takes a file from others that everybody may use: whoever gave it to a group alone meant that. That there is none is as well,
/// and of somebody else's the owner decides.
///
/// # Errors
/// It cannot be looked at.
pub fn from_others(path: &Path) -> io::Result<()> {
    let mode = match std::fs::metadata(path) {
        Ok(found) => found.permissions().mode(),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if mode & EVERYBODY == 0 {
        return Ok(());
    }
    match std::fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS)) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_its_owners_alone_and_what_is_there_is_taken_from_others() {
        let root = std::env::temp_dir().join(format!("coldhearth-private-{}", std::process::id()));
        let _none = std::fs::remove_dir_all(&root);
        let (inner, path) = (root.join("state"), root.join("state/store.db"));
        folder(&inner).unwrap();
        file(&path).unwrap();
        assert_eq!((mode(&root), mode(&inner), mode(&path)), (0o700, 0o700, 0o600));
        // Whoever opened a folder to a group meant it; a file that everybody reads was opened by nobody.
        std::fs::set_permissions(&inner, Permissions::from_mode(0o750)).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        folder(&inner).unwrap();
        file(&path).unwrap();
        assert_eq!((mode(&inner), mode(&path)), (0o750, 0o600));
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        file(&path).unwrap();
        assert_eq!(mode(&path), 0o640, "given to a group");
        from_others(&root.join("state/no-such-file")).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        drop((anew(&path).unwrap(), anew(&root.join("copy")).unwrap()));
        assert_eq!((mode(&path), mode(&root.join("copy"))), (0o600, 0o600));
        new_folder(&root.join("bundle")).unwrap();
        assert_eq!(mode(&root.join("bundle")), 0o700);
        assert!(new_folder(&root.join("bundle")).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
