//! The verbs that look into a running agent: `status` and `support-bundle`.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use coldhearth::{
    agent::inside::{ask, bundle, screen, socket},
    host::{Clock as _, Exit, Failure, SystemClock, out, service},
    terms::words::Language,
};

use crate::configuration::{Configuration, USUAL};

/// Time between two looks of `--watch`, in milliseconds.
const WATCH_MS: u64 = 2_000;
/// Clears a terminal and begins at its top.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// `status`
#[derive(Args)]
#[command(
    after_help = "Exit: 0 told, 69 no agent is running, 75 it does not answer now, 77 its socket may not be opened."
)]
pub(crate) struct Status {
    #[command(flatten)]
    layers: Configuration,
    /// The agent's socket, where its configuration cannot be read
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Look again every two seconds
    #[arg(long)]
    watch: bool,
    /// Print JSON; with --watch one document a line
    #[arg(long)]
    json: bool,
}

/// `support-bundle`
#[derive(Args)]
pub(crate) struct SupportBundle {
    /// The file to write, a tar; not over one that is there
    out: PathBuf,
    /// The configuration file of the agent
    #[arg(long, value_name = "FILE", default_value = USUAL)]
    config: PathBuf,
}

/// Tells what a running agent attests, once or again and again.
pub(crate) fn status(orders: &Status) -> Result<Exit, Failure> {
    let socket = place(orders)?;
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let clock = SystemClock::default();
    service::runtime()?.block_on(async {
        loop {
            let text = told(&socket, orders, language).await?;
            let clear =
                if orders.watch && !orders.json && std::io::stdout().is_terminal() { CLEAR } else { "" };
            let mut out = out::out();
            if write!(out, "{clear}{text}").and_then(|()| out.flush()).is_err() {
                return Ok(Exit::Done);
            }
            if !orders.watch {
                return Ok(Exit::Done);
            }
            clock.sleep_until(clock.now().uptime_ms + WATCH_MS).await;
        }
    })
}

/// Where to ask: as told, else where the unit of an installed agent has it, which wants no right to read the configuration.
fn place(orders: &Status) -> Result<PathBuf, Failure> {
    match &orders.socket {
        Some(socket) => Ok(socket.clone()),
        None if orders.layers.is_usual() && Path::new(socket::USUAL).exists() => Ok(socket::USUAL.into()),
        None => Ok(orders.layers.load()?.status.socket),
    }
}

async fn told(socket: &Path, orders: &Status, language: Language) -> Result<String, Failure> {
    let status = ask(socket).await?;
    if !orders.json {
        return Ok(screen(&status, language));
    }
    let written =
        if orders.watch { serde_json::to_string(&status) } else { serde_json::to_string_pretty(&status) };
    let text = written.map_err(|e| Failure::new(Exit::Bug, format!("it could not be written: {e}")))?;
    Ok(format!("{text}\n"))
}

/// Writes what a gateway hands to whoever is asked for help.
pub(crate) fn support_bundle(orders: &SupportBundle) -> Result<Exit, Failure> {
    let clock = SystemClock::default();
    service::runtime()?.block_on(bundle(&clock, &orders.config, &orders.out))?;
    out::say(&format!(
        "{}: look through it before you hand it on: it names your meters, equipment and addresses",
        orders.out.display()
    ));
    Ok(Exit::Done)
}
