//! What a record says of a piece of equipment, as far as screens list it, sort by it and draw it. PURE file.
//!
//! A sight is no evidence: it is an index into the records, each of which it names by log and place.

use std::collections::BTreeMap;

use super::newer::Saying;
use crate::{
    catalogue::{Class, Phase, Ruling},
    evidence::{Body, LogId, Record},
    judge::{Event, Finding, Interval, Rung, Verdict},
    terms::{AssetId, GatewayId, LegalDay, MeterId, OrderId, WattHours},
};

/// How old the newest that a gateway which speaks tells of a piece of equipment gets, in milliseconds: a verdict and an interval
/// come every quarter of an hour, and of four one has arrived.
pub const MOST_QUIET_MS: i64 = 3_600_000;

/// Whether a gateway that was heard then has ceased to tell of equipment that was last attested at another time, both Unix
/// milliseconds: for [`MOST_QUIET_MS`] it speaks of other things alone. Badges, lanes and alarms ask this one question.
pub const fn is_untold(attested_unix_ms: i64, heard_unix_ms: i64) -> bool {
    heard_unix_ms.saturating_sub(attested_unix_ms) >= MOST_QUIET_MS
}

/// What one record says of one piece of equipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// The record's place in it.
    pub seq: u64,
    /// The equipment.
    pub asset: AssetId,
    /// When the record says it was written, Unix milliseconds.
    pub wall_unix_ms: i64,
    /// When it arrived, Unix milliseconds.
    pub received_unix_ms: i64,
    /// What it says.
    pub said: Said,
}

impl Sight {
    /// Of what of the row it is, where only the newest is listed; `None` of what is listed beside all others.
    pub const fn part(&self) -> Option<Part> {
        match self.said {
            Said::Verdict(_) => Some(Part::Verdict),
            Said::Order { .. } => Some(Part::Order),
            Said::Plate => Some(Part::Plate),
            Said::Span(_) => None,
        }
    }

    /// Where and when it is said.
    pub fn saying(&self) -> Saying {
        let Sight { log, seq, received_unix_ms, wall_unix_ms, .. } = *self;
        // What convicts in another log is said of it besides.
        Saying { log, seq, received_unix_ms, is_grave: false, wall_unix_ms }
    }

    /// Of when it is, Unix milliseconds, if it attests how the equipment stands; else of no time. It is never of later than it
    /// arrived, and what was delayed on its way is of when it was written: no line makes old evidence new.
    pub fn attested_unix_ms(&self) -> i64 {
        self.attests_unix_ms().min(self.wall_unix_ms.max(0))
    }

    /// When it arrived, Unix milliseconds, if it attests how the equipment stands; else at no time. It stands where the log says that
    /// told so last, whatever the clock of its gateway says.
    pub fn attests_unix_ms(&self) -> i64 {
        if self.said.attests() { self.received_unix_ms } else { 0 }
    }
}

/// A part of what is listed of a piece of equipment that one record alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its verdict.
    Verdict,
    /// Where its order stands.
    Order,
    /// Its nameplate.
    Plate,
}

impl Part {
    /// The word of the store.
    pub const fn word(self) -> &'static str {
        match self {
            Part::Verdict => "verdict",
            Part::Order => "order",
            Part::Plate => "plate",
        }
    }
}

/// What of a row one record alone tells.
pub type Of = (GatewayId, AssetId, Part);

/// Of each part of each row the newest that every log says of it, the log of the lower number first.
pub fn newest(all: &[Sight]) -> BTreeMap<Of, Vec<&Sight>> {
    let mut newest = BTreeMap::<(Of, LogId), &Sight>::new();
    for sight in all {
        let Some(part) = sight.part() else { continue };
        let kept = newest.entry(((sight.gateway, sight.asset, part), sight.log)).or_insert(sight);
        if sight.seq > kept.seq {
            *kept = sight;
        }
    }
    let mut by_part = BTreeMap::<Of, Vec<&Sight>>::new();
    newest.into_iter().for_each(|((of, _), sight)| by_part.entry(of).or_default().push(sight));
    by_part
}

