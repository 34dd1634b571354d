//! The head of heads: once a legal day has ended, how far every log is known, signed.

use super::{Collector, Outgoing};
use crate::{
    evidence::{
        Signed,
        heads::{HEADS_TOPIC, Heads, Listed, root_of},
    },
    host::exit::{Exit, Failure},
    regulator::store::{Answered, KeptHeads, StoreFault},
    terms::{Digest, LegalDay},
};

impl Collector {
    /// Makes and keeps the head of heads of the day that has ended, unless it is there. Tells what is to be published,
    /// retained; the newest one again after every connection.
    ///
    /// # Errors
    /// The store failed; it is made by the next call.
    pub fn head_of_heads(&mut self, now_unix_ms: i64) -> Answered<Option<Outgoing>> {
        let today = LegalDay::of_unix_ms(now_unix_ms);
        if self.day == Some(today) && !self.tell_heads {
            return Ok(None);
        }
        let mut newest = self.store.newest_heads()?;
        let ended = LegalDay::of_unix_ms(today.starts_unix_ms().saturating_sub(1));
        if newest.as_ref().is_none_or(|newest| newest.day < ended)
            && let Some(made) = self.make_heads(newest.as_ref(), ended, now_unix_ms)?
        {
            self.tell_heads = true;
            newest = Some(made);
        }
        self.day = Some(today);
        self.heads_ahead = newest.as_ref().map(|newest| newest.day).filter(|day| *day > ended);
        let tell = std::mem::take(&mut self.tell_heads);
        let topic = format!("{HEADS_TOPIC}/{}", self.signer.public_key().id());
        Ok(newest.filter(|_| tell).map(|newest| Outgoing { topic, bytes: newest.bytes }))
    }

    /// The day of the newest head of heads, where it lies ahead: a clock was once set past it, and no other is made until
    /// then.
    pub fn heads_ahead(&self) -> Option<LegalDay> {
        self.heads_ahead
    }

    /// `None` where nothing was known before the day ended, or another collector has made it.
    fn make_heads(
        &mut self,
        before: Option<&KeptHeads>,
        day: LegalDay,
        made_unix_ms: i64,
    ) -> Answered<Option<KeptHeads>> {
        let heads = self.store.heads(None)?;
        let ends_unix_ms = LegalDay::of_unix_ms(made_unix_ms).starts_unix_ms();
        if before.is_none() && heads.iter().all(|kept| kept.received_unix_ms >= ends_unix_ms) {
            return Ok(None);
        }
        let list: Vec<Listed> =
            heads.iter().map(|kept| (kept.gateway, kept.log, kept.seq, kept.head)).collect();
        let broken = |what: String| StoreFault::Failed(Failure::new(Exit::Bug, what));
        let hash = match before {
            None => Digest::ZERO,
            Some(before) => Signed::read(&before.bytes)
                .map_err(|why| broken(format!("head of heads {} cannot be read: {why}", before.number)))?
                .hash(),
        };
        let number = before.map_or(1, |before| before.number + 1);
        let logs = u64::try_from(list.len()).unwrap_or(u64::MAX);
        let desk = Some(self.store.newest_step()?.unwrap_or((0, Digest::ZERO)));
        let made = Heads { day, number, before: hash, made_unix_ms, logs, root: root_of(&list), desk };
        made.seal(&mut self.sealer, &*self.signer)
            .map_err(|why| broken(format!("a head of heads cannot be written: {why:?}")))?;
        let kept = KeptHeads { number, day, made_unix_ms, bytes: self.sealer.bytes().to_vec() };
        let is_ours = self.store.keep_heads(&kept, &list)?;
        if is_ours {
            tracing::info!(%day, number, logs, "head of heads made");
        }
        Ok(is_ours.then_some(kept))
    }
}
