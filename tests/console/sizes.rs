//! Fifty thousand pieces of equipment: every page stays small, is made on the server page by page, and both databases answer
//! alike.

use std::{collections::BTreeSet, fmt::Write as _};

use coldhearth::{
    evidence::LogId,
    host::{Clock as _, SystemClock},
    regulator::{
        alarms::{About, Alarm, Cause, Hush, Life, State},
        console::password,
        sight::{Said, Sight, Span},
        store::{
            AlarmBatch, Batch, SqliteStore, Store,
            inspections::{self, InspectionsAsked},
            people::{Person, Role},
            registry::KeysAsked,
            sights::{After, AskedAt, FleetAsked, Lane, Scope, Which},
        },
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, MeterId, Name, WattHours, place::Division},
};

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, head, people, sights_of},
    support::{Folder, authority::aside, postgres::Postgres},
};

/// Largest page, in bytes.
const MOST_BYTES: usize = 200_000;
/// Equipment behind one gateway.
const BEHIND_ONE: usize = 5;

/// So many pieces of equipment in all counties of a province, one day of intervals for some of them.
pub(crate) fn fill(store: &mut dyn Store, count: usize) {
    let gateways = count / BEHIND_ONE;
    for chunk in (0..gateways).collect::<Vec<_>>().chunks(500) {
        let mut batch = Batch::default();
        let mut logs = BTreeSet::new();
        for number in chunk {
            let gateway = GatewayId::new(&format!("gw-{number:05}")).unwrap();
            let log = LogId(*number as u64 + 1);
            let division = format!("13{:02}{:02}", number % 11 + 1, number % 20 + 1);
            for place in 0..BEHIND_ONE {
                let name = format!("eaf-{place}");
                let state = ["dead", "energised", "drawing", "unknown", "auxiliary"][place];
                batch.sights.extend(sights_of(gateway, log, &name, state));
                if number % 100 == 0 {
                    batch.sights.extend(day(gateway, log, &name));
                }
            }
            batch.heads.push(head(gateway, log, &division, (200, Digest::of(b"head")), NOW - 1_000));
            logs.insert((gateway, log));
        }
        batch.turns = store.begin(&logs).unwrap();
        store.commit(&batch).unwrap();
    }
}

/// So many alarms about that equipment, of every kind, priority and state that there is.
pub(crate) fn fill_alarms(store: &mut dyn Store, count: usize) {
    let alarm = |number: usize| {
        let about = About {
            cause: Cause::ALL[number % Cause::ALL.len()],
            division: Division::parse(&format!("13{:02}{:02}", number % 11 + 1, number % 20 + 1)).unwrap(),
            enterprise: None,
            gateway: GatewayId::new(&format!("gw-{:05}", number / BEHIND_ONE)),
            subject: Name::new(&format!("eaf-{}", number % BEHIND_ONE)),
        };
        // Most are told, as at any desk.
        let hush = if number % 10 < 7 { Hush::Open } else { Hush::ALL[number % 10 - 6] };
        let life = Life::ALL[number / 10 % 5 + 1];
        let raised_unix_ms = NOW - i64::try_from(number).unwrap() * 1_000;
        Alarm { state: State { life, hush }, raised_unix_ms, ..Alarm::unheard(about) }
    };
    for chunk in (0..count).collect::<Vec<_>>().chunks(1_000) {
        let alarms = chunk.iter().map(|number| alarm(*number)).collect();
        assert!(store.keep_alarms(&AlarmBatch { alarms, ..AlarmBatch::default() }).unwrap());
    }
}

/// A person of one county of that province.
pub(crate) fn county(store: &mut dyn Store) {
    let person = Person {
        name: Name::new("sun").unwrap(),
        role: Role::Officer,
        scope: Scope::parse("130404").unwrap(),
        password: password::hashed(PASSWORD).unwrap(),
        changed_unix_ms: 1,
    };
    assert!(store.add_person(&person).unwrap());
}

