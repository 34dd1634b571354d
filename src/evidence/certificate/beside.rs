//! A log beside the other logs of its gateway: one that goes on after another takes over how orders stood there, and
//! neither silences the other.

use std::collections::BTreeMap;

use super::{Uncertified, Witnessed};
use crate::{
    evidence::{continuity::LogHead, record::LogId},
    terms::Digest,
};

/// The hashes of records at the places that logs say they go on after, as far as those are at hand.
pub type Places = BTreeMap<(LogId, u64), Digest>;

impl Witnessed {
    /// The log it was given; none before its first record.
    pub fn log(&self) -> Option<LogId> {
        self.own.map(|(_, log)| log)
    }

    /// The log it says it goes on after, and where.
    pub fn continues(&self) -> Option<LogHead> {
        self.log.continues()
    }

    /// Whether it tells of the order.
    pub fn tells_of_it(&self) -> bool {
        self.log.get(self.order).is_some()
    }

    /// Whether the other logs of the gateway that are at hand bear out what this one says of the order. Tells the log that
    /// it goes on after and that is not at hand: how the order stood there is this log's word alone.
    ///
    /// # Errors
    /// It goes on otherwise than that log ended, or another log tells of the order and neither goes on after the other.
    pub fn beside(&self, others: &[Witnessed], places: &Places) -> Result<Option<LogHead>, Uncertified> {
        let (before, unknown) = self.lineage(others, places)?;
        for other in others.iter().filter(|other| other.log() != self.log() && other.tells_of_it()) {
            let Some(log) = other.log().filter(|log| !before.contains(log)) else { continue };
            // One that goes on after this log speaks for the order now; so does one that goes on after that.
            let (_, its) = other.lineage(others, places)?;
            if its.map(|head| head.log) != self.log() {
                return Err(Uncertified::Another(log));
            }
            let follows = other.continues().is_some_and(|head| Some(head.log) == self.log());
            if follows && other.log.agrees_with(&self.log).is_err() {
                return Err(Uncertified::Another(log));
            }
        }
        Ok(unknown.filter(|_| self.log.adopted_from(self.order).is_some()))
    }

    /// The logs at hand in which its hold was told before it took the order over, the newest first.
    pub fn taken_over<'o>(&self, others: &'o [Witnessed]) -> Vec<&'o Witnessed> {
        let mut before: Vec<&Witnessed> = Vec::new();
        let mut from = self.log.adopted_from(self.order);
        while let Some(older) =
            from.and_then(|head| others.iter().find(|other| other.log() == Some(head.log)))
        {
            if before.iter().any(|known| known.log() == older.log()) {
                break;
            }
            before.push(older);
            from = older.log.adopted_from(self.order);
        }
        before
    }

    /// The logs that go on after it, and after those.
    pub fn followed_by<'o>(&self, others: &'o [Witnessed]) -> Vec<&'o Witnessed> {
        let mut after: Vec<&Witnessed> = Vec::new();
        let mut reached: Vec<LogId> = self.log().into_iter().collect();
        let goes_on = |reached: &[LogId], other: &Witnessed| {
            let is_after = other.continues().is_some_and(|head| reached.contains(&head.log));
            is_after && other.log().is_some_and(|log| !reached.contains(&log))
        };
        while let Some(next) = others.iter().find(|other| goes_on(&reached, other)) {
            reached.extend(next.log());
            after.push(next);
        }
        after
    }

    /// Whether no other log of the gateway, of those that do not know the order, tells of power behind the cut since its
    /// hold began; `now` is this log as far as it is at hand.
    ///
    /// # Errors
    /// One does.
    pub fn is_cold_in(&self, others: &[Witnessed], now: &Witnessed) -> Result<(), Uncertified> {
        let Some((cut, hold)) = self.log.get(self.order).zip(self.hold) else { return Ok(()) };
        let is_over = |log: &Witnessed| log.log.get(log.order).is_some_and(|cut| cut.stand().rung.is_over());
        let has_ended = is_over(now) || now.followed_by(others).into_iter().any(is_over);
        let to = if has_ended { hold.until.wall_unix_ms } else { i64::MAX };
        let draws = |other: &&Witnessed| {
            other.draws.are_in(cut.order(), (hold.since.wall_unix_ms, to)) && !other.tells_of_it()
        };
        let other = others.iter().filter(|other| other.log() != self.log()).find(draws);
        other.and_then(Witnessed::log).map_or(Ok(()), |log| Err(Uncertified::Power(log)))
    }

    /// The logs it goes on after, each after the other, and the first of them that is not at hand.
    fn lineage(
        &self,
        others: &[Witnessed],
        places: &Places,
    ) -> Result<(Vec<LogId>, Option<LogHead>), Uncertified> {
        let (mut before, mut newer) = (Vec::new(), self);
        while let Some(head) = newer.continues() {
            let known = others.iter().find(|other| other.log() == Some(head.log));
            let Some(older) = known.filter(|_| !before.contains(&head.log)) else {
                return Ok((before, Some(head)));
            };
            let is_another = places.get(&(head.log, head.seq)).is_some_and(|hash| *hash != head.head);
            if is_another || newer.log.agrees_with(&older.log).is_err() {
                return Err(Uncertified::Otherwise(head.log, head.seq));
            }
            before.push(head.log);
            newer = older;
        }
        Ok((before, None))
    }
}
