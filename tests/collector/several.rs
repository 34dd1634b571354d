//! Several collectors over one database, and a database that goes away: what the store must hold to.

use std::collections::{BTreeMap, BTreeSet};

use coldhearth::{
    evidence::LogId,
    host::credentials::TlsFiles,
    regulator::{
        collector::{Collector, Tally},
        store::{
            Batch, KeptRecord, Log, PostgresStore, Store as _, StoreFault,
            postgres::{Endpoint, PostgresAt},
        },
    },
    terms::Digest,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{
    admitted, home_admitting,
    homes::Homes,
    log, open, over_both, receipt,
    support::{
        postgres::{PASSWORD, Postgres, hand_over},
        voice::{NOW, TOPIC, Voice, beat, gateway, key, key_of},
    },
    take,
};

const LOG: LogId = LogId(5);

/// Numbers that look random and are the same in every run.
fn shuffled(lines: &[Vec<u8>], mut seed: u64) -> Vec<Vec<u8>> {
    let mut lines = lines.to_vec();
    for last in (1..lines.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        lines.swap(last, usize::try_from(seed >> 33).unwrap() % (last + 1));
    }
    lines
}

/// A log with rotations in it, and one that continues it.
fn traffic() -> Vec<Vec<u8>> {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    for turn in 0..40_u8 {
        lines.push(if turn % 8 == 7 { voice.rotate(100 + turn) } else { voice.say(&beat()) });
    }
    lines
}

/// The state after one collector had everything in order.
fn undisturbed(homes: Homes, lines: &[Vec<u8>]) -> Digest {
    let (_home, mut collector) = admitted(homes, "undisturbed");
    take(&mut collector, lines);
    collector.state_root().unwrap()
}

fn two_collectors_that_share_traffic_in_any_order_end_where_one_does(homes: Homes) {
    let lines = traffic();
    let wanted = undisturbed(homes, &lines);
    for seed in 1..4 {
        let home = home_admitting(homes, "shared");
        let mut pair = [open(&home), open(&home)];
        // What waits for its key in one of them, while the other has the key, comes again on the agents' side.
        for round in 0..3 {
            for (turn, chunk) in shuffled(&lines, seed * 10 + round).chunks(3).enumerate() {
                take(&mut pair[turn % 2], chunk);
            }
        }
        for collector in &mut pair {
            assert_eq!(collector.state_root().unwrap(), wanted, "seed {seed}");
        }
        // The last to be heard knows of it all, whoever has kept it.
        take(&mut pair[0], &lines[..1]);
        let given = receipt(&mut pair[0]).unwrap();
        assert_eq!((given.upto.seq, given.missing), (lines.len() as u64 - 1, vec![]));
    }
}

fn two_collectors_fed_the_same_in_different_orders_end_in_the_same_state(homes: Homes) {
    let lines = traffic();
    let wanted = undisturbed(homes, &lines);
    let home = home_admitting(homes, "same");
    let mut pair = [open(&home), open(&home)];
    let orders = [shuffled(&lines, 3), shuffled(&lines, 4)];
    for (one, other) in orders[0].chunks(5).zip(orders[1].chunks(5)) {
        take(&mut pair[0], one);
        take(&mut pair[1], other);
    }
    for (collector, order) in pair.iter_mut().zip(&orders) {
        take(collector, order);
        assert_eq!(collector.state_root().unwrap(), wanted);
    }
}

fn collectors_at_work_at_the_same_moment_lose_nothing(homes: Homes) {
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend((0..120).map(|_| voice.say(&beat())));
    let wanted = undisturbed(homes, &lines);
    let home = home_admitting(homes, "moment");
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (home, lines) = (&home, &lines);
            scope.spawn(move || {
                let mut collector = open(home);
                let mine = lines.iter().enumerate().filter(|(at, _)| at % 2 == half).map(|(_, line)| line);
                for chunk in mine.collect::<Vec<_>>().chunks(4) {
                    take(&mut collector, chunk.iter().copied());
                }
            });
        }
    });
    assert_eq!(open(&home).state_root().unwrap(), wanted);
}

