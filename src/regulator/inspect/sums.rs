//! Holds the sums of days against the verdicts that they are made of.

use std::collections::BTreeMap;

use super::Inspector;
use crate::{
    regulator::{
        store::{Answered, Kept, Log},
        sums::DaySum,
    },
    terms::{AssetId, LegalDay},
};

impl Inspector<'_> {
    /// Whether the verdicts of each day come to what is kept of it, as far as they are said to be added up.
    pub(super) fn sums(&mut self, log: Log, kept: Option<&Kept>) -> Answered<()> {
        let (gateway, id) = log;
        let ever = (LegalDay::numbered(i32::MIN), LegalDay::numbered(i32::MAX));
        if self.summed.is_some_and(|upto| kept.is_none_or(|kept| upto > kept.seq)) {
            self.found.accuse(format!(
                "{gateway} {id}: its verdicts are said to be added up beyond the last that is known, and the next would be left \
                 out: run coldhearth-regulator store reindex"
            ));
        }
        let kept = self.store.day_sums(log, None, ever)?;
        if self.summed.is_none() && !kept.is_empty() {
            self.found.accuse(format!(
                "{gateway} {id}: sums of days are kept, and nothing says up to where: run coldhearth-regulator store reindex"
            ));
        }
        if self.summed.is_none() {
            return Ok(());
        }
        let kept = kept.into_iter();
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
        for (asset, day) in wrong {
            self.found.accuse(format!(
                "{gateway} {id} {asset} {day}: the verdicts of the day do not come to the sum that is kept: run \
                 coldhearth-regulator store reindex"
            ));
        }
        Ok(())
    }
}
