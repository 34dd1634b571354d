//! A gateway whose journal begins at another place: at which of the two time is due, and nobody is told of; over each database.

use coldhearth::{
    evidence::Body,
    regulator::reports::{Scope, Surveyed, coverage, list, owed, standing, survey, survey_anew},
    terms::{LegalDay, Stamp, place::Division, time::DAY_MS, words},
};
use serde_json::Value;

use crate::{
    admitted,
    homes::Homes,
    moments::{Says, verdict},
    over_both,
    support::voice::{NOW, TOPIC, Voice, at, gateway},
};

const QUARTER_MS: i64 = 900_000;
const HOUR_MS: i64 = 4 * QUARTER_MS;

/// The midnight before.
fn midnight() -> i64 {
    LegalDay::of_unix_ms(NOW).starts_unix_ms()
}

fn scope(within: &str, days: i64) -> Scope {
    let day = |days: i64| LegalDay::of_unix_ms(midnight() + days * DAY_MS);
    let within = Division::parse(within).unwrap();
    Scope { within, from: day(0), to: day(days), made_unix_ms: midnight() + 9 * DAY_MS }
}

/// A journal that begins then at a place, and the quarters it tells until another time.
fn journal(voice: &mut Voice, (from, until): (i64, i64), asset: &str) -> Vec<Vec<u8>> {
    let mut seal = |wall_unix_ms: i64, body: &Body| {
        voice.chain.seal(&Stamp { wall_unix_ms, ..at(1) }, body).unwrap().bytes.to_vec()
    };
    let quarters = (1..).map(|quarter| from + quarter * QUARTER_MS).take_while(|at| *at <= until);
    let says = Says { observed_ms: QUARTER_MS, ..Says::default() };
    quarters.map(|at| seal(at, &verdict(asset, says, None))).collect()
}

fn of_county(surveyed: &Surveyed, scope: Scope) -> Value {
    let json = coverage::sheet(surveyed, scope).to_json();
    let division = scope.within.to_string();
    json["rows"].as_array().unwrap().iter().find(|row| row["division"] == division.as_str()).cloned().unwrap()
}

fn what_has_moved_is_due_at_the_old_place_to_the_move_and_at_the_new_one_from_it(homes: Homes) {
    let (home, mut collector) = admitted(homes, "moved-due");
    let mut old = Voice::of(gateway(), "130421", (5, 0, 7));
    let mut new = Voice::of(gateway(), "140105", (6, 0, 7));
    // Told until six in the morning; the other journal begins at eight, and tells until noon.
    let hour = |hours: i64| midnight() + hours * HOUR_MS;
    let seconds = |unix_ms: i64| u64::try_from((unix_ms - NOW).max(1_000) / 1_000).unwrap();
    let mut lines = vec![old.genesis(7, None)];
    lines.extend(journal(&mut old, (hour(24), hour(30)), "eaf-1"));
    lines.extend(journal(&mut old, (hour(30) - QUARTER_MS, hour(30)), "eaf-2"));
    new.wait_until(seconds(hour(32)));
    lines.push(new.genesis(7, None));
    lines.extend(journal(&mut new, (hour(32), hour(36)), "eaf-1"));
    for some in lines.chunks(200) {
        let messages: Vec<_> = some.iter().map(|line| (TOPIC, line.as_slice())).collect();
        collector.take(&messages, midnight() + 3 * DAY_MS).unwrap();
    }
    for of in [survey, survey, survey_anew] {
        let told = |within: &str| {
            of_county(&of(&mut *home.store(), &scope(within, 3), &[]).unwrap(), scope(within, 3))
        };
        let (left, came) = (told("130421"), told("140105"));
        assert_eq!((&left["observed_min"], &left["untold_min"]), (&360.into(), &120.into()), "{left}");
        assert_eq!(left["covered_percent"], "75.00");
        // From eight to midnight of the third day are forty hours, four of which were told.
        assert_eq!((&came["observed_min"], &came["untold_min"]), (&240.into(), &(36 * 60).into()), "{came}");
        collector.add_up(NOW + 9 * DAY_MS).unwrap();
    }
    let mut store = home.store();
    let county = scope("130421", 3);
    let surveyed = standing(&mut *store, &county, &[]).unwrap();
    let one = |asset: &str| surveyed.values().find(|one| one.asset.as_str() == asset).unwrap();
    assert_eq!(list::progress(one("eaf-1"), &county), words::PROGRESS_LEFT);
    assert_eq!(
        list::progress(one("eaf-2"), &county),
        words::PROGRESS_SILENT,
        "nothing tells that it has gone along"
    );
    // Of what has gone nothing more is owed here; before it went it was.
    let owes = |scope: Scope| {
        let schedule = owed::Schedule::parse("s.toml", "attested_days = 1\n").unwrap();
        let (sheet, _) =
            owed::sheet(&standing(&mut *home.store(), &scope, &[]).unwrap(), &schedule, &[], scope);
        let names =
            sheet.to_json()["rows"].as_array().unwrap().iter().map(|row| row["asset"].clone()).collect();
        Value::Array(names)
    };
    assert_eq!(owes(county), serde_json::json!(["eaf-2"]));
}

over_both!(what_has_moved_is_due_at_the_old_place_to_the_move_and_at_the_new_one_from_it,);
