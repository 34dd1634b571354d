//! What the logs that a gateway has left say of its equipment: a journal that begins anew knows of no conviction and of no roster,
//! and the desk keeps both logs.

use std::collections::BTreeMap;

use super::{Equipment, Scope, Source, Surveyed, after_midnight};
use crate::{
    catalogue::Class,
    evidence::{Act, Body, Meaning, PublicKey, Record, record::Unverified},
    host::exit::Failure,
    judge::{Finding, Verdict},
    regulator::{
        alarms::{About, Cause, ending},
        conviction::{LastWord, Reset, left_standing},
        foreign::ForeignAct,
        store::{Batch, Kept, Store},
        sums::Bearing,
        undone::undone,
    },
    terms::{AssetId, GatewayId},
};

/// Papers read at once.
const PAGE: u32 = 256;

/// Where a piece of equipment's latch stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Latch {
    /// As its newest verdict says.
    #[default]
    Told,
    /// Closed in a log of its gateway that was left, as this verdict says.
    Left(Source),
    /// Closed by its newest verdict; the authority has opened it by another log, or at the desk.
    Opened,
}

/// The last verdict of a log on a piece of equipment before the time ends.
struct Said {
    of: Kept,
    verdict: Verdict,
    word: LastWord,
}

/// Adds what the logs that were left say; `logs` are those of one gateway, the newest last, `trusted` the authority's keys.
///
/// # Errors
/// The store cannot be read.
pub(super) fn settle(
    store: &mut dyn Store,
    logs: &[Kept],
    (scope, trusted): (&Scope, &[PublicKey]),
    surveyed: &mut Surveyed,
) -> Result<(), Failure> {
    let Some(newest) = logs.last() else { return Ok(()) };
    let foreign = store.foreign_acts(Some(&[newest.gateway].into()))?;
    let is_alone = logs.len() < 2 && foreign.is_empty();
    mislead(store, logs, &foreign, surveyed)?;
    let mut said: BTreeMap<AssetId, Vec<Said>> = BTreeMap::new();
    for kept in logs {
        // Of a gateway with one log only the desk can have said something else.
        let told = if is_alone {
            convicted(surveyed, kept.gateway)
        } else {
            store.judged((kept.gateway, kept.log))?
        };
        for asset in told {
            said.entry(asset).or_default().extend(last(store, kept, asset, scope)?);
        }
    }
    let resets = if is_alone { Vec::new() } else { resets(store, logs, scope, trusted)? };
    for (asset, said) in said {
        let mut of_it: Vec<Reset> = resets.iter().filter(|reset| reset.asset == asset).copied().collect();
        if let Some(one) = said.iter().find(|said| said.word.since_unix_ms.is_some()) {
            let alarm = About::of_gateway(Cause::Violation, one.of.gateway, Some(asset.0));
            let desk = ending::resets(store, alarm.id())?.into_iter();
            of_it.extend(desk.filter(|(at, _)| *at < scope.to.starts_unix_ms()).map(|(_, reset)| reset));
        }
        let undone = undone_words(store, logs, scope, &foreign, asset)?;
        for kept in logs {
            let key = (kept.gateway, asset, kept.division, kept.enterprise);
            if let Some(one) = surveyed.get_mut(&key) {
                one.look_back(&said, &undone, &of_it);
            }
        }
    }
    Ok(())
}

/// What the newest verdicts of a gateway convict, of all that was surveyed the last.
fn convicted(surveyed: &Surveyed, gateway: GatewayId) -> Vec<AssetId> {
    let of_it = surveyed.iter().rev().take_while(|((of, ..), _)| *of == gateway);
    let is_convicted = |one: &Equipment| {
        one.newest.as_ref().is_some_and(|told| told.verdict.violation_since_unix_ms.is_some())
    };
    of_it.filter(|(_, one)| is_convicted(one)).map(|((_, asset, ..), _)| *asset).collect()
}

fn last(store: &mut dyn Store, kept: &Kept, asset: AssetId, scope: &Scope) -> Result<Option<Said>, Failure> {
    let log = (kept.gateway, kept.log);
    let found = store.verdict_before((log, asset), after_midnight(scope.to), kept.seq)?;
    Ok(found.and_then(|(seq, record)| {
        let word = LastWord::of(kept.log, seq, &record)?;
        // What is kept was verified when it came.
        let opened = Unverified::read(&record.bytes).and_then(Unverified::own).ok()?;
        let Body::Finding(Finding::Verdict(verdict)) = opened.body else { return None };
        Some(Said { of: *kept, verdict, word })
    }))
}

