//! What screens show of equipment is held against the records, whoever changed it is found out, and it can be made anew.

use coldhearth::{
    catalogue::{Attribute, Nameplate, Phase, PlateSource, Standing, plate::PlateValue},
    evidence::{Body, LogId},
    judge::{Event, Finding, Interval, PlateRead, Shares, SignSet, State, Verdict},
    regulator::{
        inspect::{Inspection, inspect},
        prune::prune,
        reindex::reindex,
        store::sights::Scope,
    },
    terms::{AssetId, LegalDay, MeterId, WattHours, time::DAY_MS},
};

use crate::{
    home_admitting,
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, Voice, at, beat, gateway, key_of},
    take,
};

const QUARTER_S: u64 = 900;

fn plate(asset: &str) -> Body {
    let kind = Attribute::new("equipment_kind", PlateValue::Text("electric_furnace".into())).unwrap();
    Body::Finding(Finding::Event(Event::Plate(PlateRead {
        asset: AssetId::new(asset).unwrap(),
        source: PlateSource::Declared,
        before: None,
        plate: Nameplate::new(vec![kind]).unwrap(),
    })))
}

fn verdict(asset: &str, state: State) -> Body {
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new(asset).unwrap(),
        state,
        since: at(0),
        standing: Standing::declared(LegalDay::parse("2012-12-31")),
        phase: Some(Phase::Overdue),
        violation_since_unix_ms: (state == State::Drawing).then_some(NOW),
        energy_overdue: WattHours(700),
        energy_closed: WattHours(0),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

fn interval(asset: &str, quarter: u64, energy: Option<i64>) -> Body {
    Body::Finding(Finding::Interval(Interval {
        meter: MeterId::new("m-1").unwrap(),
        asset: AssetId::new(asset).unwrap(),
        start: at(quarter * QUARTER_S),
        end: at((quarter + 1) * QUARTER_S),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        late_bridged_ms: 0,
        energy: energy.map(WattHours),
        bound: WattHours(0),
        reads_ok: 900,
        reads_failed: 0,
        before: None,
        after: None,
        windows: None,
        fingerprint: None,
        commissioning: None,
        plate: None,
    }))
}

/// A furnace that draws and one that rests, behind one gateway, with some intervals each.
fn furnished(homes: Homes, name: &str) -> Home {
    let home = home_admitting(homes, name);
    let mut voice = Voice::new(5, 0, 7);
    let mut lines = vec![voice.genesis(7, None), voice.say(&plate("eaf-1"))];
    for quarter in 0..6 {
        lines.push(voice.say(&interval("eaf-1", quarter, Some(250))));
        lines.push(voice.say(&interval("eaf-2", quarter, (quarter != 3).then_some(0))));
        lines.push(voice.say(&verdict("eaf-1", State::Drawing)));
        lines.push(voice.say(&verdict("eaf-2", State::Energised)));
    }
    lines.push(voice.say(&beat()));
    assert_eq!(take(&mut open(&home), &lines).records, lines.len() as u64);
    home
}

fn inspected(home: &Home) -> Inspection {
    inspect(&mut *home.store(), &key_of(9), &[], (184, NOW + 500 * DAY_MS)).unwrap()
}

fn what_screens_show_is_held_against_the_records_and_made_anew(homes: Homes) {
    let home = furnished(homes, "index");
    let whole = inspected(&home);
    assert_eq!((whole.wrongs, whole.index.assets, whole.index.spans), (0, 2, 12), "{whole:?}");
    for (sql, told) in [
        (
            "update asset set state = 'dead', violation_since_unix_ms = null, overdue_wh = 0 where asset = 'eaf-1'",
            "eaf-1: its state is not that of the newest verdict",
        ),
        ("update asset set overdue_wh = 699 where asset = 'eaf-2'", "eaf-2: its state is not that"),
        ("update asset set verdict_seq = 4 where asset = 'eaf-1'", "eaf-1: its state is not that"),
        ("delete from asset where asset = 'eaf-1'", "eaf-1: is on no screen"),
        ("update asset set division = '140105' where asset = 'eaf-1'", "eaf-1: it stands elsewhere"),
        ("update asset set plate_log = '', plate_seq = -1", "eaf-1: its nameplate is not the newest"),
        ("update asset set seen_unix_ms = seen_unix_ms + 1", "it was not last told of when"),
        ("update asset set order_id = 'order-9', rung = 'verified'", "its order does not stand where"),
        ("update asset set asset = 'eaf-9' where asset = 'eaf-2'", "eaf-9: no record tells of it"),
        (
            "insert into asset (gateway, asset) values ('gw-ghost', 'eaf-1')",
            "1 pieces of equipment are shown of gateways that have no log",
        ),
        ("delete from span where asset = 'eaf-1'", "is not drawn as it is told"),
        ("update span set energy_wh = 0 where energy_wh is null", "eaf-2: the interval of"),
        ("update span set seen_ms = 0 where energy_wh = 250", "is not drawn as it is told"),
        (
            "insert into span select gateway, asset, from_unix_ms + 1, meter, log, seq, to_unix_ms, 9, 1, 1 from span
             where energy_wh is null",
            "1 intervals are drawn that no record tells",
        ),
    ] {
        home.sql(sql);
        let found = inspected(&home);
        assert!(found.wrongs > 0 && found.wrongs == found.index.wrongs, "{sql}: {found:?}");
        assert!(found.wrong.iter().any(|wrong| wrong.contains(told)), "{sql}: {found:?}");
        assert_eq!(reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap(), 1);
        assert_eq!(inspected(&home), whole, "{sql}");
    }
}

fn an_index_that_is_not_whole_is_said_not_to_be_compared(homes: Homes) {
    let home = furnished(homes, "index-part");
    home.store().unindex().unwrap();
    let found = inspected(&home);
    assert_eq!((found.wrongs, found.index.reading), (0, Some((1, 1))), "{found:?}");
    assert_eq!((found.index.assets, found.index.spans), (0, 0));
    // Whoever serves next reads it: what was begun is no loss.
    let mut collector = open(&home);
    while home.store().unindexed_logs().unwrap().is_some() {
        collector.look_through(NOW).unwrap();
    }
    assert_eq!((inspected(&home).index.assets, inspected(&home).wrongs), (2, 0));
}

fn a_log_without_its_genesis_is_read_again_too(homes: Homes) {
    let home = home_admitting(homes, "index-headless");
    let mut voice = Voice::new(5, 0, 7);
    let _lost = voice.genesis(7, None);
    let said = voice.say(&verdict("eaf-1", State::Drawing));
    let mut collector = open(&home);
    take(&mut collector, [&said]);
    let shown = |home: &Home| -> usize {
        let asset = AssetId::new("eaf-1").unwrap();
        home.store().asset(&Scope::NATION, gateway(), asset).unwrap().into_iter().count()
    };
    let before = shown(&home);
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(shown(&home), before);
    assert_eq!(inspected(&home).wrongs, 0);
}

fn what_is_pruned_is_neither_missed_nor_made_up(homes: Homes) {
    let home = furnished(homes, "index-pruned");
    let now = NOW + 400 * DAY_MS;
    assert_eq!(prune(&mut *home.store(), &[], LegalDay::of_unix_ms(NOW + DAY_MS), 184, now).unwrap(), 1);
    let found = inspected(&home);
    assert_eq!((found.wrongs, found.index.wrongs, found.index.spans), (0, 0, 0), "{found:?}");
    reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
    assert_eq!(inspected(&home).wrongs, 0);
    let left = home.store().records_from((gateway(), LogId(5)), 0, 99).unwrap();
    assert!(left.iter().all(|(_, record)| record.kind != "interval"), "what was pruned is not drawn again");
}

over_both!(
    what_screens_show_is_held_against_the_records_and_made_anew,
    an_index_that_is_not_whole_is_said_not_to_be_compared,
    a_log_without_its_genesis_is_read_again_too,
    what_is_pruned_is_neither_missed_nor_made_up,
);
