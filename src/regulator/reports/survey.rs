//! What the logs that are kept say of each piece of equipment in a time: its newest verdict, the papers, and what its verdicts
//! come to, day by day. No other record is read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    left::{self, Latch},
    sheet::{Rests, Scope, Source},
};
use crate::{
    catalogue::{Citation, Class, Roster, Ruling},
    evidence::{Act, Body, Meaning, Record, record::Unverified},
    host::exit::Failure,
    judge::{Finding, Rung, Verdict},
    regulator::{
        logs::by_gateway,
        store::{Kept, KeptRecord, Log, Store},
        sums::{self, Accounted, DaySum, Mark, Place, Rise, Stretch},
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
    /// The verdicts that say so, day by day.
    pub covered: Rests,
    /// The verdict that first tells of a violation that was proven within the time.
    pub restarted: Option<Source>,
    /// Its demolition.
    pub closed: Option<Closed>,
    /// What the roster in force says.
    pub rostered: Option<Rostered>,
    /// Where its latch stands, by all logs of its gateway.
    pub latch: Latch,
    /// Whether a log that was left has known it in scope and on the authority's roster here.
    pub was_charged: bool,
}

/// Everything that is under a duty, known or listed, by gateway, name and where it was: whoever moves is told at both places,
/// of each what was drawn there.
pub type Surveyed = BTreeMap<(GatewayId, AssetId, Division, CreditCode), Equipment>;

/// Of what the figures of a time are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// Of the sums that are kept, and of what came since.
    Sums,
    /// Of every verdict.
    Verdicts,
}

/// What a division's equipment comes to in a time, by the sums of days.
///
/// # Errors
/// The store cannot be read.
pub fn survey(store: &mut dyn Store, scope: &Scope) -> Result<Surveyed, Failure> {
    pass_through(store, scope, Some(Basis::Sums))
}

/// The same of every verdict anew, whatever sums are kept: as an auditor would who believes none.
///
/// # Errors
/// The store cannot be read.
pub fn survey_anew(store: &mut dyn Store, scope: &Scope) -> Result<Surveyed, Failure> {
    pass_through(store, scope, Some(Basis::Verdicts))
}

/// How everything stands when a time ends: of each piece of equipment the newest verdict alone is read, so that what was
/// drawn, covered and restarted within the time is not told.
///
/// # Errors
/// The store cannot be read.
pub fn standing(store: &mut dyn Store, scope: &Scope) -> Result<Surveyed, Failure> {
    pass_through(store, scope, None)
}

fn pass_through(store: &mut dyn Store, scope: &Scope, figures: Option<Basis>) -> Result<Surveyed, Failure> {
    let mut surveyed = Surveyed::new();
    for logs in by_gateway(store, None)? {
        let all: Vec<Kept> = logs.others.iter().rev().chain([&logs.newest]).copied().collect();
        // Each log tells of the place that it began at.
        let within = all.iter().filter(|kept| scope.within.covers(kept.division));
        let places: BTreeSet<_> = within.map(|kept| (kept.division, kept.enterprise)).collect();
        let is_told = !places.is_empty();
        for (division, enterprise) in places {
            let mut pass = Pass {
                scope,
                figures,
                place: (logs.newest.gateway, division, enterprise),
                acts: BTreeMap::new(),
                roster: None,
                ends: BTreeMap::new(),
                surveyed: &mut surveyed,
            };
            let is_here = |kept: &&Kept| (kept.division, kept.enterprise) == (division, enterprise);
            for kept in all.iter().filter(is_here) {
                pass.log(store, kept, all.len() == 1)?;
            }
            pass.finish();
        }
        if is_told {
            left::settle(store, &all, scope, &mut surveyed)?;
        }
    }
    Ok(surveyed)
}

/// One gateway's logs at one place.
struct Pass<'s> {
    scope: &'s Scope,
    /// Of what figures are made, where any are wanted.
    figures: Option<Basis>,
    place: (GatewayId, Division, CreditCode),
    /// Rosters that were written down and not answered yet.
    acts: BTreeMap<(Name, u32), (Roster, Source)>,
    roster: Option<(Roster, Source)>,
    /// The last verdict on each piece of equipment in the logs before.
    ends: BTreeMap<AssetId, (Log, Mark)>,
    surveyed: &'s mut Surveyed,
}

