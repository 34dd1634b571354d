//! Whether an alarm is of a conviction that only a log which its gateway has left tells: see [`crate::regulator::conviction`].

use std::collections::BTreeSet;

use super::{About, Alarm, AlarmId, Cause};
use crate::{
    judge::Rung,
    regulator::store::{
        Answered, Store,
        sights::{AssetRow, Scope},
    },
    terms::{AssetId, GatewayId, OrderId},
};

/// Equipment of a gateway read at once.
const PAGE: u32 = 500;

/// Whether the log in which its gateway speaks now knows nothing of what it convicts of.
///
/// # Errors
/// The store cannot be read.
pub fn is_left(store: &mut dyn Store, about: &About) -> Answered<bool> {
    let Some((gateway, subject)) = about.gateway.zip(about.subject) else { return Ok(false) };
    match about.cause {
        Cause::Violation => {
            let row = store.asset(&Scope::NATION, gateway, AssetId(subject))?;
            Ok(row.is_some_and(|row| row.left.is_some()))
        }
        Cause::CutViolated => Ok(!is_violated(store, gateway, OrderId(subject))?),
        // It says so itself.
        Cause::LatchedElsewhere
        | Cause::FedBehindCut
        | Cause::Silent
        | Cause::Outage
        | Cause::Unreachable
        | Cause::NeverHeard
        | Cause::Untold
        | Cause::NoEvidence
        | Cause::Indeterminate
        | Cause::Gap
        | Cause::Tamper
        | Cause::Fork
        | Cause::ForeignAct
        | Cause::PlateEdited
        | Cause::Rollback
        | Cause::MeterTwice
        | Cause::RatingEdited
        | Cause::MeterFault
        | Cause::DiskFull
        | Cause::JournalDamaged
        | Cause::CertificateExpiring
        | Cause::LastGasp
        | Cause::Oversized
        | Cause::ClockStepped
        | Cause::PlateUnreadable
        | Cause::PlateDiffers
        | Cause::NotOnRoster
        | Cause::Undetermined
        | Cause::Reconcile
        | Cause::Transfer
        | Cause::PlaceChanged
        | Cause::ListedTwice
        | Cause::EliminatedDraws => Ok(false),
    }
}

/// Those of these alarms that stand and are so.
///
/// # Errors
/// The store cannot be read.
pub fn left<'a>(
    store: &mut dyn Store,
    alarms: impl Iterator<Item = &'a Alarm>,
) -> Answered<BTreeSet<AlarmId>> {
    let mut left = BTreeSet::new();
    for alarm in alarms.filter(|alarm| alarm.state.life.is_standing()) {
        if is_left(store, &alarm.about)? {
            left.insert(alarm.id);
        }
    }
    Ok(left)
}

/// Whether the newest step of an order says that its cut is violated. Where another order was told of since, none does.
fn is_violated(store: &mut dyn Store, gateway: GatewayId, order: OrderId) -> Answered<bool> {
    let mut after = String::new();
    loop {
        let rows = store.equipment(gateway, &after, PAGE)?;
        let Some(last) = rows.last() else { return Ok(false) };
        last.asset.as_str().clone_into(&mut after);
        if rows.iter().any(|row: &AssetRow| row.order == Some((order, Rung::Violated))) {
            return Ok(true);
        }
    }
}
