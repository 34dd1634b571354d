//! How fast, how large: printed as a table and as JSON, never asserted. Run it with
//! `cargo test --release --test figures -- --ignored --nocapture`; every figure is the median of three.
//!
//! `TMPDIR` chooses the disk, `COLDHEARTH_FIGURES_MB` the size of the journal that is started up from.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    dead_code,
    reason = "a program that measures time, and stops where it cannot"
)]

mod law;
mod plant;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use coldhearth::{
    agent::journal::{DiskJournal, JOURNAL_FILE},
    evidence::{
        Follower, Kind, Scribe, Signer as _,
        follow::{Origin, Place, Seen},
        record::Unverified,
    },
    regulator::{
        collector::Collector,
        store::{SqliteStore, Store as _},
    },
};
use plant::Step;
use support::{Folder, Mosquitto, Process, Subscriber, free_port, soon};

/// Points of a large plant.
const POINTS: usize = 64;
/// Records of one measurement.
const RECORDS: usize = 20_000;
/// Records journalled one by one.
const SINGLE: usize = 1_000;
/// Messages the collector takes at once.
const BATCH: usize = 256;
/// Records drained at the default rate; the rest of the time is computed.
const DRAINED: usize = 2_000;

#[derive(Default)]
struct Figures(Vec<(String, f64, &'static str)>);

impl Figures {
    /// The median of three.
    fn measure(&mut self, name: &str, unit: &'static str, mut one: impl FnMut() -> f64) -> f64 {
        let mut three = [one(), one(), one()];
        three.sort_by(f64::total_cmp);
        self.note(name, unit, three[1]);
        three[1]
    }

    fn note(&mut self, name: &str, unit: &'static str, value: f64) {
        println!("{name:<62} {value:>12.1} {unit}");
        self.0.push((name.to_owned(), value, unit));
    }

    fn print(&self) {
        println!("\n| figure | value | unit |\n|---|---:|---|");
        self.0.iter().for_each(|(name, value, unit)| println!("| {name} | {value:.1} | {unit} |"));
        let all: Vec<_> = self
            .0
            .iter()
            .map(|(name, value, unit)| serde_json::json!({ "figure": name, "value": value, "unit": unit }))
            .collect();
        println!("\n{}", serde_json::Value::Array(all));
    }
}

fn per_second(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}

/// What a plant says, receipts left out.
fn said(count: usize) -> impl Iterator<Item = Step> {
    plant::steps(POINTS, u64::MAX / 1_000_000).filter(|step| !matches!(step, Step::Receipt(_))).take(count)
}

/// The records themselves, as they travel.
fn sealed(count: usize) -> Vec<Vec<u8>> {
    let mut chain = plant::chain();
    let seal = |step| match step {
        Step::Say(at, body) => Some(chain.seal(&at, &body).unwrap().bytes.to_vec()),
        Step::Rotate(at, next) => Some(chain.rotate(&at, Box::new(next)).unwrap().bytes.to_vec()),
        Step::Receipt(_) => None,
    };
    said(count).filter_map(seal).collect()
}

/// Journals so many records in commits of `group`; tells how many a second.
fn journalled(path: &Path, count: usize, group: usize) -> f64 {
    let journal = DiskJournal::open(path).unwrap();
    let mut scribe = Scribe::begin(&plant::at(0), plant::chain(), Box::new(journal)).unwrap();
    let (mut waiting, began) = (0, Instant::now());
    for step in said(count) {
        match step {
            Step::Say(at, body) => {
                scribe.write(at, body);
                waiting += 1;
                if waiting == group {
                    scribe.commit().unwrap();
                    waiting = 0;
                }
            }
            Step::Rotate(at, next) => {
                let pem = next.to_pem().unwrap();
                scribe.rotate(&at, Box::new(next), &pem).unwrap();
            }
            Step::Receipt(_) => {}
        }
    }
    let rate = per_second(count, began);
    scribe.close().unwrap();
    rate
}

fn verified(lines: &[Vec<u8>]) -> f64 {
    let mut follower = Follower::from_the_beginning(&[plant::key(0).public_key()]);
    let (mut proven, began) = (0, Instant::now());
    for line in lines {
        follower.on_message(line, Origin { in_chain: true, number: 0 }, &mut |seen, _, _| {
            proven += usize::from(matches!(seen, Seen::Record(_, Place::Proven)));
        });
    }
    assert_eq!(proven, lines.len());
    per_second(proven, began)
}

fn collected(lines: &[Vec<u8>]) -> f64 {
    let folder = Folder::new("figures-collector");
    let mut store = SqliteStore::open(&folder.0).unwrap();
    assert!(store.admit(plant::gateway(), &plant::key(0).public_key(), 0).unwrap());
    let mut collector = Collector::open(Box::new(store), Box::new(plant::authority())).unwrap();
    let topic = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-test/attest";
    let messages: Vec<_> = lines.iter().map(|line| (topic, line.as_slice())).collect();
    let (mut kept, began) = (0, Instant::now());
    for batch in messages.chunks(BATCH) {
        kept += collector.take(batch, 1).unwrap().records;
        assert_eq!(collector.receipts(1, || Ok([1; 16])).unwrap().len(), 1);
    }
    assert_eq!(kept, lines.len() as u64);
    per_second(lines.len(), began)
}

/// A state directory and a configuration of an agent whose one meter does not answer.
fn configure(folder: &Path, broker_port: u16, more: &str) -> PathBuf {
    fs::create_dir_all(folder.join("meters")).unwrap();
    let profile = include_str!("../../config/meters/janitza-19000.toml");
    fs::write(folder.join("meters/janitza-19000.toml"), profile).unwrap();
    let path = folder.join("agent.toml");
    let text = format!(
        "[gateway]\nid = \"gw-test\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\n\
         [broker]\nhost = \"127.0.0.1\"\nport = {broker_port}\n{more}\n\n\
         [[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:{}\"\n\n\
         [[equipment]]\nid = \"eaf-0\"\nkind = \"electric_arc_furnace\"\nrated_power_w = 12_500_000\n\
         decommissioned_on = 2011-12-31\n\n\
         [[meter]]\nid = \"eaf-0-feeder\"\nbus = \"hall\"\nunit = 1\nprofile = \"janitza-19000\"\n\
         serves = \"eaf-0\"\nnominal_v = 35_000\nct = \"400/5\"\npoll_ms = 60_000\n",
        free_port()
    );
    fs::write(&path, text).unwrap();
    fs::create_dir_all(folder.join("state")).unwrap();
    path
}

fn agent(config: &Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.args(["run", "--config"]).arg(config).stdin(Stdio::null()).stdout(Stdio::null());
    Process(command.stderr(Stdio::piped()).spawn().unwrap())
}

/// Starts an agent; tells the seconds until its journal was open.
fn opened(config: &Path) -> (Process, f64) {
    let began = Instant::now();
    let mut agent = agent(config);
    let mut log = BufReader::new(agent.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("journal open") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the agent ended before its journal was open");
    }
    let seconds = began.elapsed().as_secs_f64();
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    (agent, seconds)
}

/// Lets the machine forget what it has read of a file.
fn forget(path: &Path) {
    let source = format!("if={}", path.display());
    let forgot = Command::new("dd").args([&source, "iflag=nocache", "count=0", "status=none"]).status();
    assert!(forgot.unwrap().success());
}

fn started(figures: &mut Figures, megabytes: u64) {
    let folder = Folder::new("figures-start");
    let config = configure(&folder.0, free_port(), "");
    let path = folder.0.join("state").join(JOURNAL_FILE);
    let journal = DiskJournal::open(&path).unwrap();
    let mut scribe = Scribe::begin(&plant::at(0), plant::chain(), Box::new(journal)).unwrap();
    let (mut count, began) = (0_u64, Instant::now());
    for step in said(usize::MAX) {
        match step {
            Step::Say(at, body) => scribe.write(at, body),
            Step::Rotate(at, next) => {
                let pem = next.to_pem().unwrap();
                scribe.rotate(&at, Box::new(next), &pem).map(drop).unwrap();
            }
            Step::Receipt(_) => {}
        }
        count += 1;
        if count.is_multiple_of(1_000) {
            scribe.commit().unwrap();
            if scribe.journal().size_bytes().unwrap() >= megabytes << 20 {
                break;
            }
        }
    }
    scribe.close().unwrap();
    println!("a journal of {megabytes} MiB, {count} records, made in {:.0} s", began.elapsed().as_secs_f64());
    drop(scribe);
    for (ending, cold) in [("clean", false), ("clean", true), ("unclean", false), ("unclean", true)] {
        let name = format!(
            "start-up, {megabytes} MiB journal, {ending} end, {}",
            if cold { "cold" } else { "warm" }
        );
        if ending == "unclean" {
            opened(&config).0.kill();
        }
        figures.measure(&name, "ms", || {
            if cold {
                forget(&path);
            }
            let (mut agent, seconds) = opened(&config);
            if ending == "clean" {
                assert_eq!(agent.stop(), 0);
            } else {
                agent.kill();
            }
            seconds * 1_000.0
        });
    }
}

/// Drains a backlog through a real broker; tells the seconds from the first record to the last.
async fn drained(count: usize, broker_more: &str, more: &str) -> f64 {
    let folder = Folder::new("figures-drain");
    let broker = Mosquitto::start_with(&folder.0, free_port(), broker_more).await;
    let config = configure(&folder.0, broker.port, more);
    journalled(&folder.0.join("state").join(JOURNAL_FILE), count, 1_000);
    let mut subscriber = Subscriber::start(broker.port).await;
    let agent = soon("the agent", tokio::task::spawn_blocking(move || opened(&config))).await.unwrap().0;
    // Alerts overtake and come again in their place; only places in a row count.
    let (mut began, mut next) = (None, 0);
    while next < count as u64 {
        let (kind, bytes) = subscriber.next().await;
        if kind == Kind::Attest {
            began.get_or_insert_with(Instant::now);
            next += u64::from(Unverified::read(&bytes).unwrap().header().seq == next);
        }
    }
    drop(agent);
    began.unwrap().elapsed().as_secs_f64()
}

#[test]
#[ignore = "takes minutes and judges nothing: cargo test --release --test figures -- --ignored --nocapture"]
fn figures() {
    let mut figures = Figures::default();
    let lines = sealed(RECORDS);
    let wire: usize = lines.iter().map(Vec::len).sum();
    figures.note("a record on the wire", "bytes", wire as f64 / RECORDS as f64);
    figures.measure("signed", "records/s", || {
        let (mut chain, steps, began) = (plant::chain(), said(RECORDS).collect::<Vec<_>>(), Instant::now());
        for step in steps {
            match step {
                Step::Say(at, body) => drop(chain.seal(&at, &body).unwrap()),
                Step::Rotate(at, next) => drop(chain.rotate(&at, Box::new(next)).unwrap()),
                Step::Receipt(_) => {}
            }
        }
        per_second(RECORDS, began)
    });
    for (name, count, group) in [("one a commit", SINGLE, 1), ("100 a commit", RECORDS, 100)] {
        figures.measure(&format!("journalled, {name}"), "records/s", || {
            let folder = Folder::new("figures-journal");
            journalled(&folder.0.join(JOURNAL_FILE), count, group)
        });
    }
    let folder = Folder::new("figures-size");
    let path = folder.0.join(JOURNAL_FILE);
    journalled(&path, RECORDS, 100);
    figures.note("a record on the disk", "bytes", fs::metadata(&path).unwrap().len() as f64 / RECORDS as f64);
    figures.measure("verified: signature, keys, place", "records/s", || verified(&lines));
    figures.measure("collected in batches of 256, each receipted", "records/s", || collected(&lines));
    let megabytes = std::env::var("COLDHEARTH_FIGURES_MB").ok().and_then(|text| text.parse().ok());
    started(&mut figures, megabytes.unwrap_or(1_024));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let backlog = said(usize::MAX).take_while(|step| !is_after_a_week(step)).count();
    figures.note("7 days of 64 points", "records", backlog as f64);
    let queue = "max_queued_messages 0";
    let rate = figures.measure("drained at the default rate", "records/s", || {
        DRAINED as f64 / runtime.block_on(drained(DRAINED, queue, ""))
    });
    figures.note("7 days of 64 points at the default rate, computed", "s", backlog as f64 / rate);
    let fast = "drain_per_s = 10000";
    figures.measure("7 days of 64 points, drain_per_s = 10000, window 20", "s", || {
        runtime.block_on(drained(backlog, queue, fast))
    });
    let wide = "max_queued_messages 0\nmax_inflight_messages 0";
    figures.measure("7 days of 64 points, drain_per_s = 10000, window 65535", "s", || {
        runtime.block_on(drained(backlog, wide, fast))
    });
    figures.print();
}

fn is_after_a_week(step: &Step) -> bool {
    let at = match step {
        Step::Say(at, _) | Step::Rotate(at, _) | Step::Receipt(at) => at,
    };
    at.uptime_ms > plant::WEEK * 900_000
}
