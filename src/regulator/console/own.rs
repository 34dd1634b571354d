//! The collector's own alarms, as the console asks for them. Whoever asks sees what lies in the scope.

mod one;

use std::fmt;

use super::{
    Books,
    asks::{self, AlarmRow, AlarmTold, AlarmsPage, Decision, Load},
    chart::DAY_MS,
};
use crate::{
    regulator::{
        alarms::{
            self, Alarm, AlarmId, Cause, Entry, Event, Hand, Kind, Priority, Refused, kpi::Kpi, log::PAGE,
        },
        store::{AlarmCount, AlarmsAsked, Answered, Part, Store, sights::Scope},
    },
    terms::{
        AssetId, GatewayId,
        place::{Division, Level},
        words::{self, Words},
    },
};

/// Steps of the desk's log that are looked at for the load of a day, at most.
const MOST_STEPS: u64 = 20_000;
/// Pages of alarms that are gone through for one page of those that are open.
const MOST_PAGES: u32 = 20;

/// The alarms that the collector keeps.
pub struct OwnAlarms;

/// A scope as a division's code.
pub(super) fn division(scope: &Scope) -> Division {
    Division::parse(&format!("{:0<6}", scope.as_str())).unwrap_or(Division::NATION)
}

impl asks::Alarms for OwnAlarms {
    fn page(&self, books: &mut Books, asked: &asks::AlarmsAsked) -> Answered<AlarmsPage> {
        let within = division(&asked.scope);
        if let Some((gateway, asset)) = asked.asset {
            let found = of_asset(&mut *books.store, within, gateway, asset)?;
            let rows = found.iter().take(asked.most as usize).map(|alarm| row(alarm, within)).collect();
            return Ok(AlarmsPage { rows, ..AlarmsPage::default() });
        }
        let (rows, next) = listed(&mut *books.store, within, asked)?;
        Ok(AlarmsPage { rows: by_urgency(rows), next })
    }

    fn one(&self, books: &mut Books, scope: &Scope, id: &str, before: u64) -> Answered<Option<AlarmTold>> {
        let Some(id) = AlarmId::from_hex(id) else { return Ok(None) };
        one::told(&mut *books.store, scope, id, before)
    }

    fn counts(&self, books: &mut Books, scope: &Scope) -> Answered<Vec<AlarmCount>> {
        books.store.alarm_counts(division(scope))
    }

    fn load(&self, books: &mut Books, scope: &Scope, now_unix_ms: i64) -> Answered<Load> {
        let store = &mut *books.store;
        let within = division(scope);
        let counts = store.alarm_counts(within)?;
        let of = |part: Part| asks::found(&counts, None, None, part);
        let (kpi, is_bounded) = of_day(store, within, now_unix_ms - DAY_MS)?;
        Ok(Load {
            open: of(Part::Open),
            shelved: of(Part::Shelved),
            retired: of(Part::OutOfService),
            raised_day: kpi.raised(),
            most_in_ten_minutes: kpi.most_in_a_window(),
            is_bounded,
        })
    }

    fn decide(
        &self,
        books: &mut Books,
        scope: &Scope,
        decision: &Decision,
        now_unix_ms: i64,
    ) -> Answered<Result<(), Words>> {
        let Some(id) = AlarmId::from_hex(&decision.id) else { return Ok(Err(words::K_NOT_HERE)) };
        let within = division(scope);
        let alarm = books.store.alarm(id)?.filter(|alarm| within.covers(alarm.about.division));
        let Some(alarm) = alarm else { return Ok(Err(words::K_NOT_HERE)) };
        if decision.deed == asks::Deed::Shelve && !may_shelve(&alarm, within) {
            return Ok(Err(words::SHELVED_BY_ITS_OWN));
        }
        let Some(hand) = Hand::new(decision.who.as_str(), &decision.why) else {
            return Ok(Err(words::K_WHY_MISSING));
        };
        let deed = match decision.deed {
            asks::Deed::Acknowledge => alarms::Deed::Acknowledge,
            asks::Deed::Shelve => alarms::Deed::Shelve(decision.until_unix_ms.unwrap_or(now_unix_ms)),
            asks::Deed::Unshelve => alarms::Deed::Unshelve,
        };
        let seen = [(id, decision.seen_unix_ms)];
        let done = alarms::act(&mut *books.store, &*books.signer, &seen, (deed, &hand), now_unix_ms)?;
        Ok(match done.into_values().next() {
            Some(Ok(_)) => Ok(()),
            Some(Err(Refused::Until)) => Err(words::K_WHY_MISSING),
            Some(Err(Refused::Changed)) => Err(words::ALARM_CHANGED),
            Some(Err(Refused::Again)) => Err(words::SHELVED_BEFORE),
            Some(Err(Refused::Unfit(_) | Refused::Kept(_))) => Err(words::K_ALARM_UNFIT),
            Some(Err(Refused::Unknown)) | None => Err(words::K_NOT_HERE),
        })
    }
}

