//! PURE file. How an alarm stands, in the states of ISA-18.2, and what may happen to it: two small tables.
//!
//! What its condition does and who has acknowledged it is one thing ([`Life`]), whether it is told at all another
//! ([`Hush`]): an alarm on the shelf goes on living, and stands as it would have stood when it comes off. The latch of a
//! violation is the judge's: [`Life::UnackLatched`] and [`Life::AckLatched`] show that it is closed, and nothing here
//! opens it; only a condition that is gone, which is the authority's signed reset, leads out of them.

use crate::terms::words::{self, Words};

/// What has become of its condition, and whether a person has acknowledged that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// Nothing is the matter.
    Normal,
    /// It stands, and nobody has acknowledged it.
    UnackActive,
    /// It stands, and somebody has.
    AckActive,
    /// It is gone, and nobody has acknowledged that it was.
    UnackReturned,
    /// The equipment rests and the judge's latch is closed; nobody has acknowledged it.
    UnackLatched,
    /// The same, acknowledged.
    AckLatched,
}

/// Whether it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hush {
    /// It is.
    Open,
    /// A person has put it aside for a time.
    Shelved,
    /// A wider alarm tells of it.
    Suppressed,
    /// A person has taken it out of service.
    OutOfService,
}

/// An alarm's whole state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// What has become of its condition.
    pub life: Life,
    /// Whether it is told.
    pub hush: Hush,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Its condition stands.
    Raise,
    /// The equipment rests, and the judge's latch is closed.
    Settle,
    /// Its condition is gone; of a violation: the authority's reset has opened the latch.
    Clear,
    /// A person says that it was seen.
    Acknowledge,
    /// A person puts it aside until a time.
    Shelve,
    /// It comes back from there: a person says so, or the time is over.
    Unshelve,
    /// A wider alarm tells of it.
    Inhibit,
    /// None does any longer.
    Release,
    /// A person takes it out of service.
    Retire,
    /// A person takes it back into service.
    Restore,
    /// It goes to the level above: nobody has acknowledged it in time.
    Escalate,
}

/// It cannot happen to an alarm in that state, or would change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit;

impl Life {
    /// Every one.
    pub const ALL: [Life; 6] = [
        Life::Normal,
        Life::UnackActive,
        Life::AckActive,
        Life::UnackReturned,
        Life::UnackLatched,
        Life::AckLatched,
    ];

    /// The word of the store and of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Life::Normal => "normal",
            Life::UnackActive => "unack_active",
            Life::AckActive => "ack_active",
            Life::UnackReturned => "unack_returned",
            Life::UnackLatched => "unack_latched",
            Life::AckLatched => "ack_latched",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Life> {
        Life::ALL.into_iter().find(|life| life.word() == word)
    }

    /// Whether its condition stands, the judge's latch included.
    pub const fn is_standing(self) -> bool {
        matches!(self, Life::UnackActive | Life::AckActive | Life::UnackLatched | Life::AckLatched)
    }

    /// Whether its condition is seen now, and not the latch alone.
    pub const fn is_active(self) -> bool {
        matches!(self, Life::UnackActive | Life::AckActive)
    }

    /// Whether a person is to acknowledge it.
    pub const fn is_unacknowledged(self) -> bool {
        matches!(self, Life::UnackActive | Life::UnackReturned | Life::UnackLatched)
    }

