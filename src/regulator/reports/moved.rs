//! When equipment stood where: a journal that begins at another place has moved what it tells of, and from then on no word of it
//! is due at the place before.

use std::collections::BTreeMap;

use super::{Equipment, Scope, Surveyed};
use crate::{
    regulator::{
        due::due_ms,
        store::{Answered, Kept, Store},
    },
    terms::{
        AssetId,
        place::{CreditCode, Division},
    },
};

/// A time, Unix milliseconds: from its beginning, until its end.
pub(super) type Time = (i64, i64);

/// Where its plant lies, and whose it is.
type Place = (Division, CreditCode);

/// Adds since when and until when equipment stood elsewhere; `logs` are those of one gateway. Of a gateway that has always named
/// one place nothing is read.
///
/// # Errors
/// The store cannot be read.
pub(super) fn settle(store: &mut dyn Store, logs: &[Kept], surveyed: &mut Surveyed) -> Answered<()> {
    let place = |kept: &Kept| (kept.division, kept.enterprise);
    let Some((first, others)) = logs.split_first() else { return Ok(()) };
    if others.iter().all(|kept| place(kept) == place(first)) {
        return Ok(());
    }
    let mut stays: BTreeMap<AssetId, Vec<(i64, Place)>> = BTreeMap::new();
    for kept in logs {
        let log = (kept.gateway, kept.log);
        let Some((_, genesis)) = store.records_from(log, 0, 1)?.into_iter().next() else { continue };
        for asset in store.judged(log)? {
            stays.entry(asset).or_default().push((genesis.moment_unix_ms(), place(kept)));
        }
    }
    for (asset, mut stays) in stays {
        stays.sort_by_key(|(began_unix_ms, _)| *began_unix_ms);
        for (division, enterprise) in stays.iter().map(|(_, place)| *place) {
            if let Some(one) = surveyed.get_mut(&(first.gateway, asset, division, enterprise)) {
                let is_here: Vec<(i64, bool)> =
                    stays.iter().map(|(began, place)| (*began, *place == (division, enterprise))).collect();
                one.stood(&is_here);
            }
        }
    }
    Ok(())
}

/// Of journals in the order in which they began, each with whether it began here: the times at which it stood elsewhere after it
/// had stood here, and when it came, where it stood elsewhere before.
fn away(is_here: &[(i64, bool)]) -> (Vec<Time>, Option<i64>) {
    let came = is_here.iter().position(|(_, is_here)| *is_here).unwrap_or(is_here.len());
    let (mut away, mut left) = (Vec::new(), None);
    for (began, is_here) in is_here.iter().skip(came) {
        match (is_here, left) {
            (false, None) => left = Some(*began),
            (true, Some(since)) => {
                away.push((since, *began));
                left = None;
            }
            (true, None) | (false, Some(_)) => {}
        }
    }
    away.extend(left.map(|since| (since, i64::MAX)));
    let arrived = is_here.get(came).filter(|_| came > 0).map(|(began, _)| *began);
    (away, arrived)
}

impl Equipment {
    /// The time it should have been told of here, in milliseconds, to its demolition where that counts. None where nothing was
    /// ever said of it: nobody knows since when it was there.
    pub fn due_ms(&self, scope: &Scope) -> Option<i64> {
        let (from, to) = (scope.from.starts_unix_ms(), scope.to.starts_unix_ms());
        let to = self.gone().map_or(to, |closed| to.min(closed.at_unix_ms));
        let witnessed = self.witnessed_from_unix_ms?;
        let whole_ms = due_ms(witnessed, (from, to), scope.made_unix_ms);
        let elsewhere = self
            .away
            .iter()
            .map(|(left, back)| due_ms(witnessed.max(*left), (from, to.min(*back)), scope.made_unix_ms));
        Some(elsewhere.fold(whole_ms, i64::saturating_sub).max(0))
    }

    /// Where it stood when, by journals in the order in which they began, each with whether it began here.
    fn stood(&mut self, is_here: &[(i64, bool)]) {
        let (away, came) = away(is_here);
        self.away = away;
        if let Some(came) = came {
            self.witnessed_from_unix_ms = self.witnessed_from_unix_ms.map(|known| known.min(came));
        }
    }

    /// Whether it stands elsewhere when the time ends, as its gateway says.
    pub fn has_left(&self, scope: &Scope) -> bool {
        let end = scope.to.starts_unix_ms().min(scope.made_unix_ms);
        self.away.iter().any(|(left, back)| *left < end && end <= *back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_moves_is_away_until_he_is_back_and_has_come_where_he_was_not_before() {
        assert_eq!(away(&[(5, true), (9, true)]), (vec![], None));
        assert_eq!(away(&[(5, true), (9, false)]), (vec![(9, i64::MAX)], None));
        assert_eq!(away(&[(5, true), (9, false), (11, false), (20, true)]), (vec![(9, 20)], None));
        assert_eq!(away(&[(5, false), (9, true)]), (vec![], Some(9)));
        assert_eq!(away(&[(5, false), (9, true), (12, false)]), (vec![(12, i64::MAX)], Some(9)));
        assert_eq!(away(&[]), (vec![], None));
    }
}
