//! The plant of a scenario, open to any master that speaks Modbus: over TCP and over a serial line, at its own pace.
//!
//! What a scenario does to the plant and to the wire is done. What it does to the gateway, to its clock and to the
//! broker, and what the authority hands in, is somebody else's here, and only told.

mod begin;
mod tell;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use coldhearth::{
    agent::{bus::serial, endpoint::SerialLine},
    host::{Clock as _, Exit, Failure, SystemClock, service},
    terms::{Name, words::Language},
};
use tokio::{net::TcpListener, task::JoinSet};

pub use self::begin::{Begin, FaultOrder, overwritten};
use self::tell::Narrator;
use crate::{
    fault::Faults,
    plant::Plant,
    rtu::serve_rtu,
    scenario::Scenario,
    socket::{PlantTime, serve},
};

/// Fastest a served plant may live, in times life.
pub const MAX_SPEED: u64 = 3_600;
/// How often plant time is looked at when nobody asks, in milliseconds of life.
const TICK_MS: u64 = 200;
/// How long after a line was lost it is opened again, in milliseconds of life.
const REOPEN_MS: u64 = 500;

/// What is opened, and how.
#[derive(Clone, Debug)]
pub struct OpenOrders {
    /// The scenario.
    pub scenario: Scenario,
    /// Its seed.
    pub seed: u64,
    /// When in its time line.
    pub begin: Begin,
    /// Times life, 1 to [`MAX_SPEED`].
    pub speed: u64,
    /// Where the first bus listens; each further one has the next port, or a free one too where the port is 0.
    pub listen: Option<SocketAddr>,
    /// A serial line on which every unit answers.
    pub serial: Option<SerialLine>,
    /// Faults beside those of the scenario.
    pub faults: Vec<FaultOrder>,
    /// Where the configuration of an agent that asks all of it is written, its profiles in a folder beside it.
    pub agent_config: Option<PathBuf>,
    /// Where the truth is written, as JSON Lines.
    pub truth: Option<PathBuf>,
    /// Ends by itself after so long, in milliseconds of life.
    pub for_ms: Option<u64>,
    /// The language of what is told.
    pub language: Language,
}

/// Opens the plant until it is told to end, or its time is over.
///
/// # Errors
/// An address, a line or a file cannot be used.
pub fn open(orders: &OpenOrders) -> Result<Exit, Failure> {
    service::runtime()?.block_on(run(orders))
}

/// As [`open`], within a runtime that is there already.
///
/// # Errors
/// As [`open`].
pub async fn run(orders: &OpenOrders) -> Result<Exit, Failure> {
    let begun = begin::begin(orders)?;
    let (plant, from_ms) = (Arc::new(Mutex::new(begun.plant)), begun.from_ms);
    let time = pace(from_ms, orders.speed);
    let (mut doors, served) = listen(orders, &plant, &time, &begun.faults).await?;
    if let Some(line) = &orders.serial {
        let (line, plant, time, faults) = (line.clone(), plant.clone(), time.clone(), begun.faults.clone());
        // Whether it can be opened at all is told at once.
        drop(opened(&line)?);
        doors.spawn(async move { on_line(&line, &plant, &time, &faults).await });
    }
    begin::write_configuration(orders, &served)?;
    let mut narrator = Narrator::new(orders, begun.deeds, from_ms)?;
    narrator.introduce(orders, &served);
    let story = story(&plant, &time, &mut narrator);
    let limit = async {
        match orders.for_ms {
            Some(ms) => {
                drop(tokio::time::timeout(Duration::from_millis(ms), std::future::pending::<()>()).await);
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        failure = story => Err(failure),
        Some(ended) = doors.join_next() => ended.map_err(|e| failed(Exit::Bug, "a door", &e))?,
        () = limit => Ok(Exit::Done),
        asked = service::until_asked_to_stop() => asked.map(|()| Exit::Done),
    }
}

/// Lets the plant live and tells of it, until that fails.
async fn story(plant: &Mutex<Plant>, time: &PlantTime, narrator: &mut Narrator) -> Failure {
    let clock = SystemClock::default();
    loop {
        let told = {
            let mut plant = plant.lock().unwrap_or_else(PoisonError::into_inner);
            plant.advance_to(time());
            narrator.tell(&plant)
        };
        if let Err(failure) = told {
            return failure;
        }
        clock.sleep_until(clock.now().uptime_ms + TICK_MS).await;
    }
}

/// Plant time, so many times as fast as life.
fn pace(from_ms: u64, speed: u64) -> PlantTime {
    let clock = SystemClock::default();
    let began_ms = clock.now().uptime_ms;
    Arc::new(move || {
        let lived_ms = clock.now().uptime_ms.saturating_sub(began_ms);
        from_ms.saturating_add(lived_ms.saturating_mul(speed))
    })
}

/// Where each bus is served.
pub(crate) type Served = Vec<(Name, SocketAddr)>;

/// A listener for each bus. All of them reach every unit, as the units of a scenario have one number each.
async fn listen(
    orders: &OpenOrders,
    plant: &Arc<Mutex<Plant>>,
    time: &PlantTime,
    faults: &Faults,
) -> Result<(JoinSet<Result<Exit, Failure>>, Served), Failure> {
    let (mut doors, mut served) = (JoinSet::new(), Vec::new());
    let Some(first) = orders.listen else { return Ok((doors, served)) };
    for (bus, ahead) in orders.scenario.buses().iter().zip(0_u16..) {
        let port = if first.port() == 0 { 0 } else { first.port().saturating_add(ahead) };
        let at = SocketAddr::new(first.ip(), port);
        let failure = |error: &dyn std::fmt::Display| failed(Exit::Unreachable, &at.to_string(), error);
        let listener = TcpListener::bind(at).await.map_err(|e| failure(&e))?;
        served.push((*bus, listener.local_addr().map_err(|e| failure(&e))?));
        let (plant, time, faults) = (plant.clone(), time.clone(), faults.clone());
        doors.spawn(async move {
            serve(listener, plant, time, faults).await.map_err(|e| failed(Exit::Bug, "a listener", &e))?;
            Ok(Exit::Done)
        });
    }
    Ok((doors, served))
}

/// Serves a line, and opens it again when it was lost: an adapter that is pulled out comes back.
async fn on_line(
    line: &SerialLine,
    plant: &Arc<Mutex<Plant>>,
    time: &PlantTime,
    faults: &Faults,
) -> Result<Exit, Failure> {
    let clock = SystemClock::default();
    loop {
        if let Ok(port) = serial::open(line) {
            drop(serve_rtu(port, plant.clone(), time.clone(), faults.clone()).await);
        }
        clock.sleep_until(clock.now().uptime_ms + REOPEN_MS).await;
    }
}

fn opened(line: &SerialLine) -> Result<serial::Port, Failure> {
    serial::open(line).map_err(|why| {
        let forbidden = why.kind() == std::io::ErrorKind::PermissionDenied;
        let exit = if forbidden { Exit::Permission } else { Exit::Unreachable };
        failed(exit, &line.path.display().to_string(), &why)
    })
}

fn failed(exit: Exit, what: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(exit, format!("{what}: {why}"))
}
