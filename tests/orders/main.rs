//! A cut-off order from draft to proof: the authority's real program, a real mosquitto, the agent and its plant on a clock
//! faster than life. Ordered, cut, held, agreed with by the supplier, verified; then a melt at two in the night.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells how long an answer took"
)]

mod held;
mod records;
mod refused;
#[path = "../support/mod.rs"]
mod support;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use coldhearth::{
    agent::{self, config},
    evidence::{Body, Ed25519, Kind, OrderLog, PublicKey, Suite, record::Unverified},
    host::{
        Clock, SystemClock,
        courier::Broker,
        keys::{self, AUTHORITY_FILE, KEY_FILE},
        public_key,
    },
    judge::{Finding, Rung, Transition},
    metering::Profile,
    regulator::{self, acts, collector::Collector, store::SqliteStore, vitals::Vitals},
    terms::{
        Digest, MilliVolts, Ratio, Stamp,
        time::{DAY_MS, LegalTime},
    },
};
use coldhearth_sim::{
    Change, ElectricArcFurnace, Faults, Feeder, FeederIndex, Load, Plant, SimMeter, VoltagePoint, serve,
};
use records::Records;
use serde_json::{Map, Value, json};
use support::{FastClock, Folder, Mosquitto, Subscriber, soon};
use tokio::{sync::watch, task::JoinHandle};

const SPEED: u64 = 20;
const MINUTE_MS: i64 = 60_000;

/// A furnace whose feeder can be cut, its gateway, and the authority over it.
struct Site {
    folder: Folder,
    port: u16,
    plant: Arc<Mutex<Plant>>,
    furnace: FeederIndex,
    clock: Arc<FastClock>,
}

/// A feeder that nobody may cut; nothing answers there.
const FANS: &str = "\n[[bus]]\nid = \"fans\"\nendpoint = \"tcp://127.0.0.1:9\"\n\n[[meter]]\nid = \"fans\"\nbus = \"fans\"\n\
    unit = 2\nprofile = \"sim-cutoff\"\nserves = \"eaf-1\"\nrole = \"safety\"\nnominal_v = 35_000\nct = \"400/5\"\n";

impl Site {
    async fn open(port: u16, folder: Folder, more: &str) -> Site {
        let text = include_str!("../../simulator/meters/sim-cutoff.toml");
        let profile = Arc::new(Profile::parse("sim-cutoff.toml", text).unwrap());
        let mut plant = Plant::new(7);
        let load = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
        let feeder = Feeder::new(MilliVolts(35_000_000), load).with_voltage_at(VoltagePoint::Load);
        let furnace = plant.add_feeder(feeder);
        plant.add_meter(1, SimMeter::new(&profile).with_ct(Ratio::new(400, 5).unwrap()), furnace);
        let plant = Arc::new(Mutex::new(plant));
        // Two in the night comes soon; of a night that is over, since the supplier's file tells what has passed, and the
        // authority's program looks at the clock on the wall.
        let life = SystemClock::default().now();
        let midnight = life.legal_day().starts_unix_ms() - DAY_MS;
        let origin = Stamp { wall_unix_ms: midnight + 75 * MINUTE_MS, ..life };
        let clock = Arc::new(FastClock::new(SPEED, origin));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let modbus = listener.local_addr().unwrap().port();
        let (fast, start) = (clock.clone(), origin.uptime_ms);
        let time = Arc::new(move || fast.now().uptime_ms - start);
        tokio::spawn(serve(listener, plant.clone(), time, Faults::new()));
        std::fs::create_dir_all(folder.0.join("meters")).unwrap();
        std::fs::write(folder.0.join("meters/sim-cutoff.toml"), text).unwrap();
        let agent = format!(
            "[gateway]\nid = \"gw-test\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\n\
             [broker]\nhost = \"127.0.0.1\"\nport = {port}\n\n[authority]\nkeys = [\"authority/authority.key.pub\"]\n\n\
             [[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:{modbus}\"\n\n\
             [[equipment]]\nid = \"eaf-1\"\nkind = \"electric_arc_furnace\"\nrated_power_w = 12_500_000\n\
             decommissioned_on = 2011-12-31\n\n\
             [[meter]]\nid = \"eaf-1-feeder\"\nbus = \"hall\"\nunit = 1\nprofile = \"sim-cutoff\"\nserves = \"eaf-1\"\n\
             nominal_v = 35_000\nct = \"400/5\"\nvoltage_point = \"load\"\npoll_ms = 2_000\ntimeout_ms = 20_000\n"
        );
        std::fs::write(folder.0.join("agent.toml"), agent + more).unwrap();
        Site { folder, port, plant, furnace, clock }
    }

