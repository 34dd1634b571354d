//! What the verdicts of a log on a piece of equipment come to, day by day, so that a report of a quarter reads as many sums as
//! there are days, and not each verdict.
//!
//! A sum is no evidence: it is made of signed records alone, names the first and the last of them and how many there are, and
//! can be made anew. Up to its head a log has no hole and never changes, so its verdicts are added up in the order of their
//! places, as far as [`keep`] has got; what came since is added up by whoever asks. Whatever is kept below that place later,
//! and whatever is pruned, makes the store forget the sums of the log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::store::{Answered, Batch, Kept, KeptRecord, Log, Store};
use crate::{
    evidence::{Body, Record, record::Unverified},
    judge::{Finding, Verdict},
    terms::{AssetId, Digest, LegalDay},
};

/// Verdicts read at once.
const PAGE: u32 = 256;
/// Places of a log that are added up in one batch.
pub const PLACES_AT_ONCE: u64 = 4_096;

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
        due_ms.saturating_sub(self.told_ms()).max(0)
    }

    /// The part of the time that was due that is witnessed, in hundredths of a percent, never more than what was told
    /// bears: silence counts against it. None where no time was due.
    pub fn covered(&self, due_ms: i64) -> Option<i64> {
        self.seen_ms().saturating_mul(10_000).checked_div(due_ms.max(self.told_ms()))
    }
}

/// What the count of energy past the last lawful day rose by between verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rise {
    /// In watt-hours.
    pub energy_wh: i64,
    /// The verdict before.
    pub first: Place,
    /// The verdict after.
    pub last: Place,
}

/// The verdicts of one day on one piece of equipment. Midnight ends a day.
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
    /// How the time was accounted for.
    pub accounted: Accounted,
    /// What energy rose by, by the day of the verdict before: this day itself where none lies between.
    pub rises: BTreeMap<LegalDay, Rise>,
    /// Since when violations are latched that were not told of before, Unix milliseconds, and the verdict that tells of each.
    pub latches: Vec<(i64, Place)>,
}

/// What is added up of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the gateway says it was given, Unix milliseconds.
    pub at_unix_ms: i64,
    /// Where.
    pub place: Place,
    energy_overdue_wh: i64,
    violation_since_unix_ms: Option<i64>,
    accounted: Accounted,
}

impl Mark {
    /// Of a verdict that was given at this time, Unix milliseconds.
    pub fn new(verdict: &Verdict, at_unix_ms: i64, place: Place) -> Mark {
        Mark {
            at_unix_ms,
            place,
            energy_overdue_wh: verdict.energy_overdue.0,
            violation_since_unix_ms: verdict.violation_since_unix_ms,
            accounted: Accounted::of(verdict),
        }
    }

    /// Of a record that is a verdict, and on what.
    pub fn of(record: &Record) -> Option<(AssetId, Mark)> {
        let Body::Finding(Finding::Verdict(verdict)) = &record.body else { return None };
        let (at_unix_ms, place) = (record.header.at.wall_unix_ms, (record.header.seq, record.hash));
        Some((verdict.asset, Mark::new(verdict, at_unix_ms, place)))
    }

    /// What is kept was verified when it came.
    pub fn read(record: &KeptRecord) -> Option<Mark> {
        let opened = Unverified::read(&record.bytes).and_then(Unverified::own).ok()?;
        Mark::of(&opened).map(|(_, mark)| mark)
    }

    /// The day that it tells of.
    pub fn day(&self) -> LegalDay {
        day_that_ends(self.at_unix_ms)
    }

    /// What the count of energy rose by since the verdict before, and on which day that one was given; none where it did
    /// not. What a first verdict has counted already passed nobody knows when.
    pub fn rise(&self, before: &Mark) -> Option<(LegalDay, i64)> {
        let energy_wh = self.energy_overdue_wh.saturating_sub(before.energy_overdue_wh);
        (energy_wh > 0).then(|| (LegalDay::of_unix_ms(before.at_unix_ms).min(self.day()), energy_wh))
    }
}

