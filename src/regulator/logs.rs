//! All logs of a gateway: the one it speaks in now, and those before it.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{Answered, Kept, Store};
use crate::terms::GatewayId;

/// The logs of one gateway.
#[derive(Clone, Debug)]
pub(super) struct GatewayLogs {
    /// The one that was heard last.
    pub(super) newest: Kept,
    /// The others, the one heard later before the one heard earlier.
    pub(super) others: Vec<Kept>,
}

/// The logs of every gateway, or of one.
///
/// # Errors
/// The store cannot be read.
pub(super) fn by_gateway(store: &mut dyn Store, gateway: Option<GatewayId>) -> Answered<Vec<GatewayLogs>> {
    let mut logs = BTreeMap::<GatewayId, Vec<Kept>>::new();
    let named: Option<BTreeSet<GatewayId>> = gateway.map(|named| [named].into());
    for kept in store.heads(named.as_ref())? {
        logs.entry(kept.gateway).or_default().push(kept);
    }
    let sorted = |mut all: Vec<Kept>| {
        all.sort_by_key(|kept| std::cmp::Reverse((kept.received_unix_ms, kept.log)));
        let mut all = all.into_iter();
        Some(GatewayLogs { newest: all.next()?, others: all.collect() })
    };
    Ok(logs.into_values().filter_map(sorted).collect())
}
