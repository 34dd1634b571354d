//! What each fuzz target does with bytes, and what must hold whatever they are. Shared by `fuzz_targets/`, which
//! libFuzzer drives, and by `tests/fuzz_corpus.rs`, which runs on stable with every change.
//!
//! Nobody guesses a signature, so each target also signs what it was given with a key of the goldens: behind the
//! signature stands what a gateway or an authority with a stolen key could say.
#![allow(dead_code, unreachable_pub, reason = "each program uses its own target")]

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use coldhearth::{
    agent::{journal::DiskJournal, salvage},
    evidence::{
        Act, Audit, Body, Boot, Chain, Checkpoint, Class, Ed25519, Follower, Genesis, Journal as _, Keyring,
        LogHead, LogId, PublicKey, Receipt, Record, Scribe, Sealer, Signed, Signer, Trust,
        act::ActRefusal,
        canonical::{self, Canonical, Object},
        follow::Origin,
        journal::Cursor,
        receipt::MAX_MISSING,
        record::Unverified,
        trust::Received,
        write,
    },
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};
use serde_json::{Map, Value};

/// The gateway's first key, its second, and the authority's: those of the goldens.
const SEEDS: [u8; 3] = [7, 8, 9];

fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

/// Their public halves, in the same order.
fn public() -> &'static [PublicKey; 3] {
    static KEYS: OnceLock<[PublicKey; 3]> = OnceLock::new();
    KEYS.get_or_init(|| SEEDS.map(|seed| key(seed).public_key()))
}

/// The place in [`SEEDS`] of the key with this name.
fn named(id: &str) -> Option<usize> {
    static NAMES: OnceLock<[String; 3]> = OnceLock::new();
    NAMES.get_or_init(|| public().map(|key| key.id().to_string())).iter().position(|name| name == id)
}

fn gateway() -> GatewayId {
    GatewayId::new("gw-03").expect("a name")
}

fn now() -> Stamp {
    Stamp {
        wall_unix_ms: 1_795_000_010_000,
        uptime_ms: 10_000,
        boot: 2,
        clock: ClockQuality::Ntp,
        error_ms: 40,
    }
}

/// What is accepted, written again, gives the same bytes; and another writer of JSON agrees.
pub fn canonical(data: &[u8]) {
    let Ok(map) = canonical::read(data) else { return };
    let mut again = Vec::new();
    canonical::rewrite(&map, None, &mut again).expect("what was read can be written");
    assert_eq!(again, data);
    assert_eq!(serde_json::to_vec(&map).expect("JSON"), data);
    let mut inside = Vec::new();
    let nested = Canonical::default().write(&mut inside, |object| {
        object.members(&map, &[]);
    });
    if nested.is_ok() {
        assert_eq!(inside, data);
    }
}

/// Every line as it is and signed anew, shown to everybody who follows logs.
pub fn record(data: &[u8]) {
    let trusted = public();
    let mut audits = [Audit::new(&[]), Audit::new(trusted)];
    let mut admitting = Follower::admitting();
    admitting.keyring_mut().admit(gateway(), trusted[0]);
    let mut followers = [Follower::joining(&trusted[..1]), admitting];
    let mut lines = 0;
    for line in data.split(|byte| *byte == b'\n').take(16) {
        for bytes in [Some(line.to_vec()), signed_anew(line, 7)].into_iter().flatten() {
            lines += 1;
            reread(&bytes);
            audits.iter_mut().for_each(|audit| audit.on_line(&bytes));
            audits.iter_mut().for_each(|audit| audit.on_receipt_line(&bytes));
            let origin = Origin { in_chain: true, number: lines };
            followers.iter_mut().for_each(|f| f.on_message(&bytes, origin, &mut |_, _, _| {}));
        }
    }
    for audit in audits {
        let report = audit.report();
        assert!(report.records <= lines);
        assert!(!report.complete || report.gaps.is_empty() && report.forks.is_empty());
        let _word = report.condition();
    }
    for mut follower in followers {
        follower.finish(&mut |_, _, _| {});
        let logs: Vec<_> = follower.heads().keys().copied().collect();
        for (gateway, log) in logs {
            while follower.concede(gateway, log).is_some() {}
            assert!(follower.heads()[&(gateway, log)].holes(MAX_MISSING).is_empty());
        }
    }
}

