//! A broker that misses its pings, while somebody else holds the database and the hand is full.

use std::sync::Arc;

use coldhearth::regulator::store::sqlite::STORE_FILE;
use rusqlite::Connection;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, mpsc},
};

use crate::{
    Collecting,
    slow::peak_kib,
    support::{page::until_ails, soon, voice::TOPIC},
};

/// Messages that the broker has for the collector, and the size of each in bytes: three times what it takes in its hand,
/// and fewer than it says it takes.
const MESSAGES: u16 = 200;
const LARGEST: usize = 256 * 1024;
/// As in `slow`: the hand twice, and what is between it and the broker's socket.
const MOST_KIB: u64 = 96 * 1024;

/// What a broker sees of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It connects, and wants what was kept for it or not.
    Connected {
        clean: bool,
    },
    /// It was brought everything.
    Brought,
    Ping,
    Acknowledged(u16),
    Left,
}

/// One packet of MQTT: its first byte, and what follows the length.
async fn packet(line: &mut OwnedReadHalf) -> Option<(u8, Vec<u8>)> {
    let first = line.read_u8().await.ok()?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = line.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    let mut body = vec![0; length];
    line.read_exact(&mut body).await.ok()?;
    Some((first, body))
}

/// A message at QoS 1 with this number.
fn publish(number: u16) -> Vec<u8> {
    let mut body = u16::try_from(TOPIC.len()).unwrap().to_be_bytes().to_vec();
    body.extend(TOPIC.as_bytes());
    body.extend(number.to_be_bytes());
    body.push(0);
    body.extend(vec![b'{'; LARGEST]);
    let mut packet = vec![0x32];
    let mut left = body.len();
    while left > 0x7f {
        packet.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    packet.push(u8::try_from(left).unwrap());
    packet.extend(body);
    packet
}

/// Serves one collector, in MQTT 5 with a keep-alive of one second, and brings it at every connection what it has not
/// acknowledged. Nothing is brought before the word is `given`.
async fn broker(listener: TcpListener, seen: mpsc::UnboundedSender<Seen>, given: Arc<Mutex<()>>) {
    let mut kept: Vec<u16> = (1..=MESSAGES).collect();
    loop {
        let (line, _) = listener.accept().await.unwrap();
        line.set_nodelay(true).unwrap();
        one(line, &seen, &given, &mut kept).await;
    }
}

async fn one(line: TcpStream, seen: &mpsc::UnboundedSender<Seen>, given: &Mutex<()>, kept: &mut Vec<u16>) {
    let (mut reads, writes) = line.into_split();
    let writes = Arc::new(Mutex::new(writes));
    let Some((0x10, greeting)) = packet(&mut reads).await else { return };
    let clean = greeting[7] & 2 != 0;
    seen.send(Seen::Connected { clean }).unwrap();
    writes.lock().await.write_all(&[0x20, 6, u8::from(!clean), 0, 3, 0x13, 0, 1]).await.unwrap();
    while let Some((first, body)) = packet(&mut reads).await {
        let answer = match first >> 4 {
            3 => vec![0x40, 2, body[2 + usize::from(body[1])], body[3 + usize::from(body[1])]],
            4 => {
                let number = u16::from_be_bytes([body[0], body[1]]);
                assert_eq!(kept.first(), Some(&number), "in the order in which they were brought");
                kept.remove(0);
                seen.send(Seen::Acknowledged(number)).unwrap();
                continue;
            }
            8 => vec![0x90, 4, body[0], body[1], 0, 1],
            12 => {
                seen.send(Seen::Ping).unwrap();
                vec![0xd0, 0]
            }
            14 => {
                seen.send(Seen::Left).unwrap();
                return;
            }
            other => panic!("a packet of kind {other}"),
        };
        // Where a packet is half on the wire the answer waits for its other half.
        let writing = writes.clone();
        tokio::spawn(async move { writing.lock_owned().await.write_all(&answer).await });
        if first >> 4 == 8 {
            drop(given.lock().await);
            tokio::spawn(bring(writes.clone(), kept.clone(), seen.clone()));
        }
    }
}

async fn bring(writes: Arc<Mutex<OwnedWriteHalf>>, kept: Vec<u16>, seen: mpsc::UnboundedSender<Seen>) {
    for number in kept {
        if writes.lock().await.write_all(&publish(number)).await.is_err() {
            return;
        }
    }
    let _nobody_left = seen.send(Seen::Brought);
}

#[tokio::test]
async fn a_broker_is_pinged_while_the_hand_is_full_and_brings_again_what_was_passed_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collecting = Collecting::over_sqlite("pings-authority", listener.local_addr().unwrap().port());
    let (tell, mut seen) = mpsc::unbounded_channel();
    let given = Arc::new(Mutex::new(()));
    let not_yet = given.clone().lock_owned().await;
    let brokering = tokio::spawn(broker(listener, tell, given));
    let collector = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let file = collecting.authority.folder.0.join("state").join(STORE_FILE);
    let holder = Connection::open(&file).unwrap();
    holder.execute_batch("begin immediate").unwrap();
    let before = peak_kib(&collector);
    drop(not_yet);
    let mut next = async || soon("something of the collector", seen.recv()).await.unwrap();
    while next().await != Seen::Brought {}
    let held = [next().await, next().await, next().await];
    assert_eq!(held, [Seen::Ping; 3], "it is there, and acknowledges nothing that is not kept");
    assert!(collecting.counts().await["coldhearth_messages_passed_over_total"] > 0);
    holder.execute_batch("rollback").unwrap();
    let (mut acknowledged, mut left) = (Vec::new(), 0);
    while acknowledged.len() < usize::from(MESSAGES) {
        match next().await {
            Seen::Acknowledged(number) => acknowledged.push(number),
            Seen::Left => left += 1,
            Seen::Connected { clean } => assert!(!clean, "what was passed over is wanted again"),
            Seen::Brought | Seen::Ping => {}
        }
    }
    assert_eq!(acknowledged, (1..=MESSAGES).collect::<Vec<_>>());
    assert!(left > 0, "it took leave for what it had passed over");
    until_ails(collecting.page, &[]).await;
    let counts = collecting.counts().await;
    assert_eq!(counts["coldhearth_messages_refused_total{reason=\"not_ours\"}"], u64::from(MESSAGES));
    assert_eq!(counts["coldhearth_broker_lost_total"], 0, "it left of its own will");
    let grown = peak_kib(&collector).saturating_sub(before);
    assert!(grown < MOST_KIB, "{grown} KiB for {} KiB of messages", usize::from(MESSAGES) * LARGEST / 1_024);
    assert_eq!(collector.stop(), 0);
    brokering.abort();
}
