//! What a piece of equipment may draw by permit, and what it has drawn under each.

use super::{
    commission::REGISTER_AGE_MS,
    drawing::Proof,
    permit::{MAX_PERMITS, Permit},
    shown::{Drawn, Power, Shown, Untold},
};
use crate::{
    judge::commission::Commissioned,
    metering::Reading,
    terms::{MeterId, MilliWatts, Name, Stamp, WattHours},
};

/// Energy drawn under a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermitUse {
    /// The permit.
    pub permit: Name,
    /// Energy the registers told of since it began, in watt-hours, and what power showed where they told nothing.
    pub used: WattHours,
}

/// A permit, and what was drawn under it.
#[derive(Debug)]
struct Granted {
    permit: Permit,
    used: WattHours,
    /// The part of it since each meter's last interval: a restarted witness hears of it again.
    open: Vec<(MeterId, WattHours)>,
    /// What was said last of its use up to the last intervals, by itself or by a verdict before a restart.
    told: Option<WattHours>,
    /// What power showed of which the registers told nothing.
    shown: Vec<Shown>,
}

impl Granted {
    fn of(permit: Permit, used: Option<WattHours>) -> Granted {
        let (open, shown) = (Vec::new(), Vec::new());
        Granted { permit, used: used.unwrap_or(WattHours(0)), open, told: used, shown }
    }

    /// What was drawn under it by all that is known.
    fn drawn(&self) -> WattHours {
        WattHours(self.shown.iter().fold(self.used.0, |sum, shown| sum.saturating_add(shown.counted().0)))
    }

    /// As [`Granted::drawn`], of what power showed only what did by each meter's last interval: what is told, for a
    /// restarted witness adds to it what registers tell again.
    fn lasting(&self) -> WattHours {
        WattHours(self.shown.iter().fold(self.used.0, |sum, shown| sum.saturating_add(shown.closed.0)))
    }

    fn show(&mut self, drawn: &Drawn) {
        match self.shown.iter_mut().find(|shown| shown.meter == drawn.meter) {
            Some(shown) => shown.on_drawn(drawn),
            None => {
                let mut shown = Shown::of(drawn.meter);
                shown.on_drawn(drawn);
                self.shown.push(shown);
            }
        }
    }

    fn draw(&mut self, meter: MeterId, energy: i64) {
        self.used.0 = self.used.0.saturating_add(energy);
        match self.open.iter_mut().find(|(id, _)| *id == meter) {
            Some((_, open)) => open.0 = open.0.saturating_add(energy),
            None => self.open.push((meter, WattHours(energy))),
        }
    }

    /// What was drawn under it up to each meter's last interval.
    fn closed(&self) -> WattHours {
        let open = self.open.iter().fold(0_i64, |sum, (_, open)| sum.saturating_add(open.0));
        WattHours(self.lasting().0.saturating_sub(open).max(0))
    }
}

/// The permits of one piece of equipment.
#[derive(Debug, Default)]
pub struct Leave {
    /// By the moment they end, at most [`MAX_PERMITS`].
    permits: Vec<Granted>,
    last: Option<PermitUse>,
    in_force: Option<(Name, Standing)>,
    /// What each meter's power was last.
    powers: Vec<Power>,
    /// What registers may tell again.
    untold: Vec<Untold>,
}

/// How a permit stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is in force.
    InForce,
    /// It has ended, and registers may still show what was drawn before.
    Ended,
}

impl Leave {
    /// Permits remembered, and what was drawn under each, the one used last at the end; what was drawn under them may be
    /// told again where a register was not read.
    pub fn recalling<U: Iterator<Item = PermitUse>>(
        permits: impl Iterator<Item = Permit>,
        uses: impl Fn() -> U,
        untold: &[Untold],
    ) -> Leave {
        let used = |id: Name| uses().find(|used| used.permit == id).map(|used| used.used);
        let all = uses().fold(0_i64, |sum, used| sum.saturating_add(used.used.0));
        let share = all / i64::try_from(untold.len()).unwrap_or(i64::MAX).max(1);
        let untold = untold.iter().map(|one| Untold { most: WattHours(one.most.0.min(share)), ..*one });
        let mut leave = Leave { last: uses().last(), untold: untold.collect(), ..Leave::default() };
        permits.for_each(|permit| leave.add(Granted::of(permit, used(permit.id))));
        leave
    }

    /// A permit is granted or replaced by a later version.
    pub fn grant(&mut self, permit: &Permit) {
        match self.permits.iter().position(|known| known.permit.id == permit.id) {
            Some(place) => {
                let known = self.permits.remove(place);
                self.add(Granted { permit: *permit, ..known });
            }
            None => self.add(Granted::of(*permit, None)),
        }
    }

