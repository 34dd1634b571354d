//! `coldhearth-sim demo`: a plant, a broker, the agent and the regulator in one process, on one clock faster than life.
//!
//! The agent and the regulator are the real ones, over real sockets. What the summary says is computed from what a
//! subscriber of its own received and verified, never from what the plant knows.

mod broker;
mod clock;
mod picture;
mod premises;
mod screen;
mod subscriber;
mod summary;

use std::{
    io::{IsTerminal as _, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use coldhearth::{
    agent::{self, config},
    host::{Clock as _, Exit, Failure, service},
    regulator::{WatchOrders, watch},
    terms::{Stamp, time::LegalTime, words::Language},
};
use tokio::sync::watch as signal;

pub use self::picture::picture;
use self::{clock::FastClock, premises::Premises, screen::Screen, subscriber::Subscriber};

/// Fastest the demo's clock may run, in times life.
pub const MAX_SPEED: u64 = 60;
/// How long the last records may take from the agent to the subscriber, in seconds of the wall.
const LAST_RECORDS_S: u64 = 15;

/// What the demo shows and how long.
#[derive(Clone, Copy, Debug)]
pub struct DemoOrders {
    /// Whether somebody melts at night.
    pub cheat: bool,
    /// Whether the summary expects to see that caught.
    pub expect_violation: bool,
    /// How long it runs, in milliseconds of the wall; until Ctrl-C without.
    pub for_ms: Option<u64>,
    /// Times life, 1 to [`MAX_SPEED`].
    pub speed: u64,
}

/// Runs the demo. Ends with [`Exit::Done`] only if every expected verdict arrived and every signature and chain held.
///
/// # Errors
/// It could not be set up, or the agent failed.
pub fn run(orders: DemoOrders) -> Result<Exit, Failure> {
    let folder = Folder::make()?;
    let screen = Arc::new(Screen::new(std::io::stdout().is_terminal()));
    let exit = service::runtime()?.block_on(show(orders, &folder.0, &screen));
    screen.end();
    exit
}

async fn show(orders: DemoOrders, folder: &std::path::Path, screen: &Arc<Screen>) -> Result<Exit, Failure> {
    let clock = Arc::new(FastClock::starting_before_midnight(orders.speed));
    let started = clock.now();
    let broker = broker::start()?;
    let premises = Premises::build(folder, &broker, clock.clone(), orders.cheat, &started).await?;
    introduce(screen, &orders, &broker, &started);
    let (subscriber, received) = Subscriber::start(clock.clone(), broker.port, screen.clone()).await?;
    let config = config::load(&premises.config).map_err(|flaws| {
        let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Bug, lines.join("\n"))
    })?;
    let (stopper, stop) = signal::channel(false);
    let agent = tokio::spawn(agent::run(clock.clone(), config, false, stop));
    let regulator = regulator(&clock, &broker, screen);
    let story = premises.tell(&clock, screen);
    let ending = ending(orders.for_ms);
    tokio::pin!(agent, regulator, story, ending);
    let mut stopped = false;
    let agent_ended = loop {
        tokio::select! {
            ended = &mut agent => break ended,
            watched = &mut regulator => watched.map(drop)?,
            () = &mut story => {}
            asked = &mut ending, if !stopped => {
                asked?;
                stopped = true;
                stopper.send_replace(true);
            }
        }
    };
    agent_ended.map_err(|e| Failure::new(Exit::Bug, format!("the agent ended badly: {e}")))??;
    let written = premises.records_written()?;
    // Delivery is waited for as an event; the time limit only keeps a broken broker from holding us for ever.
    let all_came = received.wait(written);
    let in_time = tokio::time::timeout(Duration::from_secs(LAST_RECORDS_S), all_came).await.is_ok();
    let expected = premises.expected(orders.expect_violation, clock.now().since_ms(&started));
    let report = summary::of(&subscriber.lines(), &premises.trusted()?, &expected, written, in_time);
    screen.plain("");
    report.lines.iter().for_each(|line| screen.summary(line));
    Ok(if report.holds { Exit::Done } else { Exit::Negative })
}

async fn ending(for_ms: Option<u64>) -> Result<(), Failure> {
    let limit = async {
        match for_ms {
            // `pending` never ends, so this is a wait for time that no clock of the house needs to know of.
            Some(ms) => {
                drop(tokio::time::timeout(Duration::from_millis(ms), std::future::pending::<()>()).await);
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = limit => Ok(()),
        asked = service::until_asked_to_stop() => asked,
    }
}

async fn regulator(clock: &FastClock, broker: &broker::Ports, screen: &Screen) -> Result<Exit, Failure> {
    let orders = WatchOrders {
        broker: watch::subscriber("127.0.0.1".into(), broker.port, "demo-regulator"),
        trusted: Vec::new(),
        until: None,
        save: None,
        language: Language::of_locale(&std::env::var("LANG").unwrap_or_default()),
        colour: screen.colour,
    };
    let mut out = screen.regulator();
    watch(clock, orders, &mut out, std::future::pending()).await.map(|(exit, _)| exit)
}

fn introduce(screen: &Screen, orders: &DemoOrders, broker: &broker::Ports, started: &Stamp) {
    let until = orders.for_ms.map_or("until Ctrl-C".to_owned(), |ms| format!("for {} s", ms / 1_000));
    screen.plain(&format!(
        "A plant of four on the demo's own clock: it starts at {} and runs at {} times life, {until}.",
        LegalTime(started.wall_unix_ms),
        orders.speed
    ));
    screen.plain("Real Modbus TCP, a real MQTT broker, the real agent and regulator, all on 127.0.0.1.");
    screen.plain(&format!(
        "Listen in yourself: mosquitto_sub -p {} -t 'coldhearth/v1/+/+/+/+/+/+/alarm/#' | jq .",
        broker.plain_port
    ));
    if !orders.cheat {
        screen.plain("Nobody cheats in this run.");
    }
    screen.plain("");
}

/// A folder of the demo's own that goes with it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Folder, Failure> {
        let path = std::env::temp_dir().join(format!("coldhearth-demo-{}", std::process::id()));
        let made = std::fs::create_dir_all(&path);
        made.map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", path.display())))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies among temporary files.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a line, whoever listens.
pub(crate) fn write_line(out: &mut impl Write, line: &str) {
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}
