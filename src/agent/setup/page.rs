//! The file that `init` writes: every value that was chosen, with what it means, and what else there is, commented out.

use std::fmt::Write as _;

use super::plan::{Furnace, PLACEHOLDER_CT, PLACEHOLDER_PT, PLACEHOLDER_V, Plan, Point};
use crate::{
    agent::config::{
        AgentConfig, DEFAULT_JOURNAL_MB, DEFAULT_POLL_MS, DEFAULT_RETENTION_DAYS, Meter, placeholder,
    },
    terms::words::{self, Language, Words},
};

/// Where comments begin, counted from 1.
const COMMENT_COLUMN: usize = 37;

/// The whole file. `read` is what the choices came to.
pub(super) fn write(plan: &Plan<'_>, read: &AgentConfig, language: Language) -> String {
    let mut page = Page { text: String::new(), language, to_fill_in: Vec::new() };
    page.gateway(plan);
    page.broker(plan);
    page.authority(plan);
    page.journal();
    page.about(words::SETUP_BUS);
    for bus in &plan.buses {
        page.head("[[bus]]");
        page.line("id", &quoted(&bus.id), None);
        page.line("endpoint", &quoted(&bus.endpoint), None);
    }
    page.about(words::SETUP_EQUIPMENT);
    plan.furnaces.iter().for_each(|furnace| page.furnace(furnace));
    page.about(words::SETUP_METER);
    for point in &plan.points {
        let meter = read.meters.iter().find(|meter| meter.id.as_str() == point.id);
        page.point(point, meter);
    }
    page.text
}

struct Page {
    text: String,
    language: Language,
    /// Keys of the table at hand that hold a placeholder.
    to_fill_in: Vec<String>,
}

impl Page {
    fn gateway(&mut self, plan: &Plan<'_>) {
        let choices = plan.choices;
        for line in words::SETUP_HEAD.in_language(self.language).lines() {
            self.comment(line);
        }
        self.about(words::SETUP_GATEWAY);
        self.head("[gateway]");
        self.line("id", &quoted(&choices.gateway), Some(words::SETUP_ID));
        self.line("division", &quoted(&choices.division), Some(words::SETUP_DIVISION));
        self.line("uscc", &quoted(&choices.uscc), Some(words::SETUP_USCC));
        self.line("state_dir", &quoted(&choices.state_dir), Some(words::SETUP_STATE));
        self.line("profiles", &quoted(&choices.profiles), Some(words::SETUP_PROFILES));
    }

    fn broker(&mut self, plan: &Plan<'_>) {
        self.about(words::SETUP_BROKER);
        self.head("[broker]");
        self.line("host", &quoted(&plan.host), None);
        if let Some(port) = &plan.port {
            self.line("port", port, None);
        }
        let id = &plan.choices.gateway;
        self.comment(&format!("user = \"{id}\""));
        self.comment("password_file = \"broker.password\"");
        self.comment(&format!("tls = {{ ca = \"ca.pem\", certificate = \"{id}.pem\", key = \"{id}.key\" }}"));
    }

    fn authority(&mut self, plan: &Plan<'_>) {
        match &plan.choices.authority {
            Some(key) => {
                self.about(words::SETUP_AUTHORITY);
                self.head("[authority]");
                self.line("keys", &format!("[{}]", quoted(key)), None);
            }
            None => {
                self.about(words::SETUP_NO_AUTHORITY);
                self.comment("[authority]");
                self.comment("keys = [\"authority.key.pub\"]");
            }
        }
    }

    fn journal(&mut self) {
        self.about(words::SETUP_JOURNAL);
        self.head("[journal]");
        self.line("retention_days", &DEFAULT_RETENTION_DAYS.to_string(), None);
        self.line("max_mb", &DEFAULT_JOURNAL_MB.to_string(), None);
    }

    fn furnace(&mut self, furnace: &Furnace) {
        self.head("[[equipment]]");
        self.line("id", &quoted(&furnace.id), None);
        self.line("kind", &quoted(&furnace.kind), Some(words::SETUP_KIND));
        self.line("rated_power_w", &furnace.rated_w, Some(words::SETUP_RATED));
        match &furnace.day {
            Some(day) => self.line("decommissioned_on", day, Some(words::SETUP_DAY)),
            None => self.line("# decommissioned_on", "2011-12-31", Some(words::SETUP_NO_DAY)),
        }
        self.comment("[equipment.declared]");
        self.comment("maker = \"…\"");
        self.comment("serial_number = \"…\"");
    }

