//! What records mention of machines and meters, by which they are matched across plants: each mention that is kept stands in its
//! record, and what a log mentions is kept.

use std::collections::BTreeSet;

use super::Inspector;
use crate::{
    evidence::{
        Record,
        lineage::{MAX_GATEWAYS_OF_ONE, MAX_OF_KIND_BY_GATEWAY, MAX_OF_ONE_BY_GATEWAY, Mention, Says},
        record::Unverified,
    },
    host::exit::Failure,
    regulator::{
        lineage::Lineage,
        store::{Answered, Asked, Log},
    },
    terms::{GatewayId, Name},
};

/// Different things that one log mentions and that are looked for; of more the first are.
const MOST_LOOKED_FOR: usize = 4_096;

/// What is said of whom. What the catalogue makes of it is another with every catalogue.
type Saying = (Name, &'static str, Option<String>);

fn saying(subject: Name, says: &Says) -> Saying {
    (subject, says.word(), says.key().map(str::to_owned))
}

/// What the records of a log mention.
pub(super) struct Mentioned {
    lineage: Lineage,
    said: BTreeSet<Saying>,
}

impl Mentioned {
    /// Of no log yet.
    pub(super) fn begin() -> Result<Mentioned, Failure> {
        Ok(Mentioned { lineage: Lineage::shipped()?, said: BTreeSet::new() })
    }

    /// Reads a record of it whose signature holds.
    pub(super) fn on(&mut self, record: &Record, received_unix_ms: i64) {
        for mention in self.lineage.mentions(record, received_unix_ms) {
            if self.said.len() < MOST_LOOKED_FOR {
                self.said.insert(saying(mention.subject, &mention.says));
            }
        }
    }
}

impl Inspector<'_> {
    /// Whether that is what is kept.
    pub(super) fn mentions(&mut self, log: Log) -> Answered<()> {
        let mut said = std::mem::take(&mut self.mentioned.said);
        let (gateway, id) = log;
        for at in self.store.mentions(Asked::Logs(&BTreeSet::from([log])))? {
            let mention = at.mention;
            if !self.is_mentioned(log, &mention)? {
                self.found.accuse(format!(
                    "{gateway} {id} {}: what is kept of {} as mentioned there does not stand there: it was changed",
                    mention.seq, mention.subject
                ));
            }
            said.remove(&saying(mention.subject, &mention.says));
        }
        // What was never looked through is not kept yet.
        if self.found.index.reading.is_some() {
            return Ok(());
        }
        for (subject, word, key) in said {
            if self.may_be_left_out(gateway, word, key.as_deref())? {
                continue;
            }
            self.found.accuse(format!(
                "{gateway} {id}: what it says of {subject} ({word}) is not kept among what is matched across plants: run \
                 coldhearth-regulator store reindex"
            ));
        }
        Ok(())
    }

    /// Whether the record that is kept there mentions it.
    fn is_mentioned(&mut self, log: Log, mention: &Mention) -> Answered<bool> {
        let kept = self.store.records_from(log, mention.seq, 1)?.into_iter().next();
        let Some((_, kept)) = kept.filter(|(seq, kept)| (*seq, kept.hash) == (mention.seq, mention.hash))
        else {
            return Ok(false);
        };
        let Ok(record) = Unverified::read(&kept.bytes).and_then(Unverified::own) else { return Ok(false) };
        let wanted = saying(mention.subject, &mention.says);
        let said = self.mentioned.lineage.mentions(&record, kept.received_unix_ms);
        Ok(said.iter().any(|said| saying(said.subject, &said.says) == wanted))
    }

    /// Whether there is so much of the kind by this gateway, or of the number by whomever, that more is not compared.
    fn may_be_left_out(&mut self, gateway: GatewayId, word: &str, key: Option<&str>) -> Answered<bool> {
        let counts = self.store.mention_counts(&[gateway].into())?;
        if counts.get(&(gateway, word.to_owned())).is_some_and(|count| *count >= MAX_OF_KIND_BY_GATEWAY) {
            return Ok(true);
        }
        let Some(key) = key else { return Ok(false) };
        let named = self.store.mentions(Asked::Keys(&[key.to_owned()].into()))?;
        let by: BTreeSet<GatewayId> = named.iter().map(|at| at.mention.gateway).collect();
        let own = named.iter().filter(|at| at.mention.gateway == gateway).count();
        Ok(own >= MAX_OF_ONE_BY_GATEWAY || by.len() >= MAX_GATEWAYS_OF_ONE)
    }
}
