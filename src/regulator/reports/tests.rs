use std::collections::BTreeMap;

use serde_json::Value;

use super::{beside::Plates, closures::Closed, sheet::tests::source, survey::*, *};
use crate::{
    catalogue::{
        self, Attribute, Citation, Class, Nameplate, Rostered as OnRoster, Rule, Rules, Ruling, Standing,
        Witness, plate::PlateValue,
    },
    evidence::LogId,
    judge::{Shares, SignSet, State, Verdict, Why},
    regulator::{
        sight::MOST_QUIET_MS,
        sums::{Accounted, Adding, Bearing, Mark},
    },
    terms::{
        AssetId, ClockQuality, Digest, GatewayId, LegalDay, OrderId, Stamp, WattHours,
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
        late: BTreeMap::new(),
        accounted: Accounted::default(),
        witnessed_from_unix_ms: None,
        covered: Rests::default(),
        convictions: BTreeMap::new(),
        late_convictions: BTreeMap::new(),
        closed: None,
        rostered: None,
        latch: left::Latch::Told,
        was_charged: false,
        away: Vec::new(),
        is_misled: false,
    }
}

fn surveyed(all: Vec<Equipment>) -> Surveyed {
    all.into_iter().map(|one| ((one.gateway, one.asset, one.division, one.enterprise), one)).collect()
}

/// Verdicts of one piece of equipment: day and hour, count of energy.
fn lived(counts: &[((&str, i64), i64)], is_listed: bool) -> Equipment {
    let mut one = equipment_of("eaf-2");
    let mut adding = Adding::default();
    for (seq, ((at, hour), energy_wh)) in (1..).zip(counts) {
        let at_unix_ms = day(at).starts_unix_ms() + hour * 3_600_000;
        let verdict = verdict(State::Drawing, *energy_wh, is_listed);
        one.witnessed_from_unix_ms.get_or_insert(at_unix_ms);
        let mark = Mark::new(&verdict, (at_unix_ms, at_unix_ms), (seq, source(seq).hash));
        adding.add(mark, &|_| true);
        one.newest = Some(Told { verdict, at_unix_ms, source: source(seq) });
    }
    let log = (one.gateway, LogId(5));
    for (day, sum) in adding.days.iter().filter(|(day, _)| scope().from <= **day && **day < scope().to) {
        one.add(log, *day, sum, &scope());
    }
    one
}

/// The list, of the shipped catalogue, with nothing beside it.
fn list_of(surveyed: &Surveyed, before: Option<&list::Before>, scope: Scope) -> Sheet {
    let (rules, names, plates) = (Rules::shipped().unwrap(), Names::default(), Plates::new());
    list::sheet(surveyed, before, Beside { rules: &rules, names: &names, plates: &plates }, scope)
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
    let told: Vec<_> = one.drawn.iter().map(|((day, _), drawn)| (day.to_string(), drawn.energy_wh)).collect();
    assert_eq!(told, [("2026-01-01".to_owned(), 2_800), ("2026-01-04".to_owned(), 40)]);
    let undated: Vec<_> = one
        .undated
        .iter()
        .map(|((from, to, _), drawn)| (from.to_string(), to.to_string(), drawn.energy_wh))
        .collect();
    let line = |from: &str, to: &str, wh| (from.to_owned(), to.to_owned(), wh);
    assert_eq!(undated, [line("2025-12-31", "2026-01-01", 500), line("2026-01-03", "2026-01-04", 100)]);
    let first = one.drawn[&(day("2026-01-01"), Bearing::Charged)];
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
    let nobody = || Equipment { rostered: Some(rostered("2025-06-30")), ..equipment_of("eaf-1") };
    let json = surcharge::sheet(&surveyed(vec![nobody()]), &tariff, scope()).to_json();
    assert_eq!(
        (&json["rows"][0]["energy_kwh"], &json["rows"][0]["unseen_min"]),
        (&Value::Null, &Value::Null)
    );
    // Beside one that was never heard of, what is known of others of its owner and entry is told all the same.
    let heard = Equipment {
        witnessed_from_unix_ms: Some(0),
        ..Equipment { asset: AssetId::new("eaf-4").unwrap(), ..nobody() }
    };
    let json = surcharge::sheet(&surveyed(vec![nobody(), heard]), &tariff, scope()).to_json();
    let unseen =
        |row: usize| (json["rows"][row]["unseen_min"].clone(), json["rows"][row]["document"]["en"].clone());
    assert_eq!(unseen(0), ((90 * 24 * 60).into(), words::UNSEEN.en.into()));
    assert_eq!(unseen(1), (Value::Null, words::PROGRESS_UNHEARD.en.into()));
}

