//! PURE file. Which gateways are silent, and where so many are at once that it is one thing: an outage of a division.

use std::collections::{BTreeMap, BTreeSet};

use super::regime::OutageAt;
use crate::terms::{
    GatewayId,
    place::{CreditCode, Division, Level},
};

/// Nothing of a gateway for so long is silence, in milliseconds: two of its checkpoints. With the delay of its alarm it is
/// told after a quarter of an hour.
pub const SILENT_MS: i64 = 600_000;

/// When a gateway was last heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Which.
    pub gateway: GatewayId,
    /// Where its plant lies.
    pub division: Division,
    /// Whose it is.
    pub enterprise: CreditCode,
    /// When the newest of its logs last grew, Unix milliseconds of our clock.
    pub heard_unix_ms: i64,
}

impl Heard {
    /// Whether it is silent.
    pub fn is_silent(&self, now_unix_ms: i64) -> bool {
        now_unix_ms.saturating_sub(self.heard_unix_ms) >= SILENT_MS
    }
}

/// The widest divisions in which so many gateways are silent, and how many are. `stands` are outages that are told of
/// already: those last until many have come back.
pub fn outages(
    fleet: &[Heard],
    stands: &BTreeSet<Division>,
    at: OutageAt,
    now_unix_ms: i64,
) -> BTreeMap<Division, u32> {
    let mut counts: BTreeMap<Division, (u32, u32)> = BTreeMap::new();
    for heard in fleet {
        for level in Level::ALL {
            let (silent, all) = counts.entry(heard.division.at(level)).or_default();
            *all += 1;
            *silent += u32::from(heard.is_silent(now_unix_ms));
        }
    }
    let mut widest: BTreeMap<Division, u32> = BTreeMap::new();
    // Codes of wider divisions come before those of what lies in them.
    for (division, (silent, all)) in counts {
        let is_outage = at.is_reached(silent, all, stands.contains(&division));
        if is_outage && !covers(&widest, division) {
            widest.insert(division, silent);
        }
    }
    widest
}

/// Whether an outage tells of this division.
pub fn covers(outages: &BTreeMap<Division, u32>, division: Division) -> bool {
    Level::ALL.into_iter().any(|level| outages.contains_key(&division.at(level)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::Regime;

    fn out(fleet: &[Heard], stands: &BTreeSet<Division>, now_unix_ms: i64) -> BTreeMap<Division, u32> {
        outages(fleet, stands, Regime::default().outage, now_unix_ms)
    }

    fn fleet(counties: u32, each: u32) -> Vec<Heard> {
        let enterprise = CreditCode::parse("91350100M000100Y43").unwrap();
        let gateways = (0..counties).flat_map(|county| (0..each).map(move |n| (county, n)));
        gateways
            .map(|(county, n)| Heard {
                gateway: GatewayId::new(&format!("gw-{county}-{n}")).unwrap(),
                division: Division::parse(&format!("13{:02}{:02}", 1 + county / 10, 1 + county % 10))
                    .unwrap(),
                enterprise,
                heard_unix_ms: 0,
            })
            .collect()
    }

    fn places(found: &BTreeMap<Division, u32>) -> Vec<(String, u32)> {
        found.iter().map(|(division, silent)| (division.to_string(), *silent)).collect()
    }

    #[test]
    fn a_province_that_falls_silent_is_one_outage_and_not_one_of_each_county() {
        let fleet = fleet(100, 100);
        let found = out(&fleet, &BTreeSet::new(), SILENT_MS);
        assert_eq!(places(&found), [("130000".to_owned(), 10_000)]);
        assert!(fleet.iter().all(|heard| covers(&found, heard.division)));
        assert!(out(&fleet, &BTreeSet::new(), SILENT_MS - 1).is_empty());
    }

    #[test]
    fn a_county_is_no_province_and_a_few_gateways_are_no_county() {
        let mut fleet = fleet(20, 20);
        for heard in &mut fleet {
            let is_there = heard.division != Division::parse("130203").unwrap();
            heard.heard_unix_ms = if is_there { SILENT_MS } else { 0 };
        }
        let found = out(&fleet, &BTreeSet::new(), SILENT_MS);
        assert_eq!(places(&found), [("130203".to_owned(), 20)]);
        let few: Vec<Heard> =
            fleet.iter().filter(|heard| heard.heard_unix_ms == 0).take(7).copied().collect();
        assert!(out(&few, &BTreeSet::new(), SILENT_MS).is_empty());
    }

    #[test]
    fn an_outage_that_is_told_of_lasts_until_three_quarters_are_back() {
        let mut fleet = fleet(1, 40);
        let county = fleet[0].division;
        let stands = BTreeSet::from([county.at(Level::Province)]);
        for (back, lasts) in [(20, true), (29, true), (30, true), (31, false)] {
            for (n, heard) in fleet.iter_mut().enumerate() {
                heard.heard_unix_ms = if n < back { SILENT_MS } else { 0 };
            }
            let found = out(&fleet, &stands, SILENT_MS);
            assert_eq!(found.contains_key(&county.at(Level::Province)), lasts, "{back} are back");
        }
    }
}
