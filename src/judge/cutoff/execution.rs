//! An order being executed: the machine, and its points as their meters show them. At the gateway only.

use super::{
    CutOff, Said,
    deed::{Deed, OrderAct},
    hold::Hold,
    machine::OutOfTurn,
    order::{Carrier, Order},
    reading::Agreement,
    registers::Registers,
    rung::Rung,
    stand::{NOTE_MS, Stand},
    table::Cue,
    watched::{Gap, Heard, Seen, Watched, Woke},
};
use crate::{
    judge::{DarkMeter, Mark, register::redated},
    terms::{ClockQuality, MeterId, Stamp, WattHours, time::DAY_MS},
};

/// Suppliers tell day by day: so long their reading may be waited for, in milliseconds.
pub const UTILITY_PATIENCE_MS: i64 = 2 * DAY_MS;

/// An order being executed.
#[derive(Clone, Debug)]
pub struct Execution {
    cut: CutOff,
    points: Vec<Watched>,
    /// Since when somebody listens without a break.
    listening_since: Option<Stamp>,
    /// When the order in force was given, or a hold was broken off for want of evidence: none began before.
    not_before: Option<Stamp>,
    noted_at: Option<Stamp>,
}

impl Execution {
    /// An order, with the process feeders of its equipment which it does not name: they are to be without power too.
    pub fn new(cut: CutOff, beside: impl Iterator<Item = MeterId>) -> Execution {
        let mut points = points_of(cut.order(), beside);
        if let Some(hold) = cut.stand().hold {
            for (place, point) in points.iter_mut().enumerate() {
                let is_named = place < cut.order().points.len();
                let known = if is_named { hold.registers.of(place) } else { Default::default() };
                point.resume(&hold, known);
            }
            // What moved before the stop has moved still, at whichever point.
            points.iter_mut().take(1).for_each(|point| point.moved = hold.moved);
        }
        Execution { cut, points, listening_since: None, not_before: None, noted_at: None }
    }

    /// Another version of the order names its points anew.
    pub fn name_points(&mut self, at: &Stamp, order: &Order, beside: impl Iterator<Item = MeterId>) {
        self.not_before = Some(*at);
        self.points = points_of(order, beside);
    }

    /// Every meter it looks at.
    pub fn meters(&self) -> impl Iterator<Item = MeterId> {
        self.points.iter().flat_map(Watched::meters)
    }

    /// The machine.
    pub fn cut(&self) -> &CutOff {
        &self.cut
    }

    /// The meters that are to be without power behind the cut, once it was seen.
    pub fn isolated(&self) -> impl Iterator<Item = MeterId> {
        let is_cut = self.cut.stand().rung.is_isolating();
        self.points.iter().filter(move |_| is_cut).map(|point| point.meter)
    }

    /// Whether what this meter shows is about one of its points.
    pub fn concerns(&self, meter: MeterId) -> bool {
        self.points.iter().any(|point| point.concerns(meter))
    }

    /// Takes an act. A reading is first set beside our own registers, day by day.
    ///
    /// # Errors
    /// It has no place where the order stands.
    pub fn on_act(&mut self, at: &Stamp, act: &OrderAct, say: &mut dyn FnMut(Said)) -> Result<(), OutOfTurn> {
        if !self.cut.may(&act.deed) {
            return Err(OutOfTurn);
        }
        let agreement = self.weigh(at, &act.deed, say);
        self.cut.act(at, act, agreement, say)?;
        if agreement == Agreement::Differs {
            self.points.iter_mut().for_each(Watched::doubt);
        }
        if let (Deed::Reading(reading), Agreement::Agrees { from_unix_ms, to_unix_ms }) =
            (&act.deed, agreement)
        {
            let (from, to) = (dated(at, from_unix_ms), dated(at, to_unix_ms));
            let mut points = self.points.iter_mut().filter(|point| point.meter == reading.meter);
            if points.any(|point| point.prove_by_utility(reading, &from, &to)) {
                self.advance(at, say);
                // Only now a hold may have begun which this very reading agrees with.
                self.cut.agree(&act.deed, agreement);
            }
            self.climb(at, say);
            self.cut.tell(say);
        }
        Ok(())
    }

