//! The way of an act to its gateway: whose key signs it, where it goes, how long its answer is waited for.

use std::path::PathBuf;

use clap::Args;
use coldhearth::{
    evidence::Signer,
    host::{Exit, Failure, SystemClock, keys, service},
    regulator::{
        acts::{self, Reply},
        store::Store,
    },
};

use crate::{
    acts::read,
    broker::{self, BrokerOrders},
    milliseconds, say,
    serve::Home,
};

/// The way to a gateway and back.
#[derive(Args)]
pub(crate) struct Way {
    #[command(flatten)]
    broker: BrokerOrders,
    #[command(flatten)]
    pub(crate) home: Home,
    /// How long to wait for the signed answer (30s, 5m, 2h)
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = milliseconds)]
    wait: u64,
}

impl Way {
    /// Sends signed bytes and takes what the gateway says to them.
    pub(crate) fn send(&self, store: &mut dyn Store, bytes: Vec<u8>) -> Result<Reply, Failure> {
        let broker = broker::broker(&self.broker, &format!("coldhearth-act-{}", std::process::id()))?;
        service::runtime()?
            .block_on(async { acts::send(&SystemClock::default(), broker, store, bytes, self.wait).await })
    }

    /// Sends signed bytes, and fails unless the gateway takes them.
    pub(crate) fn deliver(&self, bytes: Vec<u8>) -> Result<Exit, Failure> {
        answered(&self.send(&mut *self.home.store_that_is_there()?, bytes)?)?;
        say("accepted");
        Ok(Exit::Done)
    }
}

/// A signed act in a file, and its way.
#[derive(Args)]
pub(crate) struct Sending {
    #[command(flatten)]
    way: Way,
    /// The signed act, or `-` for standard input
    file: PathBuf,
}

impl Sending {
    /// Sends it if it passes a look.
    pub(crate) fn send(&self, look: impl FnOnce(&[u8]) -> Result<(), Failure>) -> Result<Exit, Failure> {
        let mut bytes = read(&self.file)?;
        bytes.truncate(bytes.trim_ascii_end().len());
        look(&bytes)?;
        self.way.deliver(bytes)
    }
}

/// Whose key signs.
#[derive(Args)]
pub(crate) struct Pen {
    /// Sign with this private key instead of the authority's, PEM: the supplier's own, where the order names it
    #[arg(long, value_name = "FILE")]
    sign_with: Option<PathBuf>,
}

impl Pen {
    pub(crate) fn signer(&self, home: &Home) -> Result<Box<dyn Signer>, Failure> {
        self.sign_with.as_deref().map_or_else(|| home.signer(), keys::load)
    }
}

/// Whether the gateway took the act.
pub(crate) fn answered(reply: &Reply) -> Result<(), Failure> {
    match reply.answer.map(|answer| answer.refused) {
        Some(None) => Ok(()),
        Some(Some(why)) => Err(Failure::new(Exit::Negative, format!("refused: {}", why.word()))),
        None => Err(Failure::new(
            Exit::Retry,
            "no answer yet; the act stays on its topic, and the answer will stand in the gateway's log",
        )),
    }
}
