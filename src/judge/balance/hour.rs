//! What one meter of a group counted from hour to hour.

use super::group::Side;
use crate::{
    judge::{commission::Commissioned, memory::Mark},
    metering::{Quantity, Reading},
    terms::{AssetId, MeterId, MilliWatts, Stamp, WattHours},
};

/// Balances are told for every hour of UTC, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// A meter's registers and power at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When they were read.
    pub at: Stamp,
    /// Import less export, where the meter tells both.
    pub energy: WattHours,
    /// The smallest advance the register shows.
    pub step: WattHours,
    /// Active power.
    pub power: MilliWatts,
}

impl Point {
    /// What a reading shows, its register as accepted.
    pub fn of(reading: &Reading, mark: &Mark) -> Point {
        let export = reading.register(Quantity::Export).map_or(0, |export| export.energy.0);
        Point {
            at: mark.at,
            energy: WattHours(mark.register.energy.0.saturating_sub(export)),
            step: mark.register.step,
            power: reading.power().unwrap_or_default(),
        }
    }
}

/// A meter of a group.
#[derive(Clone, Debug)]
pub struct Member {
    pub(super) meter: MeterId,
    pub(super) side: Side,
    pub(super) serves: Box<[AssetId]>,
    /// What it and its transformers may err together, in parts per million.
    pub(super) error_ppm: i64,
    /// What the group was last told up to, and the first reading of the present hour.
    from: Option<Point>,
    to: Option<Point>,
    /// The least and the most power since then.
    powers: Option<(MilliWatts, MilliWatts)>,
}

impl Member {
    pub(super) fn of(side: Side, terms: &Commissioned) -> Member {
        let serves = terms.serves.clone();
        Member {
            meter: terms.meter,
            side,
            serves,
            error_ppm: terms.error_ppm(),
            from: None,
            to: None,
            powers: None,
        }
    }

    /// The first point of an hour is its beginning, and the end of the hour before.
    pub(super) fn on_point(&mut self, point: Point) {
        if self.to.is_none_or(|to| hour_of(&point) != hour_of(&to)) {
            self.to = Some(point);
        }
        self.from.get_or_insert(point);
        let (least, most) = self.powers.unwrap_or((point.power, point.power));
        self.powers = Some((least.min(point.power), most.max(point.power)));
    }

    pub(super) fn forget(&mut self) {
        (self.from, self.to, self.powers) = (None, None, None);
    }

    /// By how much its power changed.
    pub(super) fn change(&self) -> MilliWatts {
        self.powers.map_or(MilliWatts(0), |(least, most)| MilliWatts(most.0.saturating_sub(least.0)))
    }

    /// Whether it was read in this hour.
    pub(super) fn has_told(&self, hour: i64) -> bool {
        self.to.is_some_and(|to| hour_of(&to) == hour)
    }

    /// From here on the next balance is counted.
    pub(super) fn begin_at(&mut self, hour: i64) {
        if self.has_told(hour) {
            (self.from, self.powers) = (self.to, None);
        }
    }

    /// What it counted up to this hour: both points.
    pub(super) fn counted(&self, hour: i64) -> Option<(Point, Point)> {
        self.has_told(hour).then_some((self.from?, self.to?))
    }
}

fn hour_of(point: &Point) -> i64 {
    point.at.wall_unix_ms.div_euclid(HOUR_MS)
}
