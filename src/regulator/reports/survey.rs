//! What the logs that are kept say of each piece of equipment in a time: its newest verdict, the papers, and what its verdicts
//! come to, day by day. No other record is read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    after_midnight,
    closures::{self, Closed},
    left::{self, Latch},
    moved::{self, Time},
    sheet::{Rests, Scope, Source},
};
use crate::{
    catalogue::{Citation, Class, Roster, Ruling},
    evidence::{Act, Body, Meaning, PublicKey, Record, record::Unverified},
    host::exit::Failure,
    judge::{Finding, Rung, Verdict},
    regulator::{
        foreign::ForeignAct,
        logs::by_gateway,
        sight::MOST_QUIET_MS,
        store::{Kept, KeptRecord, Log, Store},
        sums::{self, Accounted, Bearing, DaySum, LATE_DAYS, Mark, Place, Rise, Stretch},
    },
    terms::{
        AssetId, GatewayId, LegalDay, Name,
        place::{CreditCode, Division},
        time::DAY_MS,
    },
};

/// Records read at once.
const PAGE: u32 = 256;

/// A verdict and the record that says it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The verdict.
    pub verdict: Verdict,
    /// When it was given: by the gateway's clock, and never later than it arrived. Unix milliseconds.
    pub at_unix_ms: i64,
    /// The record.
    pub source: Source,
}

/// A violation that was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conviction {
    /// When: by the gateway's clock, and never later than that arrived. Unix milliseconds.
    pub at_unix_ms: i64,
    /// The verdict that first tells of it.
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
    /// What was drawn past its last lawful day, day by day of the time, by what verdicts said of its price then.
    pub drawn: BTreeMap<(LegalDay, Bearing), Drawn>,
    /// What was drawn past it in a gap across midnight, by the first and the last day it may have been.
    pub undated: BTreeMap<(LegalDay, LegalDay, Bearing), Drawn>,
    /// What was drawn before the time and was told in it, after whoever reported on that time had reported: by the first
    /// and the last day it may have been.
    pub late: BTreeMap<(LegalDay, LegalDay, Bearing), Drawn>,
    /// How the time was accounted for.
    pub accounted: Accounted,
    /// Since when it is witnessed, Unix milliseconds: none where nothing was said of it within the time or before.
    pub witnessed_from_unix_ms: Option<i64>,
    /// The verdicts that say so, day by day.
    pub covered: Rests,
    /// The violations that were proven within the time, by what the gateway's clock said then.
    pub convictions: BTreeMap<i64, Conviction>,
    /// Those that were proven before it and told in it, as late.
    pub late_convictions: BTreeMap<i64, Conviction>,
    /// Its demolition, as its log claims it.
    pub closed: Option<Closed>,
    /// What the roster in force says.
    pub rostered: Option<Rostered>,
    /// Where its latch stands, by all logs of its gateway.
    pub latch: Latch,
    /// Whether a log that was left has known it in scope and on the authority's roster here.
    pub was_charged: bool,
    /// The times at which it stood elsewhere after it had stood here, as its gateway's logs say, Unix milliseconds.
    pub away: Vec<Time>,
    /// Whether its judge was given a roster here that the authority did not sign.
    pub is_misled: bool,
}

/// Everything under a duty, by gateway, name and where it was: whoever moves is told at both places, of each what was drawn there.
pub type Surveyed = BTreeMap<(GatewayId, AssetId, Division, CreditCode), Equipment>;

/// Of what the figures of a time are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// Of the sums that are kept, and of what came since.
    Sums,
    /// Of every verdict.
    Verdicts,
}

/// What a division's equipment comes to in a time, by the sums of days. `trusted` are the authority's keys.
///
/// # Errors
/// The store cannot be read.
pub fn survey(store: &mut dyn Store, scope: &Scope, trusted: &[PublicKey]) -> Result<Surveyed, Failure> {
    let surveyed = pass_through(store, scope, Some(Basis::Sums), trusted)?;
    closures::weighed(store, surveyed, scope, trusted)
}

