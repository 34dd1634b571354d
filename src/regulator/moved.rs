//! What a division sees of equipment whose gateway speaks from elsewhere now: what those logs of it say that stood here, for as
//! long as one of them leaves a latch closed; and nothing of what is said there, not even where that is.

use super::{
    sight::{self, Said, VerdictSaid},
    store::{
        Answered, Kept, KeptRecord, Store,
        sights::{AssetRow, Place, Scope},
    },
};
use crate::{
    evidence::{Body, record::Unverified},
    judge::{Event, Finding},
};

/// Beyond every place.
const LAST: u64 = i64::MAX.unsigned_abs();
/// Events that are looked through for a nameplate.
const EVENTS: u32 = 200;

/// The newest verdict of a log that stood here.
struct Word {
    kept: Kept,
    seq: u64,
    record: KeptRecord,
    said: VerdictSaid,
}

/// Whether a row is of equipment that lies elsewhere now.
pub fn is_elsewhere(scope: &Scope, row: &AssetRow) -> bool {
    *scope != Scope::NATION && !row.division.is_some_and(|division| scope.has(division))
}

/// A row as it may be seen in a scope; `None` where nothing of it may.
///
/// # Errors
/// The store cannot be read.
pub fn seen(store: &mut dyn Store, scope: &Scope, row: AssetRow) -> Answered<Option<AssetRow>> {
    if !is_elsewhere(scope, &row) {
        return Ok(Some(row));
    }
    if row.violation_since_unix_ms.is_none() {
        return Ok(None);
    }
    let words = words(store, scope, &row)?;
    let convicted = words.iter().filter_map(|word| word.said.violation_since_unix_ms).min();
    let newest = words.into_iter().max_by_key(|word| word.record.received_unix_ms);
    let (Some(since), Some(word)) = (convicted, newest) else { return Ok(None) };
    let plate = plate(store, scope, &row)?;
    Ok(Some(here(&row, &word, since, plate)))
}

/// What each log that stood here said last of it.
fn words(store: &mut dyn Store, scope: &Scope, row: &AssetRow) -> Answered<Vec<Word>> {
    let mut words = Vec::new();
    for kept in store.heads(Some(&[row.gateway].into()))? {
        if !scope.has(kept.division) {
            continue;
        }
        let Some((seq, record)) = store.verdict_to(((row.gateway, kept.log), row.asset), LAST)? else {
            continue;
        };
        // What is kept was verified when it came.
        let read = Unverified::read(&record.bytes).and_then(Unverified::own).ok();
        let said = read.and_then(|read| sight::of(&read, record.received_unix_ms)).map(|sight| sight.said);
        if let Some(Said::Verdict(said)) = said {
            words.push(Word { kept, seq, record, said });
        }
    }
    Ok(words)
}

/// The newest nameplate that a log told which stood here.
fn plate(store: &mut dyn Store, scope: &Scope, row: &AssetRow) -> Answered<Option<Place>> {
    let is_plate = |record: &KeptRecord| {
        let read = Unverified::read(&record.bytes).and_then(Unverified::own);
        matches!(read.map(|read| read.body), Ok(Body::Finding(Finding::Event(Event::Plate(_)))))
    };
    let events = store.events(row, scope, 0, EVENTS)?;
    Ok(events.into_iter().find(|(.., record)| is_plate(record)).map(|(log, seq, _)| (log, seq)))
}

fn here(row: &AssetRow, word: &Word, violation_since_unix_ms: i64, plate: Option<Place>) -> AssetRow {
    let Word { kept, seq, record, said } = word;
    AssetRow {
        gateway: row.gateway,
        asset: row.asset,
        division: Some(kept.division),
        enterprise: Some(kept.enterprise),
        verdict: Some((kept.log, *seq)),
        verdict_unix_ms: record.wall_unix_ms,
        state: said.state.to_owned(),
        since_unix_ms: said.since_unix_ms,
        violation_since_unix_ms: Some(violation_since_unix_ms),
        left: None,
        class: said.class.map_or_else(String::new, |class| class.word().to_owned()),
        last_day: said.last_day,
        entry: said.entry.clone().unwrap_or_default(),
        overdue: said.overdue,
        order: None,
        plate,
        seen_unix_ms: record.wall_unix_ms,
        heard_unix_ms: Some(kept.received_unix_ms),
        attested_unix_ms: record.moment_unix_ms(),
    }
}
