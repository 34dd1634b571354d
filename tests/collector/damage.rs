//! Every table that `store verify` claims to hold, damaged by hand: each time it says where, and what; over each database.

use coldhearth::{
    catalogue::{
        Attribute, Nameplate, PlateSource, Standing,
        plate::{MAKER, PlateValue, SERIAL},
    },
    evidence::Body,
    judge::{Event, Finding, PlateRead, Shares, SignSet, State, Verdict},
    regulator::{inspect::inspect, reindex::reindex},
    terms::{AssetId, WattHours, time::DAY_MS},
};

use crate::{
    admitted,
    homes::{Home, Homes},
    open, over_both, receipt,
    support::voice::{NOW, TOPIC, Voice, at, beat, key_of},
    take,
};

fn plate(asset: &str) -> Body {
    let text = |name: &str, value: &str| Attribute::new(name, PlateValue::Text(value.into())).unwrap();
    let lines = vec![
        text("equipment_kind", "electric_furnace"),
        text(MAKER, "西安电炉厂"),
        text(SERIAL, "XT-2008/0417"),
    ];
    Body::Finding(Finding::Event(Event::Plate(PlateRead {
        asset: AssetId::new(asset).unwrap(),
        source: PlateSource::Declared,
        before: None,
        plate: Nameplate::new(lines).unwrap(),
    })))
}

fn verdict(since_unix_ms: Option<i64>, energy_wh: i64) -> Body {
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new("eaf-2").unwrap(),
        state: if since_unix_ms.is_some() { State::Drawing } else { State::Energised },
        since: at(0),
        standing: Standing::default(),
        phase: None,
        violation_since_unix_ms: since_unix_ms,
        energy_overdue: WattHours(energy_wh),
        energy_closed: WattHours(energy_wh),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

/// A gateway convicted in a log that it has left for another, with all that a store keeps of it.
fn furnished(homes: Homes, name: &str) -> Home {
    let (home, mut collector) = admitted(homes, name);
    let mut old = Voice::new(5, 0, 7);
    let since = Some(at(1).wall_unix_ms);
    let mut lines = vec![old.genesis(7, None), old.say(&plate("eaf-2")), old.say(&verdict(None, 0))];
    lines.push(old.rotate(8));
    lines.extend([old.say(&verdict(since, 500)), old.say(&verdict(since, 900)), old.say(&beat())]);
    take(&mut collector, &lines);
    assert!(receipt(&mut collector).is_some());
    let mut new = Voice::new(6, 0, 7);
    new.wait_until(100);
    let tail = [new.genesis(7, None), new.say(&verdict(None, 0)), new.say(&verdict(None, 0))];
    let messages: Vec<_> = tail.iter().map(|line| (TOPIC, line.as_slice())).collect();
    assert_eq!(collector.take(&messages, NOW + 1_000).unwrap().records, 3);
    collector.alarm_round(true, NOW).unwrap();
    assert!(collector.head_of_heads(NOW + DAY_MS).unwrap().is_some());
    assert!(collector.head_of_heads(NOW + 2 * DAY_MS).unwrap().is_some());
    collector.add_up(NOW + 2 * DAY_MS).unwrap();
    home
}

fn wrong(home: &Home) -> Vec<String> {
    inspect(&mut *home.store(), &key_of(9), &[], (184, NOW + 9 * DAY_MS)).unwrap().wrong
}

/// What is done to the store, and what is said of it.
const DAMAGE: [(&str, &str); 22] = [
    ("delete from gateway", "nobody vouches for its key"),
    ("delete from record where log = '0000000000000005' and seq = 2", "the head that is kept, #6"),
    (
        "update record set received_unix_ms = received_unix_ms, wall_unix_ms = wall_unix_ms + 1 where seq = 1",
        "are kept otherwise",
    ),
    ("update record set kind = 'state' where kind = 'verdict' and seq = 4", "are kept otherwise"),
    ("update record set asset = 'eaf-9' where kind = 'verdict' and seq = 4", "are kept otherwise"),
    (
        "update record set hash = '00' || substr(hash, 3) where seq = 1 and log = '0000000000000006'",
        "the hash that is kept is another",
    ),
    (
        "delete from log where log = '0000000000000005'",
        "the head that is kept, none, is not that of the records, #6",
    ),
    ("update log set seq = 5 where log = '0000000000000005'", "the head that is kept, #5"),
    ("update log set division = '140105'", "its genesis says 91350100M000100Y43 in 130421"),
    ("delete from epoch where epoch = 1", "the key of epoch 1 is not kept as its records certify it"),
    ("update epoch set from_seq = from_seq + 1 where epoch = 1", "the key of epoch 1 is not kept"),
    ("update receipt set seq = 5", "it is about another place"),
    ("update heads set day = '2027-01-01' where number = 2", "does not follow the one before"),
    ("update listed set seq = seq + 1 where number = 1", "the list that is kept is not the one signed"),
    (
        "delete from mention",
        "is not kept among what is matched across plants: run coldhearth-regulator store reindex",
    ),
    ("update mention set subject = 'eaf-9'", "as mentioned there does not stand there: it was changed"),
    (
        "update asset set violation_since_unix_ms = null",
        "a violation of it is latched in a log that its gateway has left, and is not shown",
    ),
    ("delete from asset", "is on no screen"),
    (
        "update day_sum set sum = replace(sum, '500', '501')",
        "do not come to the sum that is kept: run coldhearth-regulator store reindex",
    ),
    ("delete from day_sum", "do not come to the sum that is kept: run coldhearth-regulator store reindex"),
    ("update summed set seq = seq + 100", "said to be added up beyond the last that is known"),
    ("delete from summed", "nothing says up to where: run coldhearth-regulator store reindex"),
];

fn whatever_is_damaged_is_told_with_its_place(homes: Homes) {
    for (number, (sql, told)) in DAMAGE.iter().enumerate() {
        let home = furnished(homes, &format!("damage-{number}"));
        assert_eq!(wrong(&home), [""; 0], "{sql}");
        home.sql(sql);
        let found = wrong(&home);
        assert!(found.iter().any(|wrong| wrong.contains(told)), "{sql}: {found:?}");
        // What names a command is mended by it.
        if found
            .iter()
            .all(|wrong| wrong.contains("store reindex") || wrong.starts_with("the screens' index"))
        {
            reindex(&mut *home.store(), &[key_of(9)], NOW).unwrap();
            assert_eq!(wrong(&home), [""; 0], "{sql}");
            open(&home).add_up(NOW + 3 * DAY_MS).unwrap();
            assert_eq!(wrong(&home), [""; 0], "{sql}");
        }
    }
}

over_both!(whatever_is_damaged_is_told_with_its_place,);
