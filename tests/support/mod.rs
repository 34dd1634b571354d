//! A plant on real sockets, a real broker and the real programs, for the tests that prove the wiring.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "each test uses its part, and a test fails by panicking"
)]

pub mod authority;
pub mod cut;
pub mod exposition;
pub mod handed;
pub mod nats;
pub mod page;
pub mod postgres;
pub mod rewriting;
pub mod rumqttd;
pub mod voice;

use std::{
    future::Future,
    net::TcpListener as StdListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use coldhearth::{
    agent::journal::{DiskJournal, JOURNAL_FILE},
    evidence::{
        Audit, Body, Class, Journal as _, Kind, PublicKey, Record, Report, record::Unverified, topic,
    },
    host::{
        Clock, SystemClock,
        clock::Wait,
        courier::{self, Broker, Courier, Event},
        keys::KEY_FILE,
        public_key,
    },
    judge::{Finding, State, Verdict},
    metering::Profile,
    terms::{MilliVolts, MilliWatts, Ratio, Stamp},
};
use coldhearth_sim::{ElectricArcFurnace, Faults, Feeder, FeederIndex, Load, Plant, SimMeter, serve};

/// How long an event may take before a test gives up. Generous: it only bounds a failure.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Waits for an event; a test that waits longer than [`PATIENCE`] has failed.
pub async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The machine's clock, but faster, from a moment on.
pub struct FastClock {
    life: SystemClock,
    began_ms: u64,
    origin: Stamp,
    speed: u64,
}

impl FastClock {
    /// So many times as fast; at its beginning it tells this moment.
    pub fn new(speed: u64, origin: Stamp) -> FastClock {
        let life = SystemClock::default();
        FastClock { began_ms: life.now().uptime_ms, life, origin, speed }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Stamp {
        let life = self.life.now();
        let ahead = (life.uptime_ms - self.began_ms) * self.speed;
        Stamp {
            wall_unix_ms: self.origin.wall_unix_ms + ahead.cast_signed(),
            uptime_ms: self.origin.uptime_ms + ahead,
            ..life
        }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        let ahead = uptime_ms.saturating_sub(self.origin.uptime_ms).div_ceil(self.speed);
        self.life.sleep_until(self.began_ms + ahead)
    }

    fn set_boot(&self, boot: u32) {
        self.life.set_boot(boot);
    }
}

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("coldhearth-{name}-{}", std::process::id()));
        let _old = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A child process that is ended by its id, whatever happens.
pub struct Process(pub Child);

impl Process {
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks the process to end as a service manager would, and waits.
    pub fn stop(mut self) -> i32 {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Debian's mosquitto on a free port of 127.0.0.1.
pub struct Mosquitto {
    pub port: u16,
    process: Process,
}

impl Mosquitto {
    pub async fn start(folder: &Path) -> Mosquitto {
        Mosquitto::start_at(folder, free_port()).await
    }

    pub async fn start_at(folder: &Path, port: u16) -> Mosquitto {
        Mosquitto::start_with(folder, port, "").await
    }

    pub async fn start_with(folder: &Path, port: u16, more: &str) -> Mosquitto {
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n{more}\n");
        Mosquitto::start_text(folder, port, &text).await
    }

    /// With this configuration, which listens on this port of 127.0.0.1.
    pub async fn start_text(folder: &Path, port: u16, text: &str) -> Mosquitto {
        let config = folder.join(format!("mosquitto-{port}.conf"));
        std::fs::write(&config, text).unwrap();
        let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .expect("mosquitto is not installed; tests/run installs it");
        let quiet = || std::fs::File::create(folder.join("mosquitto.log")).unwrap();
        let child =
            Command::new(program).arg("-c").arg(&config).stdout(quiet()).stderr(quiet()).spawn().unwrap();
        let broker = Mosquitto { port, process: Process(child) };
        soon("mosquitto's listener", async {
            let clock = SystemClock::default();
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                clock.sleep_until(clock.now().uptime_ms + 20).await;
            }
        })
        .await;
        broker
    }

    pub fn stop(mut self) {
        self.process.kill();
    }
}

/// Subscribes to everything and hands it out.
pub struct Subscriber {
    pub courier: Courier,
}

impl Subscriber {
    pub async fn start(port: u16) -> Subscriber {
        Subscriber::start_with(Subscriber::broker(port)).await
    }

    /// A broker on this port of 127.0.0.1, everything subscribed to.
    pub fn broker(port: u16) -> Broker {
        Broker {
            host: "127.0.0.1".into(),
            port,
            client_id: format!("test-{}", free_port()),
            login: None,
            tls: None,
            keepalive_s: 30,
            will: None,
            filters: vec![topic::EVERYTHING.into()],
            keeps_s: None,
        }
    }

    pub async fn start_with(broker: Broker) -> Subscriber {
        let (mut courier, ends) = courier::pair();
        tokio::spawn(async move { courier::run(&SystemClock::default(), broker, ends).await });
        soon("a granted subscription", async {
            while !matches!(courier.events.recv().await, Some(Event::Subscribed)) {}
        })
        .await;
        Subscriber { courier }
    }

    /// The next message: what kind, and its bytes.
    pub async fn next(&mut self) -> (Kind, Vec<u8>) {
        soon("a message", async {
            loop {
                if let Some(Event::Message { topic, payload, .. }) = self.courier.events.recv().await {
                    return (
                        Kind::of_topic(&topic).unwrap_or_else(|| panic!("unknown topic {topic}")),
                        payload,
                    );
                }
            }
        })
        .await
    }

    /// Collects attestations until one satisfies the condition; tells all of them, that one last.
    pub async fn attestations_until(
        &mut self,
        key: &PublicKey,
        wanted: impl Fn(&Record) -> bool,
    ) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        loop {
            let (kind, bytes) = self.next().await;
            if kind == Kind::Attest {
                let record = Unverified::read(&bytes).unwrap().verify(key).unwrap();
                lines.push(bytes);
                if wanted(&record) {
                    return lines;
                }
            }
        }
    }
}

/// A plant with one furnace behind a Janitza meter (unit 1) and one meter more (unit 2), on a real socket.
pub struct Works {
    pub folder: Folder,
    pub plant: Arc<Mutex<Plant>>,
    pub furnace: FeederIndex,
    pub faults: Faults,
    pub modbus_port: u16,
}

impl Works {
    pub async fn open(name: &str) -> Works {
        let janitza = include_str!("../../config/meters/janitza-19000.toml");
        let profile = Arc::new(Profile::parse("janitza-19000.toml", janitza).unwrap());
        let mut plant = Plant::new(7);
        let load = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
        let ratio = Ratio::new(400, 5).unwrap();
        let furnace = plant.add_feeder(Feeder::new(MilliVolts(35_000_000), load.clone()));
        plant.add_meter(1, SimMeter::new(&profile).with_ct(ratio), furnace);
        let other = plant.add_feeder(Feeder::new(MilliVolts(35_000_000), load));
        plant.add_meter(2, SimMeter::new(&profile).with_ct(ratio), other);
        let folder = Folder::new(name);
        std::fs::create_dir_all(folder.0.join("meters")).unwrap();
        std::fs::write(folder.0.join("meters/janitza-19000.toml"), janitza).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let modbus_port = listener.local_addr().unwrap().port();
        let (plant, faults) = (Arc::new(Mutex::new(plant)), Faults::new());
        let clock = SystemClock::default();
        let start = clock.now().uptime_ms;
        let time = Arc::new(move || clock.now().uptime_ms - start);
        tokio::spawn(serve(listener, plant.clone(), time, faults.clone()));
        Works { folder, plant, furnace, faults, modbus_port }
    }

    /// The furnace draws exactly this from now on.
    pub fn force(&self, watts: i64) {
        assert!(self.plant.lock().unwrap().force_power(self.furnace, MilliWatts::from_watts(watts)));
    }

    /// Writes the agent's configuration for a broker on this port.
    pub fn configure(&self, mqtt_port: u16) -> PathBuf {
        let path = self.folder.0.join("agent.toml");
        let (modbus, mut text) = (self.modbus_port, String::new());
        text += &format!(
            "[gateway]\nid = \"gw-test\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\n\
             [broker]\nhost = \"127.0.0.1\"\nport = {mqtt_port}\n\n\
             [[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:{modbus}\"\n"
        );
        for (unit, id) in [(1, "eaf-1"), (2, "eaf-2")] {
            text += &format!(
                "\n[[equipment]]\nid = \"{id}\"\nkind = \"electric_arc_furnace\"\nrated_power_w = 12_500_000\n\
                 decommissioned_on = 2011-12-31\n\n\
                 [[meter]]\nid = \"{id}-feeder\"\nbus = \"hall\"\nunit = {unit}\nprofile = \"janitza-19000\"\n\
                 serves = \"{id}\"\nnominal_v = 35_000\nct = \"400/5\"\npoll_ms = 100\ntimeout_ms = 500\n"
            );
        }
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Starts the real agent.
    pub fn agent(&self, config: &Path) -> Process {
        self.agent_with(config, &[])
    }

    /// Starts the real agent with more on its command line.
    pub fn agent_with(&self, config: &Path, more: &[&str]) -> Process {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.0.join("agent.log"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        command.args(["run", "--config"]).arg(config).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Process(command.spawn().unwrap())
    }

    /// The agent's public key, as soon as its first start has made it.
    pub async fn key(&self) -> PublicKey {
        let path = self.public_key_file();
        soon("the gateway's public key", async {
            let clock = SystemClock::default();
            loop {
                if let Ok(key) = public_key::load(&path) {
                    return key;
                }
                clock.sleep_until(clock.now().uptime_ms + 20).await;
            }
        })
        .await
    }

    pub fn public_key_file(&self) -> PathBuf {
        self.folder.0.join("state").join(format!("{KEY_FILE}.pub"))
    }

    /// Every record of the journal, as it would travel.
    pub fn journal(&self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut journal = DiskJournal::open(&self.folder.0.join("state").join(JOURNAL_FILE)).unwrap();
        let each = &mut |_: u64, _: Class, bytes: &[u8]| {
            lines.push(bytes.to_vec());
            true
        };
        journal.read(0, Class::Routine, each).unwrap();
        lines
    }

    /// Whether a record of the journal contains this; there may be no journal yet.
    pub fn journal_says(&self, what: &str) -> bool {
        let path = self.folder.0.join("state").join(JOURNAL_FILE);
        path.exists() && self.journal().iter().any(|line| String::from_utf8_lossy(line).contains(what))
    }

    /// What the agent logged, for a test that failed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("agent.log")).unwrap_or_default()
    }
}

/// Enrols the works' gateway; tells the fingerprint it reads out and its key's file.
pub fn public_key_of(works: &Works, config: &Path) -> (String, PathBuf) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    let out = command.arg("enrol").arg("--config").arg(config).output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    let fingerprint =
        said.lines().find_map(|line| line.strip_prefix("fingerprint: ")).expect("a fingerprint");
    (fingerprint.to_owned(), works.public_key_file())
}

/// Audits records under one key.
pub fn audit(key: &PublicKey, lines: &[Vec<u8>]) -> Report {
    let mut audit = Audit::new(&[*key]);
    lines.iter().for_each(|line| audit.on_line(line));
    audit.report()
}

/// The verdict a record carries.
pub fn verdict(record: &Record) -> Option<Verdict> {
    if let Body::Finding(Finding::Verdict(verdict)) = record.body { Some(verdict) } else { None }
}

/// Whether a record says that this feeder is in this state.
pub fn says(record: &Record, meter: &str, state: State) -> bool {
    matches!(&record.body, Body::Finding(Finding::State(found)) if found.meter.as_str() == meter && found.state == state)
}
