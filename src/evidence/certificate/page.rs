//! The page of a certificate: one A4 sheet, two where every list is full, Chinese and English, no script, nothing fetched. A
//! function of the signed object alone, so that whoever has that makes the same bytes.

mod points;

use std::fmt::Write as _;

use serde_json::Value;

use super::{Certificate, MAX_GAPS};
use crate::{
    judge::{Ending, Rung},
    terms::{
        Digest,
        time::LegalTime,
        words::{self, Words},
    },
};

/// Steps that have room on the page; the signed object has more.
const STEPS_ON_PAGE: usize = 7;
/// Readings that have room.
const READINGS_ON_PAGE: usize = 2;
/// Dark times of the witness that have room.
const DARKS_ON_PAGE: usize = 2;
/// Longest text of one member but a hash, in characters; the signed object has it whole.
const LONGEST_TEXT: usize = 60;
/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

const STYLE: &str = "@page{size:A4;margin:9mm}*{box-sizing:border-box}body{font:7.4pt/1.2 'Noto Sans CJK SC','Source Han Sans SC',\
'Microsoft YaHei','PingFang SC','WenQuanYi Zen Hei',sans-serif;color:#111;margin:0 auto;max-width:192mm}h1{font-size:14pt;\
margin:0}p{margin:0 0 1.2mm}table{border-collapse:collapse;width:100%;table-layout:fixed}td,th{border:.2mm solid #888;\
padding:.7mm 1.2mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:31mm;font-weight:600;background:#f2f2f2}\
.en{color:#444}.safe{border:.5mm solid #a00;padding:1mm 1.5mm;margin:1.2mm 0}.safe p{margin:0;font-weight:600}code{font-family:\
monospace;font-size:6.6pt;overflow-wrap:anywhere}tr,.safe{break-inside:avoid}b{font-size:10pt}";

impl Certificate {
    /// The page.
    pub fn page(&self) -> String {
        page(self)
    }
}

fn page(certificate: &Certificate) -> String {
    let facts = Facts(certificate);
    let mut out = String::with_capacity(16 * 1024);
    out.push_str("<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    let title = format!("{} {}", words::CERTIFICATE.zh, facts.text("order_id"));
    let _infallible = writeln!(out, "<title>{}</title><style>{STYLE}</style></head><body>", escaped(&title));
    let _infallible =
        writeln!(out, "<h1>{}</h1><p>{}</p><table>", both(words::CERTIFICATE), both(words::CERTIFICATE_IS));
    let rows: [(Words, String); 11] = [
        (words::C_STANDS, facts.stands()),
        (words::C_ORDER, facts.order()),
        (words::C_BASIS, facts.basis()),
        (words::C_SAFE_STATE, facts.safe_state()),
        (words::C_POINTS, facts.points()),
        (words::C_CLAIM, facts.claim()),
        (words::C_HOLD, facts.hold()),
        (words::C_GAPS, facts.gaps()),
        (words::C_FIRST_WITNESS, facts.first_witness()),
        (words::C_SECOND_WITNESS, facts.second_witness()),
        (words::C_STEPS, facts.steps()),
    ];
    for (name, row) in rows {
        let _infallible = writeln!(out, "<tr><th>{}</th><td>{row}</td></tr>", stacked(name));
    }
    let _infallible = writeln!(out, "<tr><th>{}</th><td>{}</td></tr>", stacked(words::C_KEYS), facts.keys());
    let _infallible =
        writeln!(out, "<tr><th>{}</th><td>{}</td></tr></table>", stacked(words::C_CHECK), facts.check());
    out.push_str("<div class=\"safe\">");
    for sentence in [
        words::NOT_A_TEST_FOR_DEAD,
        words::KEEP_COOLING,
        words::NEVER_OPEN_A_SECONDARY,
        words::NO_PERMISSION_TO_ENERGISE,
    ] {
        let _infallible = write!(out, "<p>{}</p>", both(sentence));
    }
    out.push_str("</div></body></html>\n");
    out
}

/// What the certificate says, in pieces of the page. A member that is not there is shown as a dash, never as nothing.
struct Facts<'c>(&'c Certificate);

