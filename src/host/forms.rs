//! What a person writes of a connection in a configuration: files for TLS, a login, a secret's file.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::credentials::{self, Identity, TlsFiles};
use crate::terms::form::{self, Form};

/// Reads `{ ca, certificate, key, server_name }`, paths counted from `base`; `key` may be a credential, too. Files that
/// cannot be used are mistakes of the configuration: better found now than by the first connection.
pub fn tls(form: Form<'_>, base: &Path) -> Option<TlsFiles> {
    let ca = form.required("ca", form::text);
    let certificate = form.optional("certificate", form::text);
    let key = form.optional("key", form::text);
    let server_name = form.optional("server_name", form::text);
    if certificate.is_some() != key.is_some() {
        form.flaw("certificate", "`certificate` and `key` belong together", "give both or neither");
    }
    let identity = certificate.zip(key).map(|(certificate, key)| Identity {
        certificate: base.join(certificate),
        key: secret_file(&key, base),
    });
    let files = ca.map(|ca| TlsFiles { ca: base.join(ca), identity, server_name });
    if let Some(Err(unfit)) = files.as_ref().map(credentials::load) {
        for unfit in unfit {
            form.flaw(unfit.part.word(), unfit.what.wrong, unfit.what.right);
        }
    }
    form.close();
    files
}

/// Reads `password_file`: a file counted from `base`, or a credential of that name that the service manager hands out.
/// A file that others can read is a mistake.
pub fn password_file(form: &Form<'_>, base: &Path) -> Option<PathBuf> {
    let file = secret_file(&form.optional("password_file", form::text)?, base);
    let mode = std::fs::metadata(&file).map_or(0, |about| about.permissions().mode());
    if mode & 0o077 != 0 {
        let wrong = format!("{}: mode {:04o} lets others read the password", file.display(), mode & 0o777);
        form.flaw("password_file", wrong, format!("run: chmod 600 {}", file.display()));
    }
    Some(file)
}

/// A file counted from `base`, or, where that is not there, a credential of that name that the service manager hands out.
fn secret_file(name: &str, base: &Path) -> PathBuf {
    let own = base.join(name);
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(name));
    credential.filter(|credential| !own.exists() && credential.exists()).unwrap_or(own)
}
