//! The plant as a Modbus TCP server: registers, who a unit is, and every fault a wire can have.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    fault::{Delivery, Faults, Wire, WireFault, deliver},
    frame::{Frame, Said},
    plant::Plant,
};

/// Tells plant time, in milliseconds since the plant's start.
pub type PlantTime = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Most connections at a time; more are closed as they come.
pub const MAX_CONNECTIONS: usize = 64;

/// Serves the plant until the listener fails; dropped, it ends all its connections. Every request advances the plant
/// to the present of `time`.
///
/// Several listeners may serve one plant; each has its own faults.
///
/// # Errors
/// Why no further connection could be accepted.
pub async fn serve(
    listener: TcpListener,
    plant: Arc<Mutex<Plant>>,
    time: PlantTime,
    faults: Faults,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        if connections.len() < MAX_CONNECTIONS {
            connections.spawn(talk(stream, plant.clone(), time.clone(), faults.clone()));
        }
    }
}

/// One client until it leaves. How it left is its own business.
async fn talk(
    mut stream: TcpStream,
    plant: Arc<Mutex<Plant>>,
    time: PlantTime,
    faults: Faults,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(asked) = Frame::read(&mut stream).await? {
        let (outcome, fault) = ask(&plant, &time, &faults, &asked);
        let delivery = deliver(&asked, &outcome, fault, Wire::Tcp);
        send(&mut stream, &delivery).await?;
        if delivery.then_close {
            break;
        }
    }
    stream.shutdown().await
}