/// A record that is believed says the same when its body is written again, and nothing that it did not say.
fn reread(bytes: &[u8]) {
    let Ok(unverified) = Unverified::read(bytes) else { return };
    let Some(signer) = named(&unverified.header().key_id.to_string()).map(|at| key(SEEDS[at])) else {
        return;
    };
    let Ok(record) = unverified.verify(&signer.public_key()) else { return };
    let mut sealer = Sealer::default();
    let hash =
        sealer.seal(&signer, |object| write_record(object, &record)).expect("what was read can be written");
    let again = Unverified::read(sealer.bytes()).expect("what was written can be read");
    let again = again.verify(&signer.public_key()).expect("and believed");
    assert_eq!((&again.header, &again.body), (&record.header, &record.body));
    assert_eq!(again.hash, hash);
    says_no_more(bytes, sealer.bytes());
}

/// As [`Chain`] writes it.
fn write_record(object: &mut Object<'_>, record: &Record) {
    let header = &record.header;
    object
        .text("type", record.body.word())
        .shown("gateway_id", header.gateway)
        .shown("log_id", header.log)
        .count("seq", header.seq)
        .shown("prev", header.prev)
        .whole("wall_unix_ms", header.at.wall_unix_ms)
        .text("clock", header.at.clock.word())
        .count("clock_err_ms", u64::from(header.at.error_ms))
        .count("uptime_ms", header.at.uptime_ms)
        .count("boot_count", u64::from(header.at.boot))
        .count("key_epoch", u64::from(header.key_epoch));
    match header.receipt {
        Some(receipt) => object.shown("receipt", receipt),
        None => object.text("receipt", ""),
    };
    write::body(object, &record.body);
}

/// Every member of what was written again stands in the original, with the same value. A member this version does not
/// know may be left out.
fn says_no_more(original: &[u8], again: &[u8]) {
    let read = |bytes| Value::Object(canonical::read(bytes).expect("canonical"));
    let (mut original, mut again) = (read(original), read(again));
    for value in [&mut original, &mut again] {
        if let Value::Object(map) = value {
            map.remove("sig");
        }
    }
    assert!(is_within(&again, &original), "{again}\nsays more than\n{original}");
}

fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| is_within(value, other)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_within(part, whole))
        }
        (part, whole) => part == whole,
    }
}

/// The members of a JSON object, signed by the key of the goldens they name, or by this one.
fn signed_anew(bytes: &[u8], otherwise: u8) -> Option<Vec<u8>> {
    let map: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let seed = map.get("kid").and_then(Value::as_str).and_then(named).map_or(otherwise, |at| SEEDS[at]);
    let mut sealer = Sealer::default();
    let sealed = sealer.seal(&key(seed), |object| {
        object.members(&map, &["fmt", "alg", "kid", "sig"]);
    });
    sealed.ok().map(|_| sealer.bytes().to_vec())
}

/// A receipt that is believed is the authority's, and says the same when it is written again.
pub fn receipt(data: &[u8]) {
    let authority = key(9);
    for bytes in [Some(data.to_vec()), signed_anew(data, 9)].into_iter().flatten() {
        let mut trust = Trust::new(gateway(), vec![authority.public_key()]);
        let received = trust.open_receipt(&bytes);
        let mut keyring = Keyring::new(&[authority.public_key()]);
        let Ok(signed) = Signed::read(&bytes) else {
            assert!(received.is_err());
            continue;
        };
        let learnt = keyring.open_receipt(&signed);
        let Ok(opened) = Receipt::open(&signed, &authority.public_key()) else {
            assert!(received.is_err() && learnt.is_err());
            continue;
        };
        assert_eq!(received.is_ok(), opened.gateway == gateway());
        assert!(learnt.is_ok_and(|(receipt, vouches)| receipt == opened && vouches));
        assert_eq!(Receipt::kept(&signed), Some(opened.clone()));
        let mut sealer = Sealer::default();
        opened.seal(&mut sealer, &authority).expect("what was read can be written");
        let again = Signed::read(sealer.bytes()).expect("what was written can be read");
        assert_eq!(Receipt::open(&again, &authority.public_key()), Ok(opened));
        says_no_more(&bytes, sealer.bytes());
    }
}

