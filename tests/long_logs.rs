//! `verify` on whole logs: what it needs of memory is bounded, however long the log.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "a test fails by panicking; the plant serves the figures too"
)]

#[path = "bench/plant.rs"]
mod plant;

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coldhearth::evidence::Signer as _;
use plant::Step;

/// Address space that `verify` may have, in bytes: three times what it uses at its peak. A twentieth of a year is 22 MB
/// of records and receipts, the year 440 MB: whoever kept either, or a hundred bytes for each record of the year, would
/// not fit in.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// A twentieth of a year.
const CI_INTERVALS: u64 = plant::YEAR / 20;

/// A log and its receipts as files.
struct Log {
    folder: PathBuf,
    records: u64,
    receipts: u64,
}

impl Drop for Log {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.folder);
    }
}

impl Log {
    fn write(intervals: u64) -> Log {
        let name = format!("coldhearth-long-{intervals}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut log = Log { folder, records: 0, receipts: 0 };
        let create = |name: &str| BufWriter::new(File::create(log.folder.join(name)).unwrap());
        let (mut records, mut receipts) = (create("records.jsonl"), create("receipts.jsonl"));
        let (mut chain, mut last, mut epoch) = (plant::chain(), None, 0);
        for step in plant::steps(5, intervals) {
            let sealed = match step {
                Step::Say(at, body) => chain.seal(&at, &body).unwrap(),
                Step::Rotate(at, next) => {
                    epoch += 1;
                    chain.rotate(&at, Box::new(next)).unwrap()
                }
                Step::Receipt(at) => {
                    let (_, hash, bytes) = plant::receipt(&at, &chain, last.unwrap(), epoch);
                    chain.on_receipt(hash);
                    log.receipts += 1;
                    receipts.write_all(&[&bytes, &b"\n"[..]].concat()).unwrap();
                    continue;
                }
            };
            last = Some((sealed.seq, sealed.hash));
            records.write_all(sealed.bytes).unwrap();
            records.write_all(b"\n").unwrap();
            log.records += 1;
        }
        for (name, key) in [("gateway.pub", plant::key(0)), ("authority.pub", plant::authority())] {
            fs::write(log.folder.join(name), key.public_key().to_pem().unwrap()).unwrap();
        }
        log
    }

    /// Verifies it inside [`LIMIT_BYTES`]; tells the most memory that was resident, in KiB.
    fn verify(&self) -> u64 {
        let file = |name: &str| self.folder.join(name);
        let mut command = Command::new("prlimit");
        command.arg(format!("--as={LIMIT_BYTES}")).arg(env!("CARGO_BIN_EXE_coldhearth")).arg("verify");
        command.arg(file("records.jsonl")).arg("--receipts").arg(file("receipts.jsonl")).arg("--json");
        command.arg("--trust").arg(file("gateway.pub")).arg("--trust").arg(file("authority.pub"));
        let out = File::create(file("report.json")).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(out).spawn().unwrap();
        // `prlimit` becomes the program it starts.
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let mut peak_kib = 0;
        let ended = loop {
            peak_kib = peak_kib.max(high_water_kib(&status).unwrap_or(0));
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            std::thread::yield_now();
        };
        let report = fs::read_to_string(file("report.json")).unwrap();
        assert!(ended.success(), "{ended}: {report}");
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&report["records"], &report["complete"]), (&self.records.into(), &true.into()));
        let time = &report["time"];
        assert_eq!((&time["receipts"], &time["outside"]), (&self.receipts.into(), &0.into()));
        // What comes before the first receipt, or after the last, has no other side.
        assert!(time["open"].as_u64().unwrap() <= 14, "{time}");
        assert_eq!(time["widest_ms"], 300_000);
        peak_kib
    }
}

fn high_water_kib(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn a_long_log_is_verified_in_little_memory() {
    let log = Log::write(CI_INTERVALS);
    println!("{} records, {} receipts: {} KiB", log.records, log.receipts, log.verify());
}

#[test]
#[ignore = "half a gigabyte of records; tests/all runs it"]
fn a_year_is_verified_in_no_more_memory_than_a_part_of_it() {
    let peaks = [CI_INTERVALS, plant::YEAR].map(|intervals| {
        let log = Log::write(intervals);
        let peak_kib = log.verify();
        println!("{} records, {} receipts: {peak_kib} KiB at the peak", log.records, log.receipts);
        peak_kib
    });
    assert!(peaks[1] < peaks[0] * 2, "{peaks:?}");
}
