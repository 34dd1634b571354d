//! Who is believed, as the store says: admitted, revoked, and admitted anew.

use std::collections::BTreeSet;

use super::{Collector, Origins};
use crate::{
    evidence::KeyId,
    regulator::store::{Answered, Log},
    terms::GatewayId,
};

impl Collector {
    /// Believes whom the store says to be admitted, and nobody else.
    pub(super) fn admit(&mut self) -> Answered<()> {
        let before: BTreeSet<GatewayId> = self.admitted.keys().copied().collect();
        let all = self.store.admitted()?;
        let is_revoked =
            |key: KeyId| all.iter().any(|one| one.key.id() == key && one.revoked_unix_ms.is_some());
        self.admitted.clear();
        for admitted in &all {
            let key = admitted.key.id();
            if is_revoked(key) {
                self.revoke(key);
            } else {
                self.admitted.insert(admitted.gateway, admitted.key);
                self.follower.keyring_mut().admit(admitted.gateway, admitted.key);
            }
        }
        for gateway in before {
            if !self.admitted.contains_key(&gateway) {
                self.turn_away(gateway);
            }
        }
        Ok(())
    }

    /// Believes a key no longer, nor any log that descends from it.
    fn revoke(&mut self, key: KeyId) {
        if !self.revoked.insert(key) {
            return;
        }
        self.follower.keyring_mut().revoke(key);
        let descends = |(log, origins): (&Log, &Origins)| (origins.root == key).then_some(*log);
        let gone: Vec<Log> = self.places.iter().filter_map(descends).collect();
        gone.into_iter().for_each(|log| self.forget(log));
    }

    /// Keeps nothing of a gateway that has no key left: neither what was heard of it, nor what waited, nor what it was
    /// to be told.
    fn turn_away(&mut self, gateway: GatewayId) {
        self.follower.turn_away(gateway);
        self.hearsay.retain(|(of, _), _| *of != gateway);
        self.due.retain(|(of, _)| *of != gateway);
        let its: Vec<Log> = self.loaded.keys().filter(|(of, _)| *of == gateway).copied().collect();
        its.into_iter().for_each(|log| self.forget(log));
    }
}