fn moved_to_list(asset: &str) -> Equipment {
    Equipment { rostered: Some(rostered("2026-06-30")), ..equipment_of(asset) }
}

#[test]
fn each_day_is_charged_by_what_its_own_verdicts_say_and_what_is_late_says_so() {
    let prices = "[[price]]\ndocument = \"A\"\nfrom = 2025-01-01\nyuan_per_kwh = 0.3\n";
    let tariff = Tariff::parse("p.toml", prices, &|_| true).unwrap();
    let mut one = lived(&[(("2026-01-01", 12), 0)], true);
    let drawn = |energy_wh| Drawn { energy_wh, first: source(1), last: source(2) };
    let (before, after) = (day("2026-01-02"), day("2026-01-03"));
    one.drawn = [((before, Bearing::NoRoster), drawn(700)), ((after, Bearing::Charged), drawn(900))].into();
    let past = day("2025-09-30");
    one.late = [((past, past, Bearing::Charged), drawn(6_292))].into();
    let late = Conviction { at_unix_ms: past.starts_unix_ms(), source: source(9) };
    one.late_convictions.insert(5, late);
    let surveyed = surveyed(vec![one]);
    let json = surcharge::sheet(&surveyed, &tariff, scope()).to_json();
    let told = |row: usize| {
        let row = &json["rows"][row];
        let document = row["document"]["en"].as_str().or_else(|| row["document"].as_str());
        (row["energy_kwh"].clone(), row["amount_yuan"].clone(), document.unwrap().to_owned())
    };
    assert_eq!(told(0), ("0.900".into(), "0.27".into(), "A".to_owned()));
    assert_eq!(told(1), ("6.292".into(), "1.89".into(), format!("A ({})", words::ARRIVED_LATE.en)));
    assert_eq!(told(2), ("0.700".into(), Value::Null, words::NOT_CHARGED.en.to_owned()));
    let json = restarts::sheet(&surveyed, &[], &[].into(), scope()).to_json();
    assert_eq!(json["rows"][0]["what"]["en"], words::RESTARTED_LATE.en);
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
    let before = list::before(&list_of(&last_year, None, scope()).to_json()).unwrap();
    assert_eq!(before.lines.len(), 2);
    let free = equipment_of("fan-1");
    let sheet = list_of(&surveyed(vec![unheard, moved("2026-09-30"), free]), Some(&before), scope());
    let told: Vec<(String, String, String)> = sheet
        .rows
        .iter()
        .map(|row| {
            let shown = |key: &str| {
                let at = sheet.columns.iter().position(|column| column.key == key).unwrap();
                row.cells[at].shown(Language::English)
            };
            (shown("asset"), shown("progress"), shown("change"))
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
    assert!(list_of(&Surveyed::new(), Some(&before), elsewhere).rows.is_empty());
    // Nor is anything of another county new because its list does not name it.
    let other = Equipment { division: elsewhere.within, ..moved_to_list("eaf-9") };
    let json = list_of(&surveyed(vec![other.clone()]), Some(&before), elsewhere).to_json();
    assert_eq!(json["rows"][0]["change"]["en"], words::CHANGE_NEW.en, "the province's list would name it");
    let countys = list::Before { within: Division::parse("130421").unwrap(), ..before.clone() };
    for scope in [elsewhere, scope()] {
        let json = list_of(&surveyed(vec![other.clone()]), Some(&countys), scope).to_json();
        assert_eq!(json["rows"][0]["change"]["en"], words::CHANGE_ELSEWHERE.en);
    }
    // What had gone is told once.
    assert_eq!(list::before(&sheet.to_json()).map(|before| before.lines.len()), Some(2));
    assert_eq!(list::before(&serde_json::json!({ "report": "coverage", "rows": [] })), None);
}

#[test]
fn a_list_can_be_published_as_it_is() {
    let entry = "steel-electric-furnace-up-to-30t";
    let mut one = lived(&[(("2026-01-05", 0), 0)], true);
    let rule = Rule {
        instrument: Citation::new("guofa-2010-7").unwrap(),
        entry: Citation::new(entry).unwrap(),
        file: Digest::of(b""),
        witness: Witness::Full,
    };
    let ruling = Ruling { class: Class::InScope, rule: Some(rule), deadline: Some(day("2011-12-31")) };
    one.newest.iter_mut().for_each(|told| told.verdict.standing.ruling = Some(ruling));
    let lines = [
        ("nominal_tonnage_t", PlateValue::Whole(25)),
        ("maker", PlateValue::Text("西安电炉厂".into())),
        ("serial_number", PlateValue::Text("XT-2008/0417".into())),
    ];
    let lines = lines.into_iter().map(|(name, value)| Attribute::new(name, value).unwrap());
    let plate = Nameplate::new(lines.collect()).unwrap();
    let plates = Plates::from([((one.gateway, one.asset), beside::Plate { plate, source: source(77) })]);
    let names = "[[enterprise]]\nuscc = \"91350100M000100Y43\"\nzh = \"某某钢铁\"\nen = \"Moumou Steel\"\n\
                 document = \"登记\"\n";
    let (rules, names) = (Rules::shipped().unwrap(), Names::parse("n.toml", names).unwrap());
    let beside = Beside { rules: &rules, names: &names, plates: &plates };
    let json = list::sheet(&surveyed(vec![one, equipment_of("fan-1")]), None, beside, scope()).to_json();
    let row = &json["rows"][0];
    assert_eq!((&row["entry"], &row["enterprise"]["zh"]), (&Value::from(entry), &Value::from("某某钢铁")));
    assert_eq!(row["clause"]["zh"], "淘汰30吨及以下炼钢转炉、电炉");
    assert!(row["clause"]["en"].as_str().is_some_and(|en| en.contains("30")), "{row}");
    assert_eq!(
        (&row["capacity"]["zh"], &row["bound"]["zh"]),
        (&"公称容量 25 t".into(), &"公称容量 ≤ 30 t".into())
    );
    assert_eq!(row["bound"]["en"], "nominal tonnage ≤ 30 t");
    assert_eq!(
        (&row["machine"], &row["enterprise_document"]),
        (&"西安电炉厂 XT-2008/0417".into(), &"登记".into())
    );
    let named = row["records"]["named"].as_array().unwrap();
    assert!(named.iter().any(|record| record["hash"] == source(77).hash.to_string()), "{row}");
    // Nothing of it is known of a machine whose plate nobody read, and whose owner is in no table.
    let bare = list_of(&surveyed(vec![lived(&[(("2026-01-05", 0), 0)], true)]), None, scope()).to_json();
    let row = &bare["rows"][0];
    for key in ["enterprise", "machine", "clause", "capacity", "bound"] {
        assert_eq!(row[key], Value::Null, "{key}");
    }
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
    let gone = Equipment { closed: Some(closed()), ..equipment_of("eaf-2") };
    assert_eq!(list::progress(&gone, &scope()), words::PROGRESS_CLOSED);
}

fn closed() -> Closed {
    let claimed = Closed::claimed(OrderId::new("cut-7").unwrap(), 1_000, source(2));
    Closed { order_sha256: Some(Digest::of(b"order")), ..claimed }
}

#[test]
fn what_cannot_be_certified_is_closed_on_no_list_and_taken_off_no_target() {
    let told = |state| Told { verdict: verdict(state, 0, true), at_unix_ms: 2_000, source: source(1) };
    let listed = |closed, state| {
        let newest = Some(told(state));
        Equipment {
            closed: Some(closed),
            newest,
            rostered: Some(rostered("2026-06-30")),
            ..equipment_of("eaf-1")
        }
    };
    let page = |gateway: &str| {
        let text = format!(
            "division = \"130421\"\nversion = 1\norder = \"1\"\n[[target]]\n\
             entry = \"steel-electric-furnace-up-to-30t\"\namount = 1\n[[equipment]]\n\
             uscc = \"91350100M000100Y43\"\n{gateway}asset = \"eaf-1\"\n\
             entry = \"steel-electric-furnace-up-to-30t\"\ndeadline = 2011-12-31\n"
        );
        vec![catalogue::breakdown::Page::parse("p.toml", &text).unwrap()]
    };
    let rules = Rules::shipped().unwrap();
    let told_by = |all: Vec<Equipment>, gateway: &str| {
        let surveyed = surveyed(all);
        let (sheet, _) = periodic::sheet(&surveyed, page(gateway), (&rules, &Plates::new()), scope());
        let remains = sheet.to_json()["rows"][0]["remains"].as_i64().unwrap();
        let progress: Vec<_> = surveyed.values().map(|one| list::progress(one, &scope())).collect();
        (progress, remains)
    };
    let good = listed(closed(), State::Dead);
    assert_eq!(told_by(vec![good.clone()], ""), (vec![words::PROGRESS_CLOSED], 0));
    let unborne = Closed { order_sha256: None, ..closed() };
    let twice = Closed { is_twice: true, ..closed() };
    let drew = Closed { drew: Some(source(9)), ..closed() };
    for (closed, state, why) in [
        (unborne, State::Dead, words::NOT_BORNE_OUT),
        (twice, State::Dead, words::SAME_PLATE),
        // It melted once and rests again.
        (drew, State::Dead, words::DRAWS_SINCE),
        (closed(), State::Drawing, words::DRAWS_SINCE),
    ] {
        let one = listed(closed, state);
        assert_eq!(closed.refusal(one.newest.as_ref()), Some(why));
        let (progress, remains) = told_by(vec![one], "");
        assert!(progress[0] != words::PROGRESS_CLOSED && remains == 1, "{why:?}");
    }
    // Two of one name behind two gateways are two: which one is meant, the line says, or both must be gone.
    let other = Equipment { gateway: GatewayId::new("gw-2").unwrap(), closed: None, ..good.clone() };
    let both = || vec![good.clone(), other.clone()];
    assert_eq!(told_by(both(), "").1, 1);
    assert_eq!(told_by(both(), "gateway = \"gw-1\"\n").1, 0);
    assert_eq!(told_by(both(), "gateway = \"gw-2\"\n").1, 1);
}

#[test]
fn two_that_are_gone_are_one_machine_only_where_both_are_borne_out() {
    let plate = Some(Digest::of(b"plate"));
    let gone = |gateway: &str, order_sha256| {
        let verdict = Verdict { plate, ..verdict(State::Dead, 0, true) };
        Equipment {
            gateway: GatewayId::new(gateway).unwrap(),
            closed: Some(Closed { order_sha256, ..closed() }),
            newest: Some(Told { verdict, at_unix_ms: 2_000, source: source(1) }),
            ..equipment_of("eaf-1")
        }
    };
    let order = Some(Digest::of(b"order"));
    let twice = |other| closures::twice(&surveyed(vec![gone("gw-1", order), gone("gw-2", other)]));
    assert!(twice(None).is_empty(), "anybody's claim takes no other plant's demolition away");
    assert_eq!(twice(order), plate.into_iter().collect());
}

#[test]
fn nothing_is_due_after_a_demolition_that_counts() {
    let begins = scope().from.starts_unix_ms();
    let day_ms = 86_400_000;
    let one = |closed| Equipment { witnessed_from_unix_ms: Some(0), closed, ..equipment_of("eaf-1") };
    let at = |days: i64| Closed { at_unix_ms: begins + days * day_ms, ..closed() };
    assert_eq!(one(None).due_ms(&scope()), Some(90 * day_ms));
    assert_eq!(one(Some(at(30))).due_ms(&scope()), Some(30 * day_ms));
    assert_eq!(one(Some(at(-1))).due_ms(&scope()), Some(0));
    let refused = Closed { order_sha256: None, ..at(30) };
    assert_eq!(one(Some(refused)).due_ms(&scope()), Some(90 * day_ms));
}

#[test]
fn what_is_gone_counts_for_what_its_nameplate_says_whatever_its_division_writes() {
    let entry = "steel-electric-furnace-up-to-30t";
    let text = format!(
        "division = \"130421\"\nversion = 1\norder = \"1\"\n[[target]]\nentry = \"{entry}\"\namount = 1000\nunit = \"t\"\n\
         [[equipment]]\nuscc = \"91350100M000100Y43\"\nasset = \"eaf-1\"\nentry = \"{entry}\"\ndeadline = 2011-12-31\n\
         amount = 1000\nunit = \"t\"\n"
    );
    let page = || vec![catalogue::breakdown::Page::parse("p.toml", &text).unwrap()];
    let gone = Equipment { closed: Some(closed()), ..equipment_of("eaf-1") };
    let surveyed = surveyed(vec![gone.clone()]);
    let stamped = |tons| {
        let lines = vec![Attribute::new("nominal_tonnage_t", PlateValue::Whole(tons)).unwrap()];
        let plate = Nameplate::new(lines).unwrap();
        Plates::from([((gone.gateway, gone.asset), beside::Plate { plate, source: source(77) })])
    };
    let rules = Rules::shipped().unwrap();
    let told = |plates: Plates| {
        let (sheet, _) = periodic::sheet(&surveyed, page(), (&rules, &plates), scope());
        let json = sheet.to_json();
        let rows = json["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["unit"]["en"] == "t").unwrap();
        (row["closed"].as_i64().unwrap(), row["remains"].as_i64().unwrap(), json["wrong"].to_string())
    };
    let (closed, remains, wrong) = told(stamped(25));
    assert_eq!((closed, remains), (25, 975));
    assert!(wrong.contains("is listed with 1000 t, and its nameplate says 25 t, which counts"), "{wrong}");
    let (closed, remains, wrong) = told(stamped(1_000));
    assert_eq!((closed, remains), (1_000, 0), "{wrong}");
    assert!(!wrong.contains("nameplate"), "{wrong}");
}
