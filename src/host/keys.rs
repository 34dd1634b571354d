//! Signing keys on disk: made once, readable by nobody else, never overwritten.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
};

use super::{
    exit::{Exit, Failure},
    public_key::{self, failed},
    secret_file::SecretFile,
};
use crate::{
    evidence::{
        PublicKey, Signer, Suite,
        suite::{NoKey, SecretPem, signer_from_pem, signer_from_seed},
    },
    terms::flaw::Wrong,
};

/// File name of a gateway's first signing key in its state directory.
pub const KEY_FILE: &str = "gateway.key";
/// File name of an authority's signing key in its state directory.
pub const AUTHORITY_FILE: &str = "authority.key";

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

/// Loads a key that somebody keeps where he likes, as the supplier does.
///
/// # Errors
/// The file cannot be read, is no key of a suite this build knows, or may be read by others.
pub fn load(path: &Path) -> Result<Box<dyn Signer>, Failure> {
    let text = fs::read_to_string(path).map_err(|e| failed(path, &e))?;
    // A path in full lies where it says, whatever it is counted from.
    refuse_if_shared(&SecretFile::named(&path.display().to_string(), Path::new("")))?;
    signer_from_pem(&text).map_err(|why| {
        let cure = "a private key in PEM is expected, as `openssl genpkey -algorithm ed25519` makes it";
        Failure::new(Exit::Config, format!("{}: {why}; {cure}", path.display()))
    })
}

/// Loads a key of a state directory, or, where nothing was ever signed, makes it, with its `.pub` beside it.
///
/// # Errors
/// The file cannot be made or read, is no key of a suite this build knows, or may be read by others.
pub fn load_or_make(state: &Path, file: &str, may_make: bool) -> Result<Box<dyn Signer>, Failure> {
    let found = SecretFile::named(file, state);
    let path = &found.path;
    match fs::read_to_string(path) {
        Ok(text) => {
            refuse_if_shared(&found)?;
            let key = signer_from_pem(&text).map_err(|why| unusable(path, why))?;
            let public = public_path(&state.join(file));
            if public_key::load(&public).ok() != Some(key.public_key()) {
                write_public(&state.join(file), &key.public_key())?;
            }
            Ok(key)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && may_make => make(state, file, Suite::Ed25519),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let cure = "restore it beside the journal; if it is lost, enrol anew: see \"A lost key\" in systemd/README.md";
            Err(Failure::new(
                Exit::Config,
                format!("{}: the journal's key is missing; {cure}", path.display()),
            ))
        }
        Err(e) => Err(failed(path, &e)),
    }
}

/// What a start would find wrong with the key of a state directory, and whether that is so for whoever looks only, who may
/// be another user than the service's. Nothing where there is no key: one is made, or the journal holds it.
#[cfg(feature = "agent")]
pub(crate) fn look(state: &Path, file: &str) -> Option<(Wrong, bool)> {
    let found = SecretFile::named(file, state);
    let text = match found.text() {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => {
            let cure = "restore it from the enrolment copy";
            let wrong = || Wrong::new(format!("{}: {e}", found.path.display()), cure);
            return Some(found.may_come(&e).map_or_else(|| (wrong(), false), |may_come| (may_come, true)));
        }
    };
    let unfit = signer_from_pem(&text).err().map(|why| {
        let (_, cure) = cure(why);
        Wrong::new(format!("{}: {why}", found.path.display()), cure)
    });
    found.shared("key").or(unfit).map(|wrong| (wrong, false))
}

/// A key of the same suite as `like`, and its PEM, to follow it.
///
/// # Errors
/// There is no entropy.
pub fn next(like: Suite) -> Result<(Box<dyn Signer>, SecretPem), Failure> {
    loop {
        match signer_from_seed(like, &entropy()?) {
            Ok(made) => return Ok(made),
            Err(NoKey::OutOfRange) => {}
            Err(why @ (NoKey::NotAKey | NoKey::NotBuiltIn(_))) => {
                return Err(Failure::new(Exit::Bug, format!("no key can be made: {why}")));
            }
        }
    }
}

/// Erases the enrolled key's file: a later key has taken its place. A systemd credential is not ours to erase.
///
/// # Errors
/// The file is there and cannot be erased.
pub fn erase(state: &Path) -> Result<(), Failure> {
    let path = state.join(KEY_FILE);
    let mut file = match fs::OpenOptions::new().write(true).open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(&path, &e)),
    };
    let length = usize::try_from(file.metadata().map_err(|e| failed(&path, &e))?.len()).unwrap_or(0);
    let erased = file.write_all(&vec![0; length]).and_then(|()| file.sync_all());
    erased.and_then(|()| fs::remove_file(&path)).map_err(|e| failed(&path, &e))?;
    sync_folder(&path)
}

