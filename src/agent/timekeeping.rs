//! How good this machine's clock is, for whoever has to set it. It is told here, and never set.

use serde_json::{Value, json};

use super::{
    config::AgentConfig,
    journal::{DiskJournal, JOURNAL_FILE},
    own_copy,
};
use crate::{
    evidence::{Class, Journal as _, record::Unverified},
    host::Exit,
    judge::edge::RTC_ERROR_MS,
    terms::{
        ClockQuality, LegalDay, Stamp,
        time::{LegalTime, moment},
        words::{self, Language, Words},
    },
};

/// What a machine that takes Chinese time for UTC is off by, in milliseconds.
const EIGHT_HOURS_MS: u64 = 8 * 3_600_000;
/// How far the battery clock may be from this one before it is worth a word, in milliseconds.
const BATTERY_OFF_MS: u64 = 60_000;

/// By how much this clock was ahead of the authority's when its latest receipt came, in milliseconds; negative: behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// By at least so much: the record at the receipt's head was written before it arrived there.
    pub least_ms: i64,
    /// By at most so much: the receipt came here after that.
    pub most_ms: i64,
}

/// All that is known of this machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Timekeeping {
    /// This moment.
    pub now: Stamp,
    /// The battery clock, where there is one, in milliseconds since 1970-01-01 UTC.
    pub battery_unix_ms: Option<i64>,
    /// Beside the authority's, where a receipt tells it.
    pub authority: Option<Ahead>,
    /// The time that somebody reads elsewhere now, in milliseconds since 1970-01-01 UTC.
    pub by_hand_unix_ms: Option<i64>,
}

impl Ahead {
    /// What the latest receipt tells, if there is one. Reads beside an agent that may be running.
    pub fn of_receipt(config: &AgentConfig) -> Option<Ahead> {
        let state = &config.gateway.state_dir;
        let receipt = own_copy::load(state, &config.authority)?;
        let came_unix_ms = own_copy::written_unix_ms(state)?;
        let mut journal = DiskJournal::open_to_read(&state.join(JOURNAL_FILE)).ok()?;
        let mut said = None;
        let each = &mut |_: u64, _: Class, bytes: &[u8]| {
            said = Unverified::read(bytes).ok().map(|record| *record.header());
            false
        };
        journal.read(receipt.upto.seq, Class::Routine, each).ok()?;
        let said = said.filter(|said| (said.log, said.seq) == (receipt.upto.log, receipt.upto.seq))?;
        Some(Ahead {
            least_ms: said.at.wall_unix_ms.saturating_sub(receipt.received_unix_ms),
            most_ms: came_unix_ms.saturating_sub(receipt.received_unix_ms),
        })
    }

    /// Whether the clock was certainly further off than is allowed for.
    const fn is_beyond(self) -> bool {
        self.least_ms > RTC_ERROR_MS || self.most_ms < -RTC_ERROR_MS
    }
}

impl Timekeeping {
    /// Good, not good, or not set yet.
    pub fn answer(&self) -> Exit {
        let by_hand_off = self.by_hand_ms().is_some_and(|ms| ms.unsigned_abs() > RTC_ERROR_MS.unsigned_abs());
        if self.now.clock == ClockQuality::Unset {
            Exit::Retry
        } else if by_hand_off || self.authority.is_some_and(Ahead::is_beyond) {
            Exit::Negative
        } else {
            Exit::Done
        }
    }

    /// By how much this clock is ahead of what somebody reads elsewhere, in milliseconds.
    fn by_hand_ms(&self) -> Option<i64> {
        self.by_hand_unix_ms.map(|there| self.now.wall_unix_ms.saturating_sub(there))
    }

    /// By how much it is ahead of its battery clock, in milliseconds.
    fn battery_ms(&self) -> Option<i64> {
        self.battery_unix_ms.map(|battery| self.now.wall_unix_ms.saturating_sub(battery))
    }

    /// What a machine reads.
    pub fn json(&self) -> Value {
        json!({
            "wall_unix_ms": self.now.wall_unix_ms,
            "clock": self.now.clock.word(),
            "error_ms": (self.now.clock == ClockQuality::Ntp).then_some(self.now.error_ms),
            "battery_unix_ms": self.battery_unix_ms,
            "ahead_of_battery_ms": self.battery_ms(),
            "ahead_of_authority_at_least_ms": self.authority.map(|ahead| ahead.least_ms),
            "ahead_of_authority_at_most_ms": self.authority.map(|ahead| ahead.most_ms),
            "ahead_of_hand_ms": self.by_hand_ms(),
        })
    }

