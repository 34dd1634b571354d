//! Foreign parts at both ends of the wire: our clients ask pymodbus's server, over TCP and over a serial line, and
//! libmodbus, as mbpoll, asks the simulated plant. tests/run installs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use coldhearth::{
    agent::{
        bus::{Terms, dialler},
        endpoint::Endpoint,
    },
    host::{Clock as _, SystemClock},
    terms::words::Language,
};
use coldhearth_sim::{
    Change, WireFault,
    open::{self, Begin, OpenOrders},
    scenario::shipped,
    serve, serve_rtu,
};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use support::{Process, Works, free_port, soon};
use tokio::{io::Join, net::unix::pipe};
use tokio_modbus::{
    client::{Client, Context, Reader as _},
    prelude::{ExceptionCode, ReadCode, Slave, SlaveContext as _},
};

/// The far end of a terminal, and the path of its near end.
fn terminal() -> (Join<pipe::Receiver, pipe::Sender>, PathBuf) {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    let near = PathBuf::from(ptsname(&far, Vec::new()).unwrap().into_string().unwrap());
    let far = File::from(far);
    rustix::io::ioctl_fionbio(&far, true).unwrap();
    let listening = pipe::Receiver::from_file_unchecked(far.try_clone().unwrap()).unwrap();
    (tokio::io::join(listening, pipe::Sender::from_file_unchecked(far).unwrap()), near)
}

/// A Python that has pymodbus.
fn python() -> String {
    let candidates = [std::env::var("COLDHEARTH_PYMODBUS").ok(), Some("python3".to_owned())];
    let can = |python: &String| {
        let imports = ["-c", "import serial; from pymodbus.datastore import ModbusDeviceContext"];
        Command::new(python).args(imports).output().is_ok_and(|output| output.status.success())
    };
    let python = candidates.into_iter().flatten().find(can);
    python.expect("no Python 3 with pymodbus: tests/run makes one, or set COLDHEARTH_PYMODBUS")
}

/// pymodbus, serving.
fn pymodbus(kind: &str, place: &str) -> Process {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modbus_peers/server.py");
    let mut command = Command::new(python());
    command.args([script, kind, place]).stdin(Stdio::null()).stdout(Stdio::null());
    Process(command.spawn().unwrap())
}

/// Asks until the server is up.
async fn connected(endpoint: &str) -> Context {
    let dial = dialler(&Endpoint::parse(endpoint).unwrap(), &Terms::default());
    let clock = SystemClock::default();
    soon("an answer of pymodbus", async {
        loop {
            if let Ok(client) = dial.dial().await {
                let mut client: Context = client.into();
                client.set_slave(Slave(5));
                let first = client.read_holding_registers(0, 1);
                if let Ok(Ok(Ok(_))) = tokio::time::timeout(Duration::from_millis(500), first).await {
                    return client;
                }
            }
            clock.sleep_until(clock.now().uptime_ms + 100).await;
        }
    })
    .await
}

async fn ask_everything(mut client: Context) {
    assert_eq!(client.read_holding_registers(10, 3).await.unwrap(), Ok(vec![1010, 1011, 1012]));
    assert_eq!(
        client.read_input_registers(0, 125).await.unwrap().unwrap(),
        (2000..2125).collect::<Vec<u16>>()
    );
    assert_eq!(client.read_holding_registers(500, 2).await.unwrap(), Err(ExceptionCode::IllegalDataAddress));
    let mut told = Vec::new();
    let mut from = 0;
    for _ in 0..8 {
        let part = client.read_device_identification(ReadCode::Regular, from).await.unwrap().unwrap();
        told.extend(part.device_id_objects.iter().filter_map(|o| o.value_as_str()).map(str::to_owned));
        from = part.next_object_id;
        if !part.more_follows {
            break;
        }
    }
    for text in ["Foreign Works", "FW-7", "1.2.3", "Meter of others"] {
        assert!(told.iter().any(|told| told == text), "{text} is missing in {told:?}");
    }
    assert_eq!(client.read_holding_registers(199, 1).await.unwrap(), Ok(vec![1199]));
    client.disconnect().await.unwrap();
}

#[tokio::test]
async fn pymodbus_answers_over_tcp() {
    let port = free_port();
    let _server = pymodbus("tcp", &port.to_string());
    ask_everything(connected(&format!("tcp://127.0.0.1:{port}")).await).await;
}

