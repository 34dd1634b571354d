//! The two witnesses beside each other, day by day: what the supplier's meter counted and what ours did.

use super::reading::{Quality, UtilityReading};
use crate::{
    judge::{ledger::INTERVAL_MS, memory::Mark},
    terms::{AssetId, ClockQuality, LegalDay, MeterId, OrderId, WattHours, time::DAY_MS},
};

/// Most days of one meter that are remembered to be set beside the supplier's.
pub const MAX_DAYS: usize = 40;

/// Of intervals on record only their ends are recalled: two readings so far apart saw a midnight between them, in
/// milliseconds. What passed between the two is part of what the day may differ by.
const RECALLED_MS: i64 = 2 * INTERVAL_MS;

/// One day as both meters counted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Of which order.
    pub order: OrderId,
    /// On which equipment.
    pub asset: AssetId,
    /// Our metering point.
    pub meter: MeterId,
    /// The day's beginning, Unix milliseconds; a day of lawful Chinese time.
    pub from_unix_ms: i64,
    /// What our register counted.
    pub ours: WattHours,
    /// What the supplier's did.
    pub theirs: WattHours,
    /// What both together may err: their classes, two steps of each register, and what passed between the two readings
    /// on either side of each midnight.
    pub may_differ: WattHours,
}

impl Reconciliation {
    /// Whether the two agree.
    pub const fn agrees(&self) -> bool {
        self.ours.0.saturating_sub(self.theirs.0).saturating_abs() <= self.may_differ.0
    }
}

/// What our register counted on one whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    day: LegalDay,
    energy: WattHours,
    /// What passed between the readings around the two midnights.
    edges: WattHours,
    step: WattHours,
}

/// The day that runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    day: LegalDay,
    /// The register's last reading before midnight and its first after it, where they are near each other.
    opened: Option<(WattHours, WattHours)>,
    last: Mark,
}

/// One register by whole days. A day whose midnights nobody saw is not told: after a stop of the witness it begins with
/// the next.
#[derive(Clone, Debug, Default)]
pub(super) struct DayBook {
    counted: heapless::Deque<Counted, MAX_DAYS>,
    running: Option<Running>,
}

impl DayBook {
    /// Takes a good reading of the register. Two readings further apart than `patience_ms` saw no midnight between them.
    pub(super) fn on_mark(&mut self, mark: &Mark, patience_ms: i64) {
        if mark.at.clock == ClockQuality::Unset {
            self.running = None;
            return;
        }
        let (day, energy) = (mark.at.legal_day(), mark.register.energy);
        let begun = |opened| Some(Running { day, opened, last: *mark });
        let Some(running) = &mut self.running else {
            self.running = begun(None);
            return;
        };
        let (last, span_ms) = (running.last.register.energy, mark.at.since_ms(&running.last.at));
        if energy.0 < last.0 {
            // Another count, or one that went round: no day is told across it.
            self.running = begun(None);
        } else if day == running.day {
            running.last = *mark;
        } else {
            let is_close = (0..=patience_ms).contains(&span_ms) && running.day.days_to(day) == 1;
            if let (true, Some((before, first))) = (is_close, running.opened) {
                let edges = (first.0 - before.0).saturating_add(energy.0 - last.0);
                let counted = Counted {
                    day: running.day,
                    energy: WattHours(last.0 - before.0),
                    edges: WattHours(edges),
                    step: mark.register.step,
                };
                if self.counted.is_full() {
                    self.counted.pop_front();
                }
                // There is room now.
                let _kept = self.counted.push_back(counted);
            }
            self.running = begun(is_close.then_some((last, energy)));
        }
    }

    /// Recalls the register at both ends of an interval on record, in their order. One that does not begin where the one
    /// before it ended counts anew.
    pub(super) fn recall(&mut self, before: &Mark, after: &Mark) {
        let goes_on = |running: &Running| running.last.register.energy == before.register.energy;
        if !self.running.as_ref().is_some_and(goes_on) {
            self.running = None;
            self.on_mark(before, RECALLED_MS);
        }
        self.on_mark(after, RECALLED_MS);
    }

