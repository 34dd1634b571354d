//! What a store keeps of alarms: conditions as records tell them, alarms as they stand, the desk's own log, and how far
//! receivers were told.

use super::Answered;
use crate::{
    regulator::alarms::{
        About, Alarm, AlarmId, Cause, Hand, Hush, KeptPager, KeptStep, Kind, Life, Priority, Settled, Shown,
        State, Waiting, level,
    },
    terms::{
        AssetId, Digest, GatewayId, Name,
        place::{CreditCode, Division, Level},
    },
};

/// What is kept at once or not at all, if the log still ends where it was seen to end.
#[derive(Debug, Default)]
pub struct AlarmBatch {
    /// The number of the newest step that was seen; 0 for none.
    pub after: u64,
    /// The next steps, in order.
    pub steps: Vec<KeptStep>,
    /// Alarms as they stand now.
    pub alarms: Vec<Alarm>,
    /// Alarms that are over.
    pub over: Vec<AlarmId>,
    /// Conditions that were looked at.
    pub settled: Vec<Settled>,
    /// Equipment whose conviction was ended at the desk, and the alarms of that.
    pub ended: Option<(GatewayId, AssetId, Vec<AlarmId>)>,
    /// How far receivers were told as it was seen, and are told now: of two who would tell one receiver, one may.
    pub pagers: Vec<(Option<KeptPager>, KeptPager)>,
}

impl AlarmBatch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let AlarmBatch { after: _, steps, alarms, over, settled, ended, pagers } = self;
        let is_read = settled.is_empty() && pagers.is_empty();
        steps.is_empty() && alarms.is_empty() && over.is_empty() && is_read && ended.is_none()
    }
}

/// Which alarms are wanted; the one raised last comes first.
#[derive(Clone, Copy, Debug)]
pub struct AlarmsAsked {
    /// Of which division, and of all below it; and outages that it lies in.
    pub within: Division,
    /// Of one kind.
    pub kind: Option<Kind>,
    /// Of one priority.
    pub priority: Option<Priority>,
    /// Which part of them.
    pub part: Part,
    /// After the one that was raised then, Unix milliseconds, and has that identifier.
    pub after: Option<(i64, AlarmId)>,
    /// At most so many.
    pub most: u32,
}

impl AlarmsAsked {
    /// All of a division that are not over, from the newest on.
    pub const fn all(within: Division, most: u32) -> AlarmsAsked {
        AlarmsAsked { within, kind: None, priority: None, part: Part::All, after: None, most }
    }

    /// Kinds and states that are asked for, as `kind life hush`; `None` where any will do.
    pub(super) fn stands(&self) -> Option<Vec<String>> {
        if self.part == Part::All {
            return None;
        }
        let states = || Life::ALL.into_iter().flat_map(|life| Hush::ALL.map(|hush| State { life, hush }));
        let each = Kind::ALL.into_iter().flat_map(|kind| states().map(move |state| (kind, state)));
        let asked = each.filter(|(kind, state)| self.part.has(*kind, *state));
        let written = |(kind, State { life, hush }): (Kind, State)| {
            format!("{} {} {}", kind.word(), life.word(), hush.word())
        };
        Some(asked.map(written).collect())
    }
}

/// A part of the alarms that people ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Those that are told, and violations that stand whatever anybody decided about them.
    #[default]
    Listed,
    /// Those that are told and that nobody has acknowledged.
    Open,
    /// Those that are told and that somebody has acknowledged.
    Acknowledged,
    /// Equipment that rests while the judge's latch is closed, whatever anybody decided.
    Latched,
    /// Those that somebody has put aside for a time.
    Shelved,
    /// Those that a wider one tells of.
    Suppressed,
    /// Those that somebody has taken out of service.
    OutOfService,
    /// Whatever is not over.
    All,
}

impl Part {
    /// Every one.
    pub const ALL: [Part; 8] = [
        Part::Listed,
        Part::Open,
        Part::Acknowledged,
        Part::Latched,
        Part::Shelved,
        Part::Suppressed,
        Part::OutOfService,
        Part::All,
    ];

    /// Its word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Part::Listed => "listed",
            Part::Open => "open",
            Part::Acknowledged => "acknowledged",
            Part::Latched => "latched",
            Part::Shelved => "shelved",
            Part::Suppressed => "suppressed",
            Part::OutOfService => "out_of_service",
            Part::All => "all",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.word() == word)
    }

    /// Whether an alarm of this kind that stands so is in it.
    pub fn has(self, kind: Kind, state: State) -> bool {
        let State { life, hush } = state;
        match self {
            Part::Listed => hush == Hush::Open || (kind == Kind::Violation && life.is_standing()),
            Part::Open => state.rings(),
            Part::Acknowledged => hush == Hush::Open && !life.is_unacknowledged(),
            Part::Latched => matches!(life, Life::UnackLatched | Life::AckLatched),
            Part::Shelved => hush == Hush::Shelved,
            Part::Suppressed => hush == Hush::Suppressed,
            Part::OutOfService => hush == Hush::OutOfService,
            Part::All => true,
        }
    }
}

