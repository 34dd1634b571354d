//! PURE file: what keeps an agent from attesting everything it should, by the task or the meter it is about.

use serde::{Deserialize, Serialize};

use super::status::{Meter, Said, Status};
use crate::{
    host::worry::Worry,
    terms::words::{self, Language, Words},
};

/// How long the loop may not turn before it counts as stuck, in milliseconds: it turns once a second, unless it waits for a
/// disk that takes nothing.
pub const STUCK_MS: u64 = 10_000;
/// How long the oldest record may wait for the authority's receipt before that is a reason, in milliseconds: the silence
/// that the authority itself calls an alarm.
pub const RECEIPT_LATE_MS: u64 = 900_000;
/// Meters that are named; of those beyond only the number is told.
pub const MOST_METERS_NAMED: usize = 32;

/// Every code but the words of a meter's faults.
pub const CODES: [&str; 11] = [
    "stuck",
    "disk_full",
    "reserve_spent",
    "disk_nearly_full",
    "file_refused",
    "broker_away",
    "not_delivered",
    "receipt_late",
    "clock_unset",
    "not_yet_read",
    "more_meters",
];

/// Why an agent is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// In a word.
    pub code: String,
    /// Which task it is about: `judge`, `scribe`, `configuration`, `uplink`, `clock` or `bus`.
    pub task: String,
    /// Which meter it is about.
    pub meter: Option<String>,
    /// In a sentence.
    pub says: Said,
}

fn reason(code: &str, task: &str, says: Said) -> Reason {
    debug_assert!(CODES.contains(&code), "{code} has no explanation");
    Reason { code: code.to_owned(), task: task.to_owned(), meter: None, says }
}

/// A sentence with a number of seconds behind it.
fn for_seconds(words: Words, ms: u64) -> Said {
    let seconds = ms / 1_000;
    Said { zh: format!("{}（{seconds} 秒）", words.zh), en: format!("{} ({seconds} s)", words.en) }
}

/// Every reason, the weightiest first.
pub fn reasons(status: &Status, worries: &[Worry]) -> Vec<Reason> {
    let mut all = Vec::new();
    if status.loop_age_ms >= STUCK_MS {
        all.push(reason("stuck", "judge", for_seconds(words::LOOP_STUCK, status.loop_age_ms)));
    }
    if status.journal.disk_full {
        all.push(reason("disk_full", "scribe", Said::of(words::T_DISK_FULL)));
    }
    all.extend(worries.iter().map(|worry| reason(worry.code(), worry.task(), Said::of(worry.words()))));
    if !status.broker.is_there {
        let why = status.broker.why.clone().unwrap_or_else(|| Said::of(words::T_BROKER_NOT_REACHED));
        all.push(reason("broker_away", "uplink", why));
    }
    if let Some(why) = &status.broker.undelivered {
        all.push(reason("not_delivered", "uplink", why.clone()));
    }
    if let Some(age_ms) =
        status.journal.oldest_not_receipted_age_ms.filter(|age_ms| *age_ms >= RECEIPT_LATE_MS)
    {
        all.push(reason("receipt_late", "uplink", for_seconds(words::RECEIPT_LATE, age_ms)));
    }
    if status.clock.quality == "none" {
        all.push(reason("clock_unset", "clock", Said::of(words::T_CLOCK_UNSET)));
    }
    // The loop's word on the meters is old where it stands still.
    if status.healthy {
        meters(status, &mut all);
    }
    all
}

/// The meters of which nothing can be attested now.
fn meters(status: &Status, all: &mut Vec<Reason>) {
    let mut unseen = status.meters.iter().filter_map(of_meter);
    all.extend(unseen.by_ref().take(MOST_METERS_NAMED));
    let more = unseen.count();
    if more > 0 {
        let say = |language| format!("{}: {more}", words::MORE_METERS.in_language(language));
        all.push(reason("more_meters", "bus", Said::in_both(say)));
    }
}

fn of_meter(meter: &Meter) -> Option<Reason> {
    let (code, says) = match (&meter.failing, meter.last_good_unix_ms) {
        (Some(failing), _) => (failing.fault.as_str(), failing.says.clone()),
        (None, None) => ("not_yet_read", Said::of(words::METER_NOT_YET_READ)),
        (None, Some(_)) => return None,
    };
    let named = |language: Language| format!("{}: {}", meter.id, says.in_language(language));
    let says = Said::in_both(named);
    Some(Reason { code: code.to_owned(), task: "bus".to_owned(), meter: Some(meter.id.clone()), says })
}
