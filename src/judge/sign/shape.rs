//! Power that does not fit voltage and current: swapped leads, a reversed current transformer, reactive power nobody
//! declared, a power that was scaled.

use super::{
    Figure, Figures,
    declared::declared_var,
    figure::{figures, whole},
    netting::{LEAST_CURRENT_PERCENT, is_above, is_cancelled},
    power::Shown,
    signs::Around,
};
use crate::{
    judge::{
        allowance::Allowance,
        commission::{Commissioned, Wiring},
        drawing::{LARGE_LOAD_PERCENT, ON_DELAY_LARGE_MS},
        line::INRUSH_MS,
    },
    metering::{Quantity, Reading},
    terms::Stamp,
};

/// Active and reactive power together below this part of voltage times current, in percent: leads are swapped.
/// Whatever the load, one of the two is at least 70 % of it.
pub const SWAPPED_PERCENT: i128 = 20;
/// Reactive power may exceed what was declared by this, in percent.
pub const REACTIVE_MARGIN_PERCENT: i128 = 10;
/// Reactive power nobody declared must stand for this long, in milliseconds: as the on-delay below a small load.
pub const REACTIVE_MS: i64 = 60_000;
/// A motor takes at most so many times its rated current while it starts. [K: IEC 60034-12, from memory, 2026]
pub const STARTING_TIMES: i128 = 8;
/// Below this part of nominal, in percent, the voltage dips, and inrush may follow.
pub const DIP_PERCENT: i128 = 85;
/// Active power may exceed voltage times current by this, in percent.
pub const MISMATCH_PERCENT: i128 = 5;
/// It may fall short of voltage times current times power factor by this, in percent: meters that tell the power
/// factor of the fundamental alone count distortion as voltage times current, 23 % of it at a distortion of 80 %.
pub const DISTORTION_PERCENT: i128 = 25;
/// So many readings one after another decide where voltage, current and power come with one answer.
pub const READINGS_OF_ONE_MOMENT: u8 = 2;
/// So many decide otherwise: an arc or a welder moves between two requests, but not ten times alike.
pub const READINGS_APART: u8 = 10;
/// So many readings of one moment decide on a mismatch.
pub const READINGS_OF_MISMATCH: u8 = 3;

/// What the shape of a reading's power shows.
#[derive(Debug, Default)]
pub struct Shapes {
    /// Voltage leads are swapped.
    pub swapped: Option<Figures>,
    /// One current transformer is reversed.
    pub reversed: Option<Figures>,
    /// Reactive power beyond what was declared.
    pub reactive: Option<Figures>,
    /// Active power does not fit.
    pub mismatch: Option<Figures>,
}

/// How often in a row each was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    swapped: u8,
    reversed: u8,
    mismatched: u8,
    reactive: Option<Stands>,
    dipped: Option<Stamp>,
}

impl Shape {
    /// Takes a reading. `is_quiet` says whether active power is within the limit; after energisation nothing is told.
    pub fn look(
        &mut self,
        terms: &Commissioned,
        reading: &Reading,
        around: Around,
        is_quiet: bool,
    ) -> Shapes {
        if around.is_in_inrush {
            *self = Shape::default();
            return Shapes::default();
        }
        // Where a word is missing nothing is counted, and nothing that was is forgotten.
        let Some(shown) = Shown::of(terms, reading) else { return Shapes::default() };
        let flows = is_above(terms, shown.currents.1, LEAST_CURRENT_PERCENT);
        let least = if shown.is_of_one_moment { READINGS_OF_ONE_MOMENT } else { READINGS_APART };
        let swapped = count(&mut self.swapped, is_swapped(&shown) && flows) >= least;
        let reversed = count(&mut self.reversed, is_reversed(terms, &shown)) >= least;
        let declared = declared_var(terms, shown.highest);
        let explained = declared * (100 + REACTIVE_MARGIN_PERCENT) / 100 + angle_error(terms, &shown);
        // Below the floor a transformer's angle may be any. What may lawfully run may idle, at any power factor.
        let is_told = flows && shown.currents.1 > terms.floor.current.0 && around.must_rest;
        let undeclared =
            undeclared(terms, &shown, explained).filter(|much| is_told && (is_quiet || much.is_bare(&shown)));
        let dips = shown.voltage * 100 < i128::from(terms.nominal.0) * DIP_PERCENT;
        let reactive = self.reactive_for(terms, reading.at, dips, undeclared);
        let mismatch =
            mismatch(terms, reading, &shown).filter(|_| shown.is_of_one_moment && shown.is_even && flows);
        let mismatched = count(&mut self.mismatched, mismatch.is_some()) >= READINGS_OF_MISMATCH;
        let power = (Figure::Power, whole(shown.power / 1_000));
        let apparent = (Figure::Apparent, whole(shown.apparent() / 1_000));
        let told = shown.reactive.map(|reactive| (Figure::Reactive, whole(reactive / 1_000)));
        let vars = told.unwrap_or(apparent);
        let magnitudes = shown.phases.map_or(0, |phases| phases.iter().map(|p| p.abs()).sum::<i128>());
        Shapes {
            swapped: swapped.then(|| figures([power, vars, apparent])),
            reversed: reversed.then(|| figures([power, (Figure::PhasePowers, whole(magnitudes / 1_000))])),
            reactive: reactive.then(|| figures([power, vars, (Figure::Declared, whole(declared / 1_000))])),
            mismatch: mismatch
                .filter(|_| mismatched)
                .map(|implied| figures([power, apparent, (Figure::Implied, whole(implied / 1_000))])),
        }
    }