/// What a sight is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The verdict.
    Verdict(VerdictSaid),
    /// Where a cut-off order stands.
    Order {
        /// Which order.
        order: OrderId,
        /// Where.
        rung: Rung,
    },
    /// A nameplate, read or declared.
    Plate,
    /// Time and energy of one of its meters.
    Span(Span),
}

/// The part of a verdict that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictSaid {
    /// The word of its state.
    pub state: &'static str,
    /// Since when that is its state, Unix milliseconds.
    pub since_unix_ms: i64,
    /// Since when a violation is latched, Unix milliseconds: by its judge, or by that of a log of its gateway that was left.
    pub violation_since_unix_ms: Option<i64>,
    /// That log, where its judge knows nothing of the violation.
    pub left: Option<LogId>,
    /// Its class; none where no catalogue was asked.
    pub class: Option<Class>,
    /// The phase it was judged in.
    pub phase: Option<Phase>,
    /// Its last lawful day.
    pub last_day: Option<LegalDay>,
    /// The entry it is in scope by, `instrument entry`; a line that may be the right one is none.
    pub entry: Option<String>,
    /// Energy drawn while it was overdue.
    pub overdue: WattHours,
}

/// A meter's interval as charts draw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Whose.
    pub meter: MeterId,
    /// Where it began, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Where it ended, Unix milliseconds.
    pub to_unix_ms: i64,
    /// Energy by its registers; none where they do not tell, which is not zero.
    pub energy: Option<WattHours>,
    /// Time observed, or bridged by registers, in milliseconds.
    pub seen_ms: i64,
    /// Time nobody accounts for, in milliseconds.
    pub unseen_ms: i64,
}

impl Said {
    /// Whether it attests how the equipment stands: only its verdicts and its meters' intervals do.
    pub const fn attests(&self) -> bool {
        match self {
            Said::Verdict(_) | Said::Span(_) => true,
            Said::Order { .. } | Said::Plate => false,
        }
    }
}

/// What a record says of a piece of equipment; `None` where it says nothing that is listed.
pub fn of(record: &Record, received_unix_ms: i64) -> Option<Sight> {
    let (asset, said) = said(&record.body)?;
    Some(Sight {
        gateway: record.header.gateway,
        log: record.header.log,
        seq: record.header.seq,
        asset,
        wall_unix_ms: record.header.at.wall_unix_ms,
        received_unix_ms,
        said,
    })
}

fn said(body: &Body) -> Option<(AssetId, Said)> {
    match body {
        Body::Finding(Finding::Verdict(verdict)) => Some((verdict.asset, Said::Verdict(of_verdict(verdict)))),
        Body::Finding(Finding::Interval(interval)) => {
            Some((interval.asset, Said::Span(of_interval(interval))))
        }
        Body::Finding(Finding::Transition(step)) => {
            Some((step.asset, Said::Order { order: step.order, rung: step.to }))
        }
        Body::Finding(Finding::Event(Event::Plate(read))) => Some((read.asset, Said::Plate)),
        Body::Finding(Finding::State(_))
        | Body::Finding(Finding::Event(
            Event::ClockStepped { .. }
            | Event::Register(_)
            | Event::Sign(_)
            | Event::Balance(_)
            | Event::Hold(_)
            | Event::Reconcile(_)
            | Event::FedBehindCut { .. }
            | Event::Dark(_)
            | Event::Meter(_)
            | Event::PlateUnreadable { .. }
            | Event::PlateDiffers { .. }
            | Event::ClassChanged(_)
            | Event::DeadlineWarning(_)
            | Event::NotOnRoster { .. }
            | Event::PermitUsed { .. },
        ))
        | Body::Genesis(_)
        | Body::Commissioned(_)
        | Body::Boot(_)
        | Body::Rotation(_)
        | Body::Checkpoint(_)
        | Body::Skip { .. }
        | Body::Gap(_)
        | Body::Rollback(_)
        | Body::Act(_)
        | Body::Answer(_)
        | Body::Notice(_) => None,
    }
}

