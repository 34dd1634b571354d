//! What is found does not depend on what arrives first, nor on how often a thing is said.

use std::collections::BTreeMap;

use super::*;
use crate::evidence::lineage::{ClashId, to_be_kept};

/// The record of the paper that excuses a finding, if one does.
type Excuse = Option<(GatewayId, LogId, u64)>;

fn excuse_of(clash: &Clash) -> Excuse {
    clash.excuse.as_ref().map(|by| (by.gateway, by.log, by.seq))
}

/// A mention at both of its ends.
fn ends_of(mention: &Mention) -> Vec<Mention> {
    let last = mention.says.has_last().then(|| Mention { end: End::Last, ..mention.clone() });
    [mention.clone()].into_iter().chain(last).collect()
}

/// What a store that is told these one after the other keeps and finds, as the regulator's does it.
fn told(all: &[Located]) -> (BTreeMap<MentionId, Located>, BTreeMap<ClashId, Excuse>) {
    let mut kept: BTreeMap<MentionId, Located> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for Located { mention, place } in all {
        let known = kept.iter().map(|(id, at)| (*id, at.mention.seq)).collect();
        let new = to_be_kept(ends_of(mention), &known).into_iter();
        let new: Vec<Located> = new.map(|mention| Located { mention, place: *place }).collect();
        let near: Vec<Located> = kept.values().cloned().collect();
        found.extend(clashes(&new, &near).iter().map(|clash| (clash.id, excuse_of(clash))));
        kept.extend(new.into_iter().map(|new| (new.mention.id(), new)));
    }
    (kept, found)
}

/// What is found, and no paper excuses.
fn told_in_order(all: &[Located]) -> BTreeSet<ClashId> {
    told(all).1.into_iter().filter(|(_, excuse)| excuse.is_none()).map(|(id, _)| id).collect()
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
    /// Papers that excuse what came before them included, whichever of them arrive late.
    #[test]
    fn the_same_is_found_and_excused_whatever_arrives_first(
        all in prop::collection::vec(any_located(), 0..14),
        keys in prop::collection::vec(any::<u32>(), 14),
    ) {
        // One place of a log is one record, and one log is at one place.
        let mut spots = BTreeSet::new();
        let mut places = BTreeMap::new();
        let all: Vec<Located> = all
            .into_iter()
            .filter(|at| spots.insert((at.mention.gateway, at.mention.log, at.mention.seq)))
            .map(|at| {
                let place = *places.entry((at.mention.gateway, at.mention.log)).or_insert(at.place);
                Located { place, ..at }
            })
            .collect();
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|at| keys[*at]);
        let shuffled: Vec<Located> = order.iter().map(|at| all[*at].clone()).collect();
        let (kept, found) = told(&all);
        prop_assert_eq!(&told(&shuffled), &(kept.clone(), found.clone()));
        let kept: Vec<Located> = kept.into_values().collect();
        let at_once: BTreeMap<ClashId, Excuse> =
            clashes(&kept, &[]).iter().map(|clash| (clash.id, excuse_of(clash))).collect();
        prop_assert_eq!(&found, &at_once, "what is found is what is found in all that is kept");
        let whole: BTreeSet<ClashId> = clashes(&all, &[]).iter().map(|clash| clash.id).collect();
        prop_assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), whole, "and in all that was ever said");
    }
}
