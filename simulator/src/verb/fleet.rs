//! `coldhearth-sim fleet`.

use std::path::{Path, PathBuf};

use clap::Args;
use coldhearth::host::{
    Exit, Failure,
    courier::{DEFAULT_PORT, DEFAULT_TLS_PORT},
};
use coldhearth_sim::fleet::{self, FleetOrders, KEPT_KIB, MAX_GATEWAYS, MAX_SPEED};

/// The command line of the verb.
#[derive(Args)]
pub(crate) struct Fleet {
    /// How many gateways
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_GATEWAYS)))]
    gateways: u32,
    /// Decides keys, what is said, and what befalls whom
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the public keys to FILE, for `coldhearth-regulator gateway admit`, and end
    #[arg(long, value_name = "FILE", conflicts_with_all = ["broker", "authority"])]
    enrol: Option<PathBuf>,
    /// Write the place and the identifier of each gateway to FILE, for `config/mosquitto/certificates`, and end
    #[arg(long, value_name = "FILE", conflicts_with_all = ["broker", "authority", "enrol"])]
    places: Option<PathBuf>,
    /// The broker, HOST or HOST:PORT
    #[arg(long, value_name = "HOST:PORT", required_unless_present_any = ["enrol", "places"])]
    broker: Option<String>,
    /// Speak TLS: a folder with ca.pem, and ID.crt and ID.key for each gateway's identifier
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// A public key of the authority, whose receipts count; may be given several times
    #[arg(long, value_name = "KEY", required_unless_present_any = ["enrol", "places"])]
    authority: Vec<PathBuf>,
    /// How fast the plants' time runs, in times life; sockets live as ever
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_SPEED))]
    speed: u64,
    /// How long everybody speaks, in time of the wall (60s, 15m)
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = milliseconds)]
    duration: u64,
    /// How long the last records may take to be receipted
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = milliseconds)]
    settle: u64,
    /// Networks of single gateways that fail, for 1 to 20 s each
    #[arg(long, value_name = "N", default_value_t = 0)]
    outages: u32,
    /// Gateways that lose their power and start again
    #[arg(long, value_name = "N", default_value_t = 0)]
    restarts: u32,
    /// Break every link at once, so long after the beginning; may be given several times
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    storm_at: Vec<u64>,
    /// Records one gateway keeps, in KiB
    #[arg(long, value_name = "KIB", default_value_t = KEPT_KIB, value_parser = clap::value_parser!(u64).range(16..=1_048_576))]
    kept: u64,
}

/// Runs it.
///
/// # Errors
/// As [`fleet::run`]: exit 1 when something stays unreceipted or goes missing. Or the list cannot be written.
pub(crate) fn run(orders: Fleet) -> Result<Exit, Failure> {
    if let Some(path) = orders.enrol {
        return write(&path, &fleet::enrolment(orders.seed, orders.gateways)?);
    }
    if let Some(path) = orders.places {
        return write(&path, &fleet::places(orders.seed, orders.gateways)?);
    }
    let broker = orders.broker.unwrap_or_default();
    let report = fleet::run(&FleetOrders {
        gateways: orders.gateways,
        seed: orders.seed,
        broker: address(&broker, orders.tls.is_some())?,
        tls: orders.tls,
        authority: orders.authority,
        speed: orders.speed,
        for_ms: orders.duration,
        settle_ms: orders.settle,
        outages: orders.outages,
        restarts: orders.restarts,
        storms_ms: orders.storm_at,
        kept_kib: orders.kept,
    })?;
    Ok(if report.holds() { Exit::Done } else { Exit::Negative })
}

fn write(path: &Path, list: &str) -> Result<Exit, Failure> {
    let written = std::fs::write(path, list);
    written.map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", path.display())))?;
    Ok(Exit::Done)
}

fn address(broker: &str, encrypted: bool) -> Result<(String, u16), Failure> {
    let wrong = || Failure::new(Exit::Usage, format!("--broker {broker}: HOST or HOST:PORT is expected"));
    match broker.rsplit_once(':') {
        None if !broker.is_empty() => {
            Ok((broker.to_owned(), if encrypted { DEFAULT_TLS_PORT } else { DEFAULT_PORT }))
        }
        Some((host, port)) => Ok((host.to_owned(), port.parse().map_err(|_| wrong())?)),
        None => Err(wrong()),
    }
}

fn milliseconds(text: &str) -> Result<u64, String> {
    coldhearth::terms::time::milliseconds(text)
        .ok_or_else(|| format!("`{text}` is no duration; write 60s or 15m"))
}
