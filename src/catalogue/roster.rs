//! The roster (III of the notice): which equipment of an enterprise is to be eliminated, under which entry, by which day,
//! by whose order. The authority signs one for each gateway; the newest version is in force.

use super::standing::{Citation, Rostered};
use crate::terms::{AssetId, LegalDay, place::CreditCode};

/// Most pieces of equipment one roster lists; a gateway has room for no more in one act.
pub const MAX_LISTED: usize = 256;

/// One piece of equipment on a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub asset: AssetId,
    /// The entry of the catalogue it is listed under.
    pub entry: Citation,
    /// Its last lawful day.
    pub deadline: LegalDay,
}

/// The part of the roster that concerns one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// Counts from 1; a later version replaces an earlier one.
    pub version: u32,
    /// Whose equipment.
    pub enterprise: CreditCode,
    /// The order it rests on, as it is cited.
    pub order: String,
    listed: Box<[Listed]>,
}

impl Roster {
    /// A roster; `None` if it lists a piece of equipment twice, or more than [`MAX_LISTED`].
    pub fn new(
        version: u32,
        enterprise: CreditCode,
        order: String,
        mut listed: Vec<Listed>,
    ) -> Option<Roster> {
        listed.sort_unstable_by_key(|line| line.asset);
        let twice = listed
            .windows(2)
            .any(|pair| pair.first().map(|line| line.asset) == pair.get(1).map(|line| line.asset));
        (!twice && listed.len() <= MAX_LISTED).then(|| Roster {
            version,
            enterprise,
            order,
            listed: listed.into_boxed_slice(),
        })
    }

    /// What it lists, by ascending name.
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// What it says of a piece of equipment.
    pub fn on(&self, asset: AssetId) -> Rostered {
        let found = self.listed.binary_search_by_key(&asset, |line| line.asset).ok();
        found.and_then(|at| self.listed.get(at)).map_or(Rostered::Absent, |line| Rostered::By(line.deadline))
    }

    /// The newer of two; the first where their versions are the same.
    #[must_use]
    pub fn newer(self, other: Roster) -> Roster {
        if other.version > self.version { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(asset: &str, day: &str) -> Listed {
        Listed {
            asset: AssetId::new(asset).unwrap(),
            entry: Citation::new("steel-electric-furnace-up-to-30t").unwrap(),
            deadline: LegalDay::parse(day).unwrap(),
        }
    }

    fn roster(version: u32, lines: Vec<Listed>) -> Option<Roster> {
        Roster::new(
            version,
            CreditCode::parse("91350100M000100Y43").unwrap(),
            "冀工信〔2011〕12号".into(),
            lines,
        )
    }

    #[test]
    fn a_roster_says_the_day_of_what_it_lists_and_lists_nothing_twice() {
        let lines = vec![line("kiln-1", "2012-12-31"), line("eaf-2", "2011-06-30")];
        let listed = roster(1, lines).unwrap();
        let on = |asset| listed.on(AssetId::new(asset).unwrap());
        assert_eq!(on("eaf-2"), Rostered::By(LegalDay::parse("2011-06-30").unwrap()));
        assert_eq!(on("kiln-1").day(), LegalDay::parse("2012-12-31"));
        assert_eq!(on("mill-1"), Rostered::Absent);
        assert_eq!(roster(1, vec![line("eaf-2", "2011-06-30"), line("eaf-2", "2011-12-31")]), None);
        let many = |n: usize| (0..n).map(|n| line(&format!("e{n}"), "2011-12-31")).collect();
        assert!(roster(1, many(MAX_LISTED)).is_some() && roster(1, many(MAX_LISTED + 1)).is_none());
    }

    proptest! {
        #[test]
        fn an_older_version_never_wins_in_whatever_order_they_come(versions in proptest::collection::vec(1..50_u32, 1..20)) {
            let rosters = versions.iter().map(|version| roster(*version, Vec::new()).unwrap());
            let in_force = rosters.reduce(Roster::newer).unwrap();
            prop_assert_eq!(Some(&in_force.version), versions.iter().max());
        }
    }
}
