//! One run on the scoreboard: what was raised, when, and what had been drawn by then.

use std::collections::BTreeMap;

use coldhearth::{
    judge::{Event, Finding, Outcome as BalanceOutcome, State, Verdict},
    metering::Reading,
    terms::{AssetId, MeterId, Stamp, WattHours},
};

use crate::{
    alarm,
    plant::Plant,
    rounding::{nearest, real},
    scenario::{
        Balanced, Catch, Deed, Scenario,
        cap::{Carries, Told},
    },
    site::FeederIndex,
    witness::{Seen, Witness},
};

/// Milliwatts times milliseconds in a kilowatt-hour.
const KILOWATT_HOUR: u128 = 3_600_000_000_000;
/// The rule of the scoreboard (its own, not the judge's): how long a load of this share of the rating may stand before it
/// must be called drawing, in milliseconds, and how long a smaller one may.
const LARGE_PER_CENT: i64 = 15;
const DELAY_LARGE_MS: u64 = 5_000;
const DELAY_SMALL_MS: u64 = 60_000;

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Time that was watched, times the pieces of equipment, in milliseconds.
    pub watched_ms: u64,
    /// The part of it in which nothing could be said.
    pub unknown_ms: u64,
    /// Convictions and strong signs while nobody cheats, or none does yet, with the plant time of each.
    pub alarms: Vec<(&'static str, u64)>,
    /// How often each sign began in an honest plant, weak ones too.
    pub signs: BTreeMap<&'static str, usize>,
    /// How the cheat was caught, if it was.
    pub caught: Option<Caught>,
    /// What did not end as it should.
    pub wrong_ends: Vec<String>,
}

/// How a cheat was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caught {
    /// By what.
    pub by: &'static str,
    /// How long after it began, or could be seen, in milliseconds.
    pub delay_ms: u64,
    /// What had been drawn by then, in watt-hours.
    pub energy_wh: u64,
    /// What may have been drawn by then, in watt-hours: the scenario's own limit, where it has one.
    pub limit_wh: u64,
    /// What may have been drawn by then by the rule, in watt-hours.
    pub rule_wh: u64,
    /// How long it may have taken, in milliseconds, where the scenario says so.
    pub within_ms: Option<u64>,
}

impl Caught {
    /// Why it was caught too late, if it was: by what had been drawn, or by the time it took.
    pub fn late(&self) -> Option<String> {
        let too_long = self.within_ms.filter(|within_ms| self.delay_ms > *within_ms);
        if self.energy_wh > self.limit_wh {
            Some(format!("caught after {} Wh, {} Wh are allowed", self.energy_wh, self.limit_wh))
        } else {
            too_long.map(|within_ms| format!("caught after {} ms, {within_ms} ms are allowed", self.delay_ms))
        }
    }
}

/// Plays a run and keeps account of it.
pub fn run(scenario: &Scenario, seed: u64) -> Outcome {
    let mut account = Account::new(scenario);
    let mut witness = Witness::new(scenario, seed);
    witness.play(&mut |at, seen, plant| {
        account.on(at, &seen, plant);
        true
    });
    account.close(seed, witness.plant())
}

/// A run's account.
struct Account<'s> {
    scenario: &'s Scenario,
    assets: BTreeMap<AssetId, Watched>,
    alarms: Vec<Alarm>,
    signs: BTreeMap<&'static str, usize>,
    /// Balances that agree, and all.
    balances: [usize; 2],
    residuals: usize,
    told: Told,
    copied_ms: Option<u64>,
    hunt: Option<Hunt<'s>>,
}

/// A conviction or a strong sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alarm {
    word: &'static str,
    at_ms: u64,
    about: About,
}

/// Which piece of equipment an alarm is about, and at which meter it was raised.
type About = (AssetId, Option<MeterId>);

/// What was said last of a piece of equipment.
#[derive(Clone, Debug)]
struct Watched {
    state: &'static str,
    /// Until when each state lasted last.
    last: BTreeMap<&'static str, u64>,
    is_unknown: bool,
    since_ms: u64,
    unknown_ms: u64,
    violation: bool,
}

