//! What one record says of machines and meters.

use super::{Elimination, End, MAKER, Mention, SERIAL, Says, serial};
use crate::{
    catalogue::{CasePlate, Class, Nameplate, Rules, plate::PlateValue},
    evidence::{
        act::{Act, ActKind},
        body::Body,
        record::Record,
    },
    judge::{Event, Finding, MeterTold, PlateRead, Rung, State, Verdict, edge},
    metering::Identity,
    terms::{ClockQuality, LegalDay, Name, Stamp},
};

/// The line that says what the machine is.
const KIND: &str = "equipment_kind";

/// What a record mentions. `received` is the day it arrived, by whose law its nameplate is weighed: what a gateway says of
/// the time decides nothing here.
pub fn mentions(record: &Record, rules: &Rules, received: LegalDay) -> Vec<Mention> {
    let header = &record.header;
    let mention = |(subject, says): (Name, Says)| Mention {
        gateway: header.gateway,
        log: header.log,
        seq: header.seq,
        hash: record.hash,
        at_unix_ms: header.at.wall_unix_ms,
        subject,
        says,
        end: End::First,
    };
    let said = match &record.body {
        Body::Finding(Finding::Event(Event::Plate(read))) => of_plate(read, rules, received),
        Body::Finding(Finding::Event(Event::Meter(told))) => of_meter(told),
        Body::Finding(Finding::Verdict(verdict)) => of_verdict(verdict, &header.at),
        Body::Finding(Finding::Transition(moved)) if moved.to == Rung::Closed => {
            vec![(moved.asset.0, Says::Eliminated(Elimination::Accepted))]
        }
        Body::Act(act) => of_act(act),
        Body::Finding(
            Finding::State(_) | Finding::Interval(_) | Finding::Event(_) | Finding::Transition(_),
        )
        | Body::Genesis(_)
        | Body::Boot(_)
        | Body::Checkpoint(_)
        | Body::Rotation(_)
        | Body::Skip { .. }
        | Body::Gap(_)
        | Body::Rollback(_)
        | Body::Answer(_)
        | Body::Notice(_)
        | Body::Commissioned(_) => Vec::new(),
    };
    let firsts: Vec<Mention> = said.into_iter().map(mention).collect();
    let may_come_again = firsts.iter().filter(|mention| mention.says.has_last());
    let lasts: Vec<Mention> =
        may_come_again.map(|mention| Mention { end: End::Last, ..mention.clone() }).collect();
    firsts.into_iter().chain(lasts).collect()
}

fn of_plate(read: &PlateRead, rules: &Rules, received: LegalDay) -> Vec<(Name, Says)> {
    let class = rules.classify(received, &CasePlate::from(&read.plate)).class;
    let plate = Says::Plate { source: read.source, class, fingerprint: read.plate.fingerprint() };
    let machine = machine(&read.plate, class);
    std::iter::once(plate).chain(machine).map(|says| (read.asset.0, says)).collect()
}

/// The machine a nameplate names, if it names one.
fn machine(plate: &Nameplate, class: Class) -> Option<Says> {
    let line = |name| match plate.says(name)? {
        PlateValue::Text(text) => Some(text.clone()),
        PlateValue::Whole(number) if *number >= 0 => Some(number.to_string()),
        PlateValue::Whole(_) | PlateValue::Decimal { .. } | PlateValue::Flag(_) => None,
    };
    let kind = serial::canonical(&line(KIND)?)?;
    let maker = serial::canonical(&line(MAKER)?)?;
    let number = serial::serial(&line(SERIAL)?)?;
    Some(Says::Machine { key: format!("{kind} {maker} {number}"), class })
}

fn of_meter(told: &MeterTold) -> Vec<(Name, Says)> {
    let here = meter(&told.after).map(|(key, maker)| Says::Meter { key, maker });
    let left = told.before.as_ref().filter(|_| told.is_another() && told.permit.is_some());
    let left = left.and_then(meter).map(|(key, maker)| Says::MeterLeft { key, maker });
    here.into_iter().chain(left).map(|says| (told.meter.0, says)).collect()
}

/// A meter by its serial number and model, or maker where it tells no model; and its maker.
fn meter(identity: &Identity) -> Option<(String, String)> {
    let number = serial::serial(identity.serial?.as_str())?;
    let maker = identity.maker.and_then(|maker| serial::canonical(maker.as_str())).unwrap_or_default();
    let key = match identity.model.and_then(|model| serial::canonical(model.as_str())) {
        Some(model) => format!("model {model} {number}"),
        None if maker.is_empty() => return None,
        None => format!("maker {maker} {number}"),
    };
    Some((key, maker))
}

fn of_verdict(verdict: &Verdict, at: &Stamp) -> Vec<(Name, Says)> {
    // A day has ended once no error of the clock could put the moment back into it.
    let has_ended = |day: &LegalDay| at.clock != ClockQuality::Unset && *day < edge::earliest_day(at);
    let declared = verdict.standing.decommissioned_on.filter(has_ended);
    let eliminated = declared.map(|day| Says::Eliminated(Elimination::Declared(day)));
    // What the judge has not excused by a permit, it calls a violation; without any permit there is nothing to excuse.
    let unexcused = verdict.permit.is_none() || verdict.violation_since_unix_ms.is_some();
    let drew = Says::Drew { phase: verdict.phase, declared: verdict.standing.decommissioned_on };
    let drew = (verdict.state == State::Drawing && unexcused).then_some(drew);
    eliminated.into_iter().chain(drew).map(|says| (verdict.asset.0, says)).collect()
}

fn of_act(act: &Act) -> Vec<(Name, Says)> {
    let closed = act.asset.filter(|_| act.kind == ActKind::Close);
    closed.map(|asset| (asset.0, Says::Eliminated(Elimination::Accepted))).into_iter().collect()
}
