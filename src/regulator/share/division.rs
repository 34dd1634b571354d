//! PURE file: who takes which divisions where the broker does not share.
//!
//! The two digits of one level of the division code make a hundred parts; each part has an order of precedence over all
//! workers, and the first who is there takes it. So whoever is there always finds somebody for every part: a worker counts
//! itself, and a part that two of them take is only kept once.

use std::collections::BTreeSet;

use crate::{
    evidence::topic::{RECORDS, ROOT},
    terms::place::Level,
};

/// Parts that the work is divided into.
pub const PARTS: u8 = 100;

/// Filters that one member asks an old broker for at most; whoever takes more parts hears everything by one filter instead.
/// nats-server grants a client 63 as it comes, and what comes to two members is only kept once.
pub const MOST_FILTERS: usize = 50;

/// Who takes a part, of `workers` that are numbered from 1 and of whom these are there; nobody only if nobody is.
pub fn taker(part: u8, workers: u8, there: &BTreeSet<u8>) -> Option<u8> {
    precedence(part, workers).find(|worker| there.contains(worker))
}

/// Workers in the order in which they are to take a part. Neighbouring parts of one worker go to different ones after it,
/// so that all of them share its work when it is gone.
fn precedence(part: u8, workers: u8) -> impl Iterator<Item = u8> {
    let workers = workers.max(1);
    let (first, others) = (part % workers, workers - 1);
    let turned = (part / workers).checked_rem(others).unwrap_or(0);
    let other = move |n: u8| (first + 1 + (turned + n) % others.max(1)) % workers + 1;
    std::iter::once(first + 1).chain((0..others).map(other))
}

/// What to subscribe to for these parts. Where canaries fly (`tried`) nobody hears everything: that filter is theirs, too.
pub fn filters(parts: &[u8], by: Level, tried: bool) -> BTreeSet<String> {
    if parts.len() > MOST_FILTERS && !tried {
        return BTreeSet::from([RECORDS.to_owned()]);
    }
    parts.iter().map(|part| filter(*part, by)).collect()
}

/// The records of a part.
fn filter(part: u8, by: Level) -> String {
    let level = |level: Level| if level == by { format!("{part:02}") } else { "+".to_owned() };
    let levels = Level::ALL.map(level).join("/");
    format!("{ROOT}/{levels}/+/+/_/attest")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        evidence::{Kind, Topic, share::MAX_WORKERS},
        terms::{
            GatewayId,
            place::{CreditCode, Division},
        },
    };

    fn matches(filter: &str, topic: &str) -> bool {
        let (parts, levels): (Vec<&str>, Vec<&str>) =
            (filter.split('/').collect(), topic.split('/').collect());
        parts.len() == levels.len()
            && parts.iter().zip(levels).all(|(part, level)| *part == "+" || *part == level)
    }

    #[test]
    fn every_division_is_heard_by_exactly_one_filter() {
        for by in Level::ALL {
            let filters: Vec<String> = (0..PARTS).map(|part| filter(part, by)).collect();
            for code in (0..1_000_000_u32).step_by(37) {
                let division = Division::parse(&format!("{code:06}")).unwrap();
                let topic = Topic {
                    division,
                    enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
                    gateway: GatewayId::new("gw-1").unwrap(),
                    asset: None,
                    kind: Kind::Attest,
                };
                let topic = topic.to_string();
                assert_eq!(filters.iter().filter(|filter| matches(filter, &topic)).count(), 1, "{topic}");
            }
        }
    }

    #[test]
    fn more_parts_than_a_broker_may_grant_are_heard_by_one_filter() {
        let parts: Vec<u8> = (0..PARTS).collect();
        let half = filters(&parts[..MOST_FILTERS], Level::City, false);
        assert_eq!(half.len(), MOST_FILTERS);
        assert!(half.contains("coldhearth/v1/+/07/+/+/+/_/attest"));
        assert_eq!(
            filters(&parts[..=MOST_FILTERS], Level::City, false),
            BTreeSet::from([RECORDS.to_owned()])
        );
        assert_eq!(filters(&parts, Level::City, true).len(), parts.len());
    }

    /// A group, who of it lives, and whom of these each of them believes to be there, itself always.
    fn groups() -> impl Strategy<Value = (u8, BTreeSet<u8>, Vec<BTreeSet<u8>>)> {
        (1..=MAX_WORKERS).prop_flat_map(|workers| {
            let all = usize::from(workers);
            let living = prop::sample::subsequence((1..=workers).collect::<Vec<_>>(), 1..=all);
            living.prop_flat_map(move |living| {
                let views = living.iter().map(|me| {
                    let me = *me;
                    let view = prop::sample::subsequence(living.clone(), 0..=living.len());
                    view.prop_map(move |view| view.into_iter().chain([me]).collect::<BTreeSet<u8>>())
                });
                (Just(workers), Just(living.iter().copied().collect()), views.collect::<Vec<_>>())
            })
        })
    }

    proptest! {
        #[test]
        fn no_part_is_left_alone_whoever_believes_whom_to_be_gone((workers, living, views) in groups()) {
            for part in 0..PARTS {
                // As long as nobody takes a dead one for living, somebody takes each part, and all agree where all see all.
                let takers = living.iter().zip(&views).filter(|(me, view)| taker(part, workers, view) == Some(**me));
                prop_assert!(takers.count() >= 1, "part {part}");
                let agreed = living.iter().filter(|me| taker(part, workers, &living) == Some(**me));
                prop_assert_eq!(agreed.count(), 1, "part {}", part);
            }
        }

        #[test]
        fn everybody_has_a_fair_share_before_and_after_a_death(workers in 2..=MAX_WORKERS, dead in 1..=MAX_WORKERS) {
            let all: BTreeSet<u8> = (1..=workers).collect();
            prop_assume!(all.contains(&dead));
            let left: BTreeSet<u8> = all.iter().copied().filter(|worker| *worker != dead).collect();
            for there in [&all, &left] {
                let most = PARTS.div_ceil(workers) + PARTS.div_ceil(workers).div_ceil(workers - 1) + 1;
                for worker in there {
                    let taken = (0..PARTS).filter(|part| taker(*part, workers, there) == Some(*worker)).count();
                    prop_assert!(taken <= usize::from(most), "{worker} of {there:?} takes {taken}");
                }
            }
        }

        #[test]
        fn an_order_of_precedence_names_everybody_once(part in 0..PARTS, workers in 1..=MAX_WORKERS) {
            let order: Vec<u8> = precedence(part, workers).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (1..=workers).collect::<Vec<_>>(), "{:?}", order);
        }
    }
}
