//! Machines and meters across plants: what does not go together is found once, whoever keeps the records, in whatever
//! order they come, and is kept with both records or not at all.

mod older;

use std::{collections::BTreeSet, io::Cursor};

use coldhearth::{
    catalogue::{
        Attribute, Nameplate, Phase, PlateSource, Standing,
        plate::{MAKER, PlateValue, SERIAL},
    },
    evidence::{
        Body,
        lineage::{ClashKind, Located, MAX_GATEWAYS_OF_ONE, MAX_OF_KIND_BY_GATEWAY},
        record::Unverified,
    },
    judge::{Event, Finding, MeterTold, PlateRead, Shares, SignSet, State, Verdict},
    metering::{Identity, identity::Label},
    regulator::{
        archive,
        collector::Collector,
        inspect::inspect,
        prune::prune,
        store::{Asked, KeptFinding, StoreFault},
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, MeterId, Name, WattHours, time::DAY_MS},
};

use crate::{
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, Voice, at, beat, key_of},
    take,
};

fn gateway(name: &str) -> GatewayId {
    GatewayId::new(name).unwrap()
}

/// An empty store that has admitted gateways `gw-1` and so on, by the key of the same number.
fn home_of(homes: Homes, name: &str, gateways: u8) -> Home {
    let home = homes.open(name);
    for number in 1..=gateways {
        assert!(home.store().admit(gateway(&format!("gw-{number}")), &key_of(number), NOW).unwrap());
    }
    home
}

/// A gateway of a county.
fn voice(number: u8, division: &'static str) -> Voice {
    voice_of_log(number, division, u64::from(number))
}

fn voice_of_log(number: u8, division: &'static str, log: u64) -> Voice {
    Voice::of(gateway(&format!("gw-{number}")), division, (log, 0, number))
}

fn said(event: Event) -> Body {
    Body::Finding(Finding::Event(event))
}

/// The declared plate of an arc furnace; up to 30 t it is in scope.
fn plate(asset: &str, serial: &str, tonnes: i64) -> Body {
    let text = |name: &str, value: &str| Attribute::new(name, PlateValue::Text(value.into())).unwrap();
    let plate = Nameplate::new(vec![
        text("equipment_kind", "electric_furnace"),
        text("furnace_product", "steel"),
        text(MAKER, "西安电炉厂"),
        text(SERIAL, serial),
        Attribute::new("nominal_tonnage_t", PlateValue::Whole(tonnes)).unwrap(),
    ]);
    let asset = AssetId::new(asset).unwrap();
    said(Event::Plate(PlateRead {
        asset,
        source: PlateSource::Declared,
        before: None,
        plate: plate.unwrap(),
    }))
}

fn meter(serial: &str) -> Body {
    let label = |text: &str| Label::new(text.as_bytes());
    let after = Identity { model: label("UMG 604"), serial: label(serial), ..Identity::default() };
    said(Event::Meter(MeterTold { meter: MeterId::new("m1").unwrap(), before: None, after, permit: None }))
}

