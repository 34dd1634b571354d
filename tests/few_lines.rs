//! What the log says in a day of trouble: one line for each change, few of them however often something comes and goes, and
//! the last word is always how things are. Time is virtual: a day of polls passes in seconds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use coldhearth::{
    agent::{
        AgentConfig,
        bus::{self, Dial, Dialling, Manners},
        config,
        inside::Lookout,
        run::Inbox,
        scribe::{Entry, Progress},
        uplink::{Links, Uplink},
    },
    evidence::Body,
    host::{
        Clock,
        clock::Wait,
        courier::{Event, Refused, Send, Sharing},
    },
    judge::{Fact, Memory, Site},
    metering::{Fault, Next, Profile, Question, Reply, Schedule},
    terms::{ClockQuality, Digest, MilliVolts, MilliWatts, Ratio, Stamp, form::Node},
};
use coldhearth_sim::{Feeder, FeederIndex, Load, Plant, SimMeter};
use tokio::sync::{mpsc, watch};
use tracing_subscriber::fmt::MakeWriter;

const DAY_MS: u64 = 24 * 3_600_000;
/// What a dead meter may cost a log in a day.
const MOST_LINES: usize = 50;

/// The log, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// Keeps what this thread logs for as long as the guard lives.
    fn begin() -> (Log, tracing::subscriber::DefaultGuard) {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).without_time();
        (log, tracing::subscriber::set_default(subscriber.finish()))
    }

    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

fn stamp(uptime_ms: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
    Stamp { wall_unix_ms, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 }
}

fn profile() -> Arc<Profile> {
    let text = include_str!("../config/meters/janitza-19000.toml");
    Arc::new(Profile::parse("janitza-19000.toml", text).unwrap())
}

/// Three furnaces on one bus.
fn configured() -> AgentConfig {
    let mut text = "[gateway]\nid = \"gw\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"s\"\n\
                    profiles = \"p\"\n[broker]\nhost = \"127.0.0.1\"\n[[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:9\"\n"
        .to_owned();
    for unit in 1..=3 {
        text += &format!(
            "[[equipment]]\nid = \"eaf-{unit}\"\nkind = \"electric_arc_furnace\"\nrated_power_w = 12_500_000\n\
             decommissioned_on = 2011-12-31\n[[meter]]\nid = \"feeder-{unit}\"\nbus = \"hall\"\nunit = {unit}\n\
             profile = \"janitza-19000\"\nserves = \"eaf-{unit}\"\nnominal_v = 35_000\nct = \"400/5\"\npoll_ms = 5_000\n"
        );
    }
    let node = Node::parse("agent.toml", &text).unwrap();
    config::of_tree(&node, Digest::of(b""), &[profile()]).unwrap_or_else(|flaws| panic!("{flaws:#?}"))
}

fn schedule(config: &AgentConfig) -> Schedule {
    Schedule::new(config.meters.iter().map(config::Meter::point).collect(), vec![], 0, 0)
}

fn plant(profile: &Arc<Profile>) -> (Plant, Vec<FeederIndex>) {
    let mut plant = Plant::new(7);
    let feeders: Vec<_> =
        (1..=3).map(|_| plant.add_feeder(Feeder::new(MilliVolts(35_000_000), Load::Cold))).collect();
    for (unit, feeder) in (1..).zip(&feeders) {
        plant.add_meter(unit, SimMeter::new(profile).with_ct(Ratio::new(400, 5).unwrap()), *feeder);
    }
    for feeder in &feeders {
        assert!(plant.force_power(*feeder, MilliWatts::from_watts(5_000)));
    }
    (plant, feeders)
}