    const fn after(self, event: Event) -> Result<Life, Unfit> {
        Ok(match (self, event) {
            (
                Life::Normal
                | Life::UnackReturned
                | Life::UnackLatched
                // It draws again: that wants to be seen again.
                | Life::AckLatched,
                Event::Raise,
            ) => Life::UnackActive,
            (Life::Normal | Life::UnackActive | Life::UnackReturned, Event::Settle) => Life::UnackLatched,
            (Life::AckActive, Event::Settle) => Life::AckLatched,
            (Life::UnackActive | Life::UnackLatched, Event::Clear) => Life::UnackReturned,
            (Life::AckActive | Life::AckLatched, Event::Clear) => Life::Normal,
            (Life::UnackActive, Event::Acknowledge) => Life::AckActive,
            (Life::UnackLatched, Event::Acknowledge) => Life::AckLatched,
            (Life::UnackReturned, Event::Acknowledge) => Life::Normal,
            (Life::UnackActive | Life::UnackLatched | Life::UnackReturned, Event::Escalate) => self,
            // What is told of it is no matter of its life.
            (
                _,
                Event::Shelve
                | Event::Unshelve
                | Event::Inhibit
                | Event::Release
                | Event::Retire
                | Event::Restore,
            ) => self,
            (
                Life::Normal
                | Life::UnackActive
                | Life::AckActive
                | Life::UnackReturned
                | Life::UnackLatched
                | Life::AckLatched,
                Event::Raise
                | Event::Settle
                | Event::Clear
                | Event::Acknowledge
                | Event::Escalate,
            ) => return Err(Unfit),
        })
    }
}

impl Hush {
    /// Every one.
    pub const ALL: [Hush; 4] = [Hush::Open, Hush::Shelved, Hush::Suppressed, Hush::OutOfService];

    /// The word of the store and of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Hush::Open => "open",
            Hush::Shelved => "shelved",
            Hush::Suppressed => "suppressed",
            Hush::OutOfService => "out_of_service",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Hush> {
        Hush::ALL.into_iter().find(|hush| hush.word() == word)
    }

    const fn after(self, event: Event) -> Result<Hush, Unfit> {
        Ok(match (self, event) {
            // Who puts it aside again gives another time.
            (Hush::Open | Hush::Shelved | Hush::Suppressed, Event::Shelve) => Hush::Shelved,
            (Hush::Shelved, Event::Unshelve)
            | (Hush::Suppressed, Event::Release)
            | (Hush::OutOfService, Event::Restore) => Hush::Open,
            (Hush::Open, Event::Inhibit) => Hush::Suppressed,
            (Hush::Open | Hush::Shelved | Hush::Suppressed, Event::Retire) => Hush::OutOfService,
            (Hush::Open, Event::Escalate) => Hush::Open,
            // Who puts a violation aside keeps it from nobody above.
            (Hush::Shelved, Event::Escalate) => Hush::Shelved,
            // It lives on whatever is told of it.
            (_, Event::Raise | Event::Settle | Event::Clear | Event::Acknowledge) => self,
            (
                Hush::Open | Hush::Shelved | Hush::Suppressed | Hush::OutOfService,
                Event::Shelve
                | Event::Unshelve
                | Event::Inhibit
                | Event::Release
                | Event::Retire
                | Event::Restore
                | Event::Escalate,
            ) => return Err(Unfit),
        })
    }
}

impl Event {
    /// Every one.
    pub const ALL: [Event; 11] = [
        Event::Raise,
        Event::Settle,
        Event::Clear,
        Event::Acknowledge,
        Event::Shelve,
        Event::Unshelve,
        Event::Inhibit,
        Event::Release,
        Event::Retire,
        Event::Restore,
        Event::Escalate,
    ];

    /// The word of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Event::Raise => "raise",
            Event::Settle => "settle",
            Event::Clear => "clear",
            Event::Acknowledge => "acknowledge",
            Event::Shelve => "shelve",
            Event::Unshelve => "unshelve",
            Event::Inhibit => "inhibit",
            Event::Release => "release",
            Event::Retire => "retire",
            Event::Restore => "restore",
            Event::Escalate => "escalate",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Event> {
        Event::ALL.into_iter().find(|event| event.word() == word)
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Event::Raise => words::STEP_RAISE,
            Event::Settle => words::STEP_SETTLE,
            Event::Clear => words::STEP_CLEAR,
            Event::Acknowledge => words::STEP_ACKNOWLEDGE,
            Event::Shelve => words::STEP_SHELVE,
            Event::Unshelve => words::STEP_UNSHELVE,
            Event::Inhibit => words::STEP_INHIBIT,
            Event::Release => words::STEP_RELEASE,
            Event::Retire => words::STEP_RETIRE,
            Event::Restore => words::STEP_RESTORE,
            Event::Escalate => words::STEP_ESCALATE,
        }
    }
}

