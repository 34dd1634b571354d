//! Where the agent can be looked into, and how its log is written.

use std::{net::SocketAddr, path::PathBuf};

use super::{Gateway, read::Reader};
use crate::{
    agent::inside::SOCKET_FILE,
    host::{
        logging::{self, FORMS},
        service,
    },
    terms::form::{self, Form},
};

/// Where the agent can be looked into, and how its log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusConfig {
    /// The local socket.
    pub socket: PathBuf,
    /// The loopback address of page, metrics and health; none unless configured.
    pub listen: Option<SocketAddr>,
    /// The form of log lines.
    pub log: logging::Form,
}

impl Reader<'_> {
    /// Reads `[status]`, which may be missing.
    pub(super) fn status(&self, form: Option<Form<'_>>, gateway: Option<&Gateway>) -> StatusConfig {
        let state_dir = gateway.map_or(self.base, |gateway| &gateway.state_dir);
        let folder = service::runtime_folder();
        let socket = folder.as_deref().unwrap_or(state_dir).join(SOCKET_FILE);
        let usual = StatusConfig { socket, listen: None, log: logging::Form::default() };
        let Some(form) = form else { return usual };
        let socket = form.optional("socket", form::text).map(|path| self.base.join(path));
        let listen = listen(&form);
        let log = form.optional("log", form::one_of(FORMS)).unwrap_or_default();
        form.close();
        StatusConfig { socket: socket.unwrap_or(usual.socket), listen, log }
    }
}

/// An address of this machine only.
fn listen(form: &Form<'_>) -> Option<SocketAddr> {
    let text = form.optional("listen", form::text)?;
    let Ok(listen) = text.parse::<SocketAddr>() else {
        form.flaw("listen", format!("`listen` is \"{text}\""), "write ADDRESS:PORT, as 127.0.0.1:9463");
        return None;
    };
    if !listen.ip().is_loopback() {
        form.flaw(
            "listen",
            "page, metrics and health are for this machine only",
            "name 127.0.0.1 or [::1], and put a proxy before it",
        );
    }
    Some(listen)
}