/// The same of every verdict anew, whatever sums are kept: as an auditor would who believes none.
///
/// # Errors
/// The store cannot be read.
pub fn survey_anew(store: &mut dyn Store, scope: &Scope, trusted: &[PublicKey]) -> Result<Surveyed, Failure> {
    let surveyed = pass_through(store, scope, Some(Basis::Verdicts), trusted)?;
    closures::weighed(store, surveyed, scope, trusted)
}

/// How everything stands when a time ends: of each piece of equipment the newest verdict alone is read, so that what was
/// drawn, covered and restarted within the time is not told; and which demolitions count. `trusted` are the authority's keys.
///
/// # Errors
/// The store cannot be read.
pub fn standing(store: &mut dyn Store, scope: &Scope, trusted: &[PublicKey]) -> Result<Surveyed, Failure> {
    let surveyed = pass_through(store, scope, None, trusted)?;
    closures::weighed(store, surveyed, scope, trusted)
}

/// The same, and of demolitions what the logs claim.
pub(super) fn claimed(
    store: &mut dyn Store,
    scope: &Scope,
    trusted: &[PublicKey],
) -> Result<Surveyed, Failure> {
    pass_through(store, scope, None, trusted)
}

fn pass_through(
    store: &mut dyn Store,
    scope: &Scope,
    figures: Option<Basis>,
    trusted: &[PublicKey],
) -> Result<Surveyed, Failure> {
    let (mut surveyed, foreign) = (Surveyed::new(), store.foreign_acts(None)?);
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
                foreign: &foreign,
                acts: BTreeMap::new(),
                roster: None,
                ends: BTreeMap::new(),
                surveyed: &mut surveyed,
            };
            let is_here = |kept: &&Kept| (kept.division, kept.enterprise) == (division, enterprise);
            for kept in all.iter().filter(is_here) {
                pass.log(store, kept)?;
            }
            pass.finish();
        }
        if is_told {
            left::settle(store, &all, (scope, trusted), &mut surveyed)?;
            moved::settle(store, &all, &mut surveyed)?;
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
    /// Acts in any log that the authority did not sign.
    foreign: &'s [ForeignAct],
    /// Rosters that were written down and not answered yet.
    acts: BTreeMap<(Name, u32), (Roster, Source)>,
    roster: Option<(Roster, Source)>,
    /// The last verdict on each piece of equipment in the logs before.
    ends: BTreeMap<AssetId, (Log, Mark)>,
    surveyed: &'s mut Surveyed,
}

