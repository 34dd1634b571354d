//! PURE file: a running agent on a person's terminal.

use std::fmt::Write as _;

use super::{
    look,
    status::{Equipment, Meter, Said, StandingSign, Status},
};
use crate::terms::words::{self, Language, Words};

/// The document as lines for a person.
pub fn screen(status: &Status, language: Language) -> String {
    let mut screen = Screen { text: String::new(), language };
    screen.head(status);
    screen.reasons(status);
    screen.title(words::T_EQUIPMENT);
    status.equipment.iter().for_each(|equipment| screen.equipment(equipment));
    screen.title(words::T_METERS);
    status.meters.iter().for_each(|meter| screen.meter(meter));
    screen.title(words::T_BUSES);
    for bus in &status.buses {
        let says = bus.says.in_language(language);
        screen.line(&format!("  {}  {says}  {}/{}", bus.id, bus.answering, bus.meters));
    }
    if !status.orders.is_empty() {
        screen.title(words::T_ORDERS);
        for order in &status.orders {
            let says = order.says.in_language(language);
            screen.line(&format!("  {}  {}  {}: {says}", order.id, order.asset, order.rung));
        }
    }
    screen.text
}

struct Screen {
    text: String,
    language: Language,
}

impl Screen {
    fn line(&mut self, text: &str) {
        // Writing into a string never fails.
        let _never = writeln!(self.text, "{text}");
    }

    fn said(&self, words: Words) -> &'static str {
        words.in_language(self.language)
    }

    fn title(&mut self, words: Words) {
        let title = self.said(words);
        self.line(&format!("\n{title}"));
    }

    fn head(&mut self, status: &Status) {
        let language = self.language;
        let now = look::moment(Some(status.now_unix_ms), language);
        self.line(&format!("{} {}  {}  {now}", self.said(words::T_GATEWAY), status.gateway, status.software));
        for (label, text) in [
            (words::T_SINCE, look::moment(Some(status.began_unix_ms), language)),
            (words::T_CLOCK, look::clock(status, language)),
            (words::T_BROKER, look::broker(status, language)),
            (words::T_LOG, look::log(status, language)),
            (words::T_CONFIGURATION, status.config_sha256.clone()),
        ] {
            let label = self.said(label);
            self.line(&format!("{label}: {text}"));
        }
    }

    fn reasons(&mut self, status: &Status) {
        if status.ready {
            let ready = self.said(words::T_READY);
            return self.line(ready);
        }
        let title = self.said(words::T_NOT_READY);
        self.line(&format!("! {title}:"));
        for reason in &status.reasons {
            let says = reason.says.in_language(self.language);
            self.line(&format!("  ! {} {}: {says}", reason.task, reason.code));
        }
    }

    fn equipment(&mut self, equipment: &Equipment) {
        let name = equipment.label.as_deref().map_or(String::new(), |label| format!(" ({label})"));
        self.state(&format!("{}{name}", equipment.id), &equipment.state, equipment.since_unix_ms);
        self.says(&equipment.says);
        if let Some(since) = equipment.violation_since_unix_ms {
            let (violation, since) = (self.said(words::LATCHED), look::moment(Some(since), self.language));
            self.line(&format!("      !! {violation}: {since}"));
        }
        self.signs(&equipment.signs);
    }

    fn meter(&mut self, meter: &Meter) {
        let language = self.language;
        self.state(&format!("{} [{}]", meter.id, meter.bus), &meter.state, meter.since_unix_ms);
        self.says(&meter.says);
        let good = look::moment(meter.last_good_unix_ms, language);
        let good = match meter.last_good_age_ms {
            Some(age_ms) => format!("{good}, {}", look::ago(Some(age_ms), language)),
            None => good,
        };
        let power = look::power(meter.power_mw, language);
        let label = (self.said(words::T_LAST_GOOD), self.said(words::T_POWER));
        self.line(&format!("      {}: {good}; {}: {power}", label.0, label.1));
        if let Some(failing) = &meter.failing {
            let (says, since) =
                (failing.says.in_language(language), look::moment(Some(failing.since_unix_ms), language));
            self.line(&format!("      ! {says} × {}, {} {since}", failing.polls, self.said(words::T_SINCE)));
        }
        let bar = meter.today.as_ref().map_or_else(String::new, look::bar);
        let today = self.said(words::T_TODAY);
        self.line(&format!("      {today}: {bar} {}", look::accounted(meter, language)));
        self.signs(&meter.signs);
    }

    fn state(&mut self, name: &str, state: &str, since_unix_ms: Option<i64>) {
        let since = look::moment(since_unix_ms, self.language);
        self.line(&format!(
            "  {} {name}  {state}  {} {since}",
            look::shape(state),
            self.said(words::T_SINCE)
        ));
    }

    fn says(&mut self, says: &Said) {
        let says = says.in_language(self.language).to_owned();
        self.line(&format!("      {says}"));
    }

    fn signs(&mut self, signs: &[StandingSign]) {
        for sign in signs {
            let weight = if sign.is_strong { "!!" } else { "!" };
            let says = sign.says.in_language(self.language);
            self.line(&format!("      {weight} {says}"));
        }
    }
}
