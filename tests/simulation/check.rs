//! What must hold, told by the plant's truth and the words of the rules alone: nothing here asks the judge how it judges.
//!
//! *Measurably drawing* is a load of at least twice what everything that may hide or be allowed adds up to, told by five
//! answers of the meter in a row that were the meter's own, none of them older than the load or the line's coming alive,
//! over more than the longest delay the rules give (on-delay 60 s, or 5 s above 15 % of rating, and 30 s of inrush).

use std::collections::BTreeMap;

use coldhearth::{
    evidence::{Body, Record},
    judge::{Event, Finding, Outcome, Sign, State, Turn, Verdict},
    metering::Sample,
    terms::{AssetId, Stamp},
};

use crate::{
    script::{LAMPS_W, NO_LOAD_W, PROFILES, RATED_W, Script},
    works::{FURNACES, METERS},
};

/// Current below which the meter does not start, in milliamperes: 0.2 % of 400 A.
const STARTS_MA: i64 = 800;
/// The line's voltage, in volts.
const LINE_V: i64 = 35_000;
/// On-delay of a small load and inrush, in milliseconds.
const SMALL_DELAY_MS: u64 = 95_000;
/// On-delay of a large load and inrush, in milliseconds.
const LARGE_DELAY_MS: u64 = 40_000;
/// Answers in a row that were the meter's own.
const ANSWERS: u32 = 5;
/// A silent meter may be asked in a tenth of the bus's time only: three polls of at most so long, and a look at the
/// clock, in milliseconds.
const SILENCE_SLACK_MS: u64 = 70_000;
/// The coarsest register's step: 0.01 kWh behind 400/5 A and 35 000/100 V, in watt-hours.
const COARSEST_STEP_WH: i64 = 280_000;
/// Every meter's time is told in quarters of an hour, in milliseconds: a silence no later than that.
const INTERVAL_MS: u64 = 900_000;
/// After so many failed polls in a row nothing is known any more.
const MISSED_POLLS: u32 = 3;
/// The rules' least time of silence, in milliseconds.
const SILENCE_MS: u64 = 30_000;

/// A load that no allowance, no-load loss and no floor explains, twice over, in watts.
fn measurable_w() -> i64 {
    let floor = LINE_V * STARTS_MA / 1_000 * 17_321 / 10_000;
    2 * (LAMPS_W + NO_LOAD_W + floor)
}

/// What is known of one meter.
#[derive(Clone, Debug, Default)]
struct Meter {
    /// The state the log shows.
    shown: Option<State>,
    /// When a whole reading was last heard.
    heard_ms: u64,
    /// Since when its answers are its own, and how many there were.
    own: Option<(u64, u32)>,
    /// Since when none of them was missing besides.
    whole_ms: Option<u64>,
    /// Polls that failed since.
    misses: u32,
    /// When the log told of its time last.
    told_ms: u64,
    /// What the poll in progress has met.
    met_wrong: bool,
    met_loss: bool,
}

/// What a furnace's feeder really does.
#[derive(Clone, Copy, Debug)]
struct Load {
    watts: i64,
    since_ms: u64,
    is_live: bool,
    live_since_ms: u64,
}

/// What was counted, so that a run without anything to check is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) readings: u64,
    pub(crate) misses: u64,
    pub(crate) wrong: u64,
    pub(crate) drawing_checked: u64,
    pub(crate) silence_checked: u64,
    pub(crate) intervals_checked: u64,
    pub(crate) violations: u64,
    pub(crate) restarts: u64,
    pub(crate) cut_while_writing: u64,
    pub(crate) waits_for_disk: u64,
    pub(crate) gaps: u64,
    pub(crate) receipts: u64,
    pub(crate) asked: u64,
    pub(crate) melts_convicted: u64,
}

impl Counts {
    fn all(&mut self) -> [&mut u64; 15] {
        [
            &mut self.records,
            &mut self.readings,
            &mut self.misses,
            &mut self.wrong,
            &mut self.drawing_checked,
            &mut self.silence_checked,
            &mut self.intervals_checked,
            &mut self.violations,
            &mut self.restarts,
            &mut self.cut_while_writing,
            &mut self.waits_for_disk,
            &mut self.gaps,
            &mut self.receipts,
            &mut self.asked,
            &mut self.melts_convicted,
        ]
    }

    pub(crate) fn add(&mut self, other: &Counts) {
        let mut other = *other;
        for (sum, more) in self.all().into_iter().zip(other.all()) {
            *sum += *more;
        }
    }

    /// Whether everything that can go wrong went wrong at least once, and was checked.
    pub(crate) fn has_everything(mut self) -> bool {
        self.all().into_iter().all(|count| *count > 0)
    }
}

