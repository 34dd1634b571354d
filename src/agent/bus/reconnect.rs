//! When to connect again: at once after a link that worked or that one silent unit spoiled, with growing pauses where
//! nobody is there or every link is closed on us, so that a gateway which serves one client only is not hammered by
//! those it does not serve.

/// First pause, in milliseconds; it doubles up to [`MAX_PAUSE_MS`].
pub const MIN_PAUSE_MS: u64 = 250;
/// Longest pause, in milliseconds.
pub const MAX_PAUSE_MS: u64 = 10_000;
/// Connections in a row that were taken and never answered, after which that is no single unit's fault.
pub const UNSERVED: u32 = 5;

/// The pauses of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Reconnect {
    failures: u32,
    unserved: u32,
    not_before_ms: u64,
    answered: bool,
}

impl Reconnect {
    /// Whether to connect at this uptime (milliseconds).
    pub(super) fn is_due(&self, uptime_ms: u64) -> bool {
        uptime_ms >= self.not_before_ms
    }

    /// Nobody took the connection.
    pub(super) fn on_refused(&mut self, uptime_ms: u64, random: u32) {
        self.unserved = 0;
        self.put_off(uptime_ms, random);
    }

    /// A connection stands.
    pub(super) fn on_connected(&mut self) {
        self.answered = false;
    }

    /// Somebody answered over it.
    pub(super) fn on_answer(&mut self) {
        *self = Reconnect { answered: true, ..Reconnect::default() };
    }

    /// The connection is given up, by us or, `closed`, by the other side. True when the port is open and yet nobody ever
    /// answers, which deserves a word now. Silence needs no pause: it has cost its time already.
    pub(super) fn on_lost(&mut self, uptime_ms: u64, random: u32, closed: bool) -> bool {
        if self.answered {
            return false;
        }
        self.unserved = self.unserved.saturating_add(1);
        if closed && self.unserved >= UNSERVED {
            self.put_off(uptime_ms, random);
        }
        self.unserved == UNSERVED
    }

    /// Half of the pause is kept, the other half falls to chance, so that many who were cut off do not return at once.
    fn put_off(&mut self, uptime_ms: u64, random: u32) {
        let pause_ms = (MIN_PAUSE_MS << self.failures.min(16)).min(MAX_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = uptime_ms + pause_ms / 2 + pause_ms * u64::from(random >> 16) / 0x2_0000;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_an_answer_ends_them() {
        let mut reconnect = Reconnect::default();
        assert!(reconnect.is_due(0));
        let pauses: Vec<u64> = (0..8)
            .map(|_| {
                reconnect.on_refused(1_000, u32::MAX);
                reconnect.not_before_ms - 1_000
            })
            .collect();
        assert_eq!(pauses, [249, 499, 999, 1_999, 3_999, 7_999, 9_999, 9_999]);
        reconnect.on_connected();
        reconnect.on_answer();
        assert!(
            !reconnect.on_lost(1_000, 0, true) && reconnect.is_due(1_000),
            "a link that worked is made anew at once"
        );
    }

    #[test]
    fn chance_moves_a_pause_by_half() {
        let pause = |random| {
            let mut reconnect = Reconnect::default();
            reconnect.on_refused(0, random);
            reconnect.not_before_ms
        };
        assert_eq!((pause(0), pause(u32::MAX)), (125, 249));
    }

    /// Loses so many links at one moment; whether each was told, and whether another may be tried at once.
    fn lose(reconnect: &mut Reconnect, times: u32, closed: bool) -> (Vec<bool>, bool) {
        let told = (0..times).map(|_| {
            reconnect.on_connected();
            reconnect.on_lost(0, 0, closed)
        });
        (told.collect(), reconnect.is_due(0))
    }

    #[test]
    fn an_open_port_that_never_answers_is_told_once() {
        let mut reconnect = Reconnect::default();
        assert_eq!(lose(&mut reconnect, 4, false), (vec![false; 4], true));
        assert_eq!(
            lose(&mut reconnect, 3, false),
            (vec![true, false, false], true),
            "silence costs its own time"
        );
        reconnect.on_answer();
        assert_eq!(lose(&mut reconnect, 4, true), (vec![false; 4], true), "one unit may be why");
        assert_eq!(
            lose(&mut reconnect, 1, true),
            (vec![true], false),
            "a gateway that closes on us is left alone"
        );
    }
}
