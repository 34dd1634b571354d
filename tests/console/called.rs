//! What equipment is called in lists, how an order has come to stand as it does, and what a second source has counted.

use std::collections::BTreeSet;

use coldhearth::{
    catalogue::{
        Attribute, Citation, Class, Nameplate, Phase, PlateSource, Rule, Rules, Ruling, Standing, Witness,
        plate::PlateValue,
    },
    evidence::{Body, LogId, record::Unverified},
    judge::{
        Event, Finding, PlateRead, Rung, Shares, SignSet, State, Transition, Verdict, cutoff::Reconciliation,
    },
    regulator::{
        console::password,
        sight,
        store::{
            Batch, KeptRecord, Store,
            people::{Person, Role},
            sights::Scope,
        },
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, MeterId, Name, OrderId, WattHours, words},
};

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, head, people},
    support::voice::{Voice, at},
};

const ENTRY: &str = "steel-electric-furnace-up-to-30t";

fn asset() -> AssetId {
    AssetId::new("eaf-5").unwrap()
}

/// An arc furnace of 25 t, by its plate.
fn plate() -> Body {
    let text = |name: &str, value: &str| Attribute::new(name, PlateValue::Text(value.into())).unwrap();
    let plate = Nameplate::new(vec![
        text("equipment_kind", "electric_furnace"),
        text("furnace_product", "steel"),
        text("maker", "西安电炉厂"),
        Attribute::new("nominal_tonnage_t", PlateValue::Whole(25)).unwrap(),
    ]);
    let (source, before, plate) = (PlateSource::Declared, None, plate.unwrap());
    Body::Finding(Finding::Event(Event::Plate(PlateRead { asset: asset(), source, before, plate })))
}

