//! A cut-off order's certificate: made from a log, printed on one page, checked by whoever has the log, and worth nothing
//! once a byte of either is another.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Command};

use coldhearth::{
    evidence::{
        Body, Certificate, Chain, Disbelief, Ed25519, Genesis, LogHead, LogId, Sealer, Signer as _,
        Uncertified, Witnessed, certificate::Figure, record::Unverified,
    },
    judge::{
        Dark, DarkMeter, Ending, Event, Finding, Mark, Rung, State, VoltagePoint, Why,
        cutoff::{Carrier, Hold, HoldNote, Impossible},
    },
    metering::Register,
    terms::{AssetId, Digest, GatewayId, OrderId, WattHours},
};
use serde_json::{Map, Value, json};
use support::{
    Folder,
    cut::{
        DAY_MS, Log, METER, MINUTE_MS, MONDAY_MS, STILL, authority, claim, gateway, maintained, meter, order,
        order_id, supplier,
    },
    handed::{Handed, keys, sealed, witnessed},
};

#[test]
fn a_certificate_tells_what_the_log_tells_and_who_carried_the_proof() {
    let log = maintained(authority(), VoltagePoint::Load);
    let facts = witnessed(&log.lines).facts(&keys()).unwrap();
    let hold = &facts["hold"];
    assert_eq!((&facts["rung"], &hold["carrier"]), (&json!("maintained"), &json!("own")));
    assert_eq!((&hold["weekends"], &hold["gaps"]), (&json!(1), &json!(5)), "{hold}");
    assert_eq!(facts["gaps"].as_array().unwrap().len(), 5, "each gap with its time: {}", facts["gaps"]);
    assert_eq!((&facts["days_agree"], &facts["days_differ"]), (&json!(7), &json!(0)));
    assert_eq!(facts["readings"][0]["source_sha256"], Digest::of(b"utility.csv").to_string());
    // By how much the second witness may err, and whose key it has.
    assert_eq!(
        (&facts["readings"][0]["step_wh"], &facts["readings"][0]["error_ppm"], &facts["readings_signed_by"]),
        (&json!(1_000), &json!(5_000), &json!("authority"))
    );
    assert_eq!((&facts["required"], &facts["claimed_too_early"]), (&json!({}), &json!(false)));
    assert_eq!(
        (&facts["seal_no"], &facts["points"][0]["voltage_point"]),
        (&json!("F-2026-77"), &json!("load"))
    );
    let ways: Vec<&str> =
        facts["steps"].as_array().unwrap().iter().map(|s| s["to"].as_str().unwrap()).collect();
    assert_eq!(ways, ["acknowledged", "cut_claimed", "observing", "provisional", "verified", "maintained"]);
}

/// A cut that is verified, whose order names the supplier's key.
fn verified_with(supplier_key: &Ed25519, reader: Ed25519) -> Log {
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    let mut names = order("国发〔2010〕7号 四(三)");
    names["supplier_key"] = supplier_key.public_key().to_base64().into();
    log.act("order", &names);
    log.act("claim", &claim());
    log.dead_for(8 * DAY_MS);
    log.supplier = Some(reader);
    log.reading(7);
    assert_eq!(log.rung(), Rung::Verified);
    log
}

#[test]
fn the_certificate_says_whose_signature_the_second_witness_has() {
    let log = verified_with(&supplier(), supplier());
    let facts = witnessed(&log.lines).facts(&keys()).unwrap();
    let kid = supplier().public_key().id().to_string();
    assert_eq!((&facts["readings_signed_by"], &facts["supplier_kid"]), (&json!("supplier"), &json!(kid)));
    assert_eq!(facts["readings"][0]["kid"], kid);
    let page = Certificate::open(&sealed(&facts), &keys()).unwrap().page();
    assert!(page.contains("signed by the supplier&#39;s own key, which the order names:</span>"), "{page}");
    let handed = Handed::of(&log, "supplied");
    let (exit, said) = handed.verify();
    assert!(exit == 0 && said.contains("says what the log says"), "{said}");
    assert!(!said.contains("rest on the gateway's word"), "the supplier is no stranger: {said}");
    // Whoever takes the supplier's key for the authority's has no second party before him.
    let both = [authority().public_key(), supplier().public_key()];
    assert_eq!(witnessed(&log.lines).facts(&both), Err(Uncertified::Disbelieved(Disbelief::OneParty(2))));
}

