//! What a store keeps of the people at the authority's desk: who they are, the filters they saved, and what each has seen.

use super::{Answered, sights::Scope};
use crate::terms::Name;

/// Filters that one person may save.
pub const MOST_SAVED: u32 = 50;
/// Longest name of a saved filter, in characters.
pub const MAX_SAVED_CHARS: usize = 60;
/// Longest address that is kept of what somebody saw, and longest saved filter, in bytes.
pub const MAX_SEEN_BYTES: usize = 512;

/// What somebody may do; whoever may do more may do that, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Reader,
    /// Acknowledges and shelves alarms.
    Officer,
    /// Reads who saw what.
    Overseer,
}

impl Role {
    /// Every one, the least first.
    pub const ALL: [Role; 3] = [Role::Reader, Role::Officer, Role::Overseer];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Officer => "officer",
            Role::Overseer => "overseer",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// Somebody who may come in.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The name to come in by.
    pub name: Name,
    /// What this person may do.
    pub role: Role,
    /// And where.
    pub scope: Scope,
    /// The password's hash, in the PHC form; never the password.
    pub password: String,
    /// When role, scope or password changed last, Unix milliseconds: whoever came in before comes in anew.
    pub changed_unix_ms: i64,
}

/// A filter with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// The filter, as an address carries it behind its `?`.
    pub query: String,
}

/// Somebody saw something, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saw {
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// Who.
    pub person: Name,
    /// Where this person may look.
    pub scope: Scope,
    /// What was asked for: method and address.
    pub what: String,
    /// How it was answered, the status of HTTP.
    pub status: u16,
}

/// The part of a store that is about people.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait People {
    /// Everybody, by name.
    fn people(&mut self) -> Answered<Vec<Person>>;
    /// One of them.
    fn person(&mut self, name: Name) -> Answered<Option<Person>>;
    /// Lets somebody in who was not. Tells whether there was nobody of that name.
    fn add_person(&mut self, person: &Person) -> Answered<bool>;
    /// Changes a password. Tells whether there is somebody of that name.
    fn change_password(&mut self, name: Name, password: &str, now_unix_ms: i64) -> Answered<bool>;
    /// Lets somebody in no longer, and forgets the saved filters; what was seen stays. Tells whether there was somebody.
    fn remove_person(&mut self, name: Name) -> Answered<bool>;
    /// The filters somebody saved, by name, at most [`MOST_SAVED`].
    fn saved(&mut self, person: Name) -> Answered<Vec<Saved>>;
    /// Saves a filter in the place of one of that name. Tells whether there was room for it.
    fn save(&mut self, person: Name, saved: &Saved) -> Answered<bool>;
    /// Forgets a filter.
    fn forget(&mut self, person: Name, name: &str) -> Answered<()>;
    /// Keeps what somebody saw.
    fn note_saw(&mut self, saw: &Saw) -> Answered<()>;
    /// What people saw who may look in this scope alone, the newest first, before a number.
    fn who_saw(&mut self, scope: &Scope, before: u64, most: u32) -> Answered<Vec<(u64, Saw)>>;
    /// Forgets what was seen before a time.
    fn forget_saw(&mut self, before_unix_ms: i64) -> Answered<u64>;
}
