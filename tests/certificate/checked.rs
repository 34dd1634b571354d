//! A certificate that is checked: by the programs, against the log it was made from, member by member.

use std::process::Command;

use coldhearth::{
    evidence::{Body, Certificate, Sealer, Signer as _, Uncertified, certificate::Figure},
    judge::{
        Event, Finding, Rung, State, VoltagePoint, Why,
        cutoff::{Carrier, Hold, Impossible},
    },
    terms::WattHours,
};
use serde_json::{Map, Value, json};

use super::dark;
use crate::support::{
    cut::{DAY_MS, Log, MINUTE_MS, MONDAY_MS, STILL, authority, claim, maintained, meter, order, supplier},
    handed::{Handed, keys, sealed, witnessed},
};

#[test]
fn the_check_that_is_printed_on_the_page_is_the_one_that_works() {
    let handed = Handed::of(&maintained(authority(), VoltagePoint::Load), "printed");
    let page = String::from_utf8(handed.read("order-1.html")).unwrap();
    let printed = page.split("<code>coldhearth ").nth(1).unwrap().split("</code>").next().unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_coldhearth"))
        .args(printed.split(' '))
        .current_dir(&handed.folder.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.contains("says what the log says"), "{printed}\n{said}");
}

#[test]
fn whoever_has_the_log_checks_the_certificate_and_one_byte_elsewhere_spoils_it() {
    let log = maintained(authority(), VoltagePoint::Load);
    let handed = Handed::of(&log, "handed");
    let (exit, said) = handed.verify();
    assert!(
        exit == 0 && said.contains("says what the log says") && said.contains("Not a test for dead"),
        "{said}"
    );
    // The log goes on, and in any order.
    let mut later = maintained(authority(), VoltagePoint::Load);
    later.dead_for(DAY_MS);
    let mut lines = later.lines.clone();
    lines.reverse();
    handed.write(
        "records.jsonl",
        &lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect::<Vec<u8>>(),
    );
    assert_eq!(handed.verify().0, 0, "{}", handed.verify().1);
    let (records, json, page) =
        (handed.read("records.jsonl"), handed.read("order-1.json"), handed.read("order-1.html"));
    for (file, good, from, to, told) in [
        ("order-1.json", &json, "\"gaps\":5", "\"gaps\":1", "no certificate of a key"),
        ("order-1.html", &page, "GZP-7", "GZP-8", "is not the page of this certificate"),
        ("records.jsonl", &records, "GZP-7", "GZP-8", "authentic: NO"),
    ] {
        let text = String::from_utf8(good.clone()).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        handed.write(file, text.replacen(from, to, 1).as_bytes());
        let (exit, said) = handed.verify();
        assert!(exit == 1 && said.contains(told), "{file}: {exit} {said}");
        handed.write(file, good);
    }
    assert_eq!(handed.verify().0, 0);
    // Signed by the authority, and the log says otherwise.
    let mut facts = witnessed(&log.lines).facts(&keys()).unwrap();
    facts.insert("days_differ".into(), json!(1));
    handed.write("order-1.json", &sealed(&facts));
    let (exit, said) = handed.verify();
    assert!(exit == 1 && said.contains("`days_differ` is not what the log says"), "{said}");
    // Another log altogether: the same life, but for a reading less.
    let mut other = maintained(authority(), VoltagePoint::Bus);
    other.dead_for(DAY_MS);
    handed.write("order-1.json", &json);
    let lines: Vec<u8> = other.lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    handed.write("records.jsonl", &lines);
    assert_eq!(handed.verify().0, 1, "{}", handed.verify().1);
}

/// A short order, whose hold is over before its log is long.
pub(crate) fn short() -> Log {
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    let mut asks = order("国发〔2010〕7号 四(三)");
    asks["hold"] = json!({
        "seen_ms": 2 * MINUTE_MS, "provisional_ms": 4 * MINUTE_MS, "nights": 0, "verified_ms": 14 * MINUTE_MS,
        "weekends": 0, "coverage_ppm": 500_000, "longest_gap_ms": 15 * MINUTE_MS,
    });
    asks["requires"] = json!({ "on_site_test": true, "photos": true, "seal": true });
    asks["supplier_key"] = supplier().public_key().to_base64().into();
    asks["points"][0]["utility_meter_serial"] = "31-0042".into();
    log.act("order", &asks);
    log.act("claim", &claim());
    log.state(meter(), State::Dead, STILL);
    log.dead_for(256 * MINUTE_MS);
    dark(&mut log, 0);
    log.dead_for(20 * MINUTE_MS);
    log.supplier = Some(supplier());
    log.reading_of(log.now.wall_unix_ms - MONDAY_MS);
    assert_eq!(log.rung(), Rung::Verified);
    log.act("seal", &json!({ "seal_no": "F-2026-77" }));
    log
}

