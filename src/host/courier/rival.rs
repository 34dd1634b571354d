//! PURE file: somebody else under our name. MQTT 5 has a reason for it, and some brokers (mosquitto 2.0 among them) hang up
//! without a word all the same; but then they take us again at once, until the other one comes back.

use super::{refused::Refused, session::Ending};

/// Hanging up after a greeting that often in a row, without a word, is no accident.
const IN_A_ROW: u32 = 3;

/// How often a broker took us and hung up without a word, in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rival {
    hung_up: u32,
}

impl Rival {
    /// Why a connection ended, as far as the ones before it tell: whether it was a `short` one.
    pub(super) fn on_ending(&mut self, ending: &Ending, short: bool) -> Refused {
        let hung_up = ending.greeted && ending.why == Refused::Broken;
        self.hung_up = if hung_up && short { self.hung_up.saturating_add(1) } else { 0 };
        if self.hung_up >= IN_A_ROW { Refused::HungUp } else { ending.why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(why: Refused, greeted: bool) -> Ending {
        Ending { why, greeted, served: true }
    }

    #[test]
    fn a_broker_that_takes_us_and_hangs_up_again_and_again_has_somebody_else_under_our_name() {
        let mut rival = Rival::default();
        let hung_up = ending(Refused::Broken, true);
        let told: Vec<Refused> = (0..4).map(|_| rival.on_ending(&hung_up, true)).collect();
        assert_eq!(told, [Refused::Broken, Refused::Broken, Refused::HungUp, Refused::HungUp]);
        assert_eq!(rival.on_ending(&hung_up, false), Refused::Broken, "a long one is an accident");
    }

    #[test]
    fn a_broker_that_was_away_between_is_one_that_restarts() {
        let mut rival = Rival::default();
        for _ in 0..5 {
            assert_eq!(rival.on_ending(&ending(Refused::Broken, true), true), Refused::Broken);
            assert_eq!(rival.on_ending(&ending(Refused::Unreachable, false), true), Refused::Unreachable);
        }
        assert_eq!(rival.on_ending(&ending(Refused::TakenOver, true), true), Refused::TakenOver);
    }
}
