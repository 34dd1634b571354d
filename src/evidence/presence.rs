//! What stands on `link`: a gateway's birth and will. Unsigned: a hint for people, never evidence.

use serde::{Deserialize, Serialize};

use crate::terms::Stamp;

/// How long a broker waits before it publishes a gateway's will, in seconds; in MQTT 3.1.1 it does not wait.
pub const WILL_DELAY_S: u32 = 60;

/// Why a gateway came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// It connected.
    Started,
    /// It took leave.
    Stopped,
    /// The broker says so in its name: it fell silent.
    Lost,
}

/// Whether a gateway is there, and which start of it speaks, so that an old will cannot pass for news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Whether it is there.
    pub online: bool,
    /// Why.
    pub why: Occasion,
    /// Which boot of its machine.
    pub boot_count: u32,
    /// Uptime at its start, in milliseconds.
    pub started_uptime_ms: u64,
    /// Claimed wall time at its start, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: i64,
}

impl Presence {
    /// The hint of a gateway that started at this moment.
    pub fn of(started: &Stamp, why: Occasion) -> Presence {
        Presence {
            online: why == Occasion::Started,
            why,
            boot_count: started.boot,
            started_uptime_ms: started.uptime_ms,
            started_unix_ms: started.wall_unix_ms,
        }
    }

    /// As it travels.
    pub fn to_bytes(self) -> Vec<u8> {
        // A flat struct of numbers and words always becomes JSON.
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// Reads what stands on `link`; `None` when it is none of ours.
    pub fn from_bytes(bytes: &[u8]) -> Option<Presence> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::ClockQuality;

    #[test]
    fn a_presence_is_the_same_written_and_read() {
        let started =
            Stamp { wall_unix_ms: 5, uptime_ms: 7, boot: 3, clock: ClockQuality::Unset, error_ms: 0 };
        let lost = Presence::of(&started, Occasion::Lost);
        assert_eq!(Presence::from_bytes(&lost.to_bytes()), Some(lost));
        assert!(!lost.online && Presence::of(&started, Occasion::Started).online);
        let text = String::from_utf8(lost.to_bytes()).unwrap();
        assert!(text.contains("\"online\":false") && text.contains("\"why\":\"lost\""), "{text}");
        assert_eq!(Presence::from_bytes(b"{}"), None);
    }
}