    /// What a person reads.
    pub fn lines(&self, language: Language) -> Vec<String> {
        let said = |words: Words| words.in_language(language);
        let quality = match self.now.clock {
            ClockQuality::Ntp => {
                format!("{}, {} {} ms", said(words::CLOCK_NTP), said(words::CLOCK_OFF_BY), self.now.error_ms)
            }
            ClockQuality::Rtc => said(words::CLOCK_RTC).to_owned(),
            ClockQuality::Unset => said(words::CLOCK_UNSET).to_owned(),
        };
        let mut lines = vec![format!("{}  {quality}", LegalTime(self.now.wall_unix_ms))];
        lines.push(format!("{}: {}", said(words::CLOCK_BATTERY), self.battery(language)));
        lines.push(format!("{}: {}", said(words::CLOCK_AUTHORITY), self.authority(language)));
        if let Some(ms) = self.by_hand_ms() {
            let there = LegalTime(self.by_hand_unix_ms.unwrap_or_default());
            let off = ahead(ms, language);
            let judged = beyond(ms.unsigned_abs() > RTC_ERROR_MS.unsigned_abs());
            lines.push(format!("{}: {there}, {off}, {}", said(words::CLOCK_BY_HAND), said(judged)));
        }
        let is_a_zone = |ms: i64| ms.unsigned_abs().abs_diff(EIGHT_HOURS_MS) <= RTC_ERROR_MS.unsigned_abs();
        if self.by_hand_ms().is_some_and(is_a_zone) {
            lines.push(said(words::CLOCK_EIGHT_HOURS).to_owned());
        }
        if self.answer() != Exit::Done {
            lines.push(said(words::CLOCK_SET_IT).to_owned());
        }
        lines
    }

    fn battery(&self, language: Language) -> String {
        let (Some(battery), Some(ms)) = (self.battery_unix_ms, self.battery_ms()) else {
            return words::CLOCK_NO_BATTERY.in_language(language).to_owned();
        };
        let off =
            if ms.unsigned_abs() > BATTERY_OFF_MS { words::CLOCK_BATTERY_OFF } else { words::CLOCK_WITHIN };
        format!("{}, {}", LegalTime(battery), off.in_language(language))
    }

    fn authority(&self, language: Language) -> String {
        let Some(bounds) = self.authority else {
            return words::CLOCK_NO_RECEIPT.in_language(language).to_owned();
        };
        format!(
            "{}: {} … {}, {}",
            words::CLOCK_WHEN_RECEIPT_CAME.in_language(language),
            ahead(bounds.least_ms, language),
            ahead(bounds.most_ms, language),
            beyond(bounds.is_beyond()).in_language(language)
        )
    }
}

const fn beyond(is_beyond: bool) -> Words {
    if is_beyond { words::CLOCK_BEYOND } else { words::CLOCK_WITHIN }
}

/// By how much it is ahead, in seconds and tenths.
fn ahead(ms: i64, language: Language) -> String {
    let words = if ms < 0 { words::CLOCK_BEHIND } else { words::CLOCK_AHEAD };
    let ms = ms.unsigned_abs();
    format!("{} {}.{} s", words.in_language(language), ms / 1_000, ms % 1_000 / 100)
}

