//! When what a gateway tells was: quarters of an hour told some time after they ended, and clocks that are ahead or behind.

use coldhearth::{
    catalogue::{Class, Rostered, Ruling, Standing},
    evidence::Body,
    judge::{Finding, Shares, SignSet, State, Verdict},
    regulator::{
        collector::Collector,
        reports::{
            self, Beside, Equipment, Names, Scope, Tariff, beside, coverage, list, restarts, surcharge,
        },
        store::Store,
        sums::Bearing,
    },
    terms::{
        AssetId, Digest, LegalDay, Stamp, WattHours,
        place::Division,
        time::DAY_MS,
        words::{self, Language},
    },
};
use serde_json::Value;

use crate::{
    admitted,
    homes::{Home, Homes},
    over_both,
    support::voice::{NOW, TOPIC, Voice, at},
};

const QUARTER_MS: i64 = 900_000;

fn day(days: i64) -> LegalDay {
    LegalDay::of_unix_ms(NOW + days * DAY_MS)
}

/// Midnight at which a day begins.
fn midnight(days: i64) -> i64 {
    day(days).starts_unix_ms()
}

fn scope(from: i64, to: i64, made_unix_ms: i64) -> Scope {
    Scope { within: Division::NATION, from: day(from), to: day(to), made_unix_ms }
}

/// What one verdict says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Says {
    pub(crate) closed_wh: i64,
    pub(crate) open_wh: i64,
    pub(crate) observed_ms: i64,
    pub(crate) since_unix_ms: Option<i64>,
}

