//! What records say is the matter, taken down with them; and the desk's round.

use super::{Collector, Outgoing};
use crate::{
    evidence::{PublicKey, Record, record::Unverified},
    regulator::{
        alarms::{Cause, Condition, Numbers, Office, Shown, signals},
        store::{Answered, Log},
    },
};

impl Collector {
    /// Has alarms kept by this office; without one they are kept all the same, and nobody is told.
    #[must_use]
    pub fn telling(mut self, office: Office) -> Collector {
        self.office = office;
        self
    }

    /// Believes acts in logs that further keys of the authority signed, beside its own.
    #[must_use]
    pub fn believing(mut self, keys: &[PublicKey]) -> Collector {
        self.lineage = self.lineage.believing(keys);
        self
    }

    /// Takes down what a new record says is the matter, and what is not.
    pub(super) fn signal(&mut self, record: &Record, received_unix_ms: i64) {
        self.batch.conditions.extend(signals::signals(record, received_unix_ms));
    }

    /// Takes down that a log has two histories, by the `proof`th proof of it: one of an earlier place is news, too.
    pub(super) fn signal_fork(
        &mut self,
        (gateway, log): Log,
        proof: u64,
        bytes: &[u8],
        received_unix_ms: i64,
    ) {
        let Ok(shown) = Unverified::read(bytes) else { return };
        self.batch.conditions.push(Condition {
            cause: Cause::Fork,
            gateway,
            log,
            seq: proof,
            subject: None,
            shown: Shown::Active,
            at_unix_ms: shown.header().at.wall_unix_ms,
            received_unix_ms,
            hash: shown.hash(),
        });
    }

    /// Takes down what the batch's findings are to the desk.
    pub(super) fn signal_findings(&mut self, received_unix_ms: i64) {
        let found = self.batch.findings.iter();
        let found = found.filter_map(|finding| signals::of_finding(finding, received_unix_ms));
        self.batch.conditions.extend(found);
    }

    /// A round of the desk: alarms from what records said and from who is silent. `hears` tells whether the broker is there.
    ///
    /// # Errors
    /// The store failed; what was not kept is done by the next round.
    pub fn alarm_round(&mut self, hears: bool, now_unix_ms: i64) -> Answered<()> {
        let hands = (&mut self.sealer, &*self.signer);
        let told = self.office.round(&mut *self.store, hands, hears, now_unix_ms)?;
        self.telling.extend(told);
        Ok(())
    }

    /// The broker has taken what was to be told on these topics.
    pub fn published(&mut self, topics: &[String]) {
        self.office.published(topics);
    }

    /// How many alarms stand, and how many notifications have left.
    pub fn alarm_numbers(&self) -> Numbers {
        self.office.numbers()
    }

    /// What receivers are to be told by MQTT, once: it waits here for as long as anything else of its round fails.
    pub fn told(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.telling)
    }
}
