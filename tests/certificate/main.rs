//! A cut-off order's certificate: made from a log, printed on one page, checked by whoever has the log, and worth nothing
//! once a byte of either is another.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod checked;
mod page;
#[path = "../support/mod.rs"]
mod support;

use coldhearth::{
    evidence::{
        Body, Certificate, Chain, Disbelief, Ed25519, Genesis, LogHead, LogId, Signer as _, Uncertified,
        Witnessed, record::Unverified,
    },
    judge::{
        Dark, DarkMeter, Ending, Event, Finding, Mark, Rung, VoltagePoint,
        cutoff::{HoldNote, Impossible},
    },
    metering::Register,
    terms::{AssetId, Digest, GatewayId, OrderId, WattHours},
};
use serde_json::json;
use support::{
    cut::{
        DAY_MS, Log, MINUTE_MS, MONDAY_MS, STILL, authority, claim, gateway, maintained, meter, order,
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
