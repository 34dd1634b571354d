//! Every way to a meter, on real sockets and a real terminal: a serial line whose adapter vanishes and returns, a serial
//! server, a gateway that serves one client, a peer that says nothing, certificates on both ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod encrypted;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs::File,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use coldhearth::{
    agent::{
        bus::{self, Dial, Hindrance, Manners, Terms, dialler},
        config,
        endpoint::Endpoint,
        run::Inbox,
    },
    host::{
        Clock as _, SystemClock,
        credentials::{Identity, TlsFiles},
    },
    metering::{Fault, MeterPoint, Profile, Sample, Schedule, decode::Declared},
    terms::MeterId,
};
use coldhearth_sim::{Plant, PlantTime, WireFault, serve_rtu};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use support::{Works, soon};
use tokio::{
    net::{TcpListener, TcpStream, unix::pipe},
    sync::mpsc,
    task::JoinSet,
};
use tokio_modbus::prelude::{Request, Slave};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};

const POWER_W: i64 = 8_000_000;

fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text).unwrap()
}

fn terms() -> Terms {
    Terms { answer_ms: 150, ..Terms::default() }
}

/// Polls the first meter of the works over an endpoint for as long as the receiver lives.
fn poll(endpoint: &Endpoint, terms: &Terms, manners: Manners) -> mpsc::Receiver<Inbox> {
    let text = include_str!("../../config/meters/janitza-19000.toml");
    let profile = Arc::new(Profile::parse("janitza-19000.toml", text).unwrap());
    let point = MeterPoint {
        meter: MeterId::new("eaf-1").unwrap(),
        unit: 1,
        profile,
        declared: Declared::default(),
        period_ms: 40,
        timeout_ms: Some(400),
    };
    let schedule = Schedule::new(vec![point], vec![], 0, 0);
    let dial = dialler(endpoint, terms);
    let (send, receive) = mpsc::channel(16);
    tokio::spawn(async move { bus::run(&SystemClock::default(), &*dial, manners, schedule, send).await });
    receive
}

/// Waits for a sample; every reading on the way must be a true one.
async fn until(samples: &mut mpsc::Receiver<Inbox>, what: &str, wanted: impl Fn(&Sample) -> bool) {
    soon(what, async {
        loop {
            let Some(Inbox::Sample(sample)) = samples.recv().await else { panic!("the bus has ended") };
            if let Sample::Reading(reading) = &sample {
                let power = reading.power().unwrap().watts();
                assert!((POWER_W - POWER_W / 40..POWER_W + POWER_W / 40).contains(&power), "{reading:?}");
            }
            if wanted(&sample) {
                return;
            }
        }
    })
    .await;
}

fn is_reading(sample: &Sample) -> bool {
    matches!(sample, Sample::Reading(_))
}

fn is_miss(sample: &Sample, wanted: &[Fault]) -> bool {
    matches!(sample, Sample::Miss { fault, .. } if wanted.contains(fault))
}

/// A works whose meters can also be heard in RTU.
struct Hall {
    works: Works,
    time: PlantTime,
}

impl Hall {
    async fn open(name: &str) -> Hall {
        let works = Works::open(name).await;
        works.force(POWER_W);
        let clock = SystemClock::default();
        let start = clock.now().uptime_ms;
        Hall { works, time: Arc::new(move || clock.now().uptime_ms - start) }
    }

    fn plant(&self) -> Arc<Mutex<Plant>> {
        self.works.plant.clone()
    }

