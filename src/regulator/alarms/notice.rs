//! PURE file. A notification as machines and people read it, and the alerts of an Alertmanager it makes.

use serde_json::{Value, json};

use super::{Alarm, AlarmId, Kind, Notification, pager::News};
use crate::terms::{
    Name,
    time::{self, LegalTime},
    words::{self, Language, Words},
};

/// Below it stands the newest notification of each receiver that is told by MQTT, retained, under his name and its kind.
pub const ALARMS_TOPIC: &str = "coldhearth/v1/alarms";

/// Where a receiver's notifications of a kind stand.
pub fn topic(receiver: Name, kind: Kind) -> String {
    format!("{ALARMS_TOPIC}/{receiver}/{}", kind.word())
}

fn both(words: Words) -> Value {
    json!({ "zh": words.zh, "en": words.en })
}

/// The alarm as JSON.
pub fn alarm_json(alarm: &Alarm) -> Value {
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
    })
}

/// The alarm in a line.
pub fn alarm_line(alarm: &Alarm, language: Language) -> String {
    let about = &alarm.about;
    let say = |words: Words| words.in_language(language);
    let gateway = about.gateway.map_or_else(String::new, |gateway| format!("  {gateway}"));
    let subject = about.subject.map_or_else(String::new, |subject| format!(" {subject}"));
    let many = alarm.gateways.map_or_else(String::new, |count| format!(" ({count})"));
    let hand = alarm.hand.as_ref().map_or_else(String::new, |hand| format!("  {}: {}", hand.who, hand.why));
    let until = alarm.until_unix_ms.map_or_else(String::new, |until| format!(" – {}", LegalTime(until)));
    format!(
        "{}  {}  {}  {}  {}{gateway}{subject}: {}{many}  [{}{until}]{hand}",
        alarm.id,
        LegalTime(alarm.raised_unix_ms),
        say(about.cause.priority().words()),
        say(about.cause.kind().words()),
        about.division,
        say(about.cause.words()),
        say(alarm.state.words()),
    )
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

    /// As the alerts of an Alertmanager: one for each alarm that is named, and one for those that are not.
    pub fn to_alerts(&self) -> Value {
        let mut alerts: Vec<Value> = self.news.iter().map(|(id, news)| self.alert(*id, news)).collect();
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

    fn alert(&self, id: AlarmId, news: &News) -> Value {
        let about = &news.about;
        let label = |shown: Option<String>| shown.unwrap_or_default();
        let mut alert = json!({
            "labels": {
                "alertname": format!("coldhearth_{}", about.cause.word()),
                "alarm_id": id.to_string(),
                "kind": self.kind.word(),
                "severity": about.cause.priority().word(),
                "division": about.division.to_string(),
                "uscc": label(about.enterprise.map(|enterprise| enterprise.to_string())),
                "gateway": label(about.gateway.map(|gateway| gateway.to_string())),
                "subject": label(about.subject.map(|subject| subject.to_string())),
                "receiver": self.receiver.as_str(),
            },
            "annotations": {
                "summary": about.cause.words().en,
                "summary_zh": about.cause.words().zh,
                "state": news.state.word(),
            },
        });
        let moment = time::utc(news.at_unix_ms);
        if let Some(alert) = alert.as_object_mut() {
            let ends = if news.state.life.is_standing() { "startsAt" } else { "endsAt" };
            alert.insert(ends.to_owned(), Value::from(moment));
        }
        alert
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::{Cause, Event, Priority, alarm::tests::about};

    #[test]
    fn an_alertmanager_is_told_when_it_began_and_when_it_ended() {
        let raised = Alarm::unheard(about(Cause::Violation, "gw-1", "130421")).step(Event::Raise, 0).unwrap();
        let news = |state| News {
            about: raised.about,
            event: Event::Raise,
            state,
            at_unix_ms: 1_795_800_000_000,
            number: 7,
        };
        let id = raised.about.id();
        let told = Notification {
            receiver: Name::new("desk").unwrap(),
            kind: Kind::Violation,
            at_unix_ms: 1_795_800_030_000,
            priority: Priority::High,
            news: vec![(id, news(raised.to)), (id, news(raised.from))],
            further: 3,
            standing: 5,
            upto: 7,
        };
        let alerts = told.to_alerts();
        let alerts = alerts.as_array().unwrap();
        assert_eq!(alerts.len(), 3);
        assert_eq!(alerts[0]["labels"]["alertname"], "coldhearth_violation");
        assert_eq!(alerts[0]["startsAt"], time::utc(1_795_800_000_000));
        assert!(alerts[0].get("endsAt").is_none() && alerts[1].get("endsAt").is_some());
        let texts =
            alerts.iter().all(|alert| alert["labels"].as_object().unwrap().values().all(Value::is_string));
        assert!(texts, "labels are text");
        let json = told.to_json();
        assert_eq!((json["further"].as_u64(), json["alarms"].as_array().unwrap().len()), (Some(3), 2));
    }
}