    fn change(&self, change: Change) {
        assert!(self.plant.lock().unwrap().apply(change));
    }

    /// The agent, until its stopper is told.
    fn agent(&self) -> (watch::Sender<bool>, JoinHandle<()>) {
        let (stopper, stop) = watch::channel(false);
        let config =
            config::load(&self.folder.0.join("agent.toml")).unwrap_or_else(|flaws| panic!("{flaws:#?}"));
        let clock = self.clock.clone();
        let life = tokio::spawn(async move {
            agent::run(clock, config, false, stop).await.unwrap_or_else(|failure| panic!("{failure}"));
        });
        (stopper, life)
    }

    fn authority(&self) -> PathBuf {
        self.folder.0.join("authority")
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(arguments).arg("--state").arg(self.authority());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the authority's program beside this thread; tells its exit and what it said.
    async fn run(&self, arguments: &[&str], input: &str) -> (i32, String) {
        let (mut command, input) = (self.program(arguments), input.to_owned());
        let ended = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
            let out = child.wait_with_output().unwrap();
            let text =
                String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
            (out.status.code().unwrap(), text)
        });
        soon("a program's end", ended).await.unwrap()
    }

    /// Drafts an act about the order, fills it in, signs it and sends it; tells the exit and what was said.
    async fn act(&self, kind: &str, more: Value) -> (i32, String) {
        let about = ["--asset", "eaf-1", "--gateway", "gw-test", "--issuer", "hebei-miit"];
        let mut new = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        new.args(["order", "new", "order-1", "--act", kind]).args(about);
        if ["order", "reading"].contains(&kind) {
            new.args(["--meter", "eaf-1-feeder"]);
        }
        if kind == "order" {
            new.arg("--supplier-key").arg(self.supplier_key().with_extension("key.pub"));
        }
        let out = tokio::task::spawn_blocking(move || new.output().unwrap()).await.unwrap();
        let mut draft: Map<String, Value> =
            serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {out:?}"));
        if !more.as_object().unwrap().is_empty() && kind == "order" {
            let (exit, said) =
                self.run(&["order", "sign", "-"], &Value::Object(draft.clone()).to_string()).await;
            let blanks = ["legal_basis", "method", "points[0].breaker", "safe_state.emptied"];
            assert!(exit == 65 && blanks.iter().all(|blank| said.contains(blank)), "{said}");
        }
        let Value::Object(more) = more else { panic!() };
        // By the clock of the gateway, which is not this machine's.
        draft.insert("issued_unix_ms".into(), self.clock.now().wall_unix_ms.into());
        draft.extend(more);
        // What is the supplier's to say it signs itself.
        let (key, mut sign) = (self.supplier_key(), vec!["order", "sign", "-"]);
        if ["acknowledge", "claim", "reading"].contains(&kind) {
            sign.extend(["--sign-with", key.to_str().unwrap()]);
        }
        let (exit, signed) = self.run(&sign, &Value::Object(draft).to_string()).await;
        assert_eq!(exit, 0, "{signed}");
        let broker = format!("127.0.0.1:{}", self.port);
        self.run(&["order", "send", "-", "--wait", "60s", "--broker", &broker], &signed).await
    }

    /// Signs an order as it stands here, whatever the program for orders would say of it.
    async fn signed(&self, id: &str, change: impl Fn(&mut Map<String, Value>)) -> String {
        let Value::Object(mut draft) = order() else { panic!() };
        let now = self.clock.now().wall_unix_ms;
        let Value::Object(common) = json!({
            "act": "order", "act_id": id, "gateway_id": "gw-test", "asset": "eaf-1", "issuer": "hebei-miit",
            "scope": "feeder", "method": "rack_out", "case": "demolish", "second_feeds": "unknown",
            "not_before_unix_ms": now, "due_unix_ms": now + DAY_MS, "issued_unix_ms": now,
            "expires_unix_ms": now + 7 * DAY_MS,
        }) else {
            panic!()
        };
        draft.extend(common);
        change(&mut draft);
        let (exit, signed) = self.run(&["act", "sign", "-"], &Value::Object(draft).to_string()).await;
        assert_eq!(exit, 0, "{signed}");
        signed
    }

    /// Sends what is signed; tells why it was refused, or nothing.
    async fn refused(&self, signed: &str) -> String {
        let broker = format!("127.0.0.1:{}", self.port);
        let (exit, said) =
            self.run(&["act", "send", "-", "--wait", "60s", "--broker", &broker], signed).await;
        assert!(exit <= 1, "{exit}: {said}");
        said.split("refused: ").nth(1).unwrap_or_default().trim().to_owned()
    }

    /// The supplier's own key, as it made it itself.
    fn supplier_key(&self) -> PathBuf {
        let file = self.folder.0.join("supplier.key");
        if !file.exists() {
            keys::make(&self.folder.0, "supplier.key", Suite::Ed25519).unwrap();
        }
        file
    }

    /// Sends what the supplier's file tells, signed by its own key.
    async fn reading(&self, rows: &str) -> (i32, String) {
        let key = self.supplier_key();
        self.reading_by(rows, &["--sign-with", key.to_str().unwrap()]).await
    }

    /// Sends what the supplier's file tells.
    async fn reading_by(&self, rows: &str, signer: &[&str]) -> (i32, String) {
        let file = self.folder.0.join("utility.csv");
        std::fs::write(&file, format!("meter,start,end,energy_kwh,quality,state\n{rows}")).unwrap();
        let broker = format!("127.0.0.1:{}", self.port);
        let about =
            ["--asset", "eaf-1", "--gateway", "gw-test", "--issuer", "hebei-miit", "--broker", &broker];
        let verb =
            ["order", "reading", "order-1", "--meter", "eaf-1-feeder", "--csv", file.to_str().unwrap()];
        self.run(&[&verb[..], &about, signer].concat(), "").await
    }

    /// What the supplier would say of the ten days to come, by the gateway's clock.
    fn future(&self) -> Value {
        let now = self.clock.now().wall_unix_ms;
        let span = |day: i64| {
            let from = now + day * DAY_MS;
            json!({ "from_unix_ms": from, "to_unix_ms": from + DAY_MS, "energy_wh": 0, "quality": "measured" })
        };
        let spans: Vec<Value> = (0..10).map(span).collect();
        json!({ "error_ppm": 5_000, "step_wh": 1, "switch": "open", "spans": spans })
    }

    /// Whoever has the gateway's bundle, the certificate and the keys checks it, with the bundle's receipts and without.
    async fn bundled(&self) -> [(i32, String); 2] {
        let folder = self.folder.0.clone();
        let plant = |arguments: Vec<std::ffi::OsString>| {
            let mut program = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
            program.args(arguments);
            tokio::task::spawn_blocking(move || program.output().unwrap())
        };
        let path = |name: &str| folder.join(name).into_os_string();
        let config = vec!["export".into(), "--config".into(), path("agent.toml"), path("bundle")];
        let out = plant(config).await.unwrap();
        assert!(out.status.success(), "{out:?}");
        let keys = [
            ("--authority", self.authority().join("authority.key.pub")),
            ("--trust", folder.join("state").join(format!("{KEY_FILE}.pub"))),
        ];
        let keys: Vec<_> =
            keys.into_iter().flat_map(|(flag, key)| [flag.into(), key.into_os_string()]).collect();
        let mut said = Vec::new();
        for records in ["bundle", "bundle/records.jsonl"] {
            let check = ["verify".into(), path(records), "--certificate".into(), path("order-1.json")];
            let out = plant([&check[..], &keys].concat()).await.unwrap();
            said.push((out.status.code().unwrap(), String::from_utf8_lossy(&out.stdout).into_owned()));
        }
        said.try_into().unwrap()
    }

    /// How the order stands by what the authority has kept.
    async fn status(&self) -> Value {
        let (exit, said) = self.run(&["order", "status", "--json"], "").await;
        assert_eq!(exit, 0, "{said}");
        serde_json::from_str::<Value>(&said).unwrap()[0].clone()
    }

    async fn taken(&self, kind: &str, more: Value) {
        let (exit, said) = self.act(kind, more).await;
        assert_eq!(exit, 0, "{kind}: {said}");
    }
}