    /// A serial adapter: the far end of a terminal, and the path of the near end. Unplugged when dropped.
    fn adapter(&self) -> (JoinSet<()>, PathBuf) {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&far).unwrap();
        unlockpt(&far).unwrap();
        let near = PathBuf::from(ptsname(&far, Vec::new()).unwrap().into_string().unwrap());
        let far = File::from(far);
        rustix::io::ioctl_fionbio(&far, true).unwrap();
        let listening = pipe::Receiver::from_file_unchecked(far.try_clone().unwrap()).unwrap();
        let far = tokio::io::join(listening, pipe::Sender::from_file_unchecked(far).unwrap());
        let (plant, time, faults) = (self.plant(), self.time.clone(), self.works.faults.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut far = far;
            // A terminal nobody has open yet reads as closed.
            loop {
                drop(serve_rtu(&mut far, plant.clone(), time.clone(), faults.clone()).await);
                let clock = SystemClock::default();
                clock.sleep_until(clock.now().uptime_ms + 5).await;
            }
        });
        (serving, near)
    }

    /// A serial server: RTU over TCP, to one client at a time; the others are turned away..
    async fn serial_server(&self) -> (JoinSet<()>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (plant, time, faults) = (self.plant(), self.time.clone(), self.works.faults.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut client = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                while client.try_join_next().is_some() {}
                if client.is_empty() {
                    let (plant, time, faults) = (plant.clone(), time.clone(), faults.clone());
                    client.spawn(async move { drop(serve_rtu(stream, plant, time, faults).await) });
                }
            }
        });
        (serving, port)
    }
}

fn point_to(link: &Path, target: &Path) {
    let _old = std::fs::remove_file(link);
    std::os::unix::fs::symlink(target, link).unwrap();
}

#[tokio::test]
async fn an_adapter_that_vanishes_and_returns_under_another_name_is_read_again() {
    let hall = Hall::open("adapter").await;
    let by_id = hall.works.folder.0.join("usb-adapter");
    let (adapter, near) = hall.adapter();
    point_to(&by_id, &near);
    let endpoint = endpoint(&format!("rtu://{}?baud=19200&parity=E", by_id.display()));
    let mut samples = poll(&endpoint, &terms(), Manners::default());
    until(&mut samples, "a reading over the line", is_reading).await;
    let _gone = std::fs::remove_file(&by_id);
    drop(adapter);
    until(&mut samples, "the end of the line", |s| is_miss(s, &[Fault::Closed, Fault::Refused])).await;
    until(&mut samples, "a path that leads nowhere", |s| is_miss(s, &[Fault::Refused])).await;
    let (_adapter, near) = hall.adapter();
    point_to(&by_id, &near);
    until(&mut samples, "a reading through the new adapter", is_reading).await;
}

#[tokio::test]
async fn every_lie_on_a_line_is_a_miss_with_its_cause_and_the_truth_comes_back() {
    let hall = Hall::open("rtu-lies").await;
    let (_adapter, near) = hall.adapter();
    let mut samples = poll(&endpoint(&format!("rtu://{}", near.display())), &terms(), Manners::default());
    until(&mut samples, "a first reading", is_reading).await;
    let lies: [(WireFault, &[Fault]); 9] = [
        (WireFault::Silent, &[Fault::Timeout]),
        (WireFault::LateMs(600), &[Fault::Timeout]),
        (WireFault::Exception(4), &[Fault::Exception(4)]),
        // Over a new connection the ratios are read first, and a wrong length leaves them unknown.
        (WireFault::TooShort, &[Fault::WrongLength, Fault::RatioUnknown]),
        (WireFault::TooLong, &[Fault::WrongLength, Fault::RatioUnknown]),
        (WireFault::ForeignUnit, &[Fault::Mismatch]),
        (WireFault::ForeignTransaction, &[Fault::Garbage]),
        (WireFault::Garbage, &[Fault::Garbage]),
        (WireFault::CutMidFrame, &[Fault::Garbage, Fault::Closed]),
    ];
    for (lie, causes) in lies {
        hall.works.faults.set(1, lie);
        until(&mut samples, &format!("{lie:?} as a miss"), |sample| is_miss(sample, causes)).await;
        hall.works.faults.clear(1);
        until(&mut samples, &format!("the truth after {lie:?}"), is_reading).await;
    }
    for harmless in [WireFault::Echo, WireFault::ByteByByte, WireFault::LateMs(30)] {
        hall.works.faults.set(1, harmless);
        until(&mut samples, "an answer under way", is_reading).await;
        until(&mut samples, &format!("a reading in spite of {harmless:?}"), is_reading).await;
    }
}