#[tokio::test]
async fn pymodbus_answers_over_a_serial_line() {
    let ((mut ours, near), (mut theirs, far)) = (terminal(), terminal());
    let _server = pymodbus("rtu", far.to_str().unwrap());
    // Both near ends open on a terminal that reads as closed until they are.
    tokio::spawn(async move {
        let clock = SystemClock::default();
        loop {
            drop(tokio::io::copy_bidirectional(&mut ours, &mut theirs).await);
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    });
    ask_everything(connected(&format!("rtu://{}?baud=9600&parity=E", near.display())).await).await;
}

/// What mbpoll shows of one value of two registers, read once: of both its outputs, for refusals stand in the second.
async fn mbpoll(register: &str, patience_s: &str, more: &[&str], place: &Path) -> String {
    let mut command = tokio::process::Command::new("mbpoll");
    command
        .args(["-1", "-0", "-t", "4:float", "-B", "-r", register, "-c", "1", "-o", patience_s])
        .args(more)
        .arg(place);
    let run = command.stdin(Stdio::null()).output();
    let output = soon("mbpoll", run).await.expect("mbpoll is not installed; tests/run installs it");
    [output.stdout, output.stderr].iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// The value mbpoll shows.
fn shown_value(shown: &str, register: &str) -> Option<f64> {
    let value = shown.lines().find_map(|line| line.strip_prefix(&format!("[{register}]:")));
    value.and_then(|value| value.trim().parse().ok())
}

/// A bit that is turned over on a wire without a checksum shows as a value.
const BELIEVED: &str = "another value";
/// Registers of the Janitza map: total power, voltage between two lines, imported energy.
const POWER: &str = "19026";
const VOLTAGE: &str = "19006";
const IMPORT: &str = "19068";

/// Total power, as libmodbus reads it.
fn shows_power(shown: &str, watts: f64) -> bool {
    shown_value(shown, POWER).is_some_and(|w| (w / watts - 1.0).abs() < 0.03)
}

#[tokio::test]
async fn libmodbus_reads_the_plant_over_tcp_and_over_a_serial_line() {
    let works = Works::open("mbpoll").await;
    works.force(8_000_000);
    let port = works.modbus_port.to_string();
    let shown = mbpoll(POWER, "3", &["-m", "tcp", "-p", &port, "-a", "1"], Path::new("127.0.0.1")).await;
    assert!(shows_power(&shown, 8_000_000.0), "{shown}");
    let (mut far, near) = terminal();
    let (plant, faults) = (works.plant.clone(), works.faults.clone());
    tokio::spawn(async move {
        let clock = SystemClock::default();
        let start = clock.now().uptime_ms;
        let time = Arc::new(move || SystemClock::default().now().uptime_ms - start);
        loop {
            drop(serve_rtu(&mut far, plant.clone(), time.clone(), faults.clone()).await);
            clock.sleep_until(clock.now().uptime_ms + 5).await;
        }
    });
    let shown = mbpoll(POWER, "3", &["-m", "rtu", "-b", "9600", "-P", "even", "-a", "1"], &near).await;
    assert!(shows_power(&shown, 8_000_000.0), "{shown}");
}

/// A plant whose time stands still, its furnace having drawn exactly 6 MW for an hour, on a socket.
async fn still() -> (Works, u16) {
    let works = Works::open("still").await;
    works.force(6_000_000);
    works.plant.lock().unwrap().advance_to(3_600_000);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, works.plant.clone(), Arc::new(|| 0), works.faults.clone()));
    (works, port)
}

/// A line of the works, on which nothing has been said yet.
fn line(works: &Works) -> PathBuf {
    let (mut far, near) = terminal();
    let (plant, faults) = (works.plant.clone(), works.faults.clone());
    tokio::spawn(async move {
        let clock = SystemClock::default();
        loop {
            drop(serve_rtu(&mut far, plant.clone(), Arc::new(|| 0), faults.clone()).await);
            clock.sleep_until(clock.now().uptime_ms + 5).await;
        }
    });
    near
}

#[tokio::test]
async fn libmodbus_reads_the_truth_to_the_step_of_a_register() {
    let (works, port) = still().await;
    let near = line(&works);
    let truth = works.plant.lock().unwrap().truth(works.furnace);
    let real = |number: i64| f64::from(i32::try_from(number).unwrap());
    let port = port.to_string();
    for (more, place) in [
        (&["-m", "tcp", "-p", &port, "-a", "1"][..], Path::new("127.0.0.1")),
        (&["-m", "rtu", "-b", "9600", "-P", "even", "-a", "1"], &near),
    ] {
        let power = mbpoll(POWER, "3", more, place).await;
        let import = mbpoll(IMPORT, "3", more, place).await;
        let (watts, wh) = (shown_value(&power, POWER).unwrap(), shown_value(&import, IMPORT).unwrap());
        // A single holds seven digits, of which mbpoll shows six.
        assert!((watts - real(truth.power.watts())).abs() <= 50.0, "{watts} W, truly {:?}", truth.power);
        assert!((wh - real(truth.energy.0)).abs() <= 50.0, "{wh} Wh, truly {:?}", truth.energy);
    }
    // Who is not there: the gateway says so, a line is silent.
    let nobody = mbpoll(POWER, "1", &["-m", "tcp", "-p", &port, "-a", "99"], Path::new("127.0.0.1")).await;
    assert!(nobody.contains("Target device failed to respond"), "{nobody}");
    let nobody = mbpoll(POWER, "1", &["-m", "rtu", "-b", "9600", "-P", "even", "-a", "99"], &near).await;
    assert!(nobody.contains("timed out"), "{nobody}");
}

