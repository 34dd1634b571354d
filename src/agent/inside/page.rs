//! PURE file: the page for the plant's own people, as it is sent: no script, nothing from anywhere else, readable without
//! colours and on paper.

use std::fmt::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::{
    look,
    status::{Equipment, Meter, StandingSign, Status},
};
use crate::terms::words::{self, Language, Words};

/// Pieces of equipment, meters and signs listed; the rest is counted, the weightiest stand first.
pub const MOST_ROWS: usize = 200;
/// How often a browser asks again by itself, in seconds.
pub const AGAIN_S: u32 = 10;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72em;margin:1em auto;padding:0 1em;color:#111;background:#fff}\
h1{font-size:1.4em}h2{font-size:1.1em;margin:1.2em 0 .3em}table{border-collapse:collapse;width:100%}\
th,td{border:1px solid #555;padding:.25em .5em;text-align:left;vertical-align:top}th{background:#eee}\
caption{text-align:left}.state{font-weight:bold;white-space:nowrap}.look{border:3px double #111;padding:.4em .8em}\
.bar{font-family:monospace;white-space:nowrap}code{overflow-wrap:anywhere}small{color:#333}\
@media print{body{max-width:none;margin:0;font-size:10pt}a{color:#111;text-decoration:none}tr{break-inside:avoid}}";

/// The policy under which the page is sent: its own style, by its hash, and nothing else whatever.
pub fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The page.
pub fn page(status: &Status, language: Language) -> String {
    let mut page = Page { text: String::new(), language };
    let (tag, other) = match language {
        Language::Chinese => ("zh-CN", "en"),
        Language::English => ("en", "zh"),
    };
    let title = page.said(words::WHAT_IS_ATTESTED);
    page.put(format_args!(
        "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}: {title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n",
        Plain(&status.gateway)
    ));
    page.put(format_args!(
        "<p><a href=\"/?lang={other}\" hreflang=\"{other}\">{}</a></p>\n",
        page.said(words::T_OTHER_LANGUAGE)
    ));
    page.reasons(status);
    page.equipment(status);
    page.orders(status);
    page.meters(status);
    page.put(format_args!("<p class=\"look\">{}</p>\n", page.said(words::CANNOT_BE_PROVEN)));
    page.witness(status);
    page.put(format_args!("<p><small>{}</small></p>\n</body></html>\n", page.said(words::UNSIGNED_VIEW)));
    page.text
}

struct Page {
    text: String,
    language: Language,
}

/// A text in which no letter means anything to a browser.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// How weighty a state is, by its word; what is not known weighs more than any rest.
fn weight(state: &str) -> u8 {
    match state {
        "drawing" => 6,
        "exporting" => 5,
        "masked" => 4,
        "auxiliary" => 2,
        "energised" => 1,
        "dead" => 0,
        _ => 3,
    }
}

impl Page {
    fn put(&mut self, text: fmt::Arguments<'_>) {
        // Writing into a string never fails.
        let _never = self.text.write_fmt(text);
    }

    fn said(&self, words: Words) -> &'static str {
        words.in_language(self.language)
    }

    fn title(&mut self, words: Words) {
        let title = self.said(words);
        self.put(format_args!("<h2>{title}</h2>\n"));
    }

    fn table(&mut self, heads: &[Words]) {
        self.put(format_args!("<table><thead><tr>"));
        for head in heads {
            let head = self.said(*head);
            self.put(format_args!("<th scope=\"col\">{head}</th>"));
        }
        self.put(format_args!("</tr></thead><tbody>\n"));
    }

    fn end_table(&mut self, rows: usize) {
        self.put(format_args!("</tbody></table>\n"));
        if let Some(more) = rows.checked_sub(MOST_ROWS).filter(|more| *more > 0) {
            let text = self.said(words::T_MORE);
            self.put(format_args!("<p>{text} {more}</p>\n"));
        }
    }

    fn reasons(&mut self, status: &Status) {
        if status.ready {
            let ready = self.said(words::T_READY);
            return self.put(format_args!("<p>✓ {ready}</p>\n"));
        }
        let title = self.said(words::T_NOT_READY);
        self.put(format_args!("<div class=\"look\"><p><strong>! {title}</strong></p><ul>\n"));
        for reason in &status.reasons {
            let says = Plain(reason.says.in_language(self.language));
            let (task, code) = (Plain(&reason.task), Plain(&reason.code));
            let item = format!("<li>{says} <small>({task}: {code})</small></li>\n");
            self.text.push_str(&item);
        }
        self.put(format_args!("</ul></div>\n"));
    }

    fn equipment(&mut self, status: &Status) {
        self.title(words::T_EQUIPMENT);
        self.table(&[words::T_EQUIPMENT, words::T_STATE, words::T_SINCE, words::T_LAW, words::T_SIGNS]);
        let mut all: Vec<&Equipment> = status.equipment.iter().collect();
        all.sort_by_key(|e| std::cmp::Reverse((e.violation_since_unix_ms.is_some(), weight(&e.state))));
        for equipment in all.into_iter().take(MOST_ROWS) {
            self.piece(equipment);
        }
        self.end_table(status.equipment.len());
    }

    fn piece(&mut self, equipment: &Equipment) {
        let language = self.language;
        let label = equipment.label.as_deref().unwrap_or("");
        self.put(format_args!("<tr><td>{} {}</td>", Plain(&equipment.id), Plain(label)));
        self.state(&equipment.state, equipment.says.in_language(language));
        self.put(format_args!("<td>{}</td><td>", look::moment(equipment.since_unix_ms, language)));
        let phase = match equipment.phase.as_deref() {
            Some("overdue") => Some(words::PHASE_OVERDUE),
            Some("pre_deadline") => Some(words::PHASE_PRE_DEADLINE),
            Some(_) | None => None,
        };
        let phase = phase.map_or_else(|| look::not_known(language), |words| self.said(words).to_owned());
        self.put(format_args!("{phase}"));
        if equipment.violation_since_unix_ms.is_some() {
            let (latched, since) =
                (self.said(words::LATCHED), look::moment(equipment.violation_since_unix_ms, language));
            self.put(format_args!("<p class=\"look\"><strong>!! {latched}</strong> {since}</p>"));
        }
        self.put(format_args!("</td>"));
        self.signs(&equipment.signs);
        self.put(format_args!("</tr>\n"));
    }

    fn meters(&mut self, status: &Status) {
        self.title(words::T_METERS);
        self.table(&[
            words::T_METERS,
            words::T_STATE,
            words::T_LAST_GOOD,
            words::T_POWER,
            words::T_TODAY,
            words::T_SIGNS,
        ]);
        let mut all: Vec<&Meter> = status.meters.iter().collect();
        all.sort_by_key(|meter| std::cmp::Reverse(weight(&meter.state)));
        for meter in all.into_iter().take(MOST_ROWS) {
            self.meter(meter);
        }
        self.end_table(status.meters.len());
    }

    fn meter(&mut self, meter: &Meter) {
        let language = self.language;
        self.put(format_args!("<tr><td>{} <small>{}</small></td>", Plain(&meter.id), Plain(&meter.bus)));
        self.state(&meter.state, meter.says.in_language(language));
        self.put(format_args!("<td>{}", look::moment(meter.last_good_unix_ms, language)));
        if meter.last_good_age_ms.is_some() {
            self.put(format_args!("<br>{}", look::ago(meter.last_good_age_ms, language)));
        }
        if let Some(failing) = &meter.failing {
            let says = failing.says.in_language(language);
            self.put(format_args!("<br><strong>! {} × {}</strong>", Plain(says), failing.polls));
        }
        let bar = meter.today.as_ref().map_or_else(String::new, look::bar);
        self.put(format_args!(
            "</td><td>{}</td><td><span class=\"bar\">{bar}</span> {}</td>",
            look::power(meter.power_mw, language),
            look::accounted(meter, language)
        ));
        self.signs(&meter.signs);
        self.put(format_args!("</tr>\n"));
    }

    fn state(&mut self, state: &str, says: &str) {
        let shape = look::shape(state);
        self.put(format_args!(
            "<td><span class=\"state\">{shape} {}</span><br>{}</td>",
            Plain(state),
            Plain(says)
        ));
    }

    fn signs(&mut self, signs: &[StandingSign]) {
        self.put(format_args!("<td>"));
        if signs.is_empty() {
            let none = self.said(words::T_NONE);
            self.put(format_args!("{none}"));
        }
        for sign in signs {
            let weight = if sign.is_strong { "!!" } else { "!" };
            let says = sign.says.in_language(self.language);
            self.put(format_args!("<p>{weight} {}</p>", Plain(says)));
        }
        self.put(format_args!("</td>"));
    }

    fn orders(&mut self, status: &Status) {
        if status.orders.is_empty() {
            return;
        }
        self.title(words::T_ORDERS);
        self.table(&[words::T_ORDERS, words::T_EQUIPMENT, words::T_STATE]);
        for order in &status.orders {
            let says = order.says.in_language(self.language);
            self.put(format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}: {}</td></tr>\n",
                Plain(&order.id),
                Plain(&order.asset),
                Plain(&order.rung),
                Plain(says)
            ));
        }
        self.end_table(status.orders.len());
    }

    /// How the witness itself is.
    fn witness(&mut self, status: &Status) {
        let language = self.language;
        self.title(words::T_GATEWAY);
        self.put(format_args!("<table><tbody>\n"));
        let buses = status.buses.iter().map(|bus| {
            format!("{}: {} ({}/{})", bus.id, bus.says.in_language(language), bus.answering, bus.meters)
        });
        for (label, text) in [
            (words::T_GATEWAY, format!("{}, {}", status.gateway, status.software)),
            (words::T_SINCE, look::moment(Some(status.began_unix_ms), language)),
            (words::T_CLOCK, look::clock(status, language)),
            (words::T_BROKER, look::broker(status, language)),
            (words::T_LOG, look::log(status, language)),
            (words::T_BUSES, buses.collect::<Vec<_>>().join("; ")),
            (words::T_CONFIGURATION, status.config_sha256.clone()),
        ] {
            let label = self.said(label);
            self.put(format_args!(
                "<tr><th scope=\"row\">{label}</th><td><code>{}</code></td></tr>\n",
                Plain(&text)
            ));
        }
        let now = look::moment(Some(status.now_unix_ms), language);
        self.put(format_args!("</tbody></table>\n<p>{now}</p>\n"));
    }
}
