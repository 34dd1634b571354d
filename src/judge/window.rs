//! Energy summed over a poll pair, an interval, a lawful day and a month, each against what the allowances explain.

use super::{commission::Commissioned, edge, memory::Mark, register::is_span_known};
use crate::terms::{Stamp, WattHours};

/// Over what the energy was summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Two readings after one another: a pair of polls, or both sides of a gap.
    Pair,
    /// An interval of the ledger.
    Interval,
    /// A lawful day.
    Day,
    /// A calendar month.
    Month,
    /// A spell in which energy flows backwards.
    Export,
}

impl Span {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Span::Pair => "pair",
            Span::Interval => "interval",
            Span::Day => "day",
            Span::Month => "month",
            Span::Export => "export",
        }
    }

    /// Reads the word of a record.
    pub fn from_word(word: &str) -> Option<Span> {
        [Span::Pair, Span::Interval, Span::Day, Span::Month, Span::Export]
            .into_iter()
            .find(|span| span.word() == word)
    }
}

/// Energy since a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The reading it began with.
    pub since: Stamp,
    /// Sum of the register's advances since then.
    pub moved: WattHours,
}

impl Window {
    /// An empty sum that begins with a reading: energy is weighed against the span it was drawn in, no other.
    pub fn starting(reading_at: &Stamp) -> Window {
        Window { since: *reading_at, moved: WattHours(0) }
    }
}

/// Energy beyond what the allowances explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// Over what it was summed.
    pub span: Span,
    /// Where the sum began.
    pub from: Stamp,
    /// The sum.
    pub moved: WattHours,
    /// What the allowances, the floor and the register's steps explain at most.
    pub bound: WattHours,
}

/// The windows of one feeder that are longer than a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Since the ledger's interval began.
    pub interval: Window,
    /// Since the lawful day began.
    pub day: Window,
    /// Since the month began.
    pub month: Window,
}

impl Windows {
    /// All windows begin at one reading.
    pub fn starting(at: &Stamp) -> Windows {
        let window = Window::starting(at);
        Windows { interval: window, day: window, month: window }
    }

    /// Adds an advance that ended with the reading `now`; tells the first window that the allowances do not explain.
    /// All begin anew with the first reading that tells of nothing but the next day: what a sum convicts by lies on one
    /// side of every midnight.
    pub fn add(
        &mut self,
        terms: &Commissioned,
        before: &Mark,
        now: &Mark,
        moved: WattHours,
    ) -> Option<Excess> {
        for window in [&mut self.interval, &mut self.day, &mut self.month] {
            // A sum that began before a reboot without a synchronised clock spans no known time.
            if !is_span_known(&window.since, &now.at) {
                *window = Window::starting(&before.at);
            }
        }
        for window in [&mut self.interval, &mut self.day, &mut self.month] {
            window.moved.0 = window.moved.0.saturating_add(moved.0);
        }
        let pair = Window { since: before.at, moved };
        let spans = [
            (Span::Pair, pair),
            (Span::Interval, self.interval),
            (Span::Day, self.day),
            (Span::Month, self.month),
        ];
        let excess = spans.into_iter().find_map(|(span, window)| {
            let bound = terms.energy_bound(&window.since, &now.at, now.register.step);
            (window.moved > bound).then_some(Excess { span, from: window.since, moved: window.moved, bound })
        });
        let begin = Window::starting(&now.at);
        let (today, that_day) = (edge::earliest_drawn(&now.at), edge::earliest_drawn(&self.day.since));
        if today != that_day {
            (self.interval, self.day) = (begin, begin);
        }
        if today.month() != edge::earliest_drawn(&self.month.since).month() {
            self.month = begin;
        }
        excess
    }
}
