//! The file of a secret: one that lies where the configuration says, or a credential that the service manager hands out.
//! Nobody but its owner may read the first. The second is the service manager's to guard: systemd 254 and later give it to
//! the service's user by an access list, which shows as a mode of 0440, so that only what is open to everybody is refused.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::terms::flaw::Wrong;

/// Names the folder of the service's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Modes of a file that its owner alone may use: these bits are not set.
const OTHERS_THAN_OWNER: u32 = 0o077;
/// Modes of a credential that is not open to everybody.
const EVERYBODY: u32 = 0o007;
/// Largest secret that is read, in bytes.
const MAX_BYTES: u64 = 65_536;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretFile {
    pub(crate) path: PathBuf,
    is_credential: bool,
}

impl SecretFile {
    /// A file counted from `base`, or, where that is not there, a credential of that name.
    pub(crate) fn named(name: &str, base: &Path) -> SecretFile {
        SecretFile::among(name, base, std::env::var_os(CREDENTIALS).map(PathBuf::from).as_deref())
    }

    fn among(name: &str, base: &Path, credentials: Option<&Path>) -> SecretFile {
        let own = base.join(name);
        let handed_out = credentials.map(|folder| folder.join(name));
        let path = handed_out.filter(|credential| !own.exists() && credential.exists()).unwrap_or(own);
        let is_credential = credentials.is_some_and(|folder| path.starts_with(folder));
        SecretFile { path, is_credential }
    }

    /// Its text.
    ///
    /// # Errors
    /// It cannot be read, or is too large for a secret.
    pub(crate) fn text(&self) -> io::Result<String> {
        let about = fs::metadata(&self.path)?;
        if !about.is_file() || about.len() > MAX_BYTES {
            return Err(io::Error::other("it is no file of a secret's size"));
        }
        fs::read_to_string(&self.path)
    }

    /// That more people may read it than should, and what to do; nothing where it is not there.
    pub(crate) fn shared(&self, what: &str) -> Option<Wrong> {
        let mode = fs::metadata(&self.path).ok()?.permissions().mode() & 0o777;
        let refused = if self.is_credential { EVERYBODY } else { OTHERS_THAN_OWNER };
        if mode & refused == 0 {
            return None;
        }
        let path = self.path.display();
        let right = if self.is_credential {
            "hand it out with LoadCredential= in the unit, which makes it 0400 or 0440".to_owned()
        } else {
            format!("run: chmod 600 {path}")
        };
        Some(Wrong::new(format!("{path}: mode {mode:04o} lets others read the {what}"), right))
    }

    /// That it cannot be read here and now, though it may be when the service runs; `None` when it never will.
    pub(crate) fn may_come(&self, error: &io::Error) -> Option<Wrong> {
        let path = self.path.display();
        if error.kind() == io::ErrorKind::NotFound {
            let wrong = format!("{path}: is not there");
            return Some(Wrong::new(wrong, "put it there, or hand it out as a credential of that name"));
        }
        (error.kind() == io::ErrorKind::PermissionDenied).then(|| {
            let wrong = format!("{path}: cannot be read by this user");
            Wrong::new(wrong, "the user that the service runs as must own it: see `User=` in the unit")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_of_an_access_list_is_good_and_one_that_is_open_to_all_is_not() {
        let folder = std::env::temp_dir().join(format!("coldhearth-secret-{}", std::process::id()));
        let credentials = folder.join("credentials");
        fs::create_dir_all(&credentials).unwrap();
        let (own, handed_out) = (folder.join("own"), credentials.join("handed-out"));
        let shared = |name: &str, file: &Path, mode: u32| {
            let _former = fs::remove_file(file);
            fs::write(file, "hunter2").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
            let found = SecretFile::among(name, &folder, Some(&credentials));
            assert_eq!(found.path, file);
            found.shared("password").map(|wrong| format!("{}, {}", wrong.wrong, wrong.right))
        };
        for (mode, is_refused) in [(0o400, false), (0o600, false), (0o440, true), (0o644, true)] {
            let told = shared("own", &own, mode);
            assert_eq!(told.is_some(), is_refused, "{mode:o}: {told:?}");
            assert!(told.is_none_or(|told| told.contains("lets others read the password, run: chmod 600 ")));
        }
        for (mode, is_refused) in [(0o400, false), (0o440, false), (0o444, true), (0o604, true)] {
            let told = shared("handed-out", &handed_out, mode);
            assert_eq!(told.is_some(), is_refused, "{mode:o}: {told:?}");
            assert!(told.is_none_or(|told| told.contains("LoadCredential=") && !told.contains("chmod")));
        }
        let in_full = handed_out.display().to_string();
        fs::set_permissions(&handed_out, fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(SecretFile::among(&in_full, &folder, Some(&credentials)).shared("key"), None);
        assert!(
            SecretFile::among(&in_full, &folder, None).shared("key").is_some(),
            "no folder of credentials"
        );
        let none = SecretFile::among("none", &folder, Some(&credentials));
        assert_eq!((none.path.clone(), none.shared("key")), (folder.join("none"), None));
        assert!(none.may_come(&none.text().unwrap_err()).is_some());
        let never = SecretFile::among("credentials", &folder, None);
        assert_eq!(never.may_come(&never.text().unwrap_err()), None, "a folder is no secret");
        fs::remove_dir_all(&folder).unwrap();
    }
}
