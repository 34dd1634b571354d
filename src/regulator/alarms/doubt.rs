//! PURE file. Since when it is not known what equipment does, whatever the reason. A reason that changes makes nobody wait anew:
//! it tells of which kind the alarm is, and not when it is due.

use std::collections::BTreeMap;

use super::{About, Cause};
use crate::terms::{GatewayId, Name};

/// Equipment of a gateway.
type Equipment = (Option<GatewayId>, Option<Name>);

/// Equipment that is in doubt, and since when, Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct Doubts(BTreeMap<Equipment, i64>);

impl Doubts {
    /// Looks at all the reasons there are now that nobody was told of, each with the time since which it is one, Unix milliseconds.
    pub(super) fn look(&mut self, reasons: impl Iterator<Item = (About, i64)>) {
        let mut now = BTreeMap::new();
        for (about, since_unix_ms) in reasons.filter(|(about, _)| is_doubt(about.cause)) {
            let equipment = (about.gateway, about.subject);
            let before = self.0.get(&equipment).copied().unwrap_or(since_unix_ms);
            let since = now.entry(equipment).or_insert(before);
            *since = since_unix_ms.min(*since);
        }
        self.0 = now;
    }

    /// Since when what is held since a time counts, Unix milliseconds.
    pub(super) fn since(&self, about: &About, held_unix_ms: i64) -> i64 {
        let doubt = self.0.get(&(about.gateway, about.subject)).filter(|_| is_doubt(about.cause));
        doubt.map_or(held_unix_ms, |since| held_unix_ms.min(*since))
    }
}

/// Whether it says that nobody can tell what equipment does.
fn is_doubt(cause: Cause) -> bool {
    [Cause::NoEvidence, Cause::MeterFault].contains(&cause)
}