impl State {
    /// Of an alarm that was never raised.
    pub const BEGIN: State = State { life: Life::Normal, hush: Hush::Open };

    /// What it is after this has happened.
    ///
    /// # Errors
    /// It cannot happen to it, or would change nothing.
    pub const fn after(self, event: Event) -> Result<State, Unfit> {
        match (self.life.after(event), self.hush.after(event)) {
            (Ok(life), Ok(hush)) => Ok(State { life, hush }),
            (Err(Unfit), Ok(_) | Err(Unfit)) | (Ok(_), Err(Unfit)) => Err(Unfit),
        }
    }

    /// Whether this raises it anew: nothing was the matter, or the matter rested and somebody had acknowledged that. Its age
    /// counts from then on; what is gone and nobody has acknowledged is as old as it was when it comes back.
    pub const fn is_raised_by(self, event: Event) -> bool {
        match event {
            Event::Raise => matches!(self.life, Life::Normal | Life::AckLatched),
            Event::Settle => matches!(self.life, Life::Normal),
            Event::Clear
            | Event::Acknowledge
            | Event::Shelve
            | Event::Unshelve
            | Event::Inhibit
            | Event::Release
            | Event::Retire
            | Event::Restore
            | Event::Escalate => false,
        }
    }

    /// Whether nothing is left to be told or kept of it.
    pub const fn is_over(self) -> bool {
        matches!(self, State { life: Life::Normal, hush: Hush::Open | Hush::Suppressed })
    }

    /// Whether it rings: told, and not acknowledged.
    pub const fn rings(self) -> bool {
        matches!(self.hush, Hush::Open) && self.life.is_unacknowledged()
    }

