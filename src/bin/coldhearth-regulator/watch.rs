//! `watch`: attestations on the screen.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, SystemClock, out, public_key, service},
    regulator::{
        self, WatchOrders,
        watch::{Awaited, Until},
    },
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
    /// End with 0 on the first verified verdict on equipment, whatever it says, with 75 when none came in TIMEOUT
    #[arg(long, value_name = "TIMEOUT", value_parser = milliseconds, conflicts_with = "until_violation")]
    until_verdict: Option<u64>,
    /// Append the exact bytes of every verified record to FILE, for `coldhearth verify`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Name to use at the broker
    #[arg(long, default_value = "coldhearth-watch")]
    client_id: String,
}

impl Watch {
    fn until(&self) -> Option<Until> {
        let violation = self.until_violation.map(|ms| (Awaited::Violation, ms));
        let verdict = self.until_verdict.map(|ms| (Awaited::Verdict, ms));
        violation.or(verdict).map(|(awaited, within_ms)| Until { awaited, within_ms })
    }
}

pub(crate) fn watch(orders: Watch) -> Result<Exit, Failure> {
    let trusted = orders.trust.iter().map(|path| public_key::load(path)).collect::<Result<Vec<_>, _>>()?;
    let name = format!("{}-{}", orders.client_id, std::process::id());
    let broker = broker::broker(&orders.broker, &name)?;
    let mut out = out::out();
    let until = orders.until();
    let orders = WatchOrders {
        broker,
        trusted,
        until,
        save: orders.save,
        language: Language::of_locale(&std::env::var("LANG").unwrap_or_default()),
        colour: std::io::stdout().is_terminal(),
    };
    let awaited = orders.until.map(|until| until.awaited);
    service::runtime()?.block_on(async {
        let clock = SystemClock::default();
        let asked = async {
            // Without signals the watch ends by its own conditions.
            if service::until_asked_to_stop().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let (exit, tally) = regulator::watch(&clock, orders, &mut out, asked).await?;
        if let (Some(awaited), Exit::Retry) = (awaited, exit) {
            let what = match awaited {
                Awaited::Verdict => "verdict",
                Awaited::Violation => "violation",
            };
            let _gone =
                writeln!(std::io::stderr(), "no {what} in time ({} records verified)", tally.verified);
        }
        Ok(exit)
    })
}
