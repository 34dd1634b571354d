//! The verbs of whoever stands at the meter: scan, identify, probe, tap, tune. All of them only read.

use std::{io::Write as _, path::PathBuf, sync::Arc};

use clap::Args;
use coldhearth::{
    agent::{
        bus::{Dial, Terms, dialler},
        commission::{
            identify,
            library::Library,
            listen::Ear,
            probe,
            scan::{self, UNITS, Way},
            screen::Screen,
            tap, tune,
        },
        endpoint::Endpoint,
    },
    host::{
        Clock as _, Exit, Failure, SystemClock,
        credentials::{Identity, TlsFiles},
        keys, out, service,
    },
    metering::{Function, Profile, decode::Declared},
    terms::{MilliVolts, Ratio, words::Language},
};

use crate::configuration::Configuration;

/// How long an answer may take unless told otherwise, in milliseconds.
const USUAL_TIMEOUT_MS: u64 = 500;
/// The same for measuring: a slow meter shall be measured, not missed.
const TUNE_TIMEOUT_MS: u64 = 2_000;
/// Pause between questions on a serial line, in milliseconds.
const SERIAL_GAP_MS: u32 = 30;

/// Where the meter is, and how to talk to it.
#[derive(Args)]
struct Place {
    /// tcp://HOST:PORT, rtu:///dev/serial/by-id/NAME?baud=9600&parity=E, rtu+tcp://HOST:PORT or tls://HOST:PORT
    endpoint: String,
    /// How long to wait for an answer (500ms, 2s)
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    timeout: Option<u64>,
    /// Folder of meter profiles; several times for several. Default: /etc/coldhearth/meters, else config/meters
    #[arg(long, value_name = "DIR")]
    profiles: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// For tls://: certificates of the authorities that may vouch for the meter, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// For tls://: our certificate, PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// For tls://: its private key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// `scan`
#[derive(Args)]
#[command(
    after_help = "On a serial line it listens for 10 s first and asks nothing while another master speaks.\n\
    Exit: 0 found, 1 only an echo, 69 nothing answered, 75 another master, 77 no access to the device."
)]
pub(crate) struct Scan {
    #[command(flatten)]
    place: Place,
    /// Ids to ask: 1-32, or 1,3,7-9
    #[arg(long, default_value = "1-32")]
    ids: String,
    /// Also ask whatever answers who it is (function codes 43 and 17); some old meters dislike that
    #[arg(long)]
    identify: bool,
}

/// `identify`
#[derive(Args)]
#[command(after_help = "Asks by function 43, function 17, the vendor's registers and a SunSpec chain.\n\
    Exit: 0 something answered, 69 nothing did.")]
pub(crate) struct Identify {
    #[command(flatten)]
    place: Place,
    /// Modbus unit (slave id) of the meter
    #[arg(long, value_parser = unit)]
    unit: u8,
}

/// `probe`
#[derive(Args)]
#[command(
    after_help = "Marks: + hangs together, ! look at it. Compare the values with the meter's display.\n\
    Without --profile the meter is asked for its type; if it names none, what fits best is shown, side by side.\n\
    Exit: 0 something answered, 69 nothing did."
)]
pub(crate) struct Probe {
    #[command(flatten)]
    place: Place,
    /// Modbus unit (slave id) of the meter
    #[arg(long, value_parser = unit)]
    unit: u8,
    /// Read it by this profile
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Current transformer as on its plate: 400/5
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    ct: Option<Ratio>,
    /// Voltage transformer as on its plate: 10000/100
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pt: Option<Ratio>,
    /// Nominal voltage of the line, line to line, in volts
    #[arg(long, value_name = "VOLTS", value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    nominal_v: Option<i64>,
    /// Show registers in every reading instead: 0x4A38 and 19000 as on the wire, 40001 and 30001 counted from 1
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["profile", "ct", "pt"])]
    at: Option<String>,
    /// How many registers to show
    #[arg(long, default_value_t = 8, requires = "at")]
    count: u16,
    /// Function code to read them with, unless the address says it: 3 or 4
    #[arg(long, default_value_t = 3, requires = "at", value_parser = clap::value_parser!(u8).range(3..=4))]
    fc: u8,
}

/// `tap`
#[derive(Args)]
#[command(after_help = "Ends with Ctrl-C or after --for, with counters of everything that failed.\n\
    Exit: 0 something answered, 69 nothing did, 78 no such meter.")]
pub(crate) struct Tap {
    /// Id of a meter in the configuration
    meter: String,
    #[command(flatten)]
    config: Configuration,
    /// End by itself after this time (10s, 5m)
    #[arg(long = "for", value_name = "TIME", value_parser = milliseconds)]
    duration: Option<u64>,
    /// Print one JSON object a poll, and the counters last
    #[arg(long)]
    json: bool,
}