/// What the unit says at present, and what the wire does to it.
pub(crate) fn ask(
    plant: &Mutex<Plant>,
    time: &PlantTime,
    faults: &Faults,
    asked: &Frame,
) -> (Result<Said, u8>, Option<WireFault>) {
    let mut plant = plant.lock().unwrap_or_else(PoisonError::into_inner);
    plant.advance_to(time());
    let outcome = asked.question().and_then(|question| plant.say(asked.unit, question));
    (outcome, faults.of(asked.unit, plant.now_ms()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a late answer is late on the wire, whatever the plant's time does"
)]
pub(crate) async fn send(stream: &mut (impl AsyncWrite + Unpin), delivery: &Delivery) -> io::Result<()> {
    if delivery.wait_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delivery.wait_ms)).await;
    }
    if !delivery.one_by_one {
        return stream.write_all(&delivery.bytes).await;
    }
    for byte in &delivery.bytes {
        stream.write_all(std::slice::from_ref(byte)).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        change::Change, fault::WireFault, feeder::Feeder, load::Load, round_trip::meter, rounding::nearest,
        site::FeederIndex,
    };
    use coldhearth::terms::{MilliVolts, MilliWatts};
    use std::{
        net::SocketAddr,
        sync::atomic::{AtomicU64, Ordering},
    };
    use tokio::io::AsyncReadExt;
    use tokio_modbus::{
        ExceptionCode, Slave,
        client::{Context, Reader, tcp},
    };

    const UNIT: u8 = 3;
    /// Registers of the simulated cut-off meter.
    const POWER: u16 = 24;
    const IMPORT: u16 = 34;

    struct Site {
        at: SocketAddr,
        plant: Arc<Mutex<Plant>>,
        now: Arc<AtomicU64>,
        faults: Faults,
        feeder: FeederIndex,
        _server: JoinSet<io::Result<()>>,
    }

    async fn site() -> Site {
        let mut plant = Plant::new(1);
        let feeder = plant.add_feeder(Feeder::new(MilliVolts(400_000), Load::Cold));
        plant.add_meter(UNIT, meter("sim-cutoff"), feeder);
        assert!(plant.force_power(feeder, MilliWatts::from_watts(1_000)));
        let (plant, now, faults) = (Arc::new(Mutex::new(plant)), Arc::new(AtomicU64::new(0)), Faults::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let clock = now.clone();
        let time: PlantTime = Arc::new(move || clock.load(Ordering::Relaxed));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, plant.clone(), time, faults.clone()));
        Site { at, plant, now, faults, feeder, _server: server }
    }

    impl Site {
        async fn client(&self, unit: u8) -> Context {
            tcp::connect_slave(self.at, Slave(unit)).await.unwrap()
        }

        /// One read of the power by a fresh client, given up after a second.
        async fn power(&self) -> Option<Result<Vec<u16>, ExceptionCode>> {
            let mut client = self.client(UNIT).await;
            let answer =
                tokio::time::timeout(Duration::from_secs(1), client.read_holding_registers(POWER, 2)).await;
            answer.ok()?.ok()
        }

        /// The raw bytes of one exchange, up to the end of the connection or a pause.
        async fn raw(&self, asked: &[u8]) -> Vec<u8> {
            let mut stream = TcpStream::connect(self.at).await.unwrap();
            stream.write_all(asked).await.unwrap();
            let mut bytes = Vec::new();
            let all = stream.read_to_end(&mut bytes);
            let _ended = tokio::time::timeout(Duration::from_millis(200), all).await;
            bytes
        }
    }

    /// A float register of the client's own decoding, as whole units.
    async fn whole(client: &mut Context, at: u16) -> i64 {
        let words = client.read_holding_registers(at, 2).await.unwrap().unwrap();
        nearest(f64::from(f32::from_bits(u32::from(words[0]) << 16 | u32::from(words[1]))))
    }

    #[tokio::test]
    async fn a_client_reads_the_plant_of_the_present() {
        let site = site().await;
        let mut client = site.client(UNIT).await;
        assert_eq!(whole(&mut client, POWER).await, 1_000);
        assert!(site.plant.lock().unwrap().apply(Change::Force(site.feeder, MilliWatts::from_watts(2_500))));
        site.now.store(7_200_000, Ordering::Relaxed);
        assert_eq!(whole(&mut client, POWER).await, 2_500);
        assert_eq!(site.plant.lock().unwrap().now_ms(), 7_200_000);
        assert_eq!(whole(&mut client, IMPORT).await, 5);
    }

    #[tokio::test]
    async fn refusals_are_the_codes_of_the_standard() {
        let site = site().await;
        let mut client = site.client(UNIT).await;
        let refused = |answer: tokio_modbus::Result<Vec<u16>>| answer.unwrap().unwrap_err();
        assert_eq!(refused(client.read_holding_registers(POWER, 0).await), ExceptionCode::IllegalDataValue);
        assert_eq!(refused(client.read_holding_registers(POWER, 126).await), ExceptionCode::IllegalDataValue);
        assert_eq!(refused(client.read_holding_registers(500, 1).await), ExceptionCode::IllegalDataAddress);
        assert_eq!(refused(client.read_input_registers(POWER, 2).await), ExceptionCode::IllegalDataAddress);
        let coils = client.read_coils(0, 1).await.unwrap().unwrap_err();
        assert_eq!(coils, ExceptionCode::IllegalFunction);
        let mut stranger = site.client(99).await;
        assert_eq!(refused(stranger.read_holding_registers(0, 1).await), ExceptionCode::GatewayTargetDevice);
    }

    #[tokio::test]
    async fn several_clients_are_served_at_once_and_a_fault_is_one_units_own() {
        let site = site().await;
        site.plant.lock().unwrap().add_meter(UNIT + 1, meter("sim-cutoff"), site.feeder);
        site.faults.set(UNIT, WireFault::Silent);
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(site.client(UNIT + 1).await);
        }
        assert_eq!(site.power().await, None);
        for client in &mut clients {
            assert_eq!(whole(client, POWER).await, 1_000);
        }
        site.faults.clear(UNIT);
        assert!(site.power().await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn faults_reach_the_client_as_they_are_named() {
        let site = site().await;
        let with = |fault| {
            site.faults.set(UNIT, fault);
            site.power()
        };
        let right = Some(Ok(vec![0x447A, 0]));
        assert_eq!(with(WireFault::LateMs(50)).await, right);
        assert_eq!(with(WireFault::ByteByByte).await, right);
        assert_eq!(with(WireFault::LateMs(5_000)).await, None);
        assert_eq!(with(WireFault::Exception(6)).await, Some(Err(ExceptionCode::ServerDeviceBusy)));
        for fault in [
            WireFault::Silent,
            WireFault::ForeignUnit,
            WireFault::ForeignTransaction,
            WireFault::Garbage,
            WireFault::CutMidFrame,
            WireFault::Close,
        ] {
            assert_eq!(with(fault).await, None, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn faults_are_the_bytes_they_should_be() {
        let site = site().await;
        let asked = [0, 9, 0, 0, 0, 6, UNIT, 3, 0, 24, 0, 2];
        let right = [0, 9, 0, 0, 0, 7, UNIT, 3, 4, 0x44, 0x7A, 0, 0];
        assert_eq!(site.raw(&asked).await, right);
        let cases: [(WireFault, &[u8]); 4] = [
            (WireFault::TooShort, &[0, 9, 0, 0, 0, 5, UNIT, 3, 2, 0x44, 0x7A]),
            (WireFault::TooLong, &[0, 9, 0, 0, 0, 9, UNIT, 3, 6, 0x44, 0x7A, 0, 0, 0, 0]),
            (WireFault::CutMidFrame, &right[..6]),
            (WireFault::Close, &[]),
        ];
        for (fault, bytes) in cases {
            site.faults.set(UNIT, fault);
            assert_eq!(site.raw(&asked).await, bytes, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn bytes_that_are_no_modbus_end_the_connection_and_nothing_else() {
        let site = site().await;
        assert_eq!(site.raw(b"GET / HTTP/1.1\r\n\r\n").await, b"");
        assert_eq!(site.raw(&[0, 1, 0, 0, 0, 6, UNIT, 3, 0]).await, b"");
        assert!(site.power().await.unwrap().is_ok());
    }
}