/// A day of a gateway, its polls going wrong as `trouble` says of unit and time; `force` moves the plant. The lines it logs,
/// and the records it said.
fn day(
    trouble: impl Fn(u8, u64) -> Option<Fault>,
    mut force: impl FnMut(&mut Plant, &[FeederIndex], u64),
) -> (Vec<String>, usize) {
    let (log, _kept) = Log::begin();
    let config = configured();
    let (mut plant, feeders) = plant(&profile());
    let memory = Memory::default();
    let mut site = Site::new(
        config.meters.iter().map(|meter| meter.commissioned.clone()).collect(),
        config.equipment.iter().map(|furnace| furnace.equipment).collect(),
        &memory,
    );
    let (mut lookout, _seen) = Lookout::new(&config, &memory, &stamp(0));
    let mut schedule = schedule(&config);
    let (mut now, mut tick, mut records) = (0_u64, 0_u64, 0);
    while now < DAY_MS {
        let mut said = Vec::new();
        match schedule.next(now) {
            Next::WaitUntil(due) => now = due,
            Next::Ask(ask) => {
                force(&mut plant, &feeders, now);
                plant.advance_to(now);
                let fault = trouble(ask.unit, now);
                let answer = match (fault, ask.question) {
                    (Some(fault), _) => Err(fault),
                    (None, Question::Registers(block)) => {
                        plant.read(ask.unit, block.function, block.at, block.count).map_err(Fault::Exception)
                    }
                    (None, Question::DeviceId { .. } | Question::ServerId) => Err(Fault::Exception(1)),
                };
                // Nobody waits for nothing: a timeout has taken its time.
                now += if fault == Some(Fault::Timeout) { u64::from(ask.deadline_ms) } else { 2 };
                let reply = answer.as_ref().map(|words| Reply::Words(words)).map_err(|fault| *fault);
                let at = stamp(now);
                for sample in schedule.on_answer(&at, reply) {
                    lookout.on_sample(&sample);
                    site.on(&at, Fact::Sample(&sample), &mut |finding| said.push(Body::Finding(finding)));
                }
            }
        }
        let at = stamp(now);
        if now >= tick {
            tick = site.next_due_ms(&at);
            site.on(&at, Fact::Tick, &mut |finding| said.push(Body::Finding(finding)));
            lookout.on_tick(&at, &site);
        }
        records += said.len();
        said.iter().for_each(|body| lookout.on_said(&at, body));
    }
    (log.lines(), records)
}

fn about<'l>(lines: &'l [String], name: &str) -> Vec<&'l String> {
    lines.iter().filter(|line| line.contains(&format!("name=\"{name}\""))).collect()
}

#[test]
fn a_day_of_a_dead_meter_is_few_lines_and_the_log_says_since_when_and_why() {
    let dies = |unit, now| (unit == 2 && now > 600_000).then_some(Fault::Timeout);
    let (lines, records) = day(dies, |_, _, _| {});
    assert!(records > 500, "intervals and verdicts go into the record, not into the log: {records}");
    assert!(lines.len() <= MOST_LINES, "{}: {lines:#?}", lines.len());
    let dead = about(&lines, "feeder-2");
    assert!(dead.last().unwrap().contains("state=\"unknown\" why=\"timeout\""), "{dead:#?}");
    assert!(about(&lines, "eaf-2").last().unwrap().contains("unknown"), "{lines:#?}");
    for well in ["feeder-1", "feeder-3"] {
        assert!(about(&lines, well).iter().all(|line| !line.contains("unknown")), "{lines:#?}");
    }
}

#[test]
fn a_storm_of_exceptions_and_a_meter_that_comes_and_goes_are_few_lines_too() {
    // Thirty seconds of answers, thirty of exceptions, all day; and another that is silent every other two minutes.
    let storm = |unit, now: u64| match unit {
        1 => (now / 30_000 % 2 == 1).then_some(Fault::Exception(6)),
        2 => (now / 120_000 % 2 == 1).then_some(Fault::Timeout),
        _ => None,
    };
    let (lines, records) = day(storm, |_, _, _| {});
    assert!(records > 2_000, "{records}");
    for subject in ["feeder-1", "feeder-2"] {
        let told = about(&lines, subject);
        assert!((4..=MOST_LINES).contains(&told.len()), "{subject}: {}", told.len());
    }
    assert!(lines.len() <= 2 * MOST_LINES, "{}: {lines:#?}", lines.len());
    let kept: u64 = about(&lines, "feeder-1")
        .iter()
        .filter_map(|line| line.split("not_told=").nth(1)?.split(' ').next()?.parse::<u64>().ok())
        .sum();
    assert!(kept > 1_000, "what is not told is counted: {kept}\n{lines:#?}");
}

#[test]
fn the_last_word_of_a_meter_that_came_to_rest_is_how_it_is() {
    // It comes and goes for an hour and answers ever since.
    let trouble =
        |unit, now: u64| (unit == 3 && now < 3_600_000 && now / 60_000 % 2 == 1).then_some(Fault::Timeout);
    let (lines, _) = day(trouble, |_, _, _| {});
    let told = about(&lines, "feeder-3");
    let last = told.last().unwrap();
    assert!(!last.contains("unknown") && last.contains("not_told="), "{told:#?}");
}

#[test]
fn a_violation_is_told_at_once_whatever_else_never_rests() {
    let storm = |unit, now: u64| (unit == 1 && now / 30_000 % 2 == 1).then_some(Fault::Exception(6));
    let (lines, _) = day(storm, |plant, feeders, now| {
        let watts = if (40_000_000..43_000_000).contains(&now) { 8_000_000 } else { 5_000 };
        assert!(plant.force_power(feeders[1], MilliWatts::from_watts(watts)));
    });
    let told = about(&lines, "eaf-2");
    let violations: Vec<_> = told.iter().filter(|line| line.contains("state=\"violation\"")).collect();
    assert!(violations[0].contains("WARN") && violations[0].contains("not_told=0"), "{told:#?}");
}

