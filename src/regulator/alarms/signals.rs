//! PURE file. What a record says of the things alarms are about.

use super::{
    cause::Cause,
    condition::{Condition, Shown},
};
use crate::{
    catalogue::Class,
    evidence::{Body, Notice, Record, lineage::ClashKind, record::Unverified},
    judge::{Event, Finding, Rung, State, Transition, Verdict, Why},
    regulator::store::KeptFinding,
    terms::Name,
};

/// Everything a record says that an alarm is about, that it stands and that it does not.
pub fn signals(record: &Record, received_unix_ms: i64) -> Vec<Condition> {
    let mut all = Vec::new();
    let mut say = |cause, subject, shown| {
        all.push(Condition {
            cause,
            gateway: record.header.gateway,
            log: record.header.log,
            seq: record.header.seq,
            subject,
            shown,
            at_unix_ms: moment(record, received_unix_ms),
            received_unix_ms,
            hash: record.hash,
        });
    };
    match &record.body {
        Body::Finding(Finding::Verdict(verdict)) => of_verdict(verdict, &mut say),
        Body::Finding(Finding::Transition(step)) => of_step(step, &mut say),
        Body::Finding(Finding::Event(event)) => {
            if let Some(cause) = of_event(event) {
                say(cause, record.body.subject(), Shown::Active);
            }
        }
        Body::Notice(notice) => {
            if let Some(cause) = of_notice(notice) {
                say(cause, None, Shown::Active);
            }
        }
        Body::Gap(_) => say(Cause::Gap, None, Shown::Active),
        Body::Rollback(_) => say(Cause::Rollback, None, Shown::Active),
        Body::Genesis(_)
        | Body::Boot(_)
        | Body::Checkpoint(_)
        | Body::Skip { .. }
        | Body::Rotation(_)
        | Body::Act(_)
        | Body::Answer(_)
        | Body::Commissioned(_)
        | Body::Finding(Finding::State(_) | Finding::Interval(_)) => {}
    }
    all
}

/// When a record was written, as far as anybody but its gateway can tell: never later than it arrived. Unix milliseconds.
fn moment(record: &Record, received_unix_ms: i64) -> i64 {
    record.header.at.wall_unix_ms.min(received_unix_ms)
}

/// What is said of something, and of which part of a plant.
type Say<'s> = dyn FnMut(Cause, Option<Name>, Shown) + 's;

fn of_verdict(verdict: &Verdict, say: &mut Say<'_>) {
    let subject = Some(verdict.asset.0);
    let stands = |is_so: bool| if is_so { Shown::Active } else { Shown::Clear };
    let latch = match (verdict.violation_since_unix_ms, verdict.state) {
        (None, _) => Shown::Clear,
        (Some(_), State::Drawing) => Shown::Active,
        (
            Some(_),
            State::Exporting
            | State::Masked(_)
            | State::Unknown(_)
            | State::Auxiliary
            | State::Energised
            | State::Dead,
        ) => Shown::Latched,
    };
    say(Cause::Violation, subject, latch);
    say(Cause::Tamper, subject, stands(verdict.signs.has_strong()));
    // A start is no fault, and ends none: what was in doubt before it is until something is seen.
    if !matches!(verdict.state, State::Unknown(Why::NotYetRead | Why::NotYetJudged)) {
        let doubt = doubt(verdict);
        say(Cause::NoEvidence, subject, stands(doubt == Some(Cause::NoEvidence)));
        say(Cause::MeterFault, subject, stands(doubt == Some(Cause::MeterFault)));
    }
    say(Cause::Undetermined, subject, stands(verdict.standing.class() == Some(Class::Undetermined)));
}

