//! `act sign|send|ask`: the authority speaks to a gateway.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use coldhearth::{
    evidence::follow::{Place, Seen},
    host::{Clock as _, Exit, Failure, SystemClock, out},
    regulator::{
        acts::{self, Reply},
        timeline::Timeline,
    },
    terms::{AssetId, GatewayId, Name, words::Language},
};

use crate::{
    say,
    sending::{Sending, Way, answered},
    serve::Home,
};

#[derive(Subcommand)]
pub(crate) enum ActVerb {
    /// Sign an act written as one JSON object; prints it as it travels
    Sign {
        /// The act, or `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        home: Home,
    },
    /// Send a signed act to its gateway and wait for the signed answer: exit 0 accepted, 1 refused, 75 no answer
    Send(Box<Sending>),
    /// Ask a gateway for the verdict on a piece of equipment now, and show it: exit 0 told, 1 refused, 75 nothing came yet
    Ask {
        #[command(flatten)]
        way: Box<Way>,
        /// The equipment
        #[arg(value_name = "EQUIPMENT", value_parser = name)]
        asset: Name,
        /// The gateway it stands behind
        #[arg(long, value_name = "ID", value_parser = name)]
        gateway: Name,
        /// Print the signed record as it came instead of a line
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn act(verb: ActVerb) -> Result<Exit, Failure> {
    match verb {
        ActVerb::Sign { file, home } => {
            let signed =
                acts::sign(&read(&file)?, &*home.signer()?, SystemClock::default().now().wall_unix_ms)?;
            out::give(&[&signed[..], b"\n"].concat());
            Ok(Exit::Done)
        }
        ActVerb::Send(sending) => sending.send(|_| Ok(())),
        ActVerb::Ask { way, asset, gateway, json } => {
            let now_unix_ms = SystemClock::default().now().wall_unix_ms;
            let (gateway, asset) = (GatewayId(gateway), AssetId(asset));
            let (mut store, signer) = (way.home.store_that_is_there()?, way.home.signer()?);
            let mut reply = Reply::default();
            for turn in 0..acts::TURNS_A_SECOND {
                let bytes = acts::question(gateway, asset, &*signer, now_unix_ms, turn)?;
                reply = way.send(&mut *store, bytes)?;
                if !reply.is_outrun() {
                    break;
                }
            }
            answered(&reply)?;
            let Some((record, bytes)) = reply.verdict else {
                return Err(Failure::new(
                    Exit::Retry,
                    "accepted, but the verdict has not come yet; it stands in the gateway's log, and `watch` shows it",
                ));
            };
            if json {
                say(&String::from_utf8_lossy(&bytes));
                return Ok(Exit::Done);
            }
            let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
            if let Some(line) = Timeline::new(language).on(&Seen::Record(record, Place::Aside)) {
                say(&line.text);
            }
            Ok(Exit::Done)
        }
    }
}

pub(crate) fn name(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| format!("`{text}` is no identifier: 1 to 24 of a-z, 0-9, _ and -"))
}

pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::new(Exit::Data, format!("{}: {e}", file.display()));
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(failed)
}
