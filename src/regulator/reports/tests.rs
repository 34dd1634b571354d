use std::collections::BTreeMap;

use serde_json::Value;

use super::{sheet::tests::source, survey::*, *};
use crate::{
    catalogue::{Citation, Class, Rostered as OnRoster, Ruling, Standing},
    judge::{Shares, SignSet, State, Verdict, Why},
    terms::{
        AssetId, ClockQuality, GatewayId, LegalDay, OrderId, Stamp, WattHours,
        words::{self, Language},
    },
};

fn day(text: &str) -> LegalDay {
    LegalDay::parse(text).unwrap()
}

fn scope() -> Scope {
    Scope {
        within: Division::parse("130000").unwrap(),
        from: day("2026-01-01"),
        to: day("2026-04-01"),
        made_unix_ms: day("2026-04-02").starts_unix_ms(),
    }
}

fn verdict(state: State, energy_wh: i64, is_listed: bool) -> Verdict {
    let since = Stamp { wall_unix_ms: 0, uptime_ms: 0, boot: 1, clock: ClockQuality::Ntp, error_ms: 5 };
    let deadline = Some(day("2025-12-31"));
    let standing = Standing {
        ruling: Some(Ruling { class: Class::InScope, rule: None, deadline }),
        roster: is_listed.then(|| OnRoster::By(day("2025-12-31"))),
        ..Standing::default()
    };
    Verdict {
        asset: AssetId::new("eaf-2").unwrap(),
        state,
        since,
        standing,
        phase: None,
        violation_since_unix_ms: None,
        energy_overdue: WattHours(energy_wh),
        energy_closed: WattHours(energy_wh),
        shares: Shares::of_record(890_000, 5_000, 5_000).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }
}

fn equipment_of(asset: &str) -> Equipment {
    Equipment {
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        gateway: GatewayId::new("gw-1").unwrap(),
        asset: AssetId::new(asset).unwrap(),
        newest: None,
        drawn: BTreeMap::new(),
        undated: BTreeMap::new(),
        accounted: Accounted::default(),
        witnessed_from_unix_ms: None,
        covered: Rests::default(),
        restarted: None,
        closed: None,
        rostered: None,
    }
}

fn surveyed(all: Vec<Equipment>) -> Surveyed {
    all.into_iter().map(|one| ((one.gateway, one.asset), one)).collect()
}

/// Verdicts of one piece of equipment: day and hour, count of energy.
fn lived(counts: &[((&str, i64), i64)], is_listed: bool) -> Equipment {
    let mut one = equipment_of("eaf-2");
    for (seq, ((at, hour), energy_wh)) in (1..).zip(counts) {
        let at_unix_ms = day(at).starts_unix_ms() + hour * 3_600_000;
        let verdict = verdict(State::Drawing, *energy_wh, is_listed);
        one.witnessed_from_unix_ms.get_or_insert(at_unix_ms);
        if at_unix_ms > scope().from.starts_unix_ms() && at_unix_ms <= scope().to.starts_unix_ms() {
            one.add(&verdict, at_unix_ms, source(seq), &scope());
        }
        one.newest = Some(Told { verdict, at_unix_ms, source: source(seq) });
    }
    one
}

#[test]
fn energy_is_what_the_count_rose_by_each_day_and_rests_on_two_records() {
    let one = lived(
        &[
            (("2025-12-31", 23), 1_000),
            (("2026-01-01", 1), 1_500),
            (("2026-01-01", 20), 4_000),
            // What midnight tells is of the day that ends.
            (("2026-01-02", 0), 4_300),
            (("2026-01-02", 1), 4_300),
            // A journal that was lost counts from nothing: that is no energy given back, and none drawn.
            (("2026-01-03", 1), 10),
            (("2026-01-04", 1), 110),
            (("2026-01-04", 2), 150),
            (("2026-04-01", 1), 9_110),
        ],
        true,
    );
    let told: Vec<_> = one.drawn.iter().map(|(day, drawn)| (day.to_string(), drawn.energy_wh)).collect();
    assert_eq!(told, [("2026-01-01".to_owned(), 2_800), ("2026-01-04".to_owned(), 40)]);
    let undated: Vec<_> = one
        .undated
        .iter()
        .map(|((from, to), drawn)| (from.to_string(), to.to_string(), drawn.energy_wh))
        .collect();
    let line = |from: &str, to: &str, wh| (from.to_owned(), to.to_owned(), wh);
    assert_eq!(undated, [line("2025-12-31", "2026-01-01", 500), line("2026-01-03", "2026-01-04", 100)]);
    let first = one.drawn[&day("2026-01-01")];
    assert_eq!((first.first, first.last), (source(2), source(4)));
    assert_eq!((one.covered.count(), one.accounted.covered(0)), (7, Some(9_944)));
}

