//! What the verdicts of a log on a piece of equipment come to, day by day, so that a report of a quarter reads as many sums as
//! there are days, and not each verdict.
//!
//! A sum is no evidence: it is made of signed records alone, names the first and the last of them and how many there are, and
//! can be made anew. Up to its head a log has no hole and never changes, so its verdicts are added up in the order of their
//! places, as far as [`keep`] has got; what came since is added up by whoever asks. Whatever is kept below that place later,
//! and whatever is pruned, makes the store forget the sums of the log.

mod mark;
mod silence;
mod spell;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde_json::{Value, json};

pub use self::{
    mark::{Bearing, Mark},
    silence::Silences,
    spell::Spell,
};
use super::store::{Answered, Batch, Kept, Log, Store};
use crate::{
    judge::Verdict,
    terms::{AssetId, Digest, LegalDay},
};

/// Verdicts read at once.
const PAGE: u32 = 256;
/// Places of a log that are added up in one batch.
pub const PLACES_AT_ONCE: u64 = 4_096;

/// Days after which what arrives is late: whoever reports on a time has reported by then.
pub const LATE_DAYS: i64 = 15;
/// What time that was told may be short of what was due and still be all of it, in milliseconds: moments are rounded.
const ROUNDED_MS: i64 = 1_000;

/// A place in a log, and the hash of the record there.
pub type Place = (u64, Digest);

/// How time was accounted for, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accounted {
    /// Seen.
    pub observed_ms: i64,
    /// Told by registers on both sides.
    pub bridged_ms: i64,
    /// Told by nothing.
    pub unaccounted_ms: i64,
}

impl Accounted {
    fn of(verdict: &Verdict) -> Accounted {
        let shares = &verdict.shares;
        let (observed_ms, bridged_ms) = (shares.observed_ms(), shares.bridged_ms());
        Accounted { observed_ms, bridged_ms, unaccounted_ms: shares.unaccounted_ms() }
    }

    /// What is left without so much.
    fn less(self, other: Accounted) -> Accounted {
        Accounted {
            observed_ms: self.observed_ms.saturating_sub(other.observed_ms),
            bridged_ms: self.bridged_ms.saturating_sub(other.bridged_ms),
            unaccounted_ms: self.unaccounted_ms.saturating_sub(other.unaccounted_ms),
        }
    }

    /// And so much more.
    pub fn add(&mut self, more: Accounted) {
        self.observed_ms = self.observed_ms.saturating_add(more.observed_ms);
        self.bridged_ms = self.bridged_ms.saturating_add(more.bridged_ms);
        self.unaccounted_ms = self.unaccounted_ms.saturating_add(more.unaccounted_ms);
    }

    fn seen_ms(&self) -> i64 {
        self.observed_ms.saturating_add(self.bridged_ms)
    }

    fn told_ms(&self) -> i64 {
        self.seen_ms().saturating_add(self.unaccounted_ms)
    }

    /// What no reading and no register bears witness of, of the time that was due, in milliseconds.
    pub fn unseen_ms(&self, due_ms: i64) -> i64 {
        self.unaccounted_ms.saturating_add(self.untold_ms(due_ms))
    }

    /// What nobody told anything of, of the time that was due, in milliseconds.
    pub fn untold_ms(&self, due_ms: i64) -> i64 {
        let short_ms = due_ms.saturating_sub(self.told_ms());
        if short_ms > ROUNDED_MS { short_ms } else { 0 }
    }

    /// The part of the time that was due that is witnessed, in hundredths of a percent, never more than what was told
    /// bears: silence counts against it. None where no time was due.
    pub fn covered(&self, due_ms: i64) -> Option<i64> {
        let whole_ms = self.told_ms().saturating_add(self.untold_ms(due_ms));
        self.seen_ms().saturating_mul(10_000).checked_div(whole_ms)
    }

