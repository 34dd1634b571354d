//! Many gateways at once: real keys, real signatures, a real mosquitto and the real collector, in bad weather.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and the long ones tell their figures"
)]

mod support;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use coldhearth_sim::fleet::{self, FleetOrders, Report};
use support::{Folder, Mosquitto, PATIENCE, Process, free_port};

/// What a broker needs that feeds one collector from thousands: by its defaults mosquitto throws away what is beyond a
/// thousand messages for one subscriber.
const BROKER: &str = "max_queued_messages 0\nmax_inflight_messages 200\n";

/// An authority that has admitted a fleet.
struct Authority {
    folder: Folder,
    keys: BTreeMap<String, String>,
}

impl Authority {
    fn admitting(name: &str, orders: &FleetOrders) -> Authority {
        let folder = Folder::new(name);
        let list = fleet::enrolment(orders.seed, orders.gateways).unwrap();
        let authority = Authority { keys: keys(&list), folder };
        let (exit, said) = authority.admit(&list.replacen('1', "2", 1));
        assert_eq!(exit, 65, "{said}");
        assert!(said.contains("nobody was admitted"), "{said}");
        let (exit, said) = authority.admit(&list);
        assert_eq!((exit, said), (0, format!("{} admitted, 0 were admitted before\n", orders.gateways)));
        assert_eq!(
            authority.admit(&list).1,
            format!("0 admitted, {} were admitted before\n", orders.gateways)
        );
        // Its key is made at its first use, whatever becomes of that.
        authority.run(&["act", "sign", "-"]);
        authority
    }

    fn state(&self) -> PathBuf {
        self.folder.0.join("state")
    }

    fn admit(&self, list: &str) -> (i32, String) {
        let path = self.folder.0.join("list");
        fs::write(&path, list).unwrap();
        self.run(&["gateway", "admit", path.to_str().unwrap()])
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        let out =
            command.args(arguments).arg("--state").arg(self.state()).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        (out.status.code().unwrap(), said)
    }

