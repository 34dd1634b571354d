//! What `play` says of a finding or a deed: one line each.

use std::collections::BTreeMap;

use coldhearth::{
    judge::{Event, Finding, Verdict},
    terms::{AssetId, words::Language},
};

use crate::{
    alarm,
    plant::Plant,
    scenario::{Deed, PaperFor, Scenario},
    site::Truth,
};

/// What really is with every piece of equipment: what flows through its feeders, and what it draws itself, whichever
/// way it is fed. The two are apart where somebody leads power past a meter.
pub fn truth(scenario: &Scenario, plant: &Plant) -> String {
    let one = |asset: AssetId| {
        let kilowatts = |of: &dyn Fn(&crate::FeederIndex) -> Truth| {
            scenario.draws(asset).iter().map(|feeder| of(feeder).power.watts()).sum::<i64>() / 1_000
        };
        let (feeders, itself) = (kilowatts(&|f| plant.truth(*f)), kilowatts(&|f| plant.equipment(*f)));
        format!("{asset} {feeders:>7} kW by its feeder, {itself:>7} kW itself")
    };
    scenario.config.equipment.iter().map(|furnace| one(furnace.equipment.id)).collect::<Vec<_>>().join(", ")
}

/// Tells findings in order and leaves out verdicts that say what was said before.
#[derive(Debug)]
pub struct Teller {
    language: Language,
    all: bool,
    said: BTreeMap<AssetId, (&'static str, bool)>,
}

impl Teller {
    /// `all`: intervals and repeated verdicts too.
    pub fn new(language: Language, all: bool) -> Teller {
        Teller { language, all, said: BTreeMap::new() }
    }

    /// The line of a finding, if it is worth one.
    pub fn finding(&mut self, finding: &Finding) -> Option<String> {
        match finding {
            Finding::State(found) => {
                let sentence = found.state.sentence(found.state.words(), self.language);
                let power = found.power.map_or_else(String::new, |power| format!(" [{power:?}]"));
                Some(format!("{} {}: {sentence}{power}", found.meter, found.state.word()))
            }
            Finding::Verdict(verdict) => self.verdict(verdict),
            Finding::Interval(interval) => {
                self.all.then(|| format!("{} {:?}", interval.meter, interval.shares))
            }
            Finding::Transition(step) => Some(format!(
                "{} order {}: {} to {} ({})",
                step.asset,
                step.order,
                step.from.word(),
                step.to.word(),
                step.why
            )),
            Finding::Event(Event::Hold(_)) if !self.all => None,
            Finding::Event(event) => Some(self.event(event)),
        }
    }

    fn verdict(&mut self, verdict: &Verdict) -> Option<String> {
        let is_violation = verdict.violation_since_unix_ms.is_some();
        let news = (alarm::state(verdict.state), is_violation);
        let is_news = self.said.insert(verdict.asset, news) != Some(news);
        let latch = if is_violation { "VIOLATION, " } else { "" };
        (is_news || self.all)
            .then(|| format!("verdict on {}: {latch}{}", verdict.asset, verdict.sentence(self.language)))
    }

