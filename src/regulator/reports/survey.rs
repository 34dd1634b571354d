//! What the logs that are kept say of each piece of equipment in a time: one pass over its verdicts, oldest first, and over
//! the papers. No other record is read.

use std::collections::BTreeMap;

use super::sheet::{Rests, Scope, Source};
use crate::{
    catalogue::{Citation, Class, Roster, Ruling},
    evidence::{Act, Body, Meaning, Record, record::Unverified},
    host::exit::Failure,
    judge::{Finding, Rung, Verdict},
    regulator::{
        logs::by_gateway,
        store::{Kept, KeptRecord, Log, Store},
    },
    terms::{
        AssetId, GatewayId, LegalDay, Name, OrderId,
        place::{CreditCode, Division},
    },
};

/// How old the newest verdict of a gateway that speaks gets, in milliseconds: one comes every quarter of an hour, and of
/// four one has arrived.
pub const MOST_QUIET_MS: i64 = 3_600_000;
/// Records read at once.
const PAGE: u32 = 256;

/// A verdict and the record that says it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The verdict.
    pub verdict: Verdict,
    /// When the gateway says it was given, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The record.
    pub source: Source,
}

/// Energy that was drawn past the last lawful day, on one day: what its count rose by between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// In watt-hours.
    pub energy_wh: i64,
    /// The verdict before.
    pub first: Source,
    /// The verdict after.
    pub last: Source,
}

/// Demolition that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Under which order.
    pub order: OrderId,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// The step that says so.
    pub source: Source,
}

/// What the authority's roster in force says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rostered {
    /// The last lawful day.
    pub deadline: LegalDay,
    /// The entry.
    pub entry: Citation,
    /// The act that says so, as the gateway wrote it down.
    pub source: Source,
}

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

    fn add(&mut self, more: Accounted) {
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

/// One piece of equipment.
#[derive(Clone, Debug)]
pub struct Equipment {
    /// Where its plant lies.
    pub division: Division,
    /// Whose it is.
    pub enterprise: CreditCode,
    /// Its gateway.
    pub gateway: GatewayId,
    /// Which.
    pub asset: AssetId,
    /// The newest verdict before the time ends.
    pub newest: Option<Told>,
    /// What was drawn past its last lawful day, day by day of the time.
    pub drawn: BTreeMap<LegalDay, Drawn>,
    /// What was drawn past it between two verdicts on different days, by the first and the last day it may have been.
    pub undated: BTreeMap<(LegalDay, LegalDay), Drawn>,
    /// How the time was accounted for.
    pub accounted: Accounted,
    /// Since when it is witnessed, Unix milliseconds: none where nothing was said of it within the time or before.
    pub witnessed_from_unix_ms: Option<i64>,
    /// The verdicts that say so.
    pub covered: Rests,
    /// The first verdict of a violation that was proven within the time.
    pub restarted: Option<Source>,
    /// Its demolition.
    pub closed: Option<Closed>,
    /// What the roster in force says.
    pub rostered: Option<Rostered>,
}

/// Everything that is under a duty, known or listed, by gateway and name.
pub type Surveyed = BTreeMap<(GatewayId, AssetId), Equipment>;

/// Goes through all verdicts of a division in a time.
///
/// # Errors
/// The store cannot be read.
pub fn survey(store: &mut dyn Store, scope: &Scope) -> Result<Surveyed, Failure> {
    pass_through(store, scope, true)
}

/// How everything stands when a time ends: of each piece of equipment the newest verdict alone is read, so that what was
/// drawn, covered and restarted within the time is not told.
///
/// # Errors
/// The store cannot be read.
pub fn standing(store: &mut dyn Store, scope: &Scope) -> Result<Surveyed, Failure> {
    pass_through(store, scope, false)
}

fn pass_through(store: &mut dyn Store, scope: &Scope, is_whole: bool) -> Result<Surveyed, Failure> {
    let mut surveyed = Surveyed::new();
    for logs in by_gateway(store, None)? {
        let Kept { gateway, division, enterprise, .. } = logs.newest;
        if !scope.within.covers(division) {
            continue;
        }
        let mut pass = Pass {
            scope,
            is_whole,
            place: (gateway, division, enterprise),
            acts: BTreeMap::new(),
            roster: None,
            surveyed: &mut surveyed,
        };
        for kept in logs.others.iter().rev().chain([&logs.newest]) {
            pass.log(store, kept)?;
        }
        pass.finish();
    }
    Ok(surveyed)
}

/// One gateway's logs.
struct Pass<'s> {
    scope: &'s Scope,
    /// Whether every verdict of the time is read, or the newest alone.
    is_whole: bool,
    place: (GatewayId, Division, CreditCode),
    /// Rosters that were written down and not answered yet.
    acts: BTreeMap<(Name, u32), (Roster, Source)>,
    roster: Option<(Roster, Source)>,
    surveyed: &'s mut Surveyed,
}