#[tokio::test]
async fn a_line_has_one_owner_and_an_absent_one_is_told_from_a_taken_one() {
    let hall = Hall::open("owner").await;
    let (_adapter, near) = hall.adapter();
    let line = endpoint(&format!("rtu://{}", near.display()));
    let (first, second) = (dialler(&line, &terms()), dialler(&line, &terms()));
    let client = first.dial().await.unwrap();
    let hindrance = async |dial: &dyn Dial| dial.dial().await.err().and_then(|e| Hindrance::of(&e));
    assert_eq!(hindrance(&*second).await, Some(Hindrance::DeviceTaken));
    drop(client);
    first.hang_up();
    assert_eq!(hindrance(&*second).await, None, "a line that was given back is anybody's");
    let absent = dialler(&endpoint("rtu:///dev/serial/by-id/usb-nobody"), &terms());
    assert_eq!(hindrance(&*absent).await, Some(Hindrance::NoDevice));
}

#[tokio::test]
async fn a_serial_server_for_one_client_serves_whoever_gives_the_line_back() {
    let hall = Hall::open("one-client").await;
    let (_serving, port) = hall.serial_server().await;
    let endpoint = endpoint(&format!("rtu+tcp://127.0.0.1:{port}"));
    let polite = Manners { close_idle_ms: Some(0), ..Manners::default() };
    let mut first = poll(&endpoint, &terms(), polite);
    until(&mut first, "a reading of the first", is_reading).await;
    // A bus that nobody hears stops with the line in its hand; so somebody hears it.
    let mut hearing = JoinSet::new();
    hearing.spawn(async move { while first.recv().await.is_some() {} });
    let mut second = poll(&endpoint, &terms(), polite);
    until(&mut second, "a reading of the second", is_reading).await;
    drop((hearing, second));
    let mut greedy = poll(&endpoint, &terms(), Manners::default());
    until(&mut greedy, "a reading of one that keeps the line", is_reading).await;
    let mut turned_away = poll(&endpoint, &terms(), Manners::default());
    for _ in 0..6 {
        let away = [Fault::Closed, Fault::Refused];
        until(&mut turned_away, "a miss of one that is turned away", |sample| is_miss(sample, &away)).await;
    }
    until(&mut greedy, "a reading of the one that is served", is_reading).await;
}

/// The peer takes the connection and vanishes: nothing ever comes, and nothing says so.
#[tokio::test]
async fn a_peer_that_says_nothing_costs_a_deadline_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, mut held) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            send.send(stream).unwrap();
        }
    });
    for kind in ["tcp", "rtu+tcp"] {
        let endpoint = endpoint(&format!("{kind}://127.0.0.1:{port}"));
        let mut samples = poll(&endpoint, &terms(), Manners::default());
        for _ in 0..3 {
            until(&mut samples, "a deadline", |sample| is_miss(sample, &[Fault::Timeout])).await;
        }
        assert!(held.recv().await.is_some());
    }
}

#[tokio::test]
async fn exceptions_keep_the_connection() {
    let works = Works::open("exceptions").await;
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = relay.local_addr().unwrap().port();
    let came = Arc::new(AtomicU32::new(0));
    let (count, behind) = (came.clone(), works.modbus_port);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = relay.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut far = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    works.force(POWER_W);
    let endpoint = endpoint(&format!("tcp://127.0.0.1:{port}"));
    let mut samples = poll(&endpoint, &terms(), Manners::default());
    for code in [1, 2, 3, 4, 5, 6, 10, 11] {
        works.faults.set(1, WireFault::Exception(code));
        until(&mut samples, &format!("exception {code}"), |s| is_miss(s, &[Fault::Exception(code)])).await;
        works.faults.clear(1);
        until(&mut samples, "a reading again", is_reading).await;
    }
    assert_eq!(came.load(Ordering::Relaxed), 1, "an exception is an answer: nobody hangs up for it");
}