fn no_head_advances_over_anothers(homes: Homes) {
    let (home, mut collector) = admitted(homes, "turns");
    let lines = log(6);
    take(&mut collector, &lines[..3]);
    let place: Log = (gateway(), LOG);
    let mut store = home.store();
    let (kept, root) = (store.heads(None).unwrap(), collector.state_root().unwrap());
    // Whoever saw another turn keeps nothing: neither head nor record.
    let [stale, next] = [0_u64, 1].map(|before| {
        let mut batch = Batch::default();
        batch.turns.insert(place, before);
        let bytes = b"{}".to_vec();
        let record = KeptRecord {
            hash: Digest::of(&bytes),
            kind: "checkpoint".into(),
            asset: String::new(),
            wall_unix_ms: 1,
            received_unix_ms: 1,
            bytes,
        };
        batch.records.insert((gateway(), LOG, 99), record);
        let mut head = kept[0];
        head.seq = 99;
        batch.heads.push(head);
        batch
    });
    assert_eq!(store.begin(&BTreeSet::from([place])).unwrap(), BTreeMap::from([(place, 1)]));
    assert!(matches!(store.commit(&stale), Err(StoreFault::Conflict)));
    assert_eq!(collector.state_root().unwrap(), root);
    assert!(store.kept_at(&BTreeSet::from([(gateway(), LOG, 99)])).unwrap().is_empty());
    // What was begun and not committed leaves no trace, and holds nobody up.
    store.begin(&BTreeSet::from([place])).unwrap();
    drop(store);
    take(&mut collector, &lines[3..4]);
    let mut store = home.store();
    assert_eq!(store.begin(&BTreeSet::from([place])).unwrap(), BTreeMap::from([(place, 2)]));
    assert!(matches!(store.commit(&next), Err(StoreFault::Conflict)), "turn 1 has passed");
    store.begin(&BTreeSet::from([place])).unwrap();
    store.commit(&Batch { turns: BTreeMap::from([(place, 2)]), ..next }).unwrap();
    assert_ne!(collector.state_root().unwrap(), root);
}

fn what_waits_for_a_genesis_waits_across_a_restart(homes: Homes) {
    let (home, mut collector) = admitted(homes, "orphans");
    let mut voice = Voice::new(5, 0, 7);
    let lines = [voice.genesis(7, None), voice.say(&beat()), voice.say(&beat())];
    assert_eq!(take(&mut collector, &lines[1..]).records, 2);
    drop(collector);
    let mut collector = open(&home);
    take(&mut collector, &lines[..1]);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 2);
}

fn what_is_not_in_memory_is_read_again_when_it_speaks(homes: Homes) {
    let home = home_admitting(homes, "small-memory");
    let mut collector = open(&home).remembering(1);
    let mut voices = [Voice::new(5, 0, 7), Voice::new(6, 0, 7), Voice::new(7, 0, 7)];
    let mut lines: Vec<Vec<u8>> = voices.iter_mut().map(|voice| voice.genesis(7, None)).collect();
    for turn in 0..6 {
        lines.extend(
            voices.iter_mut().map(|voice| if turn == 3 { voice.rotate(50) } else { voice.say(&beat()) }),
        );
    }
    for line in &lines {
        assert_eq!(take(&mut collector, [line]).records, 1);
    }
    let heads = home.store().heads(None).unwrap();
    assert_eq!(heads.iter().map(|kept| kept.seq).collect::<Vec<_>>(), [6, 6, 6]);
    assert_eq!(take(&mut collector, &lines), Tally { again: lines.len() as u64, ..Tally::default() });
}

fn admissions_and_revocations_are_seen_by_every_collector(homes: Homes) {
    let home = homes.open("admissions");
    let mut pair = [open(&home), open(&home)];
    home.store().admit(gateway(), &key_of(7), NOW).unwrap();
    for collector in &mut pair {
        collector.look_up(NOW).unwrap();
    }
    let lines = log(8);
    assert_eq!(take(&mut pair[0], &lines[..4]).records, 4);
    assert_eq!(take(&mut pair[1], &lines[4..6]).records, 2);
    home.store().revoke(gateway(), key_of(7).id(), NOW).unwrap();
    for collector in &mut pair {
        collector.look_up(NOW).unwrap();
        assert_eq!(take(collector, &lines[6..]).records, 0, "a revoked gateway is heard by none of them");
    }
    let mut fresh = open(&home);
    assert_eq!(take(&mut fresh, &lines[6..]).records, 0);
}

