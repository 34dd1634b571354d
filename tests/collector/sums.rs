//! Sums of days come to what every verdict comes to, whatever arrives when, is forked, pruned or changed; over each database.

use std::collections::BTreeSet;

use coldhearth::{
    catalogue::Standing,
    evidence::{
        Body, Chain, Dropped, Gap, GapWhy, LogHead, LogId, PublicKey, Signer as _, record::Unverified,
    },
    judge::{Finding, Shares, SignSet, State, Verdict},
    regulator::{
        collector::{Collector, Tally},
        inspect::inspect,
        prune::prune,
        reports::{Scope, Surveyed, Tariff, coverage, restarts, standing, surcharge, survey, survey_anew},
        store::Store,
    },
    terms::{
        AssetId, LegalDay, Stamp, WattHours,
        place::Division,
        time::{DAY_MS, LEGAL_OFFSET_MS},
    },
};

use crate::{
    admitted, figures,
    homes::{Home, Homes},
    open, over_both,
    support::voice::{NOW, TOPIC, Voice, at, gateway, key, key_of},
};

/// Everything arrives long after it was written.
const ARRIVED: i64 = NOW + 300 * DAY_MS;

fn take<'a>(collector: &mut Collector, lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Tally {
    let messages: Vec<_> = lines.into_iter().map(|line| (TOPIC, line.as_slice())).collect();
    collector.take(&messages, ARRIVED).unwrap()
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn whole(&mut self, sides: u64) -> i64 {
        i64::try_from(self.throw(sides)).unwrap()
    }
}

/// What was said of a piece of equipment, as it was made up: the plain truth that reports are held against.
#[derive(Clone, Copy)]
struct Said {
    asset: usize,
    wall_unix_ms: i64,
    shares: (i64, i64, i64),
    energy_wh: i64,
}

const ASSETS: [&str; 2] = ["eaf-1", "eaf-2"];

fn body(said: &Said, violation_since_unix_ms: Option<i64>) -> Body {
    let (observed, bridged, unaccounted) = said.shares;
    Body::Finding(Finding::Verdict(Verdict {
        asset: AssetId::new(ASSETS[said.asset]).unwrap(),
        state: State::Drawing,
        since: at(0),
        standing: Standing::default(),
        phase: None,
        violation_since_unix_ms,
        energy_overdue: WattHours(said.energy_wh),
        energy_closed: WattHours(said.energy_wh),
        shares: Shares::of_record(observed, bridged, unaccounted).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }))
}

/// A clock that mostly goes on by hours, and now and then jumps by days, forward or back.
struct Plant {
    dice: Dice,
    late_ms: i64,
    wall_unix_ms: i64,
    energy_wh: [i64; 2],
    latched: [Option<i64>; 2],
    told: Vec<Vec<Said>>,
}

impl Plant {
    /// A plant whose quarters of an hour are told so many milliseconds after they end.
    fn new(seed: u64, late_ms: i64) -> Plant {
        let begin = NOW - NOW.rem_euclid(DAY_MS) - LEGAL_OFFSET_MS + late_ms;
        Plant {
            dice: Dice(seed),
            late_ms,
            wall_unix_ms: begin,
            energy_wh: [0; 2],
            latched: [None; 2],
            told: Vec::new(),
        }
    }

    fn lines(&mut self, voice: &mut Voice, many: usize) -> Vec<Vec<u8>> {
        let (mut lines, mut told) = (Vec::new(), Vec::new());
        for _ in 0..many {
            self.wall_unix_ms += match self.dice.throw(20) {
                0 => -(1 + self.dice.whole(2)) * DAY_MS,
                1 => (1 + self.dice.whole(3)) * DAY_MS,
                // Onto the stroke of midnight.
                2 => DAY_MS - (self.wall_unix_ms - self.late_ms + LEGAL_OFFSET_MS).rem_euclid(DAY_MS),
                _ => 900_000 * (1 + self.dice.whole(15)),
            };
            let asset = usize::try_from(self.dice.throw(2)).unwrap();
            match self.dice.throw(12) {
                0 => self.energy_wh[asset] = self.dice.whole(50),
                1..8 => self.energy_wh[asset] += self.dice.whole(5_000),
                _ => {}
            }
            match self.dice.throw(15) {
                0 => self.latched[asset] = Some(self.wall_unix_ms),
                1 => self.latched[asset] = None,
                _ => {}
            }
            let (bridged_ms, unaccounted_ms) = (self.dice.whole(9_000), self.dice.whole(9_000));
            // Now and then its meter does not answer, for a quarter or for several.
            let shares = match self.dice.throw(3) {
                0 => (0, 0, 900_000),
                _ => (900_000 - bridged_ms - unaccounted_ms, bridged_ms, unaccounted_ms),
            };
            let said =
                Said { asset, wall_unix_ms: self.wall_unix_ms, shares, energy_wh: self.energy_wh[asset] };
            let stamp = Stamp { wall_unix_ms: self.wall_unix_ms, ..at(lines.len() as u64 + 1) };
            let sealed = voice.chain.seal(&stamp, &body(&said, self.latched[asset])).unwrap();
            lines.push(sealed.bytes.to_vec());
            told.push(said);
        }
        self.told.push(told);
        lines
    }