/// Every member and item of a value, by the way to it, each changed into something else of its kind.
fn changes(value: &Value, way: &str) -> Vec<(String, Value)> {
    let inside = |changed: Vec<(String, Value)>, put: &dyn Fn(Value) -> Value| -> Vec<(String, Value)> {
        changed.into_iter().map(|(way, inner)| (way, put(inner))).collect()
    };
    match value {
        Value::Object(members) => {
            let dot = if way.is_empty() { "" } else { "." };
            let of = |(name, member): (&String, &Value)| {
                inside(changes(member, &format!("{way}{dot}{name}")), &|inner| {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), inner);
                    changed.into()
                })
            };
            members.iter().flat_map(of).collect()
        }
        Value::Array(items) => {
            let of = |(place, item): (usize, &Value)| {
                inside(changes(item, &format!("{way}[{place}]")), &|inner| {
                    let mut changed = items.clone();
                    changed[place] = inner;
                    changed.into()
                })
            };
            items.iter().enumerate().flat_map(of).collect()
        }
        Value::Number(number) => vec![(way.to_owned(), json!(number.as_i64().unwrap() + 1))],
        Value::Bool(flag) => vec![(way.to_owned(), json!(!flag))],
        Value::String(text) => vec![(way.to_owned(), json!(format!("{text}x")))],
        Value::Null => panic!("{way} is null"),
    }
}

#[test]
fn every_member_of_the_signed_facts_is_recomputed_and_the_one_that_is_another_is_named() {
    let log = short();
    let handed = Handed::of(&log, "members");
    assert_eq!(handed.verify().0, 0, "{}", handed.verify().1);
    let facts = Value::from(witnessed(&log.lines).facts(&keys()).unwrap());
    let mut all = changes(&facts, "");
    let mut negative = facts.clone();
    negative["hold"]["longest_gap_ms"] = (-1).into();
    all.push(("hold.longest_gap_ms".into(), negative));
    let mut more = facts.clone();
    more["verified_since"] = json!("2001");
    all.push(("verified_since".into(), more));
    let ways: Vec<&str> = all.iter().map(|(way, _)| way.as_str()).collect();
    for way in [
        "hold.carrier",
        "hold.moved_wh",
        "hold.blind_wh",
        "since_unix_ms",
        "gaps[0].unseen_ms",
        "darks[0].ended",
        "readings[0].energy_wh",
        "points[0].utility_meter_ordered",
        "required.photos",
        "steps[0].sha256",
    ] {
        assert!(ways.contains(&way), "{way} is none of {ways:?}");
    }
    // Of another log, order or place there is nothing to compare with.
    let elsewhere = ["gateway_id", "log_id", "order_id", "as_of_seq"];
    for (way, changed) in &all {
        let Value::Object(changed) = changed else { panic!("{way}") };
        handed.write("order-1.json", &sealed(changed));
        let (exit, said) = handed.verify();
        assert_eq!(exit, 1, "{way}: {said}");
        let is_named = said.contains(&format!("`{way}` is not what the log says"));
        assert!(is_named || elsewhere.contains(&way.as_str()), "{way}: {said}");
    }
    let mut sealer = Sealer::default();
    let Value::Object(facts) = facts else { panic!("{facts}") };
    Certificate::seal(&facts, MONDAY_MS, &mut sealer, &authority()).unwrap();
    handed.write("order-1.json", sealer.bytes());
    let (exit, said) = handed.verify();
    assert!(exit == 1 && said.contains("`issued_unix_ms`"), "{said}");
}

/// What the words of a log say of its holds, told otherwise.
fn holds_retold(log: &Log, lie: impl Fn(&mut Hold)) -> Result<Map<String, Value>, Uncertified> {
    let lines = log.retold(|body| {
        let stand = if let Body::Finding(Finding::Transition(step)) = body {
            step.stand.as_mut()
        } else if let Body::Finding(Finding::Event(Event::Hold(note))) = body {
            Some(&mut note.stand)
        } else {
            None
        };
        stand.and_then(|stand| stand.hold.as_mut()).into_iter().for_each(&lie);
    });
    witnessed(&lines).facts(&keys())
}

#[test]
fn a_gateway_that_tells_its_hold_otherwise_than_its_other_records_is_found_out() {
    let log = short();
    assert_eq!(holds_retold(&log, |_| ()), witnessed(&log.lines).facts(&keys()));
    let said = holds_retold(&log, |hold| hold.blind = WattHours(1_000_000));
    assert!(matches!(said, Err(Uncertified::NotBorneOut(_, Figure::Blind))), "{said:?}");
    // Its register rose by another record of it, and by no word about the hold.
    let risen = log.retold(|body| {
        if let Body::Finding(Finding::Event(Event::Dark(told))) = body {
            (told.before.register.energy.0, told.after.register.energy.0) = (STILL.0 + 900, STILL.0 + 900);
        }
    });
    let said = witnessed(&risen).facts(&keys());
    assert!(matches!(said, Err(Uncertified::NotBorneOut(_, Figure::Moved))), "{said:?}");
    // Its own meter was never dead by the states on record, and yet is said to have carried the proof.
    let silent = log.retold(|body| {
        if let Body::Finding(Finding::State(told)) = body {
            told.state = State::Unknown(Why::Silent);
        }
    });
    let said = witnessed(&silent).facts(&keys());
    assert!(matches!(said, Err(Uncertified::NotBorneOut(_, Figure::Carrier))), "{said:?}");
    // A weaker one that the order names no point of is no work of the machine.
    let said = holds_retold(&log, |hold| hold.carrier = Carrier::Utility);
    assert!(matches!(said, Err(Uncertified::Impossible(_, Impossible::Carrier))), "{said:?}");
}
