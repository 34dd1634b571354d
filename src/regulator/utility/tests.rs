//! Files of suppliers, good and bad.

use super::*;
use crate::{
    evidence::{ActRefusal, Ed25519, Signer as _, Trust},
    regulator::acts,
    terms::{AssetId, ClockQuality, GatewayId, OrderId, Stamp},
};

/// 2026-12-01 00:00 +08:00: all of it has passed.
const NOW_MS: i64 = 1_796_054_400_000;

const HEAD: &str = "meter,start,end,energy_kwh,quality,state\n";

fn wrong(text: &str) -> String {
    let flaws = Told::csv("utility.csv", text, NOW_MS).unwrap_err();
    flaws.iter().map(|flaw| format!("{flaw}\n")).collect()
}

fn row(from: &str, to: &str, rest: &str) -> String {
    format!("31-0042,2026-11-16T{from}+08:00,2026-11-16T{to}+08:00,{rest}\n")
}

#[test]
fn still_intervals_of_a_day_are_told_together_and_energy_keeps_its_own() {
    let mut text = HEAD.to_owned();
    for (from, to) in [("00:00:00", "08:00:00"), ("08:00:00", "16:00:00"), ("16:00:00", "23:59:59")] {
        text += &row(from, to, "0.0125,measured,open");
    }
    text += "31-0042,2026-11-16T23:59:59+08:00,2026-11-17T00:00:00+08:00,,missing,open\n";
    let told = Told::csv("utility.csv", &text, NOW_MS).unwrap();
    assert_eq!((told.serial.as_str(), told.source), ("31-0042", Digest::of(text.as_bytes())));
    let [(Switch::Open, spans)] = &told.stretches[..] else { panic!("{told:?}") };
    let seen: Vec<_> = spans.iter().map(|span| (span.energy.0, span.quality)).collect();
    let measured = (13, Quality::Measured);
    assert_eq!(seen, [measured, measured, measured, (0, Quality::Missing)], "12.5 Wh is 13 Wh each");
    assert_eq!(spans[3].to_unix_ms - spans[0].from_unix_ms, DAY_MS);
    let still = text.replace("0.0125", "0.0");
    let told = Told::csv("utility.csv", &still, NOW_MS).unwrap();
    assert_eq!(told.stretches[0].1.len(), 2, "nothing is told together: {told:?}");
    let little = text.replace("0.0125", "0.0004");
    let told = Told::csv("utility.csv", &little, NOW_MS).unwrap();
    assert_eq!(told.stretches[0].1[0].energy.0, 1, "a little is not nothing");
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
    let told = Told::csv("utility.csv", &text, NOW_MS).unwrap();
    let name = |text| Name::new(text).unwrap();
    let about = About {
        order: Some(OrderId(name("order-1"))),
        asset: AssetId(name("eaf-2")),
        gateway: GatewayId(name("gw-03")),
        issuer: name("supplier"),
    };
    let beside = Beside { meter: name("m1"), error_ppm: 5_000, step_wh: 10 };
    let acts = told.acts(about, beside, 1_800_000_000_000);
    let seen: Vec<_> = acts.iter().map(|act| &act["switch"]).collect();
    assert_eq!(seen, ["closed", "open", "ready_for_reconnection", "logically_disconnected"]);
    // None is of a later second than now: whoever sends another file a second later is not too old.
    assert!(acts.iter().all(|act| act["version"] == 1_800_000_000_i64));
    let elsewhere = told.acts(about, Beside { meter: name("m2"), ..beside }, 1_800_000_000_000);
    let long = |order| About { order: Some(OrderId(name(order))), ..about };
    let others = ["cut-2026-hebei-000000001", "cut-2026-hebei-000000002"]
        .map(|order| told.acts(long(order), beside, 1_800_000_000_000));
    let all: Vec<_> = acts.iter().chain(&elsewhere).chain(others.iter().flatten()).collect();
    let ids: std::collections::BTreeSet<_> = all.iter().map(|act| act["act_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), all.len(), "no two are versions of one act: {ids:?}");
    assert!(ids.iter().all(|id| Name::new(id).is_some()));
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
        (
            format!("{HEAD}{}", row("00:00:00", "01:00:00", "1.2e3,measured,open")),
            "utility.csv:2:61: \"1.2e3\", a plain number of kilowatt-hours",
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
    each_is_refused(cases);
    let both = wrong(&format!("{HEAD}{}", row("00:00:00", "01:00:00", "x,good,open")));
    assert_eq!(both.lines().count(), 2, "all at once: {both}");
    let once = wrong(&format!("{HEAD}{}", row("00:00:00", "01:00:00", "1.2e3,measured,open")));
    assert_eq!(once.lines().count(), 1, "{once}");
}

fn each_is_refused<'t>(cases: impl IntoIterator<Item = (String, &'t str)>) {
    for (text, expected) in cases {
        let said = wrong(&text);
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn what_no_meter_tells_is_refused_with_line_and_column() {
    let good = row("00:00:00", "01:00:00", "0,measured,open");
    each_is_refused([
        // It has not passed yet; and two days that cancel each other out are energy on both.
        (
            format!("{HEAD}{}", row("00:00:00", "01:00:00", "0,measured,open").replace("-11-", "-12-")),
            "utility.csv:2:35: it ends later than now",
        ),
        (
            format!("{HEAD}{good}{}", row("01:00:00", "02:00:00", "-5000,measured,open")),
            "utility.csv:3:61: less than nothing",
        ),
        (
            format!("{HEAD}{good}{}", row("01:00:00", "02:00:00", "-0.0004,measured,open")),
            "utility.csv:3:61: less than nothing",
        ),
        (
            format!("{HEAD}{good}{}", row("01:00:00", "02:00:00", "9999999999999,measured,open")),
            "utility.csv:3:61: more than a terawatt-hour",
        ),
        (
            format!("{HEAD}{good}{}", row("01:00:00", "02:00:00", "5000,missing,open")),
            "utility.csv:3:61: energy, and missing",
        ),
        (
            format!("{HEAD}{}", good.replace("31-", "31\u{200b}")),
            "utility.csv:2:1: this is no number of a meter",
        ),
        (format!("{HEAD}{}", good.replace("31-", &"3".repeat(80))), "utility.csv:2:1: this is no number"),
    ]);
}

#[test]
fn a_switch_that_goes_to_and_fro_makes_no_end_of_acts() {
    let mut text = HEAD.to_owned();
    for minute in 0..40 {
        let switch = ["open", "closed"][minute % 2];
        let (from, to) = (format!("00:{minute:02}:00"), format!("00:{:02}:00", minute + 1));
        text += &row(&from, &to, &format!("0,measured,{switch}"));
    }
    assert!(wrong(&text).contains("utility.csv:34:9: more than 32 acts"), "{}", wrong(&text));
}

#[test]
fn json_says_the_same_and_its_mistakes_have_places_too() {
    let text = r#"{"meter": "31-0042", "state": "3.31.0.23", "power_of_ten": 3, "intervals": [
  {"start": "2026-11-16T00:00:00+08:00", "duration_s": 900, "value": 0.25, "quality": 0},
  {"start": 1794759300, "duration_s": 900, "value": 1, "quality": "measured"},
  {"start": 1794760200, "duration_s": 900, "quality": "missing", "dlms_control_state": 2}
]}"#;
    let told = Told::json("utility.json", text, NOW_MS).unwrap();
    let [(Switch::Open, open), (Switch::Ready, ready)] = &told.stretches[..] else { panic!("{told:?}") };
    assert_eq!((open.len(), open[0].energy.0, open[1].energy.0), (2, 250, 1_000));
    assert_eq!(ready[0].quality, Quality::Missing);
    let said = |text: String| {
        Told::json("utility.json", &text, NOW_MS)
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
        ("\"value\": 1,", "\"value\": -1,", "utility.json:3:44: less than nothing"),
        ("\"start\": 1794759300", "\"start\": 1796054400", "utility.json:3:25: it ends later than now"),
        ("\"duration_s\": 900, \"quality\"", "\"duration_s\": 90000, \"quality\"", "1 to 86400 is allowed"),
    ] {
        let said = said(text.replacen(from, to, 1));
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn two_files_of_one_second_are_taken_in_their_turn() {
    let name = |text| Name::new(text).unwrap();
    let about = About {
        order: Some(OrderId(name("order-1"))),
        asset: AssetId(name("eaf-2")),
        gateway: GatewayId(name("gw-03")),
        issuer: name("supplier"),
    };
    let beside = Beside { meter: name("m1"), error_ppm: 5_000, step_wh: 10 };
    let key = Ed25519::from_seed(&[9; 32]);
    let file = |energy: &str| {
        let text = [HEAD, &row("00:00:00", "01:00:00", &format!("{energy},measured,open"))].concat();
        Told::csv("utility.csv", &text, NOW_MS).unwrap()
    };
    let signed = |told: &Told, turn: i64| {
        let draft = serde_json::to_vec(&told.acts(about, beside, NOW_MS + turn * 1_000)[0]).unwrap();
        acts::sign(&draft, &key, NOW_MS).unwrap()
    };
    let now = Stamp { wall_unix_ms: NOW_MS, uptime_ms: 1, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 };
    let mut trust = Trust::new(about.gateway, vec![key.public_key()]);
    let mut taken =
        |bytes: &[u8]| trust.open_act(bytes, &now, |_| Ok(())).map(drop).map_err(|refused| refused.why);
    let (first, second) = (file("0"), file("0.010"));
    assert_eq!(taken(&signed(&first, 0)), Ok(()));
    assert_eq!(
        taken(&signed(&second, 0)),
        Err(ActRefusal::OlderVersion),
        "which `order reading` answers by its turn"
    );
    assert_eq!(taken(&signed(&second, 1)), Ok(()));
}

#[test]
fn a_file_in_another_encoding_is_named_with_its_place_and_its_cure() {
    let wide = |text: &str, put: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(put).collect::<Vec<u8>>();
    let (little, big) = (wide(HEAD, u16::to_le_bytes), wide(HEAD, u16::to_be_bytes));
    for (bytes, named) in [
        (little.clone(), "1:1: the file is UTF-16, little-endian"),
        ([&[0xff, 0xfe][..], &little].concat(), "1:1: the file is UTF-16, little-endian"),
        (big.clone(), "1:1: the file is UTF-16, big-endian"),
        ([&[0xfe, 0xff][..], &big].concat(), "1:1: the file is UTF-16, big-endian"),
        ([&[0xff, 0xfe, 0, 0][..], b"m\0\0\0"].concat(), "1:1: the file is UTF-32, little-endian"),
        ([HEAD.as_bytes(), &[b'a', 0xb5, 0xe7]].concat(), "2:2: no UTF-8"),
        (vec![b' '; MAX_FILE_BYTES + 1], "1:1: more than"),
    ] {
        let flaw = text("utility.csv", &bytes).unwrap_err().to_string();
        assert!(flaw.contains(&format!("utility.csv:{named}")), "{named}: {flaw}");
        assert!(named.contains("more than") || flaw.contains("save it as UTF-8"), "{flaw}");
    }
    let marked = ["\u{feff}".as_bytes(), HEAD.as_bytes()].concat();
    assert_eq!(text("utility.csv", &marked), Ok(format!("\u{feff}{HEAD}").as_str()));
    assert_eq!(text("utility.csv", b""), Ok(""));
}

#[test]
fn a_little_is_not_nothing_in_json_either() {
    let energy = |value: &str, power: i64| {
        let text = format!(
            r#"{{"meter": "31-0042", "power_of_ten": {power}, "intervals": [
  {{"start": "2026-11-16T00:00:00+08:00", "duration_s": 900, "value": {value}, "quality": 0}}]}}"#
        );
        Told::json("utility.json", &text, NOW_MS).map(|told| told.stretches[0].1[0].energy.0)
    };
    for (value, power, told) in
        [("0.4", 0, 1), ("1", -3, 1), ("0.0004", 3, 1), ("0", 0, 0), ("0.000", 3, 0), ("2.5", 0, 3)]
    {
        assert_eq!(energy(value, power), Ok(told), "{value} times ten to {power}");
    }
    assert!(energy("-0.4", 0).is_err(), "less than nothing, however little");
}
