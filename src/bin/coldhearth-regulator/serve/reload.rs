//! What is asked of a collector that serves: to end, or to go on with its configuration read anew. A new one is taken whole
//! or not at all: what it needs is tried first, and what is in force stays in force otherwise.

use coldhearth::{
    host::{
        Exit, Failure,
        clock::monotonic_us,
        service::{Asked, Signals},
        watchdog::Watchdog,
        worry::Worry,
    },
    regulator::config::RegulatorConfig,
};
use tokio::task;

use super::Serve;
use crate::broker;

/// Waits until it is asked to end, which is none, or to go on with another configuration.
pub(super) async fn asked(
    orders: &Serve,
    running: Option<&RegulatorConfig>,
    signals: &mut Signals,
    watchdog: &Watchdog,
) -> Option<Box<RegulatorConfig>> {
    let manager = watchdog.notify();
    loop {
        match signals.next().await {
            Asked::Nothing(signal) => tracing::info!("{signal} asks nothing of this program; it goes on"),
            Asked::Stop(signal) => {
                tracing::info!("asked to stop by {signal}");
                manager.stopping();
                return None;
            }
            Asked::Reload => match manager.while_reloading(monotonic_us(), reload(orders, running)).await {
                Ok(Some(new)) => {
                    watchdog.on_worry(Worry::FileRefused, false);
                    tracing::info!(
                        "asked to reload: valid, the collector goes on with the new configuration"
                    );
                    return Some(new);
                }
                Ok(None) => {
                    watchdog.on_worry(Worry::FileRefused, false);
                    tracing::info!("asked to reload: the configuration says the same, nothing changes");
                }
                // Without a file there is none that is not in force.
                Err(why) => {
                    watchdog.on_worry(Worry::FileRefused, running.is_some());
                    tracing::error!("asked to reload, refused; the old configuration stays in force: {why}");
                }
            },
        }
    }
}

/// Reads all layers anew; none when nothing changes.
async fn reload(
    orders: &Serve,
    running: Option<&RegulatorConfig>,
) -> Result<Option<Box<RegulatorConfig>>, Failure> {
    let (Some(running), Some(new)) = (running, orders.home.config()?) else {
        return Err(Failure::new(Exit::Usage, "without --config FILE there is nothing to read again"));
    };
    super::judge_start(Some(&new))?;
    if format!("{running:?}") == format!("{new:?}") {
        return Ok(None);
    }
    if running.state_dir != new.state_dir {
        let message = "`[authority] state_dir` cannot change while it serves: the key that signs receipts is there; stop \
                       the collector, and start it anew";
        return Err(Failure::new(Exit::Config, message));
    }
    broker::configured(&new.broker)?;
    if let Some(at) = new.metrics.filter(|at| running.metrics != Some(*at) && orders.metrics.is_none()) {
        let taken = |e| Failure::new(Exit::Unreachable, format!("`[metrics] listen` {at}: {e}"));
        std::net::TcpListener::bind(at).map_err(taken)?;
    }
    if running.store != new.store {
        let at = new.store.clone();
        // It may take long, and has a runtime of its own.
        let tried = task::spawn_blocking(move || at.open().map(drop)).await;
        tried.map_err(|e| Failure::new(Exit::Bug, format!("the store could not be tried: {e}")))??;
    }
    Ok(Some(Box::new(new)))
}