    /// Takes a permit in. Where there is no room, the one that ended first makes it.
    fn add(&mut self, granted: Granted) {
        self.permits.push(granted);
        self.permits.sort_by_key(|granted| granted.permit.to_unix_ms);
        if self.permits.len() > MAX_PERMITS {
            self.permits.remove(0);
        }
    }

    /// The meter's interval is over: what it told so far is not told again.
    pub fn close_interval(&mut self, meter: MeterId) {
        for granted in &mut self.permits {
            granted.open.retain(|(id, _)| *id != meter);
            granted.shown.iter_mut().filter(|shown| shown.meter == meter).for_each(Shown::close);
        }
        self.refresh();
    }

    /// Tells what was drawn under each permit but the one used last, of which the verdict tells, where that is news.
    pub fn tell_uses(&mut self, mut say: impl FnMut(PermitUse)) {
        let last = self.last.map(|last| last.permit);
        for granted in self.permits.iter_mut().filter(|granted| Some(granted.permit.id) != last) {
            let (permit, used) = (granted.permit.id, granted.closed());
            if granted.lasting().0 > 0 && granted.told != Some(used) {
                granted.told = Some(used);
                say(PermitUse { permit, used });
            }
        }
    }

    /// Energy that the registers told of between two moments. What may have passed under a permit counts under it: under
    /// the one that ends soonest while it has room, what is beyond all of them under the last. `allowed` is what may show
    /// between two moments, both Unix milliseconds, without a permit: it is no use of one that did not run then.
    pub fn on_energy(
        &mut self,
        meter: MeterId,
        from: &Stamp,
        to: &Stamp,
        energy: WattHours,
        allowed: impl Fn(i64, i64) -> WattHours,
    ) {
        let touched = Touched::of(&self.permits, from, to);
        let Some((begins, ends)) = touched.span else { return };
        let before = allowed(from.wall_unix_ms, begins);
        let after = allowed(ends.max(from.wall_unix_ms), to.wall_unix_ms);
        let told = energy.0.saturating_sub(before.0).saturating_sub(after.0).max(0);
        let mut rest = self.told_anew(meter, WattHours(told)).0;
        let mut under = None;
        for (place, granted) in self.permits.iter_mut().enumerate() {
            let permit = granted.permit;
            let Some(permitted) = permit.what.energy().filter(|_| permit.overlap_ms(from, to).is_some())
            else {
                continue;
            };
            let room = permitted.0.saturating_sub(granted.used.0).max(0);
            let taken = rest.min(room);
            granted.draw(meter, taken);
            rest -= taken;
            under = Some(place);
            if taken < room {
                break;
            }
        }
        if let Some(granted) = under.and_then(|place| self.permits.get_mut(place)) {
            granted.draw(meter, rest);
            self.last = Some(PermitUse { permit: granted.permit.id, used: granted.lasting() });
        }
    }

    /// What of the energy that a register tells was not counted before by power.
    fn told_anew(&mut self, meter: MeterId, energy: WattHours) -> WattHours {
        for shown in self.permits.iter_mut().flat_map(|granted| &mut granted.shown) {
            if shown.meter == meter {
                shown.on_told(energy);
            }
        }
        self.refresh();
        let Some(untold) = self.untold.iter_mut().find(|untold| untold.meter == meter) else { return energy };
        let again = untold.most.0.min(energy.0);
        untold.most.0 -= again;
        WattHours(energy.0 - again)
    }

    /// Takes what power shows. It counts under the permit that ends soonest of those in force all the time, while it has
    /// room, and then under the last.
    pub fn on_power(&mut self, terms: &Commissioned, reading: &Reading) {
        let Some(drawn) = Drawn::by(terms, &mut self.powers, reading) else { return };
        let covers = |permit: &Permit| permit.covers(&drawn.from) && permit.covers(&drawn.to);
        let room =
            |granted: &Granted| granted.permit.what.energy().is_some_and(|most| granted.drawn() < most);
        let runs = |granted: &Granted| granted.permit.what.energy().is_some() && covers(&granted.permit);
        let first = self.permits.iter().position(|granted| runs(granted) && room(granted));
        let under = first.or_else(|| self.permits.iter().rposition(runs));
        if let Some(granted) = under.and_then(|place| self.permits.get_mut(place)) {
            granted.show(&drawn);
            let id = granted.permit.id;
            let is_used = granted.drawn() > granted.used;
            if is_used && self.last.is_none_or(|last| last.permit != id) {
                self.last = Some(PermitUse { permit: id, used: granted.lasting() });
            }
        }
    }

    /// The wall clock was moved: no time passed between the last power and the next.
    pub fn on_clock_step(&mut self) {
        self.powers.clear();
    }

