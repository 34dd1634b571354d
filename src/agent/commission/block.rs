//! The configuration block at the end of a scan: what was found, in the words of `agent.toml`, with a comment wherever a
//! person must still fill something in. Pasted beside `[gateway]` and `[broker]` it passes `check` as it is.

use std::fmt::Write as _;

use super::{explore::Candidate, words};
use crate::{
    agent::config::placeholder,
    host::credentials::TlsFiles,
    terms::{
        Name,
        words::{Language, SETUP_PLACEHOLDERS},
    },
};

/// Rated power written where nobody has read the plate, in watts: large enough that no meter is called unfit by it.
const PLACEHOLDER_RATED_W: &str = "12_500_000";
/// Ratio written where nobody has read the transformer's plate.
const PLACEHOLDER_CT: &str = "400/5";
/// Ratio written where nobody has read the voltage transformer's plate.
const PLACEHOLDER_PT: &str = "10000/100";
/// Voltage written where none was read, in volts.
const PLACEHOLDER_V: i64 = 400;
/// Secondary side of every voltage transformer in use, in volts.
const PT_SECONDARY_V: i64 = 100;

/// A meter to be written down: its unit and the profiles that fit, the best first.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Modbus unit.
    pub unit: u8,
    /// The candidates.
    pub candidates: &'a [Candidate],
}

/// Where the meters are.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The endpoint as a person writes it.
    pub endpoint: &'a str,
    /// Files of an endpoint inside TLS.
    pub tls: Option<&'a TlsFiles>,
}

/// The block for one endpoint.
pub fn block(place: Place<'_>, entries: &[Entry<'_>], language: Language) -> String {
    let bus = bus_id(place.endpoint);
    let mut text = format!("[[bus]]\nid = \"{bus}\"\nendpoint = \"{}\"\n", place.endpoint);
    if let Some(TlsFiles { ca, identity, .. }) = place.tls {
        let identity = identity.as_ref().map_or_else(String::new, |identity| {
            let (certificate, key) = (identity.certificate.display(), identity.key.display());
            format!(", certificate = \"{certificate}\", key = \"{key}\"")
        });
        let _infallible = writeln!(text, "tls = {{ ca = \"{}\"{identity} }}", ca.display());
    }
    for entry in entries {
        if let Some((best, others)) = entry.candidates.split_first() {
            meter(&mut text, &bus, entry.unit, best, others, language);
        }
    }
    text
}

fn meter(text: &mut String, bus: &str, unit: u8, best: &Candidate, others: &[Candidate], language: Language) {
    let comment = |what: String| format!("   # {what}");
    let equipment = format!("{bus}-{unit}");
    let profile = &best.profile;
    let (nominal, nominal_comment, is_nominal_invented) = nominal(best, language);
    let mut invented =
        Vec::from([(is_nominal_invented, "nominal_v"), (best.ct.is_none(), "ct"), (true, "voltage_point")]);
    let ct = best.ct.map_or_else(
        || (PLACEHOLDER_CT.to_owned(), words::fill_in_ct(language)),
        |ratio| (ratio.to_string(), words::compare_with_plate(language)),
    );
    let mut line = |key: &str, value: String, comment: String| {
        let _infallible = writeln!(text, "{key} = {value}{comment}");
    };
    line("\n[[equipment]]\nid", format!("\"{equipment}\""), comment(words::fill_in_equipment(language)));
    line("kind", "\"electric_furnace\"".into(), comment(words::fill_in_kind(language)));
    line("rated_power_w", PLACEHOLDER_RATED_W.into(), comment(words::fill_in_rated(language)));
    let about = comment(SETUP_PLACEHOLDERS.in_language(language).to_owned());
    line(placeholder::KEY, "[\"kind\", \"rated_power_w\"]".into(), about.clone());
    line("\n[[meter]]\nid", format!("\"m-{equipment}\""), String::new());
    line("bus", format!("\"{bus}\""), String::new());
    line("unit", unit.to_string(), String::new());
    let rivals: Vec<&str> = others
        .iter()
        .filter(|other| u16::from(other.score) + 10 > u16::from(best.score))
        .map(|other| other.profile.id.as_str())
        .collect();
    let tested = comment(words::profile_line(
        language,
        best.score,
        profile.tested.words().in_language(language),
        &rivals.join(", "),
    ));
    line("profile", format!("\"{}\"", profile.id), tested);
    line("serves", format!("\"{equipment}\""), String::new());
    line("nominal_v", nominal.to_string(), comment(nominal_comment));
    line("ct", format!("\"{}\"", ct.0), comment(ct.1));
    line("voltage_point", "\"bus\"".into(), comment(words::fill_in_voltage_point(language)));
    if profile.needs_pt() {
        let pt = best.pt.map_or_else(
            || (PLACEHOLDER_PT.to_owned(), words::fill_in_pt(language)),
            |ratio| (ratio.to_string(), words::compare_with_plate(language)),
        );
        line("pt", format!("\"{}\"", pt.0), comment(pt.1));
        invented.push((best.pt.is_none(), "pt"));
    }
    let keys: Vec<String> =
        invented.iter().filter(|(is, _)| *is).map(|(_, key)| format!("\"{key}\"")).collect();
    line(placeholder::KEY, format!("[{}]", keys.join(", ")), about);
}