#[test]
fn whoever_has_the_logs_own_key_is_no_authority() {
    let mut log = Log::begin(gateway());
    log.commission(VoltagePoint::Load);
    log.act("order", &order("国发〔2010〕7号 四(三)"));
    log.act("claim", &claim());
    log.dead_for(8 * DAY_MS);
    log.reading(7);
    assert_eq!(log.rung(), Rung::Verified, "a gateway that signs its own orders");
    let both = [gateway().public_key(), authority().public_key()];
    assert_eq!(witnessed(&log.lines).facts(&both), Err(Uncertified::Disbelieved(Disbelief::OwnHand(2))));
    let report = support::audit(&gateway().public_key(), &log.lines);
    assert!(report.authentic && report.unsigned_acts == 3, "{report:?}");
}

#[test]
fn no_certificate_rests_on_a_signature_that_is_not_the_named_suppliers() {
    let log = verified_with(&supplier(), supplier());
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(1), 0, Box::new(gateway()));
    let mut reading = 0;
    let forge = |line: &Vec<u8>| {
        let record = Unverified::read(line).unwrap().own().unwrap();
        let mut body = record.body;
        if let Body::Act(act) = &mut body
            && act.members["act"] == "reading"
        {
            reading = record.header.seq;
            let signature = act.members["sig"].as_str().unwrap().to_owned();
            let first = if signature.starts_with('A') { "B" } else { "A" };
            act.members.insert("sig".into(), format!("{first}{}", &signature[1..]).into());
        }
        chain.seal(&record.header.at, &body).unwrap().bytes.to_vec()
    };
    let lines: Vec<Vec<u8>> = log.lines.iter().map(forge).collect();
    assert_eq!(witnessed(&lines).facts(&keys()), Err(Uncertified::Disbelieved(Disbelief::Unsigned(reading))));
    // Nor on one of another key that the gateway let pass.
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    let mut names = order("国发〔2010〕7号 四(三)");
    names["supplier_key"] = supplier().public_key().to_base64().into();
    log.act("order", &names);
    log.act("claim", &claim());
    log.dead_for(8 * DAY_MS);
    log.supplier = Some(supplier());
    log.teller = Some(authority());
    log.reading(7);
    assert_eq!(log.rung(), Rung::Verified, "a gateway that lies");
    let said = witnessed(&log.lines).facts(&keys());
    assert!(matches!(said, Err(Uncertified::Impossible(_, Impossible::NotTheSupplier))), "{said:?}");
}

/// What the meter shows of twelve minutes in which the gateway was dark, its register advanced by so much.
fn dark(log: &mut Log, moved: i64) {
    let from = log.now;
    log.now.wall_unix_ms += 12 * MINUTE_MS;
    (log.now.boot, log.now.uptime_ms) = (log.now.boot + 1, 10_000);
    let mark = |at, energy| {
        let (energy, step) = (WattHours(energy), WattHours(2_100));
        Mark { at, register: Register { energy, step, modulus: None, raw: 0, raw_words: 2 } }
    };
    log.say(&Body::Finding(Finding::Event(Event::Dark(DarkMeter {
        meter: meter(),
        asset: AssetId::new("eaf-2").unwrap(),
        dark: Dark { from, to: log.now, ended: Ending::LastGasp },
        before: mark(from, STILL.0),
        after: mark(log.now, STILL.0 + moved),
    }))));
}