/// Every page there is, those of alarms by every filter.
const PAGES: [&str; 27] = [
    "/",
    "/?in=1304",
    "/?industry=Iron+and+steel",
    "/?due_by=2011-12-31",
    "/fleet",
    "/fleet?in=1301",
    "/fleet?lane=drawing",
    "/fleet?lane=unproven&due_by=2012-01-01",
    "/fleet?a_div=131120&a_gw=gw-00000&a_as=a",
    "/fleet?gateway=gw-09999",
    "/fleet.csv",
    "/asset/gw-00000/eaf-1?days=31",
    "/alarms",
    "/alarms?part=all",
    "/alarms?part=open&priority=high",
    "/alarms?kind=violation&part=latched",
    "/alarms?kind=tamper&priority=medium&part=acknowledged",
    "/alarms?kind=device_fault&part=out_of_service",
    "/alarms?part=shelved&in=1304",
    "/alarms?part=suppressed&kind=rule_data&priority=diagnostic",
    "/alarms?after=1794950300000.0000000000000000",
    "/alarms.csv?part=all",
    "/audit",
    "/audit?gateway=gw-00000",
    "/audit/keys",
    "/audit/keys?revoked=1",
    "/audit/seen",
];

/// Asks for every page as somebody, and tells how large each is and how long it took.
pub(crate) async fn look(browser: &Browser, who: &str) {
    let clock = SystemClock::default();
    for page in PAGES {
        let began = clock.now().uptime_ms;
        let answer = browser.get(page).await;
        let took = clock.now().uptime_ms - began;
        eprintln!("{page} ({who}): {} bytes, {took} ms", answer.body.len());
        // A county has no page of another, and an officer no look at who saw what.
        assert!([200, 400, 403, 404].contains(&answer.status), "{page}: {}", answer.status);
        assert!(answer.status == 200 || who.starts_with("county"), "{page} ({who}): {}", answer.status);
        assert!(answer.body.len() < MOST_BYTES, "{page}: {} bytes", answer.body.len());
    }
}

/// A day of intervals, some of which the registers do not tell.
fn day(gateway: GatewayId, log: LogId, asset: &str) -> Vec<Sight> {
    const QUARTER: i64 = 900_000;
    let span = |number: i64| Span {
        meter: MeterId::new("m-1").unwrap(),
        from_unix_ms: NOW - (96 - number) * QUARTER,
        to_unix_ms: NOW - (95 - number) * QUARTER,
        energy: (number % 7 > 0).then_some(WattHours(number * 10)),
        seen_ms: QUARTER,
        unseen_ms: 0,
    };
    let sight = |number: i64| Sight {
        gateway,
        log,
        seq: number.cast_unsigned() + 8,
        asset: AssetId::new(asset).unwrap(),
        wall_unix_ms: NOW - 1_000,
        received_unix_ms: NOW - 1_000,
        said: Said::Span(span(number)),
    };
    (0..96).map(sight).collect()
}

#[tokio::test]
async fn at_fifty_thousand_every_page_is_small_and_paged_on_the_server() {
    let desk = Desk::own_with("sizes", |store| {
        people(store);
        county(store);
        fill(store, 50_000);
        fill_alarms(store, 50_000);
    });
    for (who, language) in [("wang", "zh"), ("wang", "en"), ("sun", "zh")] {
        let mut browser = Browser::entered(desk.port, who, PASSWORD).await;
        browser.language = language;
        look(&browser, if who == "wang" { "nation" } else { "county" }).await;
    }
    let clock = SystemClock::default();
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    assert!(browser.get("/").await.text().contains("50000"), "all of them are counted");
    let began = clock.now().uptime_ms;
    let file = browser.get("/fleet.csv?whole=1").await.body;
    let took = clock.now().uptime_ms - began;
    eprintln!("the file of all: {} rows, {} bytes, {took} ms", file.lines().count() - 1, file.len());
    assert_eq!(file.lines().count(), 50_001);
    let began = clock.now().uptime_ms;
    let file = browser.get("/alarms.csv?part=all&whole=1").await.body;
    let took = clock.now().uptime_ms - began;
    eprintln!("the file of all alarms: {} rows, {} bytes, {took} ms", file.lines().count() - 1, file.len());
    assert_eq!(file.lines().count(), 50_001);
}

