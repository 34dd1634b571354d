//! From what the judge proves and when to the rows it is proven of.
//!
//! The judge needs a delay to prove that somebody draws, and another to believe that it is over. A row is a mean, so
//! a spell begins where its first row beyond the limit begins and ends where its last one ends: rows beyond the limit
//! wait until a proof reaches back to them. Between two of them a spell goes on for less than the off-delay.

use std::collections::VecDeque;

use coldhearth::judge::{Commissioned, State, state::Why};

use super::{
    moment::Moment,
    rows::Row,
    tally::{Tally, Told},
};

/// Most runs of rows beyond the limit that wait for a proof; of more, the oldest are given up. A month's energy
/// reaches back a month, so this many bursts in a month, each too short to be proven by itself, are remembered.
const MAX_WAITING: usize = 20_000;

/// A stretch of rows in which somebody draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Where its first row begins.
    pub start: Moment,
    /// Where its last row ends.
    pub end: Moment,
    /// What was drawn in between, in watt-hours.
    pub energy_wh: i64,
}

/// Rows after one another, and the sums at both ends.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: Moment,
    before: Tally,
    end: Moment,
    after: Tally,
}

/// Gathers spells row by row.
#[derive(Debug)]
pub(crate) struct Spells {
    off_delay: i128,
    tally: Tally,
    /// Rows beyond the limit that no proof reaches yet.
    waiting: VecDeque<Run>,
    open: Option<Run>,
    /// Whether a proof stands, so that what is not yet within the limit again belongs to the open spell.
    is_proven: bool,
    done: Vec<Spell>,
    /// What the finished spells were told as before they were proven.
    moved: Tally,
}

impl Spells {
    /// `off_delay_ms`: a spell ends when nobody draws for so long.
    pub(crate) fn new(off_delay_ms: u64) -> Spells {
        Spells {
            off_delay: i128::from(off_delay_ms) * 1_000_000,
            tally: Tally::default(),
            waiting: VecDeque::new(),
            open: None,
            is_proven: false,
            done: Vec::new(),
            moved: Tally::default(),
        }
    }

    /// The sums up to the end of the last row.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether a proof stands.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Takes a row. `shown` is the judge's state at its end; `proof` where the evidence of a proof given in it begins,
    /// in milliseconds since 1970; `is_over` whether the judge said in it that drawing is over.
    pub(crate) fn on_row(
        &mut self,
        terms: &Commissioned,
        row: &Row,
        shown: State,
        proof: Option<i64>,
        is_over: bool,
    ) {
        self.is_proven &= !is_over;
        let milliwatts = row.power.map(milliwatts);
        let draws = self.is_proven && milliwatts.is_some_and(|power| power > terms.off_limit().0);
        let is_beyond = milliwatts.is_some_and(|power| power > terms.limit().0);
        let told = match milliwatts {
            None => Told::Hole,
            Some(_) if draws => Told::State(State::Drawing),
            Some(power) => Told::State(told(terms, power, shown)),
        };
        let before = self.tally;
        self.tally.add(told, row.power.unwrap_or(0), row.nanos());
        let run = Run { start: row.start, before, end: row.end, after: self.tally };
        if draws {
            self.draw(run);
        } else if is_beyond {
            self.wait(run);
        }
        if let Some(from_ms) = proof.filter(|_| !self.is_proven) {
            self.prove(from_ms);
        }
    }

    /// Whether nobody has drawn for the off-delay although the proof stands; then it stands no longer.
    pub(crate) fn expires(&mut self, now: Moment) -> bool {
        let last = self.open.filter(|_| self.is_proven);
        let expires = last.is_some_and(|open| now.nanos() - open.end.nanos() >= self.off_delay.max(1));
        self.is_proven &= !expires;
        expires
    }

    /// All spells, and the sums of the whole trace with their time told as drawing.
    pub(crate) fn finish(mut self) -> (Vec<Spell>, Tally) {
        self.close();
        let mut tally = self.tally;
        tally.tell_as_drawing(&self.moved);
        (self.done, tally)
    }

    fn wait(&mut self, run: Run) {
        match self.waiting.back_mut() {
            Some(last) if last.end == run.start => (last.end, last.after) = (run.end, run.after),
            Some(_) | None => {
                if self.waiting.len() == MAX_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(run);
            }
        }
    }

    /// What waited since the proof's evidence begins is drawing; what waited before is not.
    fn prove(&mut self, from_ms: i64) {
        let waiting = std::mem::take(&mut self.waiting);
        for run in waiting {
            if run.end.nanos() > i128::from(from_ms) * 1_000_000 {
                self.draw(run);
                self.is_proven = true;
            }
        }
    }

    fn draw(&mut self, run: Run) {
        match &mut self.open {
            Some(open) if run.start.nanos() - open.end.nanos() < self.off_delay.max(1) => {
                (open.end, open.after) = (run.end, run.after);
            }
            Some(_) | None => {
                self.close();
                self.open = Some(run);
            }
        }
    }

    fn close(&mut self) {
        if let Some(run) = self.open.take() {
            let stretch = run.after.since(&run.before);
            self.moved.add_all(&stretch);
            self.done.push(Spell { start: run.start, end: run.end, energy_wh: stretch.drawn_wh() });
        }
    }
}

/// What a row is told as that does not belong to a spell, or not yet. The judge holds a state for a while, so that a
/// load that hovers at a limit does not flood the log; a row is over, so it is told by its own mean.
fn told(terms: &Commissioned, milliwatts: i64, shown: State) -> State {
    let by_power = if milliwatts <= terms.idle_limit().0 { State::Energised } else { State::Auxiliary };
    let doubt = State::Unknown(Why::NotYetJudged);
    if milliwatts > terms.limit().0 {
        return if matches!(shown, State::Masked(_)) { shown } else { doubt };
    }
    if milliwatts < -terms.back_limit().0 {
        return if matches!(shown, State::Masked(_) | State::Exporting) { shown } else { doubt };
    }
    match shown {
        State::Masked(_) | State::Unknown(_) => shown,
        State::Drawing | State::Exporting | State::Auxiliary | State::Energised | State::Dead => by_power,
    }
}

/// A power as a meter tells it, in milliwatts.
pub(crate) fn milliwatts(microwatts: i64) -> i64 {
    (microwatts + 500).div_euclid(1_000)
}
