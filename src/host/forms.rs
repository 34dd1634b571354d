//! What a person writes of a connection in a configuration: a host, files for TLS, a login, a secret's file.
//!
//! A secret that is not there is no mistake of the file: the service manager may hand it out when the service starts. It is
//! noted apart, as `absent`, for `check` to warn of and for a service to end at.

use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::ServerName;

use super::{
    credentials::{self, Identity, Part, TlsFiles},
    secret_file::SecretFile,
};
use crate::terms::{
    Flaws,
    flaw::Wrong,
    form::{self, Form, Reading, Value},
};

/// Reads `{ ca, certificate, key, server_name }`, paths counted from `base`; `key` may be a credential, too. Files that
/// cannot be used are mistakes of the configuration: better found now than by the first connection.
pub fn tls(form: Form<'_>, base: &Path, absent: &Flaws) -> Option<TlsFiles> {
    let ca = form.required("ca", form::text);
    let certificate = form.optional("certificate", form::text);
    let key = form.optional("key", form::text);
    let server_name = form.optional("server_name", form::text);
    if certificate.is_some() != key.is_some() {
        form.flaw("certificate", "`certificate` and `key` belong together", "give both or neither");
    }
    let mut may_come = false;
    let identity = certificate.zip(key).map(|(certificate, key)| {
        let key = SecretFile::named(&key, base);
        may_come = key_may_come(&form, &key, absent);
        Identity { certificate: base.join(certificate), key: key.path }
    });
    let files = ca.map(|ca| TlsFiles { ca: base.join(ca), identity, server_name });
    if let Some(Err(unfit)) = files.as_ref().map(credentials::load) {
        for unfit in unfit.into_iter().filter(|unfit| !(may_come && unfit.part == Part::Key)) {
            form.flaw(unfit.part.word(), unfit.what.wrong, unfit.what.right);
        }
    }
    form.close();
    files
}

/// Refuses the `key` of a certificate that others may read; tells whether it is not here and may still come.
pub(crate) fn key_may_come(form: &Form<'_>, key: &SecretFile, absent: &Flaws) -> bool {
    if let Some(Wrong { wrong, right }) = key.shared("key") {
        form.flaw("key", wrong, right);
    }
    let wrong = key.text().err().and_then(|e| key.may_come(&e));
    let may_come = wrong.is_some();
    wrong.into_iter().for_each(|wrong| absent.add(form.place("key").clone(), wrong));
    may_come
}

/// Reads `password_file`: a file counted from `base`, or a credential of that name that the service manager hands out.
/// A file that others can read, or that holds nothing, is a mistake.
pub fn password_file(form: &Form<'_>, base: &Path, absent: &Flaws) -> Option<PathBuf> {
    const KEY: &str = "password_file";
    let file = SecretFile::named(&form.optional(KEY, form::text)?, base);
    let path = file.path.display();
    match file.text() {
        Ok(text) if text.trim().is_empty() => {
            form.flaw(KEY, format!("{path}: is empty"), "write the password into it");
        }
        Ok(_) => {}
        Err(e) => match file.may_come(&e) {
            Some(wrong) => absent.add(form.place(KEY).clone(), wrong),
            None => {
                form.flaw(
                    KEY,
                    format!("{path}: {e}"),
                    "name a file that holds the password and nothing else",
                );
            }
        },
    }
    if let Some(Wrong { wrong, right }) = file.shared("password") {
        form.flaw(KEY, wrong, right);
    }
    Some(file.path)
}

/// A host name or an address, alone.
///
/// # Errors
/// It holds anything else: a scheme, a port, a blank.
pub fn host(value: &Value) -> Reading<String> {
    let text = form::text(value)?;
    match ServerName::try_from(text.as_str()) {
        Ok(_) => Ok(text),
        Err(_) => {
            let right = "a host name or an address is expected, without scheme and port";
            Err(Wrong::new(format!("is \"{text}\""), right))
        }
    }
}