#[tokio::test]
async fn the_pages_one_after_another_are_the_whole_fleet_once() {
    let desk = Desk::open_with("pages", |store| {
        people(store);
        fill(store, 500);
    });
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let (mut address, mut seen) = ("/fleet".to_owned(), Vec::new());
    loop {
        let page = browser.get(&address).await.body;
        seen.extend(
            page.split("href=\"/asset/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()),
        );
        let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
        address = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), once.len()), (500, 500));
    // The file of everything has the same, once, and its filter holds.
    let file = browser.get("/fleet.csv?whole=1").await;
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert_eq!(file.body.lines().count(), 501, "and one head");
    let names: BTreeSet<&str> = file.body.lines().skip(1).collect();
    assert_eq!(names.len(), 500);
    let drawing = browser.get("/fleet.csv?lane=drawing&whole=1").await.body;
    assert_eq!(drawing.lines().count(), 101);
}

#[test]
fn both_databases_answer_alike() {
    let server = Postgres::shared();
    let database = server.database("console");
    let folder = Folder::new("console-alike");
    let mut sqlite = SqliteStore::open(&folder.0).unwrap();
    let one = answers(&mut sqlite);
    let other = aside(server.at(&database), answers);
    assert_eq!(one, other);
    assert!(one.contains("eaf-2") && one.contains("latched"), "{one}");
}

/// Everything a console asks, as text.
fn answers(store: &mut dyn Store) -> String {
    people(store);
    fill(store, 100);
    crate::desk::ours(store);
    // The same again changes nothing.
    crate::desk::ours(store);
    taken_out(store);
    let at = AskedAt { today: LegalDay::of_unix_ms(NOW), silent_before_unix_ms: NOW - 900_000 };
    let mut out = String::new();
    lists(store, at, &mut out);
    let nation = Scope::NATION;
    assert!(store.keep_tally(at).unwrap());
    writeln!(out, "{:?}", store.tally(&nation, at.today).unwrap()).unwrap();
    for (gateway, asset) in [of("gw-00000", "eaf-1"), of("gw-03", "eaf-2")] {
        let row = store.asset(&nation, gateway, asset).unwrap().unwrap();
        writeln!(out, "{row:?} {:?}", store.witnessed_from(&row, &nation).unwrap()).unwrap();
        writeln!(out, "{:?}", store.spans(&row, &nation, (NOW - 86_400_000, NOW), 3_600_000).unwrap())
            .unwrap();
        let story = store.story(&row, &nation, i64::MAX, 20).unwrap();
        let places: Vec<_> =
            story.iter().map(|(log, seq, record)| (log, seq, record.hash.to_string())).collect();
        writeln!(out, "{places:?}").unwrap();
    }
    looks_on_site(store, &mut out);
    // What its gateway has ceased to tell of is unproven on the screens, though it was last told to draw.
    let within = |lane| FleetAsked {
        scope: Scope::NATION,
        lane,
        enterprise: None,
        gateway: GatewayId::new("gw-08"),
        class: None,
        entries: None,
        due_by: None,
        after: After::default(),
        most: 9,
        at,
    };
    let [unproven] = &store.fleet(&within(Lane::Unproven)).unwrap()[..] else { panic!("one is unproven") };
    assert!(unproven.is_untold() && (unproven.gateway, unproven.asset) == of("gw-08", "taken-out"));
    assert_eq!(store.fleet(&within(Lane::Drawing)).unwrap(), []);
    let never = GatewayId::new("gw-never").unwrap();
    assert!(store.admit(never, &crate::support::voice::key_of(5), NOW).unwrap());
    let county = Scope::parse("130421").unwrap();
    assert_eq!(store.unheard(&Scope::NATION, 9).unwrap(), (1, vec![never]));
    assert_eq!(store.unheard(&county, 9).unwrap(), (0, vec![]), "nobody has said where it stands");
    assert!(store.say_where(never, Division::parse("130421").unwrap()).unwrap());
    assert!(!store.say_where(GatewayId::new("gw-none").unwrap(), Division::NATION).unwrap());
    assert_eq!(store.unheard(&county, 9).unwrap(), (1, vec![never]));
    assert_eq!(store.unheard(&Scope::parse("14").unwrap(), 9).unwrap(), (0, vec![]));
    registered(store, &mut out);
    overflowing(store);
    writeln!(out, "{unproven:?}").unwrap();
    writeln!(out, "{:?}", store.admitted_of(GatewayId::new("gw-03").unwrap()).unwrap()).unwrap();
    out
}

