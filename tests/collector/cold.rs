//! How long a collector takes that starts with many records, measured, not judged; it needs 10 GB where temporary files go:
//! `cargo test --release --test collector -- --ignored --nocapture cold_start` (`COLDHEARTH_RECORDS`, ten million unless
//! told otherwise, of `COLDHEARTH_GATEWAYS`, ten thousand unless told otherwise).
#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "it measures, and tells a person what"
)]

use std::{
    collections::BTreeMap,
    process::Command,
    time::{Duration, Instant},
};

use coldhearth::{
    evidence::{Chain, LogId, PublicKey, Signer as _, record::Unverified},
    regulator::store::{
        Batch, Kept, KeptEpoch, KeptRecord, Log, SqliteStore, Store as _, sqlite::STORE_FILE,
    },
    terms::{
        Digest,
        place::{CreditCode, Division},
    },
};

use crate::{
    figures::{ALONE, ENTERPRISE, gateway, genesis, resident_bytes_of, told, topic},
    support::{
        Folder, Mosquitto, Subscriber,
        authority::{Authority, Publisher, receipted},
        free_port,
        page::until_ails,
        voice::{NOW, at, beat},
    },
};

/// Logs that are kept in one commit while the store is made: one for each would wait for the disk ten thousand times.
const LOGS_AT_ONCE: usize = 20;
/// Records of each log, its last ones, that are really signed and chained; those before them have a record's size and
/// nothing else of it: a collector that starts reads none of their bytes.
const SIGNED: u64 = 4;

/// Keeps logs of so many records in one commit; the chains that go on with them.
fn keep_logs(store: &mut SqliteStore, numbers: &[usize], records: u64) -> Vec<(usize, Chain)> {
    let logs = numbers.iter().map(|number| (gateway(*number).0, LogId(*number as u64))).collect();
    let mut batch = Batch { turns: store.begin(&logs).unwrap(), ..Batch::default() };
    let chains = numbers.iter().map(|number| (*number, fill(&mut batch, *number, records))).collect();
    store.commit(&batch).unwrap();
    chains
}

/// A log of so many records, and the chain that goes on with it.
fn fill(batch: &mut Batch, number: usize, records: u64) -> Chain {
    let (id, key) = gateway(number);
    let public = key.public_key();
    let mut chain = Chain::begin(id, LogId(number as u64), 0, Box::new(key));
    let log: Log = (id, LogId(number as u64));
    let mut lines = vec![chain.seal(&at(0), &genesis(number)).unwrap().bytes.to_vec()];
    let filler = chain.seal(&at(1), &beat()).unwrap().bytes.to_vec();
    lines.push(chain.skip_to(&at(2), records - SIGNED).unwrap().bytes.to_vec());
    while chain.next_seq() < records {
        lines.push(chain.seal(&at(chain.next_seq()), &beat()).unwrap().bytes.to_vec());
    }
    for seq in 1..records - SIGNED {
        let hash = Digest::of(&seq.to_be_bytes());
        let (kind, wall_unix_ms) = ("checkpoint".to_owned(), NOW + seq.cast_signed());
        let bytes = filler.clone();
        let made_up =
            KeptRecord { hash, kind, asset: String::new(), wall_unix_ms, received_unix_ms: NOW, bytes };
        batch.records.insert((log.0, log.1, seq), made_up);
    }
    let mut head = None;
    for line in &lines {
        let record = Unverified::read(line).unwrap().verify(&public).unwrap();
        head = Some((record.header.seq, record.hash));
        batch.records.insert((log.0, log.1, record.header.seq), KeptRecord::of(&record, line, NOW));
    }
    batch.epochs.push((log, KeptEpoch { epoch: 0, from: 0, key: public }));
    batch.heads.push(kept(log, head.unwrap(), &public));
    chain
}

fn kept((gateway, log): Log, (seq, head): (u64, Digest), key: &PublicKey) -> Kept {
    let (division, enterprise) = (Division::parse("130421").unwrap(), CreditCode::parse(ENTERPRISE).unwrap());
    let (received_unix_ms, next_epoch, root) = (NOW, 0, key.id());
    Kept { gateway, log, division, enterprise, seq, head, received_unix_ms, next_epoch, root }
}