/// `tune`
#[derive(Args)]
#[command(after_help = "Takes less than a minute.\n\
    Exit: 0 proposed, 69 nothing answered, 75 too few answers to propose anything.")]
pub(crate) struct Tune {
    #[command(flatten)]
    place: Place,
    /// Modbus unit (slave id) of the meter
    #[arg(long, value_parser = unit)]
    unit: u8,
    /// Measure at the registers of this profile
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
}

/// An endpoint with what connects to it, and the way through a transparent serial server that may be meant.
struct Opened {
    endpoint: Endpoint,
    dial: Box<dyn Dial>,
    other: Option<(Endpoint, Box<dyn Dial>)>,
    tls: Option<TlsFiles>,
    deadline_ms: u32,
}

impl Place {
    fn open(&self, usual_ms: u64) -> Result<Opened, Failure> {
        let endpoint = Endpoint::parse(&self.endpoint)
            .map_err(|flaw| Failure::new(Exit::Usage, format!("{}, {}", flaw.wrong, flaw.right)))?;
        let identity = self.certificate.clone().zip(self.key.clone());
        let identity = identity.map(|(certificate, key)| Identity { certificate, key });
        let tls = self.ca.clone().map(|ca| TlsFiles { ca, identity, server_name: None });
        if matches!(endpoint, Endpoint::Tls(_)) && tls.is_none() {
            let message = "tls:// needs --ca FILE: whose word proves that the other side is the meter";
            return Err(Failure::new(Exit::Usage, message));
        }
        let deadline_ms = u32::try_from(self.timeout.unwrap_or(usual_ms)).unwrap_or(u32::MAX);
        let terms = Terms {
            tls: tls.clone(),
            answer_ms: deadline_ms,
            first_transaction: u16::from_le_bytes(keys::entropy::<2>()?),
        };
        let dial = dialler(&endpoint, &terms);
        let other = if let Endpoint::Tcp(peer) = &endpoint {
            let other = Endpoint::RtuTcp(peer.clone());
            let dial = dialler(&other, &terms);
            Some((other, dial))
        } else {
            None
        };
        Ok(Opened { endpoint, dial, other, tls, deadline_ms })
    }

    fn library(&self) -> Result<Library, Failure> {
        let library = Library::read(&self.profiles)?;
        for flaw in &library.flaws {
            let _gone = writeln!(std::io::stderr(), "warning: {flaw}; this profile is left out");
        }
        Ok(library)
    }
}

impl Opened {
    fn way(&self) -> Way<'_> {
        Way { tls: self.tls.as_ref(), ..way(&self.endpoint, &*self.dial) }
    }

    fn ways(&self) -> Vec<Way<'_>> {
        let other = self.other.as_ref().map(|(endpoint, dial)| way(endpoint, &**dial));
        [Some(self.way()), other].into_iter().flatten().collect()
    }
}

fn way<'a>(endpoint: &'a Endpoint, dial: &'a dyn Dial) -> Way<'a> {
    // Through a transparent serial server others are heard as on the line itself.
    let (framing, ear): (_, Option<&dyn Ear>) = match endpoint {
        Endpoint::Tcp(_) => ("tcp", None),
        Endpoint::Rtu(_) => ("rtu", Some(endpoint)),
        Endpoint::RtuTcp(_) => ("rtu+tcp", Some(endpoint)),
        Endpoint::Tls(_) => ("tls", None),
    };
    Way { endpoint: endpoint.to_string(), framing, dial, ear, tls: None }
}

/// Finds the meters on a line.
pub(crate) fn scan(orders: &Scan) -> Result<Exit, Failure> {
    let ids = scan::ids(&orders.ids).ok_or_else(|| {
        let message = format!(
            "--ids {}: ids from {} to {} are expected, like 1-32",
            orders.ids,
            UNITS.start(),
            UNITS.end()
        );
        Failure::new(Exit::Usage, message)
    })?;
    let library = orders.place.library()?;
    let opened = orders.place.open(USUAL_TIMEOUT_MS)?;
    let ways = opened.ways();
    let gap_ms = if matches!(opened.endpoint, Endpoint::Rtu(_)) { SERIAL_GAP_MS } else { 0 };
    let plan =
        scan::Orders { ways: &ways, ids, deadline_ms: opened.deadline_ms, gap_ms, identify: orders.identify };
    let clock = SystemClock::default();
    spoken(orders.place.json, async |screen| scan::scan(&clock, &library, &plan, screen).await)
}

/// Asks one unit who it is.
pub(crate) fn identify(orders: &Identify) -> Result<Exit, Failure> {
    let library = orders.place.library()?;
    let opened = orders.place.open(USUAL_TIMEOUT_MS)?;
    let (clock, way) = (SystemClock::default(), opened.way());
    let (unit, deadline_ms) = (orders.unit, opened.deadline_ms);
    spoken(orders.place.json, async |screen| {
        identify::identify(&clock, &library, &way, unit, deadline_ms, screen).await
    })
}

