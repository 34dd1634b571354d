//! Files of suppliers, good and bad.

use super::*;
use crate::terms::{AssetId, GatewayId, OrderId};

const HEAD: &str = "meter,start,end,energy_kwh,quality,state\n";

fn wrong(text: &str) -> String {
    let flaws = Told::csv("utility.csv", text).unwrap_err();
    flaws.iter().map(|flaw| format!("{flaw}\n")).collect()
}

fn row(from: &str, to: &str, rest: &str) -> String {
    format!("31-0042,2026-11-16T{from}+08:00,2026-11-16T{to}+08:00,{rest}\n")
}

#[test]
fn intervals_of_a_day_are_told_together_and_the_file_is_named() {
    let mut text = HEAD.to_owned();
    for (from, to) in [("00:00:00", "08:00:00"), ("08:00:00", "16:00:00"), ("16:00:00", "23:59:59")] {
        text += &row(from, to, "0.0125,measured,open");
    }
    text += "31-0042,2026-11-16T23:59:59+08:00,2026-11-17T00:00:00+08:00,,missing,open\n";
    let told = Told::csv("utility.csv", &text).unwrap();
    assert_eq!((told.serial.as_str(), told.source), ("31-0042", Digest::of(text.as_bytes())));
    let [(Switch::Open, spans)] = &told.stretches[..] else { panic!("{told:?}") };
    let seen: Vec<_> = spans.iter().map(|span| (span.energy.0, span.quality)).collect();
    assert_eq!(seen, [(39, Quality::Measured), (0, Quality::Missing)], "12.5 Wh is 13 Wh each");
    assert_eq!(spans[1].to_unix_ms - spans[0].from_unix_ms, DAY_MS);
}

#[test]
fn each_place_of_the_switch_is_an_act_of_its_own() {
    let text = [
        HEAD,
        &row("00:00:00", "01:00:00", "3,measured,3.31.0.18"),
        &row("01:00:00", "02:00:00", "0,0,3.31.0.23"),
        &row("02:00:00", "03:00:00", "0,19,dlms:2"),
        &row("03:00:00", "04:00:00", "0,14,LOGICALLY_DISCONNECTED"),
    ]
    .concat();
    let told = Told::csv("utility.csv", &text).unwrap();
    let name = |text| Name::new(text).unwrap();
    let about = About {
        order: Some(OrderId(name("order-1"))),
        asset: AssetId(name("eaf-2")),
        gateway: GatewayId(name("gw-03")),
        issuer: name("supplier"),
    };
    let beside = Beside { meter: name("m1"), error_ppm: 5_000, step_wh: 10 };
    let acts = told.acts(about, beside, 1_800_000_000_000);
    let seen: Vec<_> = acts.iter().map(|act| (act["version"].as_i64().unwrap(), &act["switch"])).collect();
    let words = ["closed", "open", "ready_for_reconnection", "logically_disconnected"].map(Value::from);
    let expected: Vec<_> = (1_800_000_000..).zip(&words).collect();
    assert_eq!(seen, expected);
    let qualities: Vec<_> = acts.iter().map(|act| act["spans"][0]["quality"].as_str().unwrap()).collect();
    assert_eq!(qualities, ["measured", "measured", "measured", "questionable"]);
    assert_eq!(acts[0]["source_sha256"], told.source.to_string());
}

#[test]
fn a_bad_file_is_refused_with_line_and_column_of_every_mistake() {
    let good = row("00:00:00", "01:00:00", "0,measured,open");
    let cases = [
        (
            "meter,start,end,energy_wh,quality,state\n".to_owned(),
            "utility.csv:1:17: unknown column \"energy_wh\"",
        ),
        ("meter,start,end,energy_kwh,quality,state,x\n".to_owned(), "utility.csv:1:42: unknown column \"x\""),
        ("meter,start,end,quality,state\n".to_owned(), "utility.csv:1:1: column \"energy_kwh\" is missing"),
        (HEAD.to_owned(), "no interval at all"),
        (format!("{HEAD}{good}{good}"), "utility.csv:3:9: out of order"),
        (
            format!("{HEAD}{good}{}", row("02:00:00", "03:00:00", "0,measured,open")),
            "utility.csv:3:9: a hole of 3600 s",
        ),
        (
            format!("{HEAD}{}", row("00:00:00", "01:00:00", "0 kWh,measured,open")),
            "utility.csv:2:61: \"0 kWh\", a plain number of kilowatt-hours",
        ),
        (format!("{HEAD}{}", row("00:00:00", "01:00:00", ",measured,open")), "utility.csv:2:61: no energy"),
        (format!("{HEAD}{}", row("00:00:00", "01:00:00", "0,good,open")), "utility.csv:2:63: \"good\""),
        (format!("{HEAD}{}", row("00:00:00", "01:00:00", "0,measured,off")), "utility.csv:2:72: \"off\""),
        (
            format!("{HEAD}{}", row("01:00:00", "00:00:00", "0,measured,open")),
            "utility.csv:2:35: the interval is none",
        ),
        (format!("{HEAD}{good}31-0042,1\n"), "utility.csv:3:9: 2 cells under 6 columns"),
        (
            format!("{HEAD}31-0042,2026-11-16 00:00,2026-11-16T01:00:00+08:00,0,measured,open\n"),
            "utility.csv:2:9: \"2026-11-16 00:00\"",
        ),
        (
            format!("{HEAD}{good}{}", row("01:00:00", "02:00:00", "0,measured,open").replace("31-", "32-")),
            "utility.csv:3:1: meter 32-0042 after 31-0042",
        ),
    ];
    for (text, expected) in cases {
        let said = wrong(&text);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let both = wrong(&format!("{HEAD}{}", row("00:00:00", "01:00:00", "x,good,open")));
    assert_eq!(both.lines().count(), 2, "all at once: {both}");
}

#[test]
fn json_says_the_same_and_its_mistakes_have_places_too() {
    let text = r#"{"meter": "31-0042", "state": "3.31.0.23", "power_of_ten": 3, "intervals": [
  {"start": "2026-11-16T00:00:00+08:00", "duration_s": 900, "value": 0.25, "quality": 0},
  {"start": 1794759300, "duration_s": 900, "value": 1, "quality": "measured"},
  {"start": 1794760200, "duration_s": 900, "quality": "missing", "dlms_control_state": 2}
]}"#;
    let told = Told::json("utility.json", text).unwrap();
    let [(Switch::Open, open), (Switch::Ready, ready)] = &told.stretches[..] else { panic!("{told:?}") };
    assert_eq!((open.len(), open[0].energy.0, ready[0].quality), (1, 1_250, Quality::Missing));
    let said = |text: String| {
        Told::json("utility.json", &text)
            .unwrap_err()
            .iter()
            .map(|flaw| format!("{flaw}\n"))
            .collect::<String>()
    };
    for (from, to, expected) in [
        ("\"quality\": 0}", "\"quality\": 3}", "utility.json:2:76: `quality` is 3"),
        ("\"value\": 1,", "\"kwh\": 1,", "utility.json:3:44: unknown key `kwh`"),
        ("1794760200", "1794760300", "utility.json:4:4: a hole of 100 s"),
        ("1794760200", "1794760100", "utility.json:4:4: out of order"),
        ("900, \"value\": 1,", "900,", "no energy, and measured"),
        ("\"duration_s\": 900, \"quality\"", "\"duration_s\": 90000, \"quality\"", "1 to 86400 is allowed"),
    ] {
        let said = said(text.replacen(from, to, 1));
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}