impl Pass<'_> {
    fn log(&mut self, store: &mut dyn Store, kept: &Kept) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        for asset in store.judged(log)? {
            self.newest(store, kept, asset)?;
            if let Some(basis) = self.figures {
                self.figures(store, kept, asset, basis)?;
                self.across(store, kept, asset)?;
            }
        }
        let mut from = Some(0);
        while let Some(first) = from.take() {
            for (seq, record) in store.papers(log, first, PAGE)? {
                from = seq.checked_add(1);
                // Beyond the head something is missing.
                if seq <= kept.seq && record.moment_unix_ms() < self.scope.to.starts_unix_ms() {
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
        self.equipment(asset).newest = Some(Told { verdict, at_unix_ms: record.moment_unix_ms(), source });
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
        // What arrives so long after the time is of the next.
        let until = later(to, LATE_DAYS);
        let known = match after {
            Some(_) => store.day_sums(log, Some(asset), (from, later(until, -1)))?,
            None => Vec::new(),
        };
        let known = known.into_iter().map(|(_, day, sum)| (day, sum)).collect();
        let stretch = Stretch { of: (log, asset), after, to: kept.seq };
        let all = sums::go_on(store, stretch, known, &(from..until))?;
        let first_late = later(from, LATE_DAYS);
        for (_, sum) in all.iter().filter(|(day, _)| **day >= first_late) {
            self.late(log, asset, sum);
        }
        let is_own = |(day, sum): &(LegalDay, DaySum)| *day < to && sum.verdicts > 0;
        let mut days: Vec<(LegalDay, DaySum)> = all.into_iter().filter(is_own).collect();
        days.sort_by_key(|(_, sum)| sum.first.0);
        let earlier = store.verdict_before((log, asset), after_midnight(from), kept.seq)?;
        let earlier = earlier.map(|(_, record)| record.moment_unix_ms());
        let began = days.first().map(|(_, sum)| sum.began_unix_ms);
        let Some(witnessed) = earlier.or(began) else { return Ok(()) };
        let scope = *self.scope;
        let equipment = self.equipment(asset);
        let known = equipment.witnessed_from_unix_ms.unwrap_or(witnessed);
        equipment.witnessed_from_unix_ms = Some(known.min(witnessed));
        days.iter().for_each(|(day, sum)| equipment.add(log, *day, sum, &scope));
        Ok(())
    }

    /// What a day of arrival tells late of days before the time.
    fn late(&mut self, log: Log, asset: AssetId, sum: &DaySum) {
        let Scope { from, .. } = *self.scope;
        for (days, Rise { energy_wh, first, last }) in sum.late.iter().filter(|((_, to, _), _)| *to < from) {
            let ends = (source(log, *first), source(log, *last));
            more(&mut self.equipment(asset).late, *days, *energy_wh, ends);
        }
        for latch in sum.late_latches.iter().filter(|latch| latch.at_unix_ms < from.starts_unix_ms()) {
            let first = Conviction { at_unix_ms: latch.at_unix_ms, source: source(log, latch.place) };
            self.equipment(asset).late_convictions.entry(latch.since_unix_ms).or_insert(first);
        }
    }

    /// What energy rose by from the last verdict of the log before to the first of this one; where this one counts anew,
    /// what the other had counted since its last interval.
    fn across(&mut self, store: &mut dyn Store, kept: &Kept, asset: AssetId) -> Result<(), Failure> {
        let log = (kept.gateway, kept.log);
        let of = (log, asset);
        if let Some((former, before)) = self.ends.get(&asset).copied() {
            let first = store.verdicts(of, None, kept.seq, 1)?;
            if let Some(first) = first.first().and_then(|(_, record)| Mark::read(record)) {
                let rise = first.rise(&before, None).filter(|_| self.scope.covers(first.day()));
                if let Some((from, Rise { energy_wh, .. })) = rise {
                    let ends = (source(former, before.place), source(log, first.place));
                    let days = (from, first.day(), first.bearing);
                    self.equipment(asset).drew(days, energy_wh, ends);
                }
                if first.counts_anew(&before) {
                    self.still_open(asset, former, &before);
                }
            }
        }
        let last = store.verdict_to(of, kept.seq)?.and_then(|(_, record)| Mark::read(&record));
        if let Some(last) = last {
            self.ends.insert(asset, (log, last));
        }
        Ok(())
    }

    /// What was counted since the last interval was closed: no later verdict tells of it.
    fn still_open(&mut self, asset: AssetId, log: Log, last: &Mark) {
        let day = last.day();
        if last.open_wh > 0 && self.scope.covers(day) {
            let end = source(log, last.place);
            self.equipment(asset).drew((day, day, last.bearing), last.open_wh, (end, end));
        }
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
            late: BTreeMap::new(),
            accounted: Accounted::default(),
            witnessed_from_unix_ms: None,
            covered: Rests::default(),
            convictions: BTreeMap::new(),
            late_convictions: BTreeMap::new(),
            closed: None,
            rostered: None,
            latch: Latch::Told,
            was_charged: false,
            away: Vec::new(),
            is_misled: false,
        })
    }

    fn paper(&mut self, log: Log, seq: u64, record: &KeptRecord) {
        let Some(opened) = read(record) else { return };
        let source = Self::source(log, seq, record);
        let is_foreign = self.foreign.iter().any(|act| act.gateway == log.0 && act.is_at(log.1, seq));
        match opened.body {
            Body::Finding(Finding::Transition(step)) if step.to == Rung::Closed => {
                let at_unix_ms = record.moment_unix_ms();
                self.equipment(step.asset).closed = Some(Closed::claimed(step.order, at_unix_ms, source));
            }
            Body::Act(_) if is_foreign => {}
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

    /// What no later verdict tells of, and what is listed and was never spoken of.
    fn finish(mut self) {
        for (asset, (log, last)) in std::mem::take(&mut self.ends) {
            self.still_open(asset, log, &last);
        }
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
        for sums::Latch { since_unix_ms, at_unix_ms, place } in &sum.latches {
            if scope.has(*at_unix_ms) {
                let first = Conviction { at_unix_ms: *at_unix_ms, source: source(log, *place) };
                self.convictions.entry(*since_unix_ms).or_insert(first);
            }
        }
        for ((from, bearing), Rise { energy_wh, first, last }) in &sum.rises {
            self.drew((*from, day, *bearing), *energy_wh, (source(log, *first), source(log, *last)));
        }
    }

    /// So much between two verdicts: on one day, or nobody knows on which.
    fn drew(&mut self, days: (LegalDay, LegalDay, Bearing), energy_wh: i64, ends: (Source, Source)) {
        let (from, to, bearing) = days;
        if from < to {
            more(&mut self.undated, days, energy_wh, ends);
        } else {
            more(&mut self.drawn, (to, bearing), energy_wh, ends);
        }
    }

    /// The last lawful day: as its newest verdict knows it, else as the roster does.
    pub fn last_day(&self) -> Option<LegalDay> {
        let told = self.newest.as_ref().and_then(|told| told.verdict.standing.last_day());
        [told, self.rostered.map(|rostered| rostered.deadline)].into_iter().flatten().min()
    }

    /// The entry it stands under: the roster's, else the catalogue's.
    pub fn entry(&self) -> Option<Citation> {
        self.rostered.map(|rostered| rostered.entry).or(self.ruled())
    }

    /// The entry under which the catalogue finds it in scope; a line that may be the right one is none.
    pub fn ruled(&self) -> Option<Citation> {
        let in_scope = |ruling: &Ruling| ruling.class == Class::InScope;
        let ruling = self.newest.as_ref().and_then(|told| told.verdict.standing.ruling).filter(in_scope);
        ruling.and_then(|ruling| ruling.rule).map(|rule| rule.entry)
    }

    /// What the catalogue makes of its nameplate, where a verdict tells.
    pub fn class(&self) -> Option<Class> {
        self.newest.as_ref().and_then(|told| told.verdict.standing.class())
    }

    /// Whether its newest verdict is older by the end of the time, or by now, than a gateway that speaks lets it get.
    pub fn is_silent(&self, scope: &Scope) -> bool {
        let end = scope.to.starts_unix_ms().min(scope.made_unix_ms);
        self.newest.as_ref().is_some_and(|told| end.saturating_sub(told.at_unix_ms) > MOST_QUIET_MS)
    }
}

fn source((gateway, log): Log, (seq, hash): Place) -> Source {
    Source { gateway, log, seq, hash }
}

/// So much more under a key.
fn more<K: Ord>(all: &mut BTreeMap<K, Drawn>, key: K, energy_wh: i64, (first, last): (Source, Source)) {
    let drawn = all.entry(key).or_insert(Drawn { energy_wh: 0, first, last });
    drawn.energy_wh = drawn.energy_wh.saturating_add(energy_wh);
    drawn.last = last;
}

fn later(day: LegalDay, days: i64) -> LegalDay {
    LegalDay::of_unix_ms(day.starts_unix_ms().saturating_add(days.saturating_mul(DAY_MS)))
}

/// What is kept was verified when it came.
fn read(record: &KeptRecord) -> Option<Record> {
    Unverified::read(&record.bytes).and_then(Unverified::own).ok()
}
