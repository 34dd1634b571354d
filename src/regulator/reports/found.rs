//! The findings that were made in a time, and where the logs lie that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::Scope;
use crate::{
    evidence::lineage::{ClashId, Place},
    regulator::store::{Answered, FINDINGS_AT_ONCE, KeptFinding, Log, Store},
    terms::GatewayId,
};

/// Findings, and where the logs lie that they name.
pub type Found = (Vec<KeptFinding>, BTreeMap<Log, Place>);

/// Those of a time, wherever they lie.
///
/// # Errors
/// The store cannot be read.
pub fn found(store: &mut dyn Store, scope: &Scope) -> Answered<Found> {
    let mut all: Vec<KeptFinding> = Vec::new();
    let mut after = Some((scope.from.starts_unix_ms() - 1, Some(ClashId([0xFF; 8]))));
    while let Some(last) = after.take() {
        let page = store.findings_after(last, FINDINGS_AT_ONCE)?;
        after = page.last().map(|finding| (finding.found_unix_ms, Some(finding.id)));
        after = after.filter(|(found, _)| *found < scope.to.starts_unix_ms());
        all.extend(page);
    }
    let gateways: BTreeSet<GatewayId> =
        all.iter().flat_map(KeptFinding::records).map(|half| half.gateway).collect();
    let heads = store.heads(Some(&gateways))?.into_iter();
    let places = heads.map(|kept| ((kept.gateway, kept.log), (kept.division, kept.enterprise))).collect();
    Ok((all, places))
}
