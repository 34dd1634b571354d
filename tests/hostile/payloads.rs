//! Messages of whoever may publish: each is refused by its name, and honest ones among them are kept.

use coldhearth::evidence::{
    LogHead, LogId, Receipt, Sealer, canonical::MAX_RECORD_BYTES, record::Unverified,
};

use crate::{
    BROKER, Collecting, lines,
    support::{
        Folder, Mosquitto, Subscriber,
        authority::{Publisher, receipted},
        free_port,
        nats::Nats,
        page::until_ails,
        voice::{NOW, TOPIC, Voice, beat, gateway, key, key_of},
    },
};

/// What a payload is refused as; none where it waits for a key that somebody may still admit.
type Why = Option<&'static str>;

/// The largest payload that is to be borne, in bytes.
const LARGEST: usize = 256 * 1024;

/// An object of our format that is as long as this.
fn padded(bytes: usize) -> Vec<u8> {
    let (head, tail) = (b"{\"fmt\":\"coldhearth/1\",\"x\":\"".as_slice(), b"\"}".as_slice());
    [head, &vec![b'a'; bytes - head.len() - tail.len()], tail].concat()
}

/// A record with one byte of a member's value replaced by another of its kind.
fn altered(line: &[u8], member: &str) -> Vec<u8> {
    let name = format!("\"{member}\":");
    let mut line = line.to_vec();
    let at = line.windows(name.len()).position(|part| part == name.as_bytes()).unwrap() + name.len();
    let at = at + line[at..].iter().position(u8::is_ascii_alphanumeric).unwrap() + 2;
    line[at] = if line[at] == b'1' { b'2' } else { b'1' };
    line
}

fn hostile() -> Vec<(Why, Vec<u8>)> {
    let honest = lines(40);
    // The last is not there before all of these: what is kept already is no news, whatever its signature.
    let (last, text) = (&honest[39], String::from_utf8(honest[39].clone()).unwrap());
    let deep = format!("{{\"fmt\":\"coldhearth/1\",\"x\":{}", "[".repeat(60_000)).into_bytes();
    let closed = format!("{{\"fmt\":\"coldhearth/1\",\"x\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let twice = text.replacen("\"key_epoch\":", "\"key_epoch\":0,\"key_epoch\":", 1).into_bytes();
    let mut thief = Voice::new(5, 0, 66);
    let mut stolen_log = Voice::new(77, 0, 66);
    let receipt = Receipt {
        gateway: gateway(),
        upto: LogHead { log: LogId(5), seq: 9, head: Unverified::read(&honest[9]).unwrap().hash() },
        key_epoch: 0,
        public_key: key_of(7),
        received_unix_ms: NOW,
        nonce: [1; 16],
        missing: Vec::new(),
    };
    let mut sealer = Sealer::default();
    receipt.seal(&mut sealer, &key(7)).unwrap();
    vec![
        (Some("too_long"), padded(LARGEST)),
        (Some("too_long"), padded(MAX_RECORD_BYTES + 1)),
        (Some("not_ours"), vec![0xff; LARGEST]),
        (Some("not_ours"), Vec::new()),
        (Some("not_json"), deep),
        (Some("not_json"), closed.into_bytes()),
        (Some("not_canonical"), twice),
        (Some("not_canonical"), text.replacen(':', ": ", 1).into_bytes()),
        (Some("member"), padded(100)),
        (Some("bad_signature"), altered(last, "sig")),
        (Some("bad_signature"), altered(last, "prev")),
        (Some("not_ours"), sealer.bytes().to_vec()),
        // Somebody else's key in the name of a gateway that is admitted: in its log, and in one of its own.
        (Some("strange_key"), thief.genesis(66, None)),
        (Some("strange_key"), thief.say(&beat())),
        (None, stolen_log.genesis(66, None)),
        (None, stolen_log.say(&beat())),
    ]
}

