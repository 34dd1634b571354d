//! The time line of a scenario: events, each a few deeds, moved by the seed and repeated.

use std::ops::RangeInclusive;

use coldhearth::terms::form::{self, Form};

use super::{
    deed::{self, Deed, Names, Step},
    time::{self, DAY_MS},
};
use crate::chance::Chance;

/// Most repetitions of an event.
const MAX_TIMES: u64 = 10_000;

/// Some deeds that belong together.
#[derive(Clone, Debug)]
pub(super) struct Event {
    at_ms: u64,
    /// The seed moves the event by up to so much, each repetition for itself.
    sway_ms: u64,
    every_ms: u64,
    times: u64,
    /// The cheat begins with it.
    is_onset: bool,
    steps: Vec<Step>,
}

/// A deed at its moment of plant time.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// When, in milliseconds of plant time.
    pub at_ms: u64,
    /// What.
    pub deed: Deed,
    /// The cheat begins with it.
    pub is_onset: bool,
}

/// Reads an `[[event]]` of a scenario that lasts so long.
pub(super) fn event(form: Form<'_>, names: &Names<'_>, lasts: &RangeInclusive<u64>) -> Option<Event> {
    let at_ms = form.required("at", time::on_line);
    let sway_ms = form.optional("sway", time::on_line).unwrap_or(0);
    let every = form.optional("every", time::on_line);
    let times = form.optional("times", form::fitting::<u64>(1..=MAX_TIMES.cast_signed()));
    if every.is_some() != times.is_some() {
        form.flaw("every", "`every` and `times` belong together", "give both or neither");
    }
    let is_onset = form.optional("onset", form::flag).unwrap_or(false);
    let nodes = form.nodes("do");
    if nodes.is_empty() {
        form.flaw("do", "nothing is done", "add `do = [{ start = \"...\" }]`");
    }
    let forms = nodes.iter().filter_map(|node| Form::of(node, form.flaws()));
    let steps = forms.filter_map(|step| deed::step(step, names)).collect();
    let event = at_ms.map(|at_ms| Event {
        at_ms,
        sway_ms,
        every_ms: every.unwrap_or(DAY_MS),
        times: times.unwrap_or(1),
        is_onset,
        steps,
    });
    if let Some(event) = &event {
        event.check(&form, lasts);
    }
    form.close();
    event
}

impl Event {
    /// Whether a step is the onset, in the first repetition.
    fn begins_with(&self, place: usize, step: &Step) -> bool {
        step.is_onset || self.is_onset && place == 0
    }

    /// Whether all of it is begun while the scenario lasts: what is never done would be blamed on the judge. The sums are
    /// of a few times of a time line, the longest times [`MAX_TIMES`], so they fit.
    fn check(&self, form: &Form<'_>, lasts: &RangeInclusive<u64>) {
        let told = |ms: u64| time::shown(ms).trim().to_owned();
        let (from, until) = (*lasts.start(), *lasts.end());
        let last = self.at_ms + (self.times - 1) * self.every_ms;
        let swayed = last + self.sway_ms;
        let done = swayed + self.steps.iter().map(|step| step.after_ms).max().unwrap_or(0);
        let late = [
            ("at", self.at_ms, "is"),
            ("times", last, "puts the last at"),
            ("sway", swayed, "moves it as far as"),
            ("do", done, "is done as late as"),
        ];
        if let Some((key, ms, says)) = late.into_iter().find(|(_, ms, _)| *ms > until) {
            let wrong = format!("`{key}` {says} {}, and the scenario ends at {}", told(ms), told(until));
            form.flaw(key, wrong, "let it begin before that, or set `until` later");
        }
        let mut onsets = self.steps.iter().enumerate().filter(|(place, step)| self.begins_with(*place, step));
        if let Some((_, step)) = onsets.find(|(_, step)| self.at_ms + step.after_ms < from) {
            let begins = told(self.at_ms + step.after_ms);
            let wrong = format!("`onset` comes at {begins}, before the gateway is there at {}", told(from));
            form.flaw("onset", wrong, "let it begin later, or set `from` earlier");
        }
    }
}

/// Everything that is done in the run of one seed, in time; deeds of one moment in the order of the file.
pub(super) fn unfold(events: &[Event], chance: Chance) -> Vec<Due> {
    let mut all = Vec::new();
    for (label, event) in (0..).zip(events) {
        for turn in 0..event.times {
            let moved = share(event.sway_ms, chance.branch(label).unit(turn));
            let begin = event.at_ms + turn * event.every_ms + moved;
            for (place, step) in event.steps.iter().enumerate() {
                let is_onset = turn == 0 && event.begins_with(place, step);
                all.push(Due { at_ms: begin + step.after_ms, deed: step.deed.clone(), is_onset });
                if let Some((until_ms, undoing)) = &step.until {
                    all.push(Due { at_ms: begin + until_ms, deed: undoing.clone(), is_onset: false });
                }
            }
        }
    }
    all.sort_by_key(|due| due.at_ms);
    all
}

/// A share of a time, in whole milliseconds.
fn share(of_ms: u64, share: f64) -> u64 {
    let of = crate::rounding::real(of_ms.min(i64::MAX.cast_unsigned()).cast_signed());
    crate::rounding::nearest(of * share).unsigned_abs().min(of_ms)
}
