//! What one meter of a group counted from hour to hour.

use super::group::Side;
use crate::{
    judge::{
        beside::BackCount,
        commission::{Commissioned, REGISTER_AGE_MS},
        memory::Mark,
    },
    terms::{AssetId, MeterId, MilliWatts, Stamp, WattHours},
};

/// Balances are told for every hour of UTC, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// A meter's registers and power at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When they were read.
    pub at: Stamp,
    /// The register energy is judged by.
    pub import: WattHours,
    /// What flowed backwards, where the meter told it; a missing one is no zero.
    pub export: Option<BackCount>,
    /// The smallest advance the registers show, together.
    pub step: WattHours,
    /// Active power, where it was read.
    pub power: Option<MilliWatts>,
}

impl Point {
    /// What a reading shows, its registers as accepted.
    pub fn of(import: &Mark, export: Option<BackCount>, power: Option<MilliWatts>) -> Point {
        let step = import.register.step.0.saturating_add(export.map_or(0, |export| export.step.0));
        Point { at: import.at, import: import.register.energy, export, step: WattHours(step), power }
    }
}

/// What was seen of a meter's power since a point.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The least and the most.
    powers: Option<(MilliWatts, MilliWatts)>,
    /// For longer than a register may be old nothing was seen.
    unseen: bool,
}

impl Seen {
    fn on(&mut self, power: Option<MilliWatts>, is_after_gap: bool) {
        self.unseen |= is_after_gap || power.is_none();
        if let Some(power) = power {
            let (least, most) = self.powers.unwrap_or((power, power));
            self.powers = Some((least.min(power), most.max(power)));
        }
    }
}

/// What a meter counted between two of its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Where it begins.
    pub from: Stamp,
    /// Where it ends.
    pub to: Stamp,
    /// What came in less what flowed backwards.
    pub net: WattHours,
    /// Both together: what a class errs of.
    pub gross: WattHours,
    /// The larger step of both ends.
    pub step: WattHours,
}

impl Counted {
    /// How long it lasts, in milliseconds.
    pub(super) fn span_ms(&self) -> i64 {
        self.to.since_ms(&self.from)
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
    /// Below this it may count nothing at all.
    pub(super) floor: MilliWatts,
    /// The most it can pass.
    capacity: MilliWatts,
    /// What the group was last told up to, and the first reading of the present hour.
    from: Option<Point>,
    to: Option<Point>,
    last: Option<Stamp>,
    since_from: Seen,
    since_to: Seen,
}

impl Member {
    pub(super) fn of(side: Side, terms: &Commissioned) -> Member {
        Member {
            meter: terms.meter,
            side,
            serves: terms.serves.clone(),
            error_ppm: terms.error_ppm(),
            floor: terms.floor.power,
            capacity: terms.capacity(),
            from: None,
            to: None,
            last: None,
            since_from: Seen::default(),
            since_to: Seen::default(),
        }
    }

    /// The first point of an hour is its beginning, and the end of the hour before.
    pub(super) fn on_point(&mut self, point: Point) {
        match (self.from.map(|from| from.export), point.export) {
            // What flows backwards was told before and is not now: nothing can be said of this moment.
            (Some(Some(_)), None) => return,
            (Some(None), Some(_)) => self.forget(),
            (Some(Some(before)), Some(now)) if before.count != now.count => self.forget(),
            (None | Some(_), _) => {}
        }
        let is_after_gap = self.last.is_some_and(|last| point.at.since_ms(&last) > REGISTER_AGE_MS);
        self.last = Some(point.at);
        self.since_from.on(point.power, is_after_gap);
        if self.to.is_none_or(|to| hour_of(&point) != hour_of(&to)) {
            (self.to, self.since_to) = (Some(point), Seen::default());
            self.since_to.on(point.power, false);
        } else {
            self.since_to.on(point.power, is_after_gap);
        }
        self.from.get_or_insert(point);
    }

    pub(super) fn forget(&mut self) {
        (self.from, self.to, self.last) = (None, None, None);
        (self.since_from, self.since_to) = (Seen::default(), Seen::default());
    }

    /// By how much its power was seen to change.
    pub(super) fn change(&self) -> MilliWatts {
        self.since_from
            .powers
            .map_or(MilliWatts(0), |(least, most)| MilliWatts(most.0.saturating_sub(least.0)))
    }

    /// By how much its power may have changed, while it was not seen too, `mean` being its mean.
    pub(super) fn possible_change(&self, mean: MilliWatts) -> MilliWatts {
        let (mut least, mut most) = self.since_from.powers.unwrap_or((mean, mean));
        if self.since_from.unseen {
            (least, most) = (least.min(MilliWatts(0)), most.max(self.capacity));
        }
        MilliWatts(most.max(mean).0.saturating_sub(least.min(mean).0))
    }

    /// Whether it was read in this hour.
    pub(super) fn has_told(&self, hour: i64) -> bool {
        self.to.is_some_and(|to| hour_of(&to) == hour)
    }

    /// From here on the next balance is counted.
    pub(super) fn begin_at(&mut self, hour: i64) {
        if self.has_told(hour) {
            (self.from, self.since_from) = (self.to, self.since_to);
        }
    }

    /// What it counted up to this hour.
    pub(super) fn counted(&self, hour: i64) -> Option<Counted> {
        let (from, to) = (self.from?, self.to.filter(|_| self.has_told(hour))?);
        let back = |point: Point| point.export.map_or(0, |export| export.energy.0);
        let import = to.import.0.saturating_sub(from.import.0);
        let export = back(to).saturating_sub(back(from));
        Some(Counted {
            from: from.at,
            to: to.at,
            net: WattHours(import.saturating_sub(export)),
            gross: WattHours(import.saturating_abs().saturating_add(export.saturating_abs())),
            step: from.step.max(to.step),
        })
    }
}

fn hour_of(point: &Point) -> i64 {
    point.at.wall_unix_ms.div_euclid(HOUR_MS)
}
