//! PURE file. Who is told of alarms, and by which way.

use std::path::PathBuf;

use super::{
    cause::Kind,
    condition::About,
    state::{Hush, Life, State},
};
use crate::terms::{
    Name,
    place::{Division, Level},
};

/// How a receiver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// On a topic of his own, retained.
    Mqtt,
    /// A program of this machine, the notification on its standard input.
    Command(Vec<String>),
    /// An HTTP POST.
    Webhook(Webhook),
}

/// Where to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// `https://…`, or `http://…` at a loopback address.
    pub url: String,
    /// What is posted.
    pub format: Format,
    /// The authorities of the server's certificate, PEM; needed for https.
    pub ca: Option<PathBuf>,
}

/// What is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The notification.
    Coldhearth,
    /// The alerts of an Alertmanager, as its `/api/v2/alerts` takes them.
    Alertmanager,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// By which his place in the log is remembered.
    pub name: Name,
    /// The division he answers for.
    pub division: Division,
    /// The lowest level whose alarms he is told of: what a level below has not acknowledged in time comes up to him.
    pub hears: Level,
    /// Of which kinds.
    pub kinds: Vec<Kind>,
    /// How.
    pub way: Way,
}

impl Way {
    /// Whether an Alertmanager is told by it, which forgets whatever is not repeated.
    pub fn is_alertmanager(&self) -> bool {
        match self {
            Way::Webhook(Webhook { format, .. }) => *format == Format::Alertmanager,
            Way::Mqtt | Way::Command(_) => false,
        }
    }
}

/// How high a level is.
const fn height(level: Level) -> u8 {
    match level {
        Level::County => 0,
        Level::City => 1,
        Level::Province => 2,
    }
}

impl Receiver {
    /// Whether he is told of what this is about, once it is at that level.
    pub fn is_concerned(&self, about: &About, level: Level) -> bool {
        self.kinds.contains(&about.cause.kind())
            && about.concerns(self.division)
            && height(level) >= height(self.hears)
    }

    /// Whether an alarm stands for him: something is the matter that nobody has acknowledged, or that is not gone; and it is
    /// told to him.
    pub fn stands(&self, about: &About, state: State) -> bool {
        state.life != Life::Normal && self.is_told(about, state.hush)
    }

    /// Whether an alarm is told to him. Violations and tampering that somebody has put aside are put aside for their own
    /// division and what is below it: who answers for a wider one goes on hearing of them.
    pub fn is_told(&self, about: &About, hush: Hush) -> bool {
        let is_own = about.division.level().is_some() && about.division.covers(self.division);
        match hush {
            Hush::Open => true,
            Hush::Shelved => about.cause.kind().is_kept() && !is_own,
            Hush::Suppressed | Hush::OutOfService => false,
        }
    }
}

/// The level a receiver hears unless told otherwise: that of his division.
pub fn own_level(division: Division) -> Level {
    division.level().unwrap_or(Level::Province)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::alarms::{alarm::tests::about, cause::Cause};

    #[test]
    fn a_prefecture_is_told_of_its_own_counties_once_they_have_not_acted() {
        let division = Division::parse("130400").unwrap();
        let receiver = Receiver {
            name: Name::new("handan").unwrap(),
            division,
            hears: own_level(division),
            kinds: vec![Kind::Violation],
            way: Way::Mqtt,
        };
        let violation = |code| about(Cause::Violation, "gw-1", code);
        assert!(!receiver.is_concerned(&violation("130421"), Level::County));
        assert!(receiver.is_concerned(&violation("130421"), Level::City));
        assert!(!receiver.is_concerned(&violation("130521"), Level::City));
        assert!(!receiver.is_concerned(&about(Cause::Tamper, "gw-1", "130421"), Level::City));
        let desk = Receiver { hears: Level::County, division: Division::NATION, ..receiver.clone() };
        assert!(desk.is_concerned(&violation("130421"), Level::County));
        // An outage of its province is its own outage.
        let kinds = vec![Kind::EvidenceMissing];
        let county = Receiver {
            hears: Level::County,
            division: Division::parse("130421").unwrap(),
            kinds,
            ..receiver
        };
        assert!(county.is_concerned(&about(Cause::Outage, "gw-1", "130000"), Level::Province));
        assert!(!county.is_concerned(&about(Cause::Outage, "gw-1", "140000"), Level::Province));
    }

    #[test]
    fn what_a_county_puts_aside_is_put_aside_for_the_county() {
        let of = |code| Receiver {
            name: Name::new("desk").unwrap(),
            division: Division::parse(code).unwrap(),
            hears: Level::County,
            kinds: Kind::ALL.to_vec(),
            way: Way::Mqtt,
        };
        for (place, code, is) in [
            ("130421", "130421", false),
            ("130421", "130400", true),
            ("130421", "130000", true),
            ("130421", "000000", true),
            ("130400", "130421", false),
            ("130400", "130400", false),
            // Nobody knows yet whose it is.
            ("000000", "000000", true),
        ] {
            for cause in [Cause::Violation, Cause::Fork] {
                let is_told = of(code).is_told(&about(cause, "gw-1", place), Hush::Shelved);
                assert_eq!(is_told, is, "{place} {code}");
            }
            assert!(!of(code).is_told(&about(Cause::NoEvidence, "gw-1", place), Hush::Shelved));
            for hush in [Hush::Suppressed, Hush::OutOfService] {
                assert!(!of(code).is_told(&about(Cause::Violation, "gw-1", place), hush));
            }
        }
    }
}