fn order() -> Value {
    let paper = "0".repeat(64);
    json!({
        "legal_basis": "国发〔2010〕7号 四(三)", "legal_basis_sha256": paper, "tracking_id": "3",
        "entry": "steel-electric-furnace-up-to-30t", "single_line": "v4", "appeal": "60 days", "contacts": "110",
        "scope": "feeder", "method": "rack_out", "case": "demolish",
        "points": [{ "meter": "eaf-1-feeder", "carrier": "own" }],
        "safe_state": {
            "emptied": "done", "cooled": "done", "purged": "not_needed", "declared_by": "li",
            "declared_unix_ms": 0, "document_sha256": paper,
        },
        "hold": {
            "seen_ms": 2 * MINUTE_MS, "provisional_ms": 4 * MINUTE_MS, "nights": 0, "verified_ms": 14 * MINUTE_MS,
            "weekends": 0, "coverage_ppm": 500_000, "longest_gap_ms": 15 * MINUTE_MS,
        },
    })
}

/// What somebody else would sign: an act without its signature.
fn draft_of(signed: &str) -> Map<String, Value> {
    let mut draft: Map<String, Value> = serde_json::from_str(signed).unwrap();
    draft.retain(|name, _| !["alg", "fmt", "kid", "sig", "type"].contains(&name.as_str()));
    draft
}