/// Makes a key, with its `.pub` beside it. A gateway's decides its log's suite for good.
///
/// # Errors
/// There is one already, it cannot be written, or this build does not know the suite.
pub fn make(state: &Path, file: &str, suite: Suite) -> Result<Box<dyn Signer>, Failure> {
    let path = &state.join(file);
    if !suite.is_built_in() {
        return Err(unusable(path, NoKey::NotBuiltIn(suite)));
    }
    let (key, pem) = next(suite)?;
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
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft).map_err(|e| failed(&draft, &e))?;
    linked.map_err(|e| failed(path, &e))?;
    write_public(path, &key.public_key())?;
    give_to_owner_of_folder(&[path.clone(), public_path(path)]);
    sync_folder(path)?;
    Ok(key)
}

/// Whoever makes a key as root makes it for the program whose folder it is; nobody else can, and need not.
fn give_to_owner_of_folder(files: &[PathBuf]) {
    let folder = files.first().and_then(|file| fs::metadata(file.parent()?).ok());
    let Some(folder) = folder else { return };
    for file in files {
        if fs::metadata(file).is_ok_and(|about| about.uid() != folder.uid())
            && let Err(error) = chown(file, Some(folder.uid()), Some(folder.gid()))
        {
            tracing::warn!(%error, file = %file.display(), "cannot be given to the owner of its folder");
        }
    }
}

fn cure(why: NoKey) -> (Exit, &'static str) {
    match why {
        NoKey::NotAKey | NoKey::OutOfRange => (Exit::Permission, "restore it from the enrolment copy"),
        NoKey::NotBuiltIn(_) => (Exit::Config, "install one that does"),
    }
}

fn unusable(path: &Path, why: NoKey) -> Failure {
    let (exit, cure) = cure(why);
    Failure::new(exit, format!("{}: {why}; {cure}", path.display()))
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

fn refuse_if_shared(file: &SecretFile) -> Result<(), Failure> {
    let told = |Wrong { wrong, right }| Failure::new(Exit::Permission, format!("{wrong}; {right}"));
    file.shared("key").map_or(Ok(()), |wrong| Err(told(wrong)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_kept_private_and_found_again() {
        let folder = std::env::temp_dir().join(format!("coldhearth-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = load_or_make(&folder, KEY_FILE, true).unwrap().public_key();
        let path = folder.join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_make(&folder, KEY_FILE, true).unwrap().public_key(), first);
        assert_eq!(public_key::load(&public_path(&path)).unwrap(), first);
        fs::write(public_path(&path), "somebody else's").unwrap();
        load_or_make(&folder, KEY_FILE, false).unwrap();
        assert_eq!(public_key::load(&public_path(&path)).unwrap(), first, "the .pub follows the key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load_or_make(&folder, KEY_FILE, true).err().unwrap().exit, Exit::Permission);
        let looked = look(&folder, KEY_FILE).map(|(wrong, _)| wrong.wrong).unwrap_or_default();
        assert!(looked.contains("mode 0644 lets others read the key"), "{looked}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(look(&folder, KEY_FILE), None);
        fs::write(&path, "garbage").unwrap();
        assert!(
            look(&folder, KEY_FILE)
                .is_some_and(|(wrong, differs)| wrong.right.contains("enrolment") && !differs)
        );
        fs::remove_file(&path).unwrap();
        assert_eq!(look(&folder, KEY_FILE), None, "one is made, or the journal holds it");
        assert_eq!(
            load_or_make(&folder, KEY_FILE, false).err().unwrap().exit,
            Exit::Config,
            "nothing is made beside a journal"
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_key_of_the_other_suite_is_found_by_its_file_or_refused_by_name() {
        let folder = std::env::temp_dir().join(format!("coldhearth-suite-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        match make(&folder, KEY_FILE, Suite::Sm2Sm3) {
            Ok(made) => {
                assert_eq!(made.public_key().suite(), Suite::Sm2Sm3);
                let found = load_or_make(&folder, KEY_FILE, false).unwrap().public_key();
                assert_eq!(found, made.public_key());
                assert_eq!(public_key::load(&public_path(&folder.join(KEY_FILE))).unwrap(), found);
                assert!(make(&folder, KEY_FILE, Suite::Ed25519).is_err(), "a key is never overwritten");
                assert_eq!(load_or_make(&folder, KEY_FILE, false).unwrap().public_key(), found);
                assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "no draft is left");
            }
            Err(refused) => {
                assert!(!Suite::Sm2Sm3.is_built_in());
                assert!(refused.message.contains("this build does not know suite sm2-sm3"), "{refused:?}");
                assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing was made");
            }
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
