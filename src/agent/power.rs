//! The supply of the gateway's own machine: whoever watches it raises SIGPWR, and the witness says so while it can.

use tokio::sync::mpsc;

use super::run::Inbox;
use crate::host::service::PowerFailures;

/// Time between two last gasps, in milliseconds: whoever raises the signal again and again fills no log.
pub const GASP_PAUSE_MS: u64 = 10_000;

/// Passes on every warning until nobody listens.
pub async fn watch(mut failures: PowerFailures, inbox: mpsc::Sender<Inbox>) {
    while failures.next().await && inbox.send(Inbox::PowerFails).await.is_ok() {}
}