#[tokio::test]
#[ignore = "measures and judges nothing, and needs 10 GB: see the head of tests/collector/cold.rs"]
async fn cold_start() {
    let _alone = ALONE.lock().await;
    let (records, gateways) = (told("COLDHEARTH_RECORDS", 10_000_000), told("COLDHEARTH_GATEWAYS", 10_000));
    let folder = Folder::new("cold");
    let broker = Mosquitto::start_with(&folder.0, free_port(), "max_queued_messages 0\n").await;
    let page = free_port();
    let metrics = format!("[metrics]\nlisten = \"127.0.0.1:{page}\"\n");
    let authority = Authority::new("cold-authority", broker.port, &metrics);
    let state = authority.folder.0.join("state");
    let mut store = SqliteStore::open(&state).unwrap();
    let began = Instant::now();
    let mut chains = BTreeMap::new();
    // In the order in which the database keeps them.
    let mut numbers: Vec<usize> = (0..gateways).collect();
    numbers.sort_by_key(|number| gateway(*number).0);
    for numbers in numbers.chunks(LOGS_AT_ONCE) {
        for (id, key) in numbers.iter().map(|number| gateway(*number)) {
            store.admit(id, &key.public_key(), NOW).unwrap();
        }
        chains.extend(keep_logs(&mut store, numbers, (records / gateways) as u64));
    }
    drop(store);
    let file = state.join(STORE_FILE);
    let megabytes = std::fs::metadata(&file).unwrap().len() / 1_000_000;
    println!("{records} records of {gateways} gateways, {megabytes} MB, made in {:.0?}", began.elapsed());
    for is_cold in [true, false] {
        if is_cold {
            // Written, and then out of the machine's memory.
            let mut drop = Command::new("dd");
            drop.arg(format!("of={}", file.display())).args([
                "oflag=nocache",
                "conv=notrunc,fdatasync",
                "count=0",
            ]);
            assert!(drop.output().unwrap().status.success());
        }
        start(&authority, page, broker.port, &mut chains, is_cold).await;
    }
}

async fn start(
    authority: &Authority,
    page: u16,
    port: u16,
    chains: &mut BTreeMap<usize, Chain>,
    is_cold: bool,
) {
    let mut subscriber = Subscriber::start_with(coldhearth::host::courier::Broker {
        filters: vec!["coldhearth/v1/+/+/+/+/gw-0/_/receipt".to_owned()],
        ..Subscriber::broker(port)
    })
    .await;
    let mut publisher = Publisher::start(port).await;
    let began = Instant::now();
    let serve = authority.serve();
    until_ails(page, &[]).await;
    let green = began.elapsed();
    let first = chains.get_mut(&0).unwrap();
    let seq = first.next_seq();
    let line = first.seal(&at(seq), &beat()).unwrap().bytes.to_vec();
    publisher.publish_at(&topic(0), line).await;
    receipted(&mut subscriber, &authority.key(), seq).await;
    let kept = began.elapsed();
    let started = resident_bytes_of(serve.0.id());
    let began = Instant::now();
    for (number, chain) in chains.iter_mut().rev() {
        let line = chain.seal(&at(chain.next_seq()), &beat()).unwrap().bytes.to_vec();
        publisher.publish_at(&topic(*number), line).await;
    }
    receipted(&mut subscriber, &authority.key(), seq + 1).await;
    let took: Duration = began.elapsed();
    let grown = resident_bytes_of(serve.0.id());
    let rate = chains.len() as f64 / took.as_secs_f64();
    println!(
        "{}: health after {green:.1?}, a record kept and receipted after {kept:.1?}, {} MB in memory; then one record of each \
         gateway in {took:.1?}, {rate:.0} a second, {} MB",
        if is_cold { "out of no page cache" } else { "started again" },
        started / 1_000_000,
        grown / 1_000_000
    );
    assert_eq!(serve.stop(), 0);
}