impl<'s> Account<'s> {
    fn new(scenario: &'s Scenario) -> Account<'s> {
        let watched = Watched {
            state: "unknown",
            last: BTreeMap::new(),
            is_unknown: true,
            since_ms: scenario.from_ms,
            unknown_ms: 0,
            violation: false,
        };
        Account {
            assets: scenario.config.equipment.iter().map(|f| (f.equipment.id, watched.clone())).collect(),
            alarms: Vec::new(),
            signs: BTreeMap::new(),
            balances: [0; 2],
            residuals: 0,
            told: Told::default(),
            copied_ms: None,
            hunt: scenario.catch.as_ref().map(|catch| Hunt::new(scenario, catch)),
            scenario,
        }
    }

    fn on(&mut self, _at: &Stamp, seen: &Seen<'_>, plant: &Plant) {
        let now_ms = plant.now_ms();
        match seen {
            Seen::Reading(reading) => {
                if let Some(hunt) = &mut self.hunt {
                    hunt.on_reading(reading, plant);
                }
            }
            Seen::Log(word) => {
                if let Some(hunt) = self.hunt.as_mut().filter(|hunt| hunt.is_prey(word)) {
                    hunt.catch(word, plant);
                }
            }
            Seen::Deed(due) => {
                if matches!(due.deed, Deed::Gateway(false) | Deed::Agent(false)) {
                    self.assets.values_mut().for_each(|watched| watched.turn("unknown", true, now_ms));
                }
                if let Some(hunt) = self.hunt.as_mut().filter(|_| self.scenario.cap.is_some()) {
                    hunt.on_deed(&due.deed);
                }
                if due.deed == Deed::CopyDisk {
                    self.copied_ms = Some(now_ms);
                } else if due.deed == Deed::PutBackDisk {
                    self.told.undone_ms = self.copied_ms.map_or(0, |copied| now_ms.saturating_sub(copied));
                }
                if let Some(hunt) = self.hunt.as_mut().filter(|_| due.is_onset) {
                    hunt.begin(plant);
                }
            }
            Seen::Finding(finding) => self.on_finding(finding, plant),
        }
    }

    /// What a verdict on the equipment the cheat is about says from the onset on.
    fn hear(&mut self, verdict: &Verdict, now_ms: u64) {
        if self.is_honest_yet() || self.hunt.as_ref().is_none_or(|hunt| hunt.catch.asset != verdict.asset) {
            return;
        }
        let before = self.assets.get(&verdict.asset).filter(|watched| watched.is_unknown);
        self.told.unknown_ms += before.map_or(0, |watched| now_ms.saturating_sub(watched.since_ms));
        let unobserved = verdict.shares.bridged_ms() + verdict.shares.unaccounted_ms();
        self.told.unobserved_ms = self.told.unobserved_ms.max(unobserved);
        self.told.last = Some(*verdict);
    }

    fn on_finding(&mut self, finding: &Finding, plant: &Plant) {
        let now_ms = plant.now_ms();
        match finding {
            Finding::Verdict(verdict) => self.hear(verdict, now_ms),
            Finding::Event(Event::Balance(told)) => {
                let [agree, all] = &mut self.balances;
                *all += 1;
                *agree += usize::from(told.outcome == BalanceOutcome::Agrees);
                self.residuals += usize::from(told.outcome == BalanceOutcome::Residual);
            }
            Finding::Event(_) | Finding::State(_) | Finding::Interval(_) | Finding::Transition(_) => {}
        }
        let mut is_news = true;
        match finding {
            Finding::Verdict(verdict) => {
                let Some(watched) = self.assets.get_mut(&verdict.asset) else { return };
                let unknown = matches!(verdict.state, State::Unknown(_));
                watched.turn(alarm::state(verdict.state), unknown, now_ms);
                let violation = verdict.violation_since_unix_ms.is_some();
                is_news = violation && !watched.violation;
                watched.violation = violation;
                if is_news {
                    self.raise(Alarm { word: alarm::VIOLATION, at_ms: now_ms, about: (verdict.asset, None) });
                }
            }
            Finding::Event(event) => {
                if let Some(word) = alarm::sign(finding).filter(|_| self.scenario.honest) {
                    *self.signs.entry(word).or_default() += 1;
                }
                let about = about(event);
                if let (Some(word), Some(about)) = (alarm::strong(finding), about) {
                    self.raise(Alarm { word, at_ms: now_ms, about });
                }
                if let (Some(word), Some(about)) = (alarm::permitted(finding), about) {
                    self.take_back(Alarm { word, at_ms: now_ms, about });
                }
            }
            Finding::State(_) | Finding::Interval(_) | Finding::Transition(_) => {}
        }
        if let (Some(hunt), Some(word)) = (&mut self.hunt, alarm::of(finding).filter(|_| is_news))
            && (hunt.is_prey(word) || self.scenario.cap.is_some() && is_grave(finding, word))
        {
            hunt.catch(word, plant);
        }
    }

    /// Notes a conviction or a strong sign: a false one where nobody has cheated up to now.
    fn raise(&mut self, alarm: Alarm) {
        if self.is_honest_yet() {
            self.alarms.push(alarm);
        }
    }

    /// An edit under a paper that was in force already is told, and taken back in the same moment; of its meter alone.
    fn take_back(&mut self, permitted: Alarm) {
        self.alarms.retain(|alarm| *alarm != permitted);
    }

    fn wrong_balances(&self) -> Option<String> {
        let ([agree, all], residuals) = (self.balances, self.residuals);
        let holds = match self.scenario.balances {
            None => true,
            Some(Balanced::Agree) => residuals == 0 && agree > 0 && agree * 10 >= all * 9,
            Some(Balanced::Unknown) => residuals == 0 && agree == 0 && all > 0,
        };
        (!holds).then(|| format!("of {all} balances {agree} agree and {residuals} leave a residual"))
    }

    /// Whether nobody has cheated up to now. Who copies the gateway's disk has begun to, though the clock starts with
    /// what is made of the copy: what is raised in between is true.
    fn is_honest_yet(&self) -> bool {
        let has_begun = self.copied_ms.is_some();
        self.hunt.as_ref().is_none_or(|hunt| matches!(hunt.state, Prey::Honest) && !has_begun)
    }

    fn close(self, seed: u64, plant: &Plant) -> Outcome {
        let now_ms = plant.now_ms();
        let wrong_balances = self.wrong_balances();
        let mut outcome = Outcome { seed, signs: self.signs, ..Outcome::default() };
        outcome.alarms = self.alarms.into_iter().map(|alarm| (alarm.word, alarm.at_ms)).collect();
        outcome.wrong_ends.extend(wrong_balances);
        let cap = self.scenario.cap.as_ref().map(|cap| Carries::of(cap.which));
        let missing = cap.and_then(|cap| cap.missing(&self.told));
        outcome.wrong_ends.extend(missing.map(|what| format!("the cap is not in the verdict: {what}")));
        for end in &self.scenario.ends {
            let Some(watched) = self.assets.get(&end.asset) else { continue };
            let was = |state: &str| {
                watched.state == state || watched.last.get(state).is_some_and(|last| *last > end.since_ms)
            };
            let never = end.never.iter().filter(|state| was(state));
            outcome.wrong_ends.extend(never.map(|state| format!("{} was {state}", end.asset)));
            let through = end.through.iter().filter(|state| !was(state));
            outcome.wrong_ends.extend(through.map(|state| format!("{} was never {state}", end.asset)));
            if !end.states.is_empty() && !end.states.contains(&watched.state) {
                outcome.wrong_ends.push(format!("{} ends as {}", end.asset, watched.state));
            }
            if end.violation.is_some_and(|violation| violation != watched.violation) {
                let said = if watched.violation { "in violation" } else { "without a violation" };
                outcome.wrong_ends.push(format!("{} ends {said}", end.asset));
            }
        }
        for mut watched in self.assets.into_values() {
            watched.turn(watched.state, watched.is_unknown, now_ms);
            outcome.unknown_ms += watched.unknown_ms;
            outcome.watched_ms += now_ms.saturating_sub(self.scenario.from_ms);
        }
        outcome.caught = self.hunt.and_then(|hunt| hunt.caught);
        outcome
    }
}

impl Watched {
    fn turn(&mut self, state: &'static str, is_unknown: bool, now_ms: u64) {
        if self.is_unknown {
            self.unknown_ms += now_ms.saturating_sub(self.since_ms);
        }
        self.last.insert(self.state, now_ms);
        (self.state, self.is_unknown, self.since_ms) = (state, is_unknown, now_ms);
    }
}

/// What a sign, or voltage behind a cut, is about.
fn about(event: &Event) -> Option<About> {
    if let Event::Sign(sign) = event {
        Some((sign.asset, Some(sign.meter)))
    } else if let Event::FedBehindCut { asset, meter, .. } = event {
        Some((*asset, Some(*meter)))
    } else {
        None
    }
}

/// Whether it convicts, or is a strong sign: what is said to be undetectable may raise neither.
fn is_grave(finding: &Finding, word: &str) -> bool {
    word == alarm::VIOLATION || alarm::strong(finding).is_some()
}

/// A cheat and what it has drawn.
struct Hunt<'s> {
    catch: &'s Catch,
    rated_mw: i64,
    poll_ms: u64,
    state: Prey,
    step: WattHours,
    /// The largest power it was seen to draw, in milliwatts.
    peak_mw: i64,
    caught: Option<Caught>,
    /// The authority can be reached.
    is_heard: bool,
    /// It was caught in records that are not delivered yet.
    is_undelivered: bool,
}