/// Equipment whose judge was given a roster that the authority did not sign is known to have been.
fn mislead(
    store: &mut dyn Store,
    logs: &[Kept],
    foreign: &[ForeignAct],
    surveyed: &mut Surveyed,
) -> Result<(), Failure> {
    for act in foreign {
        let Some(kept) = logs.iter().find(|kept| kept.log == act.log && act.seq <= kept.seq) else {
            continue;
        };
        let record = store.records_from((act.gateway, act.log), act.seq, 1)?;
        // What is kept was verified when it came.
        let opened =
            record.first().map(|(_, record)| Unverified::read(&record.bytes).and_then(Unverified::own));
        let Some(Ok(Record { body: Body::Act(Act { meaning: Meaning::Roster(_), .. }), .. })) = opened else {
            continue;
        };
        let of = (kept.gateway, kept.division, kept.enterprise);
        let here = surveyed.values_mut().filter(|one| (one.gateway, one.division, one.enterprise) == of);
        here.for_each(|one| one.is_misled = true);
    }
    Ok(())
}

/// Convictions on a piece of equipment that foreign hands have undone.
fn undone_words(
    store: &mut dyn Store,
    logs: &[Kept],
    scope: &Scope,
    foreign: &[ForeignAct],
    asset: AssetId,
) -> Result<Vec<LastWord>, Failure> {
    let is_known = |act: &&ForeignAct| logs.iter().any(|kept| kept.log == act.log && act.seq <= kept.seq);
    let mut words = Vec::new();
    for act in foreign.iter().filter(is_known) {
        words.extend(undone(store, &Batch::default(), act, asset, after_midnight(scope.to))?);
    }
    Ok(words)
}

fn resets(
    store: &mut dyn Store,
    logs: &[Kept],
    scope: &Scope,
    trusted: &[PublicKey],
) -> Result<Vec<Reset>, Failure> {
    let mut resets = Vec::new();
    for kept in logs {
        let mut from = Some(0);
        while let Some(first) = from.take() {
            for (seq, record) in store.papers((kept.gateway, kept.log), first, PAGE)? {
                from = seq.checked_add(1);
                let at_unix_ms = record.wall_unix_ms.min(record.received_unix_ms);
                if seq <= kept.seq && at_unix_ms < scope.to.starts_unix_ms() {
                    resets.extend(Reset::of(kept.log, seq, &record, trusted));
                }
            }
        }
    }
    Ok(resets)
}

impl Equipment {
    fn look_back(&mut self, said: &[Said], undone: &[LastWord], resets: &[Reset]) {
        let Some(newest) = &self.newest else { return };
        let own = newest.source.log;
        let Some(at) = said.iter().position(|said| said.word.log == own) else { return };
        // What a later log says, of another place perhaps, is no word of this one.
        let until = said.get(..=at).unwrap_or_default();
        let words = || until.iter().map(|said| &said.word);
        let is_of_these = |word: &&LastWord| words().any(|said| said.log == word.log);
        let all = words().chain(undone.iter().filter(is_of_these));
        self.latch = match newest.verdict.violation_since_unix_ms {
            Some(_) if words().any(|word| word.log == own && resets.iter().any(|reset| reset.ends(word))) => {
                Latch::Opened
            }
            Some(_) => Latch::Told,
            None => left_standing(all, resets, own).map_or(Latch::Told, |word| {
                let LastWord { log, seq, hash, .. } = word;
                Latch::Left(Source { gateway: self.gateway, log, seq, hash })
            }),
        };
        let place = (self.division, self.enterprise);
        let is_here = |said: &&Said| (said.of.division, said.of.enterprise) == place;
        let former = said.get(..at).unwrap_or_default();
        self.was_charged =
            former.iter().filter(is_here).any(|said| Bearing::of(&said.verdict) == Bearing::Charged);
    }

    /// Whether a violation of it is latched.
    pub fn is_latched(&self) -> bool {
        match self.latch {
            Latch::Told => {
                self.newest.as_ref().is_some_and(|told| told.verdict.violation_since_unix_ms.is_some())
            }
            Latch::Left(_) => true,
            Latch::Opened => false,
        }
    }

    /// The verdict of a log that was left by which a violation of it is latched.
    pub fn left(&self) -> Option<Source> {
        match self.latch {
            Latch::Left(source) => Some(source),
            Latch::Told | Latch::Opened => None,
        }
    }

    /// Whether it is in scope, and on the roster that the authority signed: what a verdict says that rests on another is nothing.
    fn is_charged_by_the_authority(&self) -> bool {
        self.rostered.is_some() && self.class() == Some(Class::InScope)
    }

    /// Whether energy is charged of which its verdict said this. A journal that began anew and was sent no roster yet says
    /// nothing of that; the one before did.
    pub fn charges(&self, bearing: Bearing) -> bool {
        match bearing {
            Bearing::Charged => true,
            Bearing::Free => self.is_misled && self.is_charged_by_the_authority(),
            Bearing::NoRoster => self.was_charged || (self.is_misled && self.is_charged_by_the_authority()),
        }
    }
}
