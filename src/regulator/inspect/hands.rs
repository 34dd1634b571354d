//! Acts that gateways have taken and that the authority did not sign.

use super::{Inspector, MOST_TOLD};
use crate::{
    evidence::{Act, Body, Record, record::Unverified},
    regulator::{foreign::ForeignAct, store::Answered},
};

impl Inspector<'_> {
    /// Tells of such acts of a gateway. Their records hold: the gateway has taken them.
    pub(super) fn foreign(&mut self, acts: &[ForeignAct]) -> Answered<()> {
        for ForeignAct { gateway, log, seq, .. } in acts {
            let kept = self.store.records_from((*gateway, *log), *seq, 1)?;
            let kept = kept.first().filter(|(at, _)| at == seq);
            let opened = kept.map(|(_, record)| Unverified::read(&record.bytes).and_then(Unverified::own));
            let Some(Ok(Record { body: Body::Act(act), .. })) = opened else {
                self.found.accuse(format!(
                    "{gateway} {log} {seq}: taken down as a foreign act, and none is kept there"
                ));
                continue;
            };
            self.found.foreign_acts += 1;
            if self.found.foreign.len() < MOST_TOLD as usize {
                let Act { id, kind, key, .. } = act;
                let what = kind.word();
                let told = format!(
                    "{gateway} {log} {seq}: act {id} ({what}) is signed by {key}, no key of the authority"
                );
                self.found.foreign.push(told);
            }
        }
        Ok(())
    }
}
