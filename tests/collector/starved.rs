//! A collector that is starved of its processor in the midst of a batch: the server undoes it, for others wait, and gives
//! the next try more time, so that it is done some day.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use coldhearth::{
    evidence::LogId,
    regulator::store::{
        Batch, Log, PostgresStore, Store as _, StoreFault,
        postgres::{IDLE_TIMEOUT_MS, MOST_IDLE_MS},
    },
};

use crate::support::{postgres::Postgres, voice::gateway};

fn log() -> Log {
    (gateway(), LogId(5))
}

/// How long each batch so far was allowed to do nothing, in milliseconds, as the server was told.
fn allowed(server: &Postgres) -> Vec<u64> {
    let log = fs::read_to_string(server.folder().join("postgres.log")).unwrap();
    let told = log.split("set local idle_in_transaction_session_timeout = ").skip(1);
    told.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()).collect()
}

fn batch(turn: u64) -> Batch {
    Batch { turns: BTreeMap::from([(log(), turn)]), ..Batch::default() }
}

#[test]
fn a_batch_that_was_undone_for_doing_nothing_is_given_twice_the_time_until_one_is_kept() {
    let server = Postgres::start("log_statement = 'all'");
    let database = server.database("starved");
    let mut store = PostgresStore::open(server.at(&database)).unwrap();
    let logs = BTreeSet::from([log()]);
    let left = "select count(*) from pg_stat_activity where application_name = 'coldhearth-regulator'";
    // The first is left to the server's patience, the others are ended as it would.
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coldhearth-regulator'";
    for turn in 0..5 {
        store.begin(&logs).unwrap();
        if turn > 0 {
            server.sql(&database, end);
        }
        while server.sql(&database, left) != "0" {}
        let undone = store.commit(&batch(0));
        assert!(matches!(undone, Err(StoreFault::Away(_))), "{undone:?}");
    }
    assert_eq!(store.begin(&logs).unwrap()[&log()], 0, "nothing of them was kept");
    store.commit(&batch(0)).unwrap();
    assert_eq!(store.begin(&logs).unwrap()[&log()], 1);
    let patience = [1, 2, 4, 6, 6, 6, 1].map(|times| times * IDLE_TIMEOUT_MS);
    assert_eq!(MOST_IDLE_MS, 6 * IDLE_TIMEOUT_MS);
    assert_eq!(allowed(&server), patience);
}
