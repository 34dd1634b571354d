//! What a subscriber hears of the site, and what anybody makes of it.

use super::*;

/// Everything that comes, and the steps among it.
pub(super) struct Records {
    pub(super) subscriber: Subscriber,
    pub(super) lines: Vec<Vec<u8>>,
}

impl Records {
    pub(super) async fn next_step(&mut self) -> Transition {
        loop {
            let (kind, bytes) = self.subscriber.next().await;
            if kind != Kind::Attest {
                continue;
            }
            let record = Unverified::read(&bytes).unwrap().own().unwrap();
            self.lines.push(bytes);
            if let Body::Finding(Finding::Transition(step)) = record.body {
                return step;
            }
        }
    }

    /// Takes all records up to a place.
    pub(super) async fn up_to(&mut self, seq: u64) {
        let is_there =
            |lines: &[Vec<u8>]| lines.iter().any(|line| Unverified::read(line).unwrap().header().seq >= seq);
        while !is_there(&self.lines) {
            let (kind, bytes) = self.subscriber.next().await;
            if kind == Kind::Attest {
                self.lines.push(bytes);
            }
        }
    }

    /// Milliseconds from an act's publication, as everybody hears it, to the signed answer.
    pub(super) async fn answered(&mut self, act: Digest) -> u64 {
        let (life, mut published) = (SystemClock::default(), None);
        loop {
            let (kind, bytes) = self.subscriber.next().await;
            let now = life.now().uptime_ms;
            if kind == Kind::Act && Digest::of(&bytes) == act {
                published = Some(now);
            }
            let answer =
                (kind == Kind::Attest).then(|| Unverified::read(&bytes).unwrap().own().unwrap().body);
            if let (Some(Body::Answer(answer)), Some(published)) = (answer, published)
                && answer.bytes == act
            {
                return now - published;
            }
        }
    }

    pub(super) async fn until(&mut self, rung: Rung) -> Transition {
        loop {
            let step = self.next_step().await;
            if step.to == rung {
                return step;
            }
        }
    }

    /// What anybody who has the records makes of the order.
    pub(super) fn replayed(&self) -> Rung {
        let mut places: Vec<_> =
            self.lines.iter().map(|line| Unverified::read(line).unwrap().own().unwrap()).collect();
        places.sort_by_key(|record| record.header.seq);
        places.dedup_by_key(|record| record.header.seq);
        let mut log = OrderLog::default();
        for record in &places {
            log.on(record).unwrap_or_else(|why| panic!("#{}: {why:?}", record.header.seq));
        }
        log.iter().next().unwrap().stand().rung
    }
}