pub(crate) struct Check {
    script: Script,
    meters: [Meter; 3],
    loads: [Load; 2],
    verdicts: [Option<Verdict>; 2],
    /// What the furnaces' feeders have really taken, in watt-hours.
    pub(crate) energies: [i64; 2],
    /// A meter that was without supply counted nothing meanwhile: others counted on.
    pub(crate) was_dark: bool,
    /// Plant time.
    pub(crate) now_ms: u64,
    /// The furnace that is asked about, and whether its verdict followed.
    asked: Option<(AssetId, bool)>,
    /// Readings heard, by meter and boot: uptimes in order.
    readings: BTreeMap<(usize, u32), Vec<u64>>,
    pub(crate) counts: Counts,
}

fn is_off(state: State) -> bool {
    matches!(state, State::Dead | State::Energised | State::Auxiliary)
}

fn unit_of(meter: &str) -> usize {
    METERS.iter().position(|known| *known == meter).unwrap()
}

impl Check {
    pub(crate) fn new(script: &Script) -> Check {
        let load = Load { watts: 0, since_ms: 0, is_live: true, live_since_ms: 0 };
        Check {
            script: script.clone(),
            meters: Default::default(),
            loads: [load; 2],
            verdicts: [None; 2],
            energies: [0; 2],
            was_dark: false,
            now_ms: 0,
            asked: None,
            readings: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn on_power(&mut self, furnace: usize, watts: i64, now_ms: u64) {
        let load = &mut self.loads[furnace];
        (load.watts, load.since_ms) = (watts, now_ms);
    }

    pub(crate) fn on_supply(&mut self, furnace: usize, is_live: bool, now_ms: u64) {
        let load = &mut self.loads[furnace];
        (load.is_live, load.live_since_ms) = (is_live, now_ms);
    }

    /// An answer of a unit was another than the meter gave.
    pub(crate) fn on_wrong(&mut self, unit: u8) {
        self.meters[usize::from(unit) - 1].met_wrong = true;
        self.counts.wrong += 1;
    }

    /// An answer of a unit did not come.
    pub(crate) fn on_loss(&mut self, unit: u8) {
        self.meters[usize::from(unit) - 1].met_loss = true;
    }

    /// Whether its answers have been its own for some polls: only then may another one be wrong.
    pub(crate) fn may_lie(&self, unit: u8) -> bool {
        let meter = &self.meters[usize::from(unit) - 1];
        !meter.met_wrong && meter.own.is_some_and(|(_, count)| count >= 3)
    }

    /// The gateway began, or goes on after it was held up, or its clock was moved: what was seen before counts no more.
    pub(crate) fn on_break(&mut self, now_ms: u64) {
        for meter in &mut self.meters {
            (meter.own, meter.whole_ms, meter.heard_ms, meter.told_ms) = (None, None, now_ms, now_ms);
            (meter.met_wrong, meter.met_loss, meter.misses) = (false, false, 0);
        }
    }

    /// A poll came to its end.
    pub(crate) fn on_reading(&mut self, sample: &Sample) {
        if let Sample::Reading(reading) = sample {
            let unit = unit_of(reading.meter.as_str());
            self.readings.entry((unit, reading.at.boot)).or_default().push(reading.at.uptime_ms);
        }
    }

    /// A poll came to its end, and what the judge said of it is written down.
    pub(crate) fn on_sample(&mut self, sample: &Sample, now_ms: u64) -> Result<(), String> {
        match sample {
            Sample::Reading(reading) => {
                self.counts.readings += 1;
                let unit = unit_of(reading.meter.as_str());
                let meter = &mut self.meters[unit];
                (meter.heard_ms, meter.misses) = (now_ms, 0);
                let (wrong, loss) =
                    (std::mem::take(&mut meter.met_wrong), std::mem::take(&mut meter.met_loss));
                // Read over as long a time as answers may take.
                let began_ms = now_ms.saturating_sub(u64::from(reading.took_ms) + 3_000);
                meter.own = if wrong {
                    None
                } else {
                    Some(meter.own.map_or((began_ms, 1), |(first, count)| (first, count + 1)))
                };
                meter.whole_ms = (!wrong && !loss).then(|| meter.whole_ms.unwrap_or(began_ms));
                self.look(unit, now_ms)
            }
            Sample::Miss { meter, .. } => {
                self.counts.misses += 1;
                let unit = unit_of(meter.as_str());
                let meter = &mut self.meters[unit];
                (meter.met_wrong, meter.met_loss, meter.whole_ms) = (false, false, None);
                meter.misses += 1;
                let is_doubted = matches!(meter.shown, Some(State::Unknown(_) | State::Masked(_)));
                if meter.misses >= MISSED_POLLS && !is_doubted {
                    let (misses, shown) = (meter.misses, meter.shown);
                    return Err(format!("{}: {misses} polls failed and {shown:?} is shown", METERS[unit]));
                }
                Ok(())
            }
            Sample::Plate { .. }
            | Sample::PlateMiss { .. }
            | Sample::Identity { .. }
            | Sample::IdentityMiss { .. } => Ok(()),
        }
    }

    /// Whoever draws measurably is never shown as off, and shown to draw where nothing was missing.
    fn look(&mut self, unit: usize, now_ms: u64) -> Result<(), String> {
        let Some(load) = self.loads.get(unit).copied() else { return Ok(()) };
        let meter = &self.meters[unit];
        let Some((first_ms, count)) = meter.own else { return Ok(()) };
        if count < ANSWERS || first_ms < load.since_ms || first_ms < load.live_since_ms {
            return Ok(());
        }
        let shown = meter.shown;
        if load.is_live && shown == Some(State::Dead) {
            return Err(format!("{} is called dead and has voltage", METERS[unit]));
        }
        if !load.is_live || load.watts < measurable_w() {
            return Ok(());
        }
        let is_large = load.watts * 100 > RATED_W * 15;
        let lasted_ms = now_ms - first_ms;
        let is_whole = meter.whole_ms.is_some_and(|since| since <= first_ms);
        let delay_ms = if is_large { LARGE_DELAY_MS } else { SMALL_DELAY_MS };
        if is_whole && lasted_ms > delay_ms + 2 * self.script.poll_ms {
            self.counts.drawing_checked += 1;
            if !matches!(shown, Some(State::Drawing | State::Masked(_))) {
                let watts = load.watts;
                return Err(format!(
                    "{} draws {watts} W for {lasted_ms} ms and shows {shown:?}",
                    METERS[unit]
                ));
            }
        }
        // With polls missing in between delays stand still; a fine register tells all the same.
        let is_fine = PROFILES[self.script.profile].0 != "acrel-adl400";
        if is_large && is_fine && lasted_ms > LARGE_DELAY_MS && shown.is_some_and(is_off) {
            self.counts.drawing_checked += 1;
            let watts = load.watts;
            return Err(format!("{} draws {watts} W for {lasted_ms} ms and shows {shown:?}", METERS[unit]));
        }
        Ok(())
    }

    /// Silence ends as unknown in time.
    pub(crate) fn on_time(&mut self, now_ms: u64) -> Result<(), String> {
        let within_ms = (4 * self.script.poll_ms).max(SILENCE_MS) + SILENCE_SLACK_MS;
        for (meter, name) in self.meters.iter().zip(METERS) {
            let untold_ms = now_ms.saturating_sub(meter.told_ms);
            if untold_ms > INTERVAL_MS + 3 * self.script.poll_ms + 10_000 && !self.script.moves_clock {
                return Err(format!("nothing is told of the last {untold_ms} ms of {name}"));
            }
            if now_ms.saturating_sub(meter.heard_ms) <= within_ms {
                continue;
            }
            self.counts.silence_checked += 1;
            if !matches!(meter.shown, Some(State::Unknown(_) | State::Masked(_))) {
                let silent_ms = now_ms - meter.heard_ms;
                return Err(format!("{name} is silent for {silent_ms} ms and shows {:?}", meter.shown));
            }
        }
        Ok(())
    }

    /// A record was made durable.
    pub(crate) fn on_record(&mut self, record: &Record) -> Result<(), String> {
        self.counts.records += 1;
        match &record.body {
            Body::Finding(Finding::State(found)) => {
                let unit = unit_of(found.meter.as_str());
                self.meters[unit].shown = Some(found.state);
                let draws = matches!(found.state, State::Drawing | State::Exporting);
                if self.is_innocent(unit) && draws {
                    return Err(format!(
                        "{} is within its allowances: {:?} {:?}",
                        found.meter, found.state, found.proof
                    ));
                }
            }
            Body::Finding(Finding::Verdict(verdict)) => return self.on_verdict(verdict),
            Body::Finding(Finding::Interval(interval)) => {
                return self.on_interval(unit_of(interval.meter.as_str()), interval);
            }
            Body::Finding(Finding::Event(Event::Sign(found))) => {
                let begins = found.turn == Turn::Begins && found.sign.is_strong();
                if begins && !self.script.has_lies {
                    return Err(format!(
                        "a strong sign at an honest meter: {} {:?}",
                        found.meter, found.sign
                    ));
                }
                // An odd word may look like an edit, and like nothing else that proves tampering.
                let is_edit = matches!(
                    found.sign,
                    Sign::RatioChanged | Sign::SerialChanged | Sign::WiringChanged | Sign::RegisterFell
                );
                if begins && !is_edit {
                    return Err(format!("a strong sign of one odd answer: {} {:?}", found.meter, found.sign));
                }
            }
            Body::Gap(gap) => self.counts.gaps += gap.dropped.len() as u64,
            Body::Finding(Finding::Event(Event::Balance(balance)))
                if balance.outcome == Outcome::Residual && !self.script.has_lies && !self.was_dark =>
            {
                return Err(format!("what came in went out, and the balance misses it: {balance:?}"));
            }
            Body::Act(act) => self.asked = act.asset.map(|asset| (asset, false)),
            Body::Answer(answer) if answer.refused.is_none() => {
                self.counts.asked += 1;
                if !self.asked.take().is_some_and(|(_, told)| told) {
                    return Err("a question was answered without the verdict it asked for".into());
                }
            }
            _other => {}
        }
        Ok(())
    }

    /// Whether nothing that this meter counts is beyond what is allowed.
    fn is_innocent(&self, unit: usize) -> bool {
        self.script.is_honest || unit == 1
    }

    fn on_verdict(&mut self, verdict: &Verdict) -> Result<(), String> {
        let furnace = FURNACES.iter().position(|known| *known == verdict.asset.as_str()).unwrap();
        if verdict.violation_since_unix_ms.is_some() && self.is_innocent(furnace) {
            return Err(format!("{} is honest and convicted", verdict.asset));
        }
        if let Some(before) = self.verdicts[furnace].and_then(|before| before.violation_since_unix_ms) {
            if verdict.violation_since_unix_ms != Some(before) {
                return Err(format!("{}: a latch opened that nobody reset", verdict.asset));
            }
        } else {
            self.counts.violations += u64::from(verdict.violation_since_unix_ms.is_some());
        }
        self.verdicts[furnace] = Some(*verdict);
        if let Some((asset, told)) = &mut self.asked {
            *told |= *asset == verdict.asset;
        }
        let (told, took) = (verdict.energy_overdue.0, self.energies[furnace]);
        if !self.script.has_lies && told > took + 2 * COARSEST_STEP_WH {
            return Err(format!("{}: {told} Wh are told of, {took} were taken", verdict.asset));
        }
        let shown = self.meters[furnace].shown;
        if is_off(verdict.state) && !shown.is_some_and(is_off) {
            return Err(format!("{} is {:?} while its meter shows {shown:?}", verdict.asset, verdict.state));
        }
        Ok(())
    }

    /// Every second is accounted for, and none is called observed that lies in silence.
    fn on_interval(&mut self, unit: usize, interval: &coldhearth::judge::Interval) -> Result<(), String> {
        self.meters[unit].told_ms = self.now_ms;
        let (start, end): (Stamp, Stamp) = (interval.start, interval.end);
        let walls = end.wall_unix_ms - start.wall_unix_ms;
        // Across a boot and across a clock that was moved no two clocks agree how long it lasted.
        if start.boot != end.boot || (walls - (end.uptime_ms - start.uptime_ms).cast_signed()).abs() > 500 {
            return Ok(());
        }
        self.counts.intervals_checked += 1;
        let spans = i64::try_from(end.uptime_ms - start.uptime_ms).unwrap();
        let shares = interval.shares;
        if shares.total_ms() != spans {
            return Err(format!("{}: {} of {spans} ms accounted for", interval.meter, shares.total_ms()));
        }
        let readings = self.readings.get(&(unit, start.boot)).map_or(&[][..], Vec::as_slice);
        let most_apart = 2 * self.script.poll_ms;
        let pairs = readings.windows(2).filter(|pair| pair[1] - pair[0] <= most_apart);
        let inside =
            pairs.map(|pair| pair[1].min(end.uptime_ms).saturating_sub(pair[0].max(start.uptime_ms)));
        let most = i64::try_from(inside.sum::<u64>()).unwrap();
        if shares.observed_ms() > most {
            let observed = shares.observed_ms();
            return Err(format!("{}: {observed} ms called observed, {most} were", interval.meter));
        }
        Ok(())
    }

    /// The end: whoever took much was convicted, if every clock was right.
    pub(crate) fn at_the_end(&mut self, melted_wh: i64) -> Result<(), String> {
        let is_provable = !self.script.has_lies && !self.script.moves_clock;
        if self.script.is_honest || !is_provable || melted_wh < 1_500_000 {
            return Ok(());
        }
        self.counts.melts_convicted += 1;
        match self.verdicts[0].and_then(|verdict| verdict.violation_since_unix_ms) {
            Some(_) => Ok(()),
            None => Err(format!("{melted_wh} Wh were drawn and nobody is convicted")),
        }
    }

    /// What the log shows of each meter, for whoever looks at a failure.
    pub(crate) fn shown(&self) -> [Option<State>; 3] {
        [0, 1, 2].map(|unit| self.meters[unit].shown)
    }
}
