//! Asks who signed the acts that gateways have taken.

use super::Collector;
use crate::{
    evidence::Record,
    regulator::{
        alarms::{Cause, Condition, Shown},
        store::Answered,
    },
};

impl Collector {
    /// Takes down an act that the authority did not sign, and that it was taken.
    pub(super) fn ask_who_signed(&mut self, record: &Record, received_unix_ms: i64) -> Answered<()> {
        let header = &record.header;
        let place = ((header.gateway, header.log), header.seq);
        let (store, batch, authority) = (&mut *self.store, &self.batch, self.lineage.authority());
        let Some(act) = self.suppliers.disowns(store, batch, place, &record.body, authority)? else {
            return Ok(());
        };
        self.batch.foreign.push(act);
        self.batch.conditions.push(Condition {
            cause: Cause::ForeignAct,
            gateway: header.gateway,
            log: header.log,
            seq: header.seq,
            subject: act.asset.map(|asset| asset.0),
            shown: Shown::Active,
            at_unix_ms: header.at.wall_unix_ms.min(received_unix_ms),
            received_unix_ms,
            hash: record.hash,
        });
        Ok(())
    }
}