/// An act that is accepted fits into a record, is read back from it, and is never accepted twice.
pub fn act(data: &[u8]) {
    let authority = vec![public()[2], public()[1]];
    for bytes in [Some(data.to_vec()), signed_anew(data, 9)].into_iter().flatten() {
        if let Ok(act) = Signed::read(&bytes).and_then(Act::read) {
            recorded(&act);
        }
        let mut trust = Trust::new(gateway(), authority.clone());
        let Ok(act) = trust.open_act(&bytes, &now(), |_| Ok(())) else { continue };
        assert_eq!(act.gateway, gateway());
        assert!(act.expires_unix_ms >= now().wall_unix_ms);
        let again = trust.open_act(&bytes, &now(), |_| Ok(())).expect_err("twice");
        // A key that has just revoked another is still there; one act is taken once.
        assert_eq!(again.why, ActRefusal::Replayed);
        let mut restarted = Trust::new(gateway(), authority.clone());
        restarted.recall(&act);
        assert_eq!(
            restarted.open_act(&bytes, &now(), |_| Ok(())).expect_err("twice").why,
            ActRefusal::Replayed
        );
    }
}

fn recorded(act: &Act) {
    let mut chain = Chain::begin(gateway(), LogId(1), 0, Box::new(key(7)));
    chain.seal(&now(), &genesis()).expect("a genesis");
    let sealed =
        chain.seal(&now(), &Body::Act(act.clone())).expect("an act that was read fits into a record");
    let record = Unverified::read(sealed.bytes).expect("readable").verify(&key(7).public_key());
    assert_eq!(record.expect("believed").body, Body::Act(act.clone()));
}

fn genesis() -> Body {
    Body::Genesis(Genesis {
        public_key: key(7).public_key(),
        division: Division::parse("130421").expect("a division"),
        enterprise: CreditCode::parse("91350100M000100Y43").expect("a code"),
        software: "coldhearth".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    })
}

/// A journal as it lay on the disk: database and write-ahead log, and what it holds.
struct Written {
    database: Vec<u8>,
    log: Vec<u8>,
    lines: BTreeSet<Vec<u8>>,
    hashes: BTreeSet<Digest>,
    next: u64,
}

/// Room for each fuzzing process; in memory where the machine has that.
fn folder() -> PathBuf {
    thread_local!(static FOLDER: RefCell<Option<PathBuf>> = const { RefCell::new(None) });
    FOLDER.with_borrow_mut(|folder| {
        folder
            .get_or_insert_with(|| {
                let base = Some(Path::new("/dev/shm")).filter(|path| path.is_dir());
                let base = base.map_or_else(std::env::temp_dir, Path::to_path_buf);
                let name =
                    format!("coldhearth-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
                base.join(name.replace(['(', ')'], ""))
            })
            .clone()
    })
}

/// The hash of the record at a place of the log.
fn hash_at(scribe: &mut Scribe, seq: u64) -> Digest {
    let mut hash = None;
    let each = &mut |_, _, bytes: &[u8]| {
        hash = Signed::read(bytes).ok().map(|signed| signed.hash());
        false
    };
    scribe.journal().read(seq, Class::Routine, each).expect("a record");
    hash.expect("a hash")
}

/// Journals after a clean end, after a kill, and after a kill before anything was folded in from the write-ahead log.
fn journals() -> &'static [Written; 3] {
    static WRITTEN: OnceLock<[Written; 3]> = OnceLock::new();
    WRITTEN.get_or_init(|| [written(true, false), written(false, false), written(false, true)])
}

