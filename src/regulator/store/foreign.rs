//! What a store keeps of acts in logs that the authority did not sign.

use std::collections::BTreeSet;

use super::Answered;
use crate::{
    evidence::LogId,
    regulator::foreign::ForeignAct,
    terms::{AssetId, GatewayId, OrderId},
};

/// The part of a store that is about the authority's hand.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Signatories {
    /// Acts that the authority did not sign, in the logs of these gateways or of all, in the order of their places.
    fn foreign_acts(&mut self, of: Option<&BTreeSet<GatewayId>>) -> Answered<Vec<ForeignAct>>;
    /// An act is the authority's after all: a key of it was named late.
    fn own_act(&mut self, act: &ForeignAct) -> Answered<()>;
}

/// The columns of a foreign act as text: asset and order, empty where there is none.
pub(super) fn columns(act: &ForeignAct) -> (String, String) {
    let asset = act.asset.map_or_else(String::new, |asset| asset.to_string());
    (asset, act.order.map_or_else(String::new, |order| order.to_string()))
}

/// Read; `None` for a row that this program did not write.
pub(super) fn read((gateway, log, seq): (&str, &str, i64), asset: &str, order: &str) -> Option<ForeignAct> {
    Some(ForeignAct {
        gateway: GatewayId::new(gateway)?,
        log: LogId::from_hex(log)?,
        seq: seq.cast_unsigned(),
        asset: if asset.is_empty() { None } else { Some(AssetId::new(asset)?) },
        order: if order.is_empty() { None } else { Some(OrderId::new(order)?) },
    })
}
