//! Signing keys on disk: made once, readable by nobody else, never overwritten.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    exit::{Exit, Failure},
    public_key::{self, failed},
};
use crate::evidence::{Ed25519, PublicKey, Signer as _};

/// File name of the signing key in the state directory.
pub const KEY_FILE: &str = "gateway.key";

/// 32 bytes of entropy from the kernel.
///
/// # Errors
/// The kernel gives none.
pub fn entropy<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Failure::new(Exit::Bug, format!("no entropy from the kernel: {e}")))?;
    Ok(bytes)
}

/// Loads the gateway's key, or, where nothing was ever signed, makes it, with its `.pub` beside it.
///
/// # Errors
/// The file cannot be made or read, is no Ed25519 key, or may be read by others.
pub fn load_or_make(state: &Path, may_make: bool) -> Result<Ed25519, Failure> {
    let path = state.join(KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            refuse_if_shared(&path)?;
            let key = Ed25519::from_pem(&text).ok_or_else(|| {
                Failure::new(
                    Exit::Permission,
                    format!(
                        "{}: not an Ed25519 key in PKCS#8 PEM; restore it from the enrolment copy",
                        path.display()
                    ),
                )
            })?;
            let public = public_path(&path);
            if public_key::load(&public).ok() != Some(key.public_key()) {
                write_public(&path, &key.public_key())?;
            }
            Ok(key)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && may_make => make(&path),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let cure = "restore it beside the journal, or move both aside as evidence and enrol anew";
            Err(Failure::new(
                Exit::Config,
                format!("{}: the journal's key is missing; {cure}", path.display()),
            ))
        }
        Err(e) => Err(failed(&path, &e)),
    }
}

fn make(path: &Path) -> Result<Ed25519, Failure> {
    let key = Ed25519::from_seed(&entropy::<32>()?);
    let pem = key.to_pem().ok_or_else(|| Failure::new(Exit::Bug, "the new key cannot be written as PEM"))?;
    // Written whole under another name first: a key cut short by a power failure would refuse every later start.
    let draft = path.with_extension("key.new");
    let _old_draft = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(|e| failed(&draft, &e))?;
    let written = file.write_all(pem.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| fs::hard_link(&draft, path)).map_err(|e| failed(path, &e))?;
    fs::remove_file(&draft).map_err(|e| failed(&draft, &e))?;
    write_public(path, &key.public_key())?;
    sync_folder(path)?;
    Ok(key)
}

fn write_public(path: &Path, key: &PublicKey) -> Result<(), Failure> {
    let public = public_path(path);
    let pem =
        key.to_pem().ok_or_else(|| Failure::new(Exit::Bug, "the public key cannot be written as PEM"))?;
    fs::write(&public, pem).map_err(|e| failed(&public, &e))
}

/// A new file's name is durable only once its folder is.
fn sync_folder(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failed(folder, &e))
}

fn public_path(path: &Path) -> PathBuf {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    PathBuf::from(public)
}

fn refuse_if_shared(path: &Path) -> Result<(), Failure> {
    let mode = fs::metadata(path).map_err(|e| failed(path, &e))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Permission,
        format!(
            "{}: mode {mode:04o} lets others read the key; run: chmod 600 {}",
            path.display(),
            path.display()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_kept_private_and_found_again() {
        let folder = std::env::temp_dir().join(format!("coldhearth-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = load_or_make(&folder, true).unwrap().public_key();
        let path = folder.join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_make(&folder, true).unwrap().public_key(), first);
        assert_eq!(public_key::load(&public_path(&path)).unwrap(), first);
        fs::write(public_path(&path), "somebody else's").unwrap();
        load_or_make(&folder, false).unwrap();
        assert_eq!(public_key::load(&public_path(&path)).unwrap(), first, "the .pub follows the key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load_or_make(&folder, true).unwrap_err().exit, Exit::Permission);
        fs::remove_file(&path).unwrap();
        assert_eq!(
            load_or_make(&folder, false).unwrap_err().exit,
            Exit::Config,
            "nothing is made beside a journal"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
