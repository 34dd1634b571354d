//! PURE file. Who is in: sessions by the hash of their token, and how often a name has failed to come in. Both are bounded, and
//! both live as long as the program.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::terms::{Digest, Name};

/// Sessions at once; whoever was seen longest ago goes first.
pub(super) const MOST_SESSIONS: usize = 1_000;
/// How long a session lasts without being used, in milliseconds.
pub(super) const IDLE_MS: u64 = 30 * 60 * 1_000;
/// How long it lasts at all, in milliseconds.
pub(super) const LONGEST_MS: u64 = 12 * 60 * 60 * 1_000;
/// Passwords for a name from one address, and of all names that nobody has, before the next ones are not even looked at.
pub(super) const TRIES: u32 = 5;
/// For how long they are not, in milliseconds.
pub(super) const WAIT_MS: u64 = 60_000;
/// Names and addresses of which that is counted; of more, whoever tried longest ago is forgotten.
pub(super) const MOST_NAMES: usize = 10_000;

/// Whose passwords are counted: of a person, or of all names together that nobody has; and from where.
pub(super) type Tried = (Option<Name>, IpAddr);

/// Somebody who is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Session {
    who: Name,
    /// When the person's entry had changed last, Unix milliseconds.
    changed_unix_ms: i64,
    opened_ms: u64,
    used_ms: u64,
}

/// Everybody who is in. Times are uptime in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: BTreeMap<Digest, Session>,
    tried: BTreeMap<Tried, (u32, u64)>,
}

impl Sessions {
    /// Opens one under a token that nobody can guess.
    pub(super) fn open(&mut self, token: &str, who: Name, changed_unix_ms: i64, now_ms: u64) {
        self.open.retain(|_, session| session.is_open(now_ms));
        if self.open.len() >= MOST_SESSIONS {
            let oldest = self.open.iter().min_by_key(|(_, session)| session.used_ms).map(|(id, _)| *id);
            if let Some(id) = oldest {
                self.open.remove(&id);
            }
        }
        let session = Session { who, changed_unix_ms, opened_ms: now_ms, used_ms: now_ms };
        self.open.insert(Digest::of(token.as_bytes()), session);
    }

    /// Who came in under this token, and as that person's entry was then. It counts as used.
    pub(super) fn who(&mut self, token: &str, now_ms: u64) -> Option<(Name, i64)> {
        let id = Digest::of(token.as_bytes());
        let session = self.open.get_mut(&id).filter(|session| session.is_open(now_ms))?;
        session.used_ms = now_ms;
        Some((session.who, session.changed_unix_ms))
    }

    /// Ends one.
    pub(super) fn close(&mut self, token: &str) {
        self.open.remove(&Digest::of(token.as_bytes()));
    }

    /// Whether a password for this name from there is looked at now. It counts as wrong until it was found right.
    pub(super) fn tries(&mut self, who: Tried, now_ms: u64) -> bool {
        self.tried.retain(|_, (_, last_ms)| now_ms.saturating_sub(*last_ms) < WAIT_MS);
        if self.tried.len() >= MOST_NAMES && !self.tried.contains_key(&who) {
            let oldest = self.tried.iter().min_by_key(|(_, (_, last_ms))| *last_ms).map(|(who, _)| *who);
            oldest.map(|who| self.tried.remove(&who));
        }
        let (times, last_ms) = self.tried.entry(who).or_insert((0, now_ms));
        if *times >= TRIES {
            return false;
        }
        (*times, *last_ms) = (*times + 1, now_ms);
        true
    }

    /// It was right.
    pub(super) fn succeeded(&mut self, who: Tried) {
        self.tried.remove(&who);
    }

    /// Whether this token is in, without using it.
    pub(super) fn is_in(&self, token: &str, now_ms: u64) -> bool {
        self.open.get(&Digest::of(token.as_bytes())).is_some_and(|session| session.is_open(now_ms))
    }

    /// Everybody who is in.
    pub(super) fn names(&self) -> BTreeSet<Name> {
        self.open.values().map(|session| session.who).collect()
    }

    /// Ends those of a person whose entry is not as it was when they began: there is none any longer, or another.
    pub(super) fn end_unless(&mut self, who: Name, changed_unix_ms: Option<i64>) {
        self.open.retain(|_, session| session.who != who || Some(session.changed_unix_ms) == changed_unix_ms);
    }
}

