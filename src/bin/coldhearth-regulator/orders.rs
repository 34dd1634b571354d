//! `order new|sign|send|reading|revoke|reset|restore|status|certificate`: cut-off orders, from draft to proof.

use std::path::PathBuf;

use clap::Subcommand;
use coldhearth::{
    evidence::ActKind,
    host::{Clock as _, Exit, Failure, SystemClock, out, public_key},
    regulator::{
        acts,
        orders::{self, About},
    },
    terms::{AssetId, GatewayId, Name, OrderId, words::Language},
};

mod proof;

use crate::{
    acts::{name, read},
    say,
    sending::{Pen, Sending, Way},
    serve::Home,
};

/// What an act is about, on the command line.
#[derive(clap::Args)]
pub(crate) struct AboutOrders {
    /// The equipment
    #[arg(long, value_name = "ID", value_parser = name)]
    asset: Name,
    /// The gateway it stands behind
    #[arg(long, value_name = "ID", value_parser = name)]
    gateway: Name,
    /// Who signs: the authority or the supplier, by its identifier
    #[arg(long, value_name = "ID", value_parser = name)]
    issuer: Name,
}

/// An act that needs nothing but a reason, signed and sent at once.
#[derive(clap::Args)]
pub(crate) struct AtOnce {
    #[command(flatten)]
    about: AboutOrders,
    #[command(flatten)]
    way: Way,
    /// Why, as it shall stand in the act
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Subcommand)]
pub(crate) enum OrderVerb {
    /// Print a draft of an order, or of another act about it, to be filled in: what stands in angle brackets is yours
    New {
        /// The order
        #[arg(value_name = "ORDER", value_parser = name)]
        order: Name,
        #[command(flatten)]
        about: AboutOrders,
        /// What it does: order, acknowledge, plan, claim, suspend, resume, seal, close, reading
        #[arg(long, value_name = "KIND", default_value = "order", value_parser = kind)]
        act: ActKind,
        /// A meter that shall be without power, once for each; of a reading the one that the supplier's stands beside
        #[arg(long = "meter", value_name = "ID", value_parser = name)]
        meters: Vec<Name>,
        /// The supplier's public key, its .pub file: from then on only readings it signed count as the supplier's
        #[arg(long, value_name = "FILE")]
        supplier_key: Option<PathBuf>,
    },
    /// Sign a draft that was filled in; prints it as it travels. What a gateway would refuse is named and not signed
    Sign {
        /// The act, or `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        pen: Pen,
        #[command(flatten)]
        home: Home,
    },
    /// Send a signed act to its gateway and wait for the signed answer: exit 0 accepted, 1 refused, 75 no answer
    Send(Box<Sending>),
    /// Withdraw an order
    Revoke {
        /// The order
        #[arg(value_name = "ORDER", value_parser = name)]
        order: Name,
        #[command(flatten)]
        sending: Box<AtOnce>,
    },
    /// Open the latch of the equipment, its verdict's and that of every order on it
    Reset {
        #[command(flatten)]
        sending: Box<AtOnce>,
    },
    /// Order the reconnection. The record of it is not permission to energise
    Restore {
        /// The order
        #[arg(value_name = "ORDER", value_parser = name)]
        order: Name,
        #[command(flatten)]
        sending: Box<AtOnce>,
    },
    /// Sign and send what the supplier's own meter tells, from its file: every mistake with line and column, and then
    /// nothing is sent. Exit 0 all accepted, 1 refused, 65 a bad file, 75 no answer
    Reading(Box<proof::ReadingOrders>),
    /// Certify that a cut is verified or maintained: a signed object and the page that says the same, ORDER.json and
    /// ORDER.html. Exit 1 where it is not
    Certificate(proof::CertificateOrders),
    /// Show how orders stand, by replaying the logs that are kept: exit 1 when one is violated, a log is impossible, or an
    /// act is signed by nobody who may
    Status {
        /// One order; all of them unless one is named
        #[arg(value_name = "ORDER", value_parser = name)]
        order: Option<Name>,
        /// Of one gateway
        #[arg(long, value_name = "ID", value_parser = name)]
        gateway: Option<Name>,
        /// A further key of the authority that signed acts; may be given several times
        #[arg(long = "trust", value_name = "KEY")]
        trust: Vec<PathBuf>,
        #[command(flatten)]
        home: Home,
        /// Print a JSON array instead
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn order(verb: OrderVerb) -> Result<Exit, Failure> {
    let now_unix_ms = SystemClock::default().now().wall_unix_ms;
    match verb {
        OrderVerb::New { order, about, act, meters, supplier_key } => {
            orders::check_meters(act, &meters)?;
            if supplier_key.is_some() && act != ActKind::Order {
                return Err(Failure::new(
                    Exit::Usage,
                    "--supplier-key: an order alone names the supplier's key",
                ));
            }
            let mut draft = orders::draft(act, about.of(Some(OrderId(order))), &meters, now_unix_ms);
            if let Some(file) = supplier_key {
                draft.insert("supplier_key".into(), public_key::load(&file)?.to_base64().into());
            }
            let text = serde_json::to_string_pretty(&draft)
                .map_err(|e| Failure::new(Exit::Bug, format!("a draft cannot be written: {e}")))?;
            say(&text);
            Ok(Exit::Done)
        }
        OrderVerb::Sign { file, pen, home } => {
            let draft = read(&file)?;
            let open = serde_json::from_slice(&draft).map(|draft| orders::blanks(&draft)).unwrap_or_default();
            if !open.is_empty() {
                let message = format!("still to be filled in: {}", open.join(", "));
                return Err(Failure::new(Exit::Data, message));
            }
            let signed = acts::sign(&draft, &*pen.signer(&home)?, now_unix_ms)?;
            let act = acts::read(&signed)?;
            orders::check(&act)?;
            let strange = orders::strangers(act.kind, &serde_json::from_slice(&draft).unwrap_or_default());
            if !strange.is_empty() {
                let message = format!(
                    "no gateway knows {}: it would do nothing; correct the name, or leave it out",
                    strange.join(", ")
                );
                return Err(Failure::new(Exit::Data, message));
            }
            out::give(&[&signed[..], b"\n"].concat());
            Ok(Exit::Done)
        }
        OrderVerb::Send(sending) => sending.send(|bytes| orders::check(&acts::read(bytes)?)),
        OrderVerb::Revoke { order, sending } => sent(ActKind::Revoke, Some(order), &sending, now_unix_ms),
        OrderVerb::Reset { sending } => sent(ActKind::Reset, None, &sending, now_unix_ms),
        OrderVerb::Restore { order, sending } => sent(ActKind::Restore, Some(order), &sending, now_unix_ms),
        OrderVerb::Reading(reading) => proof::reading(&reading, now_unix_ms),
        OrderVerb::Certificate(wanted) => proof::certificate(&wanted, now_unix_ms),
        OrderVerb::Status { order, gateway, trust, home, json } => {
            let mut all = orders::standing(
                &mut *home.store_that_is_there()?,
                gateway.map(GatewayId),
                &home.trusted(&trust)?,
            )?;
            all.retain(|standing| order.is_none_or(|named| standing.cut.order().id == OrderId(named)));
            Ok(status(&all, json, now_unix_ms))
        }
    }
}

impl AboutOrders {
    pub(crate) fn of(&self, order: Option<OrderId>) -> About {
        About { order, asset: AssetId(self.asset), gateway: GatewayId(self.gateway), issuer: self.issuer }
    }
}

/// Signs an act that needs nothing but a reason, and sends it.
fn sent(kind: ActKind, order: Option<Name>, sending: &AtOnce, now_unix_ms: i64) -> Result<Exit, Failure> {
    let mut draft = orders::draft(kind, sending.about.of(order.map(OrderId)), &[], now_unix_ms);
    draft.insert("reason".into(), sending.reason.as_str().into());
    let bytes = serde_json::to_vec(&draft)
        .map_err(|e| Failure::new(Exit::Bug, format!("a draft cannot be written: {e}")))?;
    sending.way.deliver(acts::sign(&bytes, &*sending.way.home.signer()?, now_unix_ms)?)
}

fn status(all: &[orders::Standing], json: bool, now_unix_ms: i64) -> Exit {
    if json {
        let told: Vec<serde_json::Value> = all.iter().map(|standing| standing.json(now_unix_ms)).collect();
        say(&serde_json::Value::from(told).to_string());
    } else {
        let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
        all.iter().flat_map(|standing| standing.lines(now_unix_ms, language)).for_each(|line| say(&line));
    }
    if all.iter().any(orders::Standing::is_bad) { Exit::Negative } else { Exit::Done }
}

fn kind(text: &str) -> Result<ActKind, String> {
    let about = ActKind::from_word(text).filter(|kind| {
        !matches!(kind, ActKind::Roster | ActKind::Permit | ActKind::RevokeKey | ActKind::Ask)
    });
    about.ok_or_else(|| format!("`{text}` is no act about an order; `order new --help` lists them"))
}