    /// Tells anew what was drawn under the permit used last.
    fn refresh(&mut self) {
        let Some(last) = &mut self.last else { return };
        if let Some(granted) = self.permits.iter().find(|granted| granted.permit.id == last.permit) {
            last.used = granted.lasting();
        }
    }

    /// Whether what is proven at `to` may all have been drawn under permits, and no more was drawn than they permit
    /// together. A proof by energy may reach back before a permit began, over a time nobody saw: so much as could pass
    /// since is excused. `beside` is what the meters may show beside the permitted energy from its first moment to another.
    pub fn excuses(
        &self,
        proof: &Proof,
        to: &Stamp,
        capacity: MilliWatts,
        beside: impl Fn(WattHours, i64, i64) -> WattHours,
    ) -> bool {
        let touched = Touched::of(&self.permits, proof.from(), to);
        let Some((begins, ends)) = touched.span else { return false };
        let covered = |from: &Stamp| {
            let runs = |permit: &Permit| permit.what.energy().is_some() && permit.may_begin(from);
            self.permits.iter().any(|granted| runs(&granted.permit))
        };
        let may_be_under = match proof {
            Proof::Power { from, .. } | Proof::BackFeed { from } => covered(from),
            Proof::Demand { .. } => true,
            Proof::Energy(excess) => {
                excess.moved.0 <= excess.bound.0.saturating_add(capacity.over_ms(touched.ms).0)
            }
        };
        let until = to.wall_unix_ms.min(ends);
        let most = touched.permitted.saturating_add(beside(WattHours(touched.permitted), begins, until).0);
        may_be_under && touched.used <= most
    }

    /// The paper for what this meter's register did, if there is one.
    pub fn paper(&self, meter: MeterId, at: &Stamp) -> Option<Name> {
        let is_paper = |permit: &Permit| match permit.what {
            super::Permitted::MeterReplacement { meter: named } => named == meter && permit.covers(at),
            super::Permitted::Maintenance { .. } | super::Permitted::Allowance { .. } => false,
        };
        self.permits.iter().map(|granted| granted.permit).find(is_paper).map(|permit| permit.id)
    }

    /// What was drawn under the permit used last.
    pub fn last(&self) -> Option<PermitUse> {
        self.last
    }

    /// Whether a permit lets something run at this moment.
    pub fn lets_run(&self, at: &Stamp) -> bool {
        self.running(at).is_some()
    }

    fn running(&self, at: &Stamp) -> Option<Name> {
        let runs = |permit: &Permit| permit.what.energy().is_some() && permit.covers(at);
        self.permits.iter().map(|granted| granted.permit).find(runs).map(|permit| permit.id)
    }

    /// True once when a permit has come into force or ended, and once more when registers no longer show what was drawn
    /// under it: sums across these moments would weigh what was permitted with what was not.
    pub fn has_turned(&mut self, now: &Stamp) -> bool {
        let grace = Stamp { wall_unix_ms: now.wall_unix_ms.saturating_sub(REGISTER_AGE_MS), ..*now };
        let running = |at: &Stamp| self.running(at);
        let in_force = running(now).map(|id| (id, Standing::InForce));
        let in_force = in_force.or_else(|| running(&grace).map(|id| (id, Standing::Ended)));
        let before = std::mem::replace(&mut self.in_force, in_force);
        before != in_force
    }
}

/// The permits of energy that ran in some of the time between two moments, taken together.
#[derive(Clone, Copy, Debug, Default)]
struct Touched {
    /// From the first moment of any to the last of any, as the clock may show them, Unix milliseconds; nothing where none
    /// ran.
    span: Option<(i64, i64)>,
    /// How long they ran in that time, added up, in milliseconds.
    ms: i64,
    /// What they permit and what was drawn under them, in watt-hours.
    permitted: i64,
    used: i64,
}

impl Touched {
    fn of(permits: &[Granted], from: &Stamp, to: &Stamp) -> Touched {
        let ran = permits.iter().filter_map(|granted| {
            let permit = &granted.permit;
            Some((permit, granted.drawn(), permit.what.energy()?, permit.overlap_ms(from, to)?))
        });
        ran.fold(Touched::default(), |sum, (permit, used, permitted, ms)| {
            let (begins, ends) = sum.span.unwrap_or((i64::MAX, i64::MIN));
            Touched {
                span: Some((begins.min(permit.begins_ms(from)), ends.max(permit.ends_ms(to)))),
                ms: sum.ms.saturating_add(ms),
                permitted: sum.permitted.saturating_add(permitted.0),
                used: sum.used.saturating_add(used.0),
            }
        })
    }
}
