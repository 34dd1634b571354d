//! PURE file. One alarm, and one step of it. An alarm is what its steps say, and nothing besides: whoever reads the log
//! from its beginning has the same.

use super::{
    condition::{About, AlarmId},
    state::{Event, Hush, Life, State, Unfit},
};
use crate::terms::{Digest, place::Level};

/// Longest name of a person, and longest reason, in characters.
pub const MAX_TEXT_CHARS: usize = 200;
/// The longest time an alarm may be put aside, in milliseconds: seven days.
pub const MAX_SHELF_MS: i64 = 7 * 86_400_000;

/// The longest time an alarm may be out of service, in milliseconds: thirty days.
pub const MAX_RETIRED_MS: i64 = 30 * 86_400_000;

/// Who did something, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
}

impl Hand {
    /// `None` unless both are 1 to [`MAX_TEXT_CHARS`] characters, none of which controls anything.
    pub fn new(who: &str, why: &str) -> Option<Hand> {
        let is_fit = |text: &str| {
            let length = text.chars().count();
            (1..=MAX_TEXT_CHARS).contains(&length)
                && !text.trim().is_empty()
                && !text.chars().any(char::is_control)
        };
        (is_fit(who) && is_fit(why)).then(|| Hand { who: who.to_owned(), why: why.to_owned() })
    }

    /// The same, of whoever has the command line. Nobody logs in there, and nobody at the console has such a name.
    pub fn at_shell(who: &str, why: &str) -> Option<Hand> {
        let hand = Hand::new(who, why)?;
        Hand::new(&format!("{}@shell", hand.who), &hand.why)
    }
}

/// One step of an alarm, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the alarm is about.
    pub about: About,
    /// What happened.
    pub event: Event,
    /// When, by our own clock, Unix milliseconds.
    pub at_unix_ms: i64,
    /// What it was before.
    pub from: State,
    /// What it is now.
    pub to: State,
    /// Who must act now.
    pub level: Level,
    /// Who did it and why, where a person did.
    pub hand: Option<Hand>,
    /// Until when it is put aside, Unix milliseconds.
    pub until_unix_ms: Option<i64>,
    /// The record that shows it.
    pub record: Option<Digest>,
    /// Gateways it stands for, where it stands for many.
    pub gateways: Option<u32>,
    /// The authority's signed reset that ends it, as it was handed in at the desk.
    pub act: Option<String>,
}

impl Step {
    /// Whether it raises the alarm: nothing was the matter before, or what had been acknowledged comes up again.
    pub const fn is_anew(&self) -> bool {
        self.from.is_raised_by(self.event)
    }

    /// Whether its condition comes up, though nobody may have acknowledged that it had before.
    pub const fn comes_up(&self) -> bool {
        matches!(self.event, Event::Raise | Event::Settle) && !self.from.life.is_standing()
    }
}

/// An alarm as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Which.
    pub id: AlarmId,
    /// What it is about.
    pub about: About,
    /// How it stands.
    pub state: State,
    /// Who must act now.
    pub level: Level,
    /// When it was last raised, Unix milliseconds.
    pub raised_unix_ms: i64,
    /// When its last step was, Unix milliseconds.
    pub changed_unix_ms: i64,
    /// Until when it is put aside, Unix milliseconds.
    pub until_unix_ms: Option<i64>,
    /// Who touched it last, and why.
    pub hand: Option<Hand>,
    /// The record that raised it.
    pub record: Option<Digest>,
    /// Gateways it stands for, where it stands for many.
    pub gateways: Option<u32>,
}

/// The level an alarm begins at: the lowest that all of it lies in.
pub fn first_level(about: &About) -> Level {
    about.division.level().unwrap_or(Level::Province)
}

impl Alarm {
    /// An alarm that was never raised.
    pub fn unheard(about: About) -> Alarm {
        Alarm {
            id: about.id(),
            about,
            state: State::BEGIN,
            level: first_level(&about),
            raised_unix_ms: 0,
            changed_unix_ms: 0,
            until_unix_ms: None,
            hand: None,
            record: None,
            gateways: None,
        }
    }