/// How much memory this process holds, in kilobytes.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Exceptions 10 and 11, silence, and lies in turn: nothing is kept of any of them. `COLDHEARTH_SOAK_S` makes it long.
#[tokio::test]
async fn memory_stays_flat_under_a_storm() {
    let hall = Hall::open("storm").await;
    let (_serving, port) = hall.serial_server().await;
    let lasts_s: u64 = std::env::var("COLDHEARTH_SOAK_S").map_or(4, |text| text.parse().unwrap());
    let mut buses = [
        poll(&endpoint(&format!("tcp://127.0.0.1:{}", hall.works.modbus_port)), &terms(), Manners::default()),
        poll(&endpoint(&format!("rtu+tcp://127.0.0.1:{port}")), &terms(), Manners::default()),
    ];
    let clock = SystemClock::default();
    let storm = [
        WireFault::Exception(10),
        WireFault::Exception(11),
        WireFault::Silent,
        WireFault::TooLong,
        WireFault::Garbage,
        WireFault::ForeignUnit,
        WireFault::Close,
    ];
    let (start, mut polls, mut settled) = (clock.now().uptime_ms, 0_u64, None);
    for fault in storm.into_iter().cycle() {
        hall.works.faults.set(1, fault);
        for samples in &mut buses {
            for _ in 0..4 {
                until(samples, "a miss in the storm", |_| true).await;
                polls += 1;
            }
        }
        let lasted_ms = clock.now().uptime_ms - start;
        if lasted_ms > lasts_s * 250 {
            settled.get_or_insert_with(resident_kb);
        }
        if lasted_ms > lasts_s * 1_000 {
            break;
        }
    }
    let (settled, end) = (settled.unwrap(), resident_kb());
    println!(
        "{polls} polls in {lasts_s} s of storm: {settled} kB after a quarter of it, {end} kB at its end"
    );
    assert!(end < settled + 1_024, "{settled} kB grew to {end} kB");
}

/// The mistakes or, where there are none, the warnings of a configuration with these buses.
fn told(works: &Works, buses: &str) -> Vec<String> {
    let path = works.configure(1_883);
    let text = std::fs::read_to_string(&path).unwrap();
    let own = format!("[[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:{}\"\n", works.modbus_port);
    assert!(text.contains(&own));
    std::fs::write(&path, text.replace(&own, buses)).unwrap();
    let told = match config::load(&path) {
        Ok(config) => config.warnings,
        Err(flaws) => flaws,
    };
    told.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_bus_that_cannot_work_is_a_mistake_with_its_place() {
    let works = Works::open("bus-config").await;
    let bus = |more: &str| format!("[[bus]]\nid = \"hall\"\n{more}\n");
    let cases = [
        (bus("endpoint = \"tcp://10.0.0.1\""), "\"10.0.0.1\" has no port"),
        (bus("endpoint = \"tls://10.0.0.1\""), "needs the certificate of the authority"),
        (bus("endpoint = \"tcp://10.0.0.1:502\"\ntls = { ca = \"none.pem\" }"), "is not inside TLS"),
        (bus("endpoint = \"tls://10.0.0.1\"\ntls = { ca = \"none.pem\" }"), "none.pem: cannot be read"),
        (bus("endpoint = \"tcp://10.0.0.1:502\"\ngap_ms = 99_999"), "gap_ms"),
        (
            bus(
                "endpoint = \"rtu:///dev/x?baud=9600\"\n[[bus]]\nid = \"two\"\nendpoint = \"rtu:///dev/x?baud=19200\"",
            ),
            "buses `hall` and `two` are one",
        ),
        (bus("endpoint = \"rtu:///dev/ttyUSB0\""), "may be another adapter after the next plugging-in"),
    ];
    for (buses, wanted) in cases {
        let told = told(&works, &buses);
        assert!(told.iter().any(|told| told.contains(wanted)), "{buses}: {told:#?}");
    }
    let fine =
        bus("endpoint = \"rtu+tcp://10.0.0.1:4001\"\nconnect_pause_ms = 500\ngap_ms = 25\nclose_idle_ms = 0");
    assert!(told(&works, &fine).iter().all(|told| !told.contains("`bus`")), "{:#?}", told(&works, &fine));
}
