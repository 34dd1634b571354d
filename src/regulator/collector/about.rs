//! Where a message says it belongs.

use crate::{
    evidence::record::Unverified,
    regulator::store::{Log, Spot},
    terms::Digest,
};

/// What a message says it is about, before anything of it is believed.
pub(super) struct About {
    pub(super) spot: Spot,
    pub(super) hash: Digest,
    pub(super) continues: Option<Log>,
}

impl About {
    pub(super) fn read(bytes: &[u8]) -> Option<About> {
        let unverified = Unverified::read(bytes).ok()?;
        let header = unverified.header();
        let spot = (header.gateway, header.log, header.seq);
        let continues = unverified.continues().map(|head| (header.gateway, head.log));
        Some(About { spot, hash: unverified.hash(), continues })
    }

    /// The log of a message that skips places, and the last place before them.
    pub(super) fn skips_from(bytes: &[u8]) -> Option<(Log, u64)> {
        let unverified = Unverified::read(bytes).ok()?;
        let header = unverified.header();
        Some(((header.gateway, header.log), unverified.skips_from()?.checked_sub(1)?))
    }

    pub(super) fn log(&self) -> Log {
        (self.spot.0, self.spot.1)
    }
}