    /// What of it lies between two moments, in milliseconds since its time began, when it is spread evenly.
    fn between(&self, from_ms: i64, to_ms: i64) -> Accounted {
        let whole_ms = i128::from(self.told_ms().max(1));
        let until = |share_ms: i64, ms: i64| i128::from(share_ms) * i128::from(ms) / whole_ms;
        let part = |share_ms| i64::try_from(until(share_ms, to_ms) - until(share_ms, from_ms)).unwrap_or(0);
        let Accounted { observed_ms, bridged_ms, unaccounted_ms } = *self;
        Accounted {
            observed_ms: part(observed_ms),
            bridged_ms: part(bridged_ms),
            unaccounted_ms: part(unaccounted_ms),
        }
    }
}

/// What the count of energy past the last lawful day, as of closed intervals, rose by between verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rise {
    /// In watt-hours.
    pub energy_wh: i64,
    /// The verdict before.
    pub first: Place,
    /// The verdict after.
    pub last: Place,
}

/// A violation that a verdict tells of and the verdict before did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latch {
    /// Since when it is latched by the gateway's clock, Unix milliseconds: what tells one from another.
    pub since_unix_ms: i64,
    /// When it was proven, never later than the verdict arrived, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The verdict.
    pub place: Place,
}

/// The verdicts that tell of one day on one piece of equipment; one that tells of two days is of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaySum {
    /// How many there are.
    pub verdicts: u64,
    /// Where the time began that the first of them tells of, Unix milliseconds.
    pub began_unix_ms: i64,
    /// The first of them by its place.
    pub first: Place,
    /// The last of them.
    pub last: Place,
    /// How its time was accounted for.
    pub accounted: Accounted,
    /// What energy rose by that was drawn on no later day, by the first day it may have been, which is this day itself but for
    /// gaps, and by what the verdict says of its price.
    pub rises: BTreeMap<(LegalDay, Bearing), Rise>,
    /// Violations that were told of for the first time.
    pub latches: Vec<Latch>,
    /// What arrived on this day and is of a day more than [`LATE_DAYS`] before: energy by the first and the last day on which
    /// it may have been drawn.
    pub late: BTreeMap<(LegalDay, LegalDay, Bearing), Rise>,
    /// Violations that were told of for the first time so late.
    pub late_latches: Vec<Latch>,
    /// What may go on or end with the verdict after the last of them, where adding up goes on from that one.
    pub silences: Silences,
    /// What was told of time last, which the verdict after may tell of, too.
    pub told: Option<Spell>,
}

impl DaySum {
    /// Of a first verdict, which is yet to be added.
    fn begun(mark: &Mark) -> DaySum {
        DaySum {
            verdicts: 0,
            began_unix_ms: mark.began_unix_ms(),
            first: mark.place,
            last: mark.place,
            accounted: Accounted::default(),
            rises: BTreeMap::new(),
            latches: Vec::new(),
            late: BTreeMap::new(),
            late_latches: Vec::new(),
            silences: Silences::default(),
            told: None,
        }
    }

    /// Adds what a verdict tells of the time of this day.
    fn add(&mut self, mark: &Mark, part: Accounted) {
        if self.verdicts == 0 {
            (self.began_unix_ms, self.first) = (mark.began_unix_ms(), mark.place);
        }
        self.verdicts += 1;
        self.last = mark.place;
        self.accounted.add(part);
    }

    /// Adds what a verdict of this day tells that is new since the one before, and since a silence that it ends.
    fn tell(&mut self, mark: &Mark, before: Option<&Mark>, since: Option<i64>) {
        self.latches.extend(mark.latch(before));
        if let Some((from, rise)) = before.and_then(|before| mark.rise(before, since)) {
            more(&mut self.rises, (from, mark.bearing), rise);
        }
    }

    /// Adds what a verdict tells that arrived on this day, long after its own.
    fn tell_late(&mut self, mark: &Mark, before: Option<&Mark>, since: Option<i64>) {
        self.late_latches.extend(mark.latch(before));
        if let Some((from, rise)) = before.and_then(|before| mark.rise(before, since)) {
            more(&mut self.late, (from, mark.day(), mark.bearing), rise);
        }
    }

