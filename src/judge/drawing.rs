//! Whether a feeder draws beyond its allowances: by power with an on-delay, by energy at once, and for how long after.
//!
//! The delays are told for a poll of 1 s. Where polls are 5 s apart or more, a melt takes up to two polls longer: one high
//! reading of a register is believed only with the next, and power needs two readings beyond the limit.

use super::{
    commission::Commissioned,
    edge,
    memory::Mark,
    pulses::{Pulses, Stretch},
    window::{Excess, Span, Window},
};
use crate::terms::{LegalDay, MilliWatts, Stamp, WattHours};

/// Power must stay beyond the limit this long, above [`LARGE_LOAD_PERCENT`] of rating.
pub const ON_DELAY_LARGE_MS: i64 = 5_000;
/// Power must stay beyond the limit this long, below [`LARGE_LOAD_PERCENT`] of rating.
pub const ON_DELAY_SMALL_MS: i64 = 60_000;
/// Where the short on-delay begins, in percent of rated power.
pub const LARGE_LOAD_PERCENT: i64 = 15;
/// On power alone nothing begins before so much was drawn as the rating draws in this time, in milliseconds.
pub const LEAST_ENERGY_MS: i64 = 500;
/// A meter's demand is the mean of at most this long, in milliseconds: 15 min as a rule, 60 min at most.
/// [K: DL/T 645 and DL/T 614, from memory, 2026]
pub const DEMAND_MS: i64 = 3_600_000;
/// Drawing ends after this long within the limit.
pub const OFF_DELAY_MS: i64 = 900_000;

/// Why a feeder is judged to draw, and since when the evidence reaches back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Power beyond the limit for longer than the on-delay, beginning at `from`; or pulses since then, each shorter, that
    /// together drew as much.
    Power {
        /// The first reading beyond the limit.
        from: Stamp,
        /// The power that decided.
        power: MilliWatts,
        /// The limit: allowances, no-load losses and the floor, with what the class may err.
        limit: MilliWatts,
    },
    /// Energy beyond what the allowances explain.
    Energy(Excess),
    /// The meter's own maximum demand rose beyond the limit: a run between two polls leaves its mark there.
    Demand {
        /// The earliest moment its period can have begun.
        from: Stamp,
        /// The demand it shows.
        demand: MilliWatts,
        /// The limit that was applied.
        limit: MilliWatts,
    },
    /// Balanced voltage behind a point that should be open.
    BackFeed {
        /// Since when.
        from: Stamp,
    },
}

impl Proof {
    /// The moment before which this proof says nothing.
    pub const fn from(&self) -> &Stamp {
        match self {
            Proof::Power { from, .. } | Proof::Demand { from, .. } | Proof::BackFeed { from } => from,
            Proof::Energy(excess) => &excess.from,
        }
    }
}

/// Time beyond the limit: of the time between two readings no more than two polls count, so missed polls pause it and
/// neither reset nor stop it.
#[derive(Clone, Copy, Debug)]
struct Above {
    from: Stamp,
    last: Stamp,
    /// As last read.
    power: MilliWatts,
    ms: i64,
    /// Power times the time counted, in milliwatt-milliseconds.
    energy: i64,
}

impl Above {
    /// Whether it lasts longer than the on-delay, and is no mere stroke.
    fn is_long(&self, terms: &Commissioned) -> bool {
        let is_large = self.power.0 > terms.rated.0 / 100 * LARGE_LOAD_PERCENT;
        let delay_ms = if is_large { ON_DELAY_LARGE_MS } else { ON_DELAY_SMALL_MS };
        self.ms >= delay_ms && self.energy >= terms.rated.0.saturating_mul(LEAST_ENERGY_MS)
    }
}

/// One feeder's spell of drawing, and its way in and out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawing {
    proof: Option<Proof>,
    /// The wall clock was moved since the proof: its day can no longer be told.
    stale: bool,
    /// What counted before is settled, and no power has proven anything since: it does so even where energy has.
    is_settled: bool,
    /// When that was.
    settled_at: Option<Stamp>,
    above: Option<Above>,
    pulses: Pulses,
    below: Option<Window>,
    renewed: bool,
}

impl Drawing {
    /// Whether it draws.
    pub fn is_on(&self) -> bool {
        self.proof.is_some()
    }

