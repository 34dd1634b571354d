//! Where a piece of equipment stands before the law on a day.

use crate::terms::LegalDay;

/// Whether drawing power is still lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The last lawful day has not ended.
    PreDeadline,
    /// It has ended.
    Overdue,
}

impl Phase {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::PreDeadline => "pre_deadline",
            Phase::Overdue => "overdue",
        }
    }
}

/// What is known of a piece of equipment's duty to be out of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last lawful day of operation; declared in the configuration until a roster or a catalogue entry rules.
    pub decommissioned_on: Option<LegalDay>,
}

impl Standing {
    /// The phase on a day; `None` where no duty is known. The last day itself is lawful.
    pub fn phase(&self, on: LegalDay) -> Option<Phase> {
        self.decommissioned_on.map(|last| if on > last { Phase::Overdue } else { Phase::PreDeadline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overdue_begins_at_the_midnight_after_the_last_day() {
        let last = LegalDay::parse("2026-10-31").unwrap();
        let standing = Standing { decommissioned_on: Some(last) };
        assert_eq!(standing.phase(last), Some(Phase::PreDeadline));
        assert_eq!(standing.phase(LegalDay::parse("2026-11-01").unwrap()), Some(Phase::Overdue));
        assert_eq!(Standing::default().phase(last), None);
    }
}
