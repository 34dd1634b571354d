//! One balance: what came in, what went out, what is left over, and what the error would hide.

use super::{
    GRACE_MS,
    group::{Group, Position, Side},
    hour::{Counted, HOUR_MS, Member},
};
use crate::{
    judge::{
        commission::REGISTER_AGE_MS,
        sign::{Figure, Figures, figure::figures},
    },
    terms::{MilliWatts, Name, Stamp, WattHours},
};

/// Shortest span a balance is told over, in milliseconds: an hour less what a first reading may come late.
pub const LEAST_SPAN_MS: i64 = HOUR_MS - 300_000;

worded! {
    /// Why a balance says nothing.
    Doubt {
        /// The coupler to another bus is closed: both are one group.
        CouplerClosed "coupler_closed"
        /// Nobody knows where the coupler stands.
        CouplerUnknown "coupler_unknown"
        /// A meter of the group did not tell.
        MemberSilent "member_silent"
        /// Less than an hour is known of every meter, or not the same one.
        TooShort "too_short"
    }
}

/// What a balance comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Within its error everything is accounted for.
    Agrees,
    /// More is left over, or missing, than the error explains.
    Residual,
    /// It cannot be told.
    Unknown(Doubt),
}

impl Outcome {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Agrees => "agrees",
            Outcome::Residual => "residual",
            Outcome::Unknown(_) => "unknown",
        }
    }

    /// Reads the words of a record.
    pub fn from_word(word: &str, why: Option<Doubt>) -> Option<Outcome> {
        match (word, why) {
            ("agrees", None) => Some(Outcome::Agrees),
            ("residual", None) => Some(Outcome::Residual),
            ("unknown", Some(why)) => Some(Outcome::Unknown(why)),
            (_, Some(_) | None) => None,
        }
    }
}

/// A balance as told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceFinding {
    /// Of which group; the first of several that are merged.
    pub group: Name,
    /// The earliest reading it begins with.
    pub start: Stamp,
    /// The latest reading it ends with, or when it was told where a meter was silent.
    pub end: Stamp,
    /// What it comes to.
    pub outcome: Outcome,
    /// What the incomers counted in the time that all meters cover.
    pub came_in: WattHours,
    /// What the feeders counted in it.
    pub went_out: WattHours,
    /// What is lost between them, as declared.
    pub lost: WattHours,
    /// What is left over: in, less out, less lost.
    pub residual: WattHours,
    /// What the sum of all errors explains of it.
    pub error: WattHours,
    /// The power that could hide inside the error all the time.
    pub blind: MilliWatts,
    /// Meters that told, and meters of the group.
    pub told: u16,
    /// Meters of the group.
    pub members: u16,
    /// The time that all of them cover, in milliseconds.
    pub covered_ms: i64,
}

impl BalanceFinding {
    /// What a sign of a residual rests on; `None` where there is none.
    pub fn figures(&self) -> Option<Figures> {
        (self.outcome == Outcome::Residual).then(|| {
            figures([
                (Figure::Residual, self.residual.0),
                (Figure::Error, self.error.0),
                (Figure::Span, self.covered_ms),
            ])
        })
    }
}

/// The time that every member that told covers, in milliseconds, and how far apart they were read at the worse end.
#[derive(Clone, Copy, Debug, Default)]
struct Common {
    starts: Option<(Stamp, Stamp)>,
    ends: Option<(Stamp, Stamp)>,
}

impl Common {
    fn of(members: &[Member], hour: i64) -> Common {
        members.iter().filter_map(|member| member.counted(hour)).fold(Common::default(), |common, counted| {
            let Common { starts, ends } = common;
            Common { starts: Some(widened(starts, counted.from)), ends: Some(widened(ends, counted.to)) }
        })
    }

    fn covered_ms(&self) -> i64 {
        match (self.starts, self.ends) {
            (Some((_, start)), Some((end, _))) => end.since_ms(&start).max(0),
            (None, _) | (_, None) => 0,
        }
    }

    fn skew_ms(&self) -> i64 {
        let apart = |ends: Option<(Stamp, Stamp)>| ends.map_or(0, |(first, last)| last.since_ms(&first));
        apart(self.starts).max(apart(self.ends))
    }
}

/// Sums over the members that told, each brought to the time that all of them cover.
#[derive(Default)]
struct Totals {
    came_in: i64,
    went_out: i64,
    squares: i128,
    steps: i64,
    /// What may have passed outside the common time other than at each meter's mean.
    outside: i64,
    /// What meters below their floors may not have counted.
    below: i64,
    /// Sums of the changes of power, of the incomers and of the feeders.
    changes: [i64; 2],
    told: u16,
}