    /// The proof, while its day can be told.
    pub fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref().filter(|_| !self.stale)
    }

    /// Whether the last reading brought a new proof.
    pub fn is_renewed(&self) -> bool {
        self.renewed
    }

    /// A reading begins to be judged.
    pub fn begin(&mut self) {
        self.renewed = false;
    }

    /// The wall clock was moved: what was counted towards a proof belongs to no day, and a proof must be renewed.
    pub fn on_clock_step(&mut self) {
        (self.above, self.pulses) = (None, Pulses::default());
        self.stale = self.proof.is_some();
    }

    /// What counted so far is settled: whoever goes on drawing is proven to do so anew, and by power as soon as power
    /// tells, for energy may still tell of the time before.
    pub fn settle(&mut self, now: &Stamp) {
        self.on_clock_step();
        (self.is_settled, self.settled_at) = (true, Some(*now));
    }

    /// Takes energy beyond what the allowances explain.
    pub fn on_excess(&mut self, excess: Excess, now: &Stamp) {
        // Longer sums begin a spell and stay guilty until they begin anew; only a pair tells of the present.
        let of_the_present = excess.span == Span::Pair;
        if of_the_present {
            self.below = None;
        }
        let of_today = edge::earliest_day(&excess.from) == edge::earliest_day(now);
        let is_stale = (of_the_present || of_today) && self.stale;
        let proof = Proof::Energy(excess);
        let is_later = self.is_before(edge::earliest_proven(&proof));
        if self.proof.is_none() || is_stale || is_later || self.is_overtaken(&excess.from) {
            self.prove(proof);
        }
    }

    /// Takes power beyond the limit. `inrush` suspends it after the line came alive.
    pub fn on_loud(&mut self, terms: &Commissioned, at: &Stamp, power: MilliWatts, inrush: bool) {
        self.below = None;
        let most_ms = i64::try_from(terms.poll_ms).unwrap_or(i64::MAX).saturating_mul(2);
        // A proof must not reach back over a lawful midnight, or it would prove nothing about the day after.
        let is_whole = |from: &Stamp| edge::earliest_day(from) == edge::earliest_day(at) && !inrush;
        let before = self.above.filter(|above| is_whole(&above.from));
        let (above, pulses) = match before {
            Some(above) => {
                let ms = at.since_ms(&above.last).clamp(0, most_ms);
                let power_of_both = power.min(above.power);
                let stretch =
                    Stretch { begun: above.from, from: above.last, to: *at, ms, power: power_of_both };
                let energy = above.energy.saturating_add(power.0.saturating_mul(ms));
                let above = Above { ms: above.ms.saturating_add(ms), energy, last: *at, power, ..above };
                (above, self.pulses.on_stretch(terms, &stretch))
            }
            None => (Above { from: *at, last: *at, power, ms: 0, energy: 0 }, None),
        };
        self.above = Some(above);
        let alone = above.is_long(terms).then_some(above.from);
        if let Some(from) = alone.or(pulses).filter(|from| self.asks(from)) {
            self.is_settled = false;
            self.prove(Proof::Power { from, power, limit: terms.limit() });
        }
    }

    /// Whether power beyond the limit since this moment would prove anything new.
    fn asks(&self, from: &Stamp) -> bool {
        let is_later = self.stale || self.is_before(edge::earliest_day(from));
        self.proof.is_none() || is_later || self.is_settled || self.is_overtaken(from)
    }

    /// Takes power within the limit; true when it keeps what draws drawing, as power between the two thresholds does.
    pub fn on_quiet_power(&mut self, terms: &Commissioned, power: MilliWatts) -> bool {
        self.above = None;
        let keeps = self.is_on() && power > terms.off_limit();
        if keeps {
            self.below = None;
        }
        keeps
    }

    /// Takes a maximum demand that rose beyond the limit.
    pub fn on_demand(&mut self, demand: Proof) {
        let is_later = self.stale || self.is_before(edge::earliest_proven(&demand));
        if self.proof.is_none() || is_later || self.is_overtaken(demand.from()) {
            self.prove(demand);
        }
    }

    /// Takes the register's word while power is within the limit or not told; true when the spell ends with it.
    pub fn on_quiet(&mut self, terms: &Commissioned, before: &Mark, now: &Mark, energy: WattHours) -> bool {
        // What this very reading proved does not end with it, however long the gap before it was.
        if self.proof.is_none() || self.renewed {
            return false;
        }
        let mut below = self.below.unwrap_or(Window::starting(&before.at));
        below.moved.0 = below.moved.0.saturating_add(energy.0);
        let quiet = below.moved <= terms.energy_bound(&below.since, &now.at, now.register.step);
        self.below = quiet.then_some(below);
        let over = quiet && now.at.since_ms(&below.since) >= OFF_DELAY_MS;
        if over {
            *self = Drawing { settled_at: self.settled_at, ..Drawing::default() };
        }
        over
    }

    fn prove(&mut self, proof: Proof) {
        (self.proof, self.stale, self.renewed) = (Some(proof), false, true);
    }

    /// Whether the proof reaches back before what was settled, and evidence that begins here does not: what is excused
    /// must not hide what is not.
    fn is_overtaken(&self, from: &Stamp) -> bool {
        let is_before = |moment: &Stamp| self.settled_at.is_some_and(|at| moment.since_ms(&at) < 0);
        self.proof.is_some_and(|proof| is_before(proof.from())) && !is_before(from)
    }

    /// Whether the proof may tell of a day before this one, of which it proves nothing.
    fn is_before(&self, day: LegalDay) -> bool {
        self.proof.is_some_and(|proof| edge::earliest_proven(&proof) < day)
    }
}
