//! The screens' index held against the records that it was made of, one gateway after the other: no more than the equipment of
//! one gateway and the intervals of one page of its records are in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::Latches;
use crate::{
    evidence::{LogId, Record},
    judge::Rung,
    regulator::{
        foreign::ForeignAct,
        newer::Saying,
        sight::{self, Said, Span, VerdictSaid},
        store::{
            Answered, Kept, Log, Store,
            sights::{AskedAt, AssetRow, Scope, Which},
        },
        undone::is_disowned,
    },
    terms::{AssetId, GatewayId, LegalDay, OrderId},
};

/// Pieces of equipment behind one gateway whose rows are held against its records; those of one that names more are not.
pub const MOST_ASSETS: usize = 10_000;
/// Rows of the index read at once.
const ROWS: u32 = 500;

/// What was found of the screens' index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Pieces of equipment whose row is what their records say.
    pub assets: u64,
    /// Pieces of equipment that have a row, of gateways that have a log.
    pub shown: u64,
    /// Intervals that are drawn as their records tell them.
    pub spans: u64,
    /// Gateways of which more equipment is told than is compared.
    pub uncompared: u64,
    /// Nothing was compared: so many logs of so many are still to be read into it.
    pub reading: Option<(u64, u64)>,
    /// How many of the things that do not hold are the index's, and mended by making it anew.
    pub wrongs: u64,
}

/// The newest record of a kind in each log, and of these the one that is shown.
struct Newest<T>(BTreeMap<LogId, Last<T>>);

struct Last<T> {
    saying: Saying,
    said: T,
}

impl<T> Newest<T> {
    const fn new() -> Newest<T> {
        Newest(BTreeMap::new())
    }

    fn on(&mut self, saying: Saying, said: T) {
        let before = self.0.get(&saying.log);
        if before.is_none_or(|before| saying.outdates(&before.saying)) {
            self.0.insert(saying.log, Last { saying, said });
        }
    }

    /// The newest of all.
    fn shown(&self) -> Option<&Last<T>> {
        self.0.values().reduce(|one, next| if next.saying.outdates(&one.saying) { next } else { one })
    }
}

/// What records say of a piece of equipment.
struct Told {
    seen_unix_ms: i64,
    /// Since when it was ever convicted, or drew, where a foreign hand may have undone that.
    since: BTreeSet<i64>,
    verdict: Newest<VerdictSaid>,
    order: Newest<(OrderId, Rung)>,
    plate: Newest<()>,
}

/// What the records of one gateway say of its equipment.
#[derive(Default)]
pub(super) struct Equipment {
    told: BTreeMap<AssetId, Told>,
    is_too_much: bool,
    /// Intervals of the page that is read, and how many of all pages are kept as they were told.
    page: Vec<(u64, AssetId, Span)>,
    spans: u64,
    /// Up to where each log was pruned.
    pruned: BTreeMap<LogId, u64>,
    /// Acts in its logs that the authority did not sign.
    foreign: Vec<ForeignAct>,
    places: BTreeSet<(String, String)>,
}

impl Equipment {
    /// Of a gateway that has taken these acts of foreign hands.
    pub(super) fn beside(foreign: Vec<ForeignAct>) -> Equipment {
        Equipment { foreign, ..Equipment::default() }
    }

    /// A log of it begins.
    pub(super) fn log(&mut self, log: LogId, pruned: Option<u64>, kept: Option<&Kept>) {
        self.pruned.extend(pruned.map(|seq| (log, seq)));
        self.places.extend(kept.map(|kept| (kept.division.to_string(), kept.enterprise.to_string())));
    }

