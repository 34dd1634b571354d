//! How an energy register got from one reading to the next. A decrease never rebases silently.

use crate::{metering::Register, terms::WattHours};

/// What happened to a register between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It stands where it stood.
    Held,
    /// It advanced by what the equipment could have drawn.
    Moved(WattHours),
    /// It passed its known width and went on from zero.
    RolledOver(WattHours),
    /// It stands lower than before, and no roll-over explains it.
    Fell(WattHours),
    /// It advanced by more than the equipment could have drawn: replaced, set, or misread.
    Leapt(WattHours),
}

impl Advance {
    /// Compares two readings of one register. `possible` is the most that can have passed in between.
    pub fn between(before: &Register, after: &Register, possible: WattHours) -> Advance {
        let difference = after.energy.0.saturating_sub(before.energy.0);
        match difference {
            0 => Advance::Held,
            1.. if difference <= possible.0 => Advance::Moved(WattHours(difference)),
            1.. => Advance::Leapt(WattHours(difference)),
            // Where more than half a turn could have passed, a fall and a turn look alike, and a fall it is.
            _ => match after.modulus.filter(|modulus| possible.0 < modulus.0 / 2) {
                Some(WattHours(modulus))
                    if (0..=possible.0).contains(&modulus.saturating_add(difference)) =>
                {
                    let wrapped = modulus.saturating_add(difference);
                    Advance::RolledOver(WattHours(wrapped))
                }
                Some(_) | None => Advance::Fell(WattHours(difference)),
            },
        }
    }

    /// Whether a register that stands lower went round or fell, and nothing tells which: `possible`, the most that can have
    /// passed in between, is enough for a round.
    pub fn may_have_turned(before: &Register, after: &Register, possible: WattHours) -> bool {
        let difference = after.energy.0.saturating_sub(before.energy.0);
        let turned = |modulus: WattHours| modulus.0.saturating_add(difference);
        difference < 0 && after.modulus.is_some_and(|modulus| (0..=possible.0).contains(&turned(modulus)))
    }

    /// The energy that passed; `None` when the two readings do not tell.
    pub fn energy(self) -> Option<WattHours> {
        match self {
            Advance::Held => Some(WattHours(0)),
            Advance::Moved(energy) | Advance::RolledOver(energy) => Some(energy),
            Advance::Fell(_) | Advance::Leapt(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(energy: i64, modulus: Option<i64>) -> Register {
        Register {
            energy: WattHours(energy),
            step: WattHours(10),
            modulus: modulus.map(WattHours),
            raw: 0,
            raw_words: 2,
        }
    }

    #[test]
    fn a_register_holds_moves_rolls_over_falls_or_leaps() {
        let between = |before, after, modulus, possible| {
            Advance::between(&register(before, modulus), &register(after, modulus), WattHours(possible))
        };
        assert_eq!(between(100, 100, None, 0), Advance::Held);
        assert_eq!(between(100, 150, None, 50), Advance::Moved(WattHours(50)));
        assert_eq!(between(100, 151, None, 50), Advance::Leapt(WattHours(51)));
        assert_eq!(between(990, 20, Some(1_000), 50), Advance::RolledOver(WattHours(30)));
        assert_eq!(between(990, 20, Some(1_000), 20), Advance::Fell(WattHours(-970)));
        assert_eq!(between(990, 20, None, 50), Advance::Fell(WattHours(-970)));
        assert_eq!(between(990, 20, None, 50).energy(), None);
        let may = |before, after, modulus, possible| {
            Advance::may_have_turned(
                &register(before, modulus),
                &register(after, modulus),
                WattHours(possible),
            )
        };
        assert_eq!(between(990, 20, Some(1_000), 500), Advance::Fell(WattHours(-970)));
        assert!(may(990, 20, Some(1_000), 500) && may(990, 20, Some(1_000), 30));
        assert!(!may(990, 20, Some(1_000), 29), "too little for a round");
        assert!(!may(990, 20, None, 500) && !may(20, 990, Some(1_000), 5_000));
    }
}
