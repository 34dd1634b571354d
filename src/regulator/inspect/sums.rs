//! Holds the sums of days against the verdicts that they are made of.

use std::collections::BTreeMap;

use super::Inspector;
use crate::{
    regulator::{
        store::{Answered, Log},
        sums::DaySum,
    },
    terms::{AssetId, LegalDay},
};

impl Inspector<'_> {
    /// Whether the verdicts of each day come to what is kept of it.
    pub(super) fn sums(&mut self, log: Log) -> Answered<()> {
        if self.summed.is_none() {
            return Ok(());
        }
        let ever = (LegalDay::numbered(i32::MIN), LegalDay::numbered(i32::MAX));
        let kept = self.store.day_sums(log, None, ever)?.into_iter();
        let mut kept: BTreeMap<(AssetId, LegalDay), DaySum> =
            kept.map(|(asset, day, sum)| ((asset, day), sum)).collect();
        let mut wrong = Vec::new();
        for (asset, adding) in std::mem::take(&mut self.adding) {
            for (day, sum) in adding.days {
                match kept.remove(&(asset, day)) {
                    Some(known) if known == sum => self.found.sums += 1,
                    Some(_) | None => wrong.push((asset, day)),
                }
            }
        }
        wrong.extend(kept.into_keys());
        let (gateway, id) = log;
        for (asset, day) in wrong {
            self.found.accuse(format!(
                "{gateway} {id} {asset} {day}: the verdicts of the day do not come to the sum that is kept: run \
                 coldhearth-regulator store reindex"
            ));
        }
        Ok(())
    }
}