/// The site with its programs at work, and its order given.
struct Works {
    site: Site,
    records: Records,
    /// Of the agent that runs.
    agent: (watch::Sender<bool>, JoinHandle<()>),
    key: PublicKey,
    _running: (Mosquitto, Serving),
}

/// The authority's collector on the plant's clock, since its receipts tell when records were written.
struct Serving {
    stop: watch::Sender<bool>,
    ends: Option<std::thread::JoinHandle<()>>,
}

impl Serving {
    fn begin(site: &Site) -> Serving {
        let (state, clock) = (site.authority(), site.clock.clone());
        let (stop, mut stopped) = watch::channel(false);
        let broker = Broker {
            host: "127.0.0.1".into(),
            port: site.port,
            client_id: "coldhearth-regulator".into(),
            login: None,
            tls: None,
            keepalive_s: 600,
            will: None,
            filters: Vec::new(),
            keeps_s: None,
        };
        let ends = std::thread::spawn(move || {
            let store = Box::new(SqliteStore::open(&state).unwrap());
            let signer = keys::load_or_make(&state, AUTHORITY_FILE, false).unwrap();
            let collector = Collector::open(store, signer).unwrap();
            let (shown, _seen) = watch::channel(Vitals::default());
            let asked = async move { drop(stopped.wait_for(|is_asked| *is_asked).await) };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime
                .block_on(regulator::serve::serve(&*clock, broker, collector, None, &shown, asked))
                .unwrap();
        });
        Serving { stop, ends: Some(ends) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        drop(self.ends.take().map(std::thread::JoinHandle::join));
    }
}

impl Works {
    async fn begin(name: &str, more: &str) -> Works {
        let folder = Folder::new(name);
        let broker = Mosquitto::start(&folder.0).await;
        let site = Site::open(broker.port, folder, more).await;
        let records = Records { subscriber: Subscriber::start(broker.port).await, lines: Vec::new() };
        assert_eq!(site.run(&["act", "sign", "-"], "{}").await.0, 65, "its key is made at its first use");
        let agent = site.agent();
        let file = site.folder.0.join("state").join(format!("{KEY_FILE}.pub"));
        let life = SystemClock::default();
        soon("the gateway's key", async {
            while public_key::load(&file).is_err() {
                life.sleep_until(life.now().uptime_ms + 20).await;
            }
        })
        .await;
        let key = public_key::load(&file).unwrap();
        let fingerprint = key.fingerprint();
        let add =
            ["gateway", "add", file.to_str().unwrap(), "--id", "gw-test", "--fingerprint", &fingerprint];
        let added = site.run(&add, "").await;
        assert_eq!(added.0, 0, "{}", added.1);
        let serving = Serving::begin(&site);
        soon("the gateway to be known", async {
            // Nobody takes an act to a gateway that was never heard.
            while site.act("order", order()).await.0 != 0 {}
        })
        .await;
        Works { site, records, agent, key, _running: (broker, serving) }
    }

