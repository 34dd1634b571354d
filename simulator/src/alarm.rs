//! What a finding raises, in one word each: what the scoreboard counts, and what a scenario may expect.

use std::sync::LazyLock;

use coldhearth::judge::{Event, Finding, RegisterQuirk, Sign, State, Turn};

/// The words of all states.
pub const STATES: [&str; 7] = ["drawing", "exporting", "masked", "unknown", "auxiliary", "energised", "dead"];
/// The verdict that convicts.
pub const VIOLATION: &str = "violation";
/// The wall clock of the gateway was moved.
pub const CLOCK_STEPPED: &str = "clock_stepped";
/// The authority got two records for one place of the gateway's log.
pub const LOG_FORKED: &str = "log_forked";

/// The agent found its log shorter than the authority's latest receipt says, began a new one and said so.
pub const LOG_ROLLED_BACK: &str = "log_rolled_back";
/// Voltage stands behind a cut: told at once, the verdict waits.
pub const FED_BEHIND_CUT: &str = "fed_behind_cut";

/// An edit of a nameplate crossed a bound of the law.
pub const CLASS_CHANGED: &str = "class_changed";

/// Every word a scenario may expect.
pub fn words() -> &'static [&'static str] {
    static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let quirks = ["fell", "leapt", "rebased"].into_iter();
        let signs = Sign::ALL.iter().map(|sign| sign.word());
        STATES
            .into_iter()
            .chain([VIOLATION, CLASS_CHANGED, CLOCK_STEPPED, LOG_FORKED, LOG_ROLLED_BACK, FED_BEHIND_CUT])
            .chain(quirks)
            .chain(signs)
            .collect()
    });
    &WORDS
}

/// What a finding raises; nothing where it raises nothing.
pub fn of(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::State(found) => Some(state(found.state)),
        Finding::Verdict(verdict) => verdict.violation_since_unix_ms.map(|_| VIOLATION),
        Finding::Event(Event::Sign(found)) if found.turn == Turn::Begins => Some(found.sign.word()),
        Finding::Event(Event::ClockStepped { .. }) => Some(CLOCK_STEPPED),
        Finding::Event(Event::FedBehindCut { .. }) => Some(FED_BEHIND_CUT),
        Finding::Event(Event::ClassChanged(_)) => Some(CLASS_CHANGED),
        Finding::Event(Event::Register(event)) => match event.what {
            RegisterQuirk::Fell | RegisterQuirk::Leapt | RegisterQuirk::Rebased => Some(event.what.word()),
            RegisterQuirk::RolledOver
            | RegisterQuirk::Unsaved
            | RegisterQuirk::FellOrRolledOver
            | RegisterQuirk::Untimed => None,
        },
        Finding::Interval(_) | Finding::Transition(_) | Finding::Event(_) => None,
    }
}

/// The word of a sign that begins, weak ones too, or of what a register or the gateway's clock did: all that a cheat may be
/// caught by besides a state and a conviction.
pub fn sign(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::Event(_) => of(finding),
        Finding::State(_) | Finding::Verdict(_) | Finding::Interval(_) | Finding::Transition(_) => None,
    }
}

/// The word of a strong sign that begins: with a conviction, what no honest plant may ever raise.
pub fn strong(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::Event(Event::Sign(found)) if found.turn == Turn::Begins && found.sign.is_strong() => {
            Some(found.sign.word())
        }
        Finding::Event(Event::FedBehindCut { .. }) => Some(FED_BEHIND_CUT),
        Finding::Event(_)
        | Finding::State(_)
        | Finding::Verdict(_)
        | Finding::Transition(_)
        | Finding::Interval(_) => None,
    }
}

/// Whether a word is one of [`strong`]: a false alarm where nobody cheats, which no scenario need expect besides.
pub fn is_strong(word: &str) -> bool {
    word == FED_BEHIND_CUT || Sign::from_word(word).is_some_and(Sign::is_strong)
}

/// The word of a strong sign that a paper takes back. Both are told even where the paper was in force before.
pub fn permitted(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::Event(Event::Sign(found)) if found.turn == Turn::Permitted && found.sign.is_strong() => {
            Some(found.sign.word())
        }
        Finding::Event(_)
        | Finding::State(_)
        | Finding::Verdict(_)
        | Finding::Transition(_)
        | Finding::Interval(_) => None,
    }
}

/// The word of a state, one of [`STATES`].
pub const fn state(state: State) -> &'static str {
    state.word()
}
