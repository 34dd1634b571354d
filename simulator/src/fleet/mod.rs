//! `coldhearth-sim fleet`: many gateways with real keys and real signatures over real MQTT, in one process.
//!
//! Every gateway has a log of its own, sealed, chained, committed, sent, receipted and sent again by the agent's own
//! code: `evidence::Scribe`, the scribe's `Group`, `Outbox` and `Uplink`, `Letters`, and the courier with its own pauses.
//! Only its journal lives in memory, and what it says is made up (see `story`). Networks fail, power fails, and storms
//! break every link at once, by seed; whatever the seed, no receipted record may go missing and none may stay
//! unreceipted.
//!
//! Memory: a gateway keeps at most [`KEPT_KIB`] of records (the agent's own thinning, with a signed `gap`, sees to that),
//! and its channels and MQTT buffers take some 330 KiB more, whatever it has to say; the summary tells how much it was.

mod clerk;
mod gateway;
mod identity;
mod sight;
mod story;
mod time;
mod weather;

use std::{path::PathBuf, sync::Arc};

use coldhearth::{
    agent::{AgentConfig, config},
    evidence::PublicKey,
    host::{Exit, Failure, public_key, service},
};
use tokio::{sync::watch, task::JoinSet};

use self::{
    clerk::House,
    gateway::{Fleet, Phase, Shown},
    identity::Identity,
    sight::Sight,
    story::Point,
    time::PlantTime,
    weather::Climate,
};
pub use self::{
    sight::{Report, Storm},
    weather::{MAX_OUTAGE_MS, STORM_MS},
};

/// Most gateways of one fleet.
pub const MAX_GATEWAYS: u32 = 50_000;
/// Fastest the plants' time may run, in times life.
pub const MAX_SPEED: u64 = 600;
/// Records one gateway keeps unless told otherwise, in KiB: some five hours of its plant's time.
pub const KEPT_KIB: u64 = 64;
/// How long the last records may take to be receipted unless told otherwise, in milliseconds of life.
pub const SETTLE_MS: u64 = 120_000;
/// How long everybody may take to leave, in milliseconds of life.
const LEAVE_MS: u64 = 30_000;
/// Files a process needs beside one socket a gateway.
const OTHER_FILES: u64 = 64;
/// Gateways that come up in a second of life.
const STARTS_PER_S: u64 = 1_000;

/// A fleet and what it does.
#[derive(Clone, Debug)]
pub struct FleetOrders {
    /// How many gateways.
    pub gateways: u32,
    /// Decides keys, what is said, and the weather.
    pub seed: u64,
    /// Host and port of the broker.
    pub broker: (String, u16),
    /// A folder with the broker's authority, `ca.pem`, and each gateway's certificate and key, named by its identifier:
    /// `gw-00001.crt`, `gw-00001.key`. Without one nothing is encrypted.
    pub tls: Option<PathBuf>,
    /// Public keys of the authority, in files.
    pub authority: Vec<PathBuf>,
    /// Times life.
    pub speed: u64,
    /// How long everybody speaks, in milliseconds of life.
    pub for_ms: u64,
    /// How long the last records may take to be receipted, in milliseconds of life.
    pub settle_ms: u64,
    /// Outages of single gateways.
    pub outages: u32,
    /// Restarts of single gateways.
    pub restarts: u32,
    /// When every link breaks, in milliseconds of life.
    pub storms_ms: Vec<u64>,
    /// Records one gateway keeps, in KiB.
    pub kept_kib: u64,
}

/// The list of a fleet's identifiers, public keys and fingerprints, for `coldhearth-regulator gateway admit`.
///
/// # Errors
/// There are more gateways than names.
pub fn enrolment(seed: u64, gateways: u32) -> Result<String, Failure> {
    let mut list = String::new();
    for number in 0..gateways {
        list += &identity(seed, number)?.line();
        list.push('\n');
    }
    Ok(list)
}

/// The place and the identifier of each gateway, for a broker at which its certificate's common name is its place.
///
/// # Errors
/// There are more gateways than names.
pub fn places(seed: u64, gateways: u32) -> Result<String, Failure> {
    let mut list = String::new();
    for number in 0..gateways {
        list += &identity(seed, number)?.place();
        list.push('\n');
    }
    Ok(list)
}

/// Sends a fleet out, waits for its end, and tells what became of it.
///
/// # Errors
/// It cannot be set up.
pub fn run(orders: &FleetOrders) -> Result<Report, Failure> {
    enough_files(orders.gateways)?;
    let authority =
        orders.authority.iter().map(|path| public_key::load(path)).collect::<Result<Vec<_>, _>>()?;
    let config = configuration(orders, authority)?;
    service::runtime()?.block_on(send_out(orders, config))
}

