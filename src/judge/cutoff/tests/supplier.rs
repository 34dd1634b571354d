//! An order that names the supplier's key: the second witness is a second party, or there is none.

use super::tale::{AUTHORITY, Entry, HOUR_MS, SUPPLIER, Tale, holds, order, point};
use crate::{
    judge::cutoff::{Carrier, Deed, Impossible, Lack, Order, OrderAct, Rung, Unfit, reading::Switch},
    terms::KeyId,
};

fn named() -> Order {
    Order { supplier: Some(SUPPLIER), ..order(holds(), vec![point(Carrier::Own)]) }
}

fn held() -> Tale {
    let mut tale = Tale::new(named());
    tale.claim().dead_for(7 * HOUR_MS);
    tale
}

#[test]
fn only_the_suppliers_own_signature_carries_a_cut_to_verified() {
    let mut tale = held();
    let now = tale.now.wall_unix_ms;
    for stranger in [AUTHORITY, KeyId([1; 8])] {
        let reading = tale.told_of("m1", (now - 7 * HOUR_MS, now), 0, Switch::Open);
        assert_eq!(tale.signed_by(stranger).act(Deed::Reading(reading)), Err(Unfit::NotTheSupplier));
    }
    assert_eq!(tale.stand().hold.unwrap().is_verified(&holds(), 1), Err(Lack::Utility));
    tale.signed_by(SUPPLIER).reading(7, 0, Switch::Open);
    assert_eq!((tale.rung(), tale.replayed_anew()), (Rung::Verified, Ok(Rung::Verified)));
}

#[test]
fn a_replayer_refuses_a_log_in_which_another_key_read_the_suppliers_meter() {
    let mut tale = held();
    tale.signed_by(SUPPLIER).reading(7, 0, Switch::Open);
    for (_, entry) in &mut tale.log {
        if let Entry::Act(act @ OrderAct { deed: Deed::Reading(_), .. }) = entry {
            act.key = AUTHORITY;
        }
    }
    assert_eq!(tale.replayed_anew(), Err(Impossible::NotTheSupplier));
}

#[test]
fn what_was_read_before_the_supplier_was_named_bears_out_nothing_after() {
    let mut tale = Tale::new(order(holds(), vec![point(Carrier::Own)]));
    tale.claim().dead_for(7 * HOUR_MS).reading(7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified);
    tale.act(Deed::Order(Order { version: 2, ..named() })).unwrap();
    assert_eq!((tale.rung(), tale.stand().hold), (Rung::CutClaimed, None));
    tale.dead_for(7 * HOUR_MS);
    assert_eq!(tale.rung(), Rung::Provisional);
    tale.signed_by(SUPPLIER).reading(7, 0, Switch::Open);
    assert_eq!(tale.rung(), Rung::Verified);
}