    /// Takes what a meter shows. Tells true when voltage was first seen behind the cut.
    pub fn on_seen(&mut self, seen: &Seen, say: &mut dyn FnMut(Said)) -> bool {
        let is_isolating = self.cut.stand().rung.is_isolating();
        let (mut is_fed, mut proves) = (false, false);
        for place in 0..self.points.len() {
            let Some(point) = self.points.get_mut(place).filter(|point| point.concerns(seen.meter)) else {
                continue;
            };
            if seen.is_told && point.meter == seen.meter {
                let fed = seen.is_fed && is_isolating;
                let was_fed = std::mem::replace(&mut point.is_fed, fed);
                is_fed |= fed && !was_fed;
            }
            match point.hear(seen) {
                Heard::Proof => proves = true,
                Heard::Moves(cue) => {
                    // What is proven of it begins with its next rest.
                    point.doubt();
                    self.on_cue(&seen.at, cue, say);
                }
                Heard::Live => self.on_live(say),
                Heard::Nothing => {}
            }
        }
        if proves {
            self.advance(&seen.at, say);
            self.climb(&seen.at, say);
            self.note(&seen.at, say);
        }
        is_fed
    }

    /// Takes power that was told before the witness was stopped.
    pub fn on_power(&mut self, at: &Stamp, power: Cue, say: &mut dyn FnMut(Said)) {
        self.points.iter_mut().for_each(Watched::doubt);
        self.on_cue(at, power, say);
    }

    /// A register that moved while the witness was dark is power: no hold goes on over it. `possible` is the most that can
    /// have passed meanwhile.
    pub fn on_dark(&mut self, at: &Stamp, told: &DarkMeter, possible: WattHours, say: &mut dyn FnMut(Said)) {
        let mut woke = Woke::Still;
        for point in self.points.iter_mut().filter(|point| point.concerns(told.meter)) {
            woke = woke.max(point.wake(told, possible));
        }
        if self.cut.stand().hold.is_none() {
            return;
        }
        match woke {
            Woke::Still => {}
            Woke::Moved => self.restart(at, say),
            Woke::Leapt => self.on_cue(at, Cue::Masked, say),
            Woke::Drew => self.on_cue(at, Cue::Drawing, say),
        }
    }

    /// Recalls the register of a meter at both ends of an interval.
    pub fn recall_interval(&mut self, meter: MeterId, error_ppm: i64, (before, after): (&Mark, &Mark)) {
        for point in self.points.iter_mut().filter(|point| point.meter == meter) {
            point.error_ppm = error_ppm;
            point.days.recall(before, after);
        }
    }

    /// Takes the passing of time. `is_awake` says that the witness itself has not slept since the last time.
    pub fn on_tick(&mut self, at: &Stamp, is_awake: bool, say: &mut dyn FnMut(Said)) {
        let listening = match self.listening_since {
            Some(since) if is_awake => since,
            Some(_) | None => *at,
        };
        self.listening_since = Some(listening);
        let stand = self.cut.stand();
        let since = stand.hold.map_or(stand.since, |hold| hold.until);
        let quiet_ms = at.since_ms(&since).min(at.since_ms(&listening));
        let is_quiet = quiet_ms > self.patience_ms();
        if is_quiet && stand.rung.is_held() {
            self.cut.hear(at, Cue::NoEvidence, None, say);
        } else if is_quiet && stand.rung == Rung::Suspended && stand.hold.is_some() {
            self.cut.break_off(say);
            self.cut.tell(say);
            self.not_before = Some(*at);
        }
        let until = self.cut.stand().suspended_until_unix_ms;
        if at.clock != ClockQuality::Unset && until.is_some_and(|until| at.wall_unix_ms >= until) {
            self.cut.hear(at, Cue::SuspensionOver, None, say);
        }
    }

    /// The wall clock was moved.
    pub fn on_clock_step(&mut self, now: &Stamp, say: &mut dyn FnMut(Said)) {
        self.points.iter_mut().for_each(|point| point.on_clock_step(now));
        for at in [&mut self.listening_since, &mut self.not_before, &mut self.noted_at].into_iter().flatten()
        {
            *at = redated(at, now);
        }
        if let Some(hold) = &mut self.cut.stand.hold {
            hold.on_clock_step(now);
            self.cut.tell(say);
        }
    }

