//! PURE file. A notification as machines and people read it, and the alerts of an Alertmanager it makes.

use serde_json::{Value, json};

use super::{About, Alarm, AlarmId, Cause, Kind, Life, Notification, State, pager::News};
use crate::terms::{
    Digest, Name,
    time::{self, LegalTime},
    words::{self, Language, Words},
};

/// Below it stands the newest notification of each receiver that is told by MQTT, retained, under his name and its kind.
pub const ALARMS_TOPIC: &str = "coldhearth/v1/alarms";

/// How long an alarm that stands is to stand at an Alertmanager without being told again, in milliseconds: eight days, longer
/// than it can be on the shelf. That it is over it is told.
pub const ALERT_LASTS_MS: i64 = 8 * 86_400_000;
/// Time between two tellings of all that stands to an Alertmanager, in milliseconds: one that was started anew knows nothing.
pub const REPEAT_MS: i64 = 300_000;
/// Alarms that an Alertmanager is told at once, the most urgent first.
pub const MOST_ALERTS: usize = 1_000;

/// Where a receiver's notifications of a kind stand.
pub fn topic(receiver: Name, kind: Kind) -> String {
    format!("{ALARMS_TOPIC}/{receiver}/{}", kind.word())
}

fn both(words: Words) -> Value {
    json!({ "zh": words.zh, "en": words.en })
}

/// Where a conviction stands that only a log tells which its gateway has left; null of any other.
fn stands_in(is_left: bool) -> Value {
    if is_left { both(words::LATCHED_BEFORE) } else { Value::Null }
}

/// The alarm as JSON; whether it is left [`super::left`] tells, and the number of its last step the desk's log.
pub fn alarm_json(alarm: &Alarm, is_left: bool, step: u64) -> Value {
    let about = &alarm.about;
    json!({
        "alarm_id": alarm.id.to_string(),
        "kind": about.cause.kind().word(),
        "cause": about.cause.word(),
        "what": both(about.cause.words()),
        "priority": about.cause.priority().word(),
        "state": alarm.state.word(),
        "acknowledged": !alarm.state.life.is_unacknowledged(),
        "division": about.division.to_string(),
        "uscc": about.enterprise.map(|enterprise| enterprise.to_string()),
        "gateway_id": about.gateway.map(|gateway| gateway.to_string()),
        "subject": about.subject.map(|subject| subject.to_string()),
        "level": alarm.level.word(),
        "raised_unix_ms": alarm.raised_unix_ms,
        "changed_unix_ms": alarm.changed_unix_ms,
        "until_unix_ms": alarm.until_unix_ms,
        "who": alarm.hand.as_ref().map(|hand| hand.who.clone()),
        "why": alarm.hand.as_ref().map(|hand| hand.why.clone()),
        "record": alarm.record.map(|record| record.to_string()),
        "gateways": alarm.gateways,
        "in_log_before": stands_in(is_left),
        "step": step,
    })
}

/// The alarm in a line, with the number of its last step.
pub fn alarm_line(alarm: &Alarm, is_left: bool, step: u64, language: Language) -> String {
    let about = &alarm.about;
    let say = |words: Words| words.in_language(language);
    let gateway = about.gateway.map_or_else(String::new, |gateway| format!("  {gateway}"));
    let subject = about.subject.map_or_else(String::new, |subject| format!(" {subject}"));
    let many = alarm.gateways.map_or_else(String::new, |count| format!(" ({count})"));
    let hand = alarm.hand.as_ref().map_or_else(String::new, |hand| format!("  {}: {}", hand.who, hand.why));
    let until = alarm.until_unix_ms.map_or_else(String::new, |until| format!(" – {}", LegalTime(until)));
    format!(
        "{}  #{step}  {}  {}  {}  {}{gateway}{subject}: {}{many}  [{}{until}]{hand}",
        alarm.id,
        LegalTime(alarm.raised_unix_ms),
        say(about.cause.priority().words()),
        say(about.cause.kind().words()),
        about.division,
        title(alarm, is_left, language),
        say(alarm.state.words()),
    )
}

