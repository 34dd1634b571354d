//! Power that two elements show while nothing draws it. Each shows half the active power and, one up and one down, what
//! reactive power there is: as long as both see alike that cancels. Where one lost its current or its voltage, declared
//! capacitors show as power, one way or the other.

use super::{declared::declared_var, power::Shown};
use crate::{
    judge::commission::{Commissioned, Wiring},
    metering::Reading,
    terms::MilliWatts,
};

/// Elements whose voltage times current differ by more than this, in percent of the larger, do not see alike.
pub const ALIKE_PERCENT: i128 = 10;
/// What of all reactive power one element alone shows as active power, in thousandths: 1/(2 x root of 3).
pub const ONE_ELEMENT: i128 = 289;
/// There may be so many times the reactive power that is told: with one element lost half of it is not.
pub const UNTOLD_TIMES: i128 = 3;

/// How much of the power that a reading shows declared reactive power may have lent it; nothing where the elements see
/// alike, where it is less than the floor, and where there are no two elements.
pub fn lent(terms: &Commissioned, reading: &Reading) -> MilliWatts {
    match terms.wiring {
        Wiring::FourWire | Wiring::SinglePhase => return MilliWatts(0),
        Wiring::Aron => {}
    }
    let shown = Shown::of(terms, reading);
    if shown.as_ref().is_some_and(is_alike) {
        return MilliWatts(0);
    }
    let declared = declared_var(terms, shown.as_ref().map_or(0, |shown| shown.highest));
    let told = shown.and_then(|shown| shown.reactive);
    let reactive = told.map_or(declared, |told| declared.min(told.abs().saturating_mul(UNTOLD_TIMES)));
    let lent = i64::try_from(reactive * ONE_ELEMENT / 1_000).unwrap_or(i64::MAX);
    MilliWatts(if lent > terms.floor.power.0 { lent } else { 0 })
}

fn is_alike(shown: &Shown) -> bool {
    let most = shown.apparents.iter().max().copied().unwrap_or(0);
    let least = shown.apparents.iter().min().copied().unwrap_or(0);
    (most - least) * 100 <= most * ALIKE_PERCENT
}