async fn send_out(orders: &FleetOrders, config: AgentConfig) -> Result<Report, Failure> {
    let (announce, phase) = watch::channel(Phase::Running);
    let house = house(orders, &config)?;
    let time = PlantTime::starting(orders.speed);
    let tls = orders.tls.clone();
    let fleet = Arc::new(Fleet { seed: orders.seed, time, config, tls, house, phase });
    let mut sight = Sight::new();
    let mut gateways = JoinSet::new();
    for (number, weather) in (0..orders.gateways).zip(climate(orders).weather()) {
        let (identity, shown) = (identity(orders.seed, number)?, Arc::<Shown>::default());
        sight.shown.push(shown.clone());
        let starts_ms = u64::from(number) * 1_000 / STARTS_PER_S;
        gateways.spawn(gateway::live(fleet.clone(), identity, weather, shown, starts_ms));
    }
    let time = &fleet.time;
    sight.until(time, orders.for_ms, &mut gateways, |_| false).await;
    announce.send_replace(Phase::Settling);
    sight.until(time, time.elapsed_ms() + orders.settle_ms, &mut gateways, Sight::is_settled).await;
    sight.note_memory();
    announce.send_replace(Phase::Leaving);
    sight.until(time, time.elapsed_ms() + LEAVE_MS, &mut gateways, |_| false).await;
    Ok(sight.report())
}

fn climate(orders: &FleetOrders) -> Climate {
    let FleetOrders { seed, gateways, for_ms, outages, restarts, .. } = *orders;
    Climate { seed, gateways, for_ms, outages, restarts, storms_ms: orders.storms_ms.clone() }
}

fn identity(seed: u64, number: u32) -> Result<Identity, Failure> {
    Identity::of(seed, number)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("gateway {number} is beyond what names hold")))
}

fn house(orders: &FleetOrders, config: &AgentConfig) -> Result<House, Failure> {
    let nothing = || Failure::new(Exit::Bug, "the fleet's plant has no meter");
    let meter = config.meters.first().ok_or_else(nothing)?;
    let asset = config.equipment.first().ok_or_else(nothing)?.equipment.id;
    Ok(House {
        point: Point { meter: meter.id, asset, commissioning: meter.commissioned.identity },
        config: config.digest,
        profile: (meter.profile.id, meter.profile.digest),
        commissioning: meter.commissioning(),
        authority: config.authority.clone(),
        kept_bytes: orders.kept_kib * 1_024,
    })
}

/// The configuration of one gateway, read by the agent's own code; the others differ by name and place.
fn configuration(orders: &FleetOrders, authority: Vec<PublicKey>) -> Result<AgentConfig, Failure> {
    const PROFILE: &str = include_str!("../../../config/meters/janitza-19000.toml");
    let failed =
        |e: &dyn std::fmt::Display| Failure::new(Exit::Bug, format!("the fleet's configuration: {e}"));
    let (host, port) = &orders.broker;
    // One process may send out several fleets, each to a broker of its own.
    let folder = std::env::temp_dir().join(format!("coldhearth-fleet-of-{port}-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("meters")).map_err(|e| failed(&e))?;
    let text = format!(
        "[gateway]\nid = \"gw\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\n\
         [broker]\nhost = \"{host}\"\nport = {port}\n\n\
         [[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:1\"\n\n\
         [[equipment]]\nid = \"eaf-1\"\nkind = \"electric_furnace\"\nrated_power_w = 12_500_000\n\
         decommissioned_on = 2011-12-31\n\n\
         [[meter]]\nid = \"eaf-1-feeder\"\nbus = \"hall\"\nunit = 1\nprofile = \"janitza-19000\"\nserves = \"eaf-1\"\n\
         nominal_v = 35_000\nct = \"400/5\"\nmeter_class = \"0.5S\"\nct_class = \"0.5S\"\nvoltage_point = \"line\"\n"
    );
    let path = folder.join("agent.toml");
    let written = std::fs::write(folder.join("meters/janitza-19000.toml"), PROFILE)
        .and_then(|()| std::fs::write(&path, text));
    let loaded = written.map_err(|e| failed(&e)).and_then(|()| {
        config::load(&path).map_err(|flaws| {
            let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
            failed(&lines.join("\n"))
        })
    });
    // What cannot be removed lies among temporary files.
    let _left = std::fs::remove_dir_all(&folder);
    loaded.map(|config| AgentConfig { authority, ..config })
}

/// Refuses before anything is dialled when the process may not open a socket for everybody.
fn enough_files(gateways: u32) -> Result<(), Failure> {
    let needed = u64::from(gateways) + OTHER_FILES;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    match limit.and_then(|limit| limit.parse::<u64>().ok()) {
        Some(limit) if limit < needed => {
            let message =
                format!("{needed} open files are needed, {limit} are allowed; run: ulimit -n {needed}");
            Err(Failure::new(Exit::Config, message))
        }
        Some(_) | None => Ok(()),
    }
}