over_both!(
    two_collectors_that_share_traffic_in_any_order_end_where_one_does,
    two_collectors_fed_the_same_in_different_orders_end_in_the_same_state,
    collectors_at_work_at_the_same_moment_lose_nothing,
    no_head_advances_over_anothers,
    what_waits_for_a_genesis_waits_across_a_restart,
    what_is_not_in_memory_is_read_again_when_it_speaks,
    admissions_and_revocations_are_seen_by_every_collector,
);

/// Three gateways' logs of unlike lengths, with rotations, and the third's second log that goes on with its first.
fn of_three() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for (log, length) in [(5, 40_u8), (6, 25), (7, 3)] {
        let mut voice = Voice::new(log, 0, 7);
        lines.push(voice.genesis(7, None));
        lines.extend(
            (0..length).map(|turn| if turn % 9 == 8 { voice.rotate(100 + turn) } else { voice.say(&beat()) }),
        );
    }
    lines
}

/// Everything that is kept but for when it came.
fn kept(home: &crate::homes::Home) -> Vec<(Log, u64, Digest, Vec<u8>)> {
    let mut store = home.store();
    let logs = store.logs().unwrap();
    let mut all = Vec::new();
    for log in logs {
        let records = store.records_from(log, 0, 1_000).unwrap();
        all.extend(records.into_iter().map(|(seq, record)| (log, seq, record.hash, record.bytes)));
    }
    all
}

#[test]
fn one_recorded_traffic_makes_one_state_in_either_database_in_any_order_and_any_batches() {
    let lines = of_three();
    let mut states = Vec::new();
    for (homes, seed, batch) in
        [(Homes::Sqlite, 1, 7), (Homes::Postgres, 2, 1), (Homes::Sqlite, 3, 64), (Homes::Postgres, 4, 31)]
    {
        let home = home_admitting(homes, "recorded");
        let mut collector = open(&home);
        // Duplicates as a broker makes them, and the second time whatever waited too far ahead.
        for chunk in [shuffled(&lines, seed), shuffled(&lines, seed + 10)].concat().chunks(batch) {
            take(&mut collector, chunk);
        }
        states.push((collector.state_root().unwrap(), kept(&home)));
    }
    assert_eq!(states[0].1.len(), lines.len(), "each record once");
    assert!(
        states.iter().all(|state| *state == states[0]),
        "{:?}",
        states.iter().map(|s| s.0).collect::<Vec<_>>()
    );
}

fn messages(lines: &[Vec<u8>]) -> Vec<(&str, &[u8])> {
    lines.iter().map(|line| (TOPIC, line.as_slice())).collect()
}

#[test]
fn a_database_that_crashes_between_two_batches_loses_neither() {
    let server = Postgres::start("");
    let at = server.at(&server.database("crash"));
    let home = || Box::new(PostgresStore::open(at.clone()).unwrap());
    home().admit(gateway(), &key_of(7), NOW).unwrap();
    let mut collector = Collector::open(home(), Box::new(key(9))).unwrap();
    let lines = log(30);
    assert_eq!(collector.take(&messages(&lines[..10]), NOW).unwrap().records, 10);
    server.crash();
    for _ in 0..2 {
        let away = collector.take(&messages(&lines[10..20]), NOW).unwrap_err();
        assert!(matches!(&away, StoreFault::Away(why) if why.contains("crash")), "{away:?}");
    }
    assert!(matches!(collector.look_up(NOW), Err(StoreFault::Away(_))));
    server.go();
    assert_eq!(collector.take(&messages(&lines[10..20]), NOW).unwrap().records, 10);
    assert_eq!(collector.take(&messages(&lines[20..]), NOW).unwrap().records, 10);
    assert_eq!(receipt(&mut collector).unwrap().upto.seq, 29);
    // An operator who ends the connection alone is no worse.
    server.sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coldhearth-regulator'");
    let lost = collector.take(&messages(&lines[..1]), NOW);
    assert!(matches!(lost, Err(StoreFault::Away(_))), "{lost:?}");
    assert_eq!(collector.take(&messages(&lines[..1]), NOW).unwrap().again, 1);
}

