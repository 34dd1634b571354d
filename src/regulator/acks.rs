//! PURE file: what the broker need not keep any longer, in the order in which it came. MQTT asks for that order; rumqttd
//! hangs up on whoever keeps another.

use std::collections::VecDeque;

use crate::host::courier::Delivery;

/// Messages of one connection that the broker keeps for us, oldest first, and whether each is safe.
#[derive(Debug, Default)]
pub(super) struct Acks {
    waiting: VecDeque<(Delivery, bool)>,
}

impl Acks {
    /// A message came; it is safe already where nothing of it is to be kept.
    pub(super) fn on_arrived(&mut self, delivery: Option<Delivery>, is_safe: bool) {
        self.waiting.extend(delivery.map(|delivery| (delivery, is_safe)));
    }

    /// A message has been kept; one of an earlier connection comes again.
    pub(super) fn on_safe(&mut self, delivery: Delivery) {
        if let Some((_, is_safe)) = self.waiting.iter_mut().find(|(of, _)| *of == delivery) {
            *is_safe = true;
        }
    }

    /// Messages that the broker still keeps for us.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether it keeps nothing for us.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether anything is to be told to the broker.
    pub(super) fn has_next(&self) -> bool {
        self.waiting.front().is_some_and(|(_, is_safe)| *is_safe)
    }

    /// Everything up to the first that is not safe.
    pub(super) fn next(&mut self) -> Vec<Delivery> {
        let safe = self.waiting.iter().take_while(|(_, is_safe)| *is_safe).count();
        self.waiting.drain(..safe).map(|(delivery, _)| delivery).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_acknowledged_before_what_came_before_it() {
        let delivery = |pkid| Delivery { line: 1, pkid };
        let mut acks = Acks::default();
        for (pkid, is_safe) in [(1, false), (2, true), (3, false), (4, true)] {
            acks.on_arrived(Some(delivery(pkid)), is_safe);
        }
        acks.on_arrived(None, true);
        assert!(!acks.has_next() && acks.next().is_empty());
        acks.on_safe(delivery(3));
        assert!(!acks.has_next());
        acks.on_safe(Delivery { line: 0, pkid: 1 });
        assert!(!acks.has_next(), "that was another connection");
        acks.on_safe(delivery(1));
        assert_eq!(acks.next(), [1, 2, 3, 4].map(delivery));
        assert!(!acks.has_next());
    }
}