    /// What a reading comes to. Days that both meters have counted are told, each with both figures.
    fn weigh(&self, at: &Stamp, deed: &Deed, say: &mut dyn FnMut(Said)) -> Agreement {
        let Deed::Reading(reading) = deed else { return Agreement::TellsNothing };
        let (order, stand) = (self.cut.order(), self.cut.stand());
        let mut agrees = true;
        for point in self.points.iter().filter(|point| point.meter == reading.meter) {
            for day in point.days.beside((order.id, order.asset), point.error_ppm, reading) {
                agrees &= day.agrees();
                say(Said::Day(day));
            }
        }
        if agrees {
            reading
                .says(stand.hold.map_or(stand.since, |hold| hold.since).wall_unix_ms)
                .until(at.wall_unix_ms)
        } else {
            Agreement::Differs
        }
    }

    /// Power, doubt: an order that was not seen long enough is only not cut yet.
    fn on_cue(&mut self, at: &Stamp, cue: Cue, say: &mut dyn FnMut(Said)) {
        self.on_live(say);
        let is_power = matches!(cue, Cue::Drawing | Cue::Exporting);
        let is_unseen = is_power && !self.cut.stand().was_seen;
        self.cut.hear(at, if is_unseen { Cue::PowerBack } else { cue }, None, say);
    }

    /// A suspended order to which power returned is to be cut anew.
    fn on_live(&mut self, say: &mut dyn FnMut(Said)) {
        let rung = self.cut.stand().rung;
        // Nobody has seen the cut yet, or it may be fed: what was proven so far is no hold that power may interrupt.
        if matches!(rung, Rung::Suspended | Rung::CutClaimed) {
            self.cut.break_off(say);
        }
        self.cut.stand.is_fed_again |= rung == Rung::Suspended;
        if rung == Rung::Suspended {
            // No stop of the witness may wipe that.
            self.cut.tell(say);
        }
    }

    fn patience_ms(&self) -> i64 {
        if self.points.iter().any(|point| point.carrier == Carrier::Utility) {
            UTILITY_PATIENCE_MS
        } else {
            self.cut.order().holds.longest_gap_ms
        }
    }

    /// The hold goes on up to where every point is proven, or is broken off, or begins.
    fn advance(&mut self, at: &Stamp, say: &mut dyn FnMut(Said)) {
        let Some(to) = self.proven_to() else { return };
        let Some(hold) = &mut self.cut.stand.hold else { return self.begin(at, &to) };
        let span_ms = to.since_ms(&hold.until);
        let gap = self.points.iter().map(|point| point.gap).max().unwrap_or_default();
        if span_ms <= 0 && gap != Gap::Torn {
            return;
        }
        let holds = self.cut.order.holds;
        let moved = hold.moved.max(WattHours(sum(&self.points, Watched::moved)));
        let blind = hold.blind.max(WattHours(sum(&self.points, Watched::blind)));
        let carrier = hold.carrier.max(carrier(&self.points));
        // What the supplier's register shows is for its readings to say.
        let has_drawn = moved > blind && carrier != Carrier::Utility;
        match gap {
            Gap::Leapt => return self.on_cue(at, Cue::Masked, say),
            Gap::Still | Gap::Torn if has_drawn => return self.on_cue(at, Cue::Drawing, say),
            Gap::None => hold.prove(&to, &holds),
            Gap::Still if span_ms <= holds.longest_gap_ms => hold.pause(&to, &holds),
            Gap::Still | Gap::Torn => return self.restart(at, say),
        }
        (hold.moved, hold.blind, hold.carrier) = (moved, blind, carrier);
        hold.registers = registers(&self.points);
        let is_covered = hold.is_covered(&holds);
        let was_seen = hold.is_seen(&holds);
        self.cut.stand.was_seen |= was_seen;
        self.points.iter_mut().for_each(|point| point.gap = Gap::None);
        if has_drawn {
            self.on_cue(at, Cue::Drawing, say);
        } else if !is_covered && matches!(self.cut.stand().rung, Rung::Verified | Rung::Maintained) {
            self.cut.hear(at, Cue::NoEvidence, None, say);
        }
    }

    /// What was proven is kept; the next hold begins with what is proven now.
    fn restart(&mut self, at: &Stamp, say: &mut dyn FnMut(Said)) {
        if !self.cut.hear(at, Cue::Gap, None, say) {
            self.cut.break_off(say);
        }
        if let Some(to) = self.proven_to() {
            self.begin(at, &to);
        }
        self.cut.tell(say);
    }