enum Prey {
    /// Nothing was done yet.
    Honest,
    /// It began, and the clock starts with the next reading.
    Hidden,
    /// The clock runs: since when, and what had been drawn before.
    Running(u64, u128),
}

impl<'s> Hunt<'s> {
    fn new(scenario: &'s Scenario, catch: &'s Catch) -> Hunt<'s> {
        Hunt {
            catch,
            rated_mw: scenario.rated(catch.asset).0,
            poll_ms: scenario.poll_ms(),
            state: Prey::Honest,
            step: WattHours(0),
            peak_mw: 0,
            caught: None,
            is_heard: true,
            is_undelivered: false,
        }
    }

    /// A conviction that is erased before anybody heard of it catches nobody.
    fn on_deed(&mut self, deed: &Deed) {
        if let Deed::Broker(is_up) = deed {
            self.is_heard = *is_up;
            self.is_undelivered &= !is_up;
        }
        if *deed == Deed::PutBackDisk && self.is_undelivered {
            (self.caught, self.is_undelivered) = (None, false);
        }
    }

    fn begin(&mut self, plant: &Plant) {
        self.state = if self.catch.from_reading { Prey::Hidden } else { self.running(plant) };
    }

    fn running(&self, plant: &Plant) -> Prey {
        Prey::Running(plant.now_ms(), drawn(&self.catch.draws, plant))
    }

    fn on_reading(&mut self, reading: &Reading, plant: &Plant) {
        if let Some(register) = &reading.import {
            self.step = self.step.max(register.step);
        }
        match self.state {
            Prey::Honest => {}
            Prey::Hidden => self.state = self.running(plant),
            Prey::Running(..) if self.caught.is_none() => {
                let power = self.catch.draws.iter().map(|feeder| plant.equipment(*feeder).power.0).sum();
                self.peak_mw = self.peak_mw.max(power);
            }
            Prey::Running(..) => {}
        }
    }

    /// Whether the scenario says that it may be caught by this.
    fn is_prey(&self, word: &str) -> bool {
        self.catch.by.contains(&word)
    }

    fn catch(&mut self, word: &'static str, plant: &Plant) {
        if self.caught.is_some() {
            return;
        }
        // What is caught before its clock runs is caught at once.
        let (since_ms, before) = match self.state {
            Prey::Honest => return,
            Prey::Hidden => (plant.now_ms(), drawn(&self.catch.draws, plant)),
            Prey::Running(since_ms, before) => (since_ms, before),
        };
        self.is_undelivered = !self.is_heard;
        let energy = drawn(&self.catch.draws, plant).saturating_sub(before) / (KILOWATT_HOUR / 1_000);
        let rule_wh = self.rule_wh();
        self.caught = Some(Caught {
            by: word,
            delay_ms: plant.now_ms().saturating_sub(since_ms),
            energy_wh: u64::try_from(energy).unwrap_or(u64::MAX),
            limit_wh: self.catch.limit_kwh.map_or(rule_wh, |kwh| kwh.unsigned_abs() * 1_000),
            rule_wh,
            within_ms: self.catch.within_ms,
        });
    }

    /// The most it may draw by the rule before it is caught: 1 % of the rating for 15 minutes, two steps of the register, or the
    /// rating times poll and on-delay, whichever is largest.
    fn rule_wh(&self) -> u64 {
        let is_large = self.peak_mw > self.rated_mw / 100 * LARGE_PER_CENT;
        let delay_ms = self.poll_ms + if is_large { DELAY_LARGE_MS } else { DELAY_SMALL_MS };
        let watts = real(self.rated_mw) / 1_000.0;
        let hours = |ms: u64| real(ms.cast_signed()) / 3_600_000.0;
        let by_rating = nearest(watts * 0.01 * 0.25).max(nearest(watts * hours(delay_ms)));
        by_rating.max(2 * self.step.0).unsigned_abs()
    }
}

