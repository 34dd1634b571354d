//! `support-bundle`: what an authority hands to whoever is asked for help.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, SystemClock, service},
    regulator::support::{self, Asked},
};

use crate::serve::STATE;

#[derive(Args)]
pub(crate) struct SupportBundle {
    /// The file to write, a tar; not over one that is there
    out: PathBuf,
    /// Folder of the authority's key, and of its store
    #[arg(long, value_name = "DIR", default_value = STATE)]
    state: PathBuf,
    /// The authority's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where a running `serve` shows its metrics
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
}

pub(crate) fn support_bundle(orders: &SupportBundle) -> Result<Exit, Failure> {
    let asked = Asked { config: orders.config.as_deref(), state: &orders.state, metrics: orders.metrics };
    let clock = SystemClock::default();
    service::runtime()?.block_on(support::bundle(&clock, asked, &orders.out))?;
    crate::say(&format!("{}: look through it before you hand it on", orders.out.display()));
    Ok(Exit::Done)
}