    /// The wall clock was moved: the day that runs is none.
    pub(super) fn on_clock_step(&mut self) {
        self.running = None;
    }

    /// Each whole day that both meters have counted. `error_ppm` is what our meter and its transformers may err.
    pub(super) fn beside<'a>(
        &'a self,
        of: (OrderId, AssetId),
        error_ppm: i64,
        reading: &'a UtilityReading,
    ) -> impl Iterator<Item = Reconciliation> + 'a {
        self.counted.iter().filter_map(move |counted| {
            let from_unix_ms = counted.day.starts_unix_ms();
            let theirs = whole_day(reading, from_unix_ms)?;
            let most = i128::from(counted.energy.0.max(theirs.0.saturating_abs()));
            let classes = most * i128::from(error_ppm.saturating_add(reading.error_ppm)) / 1_000_000;
            let steps = counted.step.0.saturating_add(reading.step.0).saturating_mul(2);
            let classes = i64::try_from(classes).unwrap_or(i64::MAX);
            let may_differ = classes.saturating_add(steps).saturating_add(counted.edges.0);
            Some(Reconciliation {
                order: of.0,
                asset: of.1,
                meter: reading.meter,
                from_unix_ms,
                ours: counted.energy,
                theirs,
                may_differ: WattHours(may_differ),
            })
        })
    }
}