    /// A record of it whose signature holds.
    pub(super) fn on(&mut self, record: &Record, received_unix_ms: i64) {
        let Some(sight) = sight::of(record, received_unix_ms) else { return };
        if let Said::Order { order, rung: _ } = &sight.said
            && is_disowned(&self.foreign, *order, sight.log, sight.seq)
        {
            return;
        }
        if !self.told.contains_key(&sight.asset) && self.told.len() >= MOST_ASSETS {
            self.is_too_much = true;
            return;
        }
        let told = self.told.entry(sight.asset).or_insert(Told {
            seen_unix_ms: sight.wall_unix_ms,
            since: BTreeSet::new(),
            verdict: Newest::new(),
            order: Newest::new(),
            plate: Newest::new(),
        });
        told.seen_unix_ms = told.seen_unix_ms.max(sight.wall_unix_ms);
        let saying = sight.saying();
        match sight.said {
            Said::Verdict(said) => {
                if !self.foreign.is_empty() {
                    told.since.insert(said.since_unix_ms);
                    told.since.extend(said.violation_since_unix_ms);
                }
                told.verdict.on(saying, said);
            }
            Said::Order { order, rung } => told.order.on(saying, (order, rung)),
            Said::Plate => told.plate.on(saying, ()),
            Said::Span(span) => self.page.push((sight.seq, sight.asset, span)),
        }
    }

    /// A page of records was read: its intervals are held against the index. Tells what is wrong with them.
    pub(super) fn page(&mut self, store: &mut dyn Store, (gateway, log): Log) -> Answered<Vec<String>> {
        let page = std::mem::take(&mut self.page);
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let kept = store.spans_kept((gateway, log), &page)?;
        self.spans += kept.len() as u64;
        // What was pruned is drawn no longer, though a record of it may have to stay.
        let stays = |seq: u64| self.pruned.get(&log).is_none_or(|pruned| seq > *pruned);
        let wrong = page.iter().filter(|(seq, ..)| !kept.contains(seq) && stays(*seq));
        Ok(wrong
            .map(|(seq, asset, _)| {
                format!("{gateway} / {asset}: the interval of {log} #{seq} is not drawn as it is told")
            })
            .collect())
    }

    /// All its records were read: its rows are held against them. Tells what is wrong.
    pub(super) fn end(
        mut self,
        store: &mut dyn Store,
        gateway: GatewayId,
        latches: &Latches,
        found: &mut Index,
    ) -> Answered<Vec<String>> {
        found.uncompared += u64::from(self.is_too_much);
        let mut wrong = Vec::new();
        let drawn = store.span_count(gateway)?;
        if drawn > self.spans && !self.is_too_much {
            wrong.push(format!("{gateway}: {} intervals are drawn that no record tells", drawn - self.spans));
        }
        found.spans += self.spans;
        let mut after = String::new();
        loop {
            let rows = store.equipment(gateway, &after, ROWS)?;
            let Some(last) = rows.last() else { break };
            last.asset.as_str().clone_into(&mut after);
            found.shown += rows.len() as u64;
            // Of whom more is told than is compared only what is compared is looked at.
            for row in &rows {
                if self.is_too_much && !self.told.contains_key(&row.asset) {
                    continue;
                }
                match self.wrong(row, latches) {
                    None => found.assets += 1,
                    Some(what) => wrong.push(format!("{gateway} / {}: {what}", row.asset)),
                }
                self.told.remove(&row.asset);
            }
        }
        let missing = self.told.keys().map(|asset| format!("{gateway} / {asset}: is on no screen"));
        wrong.extend(missing);
        Ok(wrong)
    }

