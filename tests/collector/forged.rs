//! Messages in a gateway's name that its key did not sign: they decide nothing that the authority signs, and whoever
//! sends them pays with his own share of the room.

use coldhearth::{
    evidence::{Chain, LogId, Signer as _, follow::MAX_HELD_BYTES_OF_ONE, record::Unverified},
    regulator::{collector::STRANGE_LOGS_AT_ONCE, store::state_root},
    terms::GatewayId,
};

use crate::{
    admitted,
    homes::{Home, Homes},
    receipt,
    support::voice::{NOW, TOPIC, Voice, at, beat, gateway, key, key_of},
    take,
};

/// The voice's first records.
fn lines(count: u64) -> Vec<Vec<u8>> {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((1..count).map(|_| voice.say(&beat())));
    lines
}

/// A record that somebody else's key signed in our gateway's name.
pub(crate) fn forged(log: u64, seq: u64, epoch: u32) -> Vec<u8> {
    let mut record = Unverified::read(&lines(2)[1]).unwrap().verify(&key_of(7)).unwrap();
    let header = &mut record.header;
    (header.log, header.seq, header.key_epoch, header.key_id) =
        (LogId(log), seq - 1, epoch, key(66).public_key().id());
    let mut chain = Chain::resume(&record, Box::new(key(66))).unwrap();
    chain.seal(&at(seq), &beat()).unwrap().bytes.to_vec()
}

fn what_nobody_signed_names_no_place_in_a_receipt(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "forged-place");
    take(&mut collector, &lines(46));
    let tally = take(&mut collector, &[forged(5, 999_999, 3)]);
    assert_eq!((tally.unknown, tally.astray), (1, 0));
    let asked = receipt(&mut collector).unwrap();
    assert_eq!((asked.upto.seq, asked.missing), (45, vec![(46, 46)]), "the next place may tell of its key");
    assert_eq!(take(&mut collector, &lines(60)[46..]).records, 14);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 59);
}

fn what_nobody_signed_waits_only_where_it_came_by_its_gateways_own_topic(homes: Homes) {
    let (_home, mut collector) = admitted(homes, "forged-topic");
    take(&mut collector, &lines(46));
    receipt(&mut collector).unwrap();
    let theirs = TOPIC.replace("gw-03", "gw-66");
    let (known, strange) = (forged(5, 999_999, 3), forged(77, 12, 3));
    let messages = [(theirs.as_str(), known.as_slice()), (theirs.as_str(), strange.as_slice())];
    let tally = collector.take(&messages, NOW).unwrap();
    assert_eq!((tally.unknown, tally.astray, collector.held_bytes()), (2, 2, 0));
    assert!(receipt(&mut collector).is_none(), "nothing is asked for on its account");
    let honest = lines(47);
    let tally = collector.take(&[(theirs.as_str(), honest[46].as_slice())], NOW).unwrap();
    assert_eq!((tally.records, tally.astray), (1, 0), "what is signed is its gateway's on any topic");
}

fn a_flood_in_one_gateways_name_costs_its_own_share_and_no_other_gateways_records(homes: Homes) {
    let (home, mut collector) = admitted(homes, "flood");
    let quiet = GatewayId::new("gw-04").unwrap();
    assert!(home.store().admit(quiet, &key_of(17), NOW).unwrap());
    collector.look_up(NOW).unwrap();
    // The quiet gateway's rotation was lost: what follows it waits.
    let mut voice = Voice::of(quiet, "130421", (9, 0, 17));
    let theirs = [voice.genesis(17, None), voice.rotate(18), voice.say(&beat()), voice.say(&beat())];
    let topic = TOPIC.replace("gw-03", "gw-04");
    let sends = |collector: &mut coldhearth::regulator::collector::Collector, lines: &[&Vec<u8>]| {
        let messages: Vec<(&str, &[u8])> =
            lines.iter().map(|line| (topic.as_str(), line.as_slice())).collect();
        collector.take(&messages, NOW).unwrap()
    };
    assert_eq!(sends(&mut collector, &[&theirs[0], &theirs[2], &theirs[3]]).unknown, 2);
    let mut let_go = 0;
    for part in 0..8 {
        let flood: Vec<Vec<u8>> = (0..200).map(|n| forged(100 + part * 1_000 + n, 12, 3)).collect();
        let_go += take(&mut collector, &flood).let_go;
    }
    assert!(let_go > 0 && collector.held_bytes() < MAX_HELD_BYTES_OF_ONE + 10_000, "{let_go}");
    let out = collector.receipts(NOW, || Ok([1; 16])).unwrap();
    assert_eq!(out.iter().filter(|out| out.topic.contains("gw-03")).count(), STRANGE_LOGS_AT_ONCE);
    assert_eq!(sends(&mut collector, &[&theirs[1]]).records, 3, "what waited for its key is opened");
    let mut store = home.store();
    let heads = store.heads(None).unwrap();
    assert_eq!((heads.len(), heads[0].seq), (1, 3));
    assert_eq!(collector.state_root().unwrap(), state_root(&heads));
    assert!(heads[0].gateway != gateway());
}

fn rows(home: &Home) -> usize {
    let mut store = home.store();
    let logs = store.logs().unwrap();
    logs.into_iter().map(|log| store.receipts_after(log, (i64::MIN, 0), 1_000).unwrap().len()).sum()
}

fn a_record_that_comes_again_is_receipted_again_and_fills_no_store(homes: Homes) {
    let (home, mut collector) = admitted(homes, "replayed");
    let lines = lines(12);
    take(&mut collector, &lines[..10]);
    let first = receipt(&mut collector).unwrap();
    for turn in 1..20 {
        assert_eq!(take(&mut collector, &lines[3..4]).again, 1);
        let again = collector.receipts(NOW + turn * 1_000, || Ok([2; 16])).unwrap();
        assert_eq!(again.len(), 1, "whoever sends again has not heard");
    }
    assert_eq!(rows(&home), 1);
    take(&mut collector, &lines[11..]);
    assert_eq!(collector.receipts(NOW + 60_000, || Ok([3; 16])).unwrap().len(), 1, "a hole is news");
    take(&mut collector, &lines[10..11]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, first.upto.seq + 2);
    assert_eq!(rows(&home), 3, "each that says something new is kept");
}

crate::over_both!(
    what_nobody_signed_names_no_place_in_a_receipt,
    what_nobody_signed_waits_only_where_it_came_by_its_gateways_own_topic,
    a_flood_in_one_gateways_name_costs_its_own_share_and_no_other_gateways_records,
    a_record_that_comes_again_is_receipted_again_and_fills_no_store,
);