/// What an alarm is called. A violation was told at a time, and how it is now is another matter; since when its latch is closed
/// its record says, which may have come late.
pub fn title(alarm: &Alarm, is_left: bool, language: Language) -> String {
    let say = |words: Words| words.in_language(language);
    let before = if is_left { format!("; {}", say(words::LATCHED_BEFORE)) } else { String::new() };
    if alarm.about.cause != Cause::Violation || !alarm.state.life.is_standing() {
        return format!("{}{before}", say(alarm.about.cause.words()));
    }
    let now = match alarm.state.life {
        Life::UnackActive | Life::AckActive => words::NOW_DRAWS,
        Life::UnackLatched | Life::AckLatched | Life::Normal | Life::UnackReturned => words::NOW_NOT_DRAWING,
    };
    let since = LegalTime(alarm.raised_unix_ms);
    format!("{} {since}{}{}{before}", say(words::VIOLATION_TOLD), say(words::NOW), say(now))
}

impl Notification {
    /// As it is sent.
    pub fn to_json(&self) -> Value {
        let told = |(id, news): &(AlarmId, News)| {
            let about = &news.about;
            json!({
                "alarm_id": id.to_string(),
                "cause": about.cause.word(),
                "what": both(about.cause.words()),
                "event": news.event.word(),
                "state": news.state.word(),
                "priority": about.cause.priority().word(),
                "division": about.division.to_string(),
                "uscc": about.enterprise.map(|enterprise| enterprise.to_string()),
                "gateway_id": about.gateway.map(|gateway| gateway.to_string()),
                "subject": about.subject.map(|subject| subject.to_string()),
                "acknowledged": !news.state.life.is_unacknowledged(),
                "record": news.record.map(|record| record.to_string()),
                "in_log_before": stands_in(news.is_left),
                "at_unix_ms": news.at_unix_ms,
            })
        };
        json!({
            "coldhearth_alarms": 1,
            "receiver": self.receiver.as_str(),
            "kind": self.kind.word(),
            "what": both(self.kind.words()),
            "priority": self.priority.word(),
            "at_unix_ms": self.at_unix_ms,
            "alarms": self.news.iter().map(told).collect::<Vec<_>>(),
            "further": self.further,
            "standing": self.standing,
            "upto": self.upto,
        })
    }

    /// As the alerts of an Alertmanager: one for each alarm that is named, and one for those that are not. `raised` tells
    /// when an alarm that is not over was raised, Unix milliseconds.
    pub fn to_alerts(&self, raised: &dyn Fn(AlarmId) -> Option<i64>) -> Value {
        let of = |(id, news): &(AlarmId, News)| news_alert(self.receiver, news, raised(*id), self.at_unix_ms);
        let mut alerts: Vec<Value> = self.news.iter().map(of).collect();
        if self.further > 0 {
            let Words { zh, en } = words::AND_FURTHER;
            alerts.push(json!({
                "labels": {
                    "alertname": "coldhearth_further",
                    "kind": self.kind.word(),
                    "receiver": self.receiver.as_str(),
                    "severity": self.priority.word(),
                },
                "annotations": { "summary": format!("{} {en}", self.further), "summary_zh": format!("{zh} {}", self.further) },
                "startsAt": time::utc(self.at_unix_ms),
            }));
        }
        Value::from(alerts)
    }
}

/// Alarms that stand, as an Alertmanager takes them, told again, each with whether it is left; and those that do so no longer.
pub fn standing_alerts(
    receiver: Name,
    alarms: &[(&Alarm, bool)],
    ended: &[&News],
    now_unix_ms: i64,
) -> Value {
    let of = |(alarm, is_left): &(&Alarm, bool)| {
        let times = (Some(alarm.raised_unix_ms.min(now_unix_ms)), now_unix_ms.saturating_add(ALERT_LASTS_MS));
        alert(receiver, &alarm.about, (alarm.state, alarm.record, *is_left), times)
    };
    let over = ended.iter().map(|news| news_alert(receiver, news, None, now_unix_ms));
    alarms.iter().map(of).chain(over).collect()
}

