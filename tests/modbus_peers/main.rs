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
};
use coldhearth_sim::serve_rtu;
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

/// pymodbus, serving.
fn pymodbus(kind: &str, place: &str) -> Process {
    let candidates = [std::env::var("COLDHEARTH_PYMODBUS").ok(), Some("python3".to_owned())];
    let can = |python: &String| {
        let imports = ["-c", "import serial; from pymodbus.datastore import ModbusDeviceContext"];
        Command::new(python).args(imports).output().is_ok_and(|output| output.status.success())
    };
    let python = candidates.into_iter().flatten().find(can);
    let python = python.expect("no Python 3 with pymodbus: tests/run makes one, or set COLDHEARTH_PYMODBUS");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modbus_peers/server.py");
    let mut command = Command::new(python);
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

/// What mbpoll shows of two registers, read once.
async fn mbpoll(more: &[&str], place: &Path) -> String {
    let mut command = tokio::process::Command::new("mbpoll");
    command
        .args(["-1", "-0", "-t", "4:float", "-B", "-r", "19026", "-c", "1", "-o", "3"])
        .args(more)
        .arg(place);
    let run = command.stdin(Stdio::null()).output();
    let output = soon("mbpoll", run).await.expect("mbpoll is not installed; tests/run installs it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Total power of the Janitza map, as libmodbus reads it.
fn shows_power(shown: &str, watts: f64) -> bool {
    let value = shown.lines().find_map(|line| line.strip_prefix("[19026]:"));
    value.and_then(|value| value.trim().parse::<f64>().ok()).is_some_and(|w| (w / watts - 1.0).abs() < 0.03)
}

#[tokio::test]
async fn libmodbus_reads_the_plant_over_tcp_and_over_a_serial_line() {
    let works = Works::open("mbpoll").await;
    works.force(8_000_000);
    let port = works.modbus_port.to_string();
    let shown = mbpoll(&["-m", "tcp", "-p", &port, "-a", "1"], Path::new("127.0.0.1")).await;
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
    let shown = mbpoll(&["-m", "rtu", "-b", "9600", "-P", "even", "-a", "1"], &near).await;
    assert!(shows_power(&shown, 8_000_000.0), "{shown}");
}