    fn begin(&mut self, at: &Stamp, to: &Stamp) {
        let stand = self.cut.stand();
        let may = stand.rung.is_held()
            || matches!(stand.rung, Rung::CutClaimed | Rung::Indeterminate)
            || stand.rung == Rung::Suspended && !stand.is_fed_again && stand.was_seen;
        if !may || !self.is_fresh(at) {
            return;
        }
        let runs = self.points.iter().filter_map(|point| point.run_from);
        let latest = |first: Stamp, next: Stamp| if first.is_before(&next) { next } else { first };
        let least = self.not_before.map_or(stand.since, |given| latest(stand.since, given));
        // A step of before the clock was set is dated by that clock yet.
        let from = redated(&latest(least, runs.fold(least, latest)), at);
        if to.since_ms(&from) < 0 {
            return;
        }
        let blind = WattHours(sum(&self.points, Watched::blind));
        let mut hold = Hold::beginning(&from, carrier(&self.points), blind);
        self.points.iter_mut().for_each(Watched::begin);
        hold.registers = registers(&self.points);
        hold.prove(to, &self.cut.order.holds);
        self.cut.stand.hold = Some(hold);
    }

    /// Up the ladder, as far as the hold carries. Only on fresh proof: what was held until some time ago may have ended.
    fn climb(&mut self, at: &Stamp, say: &mut dyn FnMut(Said)) {
        if !self.is_fresh(at) {
            return;
        }
        if self.cut.stand().hold.is_some() {
            self.cut.hear(at, Cue::Dead, None, say);
        }
        while self.cut.is_due() && self.cut.hear(at, Cue::Held, None, say) {}
        if self.cut.stand().is_sealed {
            self.cut.hear(at, Cue::SealStands, None, say);
        }
        if self.cut.is_month_due() {
            self.cut.hear(at, Cue::MonthHeld, None, say);
        }
        if self.cut.has_lapsed() {
            self.cut.hear(at, Cue::Lapsed, None, say);
        }
    }

    /// Tells a hold that runs, before more of it is proven than the log may miss.
    fn note(&mut self, at: &Stamp, say: &mut dyn FnMut(Said)) {
        let proven = |stand: &Stand| stand.hold.map_or(0, |hold| hold.proven_ms);
        let untold_ms = proven(self.cut.stand()).saturating_sub(proven(self.cut.told()));
        if untold_ms >= NOTE_MS || self.noted_at.is_none_or(|noted| at.since_ms(&noted) >= NOTE_MS) {
            self.noted_at = Some(*at);
            self.cut.tell(say);
        }
    }

    fn is_fresh(&self, at: &Stamp) -> bool {
        self.points.iter().all(|point| point.is_fresh(at, UTILITY_PATIENCE_MS))
    }

    /// Up to where every point is proven.
    fn proven_to(&self) -> Option<Stamp> {
        let mut earliest: Option<Stamp> = None;
        for point in &self.points {
            let to = point.proven_to?;
            earliest = Some(earliest.filter(|earliest| to.since_ms(earliest) >= 0).unwrap_or(to));
        }
        earliest
    }
}

/// What the points of the order know of their registers; process feeders beside come after them, and have no place.
fn registers(points: &[Watched]) -> Registers {
    let mut registers = Registers::default();
    for (place, point) in points.iter().enumerate() {
        registers.set(place, point.known());
    }
    registers
}

fn points_of(order: &Order, beside: impl Iterator<Item = MeterId>) -> Vec<Watched> {
    let mut points: Vec<Watched> = order.points.iter().map(Watched::of).collect();
    for meter in beside {
        if points.iter().all(|point| point.meter != meter) {
            points.push(Watched::beside(meter));
        }
    }
    points
}

fn sum(points: &[Watched], of: impl Fn(&Watched) -> WattHours) -> i64 {
    points.iter().fold(0, |sum, point| sum.saturating_add(of(point).0))
}

/// The least of those who carry the proof.
fn carrier(points: &[Watched]) -> Carrier {
    points.iter().map(|point| point.by).max().unwrap_or(Carrier::Own)
}

/// A moment of the supplier's clock, as ours tells it.
fn dated(now: &Stamp, unix_ms: i64) -> Stamp {
    let ago_ms = now.wall_unix_ms.saturating_sub(unix_ms);
    let uptime_ms = now.uptime_ms.cast_signed().saturating_sub(ago_ms);
    match u64::try_from(uptime_ms) {
        Ok(uptime_ms) => Stamp { wall_unix_ms: unix_ms, uptime_ms, ..*now },
        // Before this boot.
        Err(_) => Stamp::of_no_boot(unix_ms, now),
    }
}