    fn point(&mut self, point: &Point, meter: Option<&Meter>) {
        self.head("[[meter]]");
        self.line("id", &quoted(&point.id), None);
        self.line("bus", &quoted(&point.bus), None);
        self.line("unit", &point.unit, None);
        self.line("profile", &quoted(&point.profile), None);
        let mut told = point.told.clone();
        let serves = told.remove("serves").unwrap_or_default();
        self.line("serves", &names(&serves), None);
        let mut value = |key: &str| told.remove(key);
        let nominal = (value("nominal_v"), value("voltage_point"));
        let ratios = (value("ct"), value("pt"), value("rated_a"));
        self.chosen("nominal_v", nominal.0, PLACEHOLDER_V, words::SETUP_NOMINAL);
        if let Some(amps) = ratios.2 {
            self.line("rated_a", &amps, Some(words::SETUP_RATED_A));
        } else {
            self.chosen("ct", ratios.0.as_deref().map(quoted), &quoted(PLACEHOLDER_CT), words::SETUP_CT);
        }
        if ratios.1.is_some() || meter.is_some_and(|meter| meter.profile.needs_pt()) {
            self.chosen("pt", ratios.1.as_deref().map(quoted), &quoted(PLACEHOLDER_PT), words::SETUP_PT);
        }
        let bus_side = quoted("bus");
        self.chosen("voltage_point", nominal.1.as_deref().map(quoted), &bus_side, words::SETUP_VOLTAGE_POINT);
        for (key, value) in told {
            let is_bare = value.parse::<i64>().is_ok() && !key.ends_with("_class");
            self.line(&key, &if is_bare { value } else { quoted(&value) }, None);
        }
        if !self.to_fill_in.is_empty() {
            let keys: Vec<String> = self.to_fill_in.drain(..).map(|key| quoted(&key)).collect();
            self.line(placeholder::KEY, &format!("[{}]", keys.join(", ")), Some(words::SETUP_PLACEHOLDERS));
        }
        self.further(point);
    }

    /// What else there is to say of a meter, commented out.
    fn further(&mut self, point: &Point) {
        if !point.told.contains_key("meter_class") {
            self.line("# meter_class", "\"0.5S\"", Some(words::SETUP_CLASSES));
        }
        if !point.told.contains_key("poll_ms") {
            self.line("# poll_ms", &DEFAULT_POLL_MS.to_string(), None);
        }
        self.comment(words::SETUP_PAPERS.in_language(self.language));
        self.comment("[meter.papers]");
        self.comment("step_test = \"…\"");
        self.comment(words::SETUP_ALLOWANCE.in_language(self.language));
        self.comment("[[meter.allowance]]");
        self.comment("name = \"lamps\"");
        self.comment("kind = \"lamps\"");
        self.comment("power_w = 8_000");
        self.comment("energy_kwh_per_month = 3_000");
    }

    /// A value that was told, or a placeholder that says that it is one.
    fn chosen(&mut self, key: &str, told: Option<String>, placeholder: &str, about: Words) {
        match told {
            Some(value) => self.line(key, &value, Some(about)),
            None => {
                let mark = words::SETUP_FILL_IN.in_language(self.language);
                let comment = format!("{mark}{}", about.in_language(self.language));
                self.commented(&format!("{key} = {placeholder}"), &comment);
                self.to_fill_in.push(key.to_owned());
            }
        }
    }

    fn about(&mut self, about: Words) {
        self.text.push('\n');
        for line in about.in_language(self.language).lines() {
            self.comment(line);
        }
    }

    fn head(&mut self, head: &str) {
        // A heading stands apart, but not from the words about it.
        if !self.text.lines().last().is_some_and(|line| line.starts_with('#')) {
            self.text.push('\n');
        }
        let _infallible = writeln!(self.text, "{head}");
    }

    fn line(&mut self, key: &str, value: &str, about: Option<Words>) {
        let assignment = format!("{key} = {value}");
        match about {
            Some(about) => self.commented(&assignment, about.in_language(self.language)),
            None => {
                let _infallible = writeln!(self.text, "{assignment}");
            }
        }
    }

    fn commented(&mut self, assignment: &str, comment: &str) {
        let width = COMMENT_COLUMN - 2;
        let _infallible = writeln!(self.text, "{assignment:<width$} # {comment}");
    }

    fn comment(&mut self, line: &str) {
        let _infallible = writeln!(self.text, "# {line}");
    }
}

/// One name, or a list of them.
fn names(names: &str) -> String {
    let names: Vec<String> = names.split(',').map(quoted).collect();
    match &names[..] {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
