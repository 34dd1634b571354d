//! What a log is told of a broker: one line for each change, few of them when it comes and goes, and the last word is how it
//! stands. Agent and collector tell it alike.

use super::refused::Refused;
use crate::host::hush::Hush;

/// How the broker stood when there was last something new to tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Connected,
    /// It was there and is no more.
    Lost(Refused),
    /// It was tried, and is not there.
    NotReached(Refused),
}

impl Stand {
    /// What somebody has to mend is graver than what passes.
    fn gravity(self) -> u8 {
        match self {
            Stand::Connected => 0,
            Stand::Lost(why) | Stand::NotReached(why) => 1 + u8::from(why.has_to_be_mended()),
        }
    }
}

/// Whoever tells the log of one broker.
#[derive(Debug)]
pub struct Tidings {
    /// Where it is, HOST:PORT.
    at: String,
    stand: Option<Stand>,
    hush: Hush,
}

impl Tidings {
    /// Of the broker at this host and port, of which nothing is known yet.
    pub fn of(host: &str, port: u16) -> Tidings {
        Tidings { at: format!("{host}:{port}"), stand: None, hush: Hush::default() }
    }

    /// It is there.
    pub fn on_connected(&mut self, now_ms: u64) {
        self.turn(now_ms, Stand::Connected);
    }

    /// It is not.
    pub fn on_lost(&mut self, now_ms: u64, why: Refused) {
        let stand = match self.stand {
            Some(Stand::Connected) => Stand::Lost(why),
            // Lost is what was there: while it does not come back for the same reason there is nothing new.
            Some(Stand::Lost(before)) if before == why => Stand::Lost(why),
            Some(Stand::Lost(_) | Stand::NotReached(_)) | None => Stand::NotReached(why),
        };
        self.turn(now_ms, stand);
    }

    /// When [`Tidings::on_time`] is wanted, uptime in milliseconds.
    pub fn wakes_ms(&self) -> u64 {
        self.hush.wakes_ms()
    }

    /// Time has passed: what was kept back may be due.
    pub fn on_time(&mut self, now_ms: u64) {
        if let (Some(not_told), Some(stand)) = (self.hush.due(now_ms), self.stand) {
            self.tell(stand, not_told);
        }
    }

    fn turn(&mut self, now_ms: u64, stand: Stand) {
        if self.stand.replace(stand) == Some(stand) {
            return;
        }
        if let Some(not_told) = self.hush.may(now_ms, stand.gravity()) {
            self.tell(stand, not_told);
        }
    }

    fn tell(&self, stand: Stand, not_told: u64) {
        let broker = &self.at;
        // Nothing is said of what was told in full.
        let not_told = (not_told > 0).then_some(not_told);
        match stand {
            Stand::Connected => tracing::info!(broker, not_told, "connected to the broker"),
            Stand::Lost(why) => {
                tracing::warn!(broker, code = why.word(), not_told, "broker lost: {}", why.text());
            }
            Stand::NotReached(why) => {
                tracing::warn!(broker, code = why.word(), not_told, "broker not reached: {}", why.text());
            }
        }
    }
}
