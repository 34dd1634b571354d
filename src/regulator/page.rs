//! What a collector tells of itself over HTTP, on a loopback address only: `/metrics` for Prometheus, `/health` with
//! its reasons, `/alive` while the process is.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::watch};

use super::{console::TurnedAway, vitals::Vitals};
use crate::host::{
    Clock,
    exit::{Exit, Failure},
    exposition,
    watchdog::Watchdog,
    worry::Worry,
};

#[derive(Clone)]
struct Seen {
    clock: Arc<dyn Clock>,
    vitals: watch::Receiver<Vitals>,
    watchdog: Watchdog,
    turned_away: TurnedAway,
}

impl Seen {
    /// How it is now, with what the serving loop does not know of.
    fn vitals(&self) -> Vitals {
        let file_refused = self.watchdog.worries().contains(&Worry::FileRefused);
        Vitals { file_refused, turned_away: self.turned_away.count(), ..*self.vitals.borrow() }
    }
}

/// Opens the page's listener.
///
/// # Errors
/// The address is no loopback address, or is taken.
pub async fn listen(at: SocketAddr) -> Result<TcpListener, Failure> {
    if !at.ip().is_loopback() {
        let why = format!(
            "{at}: metrics are for this machine only; name 127.0.0.1 or [::1], and a proxy before it"
        );
        return Err(Failure::new(Exit::Config, why));
    }
    let failed = |e: std::io::Error| Failure::new(Exit::Permission, format!("{at}: {e}; name a free port"));
    TcpListener::bind(at).await.map_err(failed)
}

/// Answers until the program ends.
pub async fn show(
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    vitals: watch::Receiver<Vitals>,
    watchdog: Watchdog,
    turned_away: TurnedAway,
) {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/alive", get(async || "alive\n"))
        .with_state(Seen { clock, vitals, watchdog, turned_away });
    // It ends only with its listener, and a collector works without its page.
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the page of metrics has ended");
    }
}

async fn metrics(State(seen): State<Seen>) -> Response {
    let text = seen.vitals().exposition(seen.clock.now().uptime_ms);
    ([(CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response()
}

async fn health(State(seen): State<Seen>) -> Response {
    let (healthy, reasons) = seen.vitals().health(seen.clock.now().uptime_ms);
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CONTENT_TYPE, "application/json")], format!("{reasons}\n")).into_response()
}
