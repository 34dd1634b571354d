//! A large old store, filled without a gateway: measured, not judged.
//! `COLDHEARTH_STORE=FOLDER cargo test --release --test collector -- --ignored --nocapture large_old_store` leaves it there, for
//! `report`, `store verify` and `store reindex` to be measured of (`COLDHEARTH_GATEWAYS`, 200 unless told otherwise, five pieces of
//! equipment behind each; `COLDHEARTH_DAYS`, 90, a verdict a day that tells of the whole day).
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures, and tells a person what")]

use std::{collections::BTreeSet, path::Path};

use coldhearth::{
    catalogue::{Attribute, Class, Nameplate, PlateSource, Rostered, Ruling, Standing, plate::PlateValue},
    evidence::{Body, Chain, Ed25519, Genesis, LogId, Signer as _, record::Unverified},
    judge::{Event, Finding, PlateRead, Shares, SignSet, State, Verdict},
    regulator::{
        collector::Collector,
        sight,
        store::{Batch, Kept, KeptEpoch, KeptRecord, SqliteStore, Store},
    },
    terms::{
        AssetId, Digest, GatewayId, LegalDay, Stamp, WattHours,
        place::{CreditCode, Division},
        time::DAY_MS,
    },
};

use crate::{
    figures::{self, told},
    support::{
        Folder,
        voice::{NOW, at, key},
    },
};

/// Gateways whose records are kept at once.
const AT_ONCE: usize = 20;
const BEHIND_ONE: usize = 5;

fn asset(number: usize) -> AssetId {
    AssetId::new(&format!("eaf-{number}")).unwrap()
}

fn genesis(number: usize, key: &Ed25519) -> Genesis {
    Genesis {
        public_key: key.public_key(),
        division: Division::parse(&format!("13{:02}{:02}", number % 11 + 1, number % 20 + 1)).unwrap(),
        enterprise: CreditCode::parse(figures::ENTERPRISE).unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    }
}

fn plate(place: usize) -> Body {
    let text = |name: &str, value: &str| Attribute::new(name, PlateValue::Text(value.into())).unwrap();
    let lines = vec![
        text("equipment_kind", "electric_furnace"),
        text("furnace_product", "steel"),
        Attribute::new("nominal_tonnage_t", PlateValue::Whole(25)).unwrap(),
    ];
    Body::Finding(Finding::Event(Event::Plate(PlateRead {
        asset: asset(place),
        source: PlateSource::Declared,
        before: None,
        plate: Nameplate::new(lines).unwrap(),
    })))
}

/// One in ten draws.
fn verdict(place: usize, is_drawing: bool, days: i64) -> Body {
    let deadline = LegalDay::parse("2011-12-31");
    let energy = WattHours(if is_drawing { days * 900_000 } else { 0 });
    Body::Finding(Finding::Verdict(Verdict {
        asset: asset(place),
        state: if is_drawing { State::Drawing } else { State::Energised },
        since: at(0),
        standing: Standing {
            ruling: Some(Ruling { class: Class::InScope, rule: None, deadline }),
            roster: deadline.map(Rostered::By),
            ..Standing::default()
        },
        phase: None,
        violation_since_unix_ms: None,
        energy_overdue: energy,
        energy_closed: energy,
        shares: Shares::of_record(DAY_MS - 4_000, 0, 4_000).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

/// What a gateway has said in so many days, and what is kept of it.
fn life(batch: &mut Batch, number: usize, days: i64) {
    let (gateway, first) = figures::gateway(number);
    let log = LogId(number as u64 + 1);
    let genesis = genesis(number, &first);
    let (key, division, enterprise) = (first.public_key(), genesis.division, genesis.enterprise);
    let begin = LegalDay::of_unix_ms(NOW - days * DAY_MS).starts_unix_ms();
    let mut chain = Chain::begin(gateway, log, 0, Box::new(first));
    let mut last = None;
    let mut keep = |wall_unix_ms: i64, body: &Body| {
        let bytes = chain.seal(&Stamp { wall_unix_ms, ..at(1) }, body).unwrap().bytes.to_vec();
        let record = Unverified::read(&bytes).and_then(Unverified::own).unwrap();
        let seq = record.header.seq;
        batch.sights.extend(sight::of(&record, wall_unix_ms + 500));
        batch.records.insert((gateway, log, seq), KeptRecord::of(&record, &bytes, wall_unix_ms + 500));
        last = Some((seq, record.hash, wall_unix_ms + 500));
    };
    keep(begin, &Body::Genesis(genesis));
    (0..BEHIND_ONE).for_each(|place| keep(begin, &plate(place)));
    for day in 1..=days {
        for place in 0..BEHIND_ONE {
            keep(begin + day * DAY_MS, &verdict(place, (number + place).is_multiple_of(10), day));
        }
    }
    let (seq, head, received_unix_ms) = last.unwrap();
    batch.epochs.push(((gateway, log), KeptEpoch { epoch: 0, from: 0, key }));
    let (next_epoch, root) = (0, key.id());
    batch.heads.push(Kept {
        gateway,
        log,
        division,
        enterprise,
        seq,
        head,
        received_unix_ms,
        next_epoch,
        root,
    });
}

fn fill(folder: &Path, gateways: usize, days: i64) {
    let mut store = SqliteStore::open(folder).unwrap();
    for number in 0..gateways {
        let (id, key) = figures::gateway(number);
        store.admit(id, &key.public_key(), NOW - days * DAY_MS).unwrap();
    }
    for some in (0..gateways).collect::<Vec<_>>().chunks(AT_ONCE) {
        let mut batch = Batch::default();
        some.iter().for_each(|number| life(&mut batch, *number, days));
        let logs: BTreeSet<(GatewayId, LogId)> =
            batch.heads.iter().map(|kept| (kept.gateway, kept.log)).collect();
        batch.turns = store.begin(&logs).unwrap();
        store.commit(&batch).unwrap();
    }
}

#[test]
#[ignore = "it measures, and judges nothing"]
fn large_old_store() {
    let gateways = told("COLDHEARTH_GATEWAYS", 200);
    let days = i64::try_from(told("COLDHEARTH_DAYS", 90)).unwrap();
    let own = Folder::new("large-old");
    let folder = std::env::var("COLDHEARTH_STORE").map_or_else(|_| own.0.clone(), Into::into);
    let timed = |what: &str, does: &mut dyn FnMut() -> usize| {
        let begun = std::time::Instant::now();
        let count = does();
        println!("{what}: {count}, {:.2} s", begun.elapsed().as_secs_f64());
    };
    timed("gateways filled", &mut || {
        fill(&folder, gateways, days);
        gateways
    });
    let open = || SqliteStore::open(&folder).unwrap();
    let mut collector = Collector::open(Box::new(open()), Box::new(key(9))).unwrap();
    timed("rounds of the first adding-up", &mut || {
        (0..1_000_000).take_while(|_| collector.add_up(NOW + DAY_MS).unwrap() > 0).count()
    });
    timed("rounds of the next day's", &mut || {
        (0..1_000_000).take_while(|_| collector.add_up(NOW + 2 * DAY_MS).unwrap() > 0).count()
    });
    println!("resident: {} MB", figures::resident_bytes_of(std::process::id()) / 1_000_000);
}