    /// Whether it rings for those above its own division: nobody has acknowledged it, and it is told there. A violation or
    /// tampering is, though somebody has put it aside.
    pub fn rings_above(&self) -> bool {
        let is_told = match self.state.hush {
            Hush::Open => true,
            Hush::Shelved => self.about.cause.kind().is_kept(),
            Hush::Suppressed | Hush::OutOfService => false,
        };
        is_told && self.state.life.is_unacknowledged()
    }

    /// The step that something makes of it; what else there is to say is added to that.
    ///
    /// # Errors
    /// It cannot happen to it, or would change nothing.
    pub fn step(&self, event: Event, at_unix_ms: i64) -> Result<Step, Unfit> {
        let to = self.state.after(event)?;
        let level = match event {
            Event::Raise | Event::Settle if self.state.life == Life::Normal => first_level(&self.about),
            Event::Escalate => above(self.level).ok_or(Unfit)?,
            Event::Raise
            | Event::Settle
            | Event::Clear
            | Event::Acknowledge
            | Event::Shelve
            | Event::Unshelve
            | Event::Inhibit
            | Event::Release
            | Event::Retire
            | Event::Restore => self.level,
        };
        // Whoever hears of it only now looks it up as who heard of it first.
        let record = match event {
            Event::Escalate | Event::Unshelve | Event::Release | Event::Restore => self.record,
            Event::Raise
            | Event::Settle
            | Event::Clear
            | Event::Acknowledge
            | Event::Shelve
            | Event::Inhibit
            | Event::Retire => None,
        };
        Ok(Step {
            about: self.about,
            event,
            at_unix_ms,
            from: self.state,
            to,
            level,
            hand: None,
            until_unix_ms: None,
            record,
            gateways: None,
            act: None,
        })
    }

    /// What it is after a step.
    ///
    /// # Errors
    /// The step is of another alarm, or begins elsewhere, or leads elsewhere than it can.
    pub fn after(&self, step: &Step) -> Result<Alarm, Unfit> {
        if step.about.id() != self.id || step.from != self.state {
            return Err(Unfit);
        }
        if self.state.after(step.event)? != step.to {
            return Err(Unfit);
        }
        let raises = self.state.is_raised_by(step.event);
        let comes_back = step.comes_up();
        Ok(Alarm {
            id: self.id,
            about: step.about,
            state: step.to,
            level: step.level,
            raised_unix_ms: if raises { step.at_unix_ms } else { self.raised_unix_ms },
            changed_unix_ms: step.at_unix_ms,
            until_unix_ms: match step.event {
                Event::Shelve | Event::Retire => step.until_unix_ms,
                Event::Unshelve | Event::Restore => None,
                Event::Raise
                | Event::Settle
                | Event::Clear
                | Event::Acknowledge
                | Event::Inhibit
                | Event::Release
                | Event::Escalate => self.until_unix_ms,
            },
            hand: step.hand.clone().or_else(|| self.hand.clone()),
            record: if raises || comes_back { step.record } else { self.record },
            gateways: step.gateways.or(self.gateways),
        })
    }
}

/// The level above; none above a province.
pub fn above(level: Level) -> Option<Level> {
    match level {
        Level::County => Some(Level::City),
        Level::City => Some(Level::Province),
        Level::Province => None,
    }
}

#[cfg(test)]
pub(in crate::regulator) mod tests {
    use super::*;
    use crate::{
        regulator::alarms::cause::Cause,
        terms::{GatewayId, Name, place::Division},
    };

    pub(in crate::regulator) fn about(cause: Cause, gateway: &str, division: &str) -> About {
        About {
            cause,
            division: Division::parse(division).unwrap(),
            enterprise: None,
            gateway: GatewayId::new(gateway),
            subject: Name::new("eaf-2"),
        }
    }

