//! A flood in the name of one gateway that is admitted, signed by nobody's key, while many others go on and it itself does.
//! As many as an attacker once sent: `COLDHEARTH_FLOOD=100000 cargo test --test collector flood -- --nocapture`.

use std::collections::BTreeMap;

use coldhearth::{
    evidence::{Receipt, Signed, Signer as _, follow::MAX_HELD_BYTES_OF_ONE},
    regulator::collector::{Collector, STRANGE_LOGS_AT_ONCE, Tally},
    terms::GatewayId,
};

use crate::{
    figures, forged,
    homes::Homes,
    open,
    support::voice::{NOW, TOPIC, Voice, beat, gateway, key_of},
};

/// Gateways that go on, and how often each speaks.
const HONEST: usize = 40;
const TURNS: u64 = 8;

/// Messages of the flood, all of one size: some in the log its gateway speaks in, some each in a log of its own.
fn flood(count: usize) -> Vec<Vec<u8>> {
    let line = String::from_utf8(forged::forged(5, 100_000, 3)).unwrap();
    let one = |n: usize| {
        let line = line.replace("\"seq\":100000", &format!("\"seq\":{}", 100_000 + n % 900_000));
        let log = if n.is_multiple_of(2) { 5 } else { 1_000 + n };
        line.replace("\"log_id\":\"0000000000000005\"", &format!("\"log_id\":\"{log:016x}\"")).into_bytes()
    };
    (0..count).map(one).collect()
}

/// Takes messages as `serve` would: so many in a batch.
fn take(collector: &mut Collector, messages: &[(String, Vec<u8>)], all: &mut Tally) {
    for batch in messages.chunks(256) {
        let batch: Vec<_> = batch.iter().map(|(topic, bytes)| (topic.as_str(), bytes.as_slice())).collect();
        let tally = collector.take(&batch, NOW).unwrap();
        all.records += tally.records;
        all.unknown += tally.unknown;
        all.let_go += tally.let_go;
        assert_eq!((tally.refused, tally.forks, tally.astray), (0, 0, 0), "{tally:?}");
    }
}

/// A round of receipts: the last place of each gateway, and how many there were.
fn round(collector: &mut Collector) -> (BTreeMap<GatewayId, u64>, usize) {
    let out = collector.receipts(NOW, || Ok([1; 16])).unwrap();
    let opened = out.iter().map(|out| Receipt::open(&Signed::read(&out.bytes).unwrap(), &key_of(9)).unwrap());
    let known = opened.filter(|receipt| !receipt.is_empty());
    (known.map(|receipt| (receipt.gateway, receipt.upto.seq)).collect(), out.len())
}

fn others_and_itself_go_on_and_every_message_is_kept_waits_or_is_counted_as_let_go(homes: Homes) {
    let count = std::env::var("COLDHEARTH_FLOOD").map_or(4_000, |text| text.parse().unwrap());
    let home = crate::home_admitting(homes, "flooded");
    for number in 0..HONEST {
        let (id, key) = figures::gateway(number);
        home.store().admit(id, &key.public_key(), NOW).unwrap();
    }
    let mut collector = open(&home);
    let mut honest = figures::traffic(HONEST, usize::try_from(TURNS).unwrap()).into_iter();
    let mut victim = Voice::new(5, 0, 7);
    let (flood, mut all) = (flood(count), Tally::default());
    let size = flood[0].len();
    for (turn, part) in (0..).zip(flood.chunks(count.div_ceil(usize::try_from(TURNS).unwrap()))) {
        let mut messages: Vec<(String, Vec<u8>)> =
            part.iter().map(|line| (TOPIC.to_owned(), line.clone())).collect();
        let own = if turn == 0 { victim.genesis(7, None) } else { victim.say(&beat()) };
        // One of the others' after every so many of the flood.
        for (at, message) in honest.by_ref().take(HONEST).chain([(TOPIC.to_owned(), own)]).enumerate() {
            messages.insert(at * (part.len() / HONEST + 1), message);
        }
        take(&mut collector, &messages, &mut all);
        assert_eq!(all.records, (turn + 1) * (HONEST as u64 + 1));
        let (receipted, sent) = round(&mut collector);
        assert!(receipted.len() == HONEST + 1 && receipted.values().all(|seq| *seq == turn), "{receipted:?}");
        assert!(sent <= HONEST + 1 + STRANGE_LOGS_AT_ONCE, "{sent} receipts");
        assert!(collector.held_bytes() <= MAX_HELD_BYTES_OF_ONE);
    }
    assert_eq!(all.unknown, count as u64);
    let waiting = all.unknown - all.let_go;
    assert!(all.let_go > 0 && collector.held_bytes() as u64 == waiting * size as u64, "{all:?}");
    let logs = home.store().logs().unwrap();
    assert_eq!(logs.len(), HONEST + 1, "nothing is kept of logs that nobody signed");
    assert!(logs.iter().all(|(id, log)| *id != gateway() || log.0 == 5));
}

crate::over_both!(others_and_itself_go_on_and_every_message_is_kept_waits_or_is_counted_as_let_go);