impl Session {
    fn is_open(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.used_ms) < IDLE_MS && now_ms.saturating_sub(self.opened_ms) < LONGEST_MS
    }
}

/// What every form of a session carries, and no other site can know. It follows from the token, and does not tell it.
pub(super) fn form_token(session_token: &str) -> String {
    Digest::of_pieces(&[b"coldhearth console form ", session_token.as_bytes()]).to_string()
}

/// Whether a form carries what it should; how long the answer takes tells nothing about what that is.
pub(super) fn is_form_token(given: &str, session_token: &str) -> bool {
    Digest::of(given.as_bytes()) == Digest::of(form_token(session_token).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_session_ends_unused_and_ends_anyway() {
        let mut sessions = Sessions::default();
        sessions.open("a", name("li"), 7, 0);
        assert_eq!(sessions.who("a", IDLE_MS - 1), Some((name("li"), 7)));
        assert_eq!(sessions.who("b", 1), None);
        assert_eq!(sessions.who("a", 2 * IDLE_MS), None, "unused for too long");
        sessions.open("c", name("li"), 7, 0);
        let mut now_ms = 0;
        while now_ms + IDLE_MS / 2 < LONGEST_MS {
            now_ms += IDLE_MS / 2;
            assert!(sessions.who("c", now_ms).is_some(), "{now_ms}");
        }
        assert_eq!(sessions.who("c", LONGEST_MS), None, "used all the time, and over all the same");
        sessions.open("d", name("li"), 7, 0);
        sessions.close("d");
        assert_eq!(sessions.who("d", 1), None);
    }

    #[test]
    fn however_many_come_in_there_is_room_and_the_longest_unused_goes() {
        let mut sessions = Sessions::default();
        for number in 0..=MOST_SESSIONS as u64 {
            sessions.open(&number.to_string(), name("li"), 0, number);
        }
        assert_eq!(sessions.open.len(), MOST_SESSIONS);
        assert_eq!((sessions.who("0", 2_000), sessions.who("1", 2_000).is_some()), (None, true));
    }

    #[test]
    fn whoever_guesses_waits() {
        let (here, there) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let (li, wang, nobody) = (Some(name("li")), Some(name("wang")), None);
        let mut sessions = Sessions::default();
        // Nothing was found wrong yet: it counts all the same.
        (0..TRIES).for_each(|_| assert!(sessions.tries((li, here), 0)));
        assert!(!sessions.tries((li, here), WAIT_MS - 1) && sessions.tries((wang, here), 0));
        assert!(sessions.tries((li, there), 0), "whoever guesses elsewhere keeps nobody out");
        assert!(sessions.tries((li, here), WAIT_MS), "and being refused makes nobody wait longer");
        sessions.succeeded((li, here));
        (0..TRIES).for_each(|_| assert!(sessions.tries((li, here), WAIT_MS)));
        // Names that nobody has are one.
        (0..TRIES).for_each(|_| assert!(sessions.tries((nobody, here), WAIT_MS)));
        assert!(!sessions.tries((nobody, here), WAIT_MS) && sessions.tries((nobody, there), WAIT_MS));
        (0..=u32::try_from(MOST_NAMES).unwrap()).for_each(|number| {
            assert!(sessions.tries((nobody, IpAddr::from(number.to_be_bytes())), WAIT_MS + 1));
        });
        assert_eq!(sessions.tried.len(), MOST_NAMES);
        assert!(sessions.tries((wang, there), WAIT_MS + 1), "however many try, whoever comes is looked at");
    }

    #[test]
    fn whoever_is_changed_is_out_and_looking_uses_nothing() {
        let mut sessions = Sessions::default();
        sessions.open("a", name("li"), 7, 0);
        sessions.open("b", name("wang"), 7, 0);
        assert!(sessions.is_in("a", IDLE_MS - 1) && !sessions.is_in("a", IDLE_MS));
        sessions.end_unless(name("li"), Some(7));
        assert!(sessions.is_in("a", 1));
        sessions.end_unless(name("li"), Some(8));
        sessions.end_unless(name("wang"), None);
        assert!(!sessions.is_in("a", 1) && !sessions.is_in("b", 1) && sessions.names().is_empty());
    }

    #[test]
    fn a_form_of_another_session_is_not_taken() {
        let token = form_token("mine");
        assert!(is_form_token(&token, "mine") && !is_form_token(&token, "yours"));
        assert!(!is_form_token("", "mine") && !token.contains("mine"));
    }
}
