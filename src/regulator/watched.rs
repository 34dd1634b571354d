//! A collector under its service manager: when it is ready, what it does, and whether its store still answers.

use tokio::sync::watch;

use super::{
    serve::STORE_PATIENCE_MS,
    vitals::{Line, Vitals},
};
use crate::{
    host::{Clock, watchdog::Watchdog},
    terms::words::{self, Language},
};

/// Time between two looks at what the serving loop left, in milliseconds.
const LOOK_MS: u64 = 1_000;
/// How long the store may be at one batch before it counts as one that stands still, in milliseconds: as long as one that
/// is away is waited for.
pub const STORE_STILL_MS: u64 = STORE_PATIENCE_MS;

/// Tells the watchdog of it, until the program ends. `store` is the pulse of the thread that has the store.
pub async fn follow(
    clock: &dyn Clock,
    store: &dyn Clock,
    seen: watch::Receiver<Vitals>,
    watchdog: &Watchdog,
) {
    loop {
        let (vitals, now_ms) = (*seen.borrow(), clock.uptime_ms());
        if vitals.line == Line::Open {
            watchdog.on_begun();
        }
        watchdog.on_status(status(&vitals, now_ms, watchdog.language()));
        if answers(&vitals, now_ms) {
            store.busy_until(now_ms);
        }
        clock.sleep_until(now_ms.saturating_add(LOOK_MS)).await;
    }
}

fn answers(vitals: &Vitals, now_ms: u64) -> bool {
    vitals.store_busy_since_ms.is_none_or(|since_ms| now_ms.saturating_sub(since_ms) < STORE_STILL_MS)
}

/// What keeps it from its work, or how far it is with it.
fn status(vitals: &Vitals, now_ms: u64, language: Language) -> String {
    let ailments = vitals.ailments(now_ms);
    if !ailments.is_empty() {
        let texts: Vec<&str> = ailments.iter().map(|ailment| ailment.text.as_str()).collect();
        return texts.join(" | ");
    }
    let said = |words: words::Words| words.in_language(language);
    let (records, receipts) = (vitals.kept.records, vitals.receipts_sent);
    format!(
        "{}; {}: {records}; {}: {receipts}",
        said(words::COLLECTS),
        said(words::RECORDS_KEPT),
        said(words::RECEIPTS_SENT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_is_wrong_and_else_what_was_done() {
        let well = Vitals {
            line: Line::Open,
            clock_set: true,
            waiting: (0, 9),
            waiting_bytes: (0, 9),
            ..Vitals::default()
        };
        assert_eq!(status(&well, 1, Language::English), "collecting; records kept: 0; receipts sent: 0");
        assert!(status(&well, 1, Language::Chinese).starts_with("正在收集"));
        let away = Vitals { line: Line::Lost("nobody listens there"), ..well };
        assert_eq!(status(&away, 1, Language::English), "nobody listens there");
    }

    #[test]
    fn a_store_that_is_at_one_batch_for_too_long_stands_still() {
        let busy = Vitals { store_busy_since_ms: Some(1_000), ..Vitals::default() };
        assert!(answers(&busy, STORE_STILL_MS) && !answers(&busy, STORE_STILL_MS + 1_000));
        assert!(answers(&Vitals::default(), u64::MAX));
    }
}
