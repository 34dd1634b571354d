//! PURE file. What happened to a piece of equipment, a sentence a record, complete in both languages.

use super::stamped;
use crate::{
    catalogue::{Difference, Edit, PlateSource},
    evidence::{Act, ActKind, Body, Record},
    judge::{
        DarkMeter, Event, Finding, PlateRead, Rung, SignFinding, State, StateFinding, Turn, Verdict,
        cutoff::Reconciliation,
    },
    metering::Fault,
    regulator::timeline::Tone,
    terms::{
        LegalDay, WattHours,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// A sentence and how it is meant; `None` for a record that tells nothing new of a piece of equipment.
pub(super) fn told(record: &Record, at_unix_ms: i64, language: Language) -> Option<(Tone, String)> {
    let say = |words: Words| words.in_language(language);
    Some(match &record.body {
        Body::Finding(Finding::State(found)) => (tone(found.state), state(found, language)),
        Body::Finding(Finding::Verdict(said)) => verdict(said, at_unix_ms, language),
        Body::Finding(Finding::Transition(step)) => {
            let tone = if step.to == Rung::Violated { Tone::Alarm } else { Tone::Plain };
            (tone, format!("{} {}: {}", say(words::P_ORDER), step.order, step.to.told(language)))
        }
        Body::Finding(Finding::Event(event)) => return self::event(event, language),
        Body::Act(act) => (Tone::Plain, self::act(act, language)),
        Body::Finding(Finding::Interval(_))
        | Body::Genesis(_)
        | Body::Commissioned(_)
        | Body::Boot(_)
        | Body::Rotation(_)
        | Body::Checkpoint(_)
        | Body::Skip { .. }
        | Body::Gap(_)
        | Body::Rollback(_)
        | Body::Answer(_)
        | Body::Notice(_) => return None,
    })
}

/// How a state is meant.
pub(super) const fn tone(state: State) -> Tone {
    match state {
        State::Drawing | State::Exporting | State::Masked(_) | State::Unknown(_) => Tone::Doubt,
        State::Auxiliary => Tone::Plain,
        State::Energised | State::Dead => Tone::Good,
    }
}

fn state(found: &StateFinding, language: Language) -> String {
    format!("{}: {}", found.meter, found.state.sentence(found.words(), language))
}

fn verdict(said: &Verdict, at_unix_ms: i64, language: Language) -> (Tone, String) {
    let text = standing(said, at_unix_ms, language);
    match said.violation_since_unix_ms {
        None => (tone(said.state), format!("{}: {text}", words::K_VERDICT.in_language(language))),
        Some(_) => {
            let drawn = words::K_DRAWN_OVERDUE.in_language(language);
            (Tone::Alarm, format!("{text}. {drawn}: {}", kilowatt_hours(said.energy_overdue)))
        }
    }
}

/// What a verdict says: since when a violation is latched is one thing, what the meters showed as it was written is another.
pub(super) fn standing(said: &Verdict, at_unix_ms: i64, language: Language) -> String {
    let sentence = said.sentence(language);
    let Some(since) = said.violation_since_unix_ms else { return sentence };
    let (latched, as_of) =
        (words::K_LATCHED_SINCE.in_language(language), words::K_AS_OF.in_language(language));
    format!("{latched} {}. {as_of} {}: {sentence}", LegalTime(since), LegalTime(at_unix_ms))
}

fn event(event: &Event, language: Language) -> Option<(Tone, String)> {
    let say = |words: Words| words.in_language(language);
    Some(match event {
        Event::Sign(found) => sign(found, language),
        Event::Reconcile(day) => counted(day, language),
        Event::FedBehindCut { meter, order, .. } => (
            Tone::Alarm,
            format!("{meter}: {} ({} {order})", say(words::FED_BEHIND_CUT), say(words::P_ORDER)),
        ),
        Event::Dark(told) => dark(told, language),
        Event::Plate(read) => plate(read, language),
        Event::PlateUnreadable { why, .. } => (
            Tone::Doubt,
            format!("{} ({})", say(words::K_PLATE_UNREADABLE), unreadable(why.as_str(), language)),
        ),
        Event::PlateDiffers { difference, .. } => {
            let Difference { attribute, declared, read } = difference;
            let (says, reads) = (say(words::K_DECLARED), say(words::K_READ));
            let (what, line) = (say(words::PLATE_DIFFERS), stamped::label(attribute, language));
            let [declared, read] = [declared, read].map(|value| stamped::value(attribute, value, language));
            (Tone::Doubt, format!("{what}: {line}: {says} {declared}, {reads} {read}"))
        }
        Event::ClassChanged(change) => {
            let (before, after) = (say(change.before.class.words()), say(change.after.class.words()));
            let edits: String = change.edits.iter().map(|edit| edited(edit, language)).collect();
            (Tone::Alarm, format!("{}: {before} → {after}{edits}", say(words::CLASS_CHANGED)))
        }
        Event::DeadlineWarning(warning) => {
            let (day, left) = (warning.last_day, warning.days_left);
            let (lawful, days) = (say(words::LAST_LAWFUL_DAY), say(words::K_DAYS_LEFT));
            (Tone::Doubt, format!("{lawful} {day} ({days} {left}). {}", say(words::DEADLINE_WARNING)))
        }
        Event::NotOnRoster { version, .. } => {
            (Tone::Doubt, format!("{} ({version})", say(words::NOT_ON_ROSTER)))
        }
        Event::PermitUsed { used, .. } => {
            let energy = kilowatt_hours(used.used);
            (Tone::Plain, format!("{} {}: {energy}", say(words::K_UNDER_PERMIT), used.permit))
        }
        Event::Hold(_)
        | Event::ClockStepped { .. }
        | Event::Register(_)
        | Event::Balance(_)
        | Event::Meter(_) => return None,
    })
}

/// Why a nameplate cannot be read.
fn unreadable(why: &str, language: Language) -> String {
    let of_meter = || Fault::KINDS.into_iter().find(|fault| fault.word() == why).map(Fault::words);
    let known = words::plate_fault(why).or_else(of_meter);
    known.map_or_else(|| why.to_owned(), |words| words.in_language(language).to_owned())
}

/// A line of a nameplate that is not what it was.
fn edited(edit: &Edit, language: Language) -> String {
    let Edit { attribute, before, after } = edit;
    let [before, after] = [before, after].map(|value| {
        value.as_ref().map_or_else(|| "–".to_owned(), |value| stamped::value(attribute, value, language))
    });
    format!("; {}: {before} → {after}", stamped::label(attribute, language))
}

/// A day as supplier and gateway counted it.
fn counted(day: &Reconciliation, language: Language) -> (Tone, String) {
    let what = if day.agrees() { words::DAY_AGREES } else { words::DAY_DIFFERS };
    let (ours, theirs) = (kilowatt_hours(day.ours), kilowatt_hours(day.theirs));
    let (date, may) = (LegalDay::of_unix_ms(day.from_unix_ms), kilowatt_hours(day.may_differ));
    let what = what.in_language(language);
    (tone_of(day), format!("{} {date}: {what}: {ours} / {theirs} (± {may})", day.meter))
}

/// How a day is meant that two have counted.
pub(super) const fn tone_of(day: &Reconciliation) -> Tone {
    if day.agrees() { Tone::Plain } else { Tone::Alarm }
}

/// What a meter shows of a time in which the witness was dark.
fn dark(told: &DarkMeter, language: Language) -> (Tone, String) {
    let say = |words: Words| words.in_language(language);
    let (from, to) = (LegalTime(told.dark.from.wall_unix_ms), LegalTime(told.dark.to.wall_unix_ms));
    let why = say(told.dark.ended.words());
    let (tone, what) = match told.energy() {
        Some(WattHours(0)) => (Tone::Plain, say(words::DARK_STILL).to_owned()),
        Some(energy) => (Tone::Doubt, format!("{} {}", say(words::DARK_MOVED), kilowatt_hours(energy))),
        None => (Tone::Doubt, say(words::DARK_UNTOLD).to_owned()),
    };
    (tone, format!("{}: {from} – {to} ({why}): {what}", told.meter))
}

fn plate(read: &PlateRead, language: Language) -> (Tone, String) {
    let what = match (read.source, read.before) {
        (PlateSource::Declared, None) => words::K_PLATE_DECLARED,
        (PlateSource::Declared, Some(_)) => words::K_PLATE_DECLARED_ANEW,
        (PlateSource::Read, None) => words::K_PLATE_READ,
        (PlateSource::Read, Some(_)) => words::K_PLATE_CHANGED,
    };
    let tone = if read.before.is_some() { Tone::Doubt } else { Tone::Plain };
    (tone, what.in_language(language).to_owned())
}

fn sign(found: &SignFinding, language: Language) -> (Tone, String) {
    match found.turn {
        Turn::Begins => {
            let tone = if found.sign.is_strong() { Tone::Alarm } else { Tone::Doubt };
            (tone, format!("{}: {}", found.meter, found.sign.sentence(language)))
        }
        Turn::Over | Turn::Undone | Turn::Permitted | Turn::Reset => {
            let (sign, over) =
                (found.sign.words().in_language(language), words::K_SIGN_OVER.in_language(language));
            (Tone::Plain, format!("{}: {over}: {sign}", found.meter))
        }
    }
}

fn act(act: &Act, language: Language) -> String {
    let (kind, taken) = (kind(act.kind).in_language(language), words::K_ACT_TAKEN.in_language(language));
    format!("{kind}: {} ({taken} {})", act.id, act.version)
}

/// What a person reads of a kind of act.
pub(super) const fn kind(kind: ActKind) -> Words {
    match kind {
        ActKind::Order => words::K_ACT_ORDER,
        ActKind::Plan => words::K_ACT_PLAN,
        ActKind::Claim => words::K_ACT_CLAIM,
        ActKind::Suspend => words::K_ACT_SUSPEND,
        ActKind::Resume => words::K_ACT_RESUME,
        ActKind::Seal => words::K_ACT_SEAL,
        ActKind::Close => words::K_ACT_CLOSE,
        ActKind::Revoke => words::K_ACT_REVOKE,
        ActKind::Restore => words::K_ACT_RESTORE,
        ActKind::Reset => words::K_ACT_RESET,
        ActKind::Roster => words::K_ACT_ROSTER,
        ActKind::Permit => words::K_ACT_PERMIT,
        ActKind::Reading => words::K_ACT_READING,
        ActKind::RevokeKey => words::K_ACT_REVOKE_KEY,
        ActKind::Ask => words::K_ACT_ASK,
        ActKind::Acknowledge => words::K_ACT_ACKNOWLEDGE,
    }
}

/// Energy for people.
pub(super) fn kilowatt_hours(WattHours(energy): WattHours) -> String {
    let sign = if energy < 0 { "-" } else { "" };
    let size = energy.unsigned_abs();
    format!("{sign}{}.{:03} kWh", size / 1_000, size % 1_000)
}

/// How long ago, for people.
pub(super) fn ago(then_unix_ms: i64, now_unix_ms: i64, language: Language) -> String {
    let seconds = now_unix_ms.saturating_sub(then_unix_ms).max(0) / 1_000;
    let (count, unit) = match seconds {
        1 => (1, words::K_SECOND),
        0..=119 => (seconds, words::K_SECONDS),
        120..=7_199 => (seconds / 60, words::K_MINUTES),
        7_200..=172_799 => (seconds / 3_600, words::K_HOURS),
        172_800.. => (seconds / 86_400, words::K_DAYS),
        i64::MIN..=-1 => (0, words::K_SECONDS),
    };
    format!("{count} {}", unit.in_language(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_nameplate_is_in_the_readers_words() {
        use crate::catalogue::{PlateFault, plate::PlateValue};
        let faults = [
            PlateFault::NoMagic,
            PlateFault::Version(2),
            PlateFault::Length,
            PlateFault::Checksum,
            PlateFault::Attribute { offset: 0 },
        ];
        let words = faults.map(PlateFault::word).into_iter().chain(Fault::KINDS.map(Fault::word));
        for word in words {
            assert!(!unreadable(word, Language::English).contains('_'), "{word}");
            assert!(unreadable(word, Language::Chinese).chars().any(|c| c > '\u{4e00}'), "{word}");
        }
        let edit = Edit {
            attribute: "nominal_tonnage_t".to_owned(),
            before: Some(PlateValue::Whole(25)),
            after: Some(PlateValue::Whole(40)),
        };
        assert_eq!(edited(&edit, Language::English), "; Nominal capacity: 25 t → 40 t");
        assert_eq!(edited(&Edit { before: None, ..edit }, Language::Chinese), "; 公称容量: – → 40 t");
    }

    #[test]
    fn figures_are_read_as_they_are() {
        assert_eq!(kilowatt_hours(WattHours(-1_005)), "-1.005 kWh");
        assert_eq!(kilowatt_hours(WattHours(i64::MIN)), "-9223372036854775.808 kWh");
        assert_eq!(ago(0, 7_200_000, Language::English), "2 hours ago");
        assert_eq!(ago(5, 0, Language::English), "0 seconds ago", "a clock ahead of ours tells no age");
        let shown = [1_000, 2_000, 120_000].map(|now| ago(0, now, Language::English));
        assert_eq!(shown, ["1 second ago", "2 seconds ago", "2 minutes ago"]);
    }

    #[test]
    fn every_kind_of_act_has_words_of_its_own() {
        let words: std::collections::BTreeSet<&str> = ActKind::ALL.into_iter().map(|k| kind(k).zh).collect();
        assert_eq!(words.len(), ActKind::ALL.len());
    }
}