impl Pass<'_> {
    fn log(&mut self, store: &mut dyn Store, kept: &Kept, is_alone: bool) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        for asset in store.judged(log)? {
            self.newest(store, kept, asset)?;
            if let Some(basis) = self.figures {
                self.figures(store, kept, asset, basis)?;
                if !is_alone {
                    self.across(store, kept, asset)?;
                }
            }
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

    /// The newest verdict before the time ends.
    fn newest(&mut self, store: &mut dyn Store, kept: &Kept, asset: AssetId) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        let found = store.verdict_before((log, asset), after_midnight(self.scope.to), kept.seq)?;
        let Some((seq, record)) = found else { return Ok(()) };
        let Some(Record { body: Body::Finding(Finding::Verdict(verdict)), .. }) = read(&record) else {
            return Ok(());
        };
        let source = Self::source(log, seq, &record);
        self.equipment(asset).newest = Some(Told { verdict, at_unix_ms: record.wall_unix_ms, source });
        Ok(())
    }

    /// What the verdicts of the time come to, and since when there were any.
    fn figures(
        &mut self,
        store: &mut dyn Store,
        kept: &Kept,
        asset: AssetId,
        basis: Basis,
    ) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        let Scope { from, to, .. } = *self.scope;
        let after = match basis {
            Basis::Sums => store.summed(log)?,
            Basis::Verdicts => None,
        };
        let known = match (after, day_before(to)) {
            (Some(_), Some(last)) if from <= last => store.day_sums(log, Some(asset), (from, last))?,
            (Some(_), Some(_)) | (None, _) | (_, None) => Vec::new(),
        };
        let known = known.into_iter().map(|(_, day, sum)| (day, sum)).collect();
        let stretch = Stretch { of: (log, asset), after, to: kept.seq };
        let days = sums::go_on(store, stretch, known, &|day| from <= day && day < to)?;
        let earlier = store.verdict_before((log, asset), after_midnight(from), kept.seq)?;
        let earlier = earlier.map(|(_, record)| record.wall_unix_ms);
        let began = days.values().min_by_key(|sum| sum.first.0).map(|sum| sum.began_unix_ms);
        let Some(witnessed) = earlier.or(began) else { return Ok(()) };
        let scope = *self.scope;
        let equipment = self.equipment(asset);
        let known = equipment.witnessed_from_unix_ms.unwrap_or(witnessed);
        equipment.witnessed_from_unix_ms = Some(known.min(witnessed));
        let mut days: Vec<_> = days.into_iter().collect();
        days.sort_by_key(|(_, sum)| sum.first.0);
        days.iter().for_each(|(day, sum)| equipment.add(log, *day, sum, &scope));
        Ok(())
    }

    /// What energy rose by from the last verdict of the log before to the first of this one.
    fn across(&mut self, store: &mut dyn Store, kept: &Kept, asset: AssetId) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        let of = (log, asset);
        if let Some((former, before)) = self.ends.get(&asset).copied() {
            let first = store.verdicts(of, None, kept.seq, 1)?;
            let first = first.first().and_then(|(_, record)| Mark::read(record));
            let rise = first.and_then(|first| Some((first, first.rise(&before)?)));
            let is_in = |day: LegalDay| self.scope.from <= day && day < self.scope.to;
            if let Some((first, (from, energy_wh))) = rise.filter(|(first, _)| is_in(first.day())) {
                let ends = (source(former, before.place), source(log, first.place));
                self.equipment(asset).drew((from, first.day()), energy_wh, ends);
            }
        }
        let last = store.verdict_to(of, kept.seq)?.and_then(|(_, record)| Mark::read(&record));
        if let Some(last) = last {
            self.ends.insert(asset, (log, last));
        }
        Ok(())
    }

    fn source(log: Log, seq: u64, record: &KeptRecord) -> Source {
        Source { gateway: log.0, log: log.1, seq, hash: record.hash }
    }

    fn equipment(&mut self, asset: AssetId) -> &mut Equipment {
        let (gateway, division, enterprise) = self.place;
        self.surveyed.entry((gateway, asset, division, enterprise)).or_insert_with(|| Equipment {
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
            latch: Latch::Told,
            was_charged: false,
        })
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
    /// One day of the time, by a log.
    pub(super) fn add(&mut self, log: Log, day: LegalDay, sum: &DaySum, scope: &Scope) {
        self.accounted.add(sum.accounted);
        self.covered.add_stretch(source(log, sum.first), source(log, sum.last), sum.verdicts);
        if self.restarted.is_none() {
            let latched = sum.latches.iter().find(|(since, _)| scope.has(*since));
            self.restarted = latched.map(|(_, place)| source(log, *place));
        }
        for (from, Rise { energy_wh, first, last }) in &sum.rises {
            self.drew((*from, day), *energy_wh, (source(log, *first), source(log, *last)));
        }
    }

    /// So much between two verdicts: on one day, or nobody knows on which.
    fn drew(&mut self, days: (LegalDay, LegalDay), energy_wh: i64, (first, last): (Source, Source)) {
        let nothing = Drawn { energy_wh: 0, first, last };
        let drawn = if days.0 < days.1 {
            self.undated.entry(days).or_insert(nothing)
        } else {
            self.drawn.entry(days.1).or_insert(nothing)
        };
        drawn.energy_wh = drawn.energy_wh.saturating_add(energy_wh);
        drawn.last = last;
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

fn source((gateway, log): Log, (seq, hash): Place) -> Source {
    Source { gateway, log, seq, hash }
}

/// What is told on the stroke of midnight is of the day that ends.
pub(super) fn after_midnight(day: LegalDay) -> i64 {
    day.starts_unix_ms().saturating_add(1)
}

fn day_before(day: LegalDay) -> Option<LegalDay> {
    day.number().checked_sub(1).map(LegalDay::numbered)
}

/// What is kept was verified when it came.
fn read(record: &KeptRecord) -> Option<Record> {
    Unverified::read(&record.bytes).and_then(Unverified::own).ok()
}