/// The day a moment ends: midnight ends the day before.
pub fn day_that_ends(unix_ms: i64) -> LegalDay {
    LegalDay::of_unix_ms(unix_ms.saturating_sub(1))
}

impl DaySum {
    /// Of a first verdict, which is yet to be added.
    fn begun(mark: &Mark) -> DaySum {
        DaySum {
            verdicts: 0,
            began_unix_ms: mark.at_unix_ms.saturating_sub(mark.accounted.told_ms()),
            first: mark.place,
            last: mark.place,
            accounted: Accounted::default(),
            rises: BTreeMap::new(),
            latches: Vec::new(),
        }
    }

    fn add(&mut self, mark: &Mark, before: Option<&Mark>) {
        self.verdicts += 1;
        self.last = mark.place;
        self.accounted.add(mark.accounted);
        let known = before.and_then(|before| before.violation_since_unix_ms);
        if let Some(since) = mark.violation_since_unix_ms.filter(|since| known != Some(*since)) {
            self.latches.push((since, mark.place));
        }
        if let Some((before, (from, energy_wh))) = before.and_then(|one| Some((one, mark.rise(one)?))) {
            let nothing = Rise { energy_wh: 0, first: before.place, last: mark.place };
            let rise = self.rises.entry(from).or_insert(nothing);
            rise.energy_wh = rise.energy_wh.saturating_add(energy_wh);
            rise.last = mark.place;
        }
    }