impl Facts<'_> {
    fn get(&self, name: &str) -> &Value {
        self.0.facts.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> String {
        shown(self.get(name))
    }

    fn whole(&self, inside: &str, name: &str) -> Option<i64> {
        whole(self.get(inside), name)
    }

    fn stands(&self) -> String {
        let rung =
            Rung::from_word(&self.text("rung")).map_or_else(|| self.text("rung"), |rung| both(rung.words()));
        let since = moment_of(self.get("since_unix_ms"));
        let as_of = moment_of(self.get("as_of_unix_ms"));
        let (from, until) = (label(words::P_SINCE), label(words::P_AS_OF));
        let line = format!("<b>{rung}</b><br>{from} {since}；{until} {as_of}，#{}", self.text("as_of_seq"));
        let before = self.text("continues_log");
        if before == "–" {
            return line;
        }
        format!("{line}<br>{} {before} #{}", both(words::C_CONTINUES), self.text("continues_seq"))
    }

    fn order(&self) -> String {
        format!(
            "{} v{}，{}，{}；{}：{}；{}，{}，{}<br><code>{}</code>",
            self.text("order_id"),
            self.text("order_version"),
            self.text("tracking_id"),
            self.text("issuer"),
            both(words::C_ASSET),
            self.text("asset"),
            self.text("scope"),
            self.text("method"),
            self.text("case"),
            self.text("order_sha256"),
        )
    }

    fn basis(&self) -> String {
        format!(
            "{}；{}<br><code>{}</code>",
            self.text("legal_basis"),
            self.text("entry"),
            self.text("legal_basis_sha256")
        )
    }

    fn safe_state(&self) -> String {
        let state = self.get("safe_state");
        let told = |name| told(state, name);
        let parts = [("emptied", words::P_EMPTIED), ("cooled", words::P_COOLED), ("purged", words::P_PURGED)];
        let parts = parts.map(|(name, words)| format!("{}: {}", label(words), told(name)));
        format!("{}；{}", parts.join("；"), told("declared_by"))
    }

    fn claim(&self) -> String {
        let claim = self.get("claim");
        let told = |name| told(claim, name);
        let tested = format!("{}（{}）", told("live_dead_live"), told("tester"));
        let parts = [
            (words::P_BY, told("performed_by")),
            (words::P_TICKET, told("ticket_no")),
            (words::P_LIVE_DEAD_LIVE, tested),
            (words::P_EARTHED, told("earthed")),
            (words::P_LOCKS, told("locks")),
            (words::P_SEAL, self.text("seal_no")),
        ];
        let parts = parts.map(|(words, text)| format!("；{} {text}", label(words)));
        moment(claim, "cut_unix_ms") + &parts.concat() + &self.required()
    }

    /// What the order wanted to be shown besides, and whether it was told; and a cut before the order allowed it.
    fn required(&self) -> String {
        let mut lines = String::new();
        let required = self.get("required");
        let names =
            [("on_site_test", words::C_ON_SITE_TEST), ("photos", words::C_PHOTOS), ("seal", words::C_SEAL)];
        let wanted = names.into_iter().filter_map(|(what, words)| Some((words, required.get(what)?)));
        for (place, (words, is_shown)) in wanted.enumerate() {
            let head =
                if place == 0 { format!("<br>{}: ", both(words::C_REQUIRED)) } else { "；".to_owned() };
            let told = if is_shown == &Value::Bool(true) { words::C_TOLD } else { words::C_NOT_TOLD };
            let _infallible = write!(lines, "{head}{} – {}", both(words), both(told));
        }
        if self.get("claimed_too_early") == &Value::Bool(true) {
            let allowed = moment_of(self.get("not_before_unix_ms"));
            let _infallible = write!(lines, "<br>{} {allowed}", both(words::CLAIMED_TOO_EARLY));
        }
        lines
    }

    fn hold(&self) -> String {
        let of = |inside, name| self.whole(inside, name);
        let (nights, weekends) = (label(words::P_NIGHTS), label(words::P_WEEKENDS));
        let asked = format!(
            "{} {} h，{} %，{} × {nights}，{} × {weekends}",
            both(words::C_ASKED),
            hours(of("asked", "verified_ms")),
            percent(of("asked", "coverage_ppm")),
            figure(of("asked", "nights")),
            figure(of("asked", "weekends")),
        );
        let is_less = self.get("asked_less_than_usual") == &Value::Bool(true);
        let less = if is_less { format!("<br>{}", both(words::SHORTENED_HOLD)) } else { String::new() };
        format!(
            "{} – {}：{} h {}，{} %，{} {nights}，{} {weekends}<br>{asked}{less}",
            moment(self.get("hold"), "since_unix_ms"),
            moment(self.get("hold"), "until_unix_ms"),
            hours(of("hold", "proven_ms")),
            label(words::P_PROVEN),
            percent(of("hold", "coverage_ppm")),
            figure(of("hold", "nights")),
            figure(of("hold", "weekends")),
        )
    }

    fn gaps(&self) -> String {
        let all = self.whole("hold", "gaps");
        let listed: Vec<String> = items(self.get("gaps"))
            .iter()
            .take(MAX_GAPS)
            .map(|gap| {
                let dark = gap.get("dark").map(|ended| format!("（{}）", label(ended_words(ended))));
                let minutes = minutes(whole(gap, "unseen_ms"));
                format!("{} + {minutes} min{}", moment(gap, "from_unix_ms"), dark.unwrap_or_default())
            })
            .collect();
        let earlier = format!(
            "{}: {}，{} h，{}",
            label(words::P_EARLIER_HOLDS),
            self.text("restarts"),
            hours(self.get("earlier_ms").as_i64()),
            label(words::P_NOT_COUNTED),
        );
        let darks = self.darks();
        if all == Some(0) {
            return format!("{}；{earlier}{darks}", both(words::NO_GAP));
        }
        let most = figure(self.whole("hold", "longest_gap_ms").map(|ms| ms / 1_000));
        let (longest, unseen_min) = (label(words::P_LONGEST), minutes(self.whole("hold", "unseen_ms")));
        let (all, listed) = (figure(all), listed.join("；"));
        format!("{all} × ，{unseen_min} min，{longest} {most} s：{listed}；{earlier}{darks}")
    }

    /// How many more there were than the page or the signed object has; nothing where it has all of them.
    fn earlier(&self, off_page: usize, left_out: &str) -> Option<String> {
        let left_out = self.get(left_out).as_i64();
        let earlier = left_out.and_then(|left_out| Some(i64::try_from(off_page).ok()? + left_out));
        (earlier != Some(0)).then(|| format!("{} {}", both(words::AND_EARLIER), figure(earlier)))
    }

    /// When the witness itself was dark, why, and what the registers say passed meanwhile.
    fn darks(&self) -> String {
        let all = items(self.get("darks"));
        let newest = all.iter().skip(all.len().saturating_sub(DARKS_ON_PAGE));
        let told: Vec<String> = newest
            .map(|dark| {
                let why = label(ended_words(dark.get("ended").unwrap_or(&Value::Null)));
                let energy = dark.get("energy_wh").map_or_else(|| "–".to_owned(), shown);
                let (from, to) = (moment(dark, "from_unix_ms"), moment(dark, "to_unix_ms"));
                format!("{} {from} – {to}（{why}）{energy} Wh", told(dark, "meter"))
            })
            .collect();
        let earlier = self.earlier(all.len().saturating_sub(DARKS_ON_PAGE), "darks_left_out");
        let lines: Vec<String> = told.into_iter().chain(earlier).collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("<br>{}: {}", both(words::C_DARKS), lines.join("；"))
    }

    fn steps(&self) -> String {
        let steps = items(self.get("steps"));
        let first = steps.len().saturating_sub(STEPS_ON_PAGE);
        let mut lines = Vec::new();
        for step in steps.iter().skip(first) {
            let told = |name| told(step, name);
            lines.push(format!(
                "{} #{} {} → {}（{}，{}）<code>{}</code>",
                moment(step, "unix_ms"),
                told("seq"),
                told("from"),
                told("to"),
                told("why"),
                told("actor"),
                told("sha256"),
            ));
        }
        lines.extend(self.earlier(first, "steps_left_out"));
        lines.join("<br>")
    }

    fn keys(&self) -> String {
        let this = label(words::P_THIS_CERTIFICATE);
        format!(
            "{} {} ({})；{} {}；{this} {}，{}<br>#{} <code>{}</code><br>{this} <code>{}</code>",
            label(words::P_GATEWAY),
            self.text("gateway_kid"),
            self.text("gateway_key_epoch"),
            label(words::P_ORDER),
            self.text("order_kid"),
            self.0.key,
            LegalTime(self.0.issued_unix_ms),
            self.text("as_of_seq"),
            self.text("as_of_sha256"),
            self.0.hash,
        )
    }

    fn check(&self) -> String {
        let order = self.text("order_id");
        format!(
            "{}<br><code>coldhearth verify records.jsonl --trust gateway.key.pub --authority authority.key.pub --certificate {order}.json --page {order}.html</code>",
            both(words::C_CHECK_HOW)
        )
    }
}

