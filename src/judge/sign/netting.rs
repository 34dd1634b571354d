//! Phases that cancel each other in the sum, as behind a reversed current transformer or swapped voltage leads.
//!
//! Power that one phase shows backwards is no such thing by itself: a load between two phases shows it at a low power
//! factor, and so do declared capacitors where transformers turn the angle within their class, where the neutral is
//! shifted, where a phase lies at earth, or where a fuse of the bank has blown. In all of these the sum is right: active
//! and reactive power add up to what voltage times current says. Behind a reversed transformer they do not, nor where
//! declared capacitors make up for a load between two phases: there the phases are not alike.
//!
//! What stays unseen: a reversed phase beside two that carry next to nothing, one whose load is so uneven that the sum
//! keeps half of it, and, where the meter tells neither reactive power nor what its phases stand at to the neutral, any.
//! Then the total alone decides, as it does wherever only one phase is backwards.

use super::{declared::compensation_var, power::Shown};
use crate::{judge::commission::Commissioned, terms::MilliAmps};

/// Below this part of rating, in percent, a current says nothing about its phase angle.
pub const LEAST_CURRENT_PERCENT: i64 = 5;
/// The sum of the phases' powers below this part of the sum of their magnitudes, in percent: one is reversed.
pub const REVERSED_PERCENT: i128 = 50;
/// Active and reactive power together below this part of voltage times current, in percent: they do not add up. One of
/// three equal phases that is reversed leaves 47 % at the most; a bank with a blown fuse shows 93 %.
pub const CANCELLED_PERCENT: i128 = 70;

/// What the phases draw together without netting each other, in thousandths of a watt, while they cancel each other.
pub fn gross(terms: &Commissioned, shown: &Shown) -> Option<i128> {
    let certain = certain(terms, shown)?;
    is_cancelled(terms, shown).then(|| certain.iter().sum())
}

/// Whether the phases cancel each other: only where each is measured, and while each carries current.
pub fn is_cancelled(terms: &Commissioned, shown: &Shown) -> bool {
    let is_told = terms.wiring.has_phase_power()
        && shown.is_even
        && is_above(terms, shown.currents.0, LEAST_CURRENT_PERCENT);
    if !is_told {
        return false;
    }
    let phases = certain(terms, shown);
    let nets = phases.map(|phases| shown.power.abs() * 100 < phases.iter().sum::<i128>() * REVERSED_PERCENT);
    match shown.reactive {
        Some(reactive) => {
            let adds_up = |reactive: i128| {
                (shown.power.abs() + reactive.abs()) * 100 >= shown.apparent() * CANCELLED_PERCENT
            };
            // Declared capacitors give what a load between two phases takes, and the sum no longer tells of it.
            let is_made_up = adds_up(reactive + compensation_var(terms, shown.voltage));
            !adds_up(reactive) && nets.unwrap_or(true) && (!is_made_up || phases.is_none_or(are_alike))
        }
        // Without it each phase must show power that its neighbours cannot lend it.
        None => {
            let all_show = phases.is_some_and(|phases| phases.iter().all(|power| *power > 0));
            shown.shift_ppm.is_some() && all_show && nets.unwrap_or(false)
        }
    }
}

/// Whether each phase shows at least half of what the largest does, as those of one load on three phases do.
fn are_alike(phases: [i128; 3]) -> bool {
    let [most, least] = [phases.iter().max(), phases.iter().min()].map(|power| power.copied().unwrap_or(0));
    least * 2 >= most
}

/// What each phase shows beyond all that an error of angle and a shifted neutral may lend it, without its direction.
fn certain(terms: &Commissioned, shown: &Shown) -> Option<[i128; 3]> {
    let [a, b, c] = shown.phases?;
    let lent_ppm = i128::from(terms.angle_ppm()) + shown.shift_ppm.unwrap_or(0);
    let mut apparents = shown.apparents.iter();
    // Divided first, so that whatever a meter shows fits.
    let mut told = |power: i128| {
        let lent = apparents.next().map_or(0, |apparent| apparent / 1_000 * lent_ppm / 1_000);
        (power.abs() - lent).max(0)
    };
    Some([told(a), told(b), told(c)])
}

/// Whether a current, in milliamperes, is above this part of rating.
pub fn is_above(terms: &Commissioned, milliamps: i64, percent: i64) -> bool {
    terms.wiring.power(terms.nominal, MilliAmps(milliamps)).0 > terms.rated.0 / 100 * percent
}