/// An alert that stands ends far ahead; another has ended. It takes none whose end lies before its beginning, which a clock
/// that was ahead would make.
fn news_alert(receiver: Name, news: &News, raised: Option<i64>, now_unix_ms: i64) -> Value {
    let starts = raised.map(|raised| raised.min(now_unix_ms));
    let ends = if news.stands {
        now_unix_ms.saturating_add(ALERT_LASTS_MS)
    } else {
        news.at_unix_ms.min(now_unix_ms).max(starts.unwrap_or(i64::MIN))
    };
    alert(receiver, &news.about, (news.state, news.record, news.is_left), (starts, ends))
}

fn alert(
    receiver: Name,
    about: &About,
    (state, record, is_left): (State, Option<Digest>, bool),
    (starts, ends): (Option<i64>, i64),
) -> Value {
    let label = |shown: Option<String>| shown.unwrap_or_default();
    let before = if is_left { words::LATCHED_BEFORE } else { Words { zh: "", en: "" } };
    let summary = |what: &str, before: &str| {
        if before.is_empty() { what.to_owned() } else { format!("{what}; {before}") }
    };
    let mut alert = json!({
        "labels": {
            "alertname": format!("coldhearth_{}", about.cause.word()),
            "alarm_id": about.id().to_string(),
            "kind": about.cause.kind().word(),
            "severity": about.cause.priority().word(),
            "division": about.division.to_string(),
            "uscc": label(about.enterprise.map(|enterprise| enterprise.to_string())),
            "gateway": label(about.gateway.map(|gateway| gateway.to_string())),
            "subject": label(about.subject.map(|subject| subject.to_string())),
            "receiver": receiver.as_str(),
        },
        "annotations": {
            "summary": summary(about.cause.words().en, before.en),
            "summary_zh": summary(about.cause.words().zh, before.zh),
            "state": state.word(),
            "record": label(record.map(|record| record.to_string())),
        },
        "endsAt": time::utc(ends),
    });
    if let (Some(alert), Some(starts)) = (alert.as_object_mut(), starts) {
        alert.insert("startsAt".to_owned(), Value::from(time::utc(starts)));
    }
    alert
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::{Event, Priority, alarm::tests::about};

    #[test]
    fn an_alertmanager_is_told_when_it_began_and_when_it_ended() {
        let raised = Alarm::unheard(about(Cause::Violation, "gw-1", "130421")).step(Event::Raise, 0).unwrap();
        let news = |state, stands| News {
            about: raised.about,
            event: Event::Raise,
            state,
            record: Some(Digest::of(b"a verdict")),
            stands,
            is_left: stands,
            at_unix_ms: 1_795_800_000_000,
            number: 7,
        };
        let id = raised.about.id();
        let told = Notification {
            receiver: Name::new("desk").unwrap(),
            kind: Kind::Violation,
            at_unix_ms: 1_795_800_030_000,
            priority: Priority::High,
            news: vec![(id, news(raised.to, true)), (id, news(raised.from, false))],
            further: 3,
            standing: 5,
            upto: 7,
        };
        let alerts = told.to_alerts(&|_| Some(1_795_700_000_000));
        let alerts = alerts.as_array().unwrap();
        assert_eq!(alerts.len(), 3);
        assert_eq!(alerts[0]["labels"]["alertname"], "coldhearth_violation");
        // It began when it was raised, whatever happened since; while it stands its end lies far ahead, and then is true.
        assert_eq!(alerts[0]["startsAt"], time::utc(1_795_700_000_000));
        assert_eq!(alerts[0]["endsAt"], time::utc(told.at_unix_ms + ALERT_LASTS_MS));
        assert_eq!(alerts[1]["endsAt"], time::utc(1_795_800_000_000));
        let mut stands = Alarm::unheard(raised.about).after(&raised).unwrap();
        stands.raised_unix_ms = 1_795_700_000_000;
        let over = news(raised.from, false);
        let again = standing_alerts(told.receiver, &[(&stands, true)], &[&over], told.at_unix_ms + REPEAT_MS);
        assert_eq!((&again[1]["labels"], &again[1]["endsAt"]), (&alerts[1]["labels"], &alerts[1]["endsAt"]));
        assert_eq!(again[0]["labels"], alerts[0]["labels"], "the same alert by its labels");
        // Of a log that was left both say so, and the end of it does not.
        for (told, is_left) in [(&alerts[0], true), (&again[0], true), (&alerts[1], false)] {
            let summary = told["annotations"]["summary"].as_str().unwrap();
            assert_eq!(summary.ends_with(words::LATCHED_BEFORE.en), is_left, "{summary}");
        }
        assert_eq!(again[0]["startsAt"], alerts[0]["startsAt"]);
        assert_ne!(again[0]["endsAt"], alerts[0]["endsAt"]);
        let texts =
            alerts.iter().all(|alert| alert["labels"].as_object().unwrap().values().all(Value::is_string));
        assert!(texts, "labels are text");
        let json = told.to_json();
        let record = Value::from(Digest::of(b"a verdict").to_string());
        assert_eq!((&json["alarms"][0]["record"], &alerts[0]["annotations"]["record"]), (&record, &record));
        assert_eq!(json["alarms"][0]["acknowledged"], false);
        assert_eq!(json["alarms"][0]["in_log_before"], both(words::LATCHED_BEFORE));
        assert_eq!(json["alarms"][1]["in_log_before"], Value::Null);
        assert_eq!((json["further"].as_u64(), json["alarms"].as_array().unwrap().len()), (Some(3), 2));
    }

    #[test]
    fn no_alert_begins_in_the_future_or_ends_before_it_began() {
        let about = about(Cause::Violation, "gw-1", "130421");
        let raised = Alarm::unheard(about).step(Event::Raise, 9_000).unwrap();
        let stands = Alarm::unheard(about).after(&raised).unwrap();
        let told = |is: bool, at_unix_ms| {
            let news = News {
                about,
                event: Event::Clear,
                state: raised.to,
                record: None,
                stands: is,
                is_left: false,
                at_unix_ms,
                number: 1,
            };
            let alert = news_alert(Name::new("desk").unwrap(), &news, Some(9_000), 1_000);
            (alert["startsAt"].clone(), alert["endsAt"].clone())
        };
        let now = Value::from(time::utc(1_000));
        assert_eq!(told(true, 500), (now.clone(), Value::from(time::utc(1_000 + ALERT_LASTS_MS))));
        assert_eq!(
            (told(false, 500), told(false, 9_500)),
            ((now.clone(), now.clone()), (now.clone(), now.clone()))
        );
        let again = standing_alerts(Name::new("desk").unwrap(), &[(&stands, false)], &[], 1_000);
        assert_eq!(again[0]["startsAt"], now);
    }

    #[test]
    fn a_violation_is_called_by_when_it_was_told_and_by_how_it_is_now() {
        let alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let drawing = alarm.after(&alarm.step(Event::Raise, 1_795_800_000_000).unwrap()).unwrap();
        let rests = drawing.after(&drawing.step(Event::Settle, 1_795_800_060_000).unwrap()).unwrap();
        let since = format!("violation, told at {}; now: ", LegalTime(1_795_800_000_000));
        assert_eq!(title(&drawing, false, Language::English), format!("{since}it draws power"));
        assert_eq!(title(&rests, false, Language::English), format!("{since}not seen to draw power"));
        assert!(alarm_line(&rests, false, 7, Language::English).contains(&since));
        let left = alarm_line(&rests, true, 7, Language::English);
        assert!(left.contains("  #7  ") && left.contains(words::LATCHED_BEFORE.en), "{left}");
        assert_eq!(alarm_json(&rests, true, 7)["in_log_before"], both(words::LATCHED_BEFORE));
        let silent = Alarm::unheard(about(Cause::Silent, "gw-1", "130421"));
        assert_eq!(title(&silent, false, Language::Chinese), Cause::Silent.words().zh);
    }
}
