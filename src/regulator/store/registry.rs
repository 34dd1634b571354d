//! Whose word counts, as it is listed: keys with their revocations, where a gateway that has not spoken is said to stand, and how
//! old the word of gateways is.

use super::{Admitted, Answered, sights::Scope};
use crate::{
    evidence::KeyId,
    terms::{GatewayId, place::Division},
};

/// Which keys are asked for, by gateway and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysAsked {
    /// Of gateways with a log in this scope, or that are said to stand there as long as they have none.
    pub scope: Scope,
    /// Those alone that were revoked.
    pub is_revoked: bool,
    /// After this one; from the first on where none is named.
    pub after: Option<(GatewayId, KeyId)>,
    /// How many at most.
    pub most: u32,
}

impl KeysAsked {
    /// The place after which the page begins, as databases compare it.
    pub(super) fn begins(&self) -> (String, String) {
        self.after.map_or_else(Default::default, |(gateway, key)| (gateway.to_string(), key.to_string()))
    }
}

/// How old the newest word of gateways is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Gateways that were ever heard.
    pub gateways: u64,
    /// Those of them that are silent.
    pub silent: u64,
    /// When the newest word of any arrived, Unix milliseconds.
    pub newest_unix_ms: Option<i64>,
    /// When the last word arrived of whoever was silent for longest, Unix milliseconds.
    pub oldest_unix_ms: Option<i64>,
}

/// The part of a store that lists keys and gateways.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Registry {
    /// A page of keys.
    fn keys(&mut self, asked: &KeysAsked) -> Answered<Vec<Admitted>>;
    /// Says where a gateway's plant lies, as long as its own log does not. Tells whether there is such a gateway.
    fn say_where(&mut self, gateway: GatewayId, division: Division) -> Answered<bool>;
    /// How many gateways are admitted of which nothing was ever heard, and the first so many of them: of a scope those that are
    /// said to stand in it, of the nation all.
    fn unheard(&mut self, scope: &Scope, most: u32) -> Answered<(u64, Vec<GatewayId>)>;
    /// How old the word is of the gateways that have a log in a scope, each by its newest log.
    fn ages(&mut self, scope: &Scope, silent_before_unix_ms: i64) -> Answered<Ages>;
}
