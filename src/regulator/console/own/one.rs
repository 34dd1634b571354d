//! One alarm with what it rests on: the two records of a finding, and its steps by the desk's own log. Of a record that lies
//! outside the scope nothing is told but that there is one.

use std::collections::{BTreeMap, BTreeSet};

use super::{division, level, row};
use crate::{
    evidence::{lineage::ClashId, record::Unverified},
    regulator::{
        alarms::{About, Alarm, AlarmId, Cause, Entry, left::is_left},
        console::asks::{AlarmTold, FindingTold, RecordAt, StepTold},
        store::{Answered, KeptHalf, Log, Store, sights::Scope},
    },
    terms::{
        AssetId, Digest, GatewayId,
        place::Division,
        words::{self, Words},
    },
};

/// Steps of a page.
const STEPS: u32 = 100;

/// The alarm with its steps before a number; `None` where there is none in the scope.
pub(super) fn told(
    store: &mut dyn Store,
    scope: &Scope,
    id: AlarmId,
    before: u64,
) -> Answered<Option<AlarmTold>> {
    let within = division(scope);
    let kept = store.steps_of(id, before, STEPS)?;
    let older = kept.last().filter(|_| kept.len() >= STEPS as usize).map(|step| step.number);
    // What is kept was sealed here. A gateway may have moved: what was done elsewhere about it is told there.
    let read = kept.iter().filter_map(|step| Some((Entry::own(&step.bytes).ok()?, step.hash)));
    let entries: Vec<(Entry, Digest)> = read.filter(|(entry, _)| entry.step.about.concerns(within)).collect();
    let stands = store.alarm(id)?;
    let is_over = stands.is_none();
    let Some(alarm) = stands.or_else(|| over(id, &entries)).filter(|alarm| alarm.about.concerns(within))
    else {
        return Ok(None);
    };
    Ok(Some(AlarmTold {
        row: row(&alarm, within),
        is_over,
        is_left: alarm.state.life.is_standing() && is_left(store, &alarm.about)?,
        record: alarm.record,
        finding: finding(store, scope, &alarm.about)?,
        steps: entries.iter().map(|(entry, hash)| step(entry, *hash)).collect(),
        older,
    }))
}

/// An alarm that is over, as its newest steps leave it.
fn over(id: AlarmId, entries: &[(Entry, Digest)]) -> Option<Alarm> {
    let (newest, _) = entries.first()?;
    let raised = entries.iter().find(|(entry, _)| entry.step.is_anew()).map(|(entry, _)| entry);
    let step = &newest.step;
    Some(Alarm {
        id,
        about: step.about,
        state: step.to,
        level: step.level,
        raised_unix_ms: raised.map_or(step.at_unix_ms, |entry| entry.step.at_unix_ms),
        changed_unix_ms: step.at_unix_ms,
        until_unix_ms: None,
        hand: entries.iter().find_map(|(entry, _)| entry.step.hand.clone()),
        record: raised.and_then(|entry| entry.step.record),
        gateways: step.gateways,
    })
}

fn step(entry: &Entry, hash: Digest) -> StepTold {
    let step = &entry.step;
    StepTold {
        number: entry.number,
        at_unix_ms: step.at_unix_ms,
        event: step.event.words(),
        state: step.to.words(),
        level: level(step.level),
        hand: step.hand.as_ref().map(|hand| (hand.who.clone(), hand.why.clone())),
        hash,
    }
}

/// The finding that an alarm speaks of, as far as its records lie in the scope.
fn finding(store: &mut dyn Store, scope: &Scope, about: &About) -> Answered<Option<FindingTold>> {
    let named = about.subject.filter(|_| is_of_finding(about.cause));
    let Some(id) = named.and_then(|subject| ClashId::from_hex(subject.as_str())) else { return Ok(None) };
    let Some(finding) = store.finding(id)? else { return Ok(None) };
    let gateways: BTreeSet<GatewayId> = finding.records().map(|half| half.gateway).collect();
    let heads = store.heads(Some(&gateways))?;
    let places: BTreeMap<Log, Division> =
        heads.iter().map(|kept| ((kept.gateway, kept.log), kept.division)).collect();
    let at = |half: &KeptHalf| {
        let division = places.get(&(half.gateway, half.log))?;
        scope.has(*division).then(|| place(half))
    };
    let [first, later] = &finding.halves;
    let said = [(words::SAID_FIRST, Some(first)), (words::SAID_LATER, Some(later))];
    let excused = (words::EXCUSED_BY, finding.excuse.as_ref());
    let all = said.into_iter().chain([excused]);
    let records: Vec<(Words, Option<RecordAt>)> =
        all.filter_map(|(when, half)| Some((when, at(half?)))).collect();
    let (what, clause) = finding.kind.words();
    Ok(Some(FindingTold { what, clause, about: finding.about, records }))
}

fn place(half: &KeptHalf) -> RecordAt {
    let read = Unverified::read(&half.bytes).and_then(Unverified::own).ok();
    RecordAt {
        gateway: half.gateway,
        log: half.log,
        seq: half.seq,
        hash: half.hash,
        wall_unix_ms: read.as_ref().map_or(0, |record| record.header.at.wall_unix_ms),
        asset: read.and_then(|record| record.body.asset()).map(AssetId),
    }
}

/// Whether its subject is a finding.
const fn is_of_finding(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Transfer
            | Cause::PlaceChanged
            | Cause::MeterTwice
            | Cause::ListedTwice
            | Cause::RatingEdited
            | Cause::EliminatedDraws
    )
}