    fn serve(&self, port: u16) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(["serve", "--broker", &format!("127.0.0.1:{port}"), "--state"]).arg(self.state());
        let log = File::create(self.folder.0.join("serve.log")).unwrap();
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn ask(&self, sql: &str) -> String {
        let out = Command::new("sqlite3").arg(self.state().join("store.db")).arg(sql).output().unwrap();
        assert!(out.status.success(), "{sql}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// Every record of a gateway that is kept, as a file to be verified.
    fn chain_of(&self, gateway: &str) -> PathBuf {
        let path = self.folder.0.join(format!("{gateway}.jsonl"));
        let sql = format!("select bytes from record where gateway = '{gateway}' order by log, seq");
        fs::write(&path, self.ask(&sql)).unwrap();
        path
    }

    /// What `coldhearth verify` says of a gateway's chain.
    fn verify(&self, gateway: &str, key: &str) -> Option<i32> {
        let trust = self.folder.0.join(format!("{gateway}.pub"));
        File::create(&trust).unwrap().write_all(key.as_bytes()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        command.arg("verify").arg(self.chain_of(gateway)).arg("--trust").arg(trust);
        command.stdout(Stdio::null()).status().unwrap().code()
    }
}

/// Each gateway's key, as its line of the list has it.
fn keys(list: &str) -> BTreeMap<String, String> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    list.lines().map(words).map(|words| (words[0].clone(), words[1].clone())).collect()
}

fn orders(gateways: u32) -> FleetOrders {
    FleetOrders {
        gateways,
        seed: 7,
        broker: (String::new(), 0),
        tls: None,
        authority: Vec::new(),
        speed: 60,
        for_ms: 20_000,
        settle_ms: 180_000,
        outages: 0,
        restarts: 0,
        storms_ms: Vec::new(),
        kept_kib: fleet::KEPT_KIB,
    }
}

/// Sends a fleet out; it runs on a thread and a runtime of its own.
fn sent_out(orders: FleetOrders, authority: &Authority, port: u16) -> std::thread::JoinHandle<Report> {
    let keys = vec![authority.state().join("authority.key.pub")];
    let orders = FleetOrders { broker: ("127.0.0.1".into(), port), authority: keys, ..orders };
    std::thread::spawn(move || fleet::run(&orders).unwrap_or_else(|failure| panic!("{failure:?}")))
}

async fn ended(fleet: std::thread::JoinHandle<Report>) -> Report {
    tokio::task::spawn_blocking(move || fleet.join().unwrap()).await.unwrap()
}

/// What is kept is what was written, once each.
fn holds(authority: &Authority, report: &Report) {
    assert!(report.holds(), "{report:?}");
    assert_eq!(report.gaps, 0, "nothing had to be dropped");
    let kept = authority.ask("select count(*), (select count(*) from fork) from record");
    assert_eq!(kept.trim(), format!("{}|0", report.records), "as many rows as records, and no fork");
}

#[tokio::test]
async fn fifty_gateways_in_bad_weather_lose_nothing_and_every_chain_verifies() {
    let orders = FleetOrders { outages: 40, restarts: 10, storms_ms: vec![9_000], ..orders(50) };
    let authority = Authority::admitting("fleet", &orders);
    let broker = Mosquitto::start_with(&authority.folder.0, free_port(), BROKER).await;
    let mut collector = authority.serve(broker.port);
    let report = ended(sent_out(orders, &authority, broker.port)).await;
    collector.kill();
    holds(&authority, &report);
    assert!(report.resent() > 0, "a storm that costs nothing is none: {report:?}");
    assert_eq!(report.storms.len(), 1, "{report:?}");
    assert!(report.records > 50 * 6, "{report:?}");
    let skips = authority.ask("select count(*) from record where kind = 'skip'");
    assert!(skips.trim().parse::<u32>().unwrap() > 0, "power was cut, and places were skipped");
    for (gateway, key) in &authority.keys {
        assert_eq!(authority.verify(gateway, key), Some(0), "{gateway}");
    }
}

#[tokio::test]
async fn a_broker_that_forgets_makes_receipts_ask_and_gateways_send_again() {
    let orders = FleetOrders { for_ms: 15_000, ..orders(20) };
    let authority = Authority::admitting("forgetful", &orders);
    // Ten messages for a subscriber that is behind, and the rest is thrown away.
    let forgets = "max_queued_messages 10\nmax_inflight_messages 1\n";
    let broker = Mosquitto::start_with(&authority.folder.0, free_port(), forgets).await;
    let mut collector = authority.serve(broker.port);
    let report = ended(sent_out(orders, &authority, broker.port)).await;
    collector.kill();
    holds(&authority, &report);
    println!("{report:?}");
}

#[tokio::test]
#[ignore = "takes minutes and some gigabytes: tests/all"]
async fn ten_thousand_gateways_a_quarter_of_an_hour_in_fifteen_seconds() {
    let gateways = std::env::var("COLDHEARTH_FLEET").map_or(10_000, |text| text.parse().unwrap());
    let orders = FleetOrders { for_ms: 90_000, settle_ms: 600_000, ..orders(gateways) };
    let authority = Authority::admitting("ten-thousand", &orders);
    let broker = Mosquitto::start_with(&authority.folder.0, free_port(), BROKER).await;
    let mut collector = authority.serve(broker.port);
    let report = ended(sent_out(orders, &authority, broker.port)).await;
    collector.kill();
    holds(&authority, &report);
    for (gateway, key) in authority.keys.iter().step_by(97) {
        assert_eq!(authority.verify(gateway, key), Some(0), "{gateway}");
    }
}

#[tokio::test]
#[ignore = "takes minutes and some gigabytes: tests/all"]
async fn eight_thousand_gateways_come_back_to_a_broker_that_was_killed() {
    let gateways = std::env::var("COLDHEARTH_FLEET").map_or(8_000, |text| text.parse().unwrap());
    let orders = FleetOrders { speed: 1, for_ms: 120_000, settle_ms: 600_000, ..orders(gateways) };
    let authority = Authority::admitting("eight-thousand", &orders);
    let port = free_port();
    let settings = format!("{BROKER}sys_interval 1\n");
    let broker = Mosquitto::start_with(&authority.folder.0, port, &settings).await;
    let mut collector = authority.serve(port);
    let fleet = sent_out(orders, &authority, port);
    let everybody = tokio::task::spawn_blocking(move || while granted(port) < 2 * gateways {});
    tokio::time::timeout(PATIENCE * 10, everybody).await.unwrap().unwrap();
    broker.stop();
    let _broker = Mosquitto::start_with(&authority.folder.0, port, &settings).await;
    let report = soon_or_late(ended(fleet)).await;
    collector.kill();
    holds(&authority, &report);
    let storm = report.storms.first().unwrap();
    let took_ms = storm.to_ms - storm.from_ms;
    println!("{gateways} gateways were back {took_ms} ms after the broker was killed");
    assert!(took_ms <= 60_000, "{took_ms} ms");
}

/// How many subscriptions a mosquitto says it has granted, by what it tells once a second.
fn granted(port: u16) -> u32 {
    let mut command = Command::new("mosquitto_sub");
    command.args(["-p", &port.to_string(), "-t", "$SYS/broker/subscriptions/count", "-C", "2", "-W", "5"]);
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    out.lines().last().and_then(|line| line.parse().ok()).unwrap_or(0)
}

async fn soon_or_late<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE * 20, event).await.unwrap()
}