fn verdict(asset: &str, state: State, decommissioned_on: Option<&str>, phase: Option<Phase>) -> Body {
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new(asset).unwrap(),
        state,
        since: at(0),
        standing: Standing::declared(decommissioned_on.and_then(LegalDay::parse)),
        phase,
        violation_since_unix_ms: None,
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::default(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

fn findings(home: &Home) -> Vec<KeptFinding> {
    home.store().findings_after((i64::MIN, None), 1_000).unwrap()
}

fn kinds(home: &Home) -> Vec<ClashKind> {
    let mut kinds: Vec<ClashKind> = findings(home).iter().map(|finding| finding.kind).collect();
    kinds.sort();
    kinds
}

/// A furnace in one county, then in another.
fn moved() -> Vec<Vec<u8>> {
    let (mut here, mut there) = (voice(1, "130421"), voice(2, "140525"));
    let mut lines = vec![here.genesis(1, None), here.say(&plate("eaf-2", "XT-2008/0417", 25))];
    there.wait_until(50);
    lines.extend([there.genesis(2, None), there.say(&plate("furnace", "xt 2008 0417", 40))]);
    lines
}

fn a_machine_that_comes_up_elsewhere_is_found_once_with_both_records_in_any_order(homes: Homes) {
    for order in [[0, 1, 2, 3], [2, 3, 0, 1], [1, 3, 0, 2], [3, 1, 2, 0]] {
        let home = home_of(homes, "moved", 2);
        let lines = moved();
        let mut collector = open(&home);
        let mut told = 0;
        for place in order {
            told += take(&mut collector, [&lines[place]]).found.findings.iter().sum::<u64>();
        }
        assert_eq!(told, 2, "told with the record that shows it: {order:?}");
        take(&mut collector, &lines);
        let mut again = open(&home);
        take(&mut again, &lines);
        let found = findings(&home);
        assert_eq!(kinds(&home), [ClashKind::Transfer, ClashKind::RatingEdited], "{order:?}");
        for finding in &found {
            let [first, second] = &finding.halves;
            assert_eq!(
                (&first.bytes, &second.bytes),
                (&lines[1], &lines[3]),
                "to the byte, the earlier first"
            );
            for (half, seed) in finding.halves.iter().zip([1, 2]) {
                let record = Unverified::read(&half.bytes).unwrap().verify(&key_of(seed)).unwrap();
                let named = (record.header.gateway, record.header.log, record.header.seq, record.hash);
                assert_eq!(named, (half.gateway, half.log, half.seq, half.hash));
            }
            assert_eq!(home.store().finding(finding.id).unwrap().as_ref(), Some(finding));
        }
    }
}

fn honest_plants_are_found_nothing_of(homes: Homes) {
    let home = home_of(homes, "honest", 4);
    let mut collector = open(&home);
    let (mut one, mut two) = (voice(1, "130421"), voice(2, "130421"));
    let mut lines = vec![one.genesis(1, None), two.genesis(2, None)];
    // Two gateways of one site read one meter and watch one furnace; the furnace was sold to nobody.
    lines.extend([one.say(&meter("4700-1234")), two.say(&meter("4700-1234"))]);
    lines.extend([one.say(&plate("eaf-2", "XT20080417", 25)), two.say(&plate("eaf-2", "XT20080417", 25))]);
    // A lawful furnace, too large to be in scope, was sold; factories leave zeros in two meters.
    let (mut three, mut four) = (voice(3, "140525"), voice(4, "150102"));
    lines.extend([three.genesis(3, None), four.genesis(4, None)]);
    lines.extend([
        three.say(&plate("eaf-7", "XT20090001", 100)),
        four.say(&plate("eaf-1", "XT20090001", 100)),
    ]);
    lines.extend([three.say(&meter("00000000")), four.say(&meter("00000000"))]);
    // The first gateway lost its journal and begins a new log in the same place.
    let mut anew = voice_of_log(1, "130421", 77);
    anew.wait_until(200);
    lines.extend([anew.genesis(1, None), anew.say(&meter("4700-1234"))]);
    lines.push(anew.say(&plate("eaf-2", "XT20080417", 25)));
    // It was shut down in time, and draws under no permit before.
    let phase = Some(Phase::PreDeadline);
    lines.push(anew.say(&verdict("eaf-2", State::Drawing, Some("2027-12-31"), phase)));
    lines.push(anew.say(&verdict("eaf-2", State::Dead, Some("2011-12-31"), Some(Phase::Overdue))));
    take(&mut collector, &lines);
    assert_eq!(findings(&home), []);
}

fn one_meter_in_two_counties_one_machine_twice_and_an_eliminated_one_that_draws_are_found(homes: Homes) {
    let home = home_of(homes, "each", 2);
    let mut collector = open(&home);
    let (mut one, mut two) = (voice(1, "130421"), voice(2, "140525"));
    take(&mut collector, &[one.genesis(1, None), one.say(&meter("4700-1234"))]);
    take(&mut collector, &[two.genesis(2, None), two.say(&meter("4700-1234"))]);
    assert_eq!(kinds(&home), [ClashKind::MeterTwice]);
    take(&mut collector, &[one.say(&plate("eaf-2", "XT20080417", 25))]);
    take(&mut collector, &[one.say(&plate("eaf-3", "XT20080417", 25))]);
    assert_eq!(kinds(&home), [ClashKind::MeterTwice, ClashKind::ListedTwice]);
    let overdue = Some(Phase::Overdue);
    let eliminated = one.say(&verdict("eaf-2", State::Dead, Some("2011-12-31"), overdue));
    take(&mut collector, [&eliminated]);
    take(&mut collector, &[one.say(&verdict("eaf-2", State::Energised, Some("2011-12-31"), overdue))]);
    assert_eq!(findings(&home).len(), 2, "at rest it contradicts nothing");
    let draws = one.say(&verdict("eaf-2", State::Drawing, Some("2011-12-31"), overdue));
    take(&mut collector, [&draws]);
    for _ in 0..3 {
        take(&mut collector, &[one.say(&verdict("eaf-2", State::Drawing, Some("2011-12-31"), overdue))]);
    }
    let found = findings(&home);
    let found: Vec<_> = found.iter().filter(|finding| finding.kind == ClashKind::EliminatedDraws).collect();
    assert_eq!(found.len(), 1, "once");
    assert_eq!((&found[0].halves[0].bytes, &found[0].halves[1].bytes), (&eliminated, &draws));
}

fn of_two_collectors_at_the_same_moment_one_finds_what_clashes(homes: Homes) {
    const MACHINES: u32 = 24;
    let home = home_of(homes, "moment", 2);
    std::thread::scope(|scope| {
        for (number, division) in [(1, "130421"), (2, "140525")] {
            let home = &home;
            scope.spawn(move || {
                let mut collector = open(home);
                let mut voice = voice(number, division);
                take(&mut collector, &[voice.genesis(number, None)]);
                for machine in 0..MACHINES {
                    let body = plate(&format!("eaf-{machine}"), &format!("XT-{machine:02}/0417"), 25);
                    take(&mut collector, &[voice.say(&body)]);
                }
            });
        }
    });
    assert_eq!(kinds(&home), vec![ClashKind::Transfer; MACHINES as usize]);
}

fn record_and_finding_are_kept_together_or_not_at_all(homes: Homes) {
    let home = home_of(homes, "together", 2);
    let lines = moved();
    let mut collector = open(&home);
    take(&mut collector, &lines[..3]);
    let (break_it, mend_it) = match homes {
        Homes::Sqlite => (
            "create trigger broken before insert on finding begin select raise(abort, 'broken'); end",
            "drop trigger broken",
        ),
        Homes::Postgres => (
            "create function broken() returns trigger language plpgsql as 'begin raise ''broken''; end';
             create trigger broken before insert on finding for each row execute function broken()",
            "drop trigger broken on finding",
        ),
    };
    home.sql(break_it);
    let messages = [(crate::support::voice::TOPIC, lines[3].as_slice())];
    let fault = collector.take(&messages, NOW).unwrap_err();
    assert!(matches!(fault, StoreFault::Failed(_)), "{fault:?}");
    drop(collector);
    let spot = (gateway("gw-2"), coldhearth::evidence::LogId(2), 1);
    let kept = |home: &Home| home.store().kept_at(&BTreeSet::from([spot])).unwrap().len();
    assert_eq!((kept(&home), findings(&home).len()), (0, 0), "not even the record");
    home.sql(mend_it);
    let mut collector = open(&home);
    take(&mut collector, &lines[3..]);
    assert_eq!((kept(&home), findings(&home).len()), (1, 2));
}

/// A meter that leaves its county with the authority's paper and comes up in another.
fn left_with_a_paper() -> Vec<Vec<u8>> {
    let (mut here, mut there) = (voice(1, "130421"), voice(2, "140525"));
    let label = |text: &str| Label::new(text.as_bytes());
    let of = |serial| Identity { model: label("UMG 604"), serial: label(serial), ..Identity::default() };
    let replaced = said(Event::Meter(MeterTold {
        meter: MeterId::new("m1").unwrap(),
        before: Some(of("4700-1234")),
        after: of("4700-9876"),
        permit: Name::new("paper-7"),
    }));
    let mut lines = vec![here.genesis(1, None), here.say(&meter("4700-1234")), here.say(&replaced)];
    lines.push(here.say(&meter("4700-1234")));
    there.wait_until(50);
    lines.extend([there.genesis(2, None), there.say(&meter("4700-1234"))]);
    lines
}

fn a_paper_excuses_what_goes_with_it_whether_it_comes_before_or_after(homes: Homes) {
    for order in [[0, 1, 2, 4, 5], [0, 1, 4, 5, 2], [4, 5, 0, 2, 1], [5, 2, 1, 4, 0], [2, 1, 0, 5, 4]] {
        let home = home_of(homes, "excused", 2);
        let lines = left_with_a_paper();
        let mut collector = open(&home);
        let (mut told, mut excused) = (0, 0);
        for place in order {
            let found = take(&mut collector, [&lines[place]]).found;
            (told, excused) = (told + found.findings.iter().sum::<u64>(), excused + found.excused);
            if order == [0, 1, 4, 5, 2] && place == 5 {
                assert!(findings(&home)[0].excuse.is_none(), "the paper has not come yet");
            }
        }
        assert_eq!((told, excused), (u64::from(order == [0, 1, 4, 5, 2]), 1), "{order:?}");
        let found = findings(&home);
        assert_eq!(kinds(&home), [ClashKind::MeterTwice]);
        let shown: Vec<&[u8]> = found[0].records().map(|record| record.bytes.as_slice()).collect();
        assert_eq!(shown, [&lines[1], &lines[5], &lines[2]], "both, and the paper: {order:?}");
        assert_eq!(home.store().finding(found[0].id).unwrap().as_ref(), Some(&found[0]));
        // It was back before it came up elsewhere, and nobody had a paper for that.
        let found = take(&mut collector, [&lines[3]]).found;
        assert_eq!((found.findings.iter().sum::<u64>(), found.excused), (1, 0));
        let found = findings(&home);
        assert_eq!((found.len(), &found[0].excuse), (1, &None));
        assert_eq!((&found[0].halves[0].bytes, &found[0].halves[1].bytes), (&lines[3], &lines[5]));
        let inspected = inspect(&mut *home.store(), &key_of(9), &[], (184, NOW + DAY_MS)).unwrap();
        assert_eq!((inspected.wrongs, inspected.findings), (0, 1), "{inspected:?}");
    }
}

fn a_paper_moves_with_a_copy_and_is_checked(homes: Homes) {
    let home = home_of(homes, "paper", 2);
    let lines = left_with_a_paper();
    take(&mut open(&home), lines[..3].iter().chain(&lines[4..]));
    let mut copy = Vec::new();
    archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    let other = if homes == Homes::Sqlite { Homes::Postgres } else { Homes::Sqlite };
    let there = other.open("paper-there");
    archive::restore(&mut *there.store(), &mut Cursor::new(&copy)).unwrap();
    assert_eq!(findings(&there), findings(&home));
    assert!(findings(&there)[0].excuse.is_some());
    let wrongs =
        |home: &Home| inspect(&mut *home.store(), &key_of(9), &[], (184, NOW + DAY_MS)).unwrap().wrongs;
    assert_eq!((wrongs(&home), wrongs(&there)), (0, 0));
    there.sql("update finding set excuse_bytes = first_bytes");
    assert_eq!(wrongs(&there), 1);
}

fn a_finding_outlives_its_logs_and_moves_with_a_copy(homes: Homes) {
    let home = home_of(homes, "outlives", 2);
    let mut lines = moved();
    let mut one = voice(1, "130421");
    one.genesis(1, None);
    one.say(&plate("eaf-2", "XT-2008/0417", 25));
    lines.extend((0..5).map(|_| one.say(&beat())));
    take(&mut open(&home), &lines);
    let found = findings(&home);
    let now = NOW + 400 * DAY_MS;
    assert_eq!(prune(&mut *home.store(), &[], LegalDay::of_unix_ms(NOW + DAY_MS), 184, now).unwrap(), 2);
    let log = (gateway("gw-1"), coldhearth::evidence::LogId(1));
    let left: Vec<u64> =
        home.store().records_from(log, 0, 100).unwrap().iter().map(|(seq, _)| *seq).collect();
    assert_eq!(left, [0, 1, 6], "genesis, what is mentioned, and the head");
    let inspected =
        |home: &Home| inspect(&mut *home.store(), &key_of(9), &[], (184, NOW + 500 * DAY_MS)).unwrap();
    let inspection = inspected(&home);
    assert_eq!((inspection.wrongs, inspection.findings), (0, 2), "{inspection:?}");
    let mut copy = Vec::new();
    let copied = archive::backup(&mut *home.store(), &mut copy, NOW).unwrap();
    assert_eq!(copied.findings, 2);
    let other = if homes == Homes::Sqlite { Homes::Postgres } else { Homes::Sqlite };
    let there = other.open("outlives-there");
    archive::restore(&mut *there.store(), &mut Cursor::new(&copy)).unwrap();
    assert_eq!(findings(&there), found);
    let mut again = Vec::new();
    archive::backup(&mut *there.store(), &mut again, NOW).unwrap();
    assert!(again == copy, "a copy of the copy is the copy");
    // There it goes on: what was mentioned is known, and what was found is found once.
    let mut three = Voice::of(gateway("gw-3"), "150102", (3, 0, 3));
    there.store().admit(gateway("gw-3"), &key_of(3), NOW).unwrap();
    three.wait_until(90);
    let third = [three.genesis(3, None), three.say(&plate("a", "XT20080417", 25))];
    let mut collector = open(&there);
    take(&mut collector, &lines);
    take(&mut collector, &third);
    let transfers = kinds(&there).into_iter().filter(|kind| *kind == ClashKind::Transfer).count();
    assert_eq!(transfers, 3, "three places are three pairs");
    // Whoever changes what a finding holds is found out.
    home.sql("update finding set second_bytes = first_bytes where kind = 'transfer'");
    let inspection = inspected(&home);
    assert!(inspection.wrong.iter().any(|wrong| wrong.contains("finding")), "{inspection:?}");
}

fn a_gateway_that_names_more_than_there_can_be_is_counted_and_drowns_nobody(homes: Homes) {
    let many = u8::try_from(MAX_GATEWAYS_OF_ONE).unwrap() + 2;
    let home = home_of(homes, "many", many);
    let mut collector = open(&home);
    let mut hostile = voice(1, "130421");
    let mut lines = vec![hostile.genesis(1, None)];
    let names = 0..MAX_OF_KIND_BY_GATEWAY / 2 + 30;
    lines.extend(names.clone().map(|name| hostile.say(&plate("eaf-2", &format!("XT9{name:05}"), 25))));
    lines.extend(names.map(|name| hostile.say(&plate("eaf-3", &format!("XT8{name:05}"), 25))));
    let mut dropped = 0;
    for chunk in lines.chunks(64) {
        dropped += take(&mut collector, chunk).found.dropped;
    }
    // Each plate mentions a nameplate and a machine.
    assert_eq!(dropped, 2 * 60);
    take(&mut collector, &lines);
    assert_eq!(kinds(&home), []);
    // A number that everybody has is a factory's.
    let (mut dropped, mut found) = (0, 0);
    for number in 2..=many {
        let mut voice = voice(number, if number % 2 == 0 { "140525" } else { "150102" });
        let tally = take(&mut collector, &[voice.genesis(number, None), voice.say(&meter("26000001"))]);
        (dropped, found) = (dropped + tally.found.dropped, found + tally.found.findings.iter().sum::<u64>());
    }
    assert_eq!((dropped, found), (1, 1), "two places, and one gateway too many");
}

over_both!(
    a_paper_excuses_what_goes_with_it_whether_it_comes_before_or_after,
    a_paper_moves_with_a_copy_and_is_checked,
    a_machine_that_comes_up_elsewhere_is_found_once_with_both_records_in_any_order,
    honest_plants_are_found_nothing_of,
    one_meter_in_two_counties_one_machine_twice_and_an_eliminated_one_that_draws_are_found,
    of_two_collectors_at_the_same_moment_one_finds_what_clashes,
    record_and_finding_are_kept_together_or_not_at_all,
    a_finding_outlives_its_logs_and_moves_with_a_copy,
    a_gateway_that_names_more_than_there_can_be_is_counted_and_drowns_nobody,
);