    /// What of a row is not as records say.
    fn wrong(&self, row: &AssetRow, latches: &Latches) -> Option<&'static str> {
        let is_pruned = !self.pruned.is_empty();
        let Some(told) = self.told.get(&row.asset) else {
            return (!is_pruned).then_some("no record tells of it");
        };
        let place = row.division.map(|d| d.to_string()).zip(row.enterprise.map(|e| e.to_string()));
        match place {
            Some(place) if !self.places.contains(&place) => return Some("it stands elsewhere"),
            None if !self.places.is_empty() => return Some("where it stands is not shown"),
            Some(_) | None => {}
        }
        if !self.is_verdict(row, told, latches) {
            return Some("its state is not that of the newest verdict");
        }
        let left = row.verdict.and_then(|(log, _)| latches.left(row.asset, log));
        if row.violation_since_unix_ms.is_none() && left.is_some() {
            return Some("a violation of it is latched in a log that its gateway has left, and is not shown");
        }
        if row.order != told.order.shown().map(|last| last.said) && !is_pruned {
            return Some("its order does not stand where its records say");
        }
        if row.plate != told.plate.shown().map(|last| (last.saying.log, last.saying.seq)) && !is_pruned {
            return Some("its nameplate is not the newest");
        }
        let is_seen =
            row.seen_unix_ms == told.seen_unix_ms || (is_pruned && row.seen_unix_ms > told.seen_unix_ms);
        (!is_seen).then_some("it was not last told of when it is shown to have been")
    }

    fn is_verdict(&self, row: &AssetRow, told: &Told, latches: &Latches) -> bool {
        let Some((log, seq)) = row.verdict else { return told.verdict.0.is_empty() };
        let is_gone = self.pruned.get(&log).is_some_and(|pruned| seq <= *pruned);
        match told.verdict.0.get(&log) {
            Some(last) if last.saying.seq == seq => {
                let is_shown = told.verdict.shown().is_some_and(|shown| shown.saying == last.saying);
                let is_time = row.verdict_unix_ms == last.saying.wall_unix_ms;
                let is_ended = row.violation_since_unix_ms.is_none() && latches.is_ended(row.asset, log);
                let is_undone = row.violation_since_unix_ms.is_some_and(|since| told.since.contains(&since));
                let is_latch = is_ended || is_undone || is_latch(row, (log, last), &told.verdict);
                is_shown && is_time && says(row, &last.said) && is_latch
            }
            Some(last) => is_gone && last.saying.seq < seq,
            None => is_gone,
        }
    }
}

fn says(row: &AssetRow, said: &VerdictSaid) -> bool {
    let VerdictSaid {
        state,
        since_unix_ms,
        violation_since_unix_ms: _,
        left: _,
        class,
        phase: _,
        last_day,
        entry,
        overdue,
    } = said;
    row.state == *state
        && row.since_unix_ms == *since_unix_ms
        && row.class == class.map_or("", |class| class.word())
        && row.last_day == *last_day
        && row.entry == entry.as_deref().unwrap_or("")
        && row.overdue == *overdue
}

/// Whether the latch that a row shows is its verdict's, or one that another log has left closed. Whether the authority has
/// opened that one since is not asked here.
fn is_latch(row: &AssetRow, (log, last): (LogId, &Last<VerdictSaid>), all: &Newest<VerdictSaid>) -> bool {
    let shown = row.violation_since_unix_ms;
    let others = all.0.iter().filter(|(other, _)| **other != log);
    let mut left = others.filter_map(|(_, left)| left.said.violation_since_unix_ms);
    shown == last.said.violation_since_unix_ms
        || (last.said.violation_since_unix_ms.is_none() && left.any(|since| shown == Some(since)))
}

/// Whether screens show equipment of gateways that have no log at all.
pub(super) fn strangers(store: &mut dyn Store, found: &Index) -> Answered<Vec<String>> {
    // How many there are depends on no time.
    let at = AskedAt { today: LegalDay::of_unix_ms(0), silent_before_unix_ms: 0 };
    let all = store.numbers(&Scope::NATION, Which::default(), at)?.assets;
    let more = all.saturating_sub(found.shown);
    let is_wrong = found.reading.is_none() && more > 0;
    let told = || format!("{more} pieces of equipment are shown of gateways that have no log");
    Ok(is_wrong.then(told).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_log_the_later_place_is_newest_and_of_two_what_was_heard_later() {
        let mut newest = Newest::new();
        let shown = |newest: &Newest<()>| newest.shown().map(|last| (last.saying.log.0, last.saying.seq));
        let saying = |log, seq, received_unix_ms, wall_unix_ms| Saying {
            log: LogId(log),
            seq,
            received_unix_ms,
            is_grave: false,
            wall_unix_ms,
        };
        newest.on(saying(1, 5, 100, 100), ());
        newest.on(saying(2, 1, 200, 50), ());
        assert_eq!(shown(&newest), Some((2, 1)));
        // Out of order: the place counts.
        newest.on(saying(1, 4, 300, 900), ());
        assert_eq!(newest.0.get(&LogId(1)).map(|last| last.saying.seq), Some(5));
        assert_eq!(shown(&newest), Some((2, 1)));
        newest.on(saying(1, 6, 400, 20), ());
        assert_eq!(shown(&newest), Some((1, 6)), "it speaks again, whatever its clock says");
    }
}