pub(crate) fn verdict(asset: &str, says: Says, plate: Option<Digest>) -> Body {
    let ruling = Ruling { class: Class::InScope, rule: None, deadline: Some(day(-90)) };
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new(asset).unwrap(),
        state: State::Energised,
        since: at(0),
        standing: Standing {
            ruling: Some(ruling),
            roster: Some(Rostered::By(day(-90))),
            ..Standing::default()
        },
        phase: None,
        violation_since_unix_ms: says.since_unix_ms,
        energy_overdue: WattHours(says.closed_wh + says.open_wh),
        energy_closed: WattHours(says.closed_wh),
        shares: Shares::of_record(says.observed_ms, 0, 0).unwrap(),
        plate,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

/// A gateway whose records arrive as soon as they are written.
struct Line {
    collector: Collector,
    voice: Voice,
}

impl Line {
    fn new(mut collector: Collector) -> Line {
        let mut voice = Voice::new(5, 0, 7);
        let genesis = voice.genesis(7, None);
        collector.take(&[(TOPIC, genesis.as_slice())], midnight(0)).unwrap();
        Line { collector, voice }
    }

    /// Written at this time by the gateway's clock, and there at that one by the collector's. Tells its place.
    fn say(&mut self, wall_unix_ms: i64, received_unix_ms: i64, says: Says) -> u64 {
        let stamp = Stamp { wall_unix_ms, ..at(1) };
        let sealed = self.voice.chain.seal(&stamp, &verdict("eaf-1", says, None)).unwrap();
        let (seq, bytes) = (sealed.seq, sealed.bytes.to_vec());
        assert_eq!(self.collector.take(&[(TOPIC, bytes.as_slice())], received_unix_ms).unwrap().records, 1);
        seq
    }
}

/// What is surveyed of the one piece of equipment, by sums and by every verdict the same.
fn surveyed(home: &Home, scope: &Scope) -> reports::Surveyed {
    let mut store = home.store();
    let [by_sums, anew] =
        [reports::survey, reports::survey_anew].map(|survey| survey(&mut *store, scope, &[]).unwrap());
    assert_eq!(format!("{by_sums:?}"), format!("{anew:?}"));
    by_sums
}

fn rows(sheet: &reports::Sheet) -> Vec<Value> {
    sheet.to_json()["rows"].as_array().unwrap().clone()
}

fn a_day_that_was_seen_is_whole_and_has_all_its_energy(homes: Homes) {
    for (late_ms, name) in [(528, "quarter-soon"), (33_506, "quarter-later"), (119_000, "quarter-late")] {
        let (home, collector) = admitted(homes, name);
        let mut line = Line::new(collector);
        // From six in the evening of one day to a quarter past noon two days later: a kilowatt-hour each quarter.
        let quarters = (6 * 4 + 96 + 12 * 4 + 1) as i64;
        for quarter in 0..=quarters {
            let at_unix_ms = midnight(0) + 18 * 3_600_000 + quarter * QUARTER_MS + late_ms;
            let observed_ms = if quarter == 0 { 0 } else { QUARTER_MS };
            let says = Says { closed_wh: quarter * 1_000, open_wh: 0, observed_ms, since_unix_ms: None };
            // What the first reading of a quarter shows stands before the verdict that closes the one before.
            let open =
                Says { closed_wh: (quarter - 1).max(0) * 1_000, open_wh: 1_000, observed_ms: 0, ..says };
            line.say(at_unix_ms, at_unix_ms + 3, open);
            line.say(at_unix_ms, at_unix_ms + 10, says);
            if quarter == 40 {
                line.collector.add_up(at_unix_ms + 11).unwrap();
            }
        }
        let end = midnight(0) + 18 * 3_600_000 + quarters * QUARTER_MS + late_ms;
        line.say(
            end + 1_000,
            end + 1_010,
            Says { closed_wh: quarters * 1_000, open_wh: 70, observed_ms: 0, since_unix_ms: None },
        );
        // The prices of two days, and what each day and both together come to.
        let prices = format!(
            "[[price]]\ndocument = \"A\"\nfrom = {}\nuntil = {}\nyuan_per_kwh = 0.3\n\
             [[price]]\ndocument = \"B\"\nfrom = {}\nyuan_per_kwh = 0.5\n",
            day(-9),
            day(1),
            day(2)
        );
        let tariff = Tariff::parse("p.toml", &prices, &|_| true).unwrap();
        let made = end + 2_000;
        let drawn = |from, to| -> Vec<(Value, Value)> {
            let sheet =
                surcharge::sheet(&surveyed(&home, &scope(from, to, made)), &tariff, scope(from, to, made));
            rows(&sheet).iter().map(|row| (row["energy_kwh"].clone(), row["document"].clone())).collect()
        };
        let line_of = |kwh: &str, document: &str| (Value::from(kwh), Value::from(document));
        assert_eq!(drawn(0, 1), [line_of("24.000", "A")], "{late_ms}");
        assert_eq!(drawn(1, 2), [line_of("96.000", "A")], "{late_ms}");
        // The last 70 Wh are in no interval yet.
        assert_eq!(drawn(2, 3), [line_of("49.070", "B")], "{late_ms}");
        assert_eq!(drawn(0, 3), [line_of("120.000", "A"), line_of("49.070", "B")], "{late_ms}");
        for (from, to) in [(0, 1), (1, 2), (2, 3), (0, 3), (1, 3)] {
            let scope = scope(from, to, made);
            let row = &rows(&coverage::sheet(&surveyed(&home, &scope), scope))[0];
            assert_eq!(
                (&row["covered_percent"], &row["untold_min"]),
                (&"100.00".into(), &0.into()),
                "{late_ms} ms late, {from} to {to}: {row}"
            );
        }
        let row = &rows(&coverage::sheet(&surveyed(&home, &scope(1, 2, made)), scope(1, 2, made)))[0];
        assert_eq!(row["observed_min"], 1_440, "{late_ms}");
    }
}

fn every_conviction_is_a_row_with_its_own_record_and_time(homes: Homes) {
    let (home, collector) = admitted(homes, "convictions");
    let mut line = Line::new(collector);
    let calm = Says::default();
    let mut convicted = Vec::new();
    line.say(midnight(0) + 1_000, midnight(0) + 1_010, calm);
    for night in 0..3 {
        let since = midnight(night) + 23 * 3_600_000 + 2_064_527;
        let guilty = Says { since_unix_ms: Some(since), ..calm };
        convicted.push((since, line.say(since, since + 3, guilty)));
        line.say(since + 600_000, since + 600_010, guilty);
        // The authority resets it in the morning.
        line.say(since + 3_600_000, since + 3_600_010, calm);
        line.collector.add_up(since + 3_600_020).unwrap();
    }
    let told = |from, to| -> Vec<(String, u64)> {
        let scope = scope(from, to, midnight(9));
        let sheet = restarts::sheet(&surveyed(&home, &scope), &[], &[].into(), scope);
        let shown = |row: &reports::Row| {
            (row.cells[2].shown(Language::English), row.rests.named().next().unwrap().seq)
        };
        sheet.rows.iter().map(shown).collect()
    };
    let line_of = |(since, seq): &(i64, u64)| (coldhearth::terms::time::LegalTime(*since).to_string(), *seq);
    assert_eq!(told(0, 9), convicted.iter().map(line_of).collect::<Vec<_>>());
    assert_eq!(told(1, 2), [line_of(&convicted[1])]);
    assert_eq!(told(4, 9), []);
}

fn listed(store: &mut dyn Store, scope: Scope) -> Vec<Value> {
    let rules = coldhearth::catalogue::Rules::shipped().unwrap();
    let surveyed = reports::standing(store, &scope, &[]).unwrap();
    let plates = beside::plates(store, &surveyed, &scope).unwrap();
    let beside = Beside { rules: &rules, names: &Names::default(), plates: &plates };
    rows(&list::sheet(&surveyed, None, beside, scope))
}

fn a_clock_that_is_ahead_hides_nothing(homes: Homes) {
    let (home, collector) = admitted(homes, "ahead");
    let mut line = Line::new(collector);
    let (noon, ahead_ms) = (midnight(0) + 12 * 3_600_000, 20 * DAY_MS);
    let calm = Says::default();
    line.say(noon + ahead_ms, noon + 5, calm);
    let since = noon + ahead_ms + 60_000;
    line.say(since, noon + 60_005, Says { since_unix_ms: Some(since), ..calm });
    line.say(since + 60_000, noon + 120_005, calm);
    line.say(
        noon + ahead_ms + QUARTER_MS,
        noon + QUARTER_MS + 5,
        Says { closed_wh: 700, observed_ms: QUARTER_MS, ..calm },
    );
    line.collector.add_up(noon + DAY_MS).unwrap();
    // Two hours after it was unplugged, ten days, and a month.
    for (made, to) in [(noon + 3 * 3_600_000, 40), (noon + 10 * DAY_MS, 40), (noon + 60 * DAY_MS, 5)] {
        let scope = scope(-5, to, made);
        let row = &listed(&mut *home.store(), scope)[0];
        assert_eq!(row["progress"]["en"], words::PROGRESS_SILENT.en, "{row}");
        assert_eq!(row["as_of"], day(0).to_string());
        let surveyed = surveyed(&home, &scope);
        let one: &Equipment = surveyed.values().next().unwrap();
        assert_eq!(one.witnessed_from_unix_ms, Some(noon + 5));
        assert_eq!(one.drawn[&(day(0), Bearing::Charged)].energy_wh, 700);
        let row = &rows(&coverage::sheet(&surveyed, scope))[0];
        assert!(row["untold_min"].as_i64().unwrap() > 100, "{row}");
        let restarts = restarts::sheet(&surveyed, &[], &[].into(), scope);
        let proven = coldhearth::terms::time::LegalTime(noon + 60_005).to_string();
        assert_eq!(rows(&restarts)[0]["found"], proven);
    }
    let none = scope(1, 40, noon + 60 * DAY_MS);
    assert!(surveyed(&home, &none).values().all(|one| one.drawn.is_empty() && one.convictions.is_empty()));
}

fn what_a_lost_journal_had_open_is_drawn_all_the_same(homes: Homes) {
    let (home, collector) = admitted(homes, "lost");
    let mut line = Line::new(collector);
    let noon = midnight(0) + 12 * 3_600_000;
    let says = |closed_wh, open_wh| Says { closed_wh, open_wh, observed_ms: 0, since_unix_ms: None };
    line.say(noon, noon + 5, says(0, 0));
    line.say(noon + 60_000, noon + 60_005, says(1_000, 0));
    line.say(noon + 90_000, noon + 90_005, says(1_000, 400));
    line.voice = Voice::new(6, 0, 7);
    let genesis = line.voice.genesis(7, None);
    line.collector.take(&[(TOPIC, genesis.as_slice())], noon + 100_000).unwrap();
    line.say(noon + 120_000, noon + 120_005, says(0, 0));
    line.say(noon + 130_000, noon + 130_005, says(0, 30));
    let scope = scope(0, 1, noon + DAY_MS);
    let surveyed = surveyed(&home, &scope);
    let one = surveyed.values().next().unwrap();
    assert_eq!(one.drawn[&(day(0), Bearing::Charged)].energy_wh, 1_430);
}

fn what_a_clock_behind_dates_back_is_told_when_it_arrives(homes: Homes) {
    let (home, collector) = admitted(homes, "behind");
    let mut line = Line::new(collector);
    let (noon, behind_ms) = (midnight(0) + 12 * 3_600_000, 60 * DAY_MS);
    let past = noon - behind_ms;
    line.say(past, noon, Says::default());
    line.say(past + 60_000, noon + 60_000, Says { since_unix_ms: Some(past + 60_000), ..Says::default() });
    let guilty = Says {
        closed_wh: 6_292,
        observed_ms: QUARTER_MS,
        since_unix_ms: Some(past + 60_000),
        ..Says::default()
    };
    line.say(past + QUARTER_MS, noon + QUARTER_MS, guilty);
    let told = |from, to| -> (Vec<Value>, Vec<Value>) {
        let scope = scope(from, to, midnight(100));
        let surveyed = surveyed(&home, &scope);
        let drawn = rows(&surcharge::sheet(&surveyed, &Tariff::default(), scope));
        let drawn = drawn.into_iter().filter(|row| !row["energy_kwh"].is_null());
        let restarts = rows(&restarts::sheet(&surveyed, &[], &[].into(), scope));
        (drawn.map(|row| row["energy_kwh"].clone()).collect(), restarts)
    };
    for added_up in [false, true] {
        // In the time of which it says that it is, made anew; and in the one in which it arrived, once only.
        assert_eq!(told(-70, -50).0, ["6.292"], "{added_up}");
        let (drawn, restarts) = told(-20, 10);
        assert_eq!((drawn.len(), restarts.len()), (1, 1), "{added_up}");
        assert_eq!(restarts[0]["what"]["en"], words::RESTARTED_LATE.en);
        assert_eq!(told(-50, -20), (vec![], vec![]));
        assert_eq!(told(10, 90), (vec![], vec![]));
        line.collector.add_up(midnight(2)).unwrap();
    }
}

over_both!(
    what_a_clock_behind_dates_back_is_told_when_it_arrives,
    a_day_that_was_seen_is_whole_and_has_all_its_energy,
    every_conviction_is_a_row_with_its_own_record_and_time,
    a_clock_that_is_ahead_hides_nothing,
    what_a_lost_journal_had_open_is_drawn_all_the_same,
);
