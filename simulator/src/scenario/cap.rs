//! What no software at a metering point can see, and what the verdict itself must say of it: by its own members, never by
//! words beside it.

use coldhearth::{catalogue::Witness, judge::Verdict};

/// How the verdict caps its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Nothing corroborates it: it speaks of this metering point only.
    ThisPointOnly,
    /// Nothing was known for a time, and at least two register steps may have passed.
    UnknownWithBound,
    /// The meters see drives, and never that a fire is out.
    DrivesOnly,
    /// The time of the records that are gone is accounted for by nothing that was observed.
    Outage,
}

/// What a run told from the onset on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// The last verdict on the equipment.
    pub last: Option<Verdict>,
    /// Time in which its state was unknown, in milliseconds.
    pub unknown_ms: u64,
    /// The longest time that one verdict accounts for by nothing that was observed, in milliseconds.
    pub unobserved_ms: i64,
    /// Time between the copy of the disk and the moment it was put back, in milliseconds.
    pub undone_ms: u64,
}

impl Carries {
    /// What the cheat of this name, one of [`super::end::UNDETECTABLE`], must leave in the verdict.
    pub fn of(which: &str) -> Carries {
        match which {
            "pulse_in_a_gap" => Carries::UnknownWithBound,
            "steam_or_diesel" => Carries::DrivesOnly,
            "undelivered_records" => Carries::Outage,
            _ => Carries::ThisPointOnly,
        }
    }

    /// What is missing in the verdict; nothing where it carries its cap.
    pub fn missing(self, told: &Told) -> Option<&'static str> {
        let Some(grounds) = told.last.and_then(|verdict| verdict.grounds) else {
            return Some("no verdict with its grounds comes after the onset");
        };
        let drives = told
            .last
            .is_some_and(|verdict| verdict.standing.witness() == Some(Witness::Drives) && !verdict.is_rest());
        match self {
            Carries::ThisPointOnly if grounds.corroboration.is_some() => {
                Some("the verdict says that another meter corroborates it")
            }
            Carries::UnknownWithBound if told.unknown_ms == 0 => Some("the time of the gap is not unknown"),
            Carries::UnknownWithBound if grounds.bound < grounds.register_floor => {
                Some("the bound of the verdict is less than two register steps")
            }
            Carries::DrivesOnly if !drives => Some("the verdict does not say that only drives are seen"),
            Carries::Outage if told.unobserved_ms.unsigned_abs() < told.undone_ms => {
                Some("no verdict leaves the time of the lost records unobserved")
            }
            Carries::ThisPointOnly | Carries::UnknownWithBound | Carries::DrivesOnly | Carries::Outage => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_a_verdict_carries_no_cap() {
        for which in super::super::end::UNDETECTABLE {
            assert!(Carries::of(which).missing(&Told::default()).is_some(), "{which}");
        }
    }
}