    /// The state of ISA-18.2 it shows.
    pub const fn word(self) -> &'static str {
        match (self.hush, self.life) {
            (Hush::OutOfService, _) => "out_of_service",
            (Hush::Shelved, _) => "shelved",
            (Hush::Suppressed, _) => "suppressed",
            (Hush::Open, Life::Normal) => "normal",
            (Hush::Open, Life::UnackActive) => "unack_active",
            (Hush::Open, Life::AckActive) => "ack_active",
            (Hush::Open, Life::UnackReturned) => "unack_returned",
            (Hush::Open, Life::UnackLatched | Life::AckLatched) => "latched",
        }
    }

    /// What a person reads of it.
    pub const fn words(self) -> Words {
        match (self.hush, self.life) {
            (Hush::OutOfService, _) => words::ALARM_OUT_OF_SERVICE,
            (Hush::Shelved, _) => words::ALARM_SHELVED,
            (Hush::Suppressed, _) => words::ALARM_SUPPRESSED,
            (Hush::Open, Life::Normal) => words::ALARM_NORMAL,
            (Hush::Open, Life::UnackActive) => words::ALARM_UNACK_ACTIVE,
            (Hush::Open, Life::AckActive) => words::ALARM_ACK_ACTIVE,
            (Hush::Open, Life::UnackReturned) => words::ALARM_UNACK_RETURNED,
            (Hush::Open, Life::UnackLatched) => words::ALARM_LATCHED,
            (Hush::Open, Life::AckLatched) => words::ALARM_LATCHED_ACK,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Lives down, events across; `·` where it is unfit, `=` where the life stays.
    const LIVES: [(&str, [&str; 11]); 6] = [
        //                   raise settle clear ack  shelve unsh inhib rel  retire rest escal
        ("normal", ["unack_active", "unack_latched", "·", "·", "=", "=", "=", "=", "=", "=", "·"]),
        (
            "unack_active",
            ["·", "unack_latched", "unack_returned", "ack_active", "=", "=", "=", "=", "=", "=", "="],
        ),
        ("ack_active", ["·", "ack_latched", "normal", "·", "=", "=", "=", "=", "=", "=", "·"]),
        (
            "unack_returned",
            ["unack_active", "unack_latched", "·", "normal", "=", "=", "=", "=", "=", "=", "="],
        ),
        (
            "unack_latched",
            ["unack_active", "·", "unack_returned", "ack_latched", "=", "=", "=", "=", "=", "=", "="],
        ),
        ("ack_latched", ["unack_active", "·", "normal", "·", "=", "=", "=", "=", "=", "=", "·"]),
    ];

    const HUSHES: [(&str, [&str; 11]); 4] = [
        ("open", ["=", "=", "=", "=", "shelved", "·", "suppressed", "·", "out_of_service", "·", "="]),
        ("shelved", ["=", "=", "=", "=", "=", "open", "·", "·", "out_of_service", "·", "="]),
        ("suppressed", ["=", "=", "=", "=", "shelved", "·", "·", "open", "out_of_service", "·", "·"]),
        ("out_of_service", ["=", "=", "=", "=", "·", "·", "·", "·", "·", "open", "·"]),
    ];

    fn cell<'t, const N: usize>(
        table: &[(&'t str, [&'t str; 11]); N],
        from: &'t str,
        event: Event,
    ) -> Option<&'t str> {
        let (_, row) = table.iter().find(|(name, _)| *name == from).unwrap();
        let at = Event::ALL.iter().position(|other| *other == event).unwrap();
        match row[at] {
            "·" => None,
            "=" => Some(from),
            to => Some(to),
        }
    }

    #[test]
    fn every_state_meets_every_event_as_the_tables_say() {
        let mut cells = 0;
        for life in Life::ALL {
            for hush in Hush::ALL {
                for event in Event::ALL {
                    let told = cell(&LIVES, life.word(), event).zip(cell(&HUSHES, hush.word(), event));
                    let got = State { life, hush }.after(event).ok();
                    let got = got.map(|state| (state.life.word(), state.hush.word()));
                    assert_eq!(got, told, "{} {} {}", life.word(), hush.word(), event.word());
                    cells += 1;
                }
            }
        }
        assert_eq!(cells, 6 * 4 * 11);
    }

    #[test]
    fn no_person_opens_the_judges_latch() {
        let people = [
            Event::Acknowledge,
            Event::Shelve,
            Event::Unshelve,
            Event::Retire,
            Event::Restore,
            Event::Escalate,
            Event::Inhibit,
            Event::Release,
            Event::Settle,
        ];
        // Everything that can be reached from a latched alarm without its condition going is latched.
        let mut reached = BTreeSet::from([State { life: Life::UnackLatched, hush: Hush::Open }]);
        loop {
            let more: BTreeSet<State> = reached
                .iter()
                .flat_map(|state| people.iter().filter_map(|event| state.after(*event).ok()))
                .collect();
            let known = reached.len();
            reached.extend(more);
            if reached.len() == known {
                break;
            }
        }
        assert!(reached.iter().all(|state| matches!(state.life, Life::UnackLatched | Life::AckLatched)));
        assert_eq!(reached.len(), 8, "both lives, whatever is told of them");
    }

    #[test]
    fn the_states_shown_are_the_eight_of_isa_18_2() {
        let shown: BTreeSet<&str> = Life::ALL
            .into_iter()
            .flat_map(|life| Hush::ALL.map(|hush| State { life, hush }.word()))
            .collect();
        let named = [
            "ack_active",
            "latched",
            "normal",
            "out_of_service",
            "shelved",
            "suppressed",
            "unack_active",
            "unack_returned",
        ];
        assert_eq!(shown.into_iter().collect::<Vec<_>>(), named);
    }
}
