//! Which version of MQTT to speak next: 5 as long as the broker understands it, 3.1.1 where it does not.
//!
//! Some brokers of 3.1.1 answer a greeting in 5 with a refusal, most hang up. Hanging up alone proves little, so a
//! broker that has once understood 5 is given much more patience than one that never has.

use super::refused::Refused;

/// Times a broker that never understood MQTT 5 may hang up on it before 3.1.1 is tried.
const DROPS_OF_A_STRANGER: u32 = 2;
/// The same for a broker that did understand it: it is more likely ill than downgraded.
const DROPS_OF_A_FRIEND: u32 = 20;
/// Connections in 3.1.1 after which 5 is tried again, for the broker may have been upgraded.
const TRY_5_AFTER_CONNECTIONS: u32 = 10;
/// Time after which a new connection tries 5 again, in milliseconds.
const TRY_5_AFTER_MS: u64 = 24 * 3_600_000;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 5.
    Five,
    /// 3.1.1.
    ThreeOneOne,
}

/// What is known of the broker's taste.
#[derive(Debug)]
pub(super) struct Taste {
    speaks: Version,
    /// Whether it has ever greeted us in 5.
    knows_5: bool,
    drops: u32,
    /// When it first greeted us in 3.1.1, and how often since.
    settled: Option<(u64, u32)>,
}

impl Taste {
    /// Nothing is known yet.
    pub(super) const fn unknown() -> Taste {
        Taste { speaks: Version::Five, knows_5: false, drops: 0, settled: None }
    }

    /// The version for the next connection.
    pub(super) fn next(&mut self, now_ms: u64) -> Version {
        if let Some((since_ms, connections)) = self.settled
            && (connections >= TRY_5_AFTER_CONNECTIONS || now_ms.saturating_sub(since_ms) >= TRY_5_AFTER_MS)
        {
            // One try: hanging up once more is answer enough.
            *self = Taste { drops: DROPS_OF_A_STRANGER - 1, ..Taste::unknown() };
        }
        self.speaks
    }

    /// The broker has greeted us in this version.
    pub(super) fn on_greeted(&mut self, version: Version, now_ms: u64) {
        match version {
            Version::Five => *self = Taste { knows_5: true, ..Taste::unknown() },
            Version::ThreeOneOne => {
                let (since_ms, connections) = self.settled.unwrap_or((now_ms, 0));
                self.settled = Some((since_ms, connections.saturating_add(1)));
            }
        }
    }

    /// The broker did not greet us; true when another try at once may find a version it knows.
    pub(super) fn on_turned_away(&mut self, why: Refused) -> bool {
        let hung_up = why == Refused::Dropped;
        if !hung_up && why != Refused::Version {
            return false;
        }
        match self.speaks {
            Version::Five => {
                self.drops = self.drops.saturating_add(1);
                let patience = if self.knows_5 { DROPS_OF_A_FRIEND } else { DROPS_OF_A_STRANGER };
                let enough = !hung_up || self.drops >= patience;
                if enough {
                    self.speaks = Version::ThreeOneOne;
                }
                enough || !self.knows_5
            }
            Version::ThreeOneOne => {
                // A broker known to speak 3.1.1 is only having a bad moment; another one understood neither.
                if self.settled.is_none() {
                    (self.speaks, self.drops) = (Version::Five, 0);
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled_on_3() -> Taste {
        let mut taste = Taste::unknown();
        assert!(taste.on_turned_away(Refused::Version));
        assert_eq!(taste.next(0), Version::ThreeOneOne);
        taste.on_greeted(Version::ThreeOneOne, 0);
        taste
    }

    #[test]
    fn a_refusal_of_5_leads_to_3_at_once_and_two_drops_do() {
        settled_on_3();
        let mut taste = Taste::unknown();
        assert!(taste.on_turned_away(Refused::Dropped));
        assert_eq!(taste.next(0), Version::Five);
        assert!(taste.on_turned_away(Refused::Dropped));
        assert_eq!(taste.next(0), Version::ThreeOneOne);
    }

    #[test]
    fn a_broker_that_understood_5_is_not_given_up_for_hanging_up_a_few_times() {
        let mut taste = Taste::unknown();
        taste.on_greeted(Version::Five, 0);
        for _ in 1..DROPS_OF_A_FRIEND {
            assert!(!taste.on_turned_away(Refused::Dropped), "a person hears of it");
            assert_eq!(taste.next(0), Version::Five);
        }
        taste.on_turned_away(Refused::Dropped);
        assert_eq!(taste.next(0), Version::ThreeOneOne);
    }

    #[test]
    fn what_is_no_question_of_versions_changes_nothing() {
        let mut taste = Taste::unknown();
        for why in [Refused::Unreachable, Refused::NotAuthorised, Refused::AuthorityUnknown, Refused::Silent]
        {
            assert!(!taste.on_turned_away(why));
            assert_eq!(taste.next(0), Version::Five);
        }
    }

    #[test]
    fn a_broker_that_understands_neither_is_asked_in_turn() {
        let mut taste = Taste::unknown();
        assert!(taste.on_turned_away(Refused::Version));
        assert!(!taste.on_turned_away(Refused::Dropped), "now a person hears of it");
        assert_eq!(taste.next(0), Version::Five);
    }

    #[test]
    fn five_is_tried_again_after_a_day_or_ten_connections_and_one_drop_is_answer_enough() {
        let mut taste = settled_on_3();
        assert!(!taste.on_turned_away(Refused::Dropped), "the broker is restarting");
        assert_eq!(taste.next(TRY_5_AFTER_MS - 1), Version::ThreeOneOne);
        assert_eq!(taste.next(TRY_5_AFTER_MS), Version::Five);
        assert!(taste.on_turned_away(Refused::Dropped));
        assert_eq!(taste.next(TRY_5_AFTER_MS), Version::ThreeOneOne);
        let mut taste = settled_on_3();
        for _ in 1..TRY_5_AFTER_CONNECTIONS {
            assert_eq!(taste.next(0), Version::ThreeOneOne);
            taste.on_greeted(Version::ThreeOneOne, 0);
        }
        assert_eq!(taste.next(0), Version::Five);
    }
}