    /// The agent ends as a service manager asks for it.
    async fn stop(self) -> (Site, Records) {
        self.agent.0.send_replace(true);
        soon("the agent's end", self.agent.1).await.unwrap();
        (self.site, self.records)
    }

    async fn restart(self) -> Works {
        let Works { site, records, agent, key, _running } = self;
        agent.0.send_replace(true);
        soon("the agent's end", agent.1).await.unwrap();
        let agent = site.agent();
        Works { site, records, agent, key, _running }
    }

    /// The supplier's file about the last hour, once the hold has lasted long enough.
    async fn agreed(&mut self) -> Transition {
        let site = &self.site;
        soon("the hold to last long enough", async {
            while site.status().await["proven_ms"].as_i64().unwrap() < 14 * MINUTE_MS {}
        })
        .await;
        let from = site.clock.now().wall_unix_ms - 60 * MINUTE_MS;
        soon("the supplier's reading to be enough", async {
            while site.status().await["rung"] != "verified" {
                let row = utility_row(from, site.clock.now().wall_unix_ms, "0.000,measured,3.31.0.23");
                // Two of one second are told in their turn.
                let (exit, said) = site.reading(&row).await;
                assert_eq!(exit, 0, "{said}");
            }
        })
        .await;
        self.records.until(Rung::Verified).await
    }

    /// Whoever has the records checks the certificate with the program that the plant has too.
    async fn certified(&mut self) -> (i32, String) {
        let folder = self.site.folder.0.clone();
        let out = folder.to_str().unwrap();
        let (exit, said) = self.site.run(&["order", "certificate", "order-1", "--out", out], "").await;
        assert_eq!(exit, 0, "{said}");
        let certificate = std::fs::read(folder.join("order-1.json")).unwrap();
        let certificate: Value = serde_json::from_slice(&certificate).unwrap();
        self.records.up_to(certificate["as_of_seq"].as_u64().unwrap()).await;
        let lines: Vec<u8> = self.records.lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        std::fs::write(folder.join("records.jsonl"), lines).unwrap();
        let mut verify = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        verify.arg("verify").arg(folder.join("records.jsonl"));
        verify.arg("--trust").arg(self.site.authority().join("authority.key.pub"));
        verify.arg("--trust").arg(folder.join("state").join(format!("{KEY_FILE}.pub")));
        verify.arg("--certificate").arg(folder.join("order-1.json"));
        verify.arg("--page").arg(folder.join("order-1.html"));
        let out = tokio::task::spawn_blocking(move || verify.output().unwrap()).await.unwrap();
        (out.status.code().unwrap(), String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

/// A row of the supplier's file.
fn utility_row(from_unix_ms: i64, to_unix_ms: i64, rest: &str) -> String {
    let time = |unix_ms: i64| LegalTime(unix_ms).to_string().replace(" +", "+");
    format!("31-0042,{},{},{rest}\n", time(from_unix_ms), time(to_unix_ms))
}
