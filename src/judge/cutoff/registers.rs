//! The registers of an order's meters as a hold last knew them: what no stop of the witness may wipe.

use super::order::MAX_POINTS;
use crate::terms::WattHours;

/// One register, when a proof last rested on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it showed, primary side.
    pub energy: WattHours,
    /// How often the meter itself had been without supply, where it counts that.
    pub power_fails: Option<i64>,
}

/// Those of one point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtPoint {
    /// Of its own meter.
    pub own: Option<Known>,
    /// Of the meter upstream.
    pub upstream: Option<Known>,
}

/// Those of all points, in the order's own order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers([AtPoint; MAX_POINTS]);

impl Registers {
    /// Of one point.
    pub fn of(&self, place: usize) -> AtPoint {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// Each point of which anything is known, by its place.
    pub fn iter(&self) -> impl Iterator<Item = (usize, AtPoint)> {
        let is_known = |at: &AtPoint| at.own.is_some() || at.upstream.is_some();
        self.0.iter().copied().enumerate().filter(move |(_, at)| is_known(at))
    }

    /// What all of them together advanced at least since `before`. Of one that is not known at both ends nothing is known: it adds
    /// nothing to the least, and proves nothing still.
    pub fn risen_since(&self, before: &Registers) -> WattHours {
        let rise = |before: Option<Known>, now: Option<Known>| {
            let rise = before.zip(now).map(|(before, now)| now.energy.0.saturating_sub(before.energy.0));
            rise.unwrap_or(0).max(0)
        };
        let of_point = |(before, now): (&AtPoint, &AtPoint)| {
            rise(before.own, now.own).saturating_add(rise(before.upstream, now.upstream))
        };
        let rises = before.0.iter().zip(&self.0).map(of_point);
        WattHours(rises.fold(0, i64::saturating_add))
    }

    /// Says them of a point. One beyond the most that an order names is nothing.
    pub fn set(&mut self, place: usize, told: AtPoint) {
        if let Some(known) = self.0.get_mut(place) {
            *known = told;
        }
    }
}