    /// As it is kept.
    pub fn to_text(&self) -> String {
        let place = |(seq, hash): &Place| json!([seq, hash.to_string()]);
        let figures = |rise: &Rise| json!([rise.energy_wh, place(&rise.first), place(&rise.last)]);
        let rise = |((from, bearing), rise): (&(LegalDay, Bearing), &Rise)| {
            json!([from.number(), bearing.word(), figures(rise)])
        };
        let late = |((from, to, bearing), rise): (&(LegalDay, LegalDay, Bearing), &Rise)| {
            json!([from.number(), to.number(), bearing.word(), figures(rise)])
        };
        let latch = |latch: &Latch| json!([latch.since_unix_ms, latch.at_unix_ms, place(&latch.place)]);
        let Accounted { observed_ms, bridged_ms, unaccounted_ms } = self.accounted;
        json!({
            "verdicts": self.verdicts,
            "began_unix_ms": self.began_unix_ms,
            "first": place(&self.first),
            "last": place(&self.last),
            "accounted_ms": [observed_ms, bridged_ms, unaccounted_ms],
            "rises": self.rises.iter().map(rise).collect::<Vec<_>>(),
            "latches": self.latches.iter().map(latch).collect::<Vec<_>>(),
            "late": self.late.iter().map(late).collect::<Vec<_>>(),
            "late_latches": self.late_latches.iter().map(latch).collect::<Vec<_>>(),
            "silences": self.silences.to_json(),
            "told": self.told.map(Spell::to_json),
        })
        .to_string()
    }

    /// Reads what is kept; `None` for what this program did not write.
    pub fn of_text(text: &str) -> Option<DaySum> {
        let json: Value = serde_json::from_str(text).ok()?;
        let list = |name: &str| json.get(name)?.as_array().map(Vec::as_slice);
        let told = json.get("told")?;
        let [observed_ms, bridged_ms, unaccounted_ms] = list("accounted_ms")? else { return None };
        let accounted = Accounted {
            observed_ms: observed_ms.as_i64()?,
            bridged_ms: bridged_ms.as_i64()?,
            unaccounted_ms: unaccounted_ms.as_i64()?,
        };
        Some(DaySum {
            verdicts: json.get("verdicts")?.as_u64()?,
            began_unix_ms: json.get("began_unix_ms")?.as_i64()?,
            first: place(json.get("first")?)?,
            last: place(json.get("last")?)?,
            accounted,
            rises: list("rises")?.iter().map(rise).collect::<Option<_>>()?,
            latches: list("latches")?.iter().map(latch).collect::<Option<_>>()?,
            late: list("late")?.iter().map(late).collect::<Option<_>>()?,
            late_latches: list("late_latches")?.iter().map(latch).collect::<Option<_>>()?,
            silences: Silences::of_json(json.get("silences")?)?,
            told: if told.is_null() { None } else { Some(Spell::of_json(told)?) },
        })
    }
}

fn place(json: &Value) -> Option<Place> {
    let [seq, hash] = json.as_array()?.as_slice() else { return None };
    Some((seq.as_u64()?, Digest::from_hex(hash.as_str()?)?))
}

fn figures(json: &Value) -> Option<Rise> {
    let [energy_wh, first, last] = json.as_array()?.as_slice() else { return None };
    Some(Rise { energy_wh: energy_wh.as_i64()?, first: place(first)?, last: place(last)? })
}

fn day_of(json: &Value) -> Option<LegalDay> {
    Some(LegalDay::numbered(i32::try_from(json.as_i64()?).ok()?))
}

fn rise(json: &Value) -> Option<((LegalDay, Bearing), Rise)> {
    let [from, bearing, rise] = json.as_array()?.as_slice() else { return None };
    Some(((day_of(from)?, Bearing::of_word(bearing.as_str()?)?), figures(rise)?))
}

fn late(json: &Value) -> Option<((LegalDay, LegalDay, Bearing), Rise)> {
    let [from, to, bearing, rise] = json.as_array()?.as_slice() else { return None };
    Some(((day_of(from)?, day_of(to)?, Bearing::of_word(bearing.as_str()?)?), figures(rise)?))
}