impl Pass<'_> {
    fn log(&mut self, store: &mut dyn Store, kept: &Kept) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        for asset in store.judged(log)? {
            self.judged(store, kept, asset)?;
        }
        let mut from = Some(0);
        while let Some(first) = from.take() {
            for (seq, record) in store.papers(log, first, PAGE)? {
                from = seq.checked_add(1);
                // Beyond the head something is missing.
                if seq <= kept.seq && record.wall_unix_ms < self.scope.to.starts_unix_ms() {
                    self.paper(log, seq, &record);
                }
            }
        }
        Ok(())
    }

    /// The newest verdict before the time, and those in it; or the newest before its end.
    fn judged(&mut self, store: &mut dyn Store, kept: &Kept, asset: AssetId) -> Result<(), Failure> {
        let of = ((kept.gateway, kept.log), asset);
        // What is told on the stroke of midnight is of the day that ends.
        let after_midnight = |day: LegalDay| day.starts_unix_ms().saturating_add(1);
        let (begin, end) = (after_midnight(self.scope.from), after_midnight(self.scope.to));
        let base = store.verdict_before(of, if self.is_whole { begin } else { end })?;
        if let Some((seq, record)) = base.filter(|(seq, _)| *seq <= kept.seq) {
            self.verdict(of.0, seq, &record, false);
        }
        let mut after = Some(None);
        while self.is_whole
            && let Some(last) = after.take()
        {
            for (seq, record) in store.verdicts(of, (begin, end), last, PAGE)? {
                after = Some(Some(seq));
                if seq <= kept.seq {
                    self.verdict(of.0, seq, &record, true);
                }
            }
        }
        Ok(())
    }

    fn source(log: Log, seq: u64, record: &KeptRecord) -> Source {
        Source { gateway: log.0, log: log.1, seq, hash: record.hash }
    }

    fn equipment(&mut self, asset: AssetId) -> &mut Equipment {
        let (gateway, division, enterprise) = self.place;
        self.surveyed.entry((gateway, asset)).or_insert_with(|| Equipment {
            division,
            enterprise,
            gateway,
            asset,
            newest: None,
            drawn: BTreeMap::new(),
            undated: BTreeMap::new(),
            accounted: Accounted::default(),
            witnessed_from_unix_ms: None,
            covered: Rests::default(),
            restarted: None,
            closed: None,
            rostered: None,
        })
    }

    fn verdict(&mut self, log: Log, seq: u64, record: &KeptRecord, is_in_time: bool) {
        let Some(Record { body: Body::Finding(Finding::Verdict(verdict)), .. }) = read(record) else {
            return;
        };
        let (source, at_unix_ms, scope) = (Self::source(log, seq, record), record.wall_unix_ms, *self.scope);
        let equipment = self.equipment(verdict.asset);
        let told_ms = if is_in_time { Accounted::of(&verdict).told_ms() } else { 0 };
        equipment.witnessed_from_unix_ms.get_or_insert(at_unix_ms.saturating_sub(told_ms));
        if is_in_time {
            equipment.add(&verdict, at_unix_ms, source, &scope);
        }
        equipment.newest = Some(Told { verdict, at_unix_ms, source });
    }

    fn paper(&mut self, log: Log, seq: u64, record: &KeptRecord) {
        let Some(opened) = read(record) else { return };
        let source = Self::source(log, seq, record);
        match opened.body {
            Body::Finding(Finding::Transition(step)) if step.to == Rung::Closed => {
                let at_unix_ms = record.wall_unix_ms;
                self.equipment(step.asset).closed = Some(Closed { order: step.order, at_unix_ms, source });
            }
            Body::Act(Act { id, version, meaning: Meaning::Roster(roster), .. }) => {
                self.acts.insert((id, version), (roster, source));
            }
            Body::Answer(answer) => {
                let named = answer.act.filter(|_| answer.refused.is_none());
                let Some((roster, source)) = named.and_then(|act| self.acts.remove(&act)) else { return };
                if self.roster.as_ref().is_none_or(|(in_force, _)| in_force.version < roster.version) {
                    self.roster = Some((roster, source));
                }
            }
            Body::Finding(_)
            | Body::Act(_)
            | Body::Genesis(_)
            | Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Rotation(_)
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Notice(_)
            | Body::Commissioned(_) => {}
        }
    }

    /// What is listed and was never spoken of.
    fn finish(mut self) {
        let Some((roster, source)) = self.roster.take() else { return };
        for listed in roster.listed() {
            let (deadline, entry) = (listed.deadline, listed.entry);
            self.equipment(listed.asset).rostered = Some(Rostered { deadline, entry, source });
        }
    }
}