#[test]
fn a_price_is_another_only_for_what_the_authority_has_listed_and_from_its_day_on() {
    let prices = "[[price]]\ndocument = \"A\"\nfrom = 2026-01-02\nyuan_per_kwh = 0.3\n";
    let tariff = Tariff::parse("p.toml", prices, &|_| true).unwrap();
    let counts = [
        (("2026-01-01", 1), 0),
        (("2026-01-02", 0), 2_000_000),
        (("2026-01-03", 0), 2_500_500),
        // Across days at one price, and then silence to the end of March.
        (("2026-01-05", 7), 2_600_500),
    ];
    let listed = surcharge::sheet(&surveyed(vec![lived(&counts, true)]), &tariff, scope());
    let json = listed.to_json();
    let cells = |row: usize| -> Vec<Value> {
        ["energy_kwh", "rate_yuan_per_kwh", "amount_yuan"].map(|key| json["rows"][row][key].clone()).to_vec()
    };
    assert_eq!(cells(0), ["600.500", "0.300000", "180.15"].map(Value::from));
    assert_eq!(cells(1), [Value::from("2000.000"), Value::Null, Value::Null]);
    // What nobody saw is no zero.
    assert_eq!(cells(2), [Value::Null, Value::Null, Value::Null]);
    assert!(json["rows"][2]["unseen_min"].as_i64().is_some_and(|min| min > 80 * 24 * 60), "{json}");
    assert_eq!(json["rows"][0]["records"]["named"][1]["hash"], source(3).hash.to_string());
    let unlisted = surcharge::sheet(&surveyed(vec![lived(&counts, false)]), &tariff, scope()).to_json();
    assert_eq!(unlisted["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(unlisted["rows"][0]["amount_yuan"], Value::Null);
    assert_eq!(unlisted["rows"][0]["energy_kwh"], "2600.500");
    // Energy across a day on which the price changed has none.
    let across = [(("2026-01-01", 12), 0), (("2026-01-02", 12), 7_000)];
    let json = surcharge::sheet(&surveyed(vec![lived(&across, true)]), &tariff, scope()).to_json();
    assert_eq!(
        (&json["rows"][0]["energy_kwh"], &json["rows"][0]["amount_yuan"]),
        (&Value::from("7.000"), &Value::Null)
    );
    assert_eq!(json["rows"][0]["document"]["en"], words::NO_DAY.en);
    let nobody = Equipment { rostered: Some(rostered("2025-06-30")), ..equipment_of("eaf-1") };
    let json = surcharge::sheet(&surveyed(vec![nobody]), &tariff, scope()).to_json();
    assert_eq!(
        (&json["rows"][0]["energy_kwh"], &json["rows"][0]["unseen_min"]),
        (&Value::Null, &Value::Null)
    );
}

fn rostered(deadline: &str) -> Rostered {
    Rostered {
        deadline: day(deadline),
        entry: Citation::new("steel-electric-furnace-up-to-30t").unwrap(),
        source: source(40),
    }
}

#[test]
fn the_list_is_the_roster_and_says_what_differs_from_the_one_before() {
    let unheard = Equipment { rostered: Some(rostered("2026-06-30")), ..equipment_of("eaf-1") };
    let moved = |deadline| Equipment { rostered: Some(rostered(deadline)), ..equipment_of("eaf-3") };
    let last_year = surveyed(vec![lived(&[(("2026-01-05", 0), 0)], true), moved("2026-06-30")]);
    let before = list::before(&list::sheet(&last_year, None, scope()).to_json()).unwrap();
    assert_eq!(before.len(), 2);
    let free = equipment_of("fan-1");
    let sheet = list::sheet(&surveyed(vec![unheard, moved("2026-09-30"), free]), Some(&before), scope());
    let told: Vec<(String, String, String)> = sheet
        .rows
        .iter()
        .map(|row| {
            let shown = |at: usize| row.cells[at].shown(Language::English);
            (shown(3), shown(8), shown(10))
        })
        .collect();
    let line = |asset: &str, progress: &str, change: words::Words| {
        (asset.to_owned(), progress.to_owned(), change.en.to_owned())
    };
    assert_eq!(
        told,
        [
            line("eaf-1", words::PROGRESS_UNHEARD.en, words::CHANGE_NEW),
            line("eaf-3", words::PROGRESS_UNHEARD.en, words::CHANGE_DEADLINE),
            line("eaf-2", "–", words::CHANGE_GONE),
        ]
    );
    // A list of one county knows nothing of another's: what stands elsewhere has not gone.
    let elsewhere = Scope { within: Division::parse("130422").unwrap(), ..scope() };
    assert!(list::sheet(&Surveyed::new(), Some(&before), elsewhere).rows.is_empty());
    // What had gone is told once.
    assert_eq!(list::before(&sheet.to_json()).map(|before| before.len()), Some(2));
    assert_eq!(list::before(&serde_json::json!({ "report": "coverage", "rows": [] })), None);
}

#[test]
fn doubt_is_never_told_as_rest_and_a_violation_before_all() {
    let end = scope().to.starts_unix_ms();
    let at = |at_unix_ms, state, since| {
        let verdict = Verdict { violation_since_unix_ms: since, ..verdict(state, 0, true) };
        let newest = Some(Told { verdict, at_unix_ms, source: source(1) });
        list::progress(&Equipment { newest, ..equipment_of("eaf-2") }, &scope())
    };
    let told = |state, since| at(end - 900_000, state, since);
    // What was told last is not how it stands once nothing is heard.
    assert_eq!(at(end - MOST_QUIET_MS - 1, State::Dead, None), words::PROGRESS_SILENT);
    assert_eq!(at(end - MOST_QUIET_MS - 1, State::Dead, Some(1)), words::PROGRESS_VIOLATION);
    assert_eq!(told(State::Unknown(Why::Silent), None), words::PROGRESS_DOUBT);
    assert_eq!(told(State::Energised, None), words::PROGRESS_AT_REST);
    assert_eq!(told(State::Drawing, None), words::PROGRESS_DRAWING);
    assert_eq!(told(State::Dead, Some(1)), words::PROGRESS_VIOLATION);
    let closed = Some(Closed { order: OrderId::new("cut-7").unwrap(), at_unix_ms: 0, source: source(2) });
    let gone = Equipment { closed, ..equipment_of("eaf-2") };
    assert_eq!(list::progress(&gone, &scope()), words::PROGRESS_CLOSED);
}
