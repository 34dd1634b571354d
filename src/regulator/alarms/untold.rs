//! Equipment of which its gateway tells nothing any longer, though it speaks of other things: it may have been taken out of the
//! configuration there, or renamed. What is kept of it is old, and looks like rest.

use std::collections::BTreeMap;

use super::{About, Cause, outage::Heard};
use crate::{
    judge::Rung,
    regulator::store::{
        Answered, Store,
        sights::{After, AskedAt, AssetRow, FleetAsked, Lane, Scope},
    },
    terms::{GatewayId, LegalDay},
};

/// Time between two looks, in milliseconds: each goes through all equipment.
pub(super) const LOOK_MS: i64 = 600_000;
/// Equipment read at once.
const PAGE: u32 = 1_000;

/// Equipment that its gateway may have ceased to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Which.
    pub about: About,
    /// When the newest that attests it arrived, Unix milliseconds.
    pub told_unix_ms: i64,
    /// When its gateway was heard, Unix milliseconds.
    pub heard_unix_ms: i64,
}

/// All of it that is under a duty, and not demolished, of gateways that are admitted: whose screens say so, or what attests it
/// last lies ahead.
pub(super) fn all(store: &mut dyn Store, fleet: &[Heard], now_unix_ms: i64) -> Answered<Vec<Untold>> {
    let heard: BTreeMap<GatewayId, &Heard> = fleet.iter().map(|heard| (heard.gateway, heard)).collect();
    let (mut found, mut after) = (Vec::new(), After::default());
    loop {
        let page = store.fleet(&asked(after, now_unix_ms))?;
        let Some(last) = page.last() else { return Ok(found) };
        after = After::row(last);
        for row in page.iter().filter(|row| is_owed(row)) {
            let told = heard.get(&row.gateway).zip(row.heard_unix_ms).zip(row.attested());
            let Some(((heard, heard_unix_ms), told_unix_ms)) = told else { continue };
            if told_unix_ms > now_unix_ms || row.is_untold() {
                found.push(Untold { about: about(row, heard), told_unix_ms, heard_unix_ms });
            }
        }
    }
}

fn asked(after: After, now_unix_ms: i64) -> FleetAsked {
    FleetAsked {
        scope: Scope::NATION,
        lane: Lane::All,
        enterprise: None,
        gateway: None,
        class: None,
        entries: None,
        due_by: None,
        after,
        most: PAGE,
        at: AskedAt { today: LegalDay::of_unix_ms(now_unix_ms), silent_before_unix_ms: now_unix_ms },
    }
}

/// Whether its gateway owes verdicts of it: under a duty, and no demolition of it was accepted.
fn is_owed(row: &AssetRow) -> bool {
    row.last_day.is_some() && row.order.as_ref().is_none_or(|(_, rung)| *rung != Rung::Closed)
}

fn about(row: &AssetRow, heard: &Heard) -> About {
    About {
        cause: Cause::Untold,
        division: row.division.unwrap_or(heard.division),
        enterprise: Some(row.enterprise.unwrap_or(heard.enterprise)),
        gateway: Some(row.gateway),
        subject: Some(row.asset.0),
    }
}
