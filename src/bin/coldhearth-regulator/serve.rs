//! `serve`: the authority's collector.

use std::path::{Path, PathBuf};

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, SystemClock, keys, service},
    regulator::{collector::Collector, serve, store::SqliteStore},
};

use crate::broker::{self, BrokerOrders};

/// Where the authority keeps its store and its key unless told otherwise.
pub(crate) const STATE: &str = "/var/lib/coldhearth-regulator";

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    broker: BrokerOrders,
    /// Folder of the store and of the key that signs receipts
    #[arg(long, value_name = "DIR", default_value = STATE)]
    state: PathBuf,
    /// Name to use at the broker
    #[arg(long, default_value = "coldhearth-collector")]
    client_id: String,
}

pub(crate) fn serve(orders: &Serve) -> Result<Exit, Failure> {
    service::start_logging();
    let broker = broker::broker(&orders.broker, &orders.client_id)?;
    let collector = Collector::open(Box::new(SqliteStore::open(&orders.state)?), signer(&orders.state)?)?;
    let key = collector.public_key();
    tracing::info!(kid = %key.id(), fingerprint = key.fingerprint(), "receipts are signed by this key");
    service::runtime()?.block_on(async {
        let asked = async {
            // Without signals it serves until it is ended otherwise.
            if service::until_asked_to_stop().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        serve::serve(&SystemClock::default(), broker, collector, asked).await
    })
}

/// The authority's key, made at its first use.
pub(crate) fn signer(state: &Path) -> Result<Box<dyn coldhearth::evidence::Signer>, Failure> {
    std::fs::create_dir_all(state)
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))?;
    keys::load_or_make(state, keys::AUTHORITY_FILE, true)
}