    /// Whether what nobody declared has stood for as long as it must.
    fn reactive_for(
        &mut self,
        terms: &Commissioned,
        at: Stamp,
        dips: bool,
        undeclared: Option<Undeclared>,
    ) -> bool {
        if dips {
            self.dipped = Some(at);
        }
        let Some(undeclared) = undeclared else {
            self.reactive = None;
            return false;
        };
        let is_calm = self.dipped.is_none_or(|dipped| at.since_ms(&dipped) >= INRUSH_MS);
        let stays_ms = match undeclared {
            Undeclared::BeyondStarting if is_calm => ON_DELAY_LARGE_MS,
            Undeclared::BeyondStarting | Undeclared::Plain => REACTIVE_MS,
        };
        let stands = self.reactive.get_or_insert(Stands { last: at, ms: 0 });
        // Of the time between two readings that tell it no more than two polls count.
        let most_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX).saturating_mul(2);
        let ms = at.since_ms(&stands.last).clamp(0, most_ms);
        *stands = Stands { last: at, ms: stands.ms.saturating_add(ms) };
        stands.ms >= stays_ms
    }
}

/// How long something has stood, in milliseconds, and when it was seen last.
#[derive(Clone, Copy, Debug)]
struct Stands {
    last: Stamp,
    ms: i64,
}

/// What is there that nobody declared.
#[derive(Clone, Copy, Debug)]
enum Undeclared {
    /// Reactive power.
    Plain,
    /// More than all that was declared takes while it starts, and a large part of rating.
    BeyondStarting,
}

impl Undeclared {
    /// Whether it is large and hardly any of it is active power: an arc is uneven, and behind swapped leads a little shows.
    fn is_bare(self, shown: &Shown) -> bool {
        match self {
            Undeclared::Plain => false,
            Undeclared::BeyondStarting => shown.power.abs() * 100 < shown.apparent() * SWAPPED_PERCENT,
        }
    }
}

/// Whether there is more than was declared. Where no word tells reactive power, what voltage times current shows must be
/// more than everything that was declared together, active and reactive: so distortion does not count. Less than that is
/// not seen there, nor is anything within the allowances.
fn undeclared(terms: &Commissioned, shown: &Shown, explained: i128) -> Option<Undeclared> {
    if let Some(reactive) = shown.reactive {
        return (reactive.abs() > explained).then_some(Undeclared::Plain);
    }
    let apparent = match terms.wiring {
        Wiring::FourWire | Wiring::SinglePhase => shown.apparent(),
        // A load between two phases counts in both elements in full.
        Wiring::Aron => shown.apparent() / 2,
    };
    let declared = i128::from(terms.limit().0) + explained;
    let is_large = apparent > i128::from(terms.rated.0 / 100 * LARGE_LOAD_PERCENT);
    let of = |a: &Allowance| i128::from(a.power.0) + i128::from(a.starting_var()) * 1_000;
    let starting = terms.allowances.iter().map(of).sum::<i128>() * (STARTING_TIMES - 1);
    let is_beyond = apparent > declared + starting && is_large;
    (apparent > declared).then_some(if is_beyond { Undeclared::BeyondStarting } else { Undeclared::Plain })
}

fn count(times: &mut u8, seen: bool) -> u8 {
    *times = if seen { times.saturating_add(1) } else { 0 };
    *times
}

fn is_swapped(shown: &Shown) -> bool {
    let Some(reactive) = shown.reactive else { return false };
    (shown.power.abs() + reactive.abs()) * 100 < shown.apparent() * SWAPPED_PERCENT
}

/// Swapped leads turn phases backwards too, and explain more.
fn is_reversed(terms: &Commissioned, shown: &Shown) -> bool {
    shown.phases.is_some() && is_cancelled(terms, shown) && !is_swapped(shown)
}

/// What an error of angle may show as reactive power.
fn angle_error(terms: &Commissioned, shown: &Shown) -> i128 {
    // Divided first, so that whatever a meter shows fits.
    shown.apparent() / 1_000 * i128::from(terms.angle_ppm()) / 1_000
}

/// What power should be, in milliwatts, where it is not: never beyond voltage times current, and voltage times current
/// times the power factor where the meter tells one.
fn mismatch(terms: &Commissioned, reading: &Reading, shown: &Shown) -> Option<i128> {
    let apparent = shown.apparent();
    if shown.power.abs() * 100 > apparent * (100 + MISMATCH_PERCENT) {
        return Some(apparent);
    }
    let factors = match terms.wiring {
        Wiring::FourWire => [Quantity::PfL1, Quantity::PfL2, Quantity::PfL3],
        Wiring::Aron | Wiring::SinglePhase => return None,
    };
    let all = [Quantity::PfL1, Quantity::PfL2, Quantity::PfL3, Quantity::CurrentL1, Quantity::VoltageL1];
    if !reading.in_one_request(&all) {
        return None;
    }
    let phases = shown.phases?;
    let mut implied_sum = 0;
    let mut fits = true;
    for ((apparent, power), factor) in shown.apparents.iter().zip(phases).zip(factors) {
        // A factor beyond one is a capacitive one in some maps; it says nothing then.
        let factor = i128::from(reading.value(factor).filter(|pf| (-1_000..=1_000).contains(pf))?).abs();
        let implied = apparent * factor / 1_000;
        implied_sum += implied;
        let (least, most) =
            (implied - apparent * DISTORTION_PERCENT / 100, implied + apparent * MISMATCH_PERCENT / 100);
        fits &= (least..=most).contains(&power.abs());
    }
    (!fits).then_some(implied_sum)
}