#[tokio::test]
async fn each_hostile_message_is_refused_by_its_name_and_honest_ones_among_them_are_kept() {
    let folder = Folder::new("hostile");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::over_sqlite("hostile-authority", broker.port);
    let _serve = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start_with(receipts(broker.port)).await;
    let mut publisher = Publisher::start(broker.port).await;
    let (honest, hostile) = (lines(40), hostile());
    publisher.publish(&honest[..1]).await;
    for (line, (_, payload)) in honest[1..].iter().zip(hostile.iter().cycle()) {
        publisher.publish_at(TOPIC, payload.clone()).await;
        publisher.publish(std::slice::from_ref(line)).await;
    }
    receipted(&mut subscriber, &collecting.authority.key(), 39).await;
    let counts = collecting.counts().await;
    let sent = hostile.iter().cycle().take(39);
    let mut refused = std::collections::BTreeMap::<&str, u64>::new();
    let mut waiting = 0;
    for (why, _) in sent {
        match why {
            Some(why) => *refused.entry(why).or_default() += 1,
            None => waiting += 1,
        }
    }
    let told = |why: &str| counts[&format!("coldhearth_messages_refused_total{{reason=\"{why}\"}}")];
    let all: Vec<(&str, u64)> = refused.keys().map(|why| (*why, told(why))).collect();
    assert_eq!(all, refused.into_iter().collect::<Vec<_>>(), "{counts:#?}");
    assert_eq!(counts["coldhearth_messages_unknown_total"], waiting);
    assert_eq!(counts["coldhearth_records_total"], 40, "nothing unverified is counted as verified");
    assert_eq!((counts["coldhearth_forks_total"], counts["coldhearth_healthy"]), (0, 1));
    assert_eq!(collecting.kept(), (0..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn strangers_wait_are_counted_and_fill_no_memory_and_a_record_is_its_gateways_on_any_topic() {
    let folder = Folder::new("strangers");
    let broker = Mosquitto::start_with(&folder.0, free_port(), BROKER).await;
    let collecting = Collecting::over_sqlite("strangers-authority", broker.port);
    let _serve = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start_with(receipts(broker.port)).await;
    let mut publisher = Publisher::start(broker.port).await;
    let stranger = coldhearth::terms::GatewayId::new("gw-66").unwrap();
    let mut voice = Voice::of(stranger, "130421", (9, 0, 66));
    let mut strange = vec![voice.genesis(66, None)];
    strange.extend((0..20).map(|_| voice.say(&beat())));
    let theirs = TOPIC.replace("gw-03", "gw-66");
    for line in &strange {
        publisher.publish_at(&theirs, line.clone()).await;
    }
    // Our gateway's records on a topic that is nobody's, on another's, and again there.
    let honest = lines(20);
    for line in &honest {
        for topic in ["coldhearth/v1/no/such/place/at/all/_/attest", &theirs, &theirs] {
            publisher.publish_at(topic, line.clone()).await;
        }
    }
    receipted(&mut subscriber, &collecting.authority.key(), 19).await;
    collecting.until("coldhearth_messages_again_total", 20).await;
    collecting.until("coldhearth_messages_strange_topic_total", 20).await;
    let counts = collecting.counts().await;
    let refused = counts["coldhearth_messages_refused_total{reason=\"unknown_key\"}"];
    assert_eq!(counts["coldhearth_messages_unknown_total"] + refused, 21, "{counts:#?}");
    assert_eq!((counts["coldhearth_records_total"], counts["coldhearth_messages_again_total"]), (20, 20));
    assert_eq!(collecting.kept(), (0..20).collect::<Vec<_>>());
}

/// More than is taken, at a broker that keeps it for us and cannot be told.
#[tokio::test]
async fn a_message_too_large_to_be_taken_costs_one_connection_and_comes_no_more() {
    let folder = Folder::new("too-large");
    let Some(broker) = Nats::start(&folder.0).await else { return };
    let collecting = Collecting::over_sqlite("too-large-authority", broker.port);
    let _serve = collecting.authority.serve();
    until_ails(collecting.page, &[]).await;
    let mut subscriber = Subscriber::start_with(receipts(broker.port)).await;
    let mut publisher = Publisher::start(broker.port).await;
    publisher.publish(&lines(1)).await;
    receipted(&mut subscriber, &collecting.authority.key(), 0).await;
    let file = folder.0.join("large");
    std::fs::write(&file, vec![b'a'; 400 * 1024]).unwrap();
    let mut command = std::process::Command::new("mosquitto_pub");
    command.args(["-V", "mqttv311", "-p", &broker.port.to_string(), "-q", "1", "-t", TOPIC, "-f"]).arg(&file);
    assert!(command.status().unwrap().success());
    collecting.until("coldhearth_broker_packets_too_large_total", 1).await;
    until_ails(collecting.page, &["packet_too_large"]).await;
    publisher.publish(&lines(10)[1..]).await;
    receipted(&mut subscriber, &collecting.authority.key(), 9).await;
    let counts = collecting.counts().await;
    let lost = (counts["coldhearth_broker_packets_too_large_total"], counts["coldhearth_broker_lost_total"]);
    assert_eq!(lost, (1, 1), "it came again");
    assert_eq!(collecting.kept(), (0..10).collect::<Vec<_>>());
}

/// Where our gateway's receipts go: by its genesis, whatever topic its records came on.
fn receipts(port: u16) -> coldhearth::host::courier::Broker {
    let filters = vec![TOPIC.replace("attest", "receipt")];
    coldhearth::host::courier::Broker { filters, ..Subscriber::broker(port) }
}