/// What the supplier measured on the day that begins there; `None` unless measured spans cover it without a hole.
fn whole_day(reading: &UtilityReading, from_unix_ms: i64) -> Option<WattHours> {
    let to_unix_ms = from_unix_ms + DAY_MS;
    let (mut reached, mut energy) = (from_unix_ms, 0_i64);
    let inside = |span: &&super::reading::UtilitySpan| {
        span.from_unix_ms >= from_unix_ms && span.to_unix_ms <= to_unix_ms
    };
    for span in reading.spans.iter().filter(inside) {
        if span.quality != Quality::Measured || span.from_unix_ms != reached {
            return None;
        }
        energy = energy.saturating_add(span.energy.0);
        reached = span.to_unix_ms;
    }
    (reached == to_unix_ms).then_some(WattHours(energy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::cutoff::reading::{Switch, UtilitySpan},
        metering::Register,
        terms::Stamp,
    };

    const HOUR_MS: i64 = 3_600_000;
    const PATIENCE_MS: i64 = 60_000;

    fn midnight() -> i64 {
        LegalDay::parse("2026-11-16").unwrap().starts_unix_ms()
    }

    fn mark(after_ms: i64, energy: i64) -> Mark {
        let register =
            Register { energy: WattHours(energy), step: WattHours(10), modulus: None, raw: 0, raw_words: 2 };
        let uptime_ms = (10 * DAY_MS + after_ms).cast_unsigned();
        let at = Stamp {
            wall_unix_ms: midnight() + after_ms,
            uptime_ms,
            boot: 1,
            clock: ClockQuality::Ntp,
            error_ms: 1,
        };
        Mark { at, register }
    }

    fn spans(each: &[(i64, i64, i64, Quality)]) -> UtilityReading {
        let span = |(from, to, energy, quality): &(i64, i64, i64, Quality)| UtilitySpan {
            from_unix_ms: midnight() + from,
            to_unix_ms: midnight() + to,
            energy: WattHours(*energy),
            quality: *quality,
        };
        UtilityReading {
            meter: MeterId::new("m1").unwrap(),
            serial: None,
            source: None,
            error_ppm: 5_000,
            step: WattHours(100),
            switch: Switch::Closed,
            spans: each.iter().map(span).collect(),
        }
    }

    fn beside(book: &DayBook, reading: &UtilityReading) -> Vec<Reconciliation> {
        let of = (OrderId::new("order-1").unwrap(), AssetId::new("eaf-2").unwrap());
        book.beside(of, 5_000, reading).collect()
    }

    /// 100 kWh an hour, read every minute, over one whole day.
    fn a_day() -> DayBook {
        let mut book = DayBook::default();
        let mut at = -HOUR_MS;
        while at <= DAY_MS + HOUR_MS {
            book.on_mark(&mark(at, 1_000_000 + at / 36), PATIENCE_MS);
            at += 30_000;
        }
        book
    }

    #[test]
    fn a_day_agrees_within_both_classes_and_not_beyond() {
        let book = a_day();
        let day = |energy| spans(&[(0, DAY_MS, energy, Quality::Measured)]);
        let [same] = beside(&book, &day(2_400_000))[..] else { panic!() };
        assert!(same.agrees() && (same.ours.0 - 2_400_000).abs() <= 1_700, "{same:?}");
        // One per cent of 2.4 MWh, 220 Wh of steps, 1,666 Wh at the edges.
        assert!((25_000..=26_000).contains(&same.may_differ.0), "{same:?}");
        assert!(beside(&book, &day(2_400_000 + 24_000))[0].agrees());
        assert!(!beside(&book, &day(2_400_000 + 30_000))[0].agrees());
        assert!(!beside(&book, &day(0))[0].agrees(), "the supplier shows nothing where we saw a furnace");
    }

    #[test]
    fn a_day_that_either_has_not_counted_whole_is_not_compared() {
        let book = a_day();
        let half = DAY_MS / 2;
        let whole = [(0, half, 1_200_000, Quality::Measured), (half, DAY_MS, 1_200_000, Quality::Measured)];
        assert_eq!(beside(&book, &spans(&whole)).len(), 1);
        for wrong in [Quality::Estimated, Quality::Missing, Quality::Questionable] {
            let guessed = [whole[0], (half, DAY_MS, 1_200_000, wrong)];
            assert_eq!(beside(&book, &spans(&guessed)), []);
        }
        let hole = [whole[0], (half + 1, DAY_MS, 1_200_000, Quality::Measured)];
        assert_eq!(beside(&book, &spans(&hole)), []);
        let across = [(-HOUR_MS, DAY_MS, 2_500_000, Quality::Measured)];
        assert_eq!(beside(&book, &spans(&across)), []);
        // Nobody of ours saw the midnight.
        let mut late = DayBook::default();
        for at in [-HOUR_MS, HOUR_MS, DAY_MS - 1_000, DAY_MS + 1_000, 2 * DAY_MS - 1_000, 2 * DAY_MS + 1_000]
        {
            late.on_mark(&mark(at, 1_000_000), PATIENCE_MS);
        }
        assert_eq!(beside(&late, &spans(&whole)), []);
        let next = [(DAY_MS, 2 * DAY_MS, 0, Quality::Measured)];
        assert!(beside(&late, &spans(&next))[0].agrees());
    }

    #[test]
    fn no_day_is_told_across_a_register_that_fell_or_a_clock_that_was_moved() {
        let day = spans(&[(0, DAY_MS, 0, Quality::Measured)]);
        let two = |change: &dyn Fn(&mut DayBook)| {
            let mut book = DayBook::default();
            book.on_mark(&mark(-1_000, 500), PATIENCE_MS);
            book.on_mark(&mark(1_000, 500), PATIENCE_MS);
            change(&mut book);
            book.on_mark(&mark(DAY_MS - 1_000, 500), PATIENCE_MS);
            book.on_mark(&mark(DAY_MS + 1_000, 500), PATIENCE_MS);
            beside(&book, &day).len()
        };
        assert_eq!(two(&|_| ()), 1);
        assert_eq!(two(&|book| book.on_mark(&mark(HOUR_MS, 400), PATIENCE_MS)), 0);
        assert_eq!(two(&DayBook::on_clock_step), 0);
    }
}