/// Whether somebody who answers for a division may put an alarm aside. A violation or tampering is put aside for its own division
/// alone, and by that one: nobody above it silences it there.
fn may_shelve(alarm: &Alarm, within: Division) -> bool {
    !alarm.about.cause.kind().is_kept() || within == alarm.about.division
}

/// Rows with their urgency, and the place after them if there may be more.
type Listed = (Vec<(Urgency, AlarmRow)>, Option<String>);

/// Goes through the alarms that a filter finds, violations first, until a page is full.
fn listed(store: &mut dyn Store, within: Division, asked: &asks::AlarmsAsked) -> Answered<Listed> {
    let (mut lane, mut rows) = (Lane::read(asked.after.as_deref()), Vec::new());
    for _ in 0..MOST_PAGES {
        let Lane { kind, after } = lane;
        let page = store.alarms(&AlarmsAsked {
            within,
            kind: asked.kind.or(kind),
            priority: asked.priority,
            part: asked.part,
            after,
            most: asked.most,
        })?;
        let Some(last) = page.last() else {
            if kind.is_none() || asked.kind.is_some() {
                return Ok((rows, None));
            }
            lane = Lane { kind: None, after: None };
            continue;
        };
        lane.after = Some((last.raised_unix_ms, last.id));
        let here = lane;
        for alarm in page.iter().filter(|alarm| here.has(alarm)) {
            rows.push((urgency(alarm), row(alarm, within)));
            if rows.len() >= asked.most as usize {
                lane.after = Some((alarm.raised_unix_ms, alarm.id));
                return Ok((rows, Some(lane.to_string())));
            }
        }
    }
    Ok((rows, Some(lane.to_string())))
}

/// A place in the list: among the violations, or behind them among all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lane {
    kind: Option<Kind>,
    after: Option<(i64, AlarmId)>,
}

/// What the places among the violations begin with.
const AMONG_VIOLATIONS: &str = "v.";

impl Lane {
    /// The place of a page, as [`AlarmsPage::next`] tells it; the beginning where it tells none.
    fn read(text: Option<&str>) -> Lane {
        let begin = Lane { kind: Some(Kind::Violation), after: None };
        let Some(text) = text else { return begin };
        match text.strip_prefix(AMONG_VIOLATIONS) {
            Some(text) => Lane { after: place(text), ..begin },
            None => place(text).map_or(begin, |after| Lane { kind: None, after: Some(after) }),
        }
    }

    /// Violations are not listed again behind themselves.
    fn has(&self, alarm: &Alarm) -> bool {
        self.kind.is_some() || alarm.about.cause.kind() != Kind::Violation
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let among = if self.kind.is_some() { AMONG_VIOLATIONS } else { "" };
        self.after.map_or(Ok(()), |(raised, id)| write!(f, "{among}{raised}.{id}"))
    }
}

/// Violations first, then what nobody has acknowledged, then the most urgent.
type Urgency = (bool, bool, Priority);

fn urgency(alarm: &Alarm) -> Urgency {
    (alarm.about.cause.kind() != Kind::Violation, !alarm.state.rings(), alarm.about.cause.priority())
}

