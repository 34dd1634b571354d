//! Agent and collector, as real processes, through dead meters, storms of exceptions and a broker that is killed again and
//! again: after each of these cycles no more handles are open than before, and memory stays flat. `COLDHEARTH_SOAK_S` makes
//! it long, as tests/all does.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{fs, process::Command};

use coldhearth::{
    evidence::{Body, Kind, Record},
    host::{Clock as _, SystemClock},
    judge::{Finding, State},
};
use coldhearth_sim::WireFault;
use support::{Mosquitto, Process, Subscriber, Works, authority::Authority, free_port, public_key_of, soon};

/// How long it goes on unless told otherwise, in seconds.
const LASTS_S: u64 = 30;
/// By how much a program may grow once it has settled, in kB: what its allocator and its database keep at hand.
const MOST_GROWTH_KB: u64 = 8 * 1_024;
/// How long each storm lasts, in milliseconds.
const STORM_MS: u64 = 300;

/// What the works go through, one after the other.
const STORM: [WireFault; 7] = [
    WireFault::Exception(2),
    WireFault::Exception(10),
    WireFault::Exception(11),
    WireFault::Garbage,
    WireFault::CutMidFrame,
    WireFault::Close,
    WireFault::Silent,
];

/// What a process has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hand {
    memory_kb: u64,
    handles: usize,
}

fn hand(process: &Process) -> Hand {
    let of = format!("/proc/{}", process.0.id());
    let status = fs::read_to_string(format!("{of}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory_kb = line.trim().trim_end_matches(" kB").trim().parse().unwrap();
    Hand { memory_kb, handles: fs::read_dir(format!("{of}/fd")).unwrap().count() }
}

/// Waits until no more handles are open than these: one that is just being closed is none that leaks.
async fn settles(name: &str, process: &Process, most: usize) -> Hand {
    soon(&format!("no more than {most} handles of the {name}, which has {:?}", hand(process)), async {
        let clock = SystemClock::default();
        loop {
            let now = hand(process);
            if now.handles <= most {
                return now;
            }
            clock.sleep_until(clock.uptime_ms() + 20).await;
        }
    })
    .await
}

/// What a state record says of the first furnace's feeder.
fn state(record: &Record) -> Option<State> {
    let Body::Finding(Finding::State(found)) = &record.body else { return None };
    (found.meter.as_str() == "eaf-1-feeder").then_some(found.state)
}

/// The authority, which has admitted the works' gateway, and the configuration of that one.
fn admitted(works: &Works, port: u16) -> (Authority, std::path::PathBuf) {
    let authority = Authority::new("soak-authority", port, "");
    let regulator = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(arguments).arg("--config").arg(&authority.config).output().unwrap()
    };
    let config = works.configure(port);
    let (fingerprint, key) = public_key_of(works, &config);
    let add = ["gateway", "add", key.to_str().unwrap(), "--id", "gw-test", "--fingerprint", &fingerprint];
    assert!(regulator(&add).status.success());
    // Its key is made at its first use; nothing can be signed without an act.
    let no_act = works.folder.0.join("no-act.json");
    fs::write(&no_act, "{}").unwrap();
    assert!(!regulator(&["act", "sign", no_act.to_str().unwrap()]).status.success());
    let trusted = authority.folder.0.join("state/authority.key.pub");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[authority]\nkeys = [\"{}\"]\n", trusted.display())).unwrap();
    (authority, config)
}

#[tokio::test]
async fn neither_memory_nor_handles_grow_through_dead_meters_storms_and_brokers_killed() {
    let lasts_s = std::env::var("COLDHEARTH_SOAK_S").map_or(LASTS_S, |text| text.parse().unwrap());
    let works = Works::open("soak").await;
    works.force(8_000_000);
    let port = free_port();
    let (authority, config) = admitted(&works, port);
    let mut broker = Mosquitto::start_at(&works.folder.0, port).await;
    let (agent, collector) = (works.agent(&config), authority.serve());
    let programs = [("agent", &agent), ("collector", &collector)];
    let key = works.key().await;
    let clock = SystemClock::default();
    let began_ms = clock.uptime_ms();
    let (mut cycles, mut settled, mut last) = (0, None, None);
    while clock.uptime_ms() < began_ms + lasts_s * 1_000 || cycles < 4 {
        broker.stop();
        broker = Mosquitto::start_at(&works.folder.0, port).await;
        let mut subscriber = Subscriber::start(port).await;
        for fault in STORM {
            (1..=2).for_each(|unit| works.faults.set(unit, fault));
            clock.sleep_until(clock.uptime_ms() + STORM_MS).await;
        }
        let is_dead = |record: &Record| matches!(state(record), Some(State::Unknown(_)));
        subscriber.attestations_until(&key, is_dead).await;
        (1..=2).for_each(|unit| works.faults.clear(unit));
        let is_back = |record: &Record| matches!(state(record), Some(State::Drawing));
        subscriber.attestations_until(&key, is_back).await;
        while subscriber.next().await.0 != Kind::Receipt {}
        cycles += 1;
        let found = [programs[0], programs[1]].map(|(_, process)| hand(process));
        if cycles == 2 {
            settled = Some(found);
        }
        if let Some(settled) = settled {
            let mut now = found;
            for ((now, settled), (name, process)) in now.iter_mut().zip(settled).zip(programs) {
                *now = settles(name, process, settled.handles).await;
            }
            last = Some(now);
        }
        // What needs time to reach its size (caches of the database, arenas) has a quarter of the whole.
        if cycles > 2 && clock.uptime_ms() < began_ms + lasts_s * 250 {
            settled = settled.zip(last).map(|(handles, memory)| {
                [0, 1].map(|place| Hand { memory_kb: memory[place].memory_kb, ..handles[place] })
            });
        }
    }
    let (settled, last) = (settled.unwrap(), last.unwrap());
    println!("{cycles} cycles in {lasts_s} s: settled {settled:?}, at the end {last:?}");
    for ((settled, last), (name, _)) in settled.iter().zip(last).zip(programs) {
        assert!(
            last.memory_kb <= settled.memory_kb + MOST_GROWTH_KB,
            "the {name} grew from {settled:?} to {last:?}\n{}",
            works.log()
        );
    }
    assert_eq!((agent.stop(), collector.stop()), (0, 0));
}