/// How many alarms stand alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmCount {
    /// Of which kind.
    pub kind: Kind,
    /// Of which priority.
    pub priority: Priority,
    /// How they stand.
    pub state: State,
    /// How many.
    pub count: u64,
}

/// The part of a store that is about alarms.
///
/// Every function fails with [`super::StoreFault`]; what was begun is then undone.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Alarms {
    /// Conditions that nobody has looked at since they changed, after that of a time and alarm, in that order, at most so
    /// many; with the place of their gateway's log where its genesis has told that.
    fn waiting(&mut self, after: Option<(i64, AlarmId)>, most: u32) -> Answered<Vec<Waiting>>;
    /// Alarms that are not over.
    fn alarms(&mut self, asked: &AlarmsAsked) -> Answered<Vec<Alarm>>;
    /// How many of a division and all below it, and of outages that it lies in, are not over, by kind, priority and state.
    fn alarm_counts(&mut self, within: Division) -> Answered<Vec<AlarmCount>>;
    /// One alarm, if it is not over.
    fn alarm(&mut self, id: AlarmId) -> Answered<Option<Alarm>>;
    /// Number and hash of the newest step.
    fn newest_step(&mut self) -> Answered<Option<(u64, Digest)>>;
    /// Steps after one, in order, at most so many.
    fn steps_after(&mut self, number: u64, most: u32) -> Answered<Vec<KeptStep>>;
    /// The steps of one alarm before a number, the newest first, at most so many.
    fn steps_of(&mut self, id: AlarmId, before: u64, most: u32) -> Answered<Vec<KeptStep>>;
    /// Alarms that stand by what records say, of which no condition that stands is kept, and those of which one stands that was
    /// looked at, and they do not; at most so many.
    fn groundless_alarms(&mut self, most: u32) -> Answered<Vec<AlarmId>>;
    /// How far receivers were told.
    fn pagers(&mut self) -> Answered<Vec<KeptPager>>;
    /// Keeps a batch. False, and nothing is kept, where the log has grown since it was seen, or a receiver was told.
    fn keep_alarms(&mut self, batch: &AlarmBatch) -> Answered<bool>;
}

/// Alarms and conditions that do not agree. What is seen by looking who was heard has no condition.
macro_rules! groundless {
    ($most:literal) => {
        concat!(
            "select id from alarm where gateway is not null
             and life in ('unack_active', 'ack_active', 'unack_latched', 'ack_latched')
             and cause not in ('silent', 'outage', 'unreachable', 'never_heard', 'untold')
             and not exists (select 1 from condition where condition.id = alarm.id
                 and (condition.shown <> 'clear' or condition.waiting = 1))
             union select id from condition where shown <> 'clear' and waiting = 0
             and not exists (select 1 from alarm where alarm.id = condition.id
                 and alarm.life in ('unack_active', 'ack_active', 'unack_latched', 'ack_latched'))
             limit ",
            $most
        )
    };
}
pub(super) use groundless;

/// Columns of a count: kind, priority, life, hush, and how many; `None` for what this program did not write.
pub(super) fn count_of([kind, priority, life, hush]: [&str; 4], count: i64) -> Option<AlarmCount> {
    Some(AlarmCount {
        kind: Kind::from_word(kind)?,
        priority: Priority::from_word(priority)?,
        state: State { life: Life::from_word(life)?, hush: Hush::from_word(hush)? },
        count: count.cast_unsigned(),
    })
}

/// The digits that all codes in a division begin with, and how many there are.
pub(super) fn prefix(division: Division) -> (String, u32) {
    let count = match division.level() {
        None => 0,
        Some(Level::Province) => 2,
        Some(Level::City) => 4,
        Some(Level::County) => 6,
    };
    (division.to_string().chars().take(count as usize).collect(), count)
}

/// The divisions above one, of which an outage is its outage, too.
pub(super) fn above(division: Division) -> [String; 2] {
    [Level::Province, Level::City].map(|level| division.at(level).to_string())
}

/// The columns of an alarm, as either database gives them.
#[derive(Debug)]
pub(super) struct AlarmColumns {
    pub(super) cause: String,
    pub(super) division: String,
    pub(super) uscc: Option<String>,
    pub(super) gateway: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) life: String,
    pub(super) hush: String,
    pub(super) level: String,
    pub(super) raised_unix_ms: i64,
    pub(super) changed_unix_ms: i64,
    pub(super) until_unix_ms: Option<i64>,
    pub(super) who: Option<String>,
    pub(super) why: Option<String>,
    pub(super) record: Option<String>,
    pub(super) gateways: Option<i64>,
}