/// Reads the time somebody reads elsewhere: RFC 3339, or in lawful Chinese time `2026-11-28 16:30:00` or `16:30`.
pub fn by_hand(text: &str, now: &Stamp) -> Option<i64> {
    let lawful = |text: &str| moment(&format!("{}+08:00", text.replacen(' ', "T", 1)));
    let today = LegalDay::of_unix_ms(now.wall_unix_ms);
    moment(text).or_else(|| lawful(text)).or_else(|| lawful(&format!("{today} {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_854_600_000;

    fn at(clock: ClockQuality) -> Timekeeping {
        let now = Stamp { wall_unix_ms: NOW, uptime_ms: 1, boot: 1, clock, error_ms: 8 };
        Timekeeping { now, battery_unix_ms: Some(NOW), authority: None, by_hand_unix_ms: None }
    }

    #[test]
    fn a_clock_that_was_never_set_is_to_be_set_and_asked_of_again() {
        let unset = at(ClockQuality::Unset);
        assert_eq!(unset.answer(), Exit::Retry);
        let lines = unset.lines(Language::English);
        assert!(lines[0].contains("never set") && lines.last().unwrap().contains("set-time"), "{lines:#?}");
        assert!(unset.lines(Language::Chinese)[0].contains("从未校准"));
        assert_eq!(at(ClockQuality::Rtc).answer(), Exit::Done);
        assert!(at(ClockQuality::Ntp).lines(Language::English)[0].contains("no more than 8 ms"));
    }

    #[test]
    fn eight_hours_are_a_time_zone_and_the_cure_names_it() {
        let eight_hours = EIGHT_HOURS_MS.cast_signed();
        for (off_ms, is_named) in [(eight_hours, true), (-eight_hours - 18_000, true), (7 * 3_600_000, false)]
        {
            let told = Timekeeping { by_hand_unix_ms: Some(NOW - off_ms), ..at(ClockQuality::Rtc) };
            let lines = told.lines(Language::English).join("\n");
            assert_eq!(lines.contains(words::CLOCK_EIGHT_HOURS.en), is_named, "{lines}");
            assert!(lines.contains("set-timezone Asia/Shanghai"), "{lines}");
        }
    }

    #[test]
    fn a_clock_that_is_further_off_than_allowed_for_is_named_by_the_hand_and_by_the_authority() {
        for (off_ms, answer) in [(RTC_ERROR_MS, Exit::Done), (RTC_ERROR_MS + 1, Exit::Negative)] {
            for sign in [1, -1] {
                let told =
                    Timekeeping { by_hand_unix_ms: Some(NOW + sign * off_ms), ..at(ClockQuality::Rtc) };
                assert_eq!(told.answer(), answer, "{sign} {off_ms}");
            }
        }
        for (least_ms, most_ms, answer) in [
            (-2_000, 3_000, Exit::Done),
            (-RTC_ERROR_MS * 2, RTC_ERROR_MS * 2, Exit::Done),
            (RTC_ERROR_MS + 1, RTC_ERROR_MS * 2, Exit::Negative),
            (-RTC_ERROR_MS * 2, -RTC_ERROR_MS - 1, Exit::Negative),
        ] {
            let told = Timekeeping { authority: Some(Ahead { least_ms, most_ms }), ..at(ClockQuality::Rtc) };
            assert_eq!(told.answer(), answer, "{least_ms} to {most_ms}");
        }
        let told = Timekeeping {
            authority: Some(Ahead { least_ms: -2_040, most_ms: 900 }),
            ..at(ClockQuality::Ntp)
        };
        let line = told.lines(Language::English)[2].clone();
        assert!(line.contains("behind by 2.0 s … this clock was ahead by 0.9 s"), "{line}");
    }

    #[test]
    fn a_machine_without_a_battery_clock_is_told_what_that_means() {
        let without = Timekeeping { battery_unix_ms: None, ..at(ClockQuality::Rtc) };
        assert!(without.lines(Language::English)[1].contains("after each power cut"));
        let off = Timekeeping { battery_unix_ms: Some(NOW - 61_000), ..at(ClockQuality::Rtc) };
        assert!(off.lines(Language::English)[1].contains("hwclock"));
    }

    #[test]
    fn the_time_of_a_watch_is_read_as_it_is_written() {
        let now = at(ClockQuality::Rtc).now;
        let same = moment("2026-11-28T16:30:00+08:00");
        for text in
            ["2026-11-28T08:30:00Z", "2026-11-28 16:30:00", "2026-11-28 16:30", "2026-11-28T16:30", "16:30"]
        {
            let day = LegalDay::of_unix_ms(NOW).to_string();
            let expected = if text == "16:30" { moment(&format!("{day}T16:30:00+08:00")) } else { same };
            assert_eq!(by_hand(text, &now), expected, "{text}");
            assert!(expected.is_some());
        }
        for wrong in ["", "soon", "25:00", "2026-13-01 00:00"] {
            assert_eq!(by_hand(wrong, &now), None, "{wrong}");
        }
    }
}