/// So much more under a key.
fn more<K: Ord>(rises: &mut BTreeMap<K, Rise>, key: K, rise: Rise) {
    let sum = rises.entry(key).or_insert(Rise { energy_wh: 0, ..rise });
    sum.energy_wh = sum.energy_wh.saturating_add(rise.energy_wh);
    sum.last = rise.last;
}

fn latch(json: &Value) -> Option<Latch> {
    let [since, at, told] = json.as_array()?.as_slice() else { return None };
    Some(Latch { since_unix_ms: since.as_i64()?, at_unix_ms: at.as_i64()?, place: place(told)? })
}

/// What the verdicts on one piece of equipment come to, and the one that was added last.
#[derive(Clone, Debug, Default)]
pub struct Adding {
    /// Day by day.
    pub days: BTreeMap<LegalDay, DaySum>,
    before: Option<Mark>,
    silences: Silences,
    told: Option<Spell>,
}

impl Adding {
    /// Goes on after a place up to which all is kept.
    fn resume(&mut self, store: &mut dyn Store, of: (Log, AssetId), after: u64) -> Answered<()> {
        self.before = store.verdict_to(of, after)?.and_then(|(_, record)| Mark::read(&record));
        if let Some(day) = self.before.map(|before| before.day())
            && let Some((_, _, sum)) = store.day_sums(of.0, Some(of.1), (day, day))?.into_iter().next()
        {
            (self.silences, self.told) = (sum.silences, sum.told);
        }
        Ok(())
    }

    /// What the next verdict adds to the time of each day that it tells of, another meter may have told already; and what is
    /// told of time by then.
    fn parts(&self, mark: &Mark) -> (BTreeMap<LegalDay, Accounted>, Option<Spell>) {
        let mut parts = BTreeMap::from([(mark.day(), Accounted::default())]);
        let Some(own) = Spell::of(mark) else { return (parts, self.told) };
        let both = self.told.and_then(|told| Some((told, told.and(&own)?)));
        let now = both.map_or(own, |(_, now)| now);
        for (day, part) in now.parts() {
            parts.entry(day).or_default().add(part);
        }
        for (day, part) in both.iter().flat_map(|(told, _)| told.parts()) {
            let rest = parts.entry(day).or_default();
            *rest = rest.less(part);
        }
        (parts, Some(now))
    }

    /// Adds the next verdict by its place, to the days that are wanted.
    pub fn add(&mut self, mark: Mark, is_wanted: &dyn Fn(LegalDay) -> bool) {
        let since = self.silences.since(&mark);
        self.silences.on(&mark);
        let (parts, told) = self.parts(&mark);
        self.told = told;
        let before = self.before.as_ref();
        for (day, part) in parts.into_iter().filter(|(day, _)| is_wanted(*day)) {
            let sum = self.days.entry(day).or_insert_with(|| DaySum::begun(&mark));
            sum.add(&mark, part);
            if day == mark.day() {
                sum.tell(&mark, before, since);
                sum.silences.clone_from(&self.silences);
                sum.told = self.told;
            }
        }
        if let Some(arrived) = mark.arrived_late().filter(|day| is_wanted(*day)) {
            let sum = self.days.entry(arrived).or_insert_with(|| DaySum::begun(&mark));
            sum.tell_late(&mark, before, since);
        }
        self.before = Some(mark);
    }
}

/// Of which verdicts sums are made: those of a log on a piece of equipment, after a place, up to another.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Whose log, which one, and on what.
    pub of: (Log, AssetId),
    /// The place that was reached before; none where nothing was added up.
    pub after: Option<u64>,
    /// The last place that is looked at.
    pub to: u64,
}

/// All days there are.
pub const EVER: Range<LegalDay> = LegalDay::numbered(i32::MIN)..LegalDay::numbered(i32::MAX);