/// Time that jumps to whenever somebody waits for, with the runtime's.
struct Virtual(tokio::time::Instant);

impl Virtual {
    #[allow(clippy::disallowed_methods, reason = "the runtime's virtual time is the clock of these tests")]
    fn begin() -> Virtual {
        Virtual(tokio::time::Instant::now())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    async fn pass(&self, ms: u64) {
        self.sleep_until(self.now_ms() + ms).await;
    }
}

impl Clock for Virtual {
    fn now(&self) -> Stamp {
        stamp(self.now_ms())
    }

    #[allow(clippy::disallowed_methods, reason = "the runtime's virtual time is the clock of these tests")]
    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        Box::pin(tokio::time::sleep_until(self.0 + Duration::from_millis(uptime_ms)))
    }

    fn set_boot(&self, _: u32) {}
}

/// Runs a virtual day.
fn virtual_day(run: impl AsyncFnOnce(&Virtual)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let clock = Virtual::begin();
        let _over = tokio::time::timeout(Duration::from_millis(DAY_MS), run(&clock)).await;
    });
}

/// An endpoint that cannot be reached for two reasons in turn.
struct Unreachable(Mutex<u32>);

impl Dial for Unreachable {
    fn dial(&self) -> Dialling<'_> {
        let mut times = self.0.lock().unwrap();
        *times += 1;
        let kind = if times.is_multiple_of(2) {
            io::ErrorKind::ConnectionRefused
        } else {
            io::ErrorKind::HostUnreachable
        };
        Box::pin(async move { Err(kind.into()) })
    }
}

#[test]
fn a_bus_that_cannot_be_reached_for_reasons_that_take_turns_is_few_lines() {
    let (log, _kept) = Log::begin();
    let dial = Unreachable(Mutex::new(0));
    virtual_day(async |clock| {
        let (send, mut samples) = mpsc::channel::<Inbox>(16);
        let polls = bus::run(clock, &dial, Manners::default(), schedule(&configured()), send);
        tokio::select! {
            () = polls => {}
            () = async { while samples.recv().await.is_some() {} } => {}
        }
    });
    assert!(*dial.0.lock().unwrap() > 1_000, "it is tried all day");
    let lines = log.lines();
    assert!((2..=12).contains(&lines.len()), "{}: {lines:#?}", lines.len());
}

#[test]
fn a_broker_that_comes_and_goes_is_few_lines_and_the_last_says_how_it_stands() {
    let (log, _kept) = Log::begin();
    virtual_day(async |clock| {
        let (send, mut sent) = mpsc::channel::<Send>(64);
        let (journal, mut asked) = mpsc::channel::<Entry>(64);
        let (inbox, _letters) = mpsc::channel(16);
        let (events, courier) = mpsc::channel(64);
        let (_told, progress) = watch::channel(Progress::default());
        let (_stopper, stop) = watch::channel(false);
        let config = configured();
        let uplink = Uplink::new(clock, &config, 0, None, Links { send, journal, inbox });
        let comes_and_goes = async {
            loop {
                let sharing = Sharing::Offered;
                let connected = Event::Connected { window: 20, max_packet_bytes: 1 << 20, sharing };
                for event in [connected, Event::Subscribed] {
                    events.send(event).await.unwrap();
                }
                clock.pass(5_000).await;
                events.send(Event::Lost { why: Refused::Broken }).await.unwrap();
                clock.pass(5_000).await;
            }
        };
        let answers = async {
            while let Some(entry) = asked.recv().await {
                match entry {
                    Entry::Newest { reply } => drop(reply.send((Vec::new(), 0))),
                    Entry::Read { reply, .. } => drop(reply.send(None)),
                    Entry::Write(..) | Entry::Receipt(..) | Entry::Accepted(_) => {}
                }
            }
        };
        tokio::select! {
            () = uplink.run(courier, progress, stop) => {}
            () = comes_and_goes => {}
            () = answers => {}
            () = async { while sent.recv().await.is_some() {} } => {}
        }
    });
    let lines = log.lines();
    // One in three hours, and once more that it is away where that is graver than what was told.
    assert!((4..=20).contains(&lines.len()), "{}: {lines:#?}", lines.len());
    let kept = lines.last().unwrap().split("not_told=").nth(1).unwrap();
    assert!(kept.split(' ').next().unwrap().parse::<u64>().unwrap() > 1_000, "{lines:#?}");
}
