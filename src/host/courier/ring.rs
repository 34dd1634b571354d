//! The certificates and the key in use, and what it takes to change them without a restart: new files must fit each
//! other and open a TLS connection before the connection made with the old ones is given up.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{io::AsyncReadExt as _, sync::mpsc};

use super::{
    Broker, CONNECT_TIMEOUT_S, Event, dial, expiry::Notices, fault, refused::Refused, session::Ending,
};
use crate::host::{
    Clock,
    credentials::{self, Credentials, Part, TlsFiles, Unfit},
};

/// How often the files are looked at for a change, in milliseconds.
pub const FILES_CHECK_MS: u64 = 60_000;
/// How long a broker may take to object to our certificate after the handshake, in milliseconds.
const OBJECTION_MS: u64 = 1_500;

/// What tells one state of a file from another: when it was written, to the nanosecond, its length and its inode.
type Mark = Option<(i64, i64, u64, u64)>;

/// The files, what was last read from them that was good, and what was said of them.
pub(super) struct Ring {
    files: TlsFiles,
    /// In use, or about to be.
    good: Option<Credentials>,
    /// The last that a broker took.
    proven: Option<Credentials>,
    marks: Vec<Mark>,
    /// The state of the files that a broker did not take, while there is something better.
    refused: Option<Vec<Mark>>,
    /// The last complaint, which is made once and not at every attempt.
    complaint: Option<String>,
    notices: Notices,
}

impl Ring {
    /// Nothing is read yet.
    pub(super) fn of(files: TlsFiles) -> Ring {
        let (good, proven, marks, refused, complaint) = (None, None, Vec::new(), None, None);
        Ring { files, good, proven, marks, refused, complaint, notices: Notices::default() }
    }

    /// Reads the files anew for a connection. Files that cannot be used, or that the broker has just refused, leave
    /// what was good before in use.
    pub(super) fn read(&mut self) -> Option<Credentials> {
        self.marks = self.look();
        if self.refused.as_ref() == Some(&self.marks) && self.proven.is_some() {
            self.good.clone_from(&self.proven);
            return self.good.clone();
        }
        self.refused = None;
        match credentials::load(&self.files) {
            Ok(credentials) => {
                self.complaint = None;
                self.good = Some(credentials);
            }
            Err(unfit) => self.complain(&listed(&unfit)),
        }
        self.good.clone()
    }

    /// What became of a connection with what was read.
    pub(super) fn on_ending(&mut self, ending: Ending) {
        if ending.greeted {
            self.proven.clone_from(&self.good);
        } else if self.refused.is_none() && self.proven.is_some() && is_about_credentials(ending.why) {
            self.refused = Some(self.marks.clone());
            self.complain(&format!("the broker does not take them: {}", ending.why.text()));
        }
    }

    /// Ends once other files than those in use have proven themselves; until then says what is wrong with them.
    pub(super) async fn renewed(&mut self, clock: &dyn Clock, broker: &Broker, events: &mpsc::Sender<Event>) {
        // Proven but for the broker, which may learn to trust them a little later.
        let mut waiting = self.refused.is_some();
        loop {
            clock.sleep_until(clock.now().uptime_ms.saturating_add(FILES_CHECK_MS)).await;
            self.tell_expiring(clock, events).await;
            let marks = self.look();
            if marks == self.marks && !waiting {
                continue;
            }
            self.marks = marks;
            match credentials::load(&self.files) {
                Err(unfit) => {
                    waiting = false;
                    self.complain(&listed(&unfit));
                }
                Ok(credentials) => match trial(broker, &credentials).await {
                    Ok(()) => {
                        self.refused = None;
                        tracing::info!("the new certificate files fit and the broker takes them");
                        return;
                    }
                    Err(why) => {
                        waiting = true;
                        self.complain(&format!("the broker does not take them: {}", why.text()));
                    }
                },
            }
        }
    }

    /// Says that a certificate in use is about to end, or has, when it is time to say so.
    pub(super) async fn tell_expiring(&mut self, clock: &dyn Clock, events: &mpsc::Sender<Event>) {
        let ends = self.good.iter().flat_map(|good| &good.ends_unix_ms);
        let mut due = Vec::new();
        for (what, end) in ends {
            if let Some(days) = self.notices.due(*what, *end, &clock.now()) {
                due.push((*what, days));
            }
        }
        for (what, days) in due {
            let path = self.path(what).display();
            let cure = "have it renewed and put the new file in its place; no restart is needed";
            if days > 0 {
                tracing::warn!(days, "{path}: the certificate expires within {days} days; {cure}");
            } else {
                tracing::warn!(days, "{path}: the certificate has expired; {cure}");
            }
            // A program that is gone ends the courier at the next event.
            let _gone = events.send(Event::Expiring { what, days }).await;
        }
    }

    fn complain(&mut self, what: &str) {
        if self.complaint.as_deref() != Some(what) {
            let kept = if self.good.is_some() { "; what was read before stays in use" } else { "" };
            tracing::warn!("the certificate files cannot be used: {what}{kept}");
            self.complaint = Some(what.to_owned());
        }
    }

    fn path(&self, part: Part) -> &Path {
        match (part, &self.files.identity) {
            (Part::Certificate, Some(identity)) => &identity.certificate,
            (Part::Key, Some(identity)) => &identity.key,
            (Part::Authority | Part::ServerName, _) | (_, None) => &self.files.ca,
        }
    }

    fn look(&self) -> Vec<Mark> {
        let identity = self.files.identity.iter().flat_map(|identity| [&identity.certificate, &identity.key]);
        std::iter::once(&self.files.ca).chain(identity).map(mark).collect()
    }
}

/// Whether other certificates of ours, or of our authority, could have changed the answer.
fn is_about_credentials(why: Refused) -> bool {
    matches!(
        why,
        Refused::AuthorityUnknown
            | Refused::CertificateMissing
            | Refused::CertificateUntrusted
            | Refused::CertificateExpired
            | Refused::NoCommonTls
    )
}

fn mark(path: &PathBuf) -> Mark {
    let file = std::fs::metadata(path).ok()?;
    Some((file.mtime(), file.mtime_nsec(), file.len(), file.ino()))
}

fn listed(unfit: &[Unfit]) -> String {
    unfit.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Opens a TLS connection and closes it again. No MQTT is spoken: a second greeting under our name would take the
/// session from the connection that lives.
///
/// # Errors
/// What either side has against the other.
pub(super) async fn trial(broker: &Broker, credentials: &Credentials) -> Result<(), Refused> {
    let handshake = tokio::time::timeout(
        Duration::from_secs(CONNECT_TIMEOUT_S),
        dial::tls(broker, credentials.config.clone()),
    )
    .await;
    let mut tls = handshake.map_err(|_| Refused::Unreachable)??;
    // With TLS 1.3 a broker judges our certificate after we think we are done: its objection comes as the first thing
    // we read. A broker that has none says nothing, for it waits for our greeting.
    match tokio::time::timeout(Duration::from_millis(OBJECTION_MS), tls.read_u8()).await {
        Err(_) | Ok(Ok(_)) => Ok(()),
        Ok(Err(objection)) => Err(fault::of_io(&objection)),
    }
}
