//! `act sign|send`: the authority speaks to a gateway.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use coldhearth::{
    host::{Clock as _, Exit, Failure, SystemClock, service},
    regulator::{acts, store::Store},
};

use crate::{
    broker::{self, BrokerOrders},
    milliseconds, say,
    serve::{STATE, signer},
};

#[derive(Subcommand)]
pub(crate) enum ActVerb {
    /// Sign an act written as one JSON object; prints it as it travels
    Sign {
        /// The act, or `-` for standard input
        file: PathBuf,
        /// Folder of the authority's key
        #[arg(long, value_name = "DIR", default_value = STATE)]
        state: PathBuf,
    },
    /// Send a signed act to its gateway and wait for the signed answer: exit 0 accepted, 1 refused, 75 no answer
    Send {
        #[command(flatten)]
        broker: Box<BrokerOrders>,
        /// The signed act, or `-` for standard input
        file: PathBuf,
        /// Folder of the store
        #[arg(long, value_name = "DIR", default_value = STATE)]
        state: PathBuf,
        /// How long to wait for the answer (30s, 5m, 2h)
        #[arg(long, value_name = "TIME", default_value = "60s", value_parser = milliseconds)]
        wait: u64,
    },
}

pub(crate) fn act(verb: ActVerb) -> Result<Exit, Failure> {
    match verb {
        ActVerb::Sign { file, state } => {
            let signed =
                acts::sign(&read(&file)?, &*signer(&state)?, SystemClock::default().now().wall_unix_ms)?;
            let _gone = std::io::stdout().write_all(&[&signed[..], b"\n"].concat());
            Ok(Exit::Done)
        }
        ActVerb::Send { broker, file, state, wait } => {
            let mut bytes = read(&file)?;
            bytes.truncate(bytes.trim_ascii_end().len());
            let broker = broker::broker(&broker, &format!("coldhearth-act-{}", std::process::id()))?;
            let store = Store::open(&state)?;
            let answer = service::runtime()?
                .block_on(async { acts::send(&SystemClock::default(), broker, &store, bytes, wait).await })?;
            match answer.map(|answer| answer.refused) {
                Some(None) => {
                    say("accepted");
                    Ok(Exit::Done)
                }
                Some(Some(why)) => Err(Failure::new(Exit::Negative, format!("refused: {}", why.word()))),
                None => Err(Failure::new(
                    Exit::Retry,
                    "no answer yet; the act stays on its topic, and the answer will stand in the gateway's log",
                )),
            }
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::new(Exit::Data, format!("{}: {e}", file.display()));
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(failed)
}
