//! A gateway's first key, before anything was ever signed; and another first key, after the first was lost.

use super::{
    config::AgentConfig,
    journal::{DiskJournal, JOURNAL_FILE},
    start::journal_failed,
};
use crate::{
    evidence::{Journal as _, PublicKey, Suite},
    host::{
        exit::{Exit, Failure},
        keys::{self, KEY_FILE},
    },
};

/// Makes the first key in the state directory, or finds it there. `again` makes another one beside a journal whose own
/// key is gone.
///
/// # Errors
/// A journal stands there whose key is not lost, or a file cannot be written.
pub fn enrol(config: &AgentConfig, suite: Suite, again: bool) -> Result<PublicKey, Failure> {
    let state = &config.gateway.state_dir;
    std::fs::create_dir_all(state)
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))?;
    let path = state.join(JOURNAL_FILE);
    let has_key = state.join(KEY_FILE).exists();
    if path.exists() {
        let mut journal = DiskJournal::open(&path)?;
        let begun = journal.last().map_err(journal_failed)?.is_some();
        let kept = journal.key().map_err(journal_failed)?.is_some();
        if begun && !has_key && (kept || !again) {
            let cure =
                if kept { "its key is in it: start the agent" } else { "pass --again if its key is lost" };
            return Err(Failure::new(
                Exit::Config,
                format!("{}: a log has begun here; {cure}", path.display()),
            ));
        }
    }
    if has_key { keys::load_or_make(state, KEY_FILE, false) } else { keys::make(state, KEY_FILE, suite) }
        .map(|key| key.public_key())
}
