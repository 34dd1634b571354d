//! An exhaustive bounded model check of what must never happen: an honest gateway accused, a receipted record replaced
//! unseen. Every order of saying, committing, publishing, delivering, dying, starting and restoring, up to a bound, over
//! the real chain, scribe, journal seam and head; only disk, network and adversary are played.
//!
//! | variant | what is wrong with it | must hold |
//! |---|---|---|
//! | A | publishes before it commits, reserves nothing: our own order, broken on purpose | false forks are found: this check can fail |
//! | B | nothing | never accused, nothing receipted is ever skipped, order and repetition change nothing |
//! | C | the disk lies about what it kept, the reservation included | false forks are found: why places are reserved |
//! | D | the disk lies, but the reservation had reached the platter | never accused, order and repetition change nothing |
//! | E | nothing, but the adversary puts an earlier journal in the place of the present one | what was receipted and is replaced shows: as a fork, as a lapsed key, as a loss, or to the gateway itself before it publishes |
//!
//! `COLDHEARTH_MODEL=deep` looks further, as `tests/all` does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one tells what it counted"
)]

mod explorer;
mod paper;
mod world;

use coldhearth::evidence::{Journal, journal::Cursor, scribe::RESERVE};
use explorer::Explorer;
use paper::{Image, Variant, at, beat, genesis};
use world::Left;

fn is_deep() -> bool {
    std::env::var("COLDHEARTH_MODEL").is_ok_and(|model| model == "deep")
}

/// The bound of the usual run, or one more of everything that may be said, and an end more.
fn bound(usual: Left, deep: Left) -> Left {
    if is_deep() { deep } else { usual }
}

const NOTHING: Left = Left { says: 0, ends: 0, flushes: 0, receipts: 0, rotations: 0, restores: 0 };

#[test]
fn variant_a_publishing_before_it_is_durable_accuses_the_honest() {
    let usual = Left { says: 2, ends: 2, flushes: 1, receipts: 1, ..NOTHING };
    let explorer = Explorer::new(Variant::PublishesFirst);
    let found = explorer.explore(bound(usual, Left { says: 3, ..usual }));
    assert!(found.accused > 0, "this check cannot fail, and so proves nothing");
    println!("shortest: {:#?}", explorer.shortest.borrow());
}

#[test]
fn variant_b_an_honest_gateway_is_never_accused() {
    let usual = Left { says: 2, ends: 1, receipts: 1, rotations: 1, ..NOTHING };
    let found = Explorer::new(Variant::Honest).explore(bound(usual, Left { ends: 2, receipts: 2, ..usual }));
    assert_eq!((found.accused, found.losses, found.replaced), (0, 0, 0));
    assert!(found.states > 1_000 && found.audits > 10);
}

#[test]
fn variant_c_without_a_reservation_that_is_kept_a_lying_disk_accuses_the_honest() {
    let usual = Left { says: 2, ends: 2, flushes: 1, receipts: 1, ..NOTHING };
    let explorer = Explorer::new(Variant::DiskLies);
    let found = explorer.explore(bound(usual, Left { says: 3, ..usual }));
    assert!(found.accused > 0);
}

#[test]
fn variant_d_with_places_reserved_a_lying_disk_accuses_nobody() {
    let usual = Left { says: 2, ends: 2, flushes: 1, receipts: 1, ..NOTHING };
    let explorer = Explorer::new(Variant::OnlyReservationsReachThePlatter);
    let found = explorer.explore(bound(usual, Left { says: 3, ..usual }));
    assert_eq!((found.accused, found.replaced), (0, 0));
    assert!(found.losses > 0 && found.noticed_by_the_gateway > 0, "what a disk lost is told: {found:?}");
}

#[test]
fn variant_e_a_receipted_record_is_never_replaced_unseen() {
    let usual = Left { says: 2, ends: 1, receipts: 1, restores: 1, ..NOTHING };
    let deep = Left { ends: 2, rotations: 1, ..usual };
    let found = Explorer::new(Variant::ImageRestored).explore(bound(usual, deep));
    assert_eq!(found.accused, 0, "nobody is accused before the restore");
    assert!(found.replaced > 0 && found.losses > 0 && found.noticed_by_the_gateway > 0, "{found:?}");
    assert!(found.unseen > 0, "what nobody received can be replaced: that is the limit");
    // The same across a change of keys, which the restored image does not know of.
    let rotated = Left { says: 1, rotations: 1, ..usual };
    let found = Explorer::new(Variant::ImageRestored).explore(rotated);
    assert_eq!(found.accused, 0);
    assert!(found.replaced > 0 && found.noticed_by_the_gateway > 0, "{found:?}");
}

/// The model says too little to use up a reservation; here one is used up twice, and the power goes after each commit.
#[test]
fn no_place_is_used_twice_however_far_a_reservation_is_used_up() {
    let explorer = Explorer::new(Variant::OnlyReservationsReachThePlatter);
    for group in [1, 99, RESERVE / 2 - 1, RESERVE / 2, RESERVE - 1, RESERVE, RESERVE + 1, 2 * RESERVE] {
        let (mut scribe, image) = explorer.scribe(&Image::default(), 0);
        scribe.write(at(0), genesis());
        scribe.commit().unwrap();
        let flushed = image.lock().unwrap().clone();
        let mut tick = 0;
        while scribe.chain().next_seq() < 2 * RESERVE + 10 {
            for _ in 0..group {
                tick += 1;
                scribe.write(at(tick), beat());
            }
            // The reservation that the platter has is the one made before this commit, at the latest within it.
            let reserved = image.lock().unwrap().cursors[&Cursor::Reserved];
            let places = scribe.commit().unwrap();
            let now = image.lock().unwrap().cursors[&Cursor::Reserved];
            assert!(
                places <= now && (places <= reserved || group > RESERVE / 2),
                "{group}: {places} {reserved} {now}"
            );
            let mut left = flushed.clone();
            left.cursors.insert(Cursor::Reserved, now);
            left.journal.set_cursor(Cursor::Reserved, now).unwrap();
            left.journal.commit().unwrap();
            let (again, _) = explorer.scribe(&left, tick);
            assert!(
                again.chain().next_seq() > places,
                "{group}: a place before {places} would be used again"
            );
        }
    }
}