/// More than any number holds, told by signed intervals of one quarter: what is asked of all others is answered as ever.
fn overflowing(store: &mut dyn Store) {
    let (gateway, log) = (GatewayId::new("gw-07").unwrap(), LogId(77));
    let sight = |number: i64| Sight {
        gateway,
        log,
        seq: number.cast_unsigned(),
        asset: AssetId::new("huge").unwrap(),
        wall_unix_ms: NOW,
        received_unix_ms: NOW,
        said: Said::Span(Span {
            meter: MeterId::new(&format!("m-{number}")).unwrap(),
            from_unix_ms: NOW - 900_000,
            to_unix_ms: NOW,
            energy: Some(WattHours(9_007_199_254_740_000)),
            seen_ms: 9_007_199_254_740_000,
            unseen_ms: 9_007_199_254_740_000,
        }),
    };
    let mut batch = Batch { sights: (0..1_100).map(sight).collect(), ..Batch::default() };
    batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
    store.commit(&batch).unwrap();
    let row = store.asset(&Scope::NATION, gateway, AssetId::new("huge").unwrap()).unwrap().unwrap();
    let spans = store.spans(&row, &Scope::NATION, (NOW - 86_400_000, NOW), 900_000).unwrap();
    assert_eq!(spans[0].energy, Some(WattHours(i64::MAX)));
}

#[tokio::test]
async fn one_gateway_that_tells_more_than_a_number_holds_keeps_nobody_from_the_fleet() {
    let desk = Desk::open_with("overflow", |store| {
        people(store);
        crate::desk::ours(store);
        overflowing(store);
    });
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    for page in [
        "/fleet",
        "/fleet.csv?whole=1",
        "/asset/gw-07/huge",
        "/asset/gw-07/huge?days=31",
        "/asset/gw-07/huge/power.csv",
    ] {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.body);
    }
    assert!(browser.get("/fleet").await.text().contains("eaf-2"));
}

/// Keys, page by page, those that were revoked, and those of a county alone.
fn registered(store: &mut dyn Store, out: &mut String) {
    let never = GatewayId::new("gw-never").unwrap();
    let of = |scope: &str, is_revoked, after| KeysAsked {
        scope: Scope::parse(scope).unwrap(),
        is_revoked,
        after,
        most: 1,
    };
    let first = store.keys(&of("", false, None)).unwrap();
    let [only] = first[..] else { panic!("{first:?}") };
    let second = store.keys(&of("", false, Some((only.gateway, only.key.id())))).unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(store.keys(&of("14", false, None)).unwrap().is_empty());
    assert!(store.keys(&of("130421", true, None)).unwrap().is_empty());
    assert!(store.revoke(never, second[0].key.id(), NOW).unwrap());
    assert_eq!(store.keys(&of("130421", true, None)).unwrap()[0].gateway, never);
    writeln!(out, "{first:?} {:?}", store.keys(&of("1304", true, None)).unwrap()).unwrap();
    for gateway in ["gw-03", "gw-00000"] {
        let row = store.fleet(&asked_of(gateway)).unwrap().remove(0);
        let events = store.events(&row, &Scope::NATION, 0, 9).unwrap();
        writeln!(out, "{:?}", events.iter().map(|(log, seq, _)| (log, seq)).collect::<Vec<_>>()).unwrap();
    }
}

/// All behind one gateway.
fn asked_of(gateway: &str) -> FleetAsked {
    FleetAsked {
        scope: Scope::NATION,
        lane: Lane::All,
        enterprise: None,
        gateway: GatewayId::new(gateway),
        class: None,
        entries: None,
        due_by: None,
        after: After::default(),
        most: 9,
        at: AskedAt { today: LegalDay::of_unix_ms(NOW), silent_before_unix_ms: NOW - 900_000 },
    }
}