/// That it is in scope, by the catalogue.
fn verdict() -> Body {
    let rule = Rule {
        instrument: Citation::new("guofa-2010-7").unwrap(),
        entry: Citation::new(ENTRY).unwrap(),
        file: Digest::ZERO,
        witness: Witness::Full,
    };
    let deadline = LegalDay::parse("2011-12-31");
    let ruling = Ruling { class: Class::InScope, rule: Some(rule), deadline };
    Body::Finding(Finding::Verdict(Verdict {
        asset: asset(),
        state: State::Dead,
        since: at(0),
        standing: Standing { ruling: Some(ruling), ..Standing::default() },
        phase: Some(Phase::Overdue),
        violation_since_unix_ms: Some(NOW - 86_400_000),
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

fn step(from: Rung, to: Rung) -> Body {
    Body::Finding(Finding::Transition(Transition {
        order: OrderId::new("order-5").unwrap(),
        asset: asset(),
        from,
        to,
        actor: Name::new("agent").unwrap(),
        why: Name::new("first_dead").unwrap(),
        evidence: Vec::new(),
        stand: None,
    }))
}

fn counted() -> Body {
    Body::Finding(Finding::Event(Event::Reconcile(Reconciliation {
        order: OrderId::new("order-5").unwrap(),
        asset: asset(),
        meter: MeterId::new("m1").unwrap(),
        from_unix_ms: NOW - 86_400_000,
        ours: WattHours(0),
        theirs: WattHours(12_000),
        may_differ: WattHours(6_264),
    })))
}

/// Keeps these lines of one log.
fn take(store: &mut dyn Store, division: &str, log: LogId, lines: &[Vec<u8>], received_unix_ms: i64) {
    let gateway = GatewayId::new("gw-05").unwrap();
    let mut batch = Batch::default();
    for line in lines {
        let record = Unverified::read(line).and_then(Unverified::own).unwrap();
        batch.sights.extend(sight::of(&record, received_unix_ms));
        batch
            .records
            .insert((gateway, log, record.header.seq), KeptRecord::of(&record, line, received_unix_ms));
    }
    let ((.., seq), last) = batch.records.last_key_value().unwrap();
    batch.heads = vec![head(gateway, log, division, (*seq, last.hash), received_unix_ms)];
    batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
    store.commit(&batch).unwrap();
}

/// gw-05 / eaf-5 with its plate, its verdict, an order that has come two steps far, verdicts for a day since, and a day that the
/// supplier counted otherwise.
fn kept(store: &mut dyn Store) {
    people(store);
    let gateway = GatewayId::new("gw-05").unwrap();
    let mut voice = Voice::of(gateway, "130421", (5, 0, 7));
    let mut lines = vec![voice.genesis(7, None), voice.say(&plate())];
    lines.push(voice.say(&step(Rung::CutClaimed, Rung::Observing)));
    lines.push(voice.say(&step(Rung::Observing, Rung::Provisional)));
    lines.push(voice.say(&counted()));
    lines.extend((0..70).map(|_| voice.say(&verdict())));
    take(store, "130421", LogId(5), &lines, NOW - 1_000);
}

/// The same, and the gateway has gone to another province since, where it tells of another furnace, too.
fn gone(store: &mut dyn Store) {
    kept(store);
    let person = Person {
        name: Name::new("sun").unwrap(),
        role: Role::Officer,
        scope: Scope::parse("140100").unwrap(),
        password: password::hashed(PASSWORD).unwrap(),
        changed_unix_ms: 1,
    };
    assert!(store.add_person(&person).unwrap());
    let mut voice = Voice::of(GatewayId::new("gw-05").unwrap(), "140100", (6, 0, 7));
    voice.wait_until(200);
    let Body::Finding(Finding::Verdict(one)) = verdict() else { panic!("a verdict") };
    let other = Verdict { asset: AssetId::new("eaf-6").unwrap(), ..one };
    let other = Body::Finding(Finding::Verdict(other));
    let lines = [voice.genesis(7, None), voice.say(&verdict()), voice.say(&other)];
    take(store, "140100", LogId(6), &lines, NOW - 500);
}

#[tokio::test]
async fn of_what_has_gone_elsewhere_a_county_sees_its_own_log_alone_and_the_other_one_its_own() {
    let desk = Desk::open_with("gone", gone);
    let was = Browser::entered(desk.port, "li", PASSWORD).await;
    let is = Browser::entered(desk.port, "sun", PASSWORD).await;
    let case = was.get("/asset/gw-05/eaf-5").await;
    assert!(case.text().contains(words::K_GONE_ELSEWHERE.en) && case.body.contains("0000000000000005"));
    for page in ["/asset/gw-05/eaf-5", "/", "/fleet", "/alarms", "/audit?gateway=gw-05"] {
        let shown = was.get(page).await.body;
        for theirs in ["140100", "0000000000000006", "eaf-6"] {
            assert!(!shown.contains(theirs), "{page} shows {theirs}");
        }
    }
    assert!(was.get("/").await.text().contains("gw-05 / eaf-5"), "its latch is closed");
    for page in
        ["/asset/gw-05/eaf-6", "/asset/gw-05/eaf-6/power.csv", "/asset/gw-05/eaf-5/certificate/order-5"]
    {
        assert_eq!(was.get(page).await.status, 404, "{page}");
    }
    for page in ["/asset/gw-05/eaf-5", "/fleet", "/"] {
        let shown = is.get(page).await.body;
        assert!(shown.contains("eaf-5") && !shown.contains("0000000000000005"), "{page}");
    }
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await.get("/asset/gw-05/eaf-5").await.body;
    assert!(nation.contains("0000000000000005") && nation.contains("0000000000000006"));
}

#[tokio::test]
async fn lists_say_what_equipment_is_in_the_words_of_whoever_reads_them() {
    let desk = Desk::open_with("called", kept);
    let mut browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let rules = Rules::shipped().unwrap();
    let title = &rules.entry(ENTRY).unwrap().title;
    for (language, title) in [("zh", &title.zh), ("en", &title.en)] {
        browser.language = language;
        for page in ["/", "/fleet", "/asset/gw-05/eaf-5"] {
            let text = browser.get(page).await.text();
            assert!(text.contains(title.as_str()), "{page}: {title}");
            assert!(text.contains("西安电炉厂"), "{page}: whose make it is");
        }
        let (fleet, file) = (browser.get("/fleet").await.text(), browser.get("/fleet.csv").await.body);
        for cell in ["25 t", "≤ 30 t", "guofa-2010-7 steel-electric-furnace-up-to-30t", "西安电炉厂"] {
            assert!(fleet.contains(cell) && file.contains(cell), "{cell}: {file}");
        }
        assert!(file.contains(title.as_str()), "{file}");
    }
}

#[tokio::test]
async fn an_orders_way_is_told_from_its_beginning_and_a_second_source_beside_the_first() {
    let desk = Desk::open_with("way", kept);
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    let case = browser.get("/asset/gw-05/eaf-5").await;
    let text = case.text();
    // Seventy verdicts have come since: the story's first page does not tell of it any longer.
    let at = |text: &str, what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    let way = &text[at(&text, words::K_ORDER_WAY.en)..at(&text, words::K_TWO_SOURCES.en)];
    let observing = format!("{} → {}", Rung::CutClaimed.words().en, Rung::Observing.words().en);
    let provisional = format!("{} → {}", Rung::Observing.words().en, Rung::Provisional.words().en);
    assert!(at(way, &observing) < at(way, &provisional), "{way}");
    let sources = &text[at(&text, words::K_TWO_SOURCES.en)..];
    for told in ["0.000 kWh", "12.000 kWh", "6.264 kWh", words::DAY_DIFFERS.en] {
        at(sources, told);
    }
    assert!(
        case.body.contains("href=\"/log/gw-05/0000000000000005\""),
        "all of it is taken along in one click"
    );
}