#[test]
fn a_certificate_names_the_times_in_which_the_witness_was_dark_and_none_goes_on_over_energy() {
    let held = || {
        let mut log = Log::begin(authority());
        log.commission(VoltagePoint::Load);
        log.act("order", &order("国发〔2010〕7号 四(三)"));
        log.act("claim", &claim());
        log.dead_for(4 * DAY_MS);
        log
    };
    let mut log = held();
    dark(&mut log, 0);
    log.dead_for(4 * DAY_MS);
    log.reading(8);
    assert_eq!(log.rung(), Rung::Verified);
    let facts = witnessed(&log.lines).facts(&keys()).unwrap();
    let [told] = &facts["darks"].as_array().unwrap()[..] else { panic!("{}", facts["darks"]) };
    assert_eq!((&told["ended"], &told["energy_wh"]), (&json!("last_gasp"), &json!(0)));
    let gaps = facts["gaps"].as_array().unwrap();
    let named = gaps.iter().filter(|gap| gap["dark"] == "last_gasp").count();
    assert!(named == 1 && gaps.len() > 1, "one of the gaps is the witness's own: {gaps:?}");
    let page = Certificate::open(&sealed(&facts), &keys()).unwrap().page();
    for sentence in ["The witness itself was dark", "power failed, last gasp on record）0 Wh"] {
        assert!(page.contains(sentence), "{sentence}\n{page}");
    }
    // A gateway that lets its hold go on over what passed while it was dark.
    let mut lies = held();
    dark(&mut lies, 10);
    lies.dead_for(4 * DAY_MS);
    lies.reading(8);
    assert_eq!(lies.rung(), Rung::Verified);
    let said = witnessed(&lies.lines).facts(&keys());
    assert!(matches!(said, Err(Uncertified::Impossible(_, Impossible::Dark))), "{said:?}");
}

#[test]
fn a_certificate_from_a_log_that_continues_another_says_whose_word_the_beginning_is() {
    let first = maintained(authority(), VoltagePoint::Load);
    let cut = first.orders.iter().next().unwrap();
    let (order, asset, stand) = (order_id(), AssetId::new("eaf-2").unwrap(), *cut.stand());
    let ended = Unverified::read(first.lines.last().unwrap()).unwrap();
    let before = LogHead { log: ended.header().log, seq: ended.header().seq, head: ended.hash() };
    let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), LogId(2), 0, Box::new(gateway()));
    let mut lines = Vec::new();
    let mut say = |body: &Body| lines.push(chain.seal(&first.now, body).unwrap().bytes.to_vec());
    for line in &first.lines {
        let body = Unverified::read(line).unwrap().own().unwrap().body;
        if let Body::Genesis(genesis) = body {
            say(&Body::Genesis(Genesis { continues: Some(before), ..genesis }));
        } else if matches!(body, Body::Act(_)) {
            say(&body);
        }
    }
    say(&Body::Finding(Finding::Event(Event::Hold(HoldNote { order, asset, stand }))));
    let facts = witnessed(&lines).facts(&keys()).unwrap();
    assert_eq!(facts["continues_log"], before.log.to_string());
    assert_eq!((&facts["rung"], &facts["continues_seq"]), (&json!("maintained"), &json!(before.seq)));
    let page = Certificate::open(&sealed(&facts), &keys()).unwrap().page();
    assert!(page.contains("how the order stood there is the gateway&#39;s word alone"), "{page}");
    assert_eq!(witnessed(&first.lines).facts(&keys()).unwrap().get("continues_log"), None);
}

#[test]
fn nobody_is_certified_what_is_not_proven_or_what_the_authority_has_not_signed() {
    let log = maintained(authority(), VoltagePoint::Load);
    let before: Vec<Vec<u8>> = log.lines[..log.lines.len() / 2].to_vec();
    assert!(matches!(witnessed(&before).facts(&keys()), Err(Uncertified::NotProven(Rung::Provisional))));
    let stranger = maintained(Ed25519::from_seed(&[5; 32]), VoltagePoint::Load);
    assert_eq!(
        witnessed(&stranger.lines).facts(&keys()),
        Err(Uncertified::Disbelieved(Disbelief::Unsigned(2)))
    );
    let another = Witnessed::of(OrderId::new("order-2").unwrap());
    assert_eq!(another.facts(&keys()), Err(Uncertified::UnknownOrder));
    // A step that cannot be: the log without the supplier's reading.
    let is_reading = |line: &&Vec<u8>| !String::from_utf8_lossy(line).contains("\"act\":\"reading\"");
    let without: Vec<Vec<u8>> = log.lines.iter().filter(is_reading).cloned().collect();
    assert!(matches!(witnessed(&without).facts(&keys()), Err(Uncertified::Impossible(..))));
}