    #[test]
    fn an_alarm_is_what_its_steps_say() {
        let mut alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let mut steps = Vec::new();
        for (at, event) in [Event::Raise, Event::Escalate, Event::Acknowledge, Event::Settle, Event::Clear]
            .into_iter()
            .enumerate()
        {
            let step = alarm.step(event, 1_000 + i64::try_from(at).unwrap()).unwrap();
            alarm = alarm.after(&step).unwrap();
            steps.push(step);
        }
        assert_eq!((alarm.state, alarm.level), (State::BEGIN, Level::City));
        assert_eq!((alarm.raised_unix_ms, alarm.changed_unix_ms), (1_000, 1_004));
        let again = steps.iter().try_fold(Alarm::unheard(alarm.about), |alarm, step| alarm.after(step));
        assert_eq!(again.as_ref(), Ok(&alarm));
        // A step is believed only where it follows.
        assert_eq!(Alarm::unheard(alarm.about).after(&steps[2]), Err(Unfit));
        let elsewhere = Alarm::unheard(about(Cause::Violation, "gw-2", "130421"));
        assert_eq!(elsewhere.after(&steps[0]), Err(Unfit));
        // Raised anew it begins at its county again.
        let step = alarm.step(Event::Raise, 2_000).unwrap();
        assert_eq!((step.level, step.to.life), (Level::County, Life::UnackActive));
    }

    #[test]
    fn who_hears_of_an_alarm_later_is_told_the_record_that_raised_it() {
        let record = Some(Digest::of(b"a record"));
        let quiet = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let raised = Step { record, ..quiet.step(Event::Raise, 1_000).unwrap() };
        let raised = quiet.after(&raised).unwrap();
        assert_eq!(raised.step(Event::Escalate, 2_000).unwrap().record, record);
        let shelved = raised.after(&raised.step(Event::Shelve, 3_000).unwrap()).unwrap();
        assert_eq!(shelved.step(Event::Unshelve, 4_000).unwrap().record, record);
        assert_eq!(raised.step(Event::Acknowledge, 2_000).unwrap().record, None);
    }

    #[test]
    fn a_furnace_that_draws_again_behind_a_latch_that_was_seen_is_as_old_as_that() {
        let mut alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let mut on = |event, at| {
            alarm = alarm.after(&alarm.step(event, at).unwrap()).unwrap();
            (alarm.level, alarm.raised_unix_ms)
        };
        assert_eq!(on(Event::Raise, 1_000), (Level::County, 1_000));
        assert_eq!(on(Event::Escalate, 2_000), (Level::City, 1_000));
        assert_eq!(on(Event::Settle, 3_000), (Level::City, 1_000));
        // Nobody has seen it: it is the same matter, as old as it is.
        assert_eq!(on(Event::Raise, 4_000), (Level::City, 1_000));
        on(Event::Acknowledge, 5_000);
        assert_eq!(on(Event::Settle, 6_000), (Level::City, 1_000));
        assert_eq!(on(Event::Raise, 7_000), (Level::City, 7_000));
    }

    #[test]
    fn what_comes_and_goes_and_nobody_acknowledges_climbs_by_the_age_of_its_first_time() {
        let mut alarm = Alarm::unheard(about(Cause::Tamper, "gw-1", "130421"));
        let mut on = |event, at| {
            alarm = alarm.after(&alarm.step(event, at).unwrap()).unwrap();
            (alarm.level, alarm.raised_unix_ms)
        };
        on(Event::Raise, 1_000);
        assert_eq!(on(Event::Escalate, 2_000), (Level::City, 1_000));
        on(Event::Clear, 3_000);
        assert_eq!(on(Event::Raise, 4_000), (Level::City, 1_000));
        on(Event::Clear, 5_000);
        on(Event::Acknowledge, 6_000);
        assert_eq!(on(Event::Raise, 7_000), (Level::County, 7_000));
    }

    #[test]
    fn nobody_acts_without_a_name_and_a_reason() {
        assert!(Hand::new("wang", "seen at the gate").is_some());
        for (who, why) in [("", "x"), ("x", ""), ("x", " "), ("a\nb", "x"), ("x", "\u{7}")] {
            assert_eq!(Hand::new(who, why), None);
        }
        assert_eq!(Hand::new("x", &"字".repeat(MAX_TEXT_CHARS + 1)), None);
        // Whoever types a name has not shown that it is his.
        let typed = Hand::at_shell("li", "seen").unwrap();
        assert!(typed.who == "li@shell" && Name::new(&typed.who).is_none());
        assert_eq!((Hand::at_shell("", "seen"), Hand::at_shell("li", "")), (None, None));
        assert!(Hand::new("x", &"字".repeat(MAX_TEXT_CHARS)).is_some());
    }
}
