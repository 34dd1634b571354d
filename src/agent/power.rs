//! The supply of the gateway's own machine: whoever watches it raises SIGPWR, and the witness says so while it can.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::run::Inbox;
use crate::host::{Clock, hush::Hush, service::PowerFailures};

/// Time between two last gasps, in milliseconds: whoever raises the signal again and again fills no log.
pub const GASP_PAUSE_MS: u64 = 10_000;

/// Passes on every warning until nobody listens.
pub async fn watch(clock: Arc<dyn Clock>, mut failures: PowerFailures, inbox: mpsc::Sender<Inbox>) {
    let mut hush = Hush::default();
    while failures.next().await {
        if let Some(not_told) = hush.may(clock.now().uptime_ms, 0) {
            let not_told = (not_told > 0).then_some(not_told);
            tracing::warn!(
                not_told,
                "this machine's supply is failing (SIGPWR): last words are written and sent"
            );
        }
        if inbox.send(Inbox::PowerFails).await.is_err() {
            return;
        }
    }
}