impl Totals {
    fn add(&mut self, member: &Member, counted: &Counted, covered_ms: i64) {
        let span_ms = counted.span_ms();
        let common = |energy: WattHours| scaled(energy.0, covered_ms, span_ms);
        let (net, gross) = (common(counted.net), common(counted.gross));
        let [changes_in, changes_out] = &mut self.changes;
        let (sum, changes) = match member.side {
            Side::In => (&mut self.came_in, changes_in),
            Side::Out => (&mut self.went_out, changes_out),
        };
        *sum = sum.saturating_add(net);
        *changes = changes.saturating_add(member.change().0);
        let error = i128::from(gross) * i128::from(member.error_ppm);
        self.squares = self.squares.saturating_add(error.saturating_mul(error));
        self.steps = self.steps.saturating_add(counted.step.0.saturating_mul(2));
        let change = member.possible_change(power(counted.net.0.into(), span_ms));
        self.outside = self.outside.saturating_add(skew_error(change, span_ms.saturating_sub(covered_ms)).0);
        self.below =
            self.below.saturating_add(member.floor.over_ms(covered_ms).0.saturating_sub(gross).max(0));
        self.told += 1;
    }

    /// The error of everything that was told, in watt-hours, without the losses.
    fn error(&self) -> i128 {
        // Energy times parts per million: a million of them are a watt-hour.
        let classes = root(self.squares) / 1_000_000 + 1;
        // Both sides see the same change; their registers may be old by as much.
        let change = MilliWatts(self.changes.into_iter().max().unwrap_or(0));
        let linear = [self.steps, self.outside, self.below, skew_error(change, REGISTER_AGE_MS).0];
        linear.into_iter().fold(classes, |sum, error| sum + i128::from(error))
    }
}

/// Weighs a group up to an hour.
pub(super) fn weigh(
    group: &Group,
    merged: bool,
    members: &[Member],
    at: &Stamp,
    hour: i64,
) -> BalanceFinding {
    let common = Common::of(members, hour);
    let covered_ms = common.covered_ms();
    let mut totals = Totals::default();
    for member in members {
        if let Some(counted) = member.counted(hour) {
            totals.add(member, &counted, covered_ms);
        }
    }
    let (start, end) =
        (common.starts.map_or(*at, |(first, _)| first), common.ends.map_or(*at, |(_, last)| last));
    let all = u16::try_from(members.len()).unwrap_or(u16::MAX);
    let passing = power(totals.came_in.into(), covered_ms);
    let lost = group.losses.at(passing).over_ms(covered_ms).0;
    let residual = totals.came_in.saturating_sub(totals.went_out).saturating_sub(lost);
    // Losses follow the apparent power, of which the active one is the least: as much again may be lost.
    let error = whole(totals.error() + i128::from(lost));
    let outcome = match group.coupler.map(|coupler| coupler.position) {
        _ if totals.told < all => Outcome::Unknown(Doubt::MemberSilent),
        _ if covered_ms < LEAST_SPAN_MS || common.skew_ms() > GRACE_MS => Outcome::Unknown(Doubt::TooShort),
        Some(Position::Closed) if merged => Outcome::Unknown(Doubt::CouplerClosed),
        Some(Position::Unknown) if merged => Outcome::Unknown(Doubt::CouplerUnknown),
        _ if residual.abs() > error => Outcome::Residual,
        _ => Outcome::Agrees,
    };
    BalanceFinding {
        group: group.id,
        start,
        end,
        outcome,
        came_in: WattHours(totals.came_in),
        went_out: WattHours(totals.went_out),
        lost: WattHours(lost),
        residual: WattHours(residual),
        error: WattHours(error),
        blind: power(i128::from(error), covered_ms),
        told: totals.told,
        members: all,
        covered_ms,
    }
}

/// The part of an energy that falls into so much of its span.
fn scaled(energy: i64, part_ms: i64, span_ms: i64) -> i64 {
    if span_ms <= 0 {
        return 0;
    }
    whole(i128::from(energy) * i128::from(part_ms) / i128::from(span_ms))
}

/// What could hide behind an incomer that carries so much, by its classes alone: told at commissioning.
pub fn blind_at(power: MilliWatts, error_ppm: i64) -> MilliWatts {
    MilliWatts(whole(i128::from(power.0) * i128::from(error_ppm) / 1_000_000))
}

/// What two reads so far apart may differ by while power changes so much.
pub fn skew_error(change: MilliWatts, skew_ms: i64) -> WattHours {
    MilliWatts(change.0.saturating_abs()).over_ms(skew_ms)
}

fn power(energy: i128, span_ms: i64) -> MilliWatts {
    if span_ms <= 0 {
        return MilliWatts(0);
    }
    MilliWatts(whole(energy * 3_600_000_000 / i128::from(span_ms)))
}

fn widened(ends: Option<(Stamp, Stamp)>, at: Stamp) -> (Stamp, Stamp) {
    let (first, last) = ends.unwrap_or((at, at));
    (if at.since_ms(&first) < 0 { at } else { first }, if at.since_ms(&last) > 0 { at } else { last })
}

/// The whole root, rounded up.
fn root(square: i128) -> i128 {
    let root = square.max(0).isqrt();
    if root * root < square { root + 1 } else { root }
}

fn whole(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}