    fn event(&self, event: &Event) -> String {
        match event {
            Event::Sign(found) => format!(
                "{} sign {} ({}) {}: {}",
                found.meter,
                found.sign.word(),
                found.sign.grade().word(),
                found.turn.word(),
                found.sign.sentence(self.language)
            ),
            Event::ClockStepped { by_ms } => format!("the wall clock was moved by {by_ms} ms"),
            Event::Register(event) => format!(
                "{} register {}: {} Wh, then {} Wh",
                event.meter,
                event.what.word(),
                event.before.register.energy.0,
                event.after.register.energy.0
            ),
            Event::Hold(note) => format!("{} order {}: {:?}", note.asset, note.order, note.stand.hold),
            Event::Reconcile(day) => format!(
                "{} at {}: {} Wh, the supplier {} Wh, within {} Wh: {}",
                day.asset,
                day.meter,
                day.ours.0,
                day.theirs.0,
                day.may_differ.0,
                day.agrees()
            ),
            Event::Dark(told) => format!(
                "{} at {}: dark until {:?}, {:?} Wh",
                told.asset,
                told.meter,
                told.dark.to,
                told.energy().map(|energy| energy.0)
            ),
            Event::FedBehindCut { order, asset, meter } => {
                format!("{asset} at {meter}: voltage behind the cut of order {order}")
            }
            Event::Balance(found) => format!("balance {}: {:?}", found.group, found.outcome),
            Event::Meter(told) => {
                let again =
                    if told.before.is_some() { "tells otherwise who it is" } else { "told who it is" };
                format!("{} {again}", told.meter)
            }
            Event::Plate(read) => format!("{} nameplate {:?}", read.asset, read.source),
            Event::PlateUnreadable { asset, why } => format!("{asset} nameplate unreadable: {why}"),
            Event::PlateDiffers { asset, .. } => format!("{asset} nameplate differs from what was declared"),
            Event::ClassChanged(change) => {
                let edited: Vec<&str> = change.edits.iter().map(|edit| edit.attribute.as_str()).collect();
                format!("{} class changed by an edit of {}", change.asset, edited.join(", "))
            }
            Event::DeadlineWarning(warning) => {
                format!("{} last lawful day in {} days", warning.asset, warning.days_left)
            }
            Event::PermitUsed { asset, used } => {
                format!("{asset} drew {} Wh under permit {}", used.used.0, used.permit)
            }
            Event::NotOnRoster { asset, .. } => format!("{asset} is not on the roster"),
        }
    }

    /// The line of something that is done.
    pub fn deed(&self, deed: &Deed) -> String {
        let text = match deed {
            Deed::Plant(change) => format!("{change:?}"),
            Deed::Wire(unit, Some(fault)) => format!("unit {unit}: answers are {fault:?}"),
            Deed::Wire(unit, None) => format!("unit {unit}: answers are right again"),
            Deed::Bus(bus, true) => format!("bus {bus} can be reached again"),
            Deed::Bus(bus, false) => format!("bus {bus} cannot be reached"),
            Deed::Gateway(true) => "the gateway has power and boots".to_owned(),
            Deed::Gateway(false) => "the gateway loses its power".to_owned(),
            Deed::Agent(true) => "the agent is started".to_owned(),
            Deed::Agent(false) => "the agent is stopped".to_owned(),
            Deed::Isolated(asset, true) => format!("{asset} is cut off by order"),
            Deed::Isolated(asset, false) => format!("{asset} may be fed again"),
            Deed::Broker(true) => "the broker is back".to_owned(),
            Deed::Broker(false) => "the broker is away".to_owned(),
            Deed::CopyDisk => "somebody copies the gateway's disk".to_owned(),
            Deed::PutBackDisk => "somebody puts the copy of the gateway's disk in its place".to_owned(),
            Deed::ClockStep(by_ms) => format!("the gateway's clock is set by {by_ms} ms"),
            Deed::ClockQuality(quality) => format!("the gateway's clock is `{}` now", quality.word()),
            Deed::Paper(paper) => match paper.what {
                PaperFor::Maintenance(energy) => format!("permit: {} may run, {} Wh", paper.asset, energy.0),
                PaperFor::Allowance(energy) => {
                    format!("permit: {} may draw {} Wh more", paper.asset, energy.0)
                }
                PaperFor::MeterReplacement(meter) => format!("paper: meter {meter} is exchanged"),
            },
        };
        format!("-- {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::shipped;

    #[test]
    fn a_bypass_does_not_look_like_a_furnace_at_rest() {
        let scenario = shipped::named("bypass-without-incomer").unwrap();
        let mut plant = scenario.plant(1);
        for due in scenario.deeds(1) {
            plant.advance_to(due.at_ms);
            let Deed::Plant(change) = due.deed else { continue };
            assert!(plant.apply(change));
            let told = truth(&scenario, &plant);
            let kilowatts: Vec<i64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            if let [feeder, itself] = kilowatts.as_slice()
                && *itself > 1_000
            {
                assert!(*feeder < itself / 10, "{told}");
                return;
            }
        }
        panic!("nothing was drawn");
    }
}
