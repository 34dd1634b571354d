//! A broker that grants shared filters and does not share: a real one, behind a line that writes other filters into its
//! clients' subscriptions.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What stands where a shared filter begins, as long as that; it is told which connection it is on.
pub type Instead = fn(usize) -> String;

/// What a group that is called `collectors` begins its shared filters with.
pub const SHARED: &str = "$share/collectors-of-east/";

/// Granted, and nothing is ever published there.
pub fn silent(_connection: usize) -> String {
    SHARED.replace("$share", "/share")
}

/// Each connection is in a group of its own, so that everybody gets everything.
pub fn doubled(connection: usize) -> String {
    SHARED.replace("collectors", &format!("collecto{:02}", connection % 100))
}

/// A line to the broker at this port; tells its own.
pub async fn start(broker: u16, instead: Instead) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let number = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let instead = instead(number.fetch_add(1, Ordering::Relaxed));
            assert_eq!(instead.len(), SHARED.len());
            tokio::spawn(carry(client, broker, instead));
        }
    });
    port
}

async fn carry(client: TcpStream, broker: u16, instead: String) {
    let Ok(broker) = TcpStream::connect(("127.0.0.1", broker)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    let there = async {
        while let Some(packet) = packet(&mut from_client).await {
            if to_broker.write_all(&rewritten(packet, &instead)).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        let _ended = tokio::io::copy(&mut from_broker, &mut to_client).await;
    };
    // Whichever side goes, the line goes.
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

/// The next MQTT packet, whole.
async fn packet(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut packet = vec![from.read_u8().await.ok()?];
    let mut length = 0;
    for digit in 0..4 {
        let byte = from.read_u8().await.ok()?;
        packet.push(byte);
        length |= usize::from(byte & 0x7f) << (7 * digit);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let head = packet.len();
    packet.resize(head + length, 0);
    from.read_exact(packet.get_mut(head..)?).await.ok()?;
    Some(packet)
}

fn rewritten(mut packet: Vec<u8>, instead: &str) -> Vec<u8> {
    // SUBSCRIBE and UNSUBSCRIBE.
    if packet.first().is_some_and(|kind| [0x80, 0xa0].contains(&(kind & 0xf0)))
        && let Some(at) = packet.windows(SHARED.len()).position(|part| part == SHARED.as_bytes())
        && let Some(part) = packet.get_mut(at..at + instead.len())
    {
        part.copy_from_slice(instead.as_bytes());
    }
    packet
}
