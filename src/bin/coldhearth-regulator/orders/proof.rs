//! `order reading` and `order certificate`: the second witness, and what both come to.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, public_key},
    judge::cutoff::reading::{MAX_ERROR_PPM, MAX_STEP},
    regulator::{
        acts::{self, Reply},
        certificate,
        utility::{self, Beside, MAX_FILE_BYTES, Told},
    },
    terms::{Flaw, GatewayId, Name, OrderId},
};
use serde_json::{Map, Value};

use super::AboutOrders;
use crate::{
    acts::name,
    say,
    sending::{Pen, Way, answered},
    serve::Home,
};

#[derive(Args)]
pub(crate) struct ReadingOrders {
    /// The order
    #[arg(value_name = "ORDER", value_parser = name)]
    order: Name,
    #[command(flatten)]
    about: AboutOrders,
    /// Our metering point which the supplier's meter stands beside
    #[arg(long, value_name = "ID", value_parser = name)]
    meter: Name,
    /// The supplier's file: meter,start,end,energy_kwh,quality,state
    #[arg(long, value_name = "FILE", required_unless_present = "json", conflicts_with = "json")]
    csv: Option<PathBuf>,
    /// The supplier's file, in JSON; src/regulator/utility/json.rs tells what stands in it
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What the supplier's meter and transformers may err together, parts per million: 5000 is half a per cent; 40000 at
    /// most, class 2 behind transformers of class 1
    #[arg(long, value_name = "PPM", default_value = "5000", value_parser = clap::value_parser!(u32).range(0..=MAX_ERROR_PPM))]
    error_ppm: u32,
    /// Smallest advance of its register, primary side, in watt-hours; 2100000 at most, 0.01 kWh at 3000/5 A and 35 kV
    #[arg(long, value_name = "WH", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=MAX_STEP.0))]
    step_wh: u32,
    /// Print the acts unsigned, one a line, and send nothing
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    pen: Pen,
    #[command(flatten)]
    way: Way,
}

pub(crate) fn reading(orders: &ReadingOrders, now_unix_ms: i64) -> Result<Exit, Failure> {
    let told = told(orders, now_unix_ms)?;
    let beside = Beside { meter: orders.meter, error_ppm: orders.error_ppm, step_wh: orders.step_wh };
    let about = orders.about.of(Some(OrderId(orders.order)));
    let drafts = |turn| told.acts(about, beside, now_unix_ms.saturating_add(i64::from(turn) * 1_000));
    let written = |draft: &Map<String, Value>| {
        serde_json::to_vec(draft)
            .map_err(|e| Failure::new(Exit::Bug, format!("a draft cannot be written: {e}")))
    };
    if orders.draft {
        for draft in &drafts(0) {
            say(&String::from_utf8_lossy(&written(draft)?));
        }
        return Ok(Exit::Done);
    }
    // All are signed before the first is sent.
    let signer = orders.pen.signer(&orders.way.home)?;
    let sign = |draft: &Map<String, Value>| acts::sign(&written(draft)?, &*signer, now_unix_ms);
    // Another file of this second came before: its acts have the same names and a version that is as late.
    let turns = (0..acts::TURNS_A_SECOND).map(|turn| drafts(turn).iter().map(sign).collect());
    let turns = turns.collect::<Result<Vec<Vec<Vec<u8>>>, Failure>>()?;
    let mut store = orders.way.home.store_that_is_there()?;
    for place in 0..drafts(0).len() {
        let mut reply = Reply::default();
        for act in turns.iter().filter_map(|turn| turn.get(place)) {
            reply = orders.way.send(&mut *store, act.clone())?;
            if !reply.is_outrun() {
                break;
            }
        }
        answered(&reply)?;
        say("accepted");
    }
    Ok(Exit::Done)
}

#[derive(Args)]
pub(crate) struct CertificateOrders {
    /// The order
    #[arg(value_name = "ORDER", value_parser = name)]
    order: Name,
    /// The gateway whose log it stands in, where several have an order of this name
    #[arg(long, value_name = "ID", value_parser = name)]
    gateway: Option<Name>,
    /// The folder to write ORDER.json and ORDER.html into
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// A further key of the authority that signed acts it rests on; may be given several times
    #[arg(long = "trust", value_name = "KEY")]
    trust: Vec<PathBuf>,
    #[command(flatten)]
    home: Home,
}

pub(crate) fn certificate(orders: &CertificateOrders, now_unix_ms: i64) -> Result<Exit, Failure> {
    let mut store = orders.home.store_that_is_there()?;
    let signer = orders.home.signer()?;
    let mut trusted =
        orders.trust.iter().map(|path| public_key::load(path)).collect::<Result<Vec<_>, _>>()?;
    trusted.push(signer.public_key());
    let about = (OrderId(orders.order), orders.gateway.map(GatewayId));
    let issued = certificate::issue(&mut *store, about, &trusted, &*signer, now_unix_ms)?;
    for (ending, bytes) in [("json", &issued.json[..]), ("html", issued.html.as_bytes())] {
        let path = orders.out.join(format!("{}.{ending}", orders.order));
        std::fs::write(&path, bytes).map_err(|e| {
            Failure::new(Exit::Permission, format!("{}: {e}; name a folder with --out", path.display()))
        })?;
        say(&path.display().to_string());
    }
    Ok(Exit::Done)
}

fn told(orders: &ReadingOrders, now_unix_ms: i64) -> Result<Told, Failure> {
    let (file, is_csv) = match (&orders.csv, &orders.json) {
        (Some(file), _) => (file, true),
        (None, Some(file)) => (file, false),
        (None, None) => return Err(Failure::new(Exit::Usage, "name the supplier's file: --csv or --json")),
    };
    let (bytes, name) = (bytes(file)?, file.display().to_string());
    let told = match utility::text(&name, &bytes) {
        Ok(text) if is_csv => Told::csv(&name, text, now_unix_ms),
        Ok(text) => Told::json(&name, text, now_unix_ms),
        Err(flaw) => Err(vec![flaw]),
    };
    told.map_err(|flaws| {
        Failure::new(Exit::Data, format!("nothing was sent, for the file is not right\n{}", listed(&flaws)))
    })
}

/// One byte more than a file may have is enough to see that it has too many.
fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::new(Exit::Data, format!("{}: {e}", file.display()));
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    opened.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn listed(flaws: &[Flaw]) -> String {
    flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
