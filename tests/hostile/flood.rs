//! A flood in the name of one gateway that is admitted, signed by nobody's key, at the real program: others go on and are
//! receipted, memory and log stay small, and no message is missing in the counts.
//! As many as an attacker once sent: `COLDHEARTH_FLOOD=100000 cargo test --test hostile flood -- --nocapture`.

use std::{collections::BTreeMap, fs};

use coldhearth::{
    evidence::{Kind, Receipt, Signed},
    host::courier::Broker,
    regulator::{
        remarks::MOST_KINDS,
        store::{SqliteStore, Store as _},
    },
    terms::GatewayId,
};

use crate::{
    BROKER, Collecting, lines,
    slow::peak_kib,
    support::{
        Folder, Mosquitto, Subscriber,
        authority::Publisher,
        free_port,
        page::until_ails,
        voice::{NOW, TOPIC, Voice, beat, gateway, key_of},
    },
};

/// Gateways that go on, and what each says.
const HONEST: u8 = 20;
const SAID: u64 = 10;
/// How much the flood may cost, in KiB: a gateway's share of what waits, and what is on its way there.
const MOST_KIB: u64 = 16 * 1024;

fn other(number: u8) -> GatewayId {
    GatewayId::new(&format!("gw-1{number:02}")).unwrap()
}

fn topic(of: GatewayId) -> String {
    TOPIC.replace("gw-03", of.as_str())
}

/// One message of the flood: a record of the victim's, as if a key signed it that nobody has heard of.
fn forged(n: usize) -> Vec<u8> {
    let line = String::from_utf8(lines(2)[1].clone()).unwrap();
    let kid = key_of(7).id().to_string();
    let line = line.replace(&kid, "0123456789abcdef").replace("\"key_epoch\":0", "\"key_epoch\":3");
    line.replace("\"seq\":1,", &format!("\"seq\":{},", 100_000 + n % 900_000)).into_bytes()
}

/// Waits until each gateway is receipted up to a place.
async fn all_receipted(subscriber: &mut Subscriber, collecting: &Collecting, gateways: usize, seq: u64) {
    let mut upto: BTreeMap<GatewayId, u64> = BTreeMap::new();
    while upto.len() < gateways || upto.values().any(|known| *known < seq) {
        if let (Kind::Receipt, bytes) = subscriber.next().await {
            let receipt = Receipt::open(&Signed::read(&bytes).unwrap(), &collecting.authority.key()).unwrap();
            upto.insert(receipt.gateway, receipt.upto.seq);
        }
    }
}

#[tokio::test]
async fn a_flood_in_one_gateways_name_stops_nobody_and_fills_neither_memory_nor_log() {
    let flood = std::env::var("COLDHEARTH_FLOOD").map_or(3_000, |text| text.parse().unwrap());
    let folder = Folder::new("flood");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::over_sqlite("flood-authority", broker.port);
    let mut voices = vec![(TOPIC.to_owned(), Voice::new(5, 0, 7), 7)];
    {
        let mut store = SqliteStore::open(&collecting.authority.folder.0.join("state")).unwrap();
        for number in 0..HONEST {
            let seed = 100 + number;
            assert!(store.admit(other(number), &key_of(seed), NOW).unwrap());
            let voice = Voice::of(other(number), "130421", (u64::from(seed), 0, seed));
            voices.push((topic(other(number)), voice, seed));
        }
    }
    let collector = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let filters = vec!["coldhearth/v1/+/+/+/+/+/_/receipt".to_owned()];
    let mut subscriber = Subscriber::start_with(Broker { filters, ..Subscriber::broker(broker.port) }).await;
    let mut publisher = Publisher::start(broker.port).await;
    let before = peak_kib(&collector);
    let part = flood / usize::try_from(SAID).unwrap();
    for turn in 0..SAID {
        let every = part / voices.len();
        for (at, (topic, voice, seed)) in voices.iter_mut().enumerate() {
            let line = if turn == 0 { voice.genesis(*seed, None) } else { voice.say(&beat()) };
            publisher.publish_at(topic, line).await;
            for n in 0..every {
                let n = usize::try_from(turn).unwrap() * part + at * every + n;
                publisher.publish_at(TOPIC, forged(n)).await;
            }
        }
        // While the flood goes on.
        if turn % 3 == 2 {
            all_receipted(&mut subscriber, &collecting, voices.len(), turn).await;
        }
    }
    all_receipted(&mut subscriber, &collecting, voices.len(), SAID - 1).await;
    let sent = (part / voices.len() * voices.len()) as u64 * SAID;
    collecting.until("coldhearth_messages_unknown_total", sent).await;
    until_ails(collecting.page, &[]).await;
    let counts = collecting.counts().await;
    assert_eq!(counts["coldhearth_messages_unknown_total"], sent);
    assert_eq!(counts["coldhearth_records_total"], voices.len() as u64 * SAID);
    let waiting = sent - counts["coldhearth_messages_let_go_total"];
    let bytes = counts["coldhearth_queue{queue=\"keyless_bytes\"}"];
    assert_eq!(bytes, waiting * forged(0).len() as u64, "each waits, or is counted as let go: {counts:#?}");
    let grown = peak_kib(&collector).saturating_sub(before);
    let log = fs::read_to_string(collecting.authority.log_file()).unwrap();
    println!("{sent} forged, {waiting} wait: {grown} KiB more, {} lines of log", log.lines().count());
    assert!(grown < MOST_KIB, "{grown} KiB");
    let of_victim = log.lines().filter(|line| line.contains(gateway().as_str())).count();
    assert!(of_victim >= 1 && log.contains("nobody has admitted this key"), "{log}");
    assert!(log.lines().count() <= 2 * MOST_KINDS, "{log}");
    assert_eq!(collector.stop(), 0);
}