/// Goes on adding up, from sums as they were at the place that was reached: these, and of further days those that are kept.
/// Days that are not wanted are passed over.
///
/// # Errors
/// The store cannot be read.
pub fn go_on(
    store: &mut dyn Store,
    Stretch { of, after, to }: Stretch,
    days: BTreeMap<LegalDay, DaySum>,
    wanted: &Range<LegalDay>,
) -> Answered<BTreeMap<LegalDay, DaySum>> {
    let mut adding = Adding { days, ..Adding::default() };
    let (mut resumed, mut from) = (after.is_none(), Some(after));
    while let Some(last) = from.take() {
        for (seq, record) in store.verdicts(of, last, to, PAGE)? {
            from = Some(Some(seq));
            let Some(mark) = Mark::read(&record) else { continue };
            if let Some(after) = after {
                if !std::mem::replace(&mut resumed, true) {
                    adding.resume(store, of, after)?;
                }
                for day in adding.parts(&mark).0.into_keys().chain(mark.arrived_late()) {
                    if wanted.contains(&day) && !adding.days.contains_key(&day) {
                        let known = store.day_sums(of.0, Some(of.1), (day, day))?;
                        adding.days.extend(known.into_iter().map(|(_, day, sum)| (day, sum)));
                    }
                }
            }
            adding.add(mark, &|day| wanted.contains(&day));
        }
    }
    Ok(adding.days)
}

/// The sums of a log that a batch keeps.
#[derive(Clone, Debug)]
pub struct Summed {
    /// Which log.
    pub log: Log,
    /// The last place that is added up.
    pub upto: u64,
    /// The days that are others now.
    pub days: BTreeMap<(AssetId, LegalDay), DaySum>,
}

/// Adds up what these logs say since they were added up last, and keeps the sums. Tells which of them are not through.
///
/// # Errors
/// The store failed; nothing of it is kept then.
pub fn keep(store: &mut dyn Store, logs: &[Kept]) -> Answered<Vec<Kept>> {
    let mut behind: Vec<Kept> = Vec::new();
    for kept in logs {
        let summed = store.summed((kept.gateway, kept.log))?;
        if summed.is_none_or(|upto| upto < kept.seq) {
            behind.push(*kept);
        }
    }
    if behind.is_empty() {
        return Ok(behind);
    }
    store.begin(&behind.iter().map(|kept| (kept.gateway, kept.log)).collect::<BTreeSet<Log>>())?;
    let sums: Answered<Vec<Summed>> = behind.iter().map(|kept| stretch(store, kept)).collect();
    match sums {
        Ok(sums) => {
            let is_behind = |kept: &Kept| {
                sums.iter().any(|summed| summed.log == (kept.gateway, kept.log) && summed.upto < kept.seq)
            };
            let left = behind.iter().filter(|kept| is_behind(kept)).copied().collect();
            store.commit(&Batch { sums, ..Batch::default() })?;
            Ok(left)
        }
        Err(fault) => {
            store.abandon();
            Err(fault)
        }
    }
}

/// The next places of a log, added to what is kept.
fn stretch(store: &mut dyn Store, kept: &Kept) -> Answered<Summed> {
    let log = (kept.gateway, kept.log);
    let after = store.summed(log)?;
    let begin = after.map_or(0, |after| after.saturating_add(1));
    let upto = begin.saturating_add(PLACES_AT_ONCE - 1).min(kept.seq);
    let mut days = BTreeMap::new();
    for asset in store.judged(log)? {
        let of = (log, asset);
        let sums = go_on(store, Stretch { of, after, to: upto }, BTreeMap::new(), &EVER)?;
        days.extend(sums.into_iter().map(|(day, sum)| ((asset, day), sum)));
    }
    Ok(Summed { log, upto, days })
}

#[cfg(test)]
mod tests {
    use super::{mark::tests::*, spell::MOST_DAYS, *};
    use crate::{judge::ledger::INTERVAL_MS, terms::time::DAY_MS};

    fn added(marks: impl IntoIterator<Item = Mark>) -> BTreeMap<LegalDay, DaySum> {
        let mut adding = Adding::default();
        marks.into_iter().for_each(|mark| adding.add(mark, &|_| true));
        adding.days
    }

