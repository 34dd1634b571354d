//! A gateway whose clock was ahead, or was set back, begins its journal anew: what is heard later is shown, whatever its clock
//! says, by whoever reads the records in whatever order; over each database.

use coldhearth::{
    catalogue::{Attribute, Nameplate, PlateSource, Standing, plate::PlateValue},
    evidence::{Act, Body, LogId, Sealer},
    judge::{Event, Finding, PlateRead, Rung, Shares, SignSet, State, Transition, Verdict},
    regulator::{
        alarms::{Cause, Life},
        collector::Collector,
        inspect::inspect,
        reindex::reindex,
        store::{
            AlarmsAsked,
            sights::{AssetRow, Scope},
        },
    },
    terms::{AssetId, LegalDay, Name, OrderId, Stamp, WattHours, place::Division, time::DAY_MS},
};
use serde_json::json;

use crate::{
    home_admitting,
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, TOPIC, Voice, at, gateway, key, key_of},
};

const MONTH_MS: i64 = 31 * DAY_MS;

fn asset() -> AssetId {
    AssetId::new("eaf-2").unwrap()
}

fn verdict(state: State, violation_since_unix_ms: Option<i64>) -> Body {
    Body::Finding(Finding::Verdict(Verdict {
        asset: asset(),
        state,
        since: at(0),
        standing: Standing::declared(LegalDay::parse("2012-12-31")),
        phase: None,
        violation_since_unix_ms,
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

fn plate(kind: &str) -> Body {
    let kind = Attribute::new("equipment_kind", PlateValue::Text(kind.into())).unwrap();
    Body::Finding(Finding::Event(Event::Plate(PlateRead {
        asset: asset(),
        source: PlateSource::Declared,
        before: None,
        plate: Nameplate::new(vec![kind]).unwrap(),
    })))
}

fn step(to: Rung) -> Body {
    let name = Name::new("cut-7").unwrap();
    Body::Finding(Finding::Transition(Transition {
        order: OrderId(name),
        asset: asset(),
        from: Rung::Observing,
        to,
        actor: name,
        why: name,
        evidence: Vec::new(),
        stand: None,
    }))
}

fn reset(issued_unix_ms: i64) -> Body {
    let draft = json!({
        "act": "reset", "act_id": "reset-1", "version": 1, "gateway_id": gateway().as_str(), "asset": "eaf-2",
        "issuer": "hebei", "issued_unix_ms": issued_unix_ms, "expires_unix_ms": issued_unix_ms + DAY_MS,
    });
    Body::Act(Act::seal(draft.as_object().unwrap(), &mut Sealer::default(), &key(9)).unwrap())
}

/// A gateway that writes by its clock and is heard by ours.
struct Line {
    home: Home,
    collector: Collector,
}

impl Line {
    fn open(homes: Homes, name: &str) -> Line {
        let home = home_admitting(homes, name);
        let collector = open(&home);
        Line { home, collector }
    }

    /// What a log says at a time of its clock's, there so long after now.
    fn hear(&mut self, voice: &mut Voice, wall_unix_ms: i64, after_ms: i64, body: &Body) {
        let stamp = Stamp { wall_unix_ms, ..at(1) };
        let bytes = voice.chain.seal(&stamp, body).unwrap().bytes.to_vec();
        assert_eq!(self.collector.take(&[(TOPIC, bytes.as_slice())], NOW + after_ms).unwrap().records, 1);
    }

    fn begin(&mut self, log: u64, after_ms: i64) -> Voice {
        let mut voice = Voice::new(log, 0, 7);
        let genesis = voice.genesis(7, None);
        self.collector.take(&[(TOPIC, genesis.as_slice())], NOW + after_ms).unwrap();
        voice
    }

    /// What screens show; the same made anew, and no wrong in either.
    fn row(&self) -> AssetRow {
        let shown = || self.home.store().asset(&Scope::NATION, gateway(), asset()).unwrap().unwrap();
        let wrongs =
            || inspect(&mut *self.home.store(), &key_of(9), &[], (184, NOW + 40 * DAY_MS)).unwrap().wrong;
        let row = shown();
        // That an alarm stands is told by the round.
        let of_index = |wrongs: Vec<String>| -> Vec<String> {
            wrongs.into_iter().filter(|what| what.contains("index")).collect()
        };
        assert_eq!(of_index(wrongs()), Vec::<String>::new());
        reindex(&mut *self.home.store(), &[key_of(9)], NOW).unwrap();
        assert_eq!(shown(), row, "made anew");
        assert_eq!(of_index(wrongs()), Vec::<String>::new());
        row
    }

    fn lives(&mut self, after_ms: i64) -> Vec<Life> {
        self.collector.alarm_round(true, NOW + after_ms).unwrap();
        let all = self.home.store().alarms(&AlarmsAsked::all(Division::NATION, 100)).unwrap();
        all.iter()
            .filter(|alarm| alarm.about.cause == Cause::Violation)
            .map(|alarm| alarm.state.life)
            .collect()
    }
}

fn what_a_new_journal_tells_is_shown_whatever_its_clock_says(homes: Homes) {
    for (name, former, latter) in
        [("clock-ahead", NOW + MONTH_MS, NOW), ("clock-back", NOW, NOW - DAY_MS), ("clock-1970", NOW, 0)]
    {
        let mut line = Line::open(homes, name);
        let mut old = line.begin(9, 0);
        for body in [plate("electric_furnace"), step(Rung::Maintained), verdict(State::Energised, None)] {
            line.hear(&mut old, former, 1_000, &body);
        }
        assert_eq!(line.row().state, "energised");
        let mut new = line.begin(5, 60_000);
        for body in [plate("converter"), step(Rung::Violated), verdict(State::Drawing, Some(latter))] {
            line.hear(&mut new, latter, 70_000, &body);
        }
        let row = line.row();
        assert_eq!((row.state.as_str(), row.violation_since_unix_ms), ("drawing", Some(latter)), "{name}");
        assert_eq!(row.order.map(|(_, rung)| rung), Some(Rung::Violated), "{name}");
        assert_eq!((row.plate, row.verdict), (Some((LogId(5), 1)), Some((LogId(5), 3))), "{name}");
        assert_eq!(row.verdict_unix_ms, latter, "{name}");
        assert!(row.attested_unix_ms <= NOW + 1_000, "{name}: evidence is as old as it was written");
        line.hear(&mut new, latter + 1, 80_000, &verdict(State::Dead, Some(latter)));
        assert_eq!(line.row().state, "dead", "{name}");
        // The first journal is put back: it speaks now.
        line.hear(&mut old, former + 1, 90_000, &verdict(State::Energised, None));
        assert_eq!(
            (line.row().state.as_str(), line.row().verdict),
            ("energised", Some((LogId(9), 4))),
            "{name}"
        );
    }
}

fn what_comes_late_of_a_journal_that_was_left_is_no_news(homes: Homes) {
    let mut line = Line::open(homes, "late-word");
    let mut old = line.begin(9, 0);
    let stamp = Stamp { wall_unix_ms: NOW, ..at(1) };
    let late = old.chain.seal(&stamp, &verdict(State::Drawing, None)).unwrap().bytes.to_vec();
    line.hear(&mut old, NOW, 1_000, &verdict(State::Energised, None));
    let mut new = line.begin(5, 60_000);
    line.hear(&mut new, NOW, 70_000, &verdict(State::Dead, None));
    assert_eq!(line.collector.take(&[(TOPIC, late.as_slice())], NOW + 80_000).unwrap().records, 1);
    assert_eq!((line.row().state.as_str(), line.row().verdict), ("dead", Some((LogId(5), 1))));
}

fn a_reset_ends_the_alarm_of_a_log_whose_clock_was_ahead(homes: Homes) {
    let mut line = Line::open(homes, "reset-ahead");
    let mut old = line.begin(9, 0);
    line.hear(&mut old, NOW + MONTH_MS, 1_000, &verdict(State::Drawing, Some(NOW + MONTH_MS)));
    assert_eq!(line.lives(2_000), [Life::UnackActive]);
    let mut new = line.begin(5, 60_000);
    line.hear(&mut new, NOW + 70_000, 70_000, &verdict(State::Energised, None));
    assert_eq!(line.lives(71_000), [Life::UnackLatched], "another log opens no latch");
    line.hear(&mut new, NOW + 80_000, 80_000, &reset(NOW + 75_000));
    line.hear(&mut new, NOW + 81_000, 81_000, &verdict(State::Energised, None));
    assert_eq!((line.lives(90_000), line.row().violation_since_unix_ms), (vec![Life::UnackReturned], None));
}

over_both!(
    what_a_new_journal_tells_is_shown_whatever_its_clock_says,
    what_comes_late_of_a_journal_that_was_left_is_no_news,
    a_reset_ends_the_alarm_of_a_log_whose_clock_was_ahead,
);
