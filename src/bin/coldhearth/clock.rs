//! `clock`: how good this machine's clock is, and what to do about it.

use std::path::{Path, PathBuf};

use clap::Args;
use coldhearth::{
    agent::{
        config,
        timekeeping::{Ahead, Timekeeping, by_hand},
    },
    host::{
        Clock as _, Exit, Failure, SystemClock,
        kernel_clock::{self, TELL_MS},
        out, service,
    },
    terms::words::Language,
};

use super::online::listed;

/// The configuration where none is named.
const CONFIG: &str = "/etc/coldhearth/agent.toml";

#[derive(Args)]
pub(crate) struct ClockOrders {
    /// The configuration file, by which the authority's latest receipt is found [default: /etc/coldhearth/agent.toml, if
    /// it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The time that you read elsewhere now, in lawful Chinese time: "2026-11-28 16:30:00" or 16:30; or RFC 3339
    #[arg(long, value_name = "TIME")]
    by: Option<String>,
    /// One JSON object for a machine
    #[arg(long)]
    json: bool,
    /// Keep telling in this file what the kernel says of its clock, for a service that may not ask it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "by", "json"])]
    tell: Option<PathBuf>,
}

/// Shows it; exit 75 where the clock was never set, 1 where it is further off than is allowed for.
pub(crate) fn clock(orders: &ClockOrders) -> Result<Exit, Failure> {
    if let Some(file) = &orders.tell {
        return tell(file);
    }
    let now = SystemClock::default().now();
    let by_hand_unix_ms = orders.by.as_deref().map(|text| {
        by_hand(text, &now).ok_or_else(|| {
            let what = format!("--by {text}: a time is expected, like \"2026-11-28 16:30:00\" or 16:30");
            Failure::new(Exit::Usage, what)
        })
    });
    let told = Timekeeping {
        now,
        battery_unix_ms: kernel_clock::battery_unix_ms(),
        authority: authority(orders.config.as_deref())?,
        by_hand_unix_ms: by_hand_unix_ms.transpose()?,
    };
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let lines = if orders.json { vec![told.json().to_string()] } else { told.lines(language) };
    for line in lines {
        out::say(&line);
    }
    let answer = told.answer();
    if answer == Exit::Done {
        return Ok(answer);
    }
    let lines = told.lines(language);
    Err(Failure::new(answer, lines.first().cloned().unwrap_or_default()))
}

/// What the latest receipt tells. A machine that is not configured yet has none.
fn authority(named: Option<&Path>) -> Result<Option<Ahead>, Failure> {
    let path = named.unwrap_or(Path::new(CONFIG));
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    let config = config::load(path).map_err(|flaws| Failure::new(Exit::Config, listed(&flaws)))?;
    Ok(Ahead::of_receipt(&config))
}

fn tell(file: &Path) -> Result<Exit, Failure> {
    service::start_logging();
    let clock = SystemClock::default();
    let told = async {
        loop {
            let uptime_ms = clock.uptime_ms();
            if let Err(error) = kernel_clock::tell(file, kernel_clock::ask(), uptime_ms) {
                return Failure::new(Exit::Permission, format!("{}: {error}", file.display()));
            }
            clock.sleep_until(uptime_ms.saturating_add(TELL_MS)).await;
        }
    };
    service::runtime()?.block_on(async {
        tokio::select! {
            failed = told => Err(failed),
            asked = service::until_asked_to_stop() => asked.map(|()| Exit::Done),
        }
    })
}