/// The newest of a page stay the newest of those that are as urgent.
fn by_urgency(mut rows: Vec<(Urgency, AlarmRow)>) -> Vec<AlarmRow> {
    rows.sort_by_key(|(urgency, _)| *urgency);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Alarms about a piece of equipment: each cause has one at most.
fn of_asset(
    store: &mut dyn Store,
    within: Division,
    gateway: GatewayId,
    asset: AssetId,
) -> Answered<Vec<Alarm>> {
    let mut found = Vec::new();
    for cause in Cause::ALL.iter().filter(|cause| is_of_equipment(**cause)) {
        let about = alarms::About {
            cause: *cause,
            division: Division::NATION,
            enterprise: None,
            gateway: Some(gateway),
            subject: Some(asset.0),
        };
        let alarm = store.alarm(about.id())?;
        found.extend(alarm.filter(|alarm| within.covers(alarm.about.division)));
    }
    found.sort_by_key(|alarm| alarm.about.cause.priority());
    Ok(found)
}

/// What was raised since a time, by the desk's own log; and whether more steps were taken since then than are looked at.
fn of_day(store: &mut dyn Store, within: Division, since_unix_ms: i64) -> Answered<(Kpi, bool)> {
    let mut kpi = Kpi::default();
    let newest = store.newest_step()?.map_or(0, |(number, _)| number);
    let mut after = newest.saturating_sub(MOST_STEPS);
    let before = if after > 0 { store.steps_after(after - 1, 1)? } else { Vec::new() };
    let is_bounded = before.first().is_some_and(|step| step.at_unix_ms >= since_unix_ms);
    while after < newest {
        let page = store.steps_after(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for kept in page.iter().filter(|kept| kept.at_unix_ms >= since_unix_ms) {
            // What is kept was sealed here.
            if let Ok(entry) = Entry::own(&kept.bytes)
                && entry.step.about.concerns(within)
            {
                kpi.on(&entry.step);
            }
        }
    }
    Ok((kpi, is_bounded))
}

/// The place of a page, as [`AlarmsPage::next`] tells it.
fn place(text: &str) -> Option<(i64, AlarmId)> {
    let (raised, id) = text.split_once('.')?;
    Some((raised.parse().ok()?, AlarmId::from_hex(id)?))
}

/// An outage that is wider than the scope is shown there, and decided above it.
fn row(alarm: &Alarm, within: Division) -> AlarmRow {
    let about = &alarm.about;
    let names = [
        Some(about.division.to_string()),
        about.gateway.map(|gateway| gateway.to_string()),
        about.subject.map(|subject| subject.to_string()),
    ];
    let may = [
        (asks::Deed::Acknowledge, Event::Acknowledge),
        (asks::Deed::Shelve, Event::Shelve),
        (asks::Deed::Unshelve, Event::Unshelve),
    ];
    AlarmRow {
        id: alarm.id.to_string(),
        kind: about.cause.kind().words(),
        cause: about.cause.words(),
        priority: about.cause.priority().words(),
        state: alarm.state.words(),
        is_open: alarm.state.rings(),
        about: names.into_iter().flatten().collect::<Vec<_>>().join(" / "),
        asset: about.gateway.zip(about.subject.map(AssetId)).filter(|_| is_of_equipment(about.cause)),
        level: level(alarm.level),
        raised_unix_ms: alarm.raised_unix_ms,
        changed_unix_ms: alarm.changed_unix_ms,
        until_unix_ms: alarm.until_unix_ms,
        hand: alarm.hand.as_ref().map(|hand| (hand.who.clone(), hand.why.clone())),
        stands_for: alarm.gateways.unwrap_or(1),
        may: may
            .into_iter()
            .filter(|(_, event)| within.covers(about.division) && alarm.state.after(*event).is_ok())
            .filter(|(deed, _)| *deed != asks::Deed::Shelve || may_shelve(alarm, within))
            .map(|(deed, _)| deed)
            .collect(),
    }
}

/// Whether its subject is a piece of equipment, and not a meter, an order or a finding.
const fn is_of_equipment(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Violation
            | Cause::LatchedElsewhere
            | Cause::Tamper
            | Cause::NoEvidence
            | Cause::Untold
            | Cause::MeterFault
            | Cause::Undetermined
            | Cause::PlateUnreadable
            | Cause::PlateDiffers
            | Cause::PlateEdited
            | Cause::NotOnRoster
    )
}

const fn level(level: Level) -> Words {
    match level {
        Level::Province => words::K_PROVINCE,
        Level::City => words::K_CITY,
        Level::County => words::K_COUNTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_division_and_a_place_is_read_as_it_is_written() {
        let code = |digits| division(&Scope::parse(digits).unwrap()).to_string();
        assert_eq!(["", "13", "1304", "130421"].map(code), ["000000", "130000", "130400", "130421"]);
        let id = AlarmId([7; 8]);
        assert_eq!(place(&format!("42.{id}")), Some((42, id)));
        assert_eq!((place("42"), place("x.0707070707070707")), (None, None));
        let begin = Lane { kind: Some(Kind::Violation), after: None };
        for lane in [Lane { after: Some((42, id)), ..begin }, Lane { kind: None, after: Some((42, id)) }] {
            assert_eq!(Lane::read(Some(&lane.to_string())), lane);
        }
        assert_eq!((Lane::read(None), Lane::read(Some("x"))), (begin, begin));
    }
}
