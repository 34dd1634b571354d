//! PURE file: what the log tells of what was said: one line for each change, however often it comes. The first few changes
//! of a meter are told at once, and each that is graver than the last one told; of more only every so often one, with how
//! many were not told. Once it is calm the last word is how things are.

use std::collections::BTreeMap;

use crate::{
    evidence::{Answer, Body},
    host::hush::Hush,
    judge::{Event, Finding, Rung, Sign, SignFinding, State, StateFinding, Transition, Turn, Verdict, Why},
    terms::{
        Name, Stamp,
        words::{self, Language},
    },
};

/// Subjects that are told apart; what is beyond them is told as one. More than any configuration has.
pub const MOST_SUBJECTS: usize = 65_536;

/// How much a line weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Notice,
    /// Somebody should look today.
    Look,
}

/// What a line is about. Each is told for itself, so that one that never rests hides no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Feeder(Name),
    Sign(Name, Sign),
    Equipment(Name),
    Order(Name),
    Acts,
    Clock,
    Others,
}

impl Subject {
    /// Whether it stands somewhere, so that the same once more is no news; of the others each time counts.
    const fn stands(&self) -> bool {
        match self {
            Subject::Feeder(_) | Subject::Equipment(_) | Subject::Order(_) => true,
            Subject::Sign(..) | Subject::Acts | Subject::Clock | Subject::Others => false,
        }
    }

