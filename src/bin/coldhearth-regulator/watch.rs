//! `watch`: attestations on the screen.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, SystemClock, public_key, service},
    regulator::{self, WatchOrders},
    terms::words::Language,
};

use crate::{
    broker::{self, BrokerOrders},
    milliseconds,
};

#[derive(Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    broker: BrokerOrders,
    /// A public key that is believed: a gateway's first (its `.pub`), or an authority's, whose receipts vouch for the
    /// gateways'; may be given several times
    #[arg(long = "trust", value_name = "KEY")]
    trust: Vec<PathBuf>,
    /// End with 0 on a verified violation, with 75 when none came in TIMEOUT (30s, 5m, 2h)
    #[arg(long, value_name = "TIMEOUT", value_parser = milliseconds)]
    until_violation: Option<u64>,
    /// Append the exact bytes of every verified record to FILE, for `coldhearth verify`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Name to use at the broker
    #[arg(long, default_value = "coldhearth-watch")]
    client_id: String,
}

pub(crate) fn watch(orders: Watch) -> Result<Exit, Failure> {
    let trusted = orders.trust.iter().map(|path| public_key::load(path)).collect::<Result<Vec<_>, _>>()?;
    let name = format!("{}-{}", orders.client_id, std::process::id());
    let broker = broker::broker(&orders.broker, &name)?;
    let mut out = std::io::stdout();
    let orders = WatchOrders {
        broker,
        trusted,
        until_violation_ms: orders.until_violation,
        save: orders.save,
        language: Language::of_locale(&std::env::var("LANG").unwrap_or_default()),
        colour: out.is_terminal(),
    };
    let waits = orders.until_violation_ms.is_some();
    service::runtime()?.block_on(async {
        let clock = SystemClock::default();
        let asked = async {
            // Without signals the watch ends by its own conditions.
            if service::until_asked_to_stop().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let (exit, tally) = regulator::watch(&clock, orders, &mut out, asked).await?;
        if waits && exit == Exit::Retry {
            let _gone =
                writeln!(std::io::stderr(), "no violation in time ({} records verified)", tally.verified);
        }
        Ok(exit)
    })
}