fn of_verdict(verdict: &Verdict) -> VerdictSaid {
    let ruling = verdict.standing.ruling;
    VerdictSaid {
        state: verdict.state.word(),
        since_unix_ms: verdict.since.wall_unix_ms,
        violation_since_unix_ms: verdict.violation_since_unix_ms,
        left: None,
        class: ruling.map(|ruling| ruling.class),
        phase: verdict.phase,
        last_day: verdict.standing.last_day(),
        entry: ruling.and_then(entry),
        overdue: verdict.energy_overdue,
    }
}

/// The entry that a ruling finds it in scope by.
fn entry(ruling: Ruling) -> Option<String> {
    let rule = ruling.rule.filter(|_| ruling.class == Class::InScope)?;
    Some(format!("{} {}", rule.instrument, rule.entry))
}

fn of_interval(interval: &Interval) -> Span {
    Span {
        meter: interval.meter,
        from_unix_ms: interval.start.wall_unix_ms,
        to_unix_ms: interval.end.wall_unix_ms,
        energy: interval.energy,
        seen_ms: interval.shares.observed_ms().saturating_add(interval.shares.bridged_ms()),
        unseen_ms: interval.shares.unaccounted_ms(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{Citation, Rule, Witness},
        judge::ledger::Shares,
        terms::{ClockQuality, Digest, Stamp},
    };

    fn at(wall_unix_ms: i64) -> Stamp {
        Stamp { wall_unix_ms, uptime_ms: 0, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 }
    }

    #[test]
    fn a_line_that_may_be_the_right_one_is_no_entry() {
        let rule = Rule {
            instrument: Citation::new("guofa-2010-7").unwrap(),
            entry: Citation::new("carbide-saf-below-6300kva").unwrap(),
            file: Digest::ZERO,
            witness: Witness::Full,
        };
        for class in Class::ALL {
            let told = entry(Ruling { class, rule: Some(rule), deadline: None });
            assert_eq!(told.is_some(), class == Class::InScope, "{}", class.word());
        }
    }

    #[test]
    fn evidence_is_as_old_as_it_is_however_late_it_comes() {
        let sight = |wall_unix_ms, received_unix_ms| Sight {
            gateway: GatewayId::new("gw-1").unwrap(),
            log: LogId(1),
            seq: 1,
            asset: AssetId::new("eaf-1").unwrap(),
            wall_unix_ms,
            received_unix_ms,
            said: Said::Plate,
        };
        assert_eq!(sight(5, 9).attested_unix_ms(), 0, "a nameplate attests nothing");
        let span = Span {
            meter: MeterId::new("m-1").unwrap(),
            from_unix_ms: 0,
            to_unix_ms: 5,
            energy: None,
            seen_ms: 5,
            unseen_ms: 0,
        };
        let attested =
            |wall, received| Sight { said: Said::Span(span), ..sight(wall, received) }.attested_unix_ms();
        assert_eq!((attested(5, 9), attested(90, 9)), (5, 9), "a clock that is ahead makes nothing newer");
    }

    #[test]
    fn an_interval_whose_registers_do_not_tell_has_no_energy_and_its_gap_stays_a_gap() {
        let interval = Interval {
            meter: MeterId::new("m-1").unwrap(),
            asset: AssetId::new("eaf-1").unwrap(),
            start: at(0),
            end: at(900_000),
            shares: Shares::of_record(500_000, 100_000, 300_000).unwrap(),
            late_bridged_ms: 0,
            energy: None,
            bound: WattHours(7),
            reads_ok: 1,
            reads_failed: 1,
            before: None,
            after: None,
            windows: None,
            fingerprint: None,
            commissioning: None,
            plate: None,
        };
        let (asset, told) = said(&Body::Finding(Finding::Interval(interval))).unwrap();
        let Said::Span(span) = told else { panic!("{told:?}") };
        assert_eq!((asset.as_str(), span.energy), ("eaf-1", None));
        assert_eq!((span.seen_ms, span.unseen_ms, span.to_unix_ms), (600_000, 300_000, 900_000));
    }
}