    /// Its kind's word, and its name.
    const fn worded(&self) -> (&'static str, Option<&Name>) {
        match self {
            Subject::Feeder(name) => ("meter", Some(name)),
            Subject::Sign(name, _) => ("signs", Some(name)),
            Subject::Equipment(name) => ("equipment", Some(name)),
            Subject::Order(name) => ("order", Some(name)),
            Subject::Acts => ("acts", None),
            Subject::Clock => ("clock", None),
            Subject::Others => ("others", None),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much it weighs.
    pub weight: Weight,
    /// How grave it is among the lines about the same; the larger the graver.
    pub gravity: u8,
    /// What it is about: `meter`, `signs`, `equipment`, `order`, `acts`, `clock` or `others`.
    pub about: &'static str,
    /// Which of them.
    pub name: Option<Name>,
    /// Where it stands, in a word.
    pub state: &'static str,
    /// Why, in a word, where that is another word.
    pub why: Option<&'static str>,
    /// What happened, in a sentence.
    pub text: String,
    /// Changes before this one that were not told.
    pub not_told: u64,
}

/// What is known of one subject.
#[derive(Debug, Default)]
struct Told {
    hush: Hush,
    /// Where it stands, told or not.
    word: Option<(&'static str, Option<&'static str>)>,
    /// The newest line that was kept back.
    waiting: Option<Line>,
}

/// Whoever tells the log what happens.
#[derive(Debug, Default)]
pub struct Narrator {
    subjects: BTreeMap<Subject, Told>,
    /// Subjects of which a line waits.
    waiting: usize,
}

impl Narrator {
    /// A line for what is about to be written down, if one is due.
    pub fn on_said(&mut self, now: &Stamp, body: &Body) -> Option<Line> {
        let (subject, line) = match body {
            Body::Finding(Finding::State(found)) => feeder(found)?,
            Body::Finding(Finding::Verdict(verdict)) => equipment(verdict)?,
            Body::Finding(Finding::Transition(step)) => order(step),
            Body::Finding(Finding::Event(event)) => happened(event)?,
            Body::Answer(answer) => answered(answer),
            Body::Finding(Finding::Interval(_))
            | Body::Genesis(_)
            | Body::Boot(_)
            | Body::Rotation(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Commissioned(_)
            | Body::Notice(_) => return None,
        };
        self.tell(now.uptime_ms, subject, line)
    }

    /// The lines that are due though nothing new happened: the last word on whatever was kept back.
    pub fn due(&mut self, now: &Stamp) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.waiting == 0 {
            return lines;
        }
        for told in self.subjects.values_mut().filter(|told| told.waiting.is_some()) {
            if let Some(kept_back) = told.hush.due(now.uptime_ms)
                && let Some(line) = told.waiting.take()
            {
                self.waiting = self.waiting.saturating_sub(1);
                lines.push(Line { not_told: kept_back, ..line });
            }
        }
        lines
    }

    fn tell(&mut self, now_ms: u64, subject: Subject, line: Line) -> Option<Line> {
        let is_room = self.subjects.len() < MOST_SUBJECTS || self.subjects.contains_key(&subject);
        let subject = if is_room { subject } else { Subject::Others };
        let told = self.subjects.entry(subject).or_default();
        let word = Some((line.state, line.why));
        // The same state on a new proof, or with every interval, is no change.
        if subject.stands() && told.word == word {
            return None;
        }
        told.word = word;
        if let Some(not_told) = told.hush.may(now_ms, line.gravity) {
            self.waiting = self.waiting.saturating_sub(usize::from(told.waiting.take().is_some()));
            Some(Line { not_told, ..line })
        } else {
            self.waiting += usize::from(told.waiting.replace(line).is_none());
            None
        }
    }
}

fn line(
    subject: Subject,
    (weight, gravity): (Weight, u8),
    state: &'static str,
    why: Option<&'static str>,
    text: String,
) -> (Subject, Line) {
    let (about, name) = subject.worded();
    let line = Line { weight, gravity, about, name: name.copied(), state, why, text, not_told: 0 };
    (subject, line)
}

/// The reason's word of a state, and whether somebody should look.
const fn weighed(state: State) -> (Option<&'static str>, Weight) {
    match state {
        State::Unknown(why) => (Some(why.word()), Weight::Look),
        State::Masked(sign) => (Some(sign.word()), Weight::Look),
        State::Drawing | State::Exporting => (None, Weight::Look),
        State::Auxiliary | State::Energised | State::Dead => (None, Weight::Notice),
    }
}

/// What a latched violation adds to the gravity of any state.
const LATCHED_GRAVITY: u8 = 16;

/// Every start, and every change of load, goes through it for a moment.
const fn is_passing(state: State) -> bool {
    matches!(state, State::Unknown(Why::NotYetRead | Why::NotYetJudged))
}

fn feeder(found: &StateFinding) -> Option<(Subject, Line)> {
    let (why, weight) = weighed(found.state);
    let text = found.state.sentence(found.words(), Language::English);
    let weight = (weight, found.state.severity());
    let told = line(Subject::Feeder(found.meter.0), weight, found.state.word(), why, text);
    (!is_passing(found.state)).then_some(told)
}

/// A violation goes before the state: it stays when the equipment rests again.
fn equipment(verdict: &Verdict) -> Option<(Subject, Line)> {
    let subject = Subject::Equipment(verdict.asset.0);
    let (state, text) = (verdict.state.word(), verdict.sentence(Language::English));
    let gravity = verdict.state.severity();
    if verdict.violation_since_unix_ms.is_some() {
        let text = format!("{}; {text}", words::LATCHED.en);
        let weight = (Weight::Look, gravity + LATCHED_GRAVITY);
        return Some(line(subject, weight, "violation", Some(state), text));
    }
    let (why, weight) = weighed(verdict.state);
    (!is_passing(verdict.state)).then(|| line(subject, (weight, gravity), state, why, text))
}

fn order(step: &Transition) -> (Subject, Line) {
    let text = format!("{}; {} by {}", step.to.told(Language::English), step.why, step.actor);
    let gravity = match step.to {
        Rung::Violated => 2,
        Rung::Indeterminate => 1,
        Rung::Issued
        | Rung::Acknowledged
        | Rung::Scheduled
        | Rung::CutClaimed
        | Rung::Observing
        | Rung::Provisional
        | Rung::Verified
        | Rung::Maintained
        | Rung::Suspended
        | Rung::Closed
        | Rung::Cancelled
        | Rung::Restored => 0,
    };
    line(Subject::Order(step.order.0), (Weight::Look, gravity), step.to.word(), None, text)
}

fn answered(answer: &Answer) -> (Subject, Line) {
    let act = answer.act.map_or_else(|| "an act".to_owned(), |(id, version)| format!("act {id}, {version}"));
    match answer.refused {
        Some(why) => {
            let text = format!("{act} is refused: {}", why.word());
            line(Subject::Acts, (Weight::Look, 1), "refused", None, text)
        }
        None => line(Subject::Acts, (Weight::Notice, 0), "accepted", None, format!("{act} is accepted")),
    }
}

fn happened(event: &Event) -> Option<(Subject, Line)> {
    match event {
        Event::Sign(sign) => Some(signed(sign)),
        Event::ClockStepped { by_ms } => {
            let text = format!("the wall clock was moved by {by_ms} ms against the boot clock");
            Some(line(Subject::Clock, (Weight::Look, 0), "stepped", None, text))
        }
        Event::FedBehindCut { order, .. } => {
            let (state, text) = ("fed_behind_cut", words::FED_BEHIND_CUT.en.to_owned());
            Some(line(Subject::Order(order.0), (Weight::Look, 2), state, None, text))
        }
        Event::Register(_)
        | Event::Meter(_)
        | Event::Balance(_)
        | Event::Hold(_)
        | Event::Reconcile(_)
        | Event::Dark(_)
        | Event::Plate(_)
        | Event::PlateUnreadable { .. }
        | Event::PlateDiffers { .. }
        | Event::ClassChanged(_)
        | Event::DeadlineWarning(_)
        | Event::NotOnRoster { .. }
        | Event::PermitUsed { .. } => None,
    }
}

fn signed(found: &SignFinding) -> (Subject, Line) {
    let text = match found.turn {
        Turn::Begins => found.sign.sentence(Language::English),
        Turn::Over | Turn::Undone | Turn::Permitted | Turn::Reset => {
            format!("{}: {}", found.sign.words().en, found.turn.word())
        }
    };
    let weight = if found.turn == Turn::Begins { (Weight::Look, 1) } else { (Weight::Notice, 0) };
    let subject = Subject::Sign(found.meter.0, found.sign);
    line(subject, weight, found.sign.word(), Some(found.turn.word()), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::Standing,
        judge::{Shares, SignSet},
        terms::{AssetId, ClockQuality, WattHours},
    };

    fn at(uptime_ms: u64) -> Stamp {
        Stamp { wall_unix_ms: 0, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 }
    }

    fn verdict(state: State, violation: bool) -> Body {
        Body::Finding(Finding::Verdict(Verdict {
            asset: AssetId::new("eaf-1").unwrap(),
            state,
            since: at(0),
            standing: Standing::declared(None),
            phase: None,
            violation_since_unix_ms: violation.then_some(7),
            energy_overdue: WattHours(0),
            energy_closed: WattHours(0),
            shares: Shares::default(),
            plate: None,
            permit: None,
            signs: SignSet::default(),
            grounds: None,
        }))
    }

    #[test]
    fn a_plug_that_was_pulled_again_and_again_hides_no_violation_and_its_end_is_told() {
        let mut narrator = Narrator::default();
        let mut told = 0;
        for turn in 0..10 {
            let state = if turn % 2 == 0 { State::Unknown(Why::Silent) } else { State::Auxiliary };
            told += usize::from(narrator.on_said(&at(turn * 4_000), &verdict(state, false)).is_some());
        }
        assert_eq!(told, 5, "four, and that it ends in doubt");
        let drawing = narrator.on_said(&at(41_000), &verdict(State::Drawing, false)).unwrap();
        assert_eq!((drawing.state, drawing.not_told), ("drawing", 5));
        let line = narrator.on_said(&at(42_000), &verdict(State::Drawing, true)).unwrap();
        assert_eq!((line.state, line.why, line.weight), ("violation", Some("drawing"), Weight::Look));
        assert!(narrator.on_said(&at(43_000), &verdict(State::Dead, true)).is_none(), "graver was told");
        assert_eq!(narrator.due(&at(43_000 + crate::host::hush::CALM_MS))[0].why, Some("dead"));
    }
}