    fn rises(sum: &DaySum) -> Vec<(String, i64, u64)> {
        sum.rises.iter().map(|((from, _), rise)| (from.to_string(), rise.energy_wh, rise.first.0)).collect()
    }

    #[test]
    fn a_sum_is_read_as_it_was_written_and_nothing_else_is() {
        let midnight = day("2026-01-02").starts_unix_ms();
        // The second comes so late that nobody knows on which day it was drawn.
        let days = added([
            mark(3, midnight - 1_800_000, 7, None),
            mark(9, midnight + 1_800_000, 12, Some(midnight)),
            mark(12, midnight + 2_700_000, 20, Some(midnight + 1)),
        ]);
        assert_eq!(days.len(), 2);
        let (day, sum) = days.last_key_value().unwrap();
        assert_eq!((day.to_string().as_str(), sum.verdicts, sum.latches.len()), ("2026-01-02", 2, 2));
        assert_eq!(rises(sum), [("2026-01-01".to_owned(), 5, 3), ("2026-01-02".to_owned(), 8, 9)]);
        let text = sum.to_text();
        assert_eq!(DaySum::of_text(&text).as_ref(), Some(sum));
        for wrong in ["", "{}", "[]", &text.replace("verdicts", "x"), &text.replace("\"no_roster\"", "\"x\"")]
        {
            assert_eq!(DaySum::of_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_quarter_of_an_hour_is_of_the_day_it_lies_on_however_late_it_is_told() {
        let (first, second) = (day("2026-01-02"), day("2026-01-03"));
        // What is told late by a poll, by two of a minute each, and by a clock that is minutes ahead or behind.
        for late_ms in [0, 1, 528, 33_506, 120_000, 440_000, -1, -440_000] {
            let at = |quarter: i64| first.starts_unix_ms() + quarter * INTERVAL_MS + late_ms;
            let all = (-3..=196).zip(1..).map(|(quarter, seq)| mark(seq, at(quarter), quarter * 10, None));
            let days = added(all);
            for day in [first, second] {
                let sum = &days[&day];
                let drawn = [(day.to_string(), 960, sum.rises[&(day, Bearing::NoRoster)].first.0)];
                assert_eq!(rises(sum), drawn, "{late_ms} ms late");
                let short_ms = DAY_MS - sum.accounted.told_ms();
                assert!((0..=9).contains(&short_ms), "{late_ms} ms late: {short_ms}");
                assert_eq!(sum.accounted.untold_ms(DAY_MS), 0);
                assert_eq!(sum.accounted.covered(DAY_MS), Some(9_955), "{late_ms} ms late");
            }
        }
    }

    #[test]
    fn a_gap_across_midnight_is_cut_there_and_nobody_knows_on_which_day_its_energy_was_drawn() {
        let midnight = day("2026-01-02").starts_unix_ms();
        let hours = |ms: i64| ms * 3_600_000;
        let gap = Accounted { observed_ms: 0, bridged_ms: hours(4), unaccounted_ms: hours(2) };
        let after = Mark { accounted: gap, ..mark(2, midnight + hours(2), 500, None) };
        let days =
            added([mark(1, midnight - hours(4), 100, None), after, mark(3, midnight + hours(3), 600, None)]);
        let [before, later] = [&days[&day("2026-01-01")], &days[&day("2026-01-02")]];
        assert_eq!(
            (before.accounted.bridged_ms, before.accounted.unaccounted_ms - 4_000),
            (hours(8) / 3 + 6_000, hours(4) / 3)
        );
        assert_eq!(later.accounted.told_ms(), hours(2) + INTERVAL_MS);
        assert_eq!(rises(later), [("2026-01-01".to_owned(), 400, 1), ("2026-01-02".to_owned(), 100, 2)]);
        // One that says it tells of a thousand years is believed for one.
        let ages = Accounted { observed_ms: i64::MAX, bridged_ms: i64::MAX, unaccounted_ms: 0 };
        let all = added([Mark { accounted: ages, ..mark(1, midnight, 0, None) }]);
        assert_eq!(i32::try_from(all.len()), Ok(MOST_DAYS));
    }

    #[test]
    fn time_that_two_meters_tell_of_is_told_once_and_silence_counts_though_both_are_silent() {
        let midnight = day("2026-01-02").starts_unix_ms();
        // Two meters, and a gateway that is unplugged for every second quarter.
        let quarters = (1..=96).filter(|quarter| quarter % 2 == 1);
        let marks = quarters.flat_map(|quarter| {
            [100, 400].map(|late_ms| mark(1, midnight + quarter * INTERVAL_MS + late_ms, 0, None))
        });
        let days = added(marks);
        let sum = &days[&day("2026-01-02")];
        assert_eq!(sum.verdicts, 96);
        assert_eq!(sum.accounted.told_ms(), 48 * INTERVAL_MS);
        assert_eq!(sum.accounted.untold_ms(DAY_MS), 48 * INTERVAL_MS);
        assert_eq!(DaySum::of_text(&sum.to_text()).as_ref(), Some(sum));
    }

    #[test]
    fn what_was_drawn_in_a_silence_across_midnight_is_of_all_its_days_and_the_silence_of_each() {
        let midnight = day("2026-01-02").starts_unix_ms();
        let dark = Accounted { observed_ms: 0, bridged_ms: 0, unaccounted_ms: INTERVAL_MS };
        // Its meter answers until ten in the evening, and again from two on; its gateway tells each quarter meanwhile.
        let quarter = |quarter: i64| {
            let is_dark = (-8..8).contains(&quarter);
            let energy = if quarter < 8 { 100 } else { 500 + quarter };
            let told = mark(
                u64::try_from(quarter + 97).unwrap(),
                midnight + (quarter + 1) * INTERVAL_MS,
                energy,
                None,
            );
            if is_dark { Mark { accounted: dark, ..told } } else { told }
        };
        let days = added((-20..20).map(quarter));
        let [before, later] = [&days[&day("2026-01-01")], &days[&day("2026-01-02")]];
        assert_eq!(rises(before), []);
        let told: Vec<(String, i64)> = rises(later).into_iter().map(|(day, wh, _)| (day, wh)).collect();
        assert_eq!(told, [("2026-01-01".to_owned(), 408), ("2026-01-02".to_owned(), 11)]);
        for (sum, seen) in [(before, 12), (later, 12)] {
            assert_eq!(sum.accounted.unaccounted_ms, 8 * INTERVAL_MS + seen * QUARTER.unaccounted_ms);
        }
        assert_eq!(DaySum::of_text(&before.to_text()).as_ref(), Some(before));
    }

    #[test]
    fn what_arrives_long_after_its_day_is_told_on_the_day_it_arrives_too() {
        let noon = day("2026-01-02").starts_unix_ms() + DAY_MS / 2;
        let arrived = |mark: Mark, days: i64| Mark { received_unix_ms: noon + days * DAY_MS, ..mark };
        let days = added([
            arrived(mark(1, noon, 100, None), 15),
            arrived(mark(2, noon + INTERVAL_MS, 107, Some(noon + 5)), 15),
            arrived(mark(3, noon + 2 * INTERVAL_MS, 150, Some(noon + 9)), 16),
        ]);
        assert_eq!(days.keys().map(ToString::to_string).collect::<Vec<_>>(), ["2026-01-02", "2026-01-18"]);
        let [own, late] = [&days[&day("2026-01-02")], &days[&day("2026-01-18")]];
        assert_eq!((own.verdicts, own.latches.len(), own.late.len()), (3, 2, 0));
        assert_eq!((late.verdicts, late.rises.len(), late.late_latches.len()), (0, 0, 1));
        let key = (day("2026-01-02"), day("2026-01-02"), Bearing::NoRoster);
        assert_eq!((late.late[&key].energy_wh, late.late[&key].first.0), (43, 2));
        assert_eq!(DaySum::of_text(&late.to_text()).as_ref(), Some(late));
    }
}