/// Shows every quantity of one meter.
pub(crate) fn probe(orders: &Probe) -> Result<Exit, Failure> {
    let library = orders.place.library()?;
    let profile = named(&library, orders.profile.as_deref())?;
    let function = if orders.fc == 4 { Function::Input } else { Function::Holding };
    let at = orders.at.as_deref().map(|text| {
        probe::run(text, function, orders.count).ok_or_else(|| {
            let message = format!(
                "--at {text} --count {}: 1 to 125 registers from 0 to 65535 are expected",
                orders.count
            );
            Failure::new(Exit::Usage, message)
        })
    });
    let opened = orders.place.open(USUAL_TIMEOUT_MS)?;
    let plan = probe::Orders {
        unit: orders.unit,
        profile,
        given: Declared { ct: orders.ct, pt: orders.pt },
        nominal: orders.nominal_v.map(|volts| MilliVolts(volts * 1_000)),
        at: at.transpose()?,
        deadline_ms: opened.deadline_ms,
    };
    let (clock, way) = (SystemClock::default(), opened.way());
    spoken(orders.place.json, async |screen| probe::probe(&clock, &library, &way, &plan, screen).await)
}

/// Shows one configured meter live.
pub(crate) fn tap(orders: &Tap) -> Result<Exit, Failure> {
    let config = orders.config.load()?;
    let meter = config.meters.iter().find(|meter| meter.id.as_str() == orders.meter);
    let bus = meter.and_then(|meter| config.buses.iter().find(|bus| bus.id == meter.bus));
    let (Some(meter), Some(bus)) = (meter, bus) else {
        let known: Vec<&str> = config.meters.iter().map(|meter| meter.id.as_str()).collect();
        let message = format!(
            "{}: no [[meter]] has the id `{}`; known: {}",
            orders.config.config.display(),
            orders.meter,
            known.join(", ")
        );
        return Err(Failure::new(Exit::Config, message));
    };
    let terms = Terms {
        tls: bus.tls.clone(),
        answer_ms: meter.timeout_ms.unwrap_or(meter.profile.timeout_ms),
        first_transaction: u16::from_le_bytes(keys::entropy::<2>()?),
    };
    let (clock, dial) = (SystemClock::default(), dialler(&bus.endpoint, &terms));
    let ends = orders.duration.map(|ms| clock.now().uptime_ms + ms);
    let endpoint = bus.endpoint.to_string();
    spoken(orders.json, async |screen| {
        let stop = async {
            let time_is_up = async {
                match ends {
                    Some(uptime_ms) => clock.sleep_until(uptime_ms).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = service::until_asked_to_stop() => {}
                () = time_is_up => {}
            }
        };
        tap::tap(&clock, &*dial, meter, &endpoint, stop, screen).await
    })
}

/// Measures how one meter wants to be asked.
pub(crate) fn tune(orders: &Tune) -> Result<Exit, Failure> {
    let library = orders.place.library()?;
    let profile = named(&library, orders.profile.as_deref())?;
    let opened = orders.place.open(TUNE_TIMEOUT_MS)?;
    let (clock, way) = (SystemClock::default(), opened.way());
    let meter = (orders.unit, profile);
    spoken(orders.place.json, async |screen| {
        tune::tune(&clock, &library, &way, meter, opened.deadline_ms, screen).await
    })
}

fn named(library: &Library, id: Option<&str>) -> Result<Option<Arc<Profile>>, Failure> {
    id.map(|id| library.named(id)).transpose()
}

/// Runs a verb with a screen over standard output.
fn spoken(
    json: bool,
    verb: impl AsyncFnOnce(&mut Screen<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let mut say = |line: &str| out::say(line);
    let mut screen = Screen::new(&mut say, language, json);
    service::runtime()?.block_on(Box::pin(verb(&mut screen)))
}

fn unit(text: &str) -> Result<u8, String> {
    let unit = text.parse().ok().filter(|unit| UNITS.contains(unit));
    unit.ok_or_else(|| format!("`{text}` is no unit; {} to {} are", UNITS.start(), UNITS.end()))
}

fn ratio(text: &str) -> Result<Ratio, String> {
    Ratio::parse(text).ok_or_else(|| format!("`{text}` is no ratio; write it as on the plate, like 400/5"))
}

fn milliseconds(text: &str) -> Result<u64, String> {
    let time = coldhearth::terms::time::milliseconds(text).filter(|ms| (20..=86_400_000).contains(ms));
    time.ok_or_else(|| format!("`{text}` is no time; write 500ms, 2s or 5m"))
}