    /// Energy and milliseconds observed of a piece of equipment in a time, by the plain truth; the first to the watt-hour, the
    /// second to a millisecond for each time that a quarter is cut.
    fn truth(&self, asset: usize, scope: &Scope) -> (i64, i64) {
        let all: Vec<Said> = self.told.iter().flatten().filter(|said| said.asset == asset).copied().collect();
        let (begins, ends) = (scope.from.starts_unix_ms(), scope.to.starts_unix_ms());
        let (mut energy_wh, mut observed_ms) = (0, 0);
        for (at, said) in all.iter().enumerate() {
            // All of a quarter was told: what lies in the time counts.
            let in_ms = (said.wall_unix_ms.min(ends) - (said.wall_unix_ms - 900_000).max(begins)).max(0);
            observed_ms += said.shares.0 * in_ms / 900_000;
            // Its middle says of which day its energy is.
            let is_in = scope.has(said.wall_unix_ms - 450_000);
            if let Some(before) = at.checked_sub(1).map(|at| all[at]).filter(|_| is_in) {
                energy_wh += (said.energy_wh - before.energy_wh).max(0);
            }
        }
        (energy_wh, observed_ms)
    }
}

fn scope(from: i64, days: i64) -> Scope {
    let day = |days: i64| LegalDay::of_unix_ms(NOW + days * DAY_MS);
    Scope {
        within: Division::NATION,
        from: day(from),
        to: day(from + days),
        made_unix_ms: NOW + 400 * DAY_MS,
    }
}

const SCOPES: [(i64, i64); 4] = [(-400, 800), (0, 1), (1, 3), (4, 30)];

/// Every report of several times, by the sums and by every verdict: the same to the letter.
fn is_the_same(home: &Home, when: &str) {
    let mut store = home.store();
    for (from, days) in SCOPES {
        let scope = scope(from, days);
        let tariff = Tariff::default();
        let [by_sums, anew] = [survey, survey_anew].map(|survey| {
            let surveyed = survey(&mut *store, &scope, &[]).unwrap();
            [
                coverage::sheet(&surveyed, scope),
                surcharge::sheet(&surveyed, &tariff, scope),
                restarts::sheet(&surveyed, &[], &[].into(), scope),
            ]
            .map(|sheet| sheet.to_json().to_string())
        });
        assert_eq!(by_sums, anew, "{when}: {from}, {days} days");
    }
}