fn written(clean: bool, log: bool) -> Written {
    let folder = folder();
    let _old = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("written.db");
    let journal = DiskJournal::open(&path).expect("a journal");
    let chain = Chain::begin(gateway(), LogId(1), 0, Box::new(key(7)));
    let mut scribe = Scribe::begin(&now(), chain, Box::new(journal)).expect("a scribe");
    scribe.write(now(), genesis());
    scribe.write(
        now(),
        Body::Boot(Boot {
            boot_id: "b".into(),
            machine_rebooted: true,
            software: "s".into(),
            config: Digest::ZERO,
            dark: None,
        }),
    );
    scribe.commit().expect("a commit");
    for entries in 0..30 {
        let beat = Checkpoint { entries, reads_ok: 3, reads_failed: 1, first_unreceipted_seq: 0 };
        scribe.write(now(), Body::Checkpoint(beat));
        scribe.commit().expect("a commit");
        if entries == 20 {
            let receipt = Receipt {
                gateway: gateway(),
                upto: LogHead { log: LogId(1), seq: 5, head: hash_at(&mut scribe, 5) },
                key_epoch: 0,
                public_key: key(7).public_key(),
                received_unix_ms: now().wall_unix_ms,
                nonce: [3; 16],
                missing: Vec::new(),
            };
            let mut sealer = Sealer::default();
            let hash = receipt.seal(&mut sealer, &key(9)).expect("a receipt");
            scribe.on_receipt(Received { receipt, hash }, sealer.bytes().to_vec());
            scribe.rotate(&now(), Box::new(key(8)), &key(8).to_pem().expect("a key")).expect("a rotation");
        }
    }
    let next = scribe.chain().next_seq();
    if clean {
        scribe.close().expect("a clean end");
    }
    let (mut hashes, mut lines) = (BTreeSet::new(), BTreeSet::new());
    let each = &mut |_, _, bytes: &[u8]| {
        lines.insert(bytes.to_vec());
        hashes.insert(Signed::read(bytes).expect("a record").hash())
    };
    scribe.journal().read(0, Class::Routine, each).expect("records");
    assert_eq!(hashes.len() as u64, next);
    let wal = path.with_extension("db-wal");
    if !log {
        // The last connection folds the write-ahead log in.
        drop(scribe);
        assert!(!wal.exists());
    }
    let database = fs::read(&path).expect("a database");
    let log = if log { fs::read(&wal).expect("a write-ahead log") } else { Vec::new() };
    fs::remove_dir_all(&folder).expect("an end");
    Written { database, log, lines, hashes, next }
}

/// Size of a database page.
const PAGE: usize = 4_096;
/// A patch: page, place in the page, length; then so many bytes.
const PATCH: usize = 5;

/// Bytes written over a journal: it opens or it is refused, and what it then tells was written by us. The first byte
/// chooses the journal, then come patches.
pub fn journal(data: &[u8]) {
    let Some((which, mut patches)) = data.split_first() else { return };
    let written = &journals()[usize::from(*which) % 3];
    let mut bytes = [written.database.as_slice(), &written.log].concat();
    let mut pages = BTreeSet::new();
    while let Some((head, rest)) = patches.split_at_checked(PATCH) {
        let at = (usize::from(u16::from_le_bytes([head[0], head[1]])) * PAGE
            + usize::from(u16::from_le_bytes([head[2], head[3]])) % PAGE)
            % bytes.len();
        let (patch, rest) = rest.split_at(usize::from(head[4]).min(rest.len()));
        for (at, byte) in (at..bytes.len()).zip(patch) {
            bytes[at] = *byte;
            pages.insert(at / PAGE);
        }
        patches = rest;
    }
    let folder = folder();
    let _old = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("journal.db");
    let (database, log) = bytes.split_at(written.database.len());
    fs::write(&path, database).expect("a database");
    if !log.is_empty() {
        fs::write(folder.join("journal.db-wal"), log).expect("a write-ahead log");
    }
    if let Ok((journal, _damage)) = salvage::open(&path) {
        let one_page = pages.len() <= 1 && written.log.is_empty();
        tells_the_truth(journal, written, one_page);
    }
    fs::remove_dir_all(&folder).expect("an end");
}