/// Nominal voltage, line to line, where it comes from, and whether it is nothing but a placeholder.
fn nominal(best: &Candidate, language: Language) -> (i64, String, bool) {
    let is_secondary = best.volts.is_some_and(|seen| seen.secondary);
    match (best.system_v, best.pt) {
        (Some(PT_SECONDARY_V), Some(pt)) if is_secondary => {
            let primary = PT_SECONDARY_V * i64::from(pt.primary()) / i64::from(pt.secondary());
            (primary.max(PT_SECONDARY_V), words::nominal_from_pt(language), false)
        }
        (Some(PT_SECONDARY_V), _) => (10_000, words::nominal_behind_pt(language), true),
        (Some(system), _) => (system, words::nominal_from_reading(language), false),
        (None, _) => (PLACEHOLDER_V, words::fill_in_nominal(language), true),
    }
}

/// Longest identifier of a bus: `m-` before it and `-247` after it make 24.
const MAX_BUS_ID: usize = 18;

/// An identifier for the bus that says where it is: host, port unless it is the usual one, or device.
pub fn bus_id(endpoint: &str) -> String {
    let place = endpoint.split_once("://").map_or(endpoint, |(_, place)| place);
    let place = place.split(['?', '#']).next().unwrap_or(place);
    let place = place.rsplit('/').find(|part| !part.is_empty()).unwrap_or(place).trim_end_matches(":502");
    let kept = place.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let mut id: String = kept.collect();
    while id.contains("--") {
        id = id.replace("--", "-");
    }
    // The end of a device's path tells adapters apart; the beginning of an address matters least.
    let id = id.get(id.len().saturating_sub(MAX_BUS_ID)..).unwrap_or("").trim_matches('-');
    if Name::new(id).is_some() { id.to_owned() } else { "bus-1".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_named_after_its_place() {
        for (endpoint, id) in [
            ("tcp://10.1.4.7:502", "10-1-4-7"),
            ("tcp://10.1.4.7:1502", "10-1-4-7-1502"),
            ("rtu+tcp://gw.hall:502", "gw-hall"),
            ("tcp://[fe80::1]:502", "fe80-1"),
            ("rtu:///dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0?baud=9600", "50285bi-if00-port0"),
            ("rtu:///dev/ttyUSB0?baud=9600&parity=E", "ttyusb0"),
            ("tcp://\u{7089}:502", "bus-1"),
        ] {
            assert_eq!(bus_id(endpoint), id, "{endpoint}");
            assert!(Name::new(&format!("m-{}-247", bus_id(endpoint))).is_some());
        }
    }
}