/// What doubt about equipment under a duty is about: nothing is owed for what may run.
fn doubt(verdict: &Verdict) -> Option<Cause> {
    verdict.standing.last_day()?;
    let why = match verdict.state {
        State::Unknown(why) => why,
        State::Drawing
        | State::Exporting
        | State::Masked(_)
        | State::Auxiliary
        | State::Energised
        | State::Dead => return None,
    };
    match why {
        Why::NotYetRead | Why::NotYetJudged => None,
        Why::Fault(_) | Why::Silent | Why::NoPower | Why::NoVoltage | Why::NoRegister | Why::NoCurrent => {
            Some(Cause::MeterFault)
        }
        Why::ElementsDiffer
        | Why::RegisterMoves
        | Why::NoLivenessWord
        | Why::NotProvenAlive
        | Why::InducedVoltage
        | Why::CurrentWithoutVoltage
        | Why::Reversed
        | Why::RegisterFell
        | Why::RegisterLeapt
        | Why::BusSide
        | Why::SharedFeeder => Some(Cause::NoEvidence),
    }
}

fn of_step(step: &Transition, say: &mut Say<'_>) {
    let subject = Some(step.order.0);
    let stands = |rung: Rung| if step.to == rung { Shown::Active } else { Shown::Clear };
    say(Cause::CutViolated, subject, stands(Rung::Violated));
    say(Cause::Indeterminate, subject, stands(Rung::Indeterminate));
}

/// What an event is, where somebody must know of it at once.
fn of_event(event: &Event) -> Option<Cause> {
    match event {
        Event::ClockStepped { .. } => Some(Cause::ClockStepped),
        Event::FedBehindCut { .. } => Some(Cause::FedBehindCut),
        Event::Reconcile(day) => (!day.agrees()).then_some(Cause::Reconcile),
        Event::PlateUnreadable { .. } => Some(Cause::PlateUnreadable),
        Event::PlateDiffers { .. } => Some(Cause::PlateDiffers),
        Event::ClassChanged(_) => Some(Cause::PlateEdited),
        Event::NotOnRoster { .. } => Some(Cause::NotOnRoster),
        // Signs are told with each verdict, registers and balances become signs, and a dark time is told by what it hid.
        Event::Register(_)
        | Event::Sign(_)
        | Event::Balance(_)
        | Event::Hold(_)
        | Event::Dark(_)
        | Event::Meter(_)
        | Event::Plate(_)
        | Event::DeadlineWarning(_)
        | Event::PermitUsed { .. } => None,
    }
}

fn of_notice(notice: &Notice) -> Option<Cause> {
    match notice {
        Notice::Oversized { .. } => Some(Cause::Oversized),
        Notice::DiskFull { .. } => Some(Cause::DiskFull),
        Notice::JournalDamaged { .. } => Some(Cause::JournalDamaged),
        Notice::CertificateExpiring { .. } => Some(Cause::CertificateExpiring),
        Notice::LastGasp => Some(Cause::LastGasp),
        // Whoever stops in good order says so; a receipt that was refused changed nothing.
        Notice::ReceiptRefused { .. } | Notice::Stopping => None,
    }
}

/// What a finding across plants is to the desk of the later of its two places. One that a paper excuses is none.
pub fn of_finding(finding: &KeptFinding, received_unix_ms: i64) -> Option<Condition> {
    let [_, later] = &finding.halves;
    let written = Unverified::read(&later.bytes).ok()?.header().at.wall_unix_ms;
    let cause = match finding.kind {
        ClashKind::Transfer => Cause::Transfer,
        ClashKind::PlaceChanged => Cause::PlaceChanged,
        ClashKind::MeterTwice => Cause::MeterTwice,
        ClashKind::ListedTwice => Cause::ListedTwice,
        ClashKind::RatingEdited => Cause::RatingEdited,
        ClashKind::EliminatedDraws => Cause::EliminatedDraws,
    };
    // The paper comes later than what it excuses, though it may stand in another log.
    let (seq, shown) = match &finding.excuse {
        None => (0, Shown::Active),
        Some(_) => (1, Shown::Clear),
    };
    Some(Condition {
        cause,
        gateway: later.gateway,
        log: later.log,
        seq,
        subject: Name::new(&finding.id.to_string()),
        shown,
        at_unix_ms: written.min(received_unix_ms),
        received_unix_ms,
        hash: later.hash,
    })
}