fn tells_the_truth(mut journal: DiskJournal, written: &Written, one_page: bool) {
    let mut keyring = Keyring::new(&public()[..1]);
    let mut strange = false;
    // What stands there byte for byte as it was written need not be verified in each turn.
    let mut each = |bytes: &[u8]| {
        if written.lines.contains(bytes) {
            return;
        }
        strange = true;
        let opened = Unverified::read(bytes).and_then(|unverified| keyring.open(unverified));
        assert!(opened.is_err() || opened.is_ok_and(|record| written.hashes.contains(&record.hash)));
    };
    let (mut places, mut lines) = (Vec::new(), Vec::new());
    let _read = journal.read(0, Class::Routine, &mut |seq, _, bytes| {
        places.push(seq);
        lines.push(bytes.to_vec());
        each(bytes);
        true
    });
    let _newest = journal.newest(&mut |_, _, bytes| {
        each(bytes);
        true
    });
    let _keys = journal.keys_of_the_log(&mut |_, bytes| each(bytes));
    let _receipts = journal.receipts(&mut |bytes| {
        let opened = Signed::read(bytes).and_then(|signed| Receipt::open(&signed, &key(9).public_key()));
        assert!(opened.is_err() || opened.is_ok_and(|receipt| receipt.upto.seq == 5));
        true
    });
    for seq in places.iter().take(64) {
        let _newest = journal.is_newest(*seq);
    }
    let (_key, _size, _sound) = (journal.key(), journal.size_bytes(), journal.is_sound());
    let (_receipted, _accepted) = (journal.cursor(Cursor::Receipted), journal.cursor(Cursor::Accepted));
    if strange {
        let mut audit = Audit::new(&public()[..1]);
        lines.iter().for_each(|line| audit.on_line(line));
        assert!(audit.report().forks.is_empty(), "damage accuses nobody");
    }
    let last = journal.last().ok().flatten().and_then(|bytes| Unverified::read(&bytes).ok());
    if let (Some(last), Ok(reserved), true) = (last, journal.cursor(Cursor::Reserved), one_page) {
        assert!(reserved.max(last.header().seq + 1) >= written.next, "a place that was used is used again");
    }
    let _dropped = journal.drop_last();
}

/// What a target begins from, given the goldens.
pub fn seeds(target: &str, goldens: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        goldens.iter().filter(|(name, _)| wanted(name)).map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>()
    };
    match target {
        "receipt" => of(&|name| name.contains("receipt")),
        "act" => of(&|name| name.contains("-act")),
        "canonical" => of(&|_| true),
        "record" => {
            let lines = of(&|name| !name.contains("-act-"));
            let whole = lines.join(&b'\n');
            lines.into_iter().chain([whole]).collect()
        }
        _ => {
            let at = |which: u8, page: u16, at: u16, bytes: &[u8]| {
                let length = u8::try_from(bytes.len()).expect("short");
                let (page, at) = (page.to_le_bytes(), at.to_le_bytes());
                [&[which, page[0], page[1], at[0], at[1], length], bytes].concat()
            };
            let pages = (0..12).map(|page| at((page % 3) as u8, page, 0, &[0; 64]));
            let headers = [18, 24, 28, 60, 96].map(|place| at(0, 0, place, &[0, 0, 0, 1]));
            [vec![0], vec![1], vec![2]].into_iter().chain(pages).chain(headers).collect()
        }
    }
}