/// Words, and what they are said of; none where that is nothing.
fn listed(words: Words, of: impl Iterator<Item = String>) -> Option<String> {
    let of: Vec<String> = of.collect();
    (!of.is_empty()).then(|| format!("{} {}", both(words), of.join("，")))
}

fn told(inside: &Value, name: &str) -> String {
    shown(inside.get(name).unwrap_or(&Value::Null))
}

/// How a life of the witness ended, in words.
fn ended_words(ended: &Value) -> Words {
    ended.as_str().and_then(Ending::from_word).unwrap_or(Ending::Unknown).words()
}

/// A short label, both languages on one line.
fn label(words: Words) -> String {
    format!("{} / {}", escaped(words.zh), escaped(words.en))
}

fn both(words: Words) -> String {
    format!("{} <span class=\"en\">{}</span>", escaped(words.zh), escaped(words.en))
}

fn stacked(words: Words) -> String {
    format!("{}<br><span class=\"en\">{}</span>", escaped(words.zh), escaped(words.en))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn whole(inside: &Value, name: &str) -> Option<i64> {
    inside.get(name).and_then(Value::as_i64)
}

fn moment(inside: &Value, name: &str) -> String {
    moment_of(inside.get(name).unwrap_or(&Value::Null))
}

/// A moment that is not told is none.
fn moment_of(value: &Value) -> String {
    figure(value.as_i64().map(LegalTime))
}

/// A figure that is not told is none, and never nothing.
fn figure<T: ToString>(told: Option<T>) -> String {
    told.map_or_else(|| "–".to_owned(), |told| told.to_string())
}

fn hours(ms: Option<i64>) -> String {
    figure(ms.map(|ms| format!("{}.{}", ms / 3_600_000, ms % 3_600_000 / 360_000)))
}

fn minutes(ms: Option<i64>) -> String {
    figure(ms.map(|ms| ms / MINUTE_MS))
}

fn percent(ppm: Option<i64>) -> String {
    figure(ppm.map(|ppm| format!("{}.{:02}", ppm / 10_000, ppm % 10_000 / 100)))
}

/// A member as it is shown: text escaped and not longer than there is room for; a hash whole, or it proves nothing.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > LONGEST_TEXT && Digest::from_hex(text).is_none() => {
            escaped(&text.chars().take(LONGEST_TEXT).chain(['…']).collect::<String>())
        }
        Value::String(text) => escaped(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => if *flag { "✓" } else { "✗" }.to_owned(),
        Value::Null | Value::Array(_) | Value::Object(_) => "–".to_owned(),
    }
}

/// Text that is only text to a browser.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