    /// As it is kept.
    pub fn to_text(&self) -> String {
        let place = |(seq, hash): &Place| json!([seq, hash.to_string()]);
        let rise = |(from, rise): (&LegalDay, &Rise)| {
            json!([from.number(), rise.energy_wh, place(&rise.first), place(&rise.last)])
        };
        let Accounted { observed_ms, bridged_ms, unaccounted_ms } = self.accounted;
        json!({
            "verdicts": self.verdicts,
            "began_unix_ms": self.began_unix_ms,
            "first": place(&self.first),
            "last": place(&self.last),
            "accounted_ms": [observed_ms, bridged_ms, unaccounted_ms],
            "rises": self.rises.iter().map(rise).collect::<Vec<_>>(),
            "latches": self.latches.iter().map(|(since, at)| json!([since, place(at)])).collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// Reads what is kept; `None` for what this program did not write.
    pub fn of_text(text: &str) -> Option<DaySum> {
        let json: Value = serde_json::from_str(text).ok()?;
        let list = |name: &str| json.get(name)?.as_array().map(Vec::as_slice);
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
        })
    }
}

fn place(json: &Value) -> Option<Place> {
    let [seq, hash] = json.as_array()?.as_slice() else { return None };
    Some((seq.as_u64()?, Digest::from_hex(hash.as_str()?)?))
}

fn rise(json: &Value) -> Option<(LegalDay, Rise)> {
    let [from, energy_wh, first, last] = json.as_array()?.as_slice() else { return None };
    let from = LegalDay::numbered(i32::try_from(from.as_i64()?).ok()?);
    Some((from, Rise { energy_wh: energy_wh.as_i64()?, first: place(first)?, last: place(last)? }))
}

fn latch(json: &Value) -> Option<(i64, Place)> {
    let [since, at] = json.as_array()?.as_slice() else { return None };
    Some((since.as_i64()?, place(at)?))
}

/// What the verdicts on one piece of equipment come to, and the one that was added last.
#[derive(Clone, Debug, Default)]
pub struct Adding {
    /// Day by day.
    pub days: BTreeMap<LegalDay, DaySum>,
    before: Option<Before>,
}

/// The verdict before; what nobody asks for is not read.
#[derive(Clone, Debug)]
enum Before {
    Unread(KeptRecord),
    Read(Mark),
}

impl Before {
    fn mark(&self) -> Option<Mark> {
        match self {
            Before::Unread(record) => Mark::read(record),
            Before::Read(mark) => Some(*mark),
        }
    }
}

impl Adding {
    /// Adds the next verdict by its place.
    pub fn add(&mut self, mark: Mark) {
        let before = self.before.as_ref().and_then(Before::mark);
        let day = self.days.entry(mark.day()).or_insert_with(|| DaySum::begun(&mark));
        day.add(&mark, before.as_ref());
        self.before = Some(Before::Read(mark));
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

/// Goes on adding up, from sums as they were at the place that was reached: these, and of further days those that are kept.
/// Days that are not wanted are passed over.
///
/// # Errors
/// The store cannot be read.
pub fn go_on(
    store: &mut dyn Store,
    Stretch { of, after, to }: Stretch,
    days: BTreeMap<LegalDay, DaySum>,
    is_wanted: &dyn Fn(LegalDay) -> bool,
) -> Answered<BTreeMap<LegalDay, DaySum>> {
    let mut adding = Adding { days, before: None };
    let (mut is_first, mut from) = (true, Some(after));
    while let Some(last) = from.take() {
        for (seq, record) in store.verdicts(of, last, to, PAGE)? {
            from = Some(Some(seq));
            let day = day_that_ends(record.wall_unix_ms);
            if !is_wanted(day) {
                (adding.before, is_first) = (Some(Before::Unread(record)), false);
                continue;
            }
            if let Some(after) = after {
                if std::mem::take(&mut is_first) {
                    adding.before = store.verdict_to(of, after)?.map(|(_, record)| Before::Unread(record));
                }
                if !adding.days.contains_key(&day) {
                    let known = store.day_sums(of.0, Some(of.1), (day, day))?;
                    adding.days.extend(known.into_iter().map(|(_, day, sum)| (day, sum)));
                }
            }
            if let Some(mark) = Mark::read(&record) {
                adding.add(mark);
            }
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
        let sums = go_on(store, Stretch { of, after, to: upto }, BTreeMap::new(), &|_| true)?;
        days.extend(sums.into_iter().map(|(day, sum)| ((asset, day), sum)));
    }
    Ok(Summed { log, upto, days })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(seq: u64, at_unix_ms: i64, energy_overdue_wh: i64, violation_since_unix_ms: Option<i64>) -> Mark {
        let accounted = Accounted { observed_ms: 890, bridged_ms: 6, unaccounted_ms: 4 };
        let place = (seq, Digest::of(&seq.to_be_bytes()));
        Mark { at_unix_ms, place, energy_overdue_wh, violation_since_unix_ms, accounted }
    }

    #[test]
    fn a_sum_is_read_as_it_was_written_and_nothing_else_is() {
        let mut adding = Adding::default();
        let at = LegalDay::parse("2026-01-02").unwrap().starts_unix_ms();
        [mark(3, at - 5, 7, None), mark(9, at + 5, 12, Some(at)), mark(12, at + 9, 20, Some(at + 1))]
            .into_iter()
            .for_each(|mark| adding.add(mark));
        assert_eq!(adding.days.len(), 2);
        let (day, sum) = adding.days.last_key_value().unwrap();
        assert_eq!((day.to_string().as_str(), sum.verdicts, sum.latches.len()), ("2026-01-02", 2, 2));
        let rises: Vec<_> =
            sum.rises.iter().map(|(from, rise)| (from.to_string(), rise.energy_wh, rise.first.0)).collect();
        assert_eq!(rises, [("2026-01-01".to_owned(), 5, 3), ("2026-01-02".to_owned(), 8, 9)]);
        let text = sum.to_text();
        assert_eq!(DaySum::of_text(&text).as_ref(), Some(sum));
        for wrong in ["", "{}", "[]", &text.replace("verdicts", "x"), &text.replace("1780", "0.5")] {
            assert_eq!(DaySum::of_text(wrong), None, "{wrong}");
        }
    }
}