#[test]
fn what_the_order_required_and_what_was_told_of_it_are_on_the_page() {
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    let mut wants = order("国发〔2010〕7号 四(三)");
    wants["requires"] = json!({ "on_site_test": true, "photos": true, "seal": true });
    log.act("order", &wants);
    let mut said = claim();
    said.as_object_mut().unwrap().remove("photos_sha256");
    said["cut_unix_ms"] = (MONDAY_MS - 1).into();
    log.act("claim", &said);
    log.dead_for(8 * DAY_MS);
    log.reading(7);
    let facts = witnessed(&log.lines).facts(&keys()).unwrap();
    assert_eq!(facts["required"], json!({ "on_site_test": true, "photos": false, "seal": false }));
    assert_eq!(facts["claimed_too_early"], json!(true));
    let page = Certificate::open(&sealed(&facts), &keys()).unwrap().page();
    let text = page.replace("<span class=\"en\">", "").replace("</span>", "");
    for told in [
        "The order also requires: 现场验电 on-site test – 已申报 told；照片 photographs – 未申报 NOT told；封条 seal – 未申报 NOT told",
        "the cut is claimed before the order allowed it: 2026-11-16 08:00:00 +08:00",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[test]
fn no_certificate_rests_on_a_reading_that_says_something_else() {
    for (member, other) in [
        ("switch", json!("closed")),
        (
            "spans",
            json!([{ "from_unix_ms": MONDAY_MS, "to_unix_ms": MONDAY_MS + 8 * DAY_MS, "energy_wh": 9_000_000_000_i64, "quality": "measured" }]),
        ),
        (
            "spans",
            json!([{ "from_unix_ms": MONDAY_MS, "to_unix_ms": MONDAY_MS + 8 * DAY_MS, "energy_wh": 0, "quality": "estimated" }]),
        ),
        (
            "spans",
            json!([{ "from_unix_ms": MONDAY_MS, "to_unix_ms": MONDAY_MS + 80 * DAY_MS, "energy_wh": 0, "quality": "measured" }]),
        ),
    ] {
        let mut log = Log::begin(authority());
        log.commission(VoltagePoint::Load);
        log.rewrite = Some((member, other.clone()));
        log.act("order", &order("国发〔2010〕7号 四(三)"));
        log.act("claim", &claim());
        log.dead_for(8 * DAY_MS);
        log.reading(7);
        assert_eq!(log.rung(), Rung::Verified, "a gateway that lies");
        let said = witnessed(&log.lines).facts(&keys());
        assert!(matches!(said, Err(Uncertified::Impossible(..))), "{member} {other}: {said:?}");
    }
}

/// A certificate is of its place; whoever checks it against a log that goes on is told what the log says since.
#[test]
fn a_log_that_goes_on_to_a_violation_is_told_beside_its_certificate() {
    let mut log = maintained(authority(), VoltagePoint::Load);
    let handed = Handed::of(&log, "goes_on");
    log.draws();
    assert_eq!(log.rung(), Rung::Violated);
    let lines: Vec<u8> = log.lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    handed.write("records.jsonl", &lines);
    let (exit, said) = handed.verify();
    assert!(exit == 1 && said.contains("the order stands at violated"), "{exit} {said}");
}

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

#[test]
fn the_page_is_bilingual_says_what_keeps_people_alive_and_runs_and_fetches_nothing() {
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    log.act("order", &order("<script>alert(1)</script> & \"国发〔2010〕7号\""));
    // The meter was wired otherwise since.
    log.commission(VoltagePoint::Bus);
    log.act("claim", &claim());
    log.dead_for(8 * DAY_MS);
    log.reading(7);
    let bytes = sealed(&witnessed(&log.lines).facts(&keys()).unwrap());
    let page = Certificate::open(&bytes, &keys()).unwrap().page();
    for sentence in [
        "No voltage observed remotely. Not a test for dead. Test, earth and lock before touching.",
        "远程未观测到电压。这不是验电。触碰前必须验电、接地、上锁。",
        "Never switch off cooling, purge, drainage or detection to clear this state.",
        "Never open a CT secondary; short it at the test block, authorised person only.",
        "This record is not permission to energise.",
        // Where the voltage is taken at the bus, what cannot be seen.
        "neither voltage nor back-feed behind the breaker is seen",
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;国发〔2010〕7号&quot;",
        "coldhearth verify records.jsonl",
        "1000 Wh，±5000 ppm",
        "the authority itself entered the supplier&#39;s reading: no second party signed",
    ] {
        assert!(page.contains(sentence), "{sentence}\n{page}");
    }
    for foreign in ["<script", "http", "src=", "href", "url(", "@import", "javascript:", "onload"] {
        let inside = page.replace("http-equiv", "");
        assert!(!inside.contains(foreign), "{foreign}");
    }
}

/// The page without its marks of language.
fn plain(facts: &Map<String, Value>) -> String {
    let page = Certificate::open(&sealed(facts), &keys()).unwrap().page();
    page.replace("<span class=\"en\">", "").replace("</span>", "")
}

#[test]
fn the_page_has_every_point_with_its_warnings_and_every_hash_whole() {
    let mut facts = witnessed(&short().lines).facts(&keys()).unwrap();
    let paper = facts["legal_basis_sha256"].as_str().unwrap().to_owned();
    assert!(plain(&facts).contains(&format!("<code>{paper}</code>")), "whole");
    let hashes = ["order_sha256", "as_of_sha256"].map(|name| facts[name].as_str().unwrap().to_owned());
    let steps =
        facts["steps"].as_array().unwrap().iter().map(|step| step["sha256"].as_str().unwrap().to_owned());
    let hashes: Vec<String> = hashes.into_iter().chain(steps).collect();
    let page = plain(&facts);
    assert!(hashes.iter().all(|hash| hash.len() == 64 && page.contains(hash.as_str())), "{page}");
    let one = facts["points"][0].clone();
    let points: Vec<Value> = (1..=6)
        .map(|number| {
            let mut point = one.clone();
            point["meter"] = format!("feeder-{number}").into();
            let warned = if number == 5 { "bus" } else { "load" };
            (point["voltage_point"], point["powered_by"]) =
                (warned.into(), format!("feeder-{}", 6 * (number / 6)).into());
            point
        })
        .collect();
    facts.insert("points".into(), points.into());
    let page = plain(&facts);
    for told in [
        "no cut is verified by it feeder-5<br>",
        "a cut silences it feeder-6<br>",
        "feeder-1，feeder-2，feeder-3，feeder-4，feeder-6<br>",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
}

#[test]
fn the_page_says_who_named_the_suppliers_meter_and_what_the_meter_upstream_cannot_see() {
    let mut facts = witnessed(&short().lines).facts(&keys()).unwrap();
    assert_eq!(facts["points"][0]["utility_meter_ordered"], true);
    let page = plain(&facts);
    assert!(page.contains(&format!("as the order names it: {METER} – 31-0042<br>")), "{page}");
    assert!(!page.contains("could have passed unseen by the meter upstream"));
    let read = witnessed(&maintained(authority(), VoltagePoint::Load).lines).facts(&keys()).unwrap();
    assert_eq!(read["points"][0]["utility_meter_ordered"], false);
    let by_reading = format!("as its first reading names it and the order does not: {METER} – 31-0042<br>");
    assert!(plain(&read).contains(&by_reading), "{}", plain(&read));
    (facts["hold"]["carrier"], facts["hold"]["blind_wh"]) = ("upstream".into(), 4_711.into());
    facts["points"][0]["upstream"] = "incomer-1".into();
    let page = plain(&facts);
    for told in ["unseen by the meter upstream, at most: 4711 Wh", "meter upstream: incomer-1"] {
        assert!(page.contains(told), "{told}\n{page}");
    }
}

/// A short order, whose hold is over before its log is long.
fn short() -> Log {
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

/// A page of so many points, with texts of so many characters.
fn long(points: usize, characters: usize) -> Map<String, Value> {
    let log = maintained(authority(), VoltagePoint::Load);
    let mut facts = witnessed(&log.lines).facts(&keys()).unwrap();
    let text = "第三炼钢车间三十五千伏进线开关柜".chars().cycle().take(characters).collect::<String>();
    for name in ["tracking_id", "legal_basis", "single_line", "seal_no"] {
        facts.insert(name.into(), text.as_str().into());
    }
    for name in ["performed_by", "ticket_no", "tester", "locks"] {
        facts["claim"][name] = text.as_str().into();
    }
    for (name, text) in [("feeder", text.as_str()), ("breaker", &text), ("voltage_point", "bus")] {
        facts["points"][0][name] = text.into();
    }
    let one = facts["points"][0].clone();
    facts.insert("points".into(), vec![one; points].into());
    facts
}

/// The longest page there can be: every list full, every text as long as it may be.
fn crowded() -> Vec<u8> {
    let mut facts = long(1, 400);
    let point = &mut facts["points"][0];
    (point["powered_by"], point["upstream"]) = (METER.into(), METER.into());
    point["powers_gateway"] = true.into();
    facts["second_feeds"] = "unknown".into();
    facts["claimed_too_early"] = true.into();
    facts.insert("required".into(), json!({ "on_site_test": true, "photos": false, "seal": false }));
    facts["asked_less_than_usual"] = true.into();
    facts.insert("continues_log".into(), "3f1c9a70e2b84d15".into());
    facts.insert("continues_seq".into(), 9_999_999.into());
    facts.insert("readings_signed_by".into(), "supplier".into());
    facts.insert("supplier_kid".into(), "3f1c9a70e2b84d15".into());
    facts["gaps"][0]["dark"] = "last_gasp".into();
    let from = facts["gaps"][0]["from_unix_ms"].clone();
    let dark = json!({ "meter": METER, "from_unix_ms": from, "to_unix_ms": from, "ended": "last_gasp", "energy_wh": 0 });
    facts.insert("darks".into(), vec![dark; 8].into());
    for (name, most) in [("steps", 24), ("readings", 12), ("gaps", 8), ("points", 8)] {
        let one = facts[name][0].clone();
        facts.insert(name.into(), vec![one; most].into());
    }
    sealed(&facts)
}

/// Prints a page in headless Chromium and tells how many sheets it takes; a picture of it is left beside.
fn sheets(folder: &Path, bytes: &[u8]) -> usize {
    let page = Certificate::open(bytes, &keys()).unwrap().page();
    let file = folder.join("page.html");
    std::fs::write(&file, page).unwrap();
    let run = |what: &str| {
        let out = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-pdf-header-footer",
                "--window-size=794,1123",
            ])
            .args([what, &format!("file://{}", file.display())])
            .output()
            .unwrap_or_else(|e| panic!("chromium: {e}; install the package chromium"));
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    let pdf = folder.join("page.pdf");
    run(&format!("--print-to-pdf={}", pdf.display()));
    run(&format!("--screenshot={}", folder.join("page.png").display()));
    let bytes = std::fs::read(pdf).unwrap();
    let pages = bytes.windows(12).filter(|at| at.starts_with(b"/Type /Page") && at[11] != b's').count();
    assert!(pages > 0, "no page in what was printed");
    pages
}

#[test]
#[ignore = "wants Chromium; tests/all runs it"]
fn it_prints_on_one_sheet_of_a4_and_on_two_when_every_list_is_full() {
    let folder = Folder::new("sheets");
    let log = maintained(authority(), VoltagePoint::Load);
    let usual = sealed(&witnessed(&log.lines).facts(&keys()).unwrap());
    assert_eq!(sheets(&folder.0, &usual), 1);
    if let Some(kept) = std::env::var_os("COLDHEARTH_SHEETS") {
        for name in ["page.html", "page.pdf", "page.png"] {
            std::fs::copy(folder.0.join(name), Path::new(&kept).join(name)).unwrap();
        }
    }
    assert_eq!(sheets(&folder.0, &sealed(&long(6, 20))), 1, "six points with long names");
    assert_eq!(sheets(&folder.0, &crowded()), 2, "the most that can stand on it");
}