fn sums_are_what_every_verdict_comes_to(homes: Homes) {
    for (seed, late_ms) in [(7, 528), (20_100_406, 33_506)] {
        let (home, mut collector) = admitted(homes, "sums");
        let (mut plant, mut voice) = (Plant::new(seed, late_ms), Voice::new(5, 0, 7));
        let mut lines = vec![voice.genesis(7, None)];
        lines.extend(plant.lines(&mut voice, 150));
        lines.push(voice.rotate(8));
        let last = Unverified::read(lines.last().unwrap()).unwrap();
        let upto = LogHead { log: LogId(5), seq: last.header().seq, head: last.hash() };
        let mut next = Voice::new(6, 1, 8);
        lines.push(next.genesis(8, Some(upto)));
        lines.extend(plant.lines(&mut next, 150));
        // In parts, some of which come much later than those after them; added up in between, or not.
        let (mut dice, mut day) = (Dice(seed + 1), 0);
        let mut parts: Vec<Vec<Vec<u8>>> = lines.chunks(10).map(<[Vec<u8>]>::to_vec).collect();
        while !parts.is_empty() {
            let at = usize::try_from(dice.throw(3)).unwrap().min(parts.len() - 1);
            let part = parts.remove(at);
            take(&mut collector, &part);
            if dice.throw(3) == 0 {
                day += 1;
                collector.add_up(NOW + day * DAY_MS).unwrap();
            }
            if dice.throw(5) == 0 {
                is_the_same(&home, &format!("{seed}, {} parts left", parts.len()));
            }
        }
        // What came too far ahead of what was known is sent again.
        while take(&mut collector, &lines).records > 0 {}
        is_the_same(&home, "everything is there");
        collector.add_up(NOW + 1_000 * DAY_MS).unwrap();
        is_the_same(&home, "everything is added up");
        for (from, days) in SCOPES {
            let scope = scope(from, days);
            let surveyed = survey(&mut *home.store(), &scope, &[]).unwrap();
            for (number, asset) in ASSETS.iter().enumerate() {
                let one = surveyed.values().find(|one| one.asset.as_str() == *asset).unwrap();
                let drawn = one.drawn.values().chain(one.undated.values()).map(|drawn| drawn.energy_wh);
                let (energy_wh, observed_ms) = plant.truth(number, &scope);
                let what = format!("{seed}: {asset} from {from}, {days} days");
                assert_eq!(drawn.sum::<i64>(), energy_wh, "{what}");
                let off_ms = one.accounted.observed_ms - observed_ms;
                assert!(off_ms.abs() <= 20, "{what}: {off_ms} ms");
            }
        }
        let found = inspect(&mut *home.store(), &key_of(9), &[], (184, NOW)).unwrap();
        assert_eq!(found.wrongs, 0, "{:?}", found.wrong);
        assert!(found.sums > 20, "{found:?}");
        // Pruned as of far later: what is left is what both are made of.
        let far = ARRIVED + 900 * DAY_MS;
        assert_eq!(
            prune(&mut *home.store(), &[], LegalDay::of_unix_ms(ARRIVED + 2 * DAY_MS), 184, far).unwrap(),
            2
        );
        is_the_same(&home, "pruned");
        collector.add_up(NOW + 1_001 * DAY_MS).unwrap();
        is_the_same(&home, "pruned, and added up anew");
    }
}

fn what_is_kept_below_the_place_that_was_reached_is_added_up_too(homes: Homes) {
    let (home, mut collector) = admitted(homes, "sums-late");
    let (mut plant, mut voice) = (Plant::new(3, 0), Voice::new(5, 0, 7));
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend(plant.lines(&mut voice, 12));
    take(&mut collector, lines[..4].iter().chain(&lines[7..]));
    let last = Unverified::read(&lines[12]).unwrap().verify(&key_of(7)).unwrap();
    let mut chain = Chain::resume(&last, Box::new(key(7))).unwrap();
    let dropped = vec![Dropped { from: 4, to: 6, last: Unverified::read(&lines[6]).unwrap().hash() }];
    let gap = Body::Gap(Gap { why: GapWhy::Damaged, dropped });
    let gap = chain.seal(&at(60), &gap).unwrap().bytes.to_vec();
    take(&mut collector, [&gap]);
    collector.add_up(NOW + DAY_MS).unwrap();
    is_the_same(&home, "with a hole that is declared");
    let log = (gateway(), LogId(5));
    assert_eq!(home.store().summed(log).unwrap(), Some(13));
    // Found again on another disk, and a second history of one place beside it.
    take(&mut collector, &lines[4..7]);
    let mut forked = Voice::new(5, 0, 7);
    let mut others = vec![forked.genesis(7, None)];
    others.extend(Plant::new(4, 0).lines(&mut forked, 9));
    take(&mut collector, &others[1..]);
    is_the_same(&home, "the hole is filled");
    collector.add_up(NOW + 2 * DAY_MS).unwrap();
    is_the_same(&home, "and added up");
    let whole: BTreeSet<u64> =
        home.store().records_from(log, 0, 100).unwrap().into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(whole, (0..=13).collect(), "what was found again is kept");
}

