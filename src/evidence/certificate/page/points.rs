//! What stands on the page of the metering points and of both witnesses.

use serde_json::Value;

use super::{Facts, READINGS_ON_PAGE, both, figure, items, label, listed, moment, shown, told, whole};
use crate::{
    judge::cutoff::Carrier,
    terms::{
        LegalDay,
        words::{self, Words},
    },
};

impl Facts<'_> {
    /// Every point, and every warning with the points it is of.
    pub(super) fn points(&self) -> String {
        let points = items(self.get("points"));
        let named = points.iter().map(|point| {
            let upstream = point
                .get("upstream")
                .map_or_else(String::new, |meter| format!("；{} {}", both(words::UPSTREAM_OF), shown(meter)));
            format!(
                "{}（{}，{}{upstream}）",
                told(point, "meter"),
                told(point, "feeder"),
                told(point, "breaker")
            )
        });
        let mut lines = vec![named.collect::<Vec<String>>().join("；")];
        for warning in [
            words::BEHIND_THE_BREAKER_UNSEEN,
            words::BEHIND_THE_BREAKER_SEEN,
            words::VOLTAGE_POINT_UNTOLD,
            words::METER_HANGS_ON_IT,
            words::GATEWAY_HANGS_ON_IT,
        ] {
            let warned = points.iter().filter(|point| warnings(point).any(|known| known == warning));
            lines.extend(listed(warning, warned.map(|point| told(point, "meter"))));
        }
        if self.text("second_feeds") != "excluded" {
            lines.push(both(words::THIS_POINT_ONLY));
        }
        lines.push(format!("{}: {}", label(words::P_SINGLE_LINE), self.text("single_line")));
        lines.join("<br>")
    }

    pub(super) fn first_witness(&self) -> String {
        let carrier = Carrier::from_word(&shown(self.get("hold").get("carrier").unwrap_or(&Value::Null)));
        let blind = match carrier {
            Some(Carrier::Upstream) => {
                format!("<br>{} {} Wh", both(words::UPSTREAM_BLIND), figure(self.whole("hold", "blind_wh")))
            }
            Some(Carrier::Own | Carrier::Utility) | None => String::new(),
        };
        let carrier = carrier.map_or_else(|| "–".to_owned(), |carrier| both(carrier.words()));
        format!(
            "{} {}，{}；{carrier}；{} {} Wh（{} {} Wh）{blind}",
            self.text("gateway_id"),
            self.text("log_id"),
            items(self.get("points")).iter().map(|point| told(point, "meter")).collect::<Vec<_>>().join("，"),
            label(words::P_MOVED),
            figure(self.whole("hold", "moved_wh")),
            label(words::P_TOLD_FROM),
            figure(self.whole("hold", "blind_wh")),
        )
    }

    pub(super) fn second_witness(&self) -> String {
        let readings = items(self.get("readings"));
        let first = readings.len().saturating_sub(READINGS_ON_PAGE);
        let mut lines = vec![format!(
            "{} {} – {}；{}: {} {}，{} {}",
            label(words::P_AGREES),
            moment(self.get("hold"), "agreed_from_unix_ms"),
            moment(self.get("hold"), "agreed_to_unix_ms"),
            label(words::P_BY_DAY),
            self.text("days_agree"),
            label(words::P_AGREE),
            self.text("days_differ"),
            label(words::P_DIFFER),
        )];
        for day in items(self.get("differing")).iter().rev().take(1) {
            let date = figure(whole(day, "from_unix_ms").map(LegalDay::of_unix_ms));
            let (ours, theirs) = (figure(whole(day, "ours_wh")), figure(whole(day, "utility_wh")));
            lines.push(format!("{date}：{ours} Wh / {theirs} Wh"));
        }
        for reading in readings.iter().skip(first) {
            let told = |name| told(reading, name);
            lines.push(format!(
                "#{} {} {}：{} – {}，{} Wh（{} {} Wh，±{} ppm），{}",
                told("seq"),
                told("meter"),
                told("meter_serial"),
                moment(reading, "from_unix_ms"),
                moment(reading, "to_unix_ms"),
                told("energy_wh"),
                label(words::P_STEP),
                told("step_wh"),
                told("error_ppm"),
                told("switch"),
            ));
        }
        lines.extend(self.earlier(first, "readings_left_out"));
        for (words, is_ordered) in [(words::SERIAL_BY_ORDER, true), (words::SERIAL_BY_READING, false)] {
            let is_meant =
                |point: &&Value| point.get("utility_meter_ordered") == Some(&Value::Bool(is_ordered));
            let meters = items(self.get("points")).iter().filter(is_meant);
            let beside =
                |point| format!("{} – {}", told(point, "meter"), told(point, "utility_meter_serial"));
            lines.extend(listed(words, meters.map(beside)));
        }
        lines.push(match self.get("readings_signed_by").as_str() {
            Some("supplier") => {
                format!("{} {}", both(words::READINGS_BY_SUPPLIER), self.text("supplier_kid"))
            }
            Some(_) | None => both(words::READINGS_BY_AUTHORITY),
        });
        lines.join("<br>")
    }
}

/// What cannot be seen at this point, and who goes dark with its cut, as far as that was declared.
fn warnings(point: &Value) -> impl Iterator<Item = Words> {
    let voltage = match point.get("voltage_point").and_then(Value::as_str) {
        Some("bus") => words::BEHIND_THE_BREAKER_UNSEEN,
        Some(_) => words::BEHIND_THE_BREAKER_SEEN,
        None => words::VOLTAGE_POINT_UNTOLD,
    };
    let is_self_powered = point.get("powered_by").is_some_and(|by| Some(by) == point.get("meter"));
    let powers_gateway = point.get("powers_gateway") == Some(&Value::Bool(true));
    let all = [
        (true, voltage),
        (is_self_powered, words::METER_HANGS_ON_IT),
        (powers_gateway, words::GATEWAY_HANGS_ON_IT),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words)
}