/// What some equipment has really drawn, in milliwatts times milliseconds.
fn drawn(feeders: &[FeederIndex], plant: &Plant) -> u128 {
    feeders.iter().map(|feeder| plant.equipment(*feeder).exact_energy).sum()
}

#[cfg(test)]
mod tests {
    use coldhearth::terms::Name;

    use super::*;
    use crate::scenario::shipped;

    #[test]
    fn a_permit_of_one_meter_takes_back_nothing_of_another_in_the_same_moment() {
        let scenario = shipped::named("idle").unwrap();
        let mut account = Account::new(&scenario);
        let raised = |meter: &str| {
            let about = (scenario.config.equipment[0].equipment.id, Some(MeterId(Name::new(meter).unwrap())));
            Alarm { word: "ratio_changed", at_ms: 7, about }
        };
        account.alarms = vec![raised("one"), raised("two")];
        account.take_back(raised("one"));
        assert_eq!(account.alarms, [raised("two")]);
    }

    #[test]
    fn what_is_raised_before_anybody_cheats_is_false_and_after_a_disk_was_copied_it_is_not() {
        let scenario = shipped::named("disk-image-restored").unwrap();
        let about = (scenario.config.equipment[0].equipment.id, None);
        let raised = Alarm { word: alarm::VIOLATION, at_ms: 7, about };
        let mut account = Account::new(&scenario);
        account.copied_ms = Some(5);
        account.raise(raised);
        assert_eq!(account.alarms, []);
        account.copied_ms = None;
        account.raise(raised);
        assert_eq!(account.alarms, [raised]);
    }
}