impl Equipment {
    pub(super) fn add(&mut self, verdict: &Verdict, at_unix_ms: i64, source: Source, scope: &Scope) {
        self.accounted.add(Accounted::of(verdict));
        self.covered.add(source);
        if self.restarted.is_none() && verdict.violation_since_unix_ms.is_some_and(|since| scope.has(since)) {
            self.restarted = Some(source);
        }
        // What a first verdict has counted already passed nobody knows when.
        let Some(before) = &self.newest else { return };
        let energy_wh = verdict.energy_overdue.0.saturating_sub(before.verdict.energy_overdue.0);
        if energy_wh <= 0 {
            return;
        }
        let days = (LegalDay::of_unix_ms(before.at_unix_ms), day_that_ends(at_unix_ms));
        let first = before.source;
        let nothing = Drawn { energy_wh: 0, first, last: source };
        let drawn = if days.0 < days.1 {
            self.undated.entry(days).or_insert(nothing)
        } else {
            self.drawn.entry(days.1).or_insert(nothing)
        };
        drawn.energy_wh = drawn.energy_wh.saturating_add(energy_wh);
        drawn.last = source;
    }

    /// The time it should have been told of, in milliseconds: from its first verdict, or the beginning, to the end of the
    /// time, or to when this is asked. None where nothing was ever said of it: nobody knows since when it was there.
    pub fn due_ms(&self, scope: &Scope) -> Option<i64> {
        let from = self.witnessed_from_unix_ms?.max(scope.from.starts_unix_ms());
        Some(scope.to.starts_unix_ms().min(scope.made_unix_ms).saturating_sub(from).max(0))
    }

    /// The last lawful day: as its newest verdict knows it, else as the roster does.
    pub fn last_day(&self) -> Option<LegalDay> {
        let told = self.newest.as_ref().and_then(|told| told.verdict.standing.last_day());
        [told, self.rostered.map(|rostered| rostered.deadline)].into_iter().flatten().min()
    }

    /// The entry it stands under: the roster's, else the catalogue's where that finds it in scope; a line that may be the
    /// right one is none.
    pub fn entry(&self) -> Option<Citation> {
        let in_scope = |ruling: &Ruling| ruling.class == Class::InScope;
        let ruling = self.newest.as_ref().and_then(|told| told.verdict.standing.ruling).filter(in_scope);
        let ruled = ruling.and_then(|ruling| ruling.rule).map(|rule| rule.entry);
        self.rostered.map(|rostered| rostered.entry).or(ruled)
    }

    /// What the catalogue makes of its nameplate, where a verdict tells.
    pub fn class(&self) -> Option<Class> {
        self.newest.as_ref().and_then(|told| told.verdict.standing.class())
    }

    /// Whether its newest verdict is older than a gateway that speaks lets it get by the end of the time, or by when this
    /// is asked.
    pub fn is_silent(&self, scope: &Scope) -> bool {
        let end = scope.to.starts_unix_ms().min(scope.made_unix_ms);
        self.newest.as_ref().is_some_and(|told| end.saturating_sub(told.at_unix_ms) > MOST_QUIET_MS)
    }
}

/// The day a moment ends: midnight ends the day before.
fn day_that_ends(unix_ms: i64) -> LegalDay {
    LegalDay::of_unix_ms(unix_ms.saturating_sub(1))
}

/// What is kept was verified when it came.
fn read(record: &KeptRecord) -> Option<Record> {
    Unverified::read(&record.bytes).and_then(Unverified::own).ok()
}
