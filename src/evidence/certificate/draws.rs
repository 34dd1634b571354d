//! When a log says that meters showed power, whatever orders it knows: it speaks against a hold that another log of the
//! gateway tells.

use std::collections::BTreeMap;

use super::super::{body::Body, record::Record};
use crate::{
    judge::{Finding, StateFinding, cutoff::Order, state::State},
    terms::{AssetId, ClockQuality, MeterId, Stamp},
};

/// Two stretches of power with less between them are told as one, in milliseconds: no hold fits in there.
const APART_MS: i64 = 3_600_000;
/// Stretches remembered of one meter; beyond that the last takes in what follows.
const MAX_STRETCHES: usize = 10_000;

/// Power of each meter.
#[derive(Clone, Debug, Default)]
pub(super) struct Draws(BTreeMap<MeterId, Drawn>);

#[derive(Clone, Debug)]
struct Drawn {
    asset: AssetId,
    /// From when to when, Unix milliseconds, in their order.
    stretches: Vec<(i64, i64)>,
    /// The last of them goes on, or did when the log ended.
    is_on: bool,
}

impl Draws {
    /// Takes the next record of the log. A clock that is not set dates no power.
    pub(super) fn on(&mut self, record: &Record) {
        let at = &record.header.at;
        if let Body::Finding(Finding::State(told)) = &record.body
            && at.clock != ClockQuality::Unset
        {
            self.on_state(at, told);
        }
    }

    fn on_state(&mut self, at: &Stamp, told: &StateFinding) {
        let is_power = match told.state {
            State::Drawing | State::Exporting => true,
            State::Masked(_) | State::Unknown(_) | State::Auxiliary | State::Energised | State::Dead => false,
        };
        if !is_power && !self.0.contains_key(&told.meter) {
            return;
        }
        let anew = || Drawn { asset: told.asset, stretches: Vec::new(), is_on: false };
        let known = self.0.entry(told.meter).or_insert_with(anew);
        known.asset = told.asset;
        known.add(is_power, (told.since.wall_unix_ms.min(at.wall_unix_ms), at.wall_unix_ms));
    }

    /// Whether a meter of the order, or one of its equipment, showed power in a time, Unix milliseconds.
    pub(super) fn are_in(&self, order: &Order, (from, to): (i64, i64)) -> bool {
        let is_its = |(meter, known): &(&MeterId, &Drawn)| {
            known.asset == order.asset || order.points.iter().any(|point| point.meter == **meter)
        };
        let is_in = |(begins, ends): &(i64, i64)| *begins < to && *ends > from;
        self.0.iter().filter(is_its).any(|(_, known)| known.stretches.iter().any(is_in))
    }
}

impl Drawn {
    fn add(&mut self, is_power: bool, (since, at): (i64, i64)) {
        let is_full = self.stretches.len() >= MAX_STRETCHES;
        let was_on = std::mem::replace(&mut self.is_on, is_power);
        match self.stretches.last_mut() {
            // It went on until the moment of this record at most, and until what this one says at least.
            Some((_, ends)) if was_on => *ends = (*ends).max(if is_power { at } else { since }),
            Some((_, ends)) if is_power && (is_full || since.saturating_sub(*ends) <= APART_MS) => {
                *ends = (*ends).max(at);
            }
            Some(_) | None if is_power => self.stretches.push((since, at)),
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(words: &[(bool, i64, i64)]) -> Vec<(i64, i64)> {
        let mut drawn = Drawn { asset: AssetId::new("eaf-2").unwrap(), stretches: Vec::new(), is_on: false };
        for (is_power, since, at) in words {
            drawn.add(*is_power, (*since, *at));
        }
        drawn.stretches
    }

    #[test]
    fn power_lasts_from_its_beginning_to_its_end_and_no_pause_too_short_for_a_hold_parts_it() {
        assert_eq!(drawn(&[(true, 10, 12), (true, 10, 50), (false, 60, 61)]), [(10, 60)]);
        assert_eq!(drawn(&[(true, 10, 12), (false, 20, 21), (true, 30, 31), (false, 40, 41)]), [(10, 40)]);
        let hours = 2 * APART_MS;
        let apart = drawn(&[
            (true, 10, 12),
            (false, 20, 21),
            (true, hours, hours + 1),
            (false, hours + 5, hours + 6),
        ]);
        assert_eq!(apart, [(10, 20), (hours, hours + 5)]);
        // A log that ends while power is told has told it up to its last word of that.
        assert_eq!(drawn(&[(true, 10, 12)]), [(10, 12)]);
        assert_eq!(drawn(&[(false, 10, 12)]), []);
    }
}
