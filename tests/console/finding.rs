//! A finding at the desk: its alarm leads to both records as far as they lie in the division of whoever looks.

use coldhearth::{
    catalogue::{
        Attribute, Nameplate, PlateSource,
        plate::{MAKER, PlateValue, SERIAL},
    },
    evidence::{Body, Sealer, record::Unverified},
    judge::{Event, Finding, PlateRead},
    regulator::{
        alarms::{Cause, Office},
        collector::Collector,
        store::{Alarms as _, AlarmsAsked, Store},
    },
    terms::{AssetId, GatewayId, place::Division, words},
};

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, people, signer},
    support::voice::{NOW as VOICE_NOW, TOPIC, Voice, key_of},
};

/// The nameplate of a furnace that is in scope.
fn plate(asset: &str) -> Body {
    let text = |name: &str, value: &str| Attribute::new(name, PlateValue::Text(value.into())).unwrap();
    let plate = Nameplate::new(vec![
        text("equipment_kind", "electric_furnace"),
        text("furnace_product", "steel"),
        text(MAKER, "西安电炉厂"),
        text(SERIAL, "XT-2008/0417"),
        Attribute::new("nominal_tonnage_t", PlateValue::Whole(25)).unwrap(),
    ]);
    Body::Finding(Finding::Event(Event::Plate(PlateRead {
        asset: AssetId::new(asset).unwrap(),
        source: PlateSource::Declared,
        before: None,
        plate: plate.unwrap(),
    })))
}

fn gateway(number: u8) -> GatewayId {
    GatewayId::new(&format!("gw-{number}")).unwrap()
}

pub(crate) fn admitted(store: &mut dyn Store) {
    people(store);
    for number in [1, 2] {
        assert!(store.admit(gateway(number), &key_of(number), VOICE_NOW).unwrap());
    }
}

/// One furnace in the county of li, then in that of zhao.
pub(crate) fn moved(store: &mut dyn Store, mut collector: Collector) {
    let mut lines = Vec::new();
    for (number, division, asset, second) in [(1, "130421", "eaf-1", 1), (2, "130422", "eaf-7", 60)] {
        let gateway = gateway(number);
        let mut voice = Voice::of(gateway, division, (u64::from(number), 0, number));
        voice.wait_until(second);
        lines.extend([voice.genesis(number, None), voice.say(&plate(asset))]);
    }
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, NOW).unwrap();
    let mut office = Office::of(Vec::new(), None).unwrap();
    office.round(store, (&mut Sealer::default(), &signer()), true, NOW).unwrap();
}

#[tokio::test]
async fn a_findings_alarm_leads_to_both_records_and_a_county_is_led_to_its_own() {
    let desk = Desk::own_collecting("finding", admitted, moved);
    let asked = AlarmsAsked::all(Division::NATION, 100);
    let alarms = desk.store().alarms(&asked).unwrap();
    let alarm = alarms.iter().find(|alarm| alarm.about.cause == Cause::Transfer).expect("it is found");
    let address = format!("/alarm/{}", alarm.id);
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    assert!(nation.get("/alarms").await.body.contains(&format!("href=\"{address}\"")));
    let page = nation.get(&address).await;
    for there in ["/asset/gw-1/eaf-1", "/asset/gw-2/eaf-7", words::SAID_FIRST.en, words::SAID_LATER.en] {
        assert!(page.body.contains(there), "{there}: {}", page.body);
    }
    let text = page.text().to_lowercase();
    assert!(
        text.contains("electric furnace 西安电炉厂") && text.contains("xt"),
        "the machine is named: {text}"
    );
    // Each leads to its record as it came.
    for (log, hash) in records(&page.body) {
        let record = nation.get(&log).await.body;
        assert_eq!(Unverified::read(record.trim_end().as_bytes()).unwrap().hash().to_string(), hash, "{log}");
    }
    assert_eq!(records(&page.body).len(), 2);
    // Whose alarm it is sees that there is another record, and nothing of it.
    let (own, other) =
        if alarm.about.division.to_string() == "130421" { ("li", "zhao") } else { ("zhao", "li") };
    let page = Browser::entered(desk.port, own, PASSWORD).await.get(&address).await;
    assert_eq!((page.status, records(&page.body).len()), (200, 1), "{}", page.body);
    let elsewhere = if own == "li" { "gw-2" } else { "gw-1" };
    assert!(page.text().contains(words::K_RECORD_ELSEWHERE.en) && !page.text().contains(elsewhere));
    assert_eq!(Browser::entered(desk.port, other, PASSWORD).await.get(&address).await.status, 404);
}

/// Addresses of the records that a page leads to, and their hashes.
fn records(page: &str) -> Vec<(String, String)> {
    let links = page.split("<a href=\"/log/").skip(1).map(|rest| rest.split_once("\">").unwrap());
    links
        .map(|(address, rest)| {
            (format!("/log/{}", address.replace("&amp;", "&")), rest.split('<').next().unwrap().to_owned())
        })
        .collect()
}
