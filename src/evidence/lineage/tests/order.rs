//! What is found does not depend on what arrives first, nor on how often a thing is said.

use std::collections::BTreeMap;

use super::*;
use crate::evidence::lineage::{ClashId, to_be_kept};

/// What a store that is told these one after the other comes to, as the regulator's does it.
fn told_in_order(all: &[Located]) -> BTreeSet<ClashId> {
    let mut kept: BTreeMap<MentionId, Located> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for Located { mention, place } in all {
        let last = mention.says.has_last().then(|| Mention { end: End::Last, ..mention.clone() });
        let ends: Vec<Mention> = [mention.clone()].into_iter().chain(last).collect();
        let known = kept.iter().map(|(id, at)| (*id, at.mention.seq)).collect();
        let new: Vec<Located> =
            to_be_kept(ends, &known).into_iter().map(|mention| Located { mention, place: *place }).collect();
        let near: Vec<Located> = kept.values().cloned().collect();
        found.extend(clashes(&new, &near).iter().map(|clash| clash.id));
        kept.extend(new.into_iter().map(|new| (new.mention.id(), new)));
    }
    found
}

#[test]
fn what_is_said_again_after_it_was_contradicted_is_found() {
    let says = |seq, says| in_place(1, at("gw-1", "kiln-1", seq, says));
    let overdue = || drew(Some(Phase::Overdue));
    // It drew, was closed, and draws again.
    assert_eq!(told_in_order(&[says(1, overdue()), says(2, CLOSED), says(3, overdue())]).len(), 1);
    assert_eq!(told_in_order(&[says(3, overdue()), says(1, overdue()), says(2, CLOSED)]).len(), 1);
    assert_eq!(told_in_order(&[says(1, overdue()), says(2, overdue()), says(3, CLOSED)]).len(), 0);
    // A rating that was edited back.
    let free = || plate(PlateSource::Read, Class::OutOfScope, 40);
    let bound = || plate(PlateSource::Read, Class::InScope, 25);
    assert_eq!(told_in_order(&[says(1, free()), says(2, bound()), says(3, free())]).len(), 1);
    // A meter that left with a paper, came back without one, and speaks elsewhere.
    let left = || Says::MeterLeft { key: "model UMG604 47001234".into(), maker: "JANITZA".into() };
    let there = in_place(2, at("gw-2", "m9", 20, meter("JANITZA")));
    let once = [says(1, meter("JANITZA")), says(2, left()), there.clone()];
    assert_eq!(told_in_order(&once).len(), 0);
    let back = [says(1, meter("JANITZA")), says(2, left()), says(3, meter("JANITZA")), there];
    assert_eq!(told_in_order(&back).len(), 1);
}

proptest! {
    /// Papers aside, which excuse what came before them: a finding is not taken back when one arrives late.
    #[test]
    fn the_same_is_found_whatever_arrives_first(
        all in prop::collection::vec(any_located(), 0..14),
        keys in prop::collection::vec(any::<u32>(), 14),
    ) {
        // One place of a log is one record, and one log is at one place.
        let mut spots = BTreeSet::new();
        let mut places = BTreeMap::new();
        let all: Vec<Located> = all
            .into_iter()
            .filter(|at| !matches!(at.mention.says, Says::MeterLeft { .. }))
            .filter(|at| spots.insert((at.mention.gateway, at.mention.log, at.mention.seq)))
            .map(|at| {
                let place = *places.entry((at.mention.gateway, at.mention.log)).or_insert(at.place);
                Located { place, ..at }
            })
            .collect();
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|at| keys[*at]);
        let shuffled: Vec<Located> = order.iter().map(|at| all[*at].clone()).collect();
        let at_once: BTreeSet<ClashId> = clashes(&all, &[]).iter().map(|clash| clash.id).collect();
        prop_assert_eq!(told_in_order(&all), at_once.clone());
        prop_assert_eq!(told_in_order(&shuffled), at_once);
    }
}