#[tokio::test]
async fn faults_reach_libmodbus_as_they_are_named() {
    let (works, port) = still().await;
    let port = port.to_string();
    let tcp = &["-m", "tcp", "-p", &port, "-a", "1"][..];
    let rtu = &["-m", "rtu", "-b", "9600", "-P", "even", "-a", "1"][..];
    let here = Path::new("127.0.0.1");
    let right = shown_value(&mbpoll(VOLTAGE, "3", tcp, here).await, VOLTAGE);
    assert!(right.is_some());
    for (name, over_tcp, over_line) in [
        ("silent", "timed out", "timed out"),
        ("busy", "server is busy", "server is busy"),
        ("exception:4", "server failure", "server failure"),
        ("cut", "Connection reset", "timed out"),
        ("garbage", "Invalid data", "requested slave"),
        ("short", "Invalid data", "Invalid data"),
        ("foreign-transaction", "Invalid data", "Invalid CRC"),
        ("close", "Connection reset", "timed out"),
        ("flipped:1", BELIEVED, "Invalid CRC"),
    ] {
        works.faults.set(1, WireFault::parse(name).unwrap());
        for (more, place, told) in [(tcp, here, over_tcp), (rtu, line(&works).as_path(), over_line)] {
            let shown = mbpoll(VOLTAGE, "1", more, place).await;
            let value = shown_value(&shown, VOLTAGE);
            if told == BELIEVED {
                assert!(value.is_some() && value != right, "{name}: {shown}");
            } else {
                assert!(value.is_none() && shown.contains(told), "{name}, not {told}: {shown}");
            }
        }
    }
    for name in ["late:300", "byte-by-byte"] {
        works.faults.set(1, WireFault::parse(name).unwrap());
        assert_eq!(shown_value(&mbpoll(VOLTAGE, "3", tcp, here).await, VOLTAGE), right, "{name}");
        assert_eq!(shown_value(&mbpoll(VOLTAGE, "3", rtu, &line(&works)).await, VOLTAGE), right, "{name}");
    }
    works.faults.set(1, WireFault::Zeros);
    assert_eq!(shown_value(&mbpoll(VOLTAGE, "3", tcp, here).await, VOLTAGE), Some(0.0));
}

#[tokio::test]
async fn libmodbus_reads_a_scenario_that_is_served_on_a_serial_line() {
    let ((mut ours, near), (mut theirs, far)) = (terminal(), terminal());
    tokio::spawn(async move {
        let clock = SystemClock::default();
        loop {
            drop(tokio::io::copy_bidirectional(&mut ours, &mut theirs).await);
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    });
    // A pseudo-terminal has no parity.
    let far = Endpoint::parse(&format!("rtu://{}?baud=9600&parity=N", far.display())).unwrap();
    let Endpoint::Rtu(line) = far else { panic!("{far:?} is no line") };
    let orders = OpenOrders {
        scenario: shipped::named("midnight-melt").unwrap(),
        seed: 1,
        begin: Begin::Gateway,
        speed: 1,
        listen: None,
        serial: Some(line),
        faults: Vec::new(),
        agent_config: None,
        truth: None,
        for_ms: None,
        language: Language::English,
    };
    tokio::spawn(async move { open::run(&orders).await });
    let more = &["-m", "rtu", "-b", "9600", "-P", "none", "-a", "1"][..];
    let volts = soon("the voltage", async {
        loop {
            if let Some(volts) = shown_value(&mbpoll(VOLTAGE, "1", more, &near).await, VOLTAGE) {
                return volts;
            }
        }
    })
    .await;
    assert!((volts / 35_000.0 - 1.0).abs() < 0.1, "{volts} V");
}

#[tokio::test]
async fn pymodbus_reads_who_a_unit_is() {
    let (works, port) = still().await;
    let edit = |change| assert!(works.plant.lock().unwrap().apply(change));
    edit(Change::Serial(1, "77001".into()));
    edit(Change::Firmware(1, "2.08".into()));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modbus_peers/client.py");
    let mut command = tokio::process::Command::new(python());
    let output = soon("pymodbus", command.args([script, &port.to_string(), "1"]).output()).await.unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    let told: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{shown}"));
    let objects = |category: &str| {
        let told = told[category]["objects"].as_object().unwrap_or_else(|| panic!("{category}: {told}"));
        told.keys().map(|id| id.parse::<u8>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(objects("basic"), [0, 1, 2]);
    assert_eq!(objects("regular"), [0, 1, 2, 4, 5]);
    assert_eq!(told["basic"]["conformity"], 0x82);
    assert_eq!(told["basic"]["more"], 0);
    assert_eq!(told["single"]["objects"]["2"], "2.08");
    assert_eq!(told["absent"]["exception"], 2);
    assert!(told["report"].as_str().unwrap().contains("UMG 96 RM"), "{told}");
    assert_eq!(told["nobody"], 11);
}