/// gw-08 speaks, and has told nothing of a furnace for hours.
fn taken_out(store: &mut dyn Store) {
    let (gateway, log) = (GatewayId::new("gw-08").unwrap(), LogId(8));
    let mut sights = sights_of(gateway, log, "taken-out", "drawing");
    sights.iter_mut().for_each(|sight| sight.received_unix_ms = NOW - 3 * 3_600_000);
    let mut batch = Batch { sights, ..Batch::default() };
    batch.heads = vec![head(gateway, log, "130421", (7, Digest::of(b"7")), NOW)];
    batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
    store.commit(&batch).unwrap();
}

/// Every list, by scope, lane and entries.
fn lists(store: &mut dyn Store, at: AskedAt, out: &mut String) {
    for scope in ["", "13", "1301", "130421", "14"].map(|digits| Scope::parse(digits).unwrap()) {
        for lane in Lane::ALL {
            let asked = FleetAsked {
                scope: scope.clone(),
                lane,
                enterprise: None,
                gateway: None,
                class: None,
                entries: None,
                due_by: LegalDay::parse("2012-01-01"),
                after: After { division: "130102".into(), gateway: "gw-00001".into(), asset: "eaf-3".into() },
                most: 30,
                at,
            };
            writeln!(out, "{} {:?}", lane.word(), store.fleet(&asked).unwrap()).unwrap();
            for entries in
                [vec![], vec!["guofa-2010-7 steel-electric-furnace-up-to-30t".to_owned(), String::new()]]
            {
                let asked = FleetAsked {
                    entries: Some(entries),
                    due_by: None,
                    after: After::default(),
                    ..asked.clone()
                };
                writeln!(out, "by entry {:?}", store.fleet(&asked).unwrap()).unwrap();
            }
        }
        let (steel, none) = (["guofa-2010-7 steel-electric-furnace-up-to-30t".to_owned(), String::new()], []);
        let days = [None, LegalDay::parse("2010-12-31"), LegalDay::parse("2011-12-31")];
        for (entries, due_by) in
            [None, Some(&steel[..]), Some(&none[..])].into_iter().zip(days.iter().cycle())
        {
            for which in [Which { entries, due_by: None }, Which { entries: None, due_by: *due_by }] {
                writeln!(out, "{:?}", store.numbers(&scope, which, at).unwrap()).unwrap();
                writeln!(out, "{:?}", store.latched(&scope, which, 5).unwrap()).unwrap();
                let from = LegalDay::parse("2011-01-01").unwrap();
                writeln!(out, "{:?}", store.calendar(&scope, which, from, 12).unwrap()).unwrap();
            }
        }
        writeln!(out, "{:?}", store.ages(&scope, at.silent_before_unix_ms).unwrap()).unwrap();
        writeln!(out, "{:?}", store.tally(&scope, at.today).unwrap()).unwrap();
    }
}

fn of(gateway: &str, asset: &str) -> (GatewayId, AssetId) {
    (GatewayId::new(gateway).unwrap(), AssetId::new(asset).unwrap())
}

/// Looks on site: outside the scope none is asked for or reported on, inside it each once.
fn looks_on_site(store: &mut dyn Store, out: &mut String) {
    let li = Name::new("li").unwrap();
    let said = |what: &str| inspections::Said { who: li, at_unix_ms: NOW, what: what.to_owned() };
    for scope in [Scope::parse("14").unwrap(), Scope::NATION, Scope::NATION] {
        let (gateway, asset) = of("gw-03", "eaf-2");
        writeln!(out, "{}", store.ask_inspection(&scope, gateway, asset, &said("冒烟")).unwrap()).unwrap();
        writeln!(out, "{}", store.answer_inspection(&scope, 1, &said("冷炉")).unwrap()).unwrap();
    }
    for is_open in [true, false] {
        for (scope, asset) in [
            (&Scope::NATION, None),
            (&Scope::NATION, Some(of("gw-03", "eaf-2"))),
            (&Scope::parse("14").unwrap(), None),
        ] {
            let asked = InspectionsAsked { scope: scope.clone(), asset, is_open, before: u64::MAX, most: 9 };
            writeln!(out, "{:?}", store.inspections(&asked).unwrap()).unwrap();
        }
    }
}
