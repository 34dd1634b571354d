//! PURE file. Who was admitted and never spoke, and equipment of which nobody speaks any longer.

use std::collections::BTreeSet;

use super::Board;
use crate::{
    regulator::{
        alarms::{About, AlarmId, Cause, ahead::Time, outage::SILENT_MS, untold::Untold},
        sight,
    },
    terms::{GatewayId, place::Division},
};

impl Board {
    /// Looks at who was admitted, where that one is said to stand, since when, and never heard; under the conditions of [`Board::look`], after it.
    pub fn look_for_unheard(&mut self, admitted: &[(GatewayId, Division, i64)], now_unix_ms: i64) {
        let (ahead, unheard_ms) = (&mut self.ahead, self.regime.unheard_ms);
        let mut is_late = |gateway: GatewayId, since: i64| {
            let since = ahead.see(Time::Admitted(gateway), since, now_unix_ms);
            now_unix_ms.saturating_sub(since) >= unheard_ms
        };
        let late: Vec<About> = admitted
            .iter()
            .filter(|(gateway, _, since)| is_late(*gateway, *since))
            .map(|(gateway, division, _)| unheard_of(*gateway, *division))
            .collect();
        let has_listened =
            self.hears_since_unix_ms.is_some_and(|since| now_unix_ms.saturating_sub(since) >= SILENT_MS);
        if !has_listened {
            return;
        }
        let ids: BTreeSet<AlarmId> = late.iter().map(About::id).collect();
        for about in late {
            self.want(about, true, None, now_unix_ms);
        }
        for about in self.known_of(&[Cause::NeverHeard]) {
            if !ids.contains(&about.id()) {
                self.want(about, false, None, now_unix_ms);
            }
        }
    }

    /// Looks at equipment that gateways have ceased to tell of.
    pub fn look_for_untold(&mut self, untold: &[Untold], now_unix_ms: i64) {
        let mut wanted = BTreeSet::new();
        for Untold { about, told_unix_ms, heard_unix_ms } in untold {
            let told_unix_ms = self.ahead.see(Time::Told(about.id()), *told_unix_ms, now_unix_ms);
            let heard = |gateway| self.ahead.see(Time::Heard(gateway), *heard_unix_ms, now_unix_ms);
            let heard_unix_ms = about.gateway.map_or(*heard_unix_ms, heard);
            if sight::is_untold(told_unix_ms, heard_unix_ms) {
                wanted.insert(about.id());
                self.want(*about, true, None, now_unix_ms);
            }
        }
        for about in self.known_of(&[Cause::Untold]) {
            if !wanted.contains(&about.id()) {
                self.want(about, false, None, now_unix_ms);
            }
        }
    }
}

/// The alarm of a gateway that was never heard: of the division it is said to stand in, or of the nation.
fn unheard_of(gateway: GatewayId, division: Division) -> About {
    About { cause: Cause::NeverHeard, division, enterprise: None, gateway: Some(gateway), subject: None }
}