#[test]
fn a_batch_whose_collector_is_frozen_is_undone_by_the_server_and_its_logs_are_free() {
    let home = Homes::Postgres.open("frozen");
    let logs = BTreeSet::from([(gateway(), LogId(5))]);
    let (mut frozen, mut other) = (home.store(), home.store());
    frozen.begin(&logs).unwrap();
    // Waits for its turn, and would say so if it had waited in vain.
    other.begin(&logs).unwrap();
    other.abandon();
    let thawed = frozen.commit(&Batch::default());
    assert!(matches!(thawed, Err(StoreFault::Away(_))), "{thawed:?}");
    frozen.begin(&logs).unwrap();
    frozen.abandon();
}

#[test]
fn a_database_is_entered_with_a_password_from_a_file_and_says_what_is_wrong() {
    let server = Postgres::start("");
    let at = server.at(&server.database("enter"));
    assert!(PostgresStore::open(at.clone()).is_ok());
    let wrong = server.folder().join("wrong");
    std::fs::write(&wrong, "not this one").unwrap();
    let failed = |at: PostgresAt| match PostgresStore::open(at).err().unwrap() {
        StoreFault::Failed(failure) => failure,
        other @ (StoreFault::Conflict | StoreFault::Away(_) | StoreFault::Full(_)) => panic!("{other:?}"),
    };
    let refused = failed(PostgresAt { password_file: Some(wrong), ..at.clone() });
    assert_eq!(refused.exit.code(), 77, "{refused}");
    assert!(
        refused.message.contains("password_file") && !refused.message.contains("not this one"),
        "{refused}"
    );
    assert!(!format!("{at:?}").contains(PASSWORD));
    let nowhere = failed(PostgresAt { database: "nowhere".into(), ..at.clone() });
    assert!(nowhere.exit.code() == 78 && nowhere.message.contains("createdb"), "{nowhere}");
    let plain = failed(PostgresAt { endpoint: Endpoint::Host("192.0.2.7".into()), ..at.clone() });
    assert!(plain.message.contains("give `tls`"), "{plain}");
    // A database of a later version, and one that a power cut would rob.
    server.sql(&at.database, "update coldhearth.schema_version set version = 99");
    assert!(failed(at.clone()).message.contains("later than this program's"));
    let careless = Postgres::start("fsync = off");
    let refused = failed(careless.at(&careless.database("careless")));
    assert!(refused.exit.code() == 78 && refused.message.contains("fsync"), "{refused}");
}

#[test]
fn a_database_elsewhere_is_spoken_to_in_tls_alone_and_only_if_it_is_the_right_one() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["db.example".into()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap().pem();
    let key = key.serialize_pem();
    let server = Postgres::start_with(
        "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n",
        |data| {
            for (name, text) in [("server.pem", &certificate), ("server.key", &key)] {
                std::fs::write(data.join(name), text).unwrap();
                hand_over(&data.join(name));
            }
            std::fs::write(
                data.join("pg_hba.conf"),
                "local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
            )
            .unwrap();
            hand_over(&data.join("pg_hba.conf"));
        },
    );
    let ca = server.folder().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let local = server.at(&server.database("tls"));
    let host = Endpoint::Host("127.0.0.1".into());
    let tls = |server_name: &str| {
        Some(TlsFiles { ca: ca.clone(), identity: None, server_name: Some(server_name.into()) })
    };
    let at = PostgresAt { endpoint: host, tls: tls("db.example"), ..local };
    let mut store = PostgresStore::open(at.clone()).unwrap();
    assert_eq!(store.admissions().unwrap(), 0);
    let strange = PostgresStore::open(PostgresAt { tls: tls("other.example"), ..at.clone() }).err().unwrap();
    assert!(matches!(&strange, StoreFault::Away(why) if why.contains("certificate")), "{strange:?}");
    let plain = PostgresStore::open(PostgresAt { tls: None, ..at }).err().unwrap();
    assert!(plain.to_string().contains("pg_hba.conf"), "the server wants TLS: {plain}");
}