/// The columns above, by name and in their order.
pub(super) const ALARM_COLUMNS: &str =
    "cause, division, uscc, gateway, subject, life, hush, level, raised_unix_ms,
    changed_unix_ms, until_unix_ms, who, why, record, gateways";

/// A column that may be null; `None` where it says nothing this program wrote.
fn optional<T>(text: Option<&String>, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => read(text).map(Some),
    }
}

impl AlarmColumns {
    pub(super) fn of(alarm: &Alarm) -> AlarmColumns {
        let About { cause, division, enterprise, gateway, subject } = alarm.about;
        AlarmColumns {
            cause: cause.word().to_owned(),
            division: division.to_string(),
            uscc: enterprise.map(|enterprise| enterprise.to_string()),
            gateway: gateway.map(|gateway| gateway.to_string()),
            subject: subject.map(|subject| subject.to_string()),
            life: alarm.state.life.word().to_owned(),
            hush: alarm.state.hush.word().to_owned(),
            level: alarm.level.word().to_owned(),
            raised_unix_ms: alarm.raised_unix_ms,
            changed_unix_ms: alarm.changed_unix_ms,
            until_unix_ms: alarm.until_unix_ms,
            who: alarm.hand.as_ref().map(|hand| hand.who.clone()),
            why: alarm.hand.as_ref().map(|hand| hand.why.clone()),
            record: alarm.record.map(|record| record.to_string()),
            gateways: alarm.gateways.map(i64::from),
        }
    }

    /// `None` for a row that this program did not write.
    pub(super) fn read(&self) -> Option<Alarm> {
        let about = About {
            cause: Cause::from_word(&self.cause)?,
            division: Division::parse(&self.division)?,
            enterprise: optional(self.uscc.as_ref(), CreditCode::parse)?,
            gateway: optional(self.gateway.as_ref(), GatewayId::new)?,
            subject: optional(self.subject.as_ref(), Name::new)?,
        };
        let hand = match (&self.who, &self.why) {
            (Some(who), Some(why)) => Some(Hand::new(who, why)?),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return None,
        };
        let gateways = match self.gateways {
            None => None,
            Some(gateways) => Some(u32::try_from(gateways).ok()?),
        };
        Some(Alarm {
            id: about.id(),
            about,
            state: State { life: Life::from_word(&self.life)?, hush: Hush::from_word(&self.hush)? },
            level: level(&self.level)?,
            raised_unix_ms: self.raised_unix_ms,
            changed_unix_ms: self.changed_unix_ms,
            until_unix_ms: self.until_unix_ms,
            hand,
            record: optional(self.record.as_ref(), Digest::from_hex)?,
            gateways,
        })
    }
}

/// The columns of a condition that waits.
#[derive(Debug)]
pub(super) struct WaitingColumns {
    pub(super) cause: String,
    pub(super) gateway: String,
    pub(super) subject: Option<String>,
    pub(super) shown: String,
    pub(super) changed_unix_ms: i64,
    pub(super) hash: String,
    pub(super) division: Option<String>,
    pub(super) uscc: Option<String>,
}

impl WaitingColumns {
    /// `None` for a row that this program did not write.
    pub(super) fn read(&self) -> Option<Waiting> {
        Some(Waiting {
            about: About {
                cause: Cause::from_word(&self.cause)?,
                division: optional(self.division.as_ref(), Division::parse)?.unwrap_or(Division::NATION),
                enterprise: optional(self.uscc.as_ref(), CreditCode::parse)?,
                gateway: Some(GatewayId::new(&self.gateway)?),
                subject: optional(self.subject.as_ref(), Name::new)?,
            },
            shown: Shown::from_word(&self.shown)?,
            changed_unix_ms: self.changed_unix_ms,
            record: Some(Digest::from_hex(&self.hash)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_a_part_asks_for_its_states_and_a_standing_violation_is_always_listed() {
        let asked = |part| AlarmsAsked { part, ..AlarmsAsked::all(Division::NATION, 1) }.stands();
        assert_eq!(asked(Part::All), None);
        let listed = asked(Part::Listed).unwrap();
        assert!(listed.contains(&"violation ack_latched shelved".to_owned()));
        assert!(!listed.contains(&"tamper ack_active shelved".to_owned()));
        assert!(
            !listed.contains(&"violation unack_returned shelved".to_owned()),
            "it is over but for a look"
        );
        let open = asked(Part::Open).unwrap();
        assert!(open.iter().all(|one| one.contains(" unack_") && one.ends_with(" open")) && open.len() == 15);
        for part in Part::ALL {
            assert_eq!(Part::from_word(part.word()), Some(part));
        }
    }

    #[test]
    fn a_division_is_found_by_its_digits() {
        for (code, digits, count) in
            [("000000", "", 0), ("130000", "13", 2), ("130400", "1304", 4), ("130421", "130421", 6)]
        {
            assert_eq!(prefix(Division::parse(code).unwrap()), (digits.to_owned(), count));
        }
    }
}