fn a_sum_that_somebody_changed_is_found_out(homes: Homes) {
    let (home, mut collector) = admitted(homes, "sums-changed");
    let (mut plant, mut voice) = (Plant::new(5, 0), Voice::new(5, 0, 7));
    let mut lines = vec![voice.genesis(7, None)];
    lines.extend(plant.lines(&mut voice, 30));
    take(&mut collector, &lines);
    collector.add_up(NOW + DAY_MS).unwrap();
    let inspected = |home: &Home| inspect(&mut *home.store(), &key_of(9), &[], (184, NOW)).unwrap();
    assert_eq!(inspected(&home).wrongs, 0);
    let covered = |of: fn(&mut dyn Store, &Scope, &[PublicKey]) -> _| {
        let surveyed: Result<Surveyed, _> = of(&mut *home.store(), &scope(-400, 800), &[]);
        coverage::sheet(&surveyed.unwrap(), scope(-400, 800)).to_json().to_string()
    };
    home.sql("update day_sum set sum = replace(sum, '\"accounted_ms\":[', '\"accounted_ms\":[9')");
    assert_ne!(covered(survey), covered(survey_anew), "a report by sums rests on them");
    assert!(inspected(&home).wrongs > 0);
    // Forgotten, they are made anew.
    home.store().unindex().unwrap();
    assert_eq!(inspected(&home).wrongs, 0);
    collector.add_up(NOW + 2 * DAY_MS).unwrap();
    assert_eq!(covered(survey), covered(survey_anew));
    home.sql("delete from day_sum where day = (select max(day) from day_sum)");
    assert!(inspected(&home).wrongs > 0);
}

/// How long reports take: `cargo test --test collector -- --ignored --nocapture reports_of_a_quarter` (`COLDHEARTH_GATEWAYS`, 24
/// unless told otherwise, each with a verdict every quarter of an hour for ninety days).
#[test]
#[ignore = "it measures, and judges nothing"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures, and tells a person what")]
fn reports_of_a_quarter() {
    let gateways = std::env::var("COLDHEARTH_GATEWAYS").map_or(24, |told| told.parse().unwrap());
    let home = Homes::Sqlite.open("quarter");
    let mut collector = open(&home);
    let begin = NOW - 90 * DAY_MS;
    for number in 0..gateways {
        let (id, key) = figures::gateway(number);
        home.store().admit(id, &key.public_key(), NOW).unwrap();
        collector.look_up(NOW).unwrap();
        let topic = figures::topic(number);
        let mut chain = Chain::begin(id, LogId(number as u64), 0, Box::new(key));
        let mut lines = vec![chain.seal(&at(0), &figures::genesis(number)).unwrap().bytes.to_vec()];
        for quarter in 1..=90 * 96 {
            let wall_unix_ms = begin + quarter * 900_000;
            let shares = (899_000, 500, 500);
            let said = Said { asset: 0, wall_unix_ms, shares, energy_wh: quarter * 10 };
            let stamp = Stamp { wall_unix_ms, ..at(u64::try_from(quarter).unwrap()) };
            lines.push(chain.seal(&stamp, &body(&said, None)).unwrap().bytes.to_vec());
        }
        for lines in lines.chunks(256) {
            let messages: Vec<_> = lines.iter().map(|line| (topic.as_str(), line.as_slice())).collect();
            collector.take(&messages, NOW).unwrap();
        }
    }
    let scope = scope(-91, 92);
    let timed = |what: &str, ask: &mut dyn FnMut() -> usize| {
        let begun = std::time::Instant::now();
        let rows = ask();
        println!("{what}: {rows} rows, {:.2} s", begun.elapsed().as_secs_f64());
    };
    println!("{} verdicts", gateways * 90 * 96);
    timed("coverage of every verdict", &mut || survey_anew(&mut *home.store(), &scope, &[]).unwrap().len());
    timed("added up", &mut || {
        (0..100_000).take_while(|_| collector.add_up(NOW + 900 * DAY_MS).unwrap() > 0).count()
    });
    timed("coverage by sums", &mut || {
        let surveyed = survey(&mut *home.store(), &scope, &[]).unwrap();
        coverage::sheet(&surveyed, scope).to_json().to_string().len().min(surveyed.len())
    });
    timed("standing", &mut || standing(&mut *home.store(), &scope, &[]).unwrap().len());
    if let Ok(kept) = std::env::var("COLDHEARTH_KEEP") {
        let Home::Sqlite(folder) = &home else { return };
        std::fs::copy(folder.0.join("store.db"), kept).unwrap();
    }
}

over_both!(
    sums_are_what_every_verdict_comes_to,
    what_is_kept_below_the_place_that_was_reached_is_added_up_too,
    a_sum_that_somebody_changed_is_found_out,
);
