//! PURE file: what is wrong with messages, told in few lines however many messages there are: the first of a kind at once,
//! and how many more there were when its minute is over.

use std::collections::BTreeMap;

use crate::{evidence::LogId, terms::GatewayId};

/// Time in which a kind is told once, and then its number, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// Kinds told apart in that time; what is beyond them is told as one.
pub const MOST_KINDS: usize = 64;

/// A kind of remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// Messages that are not believed, for this reason.
    Refused(&'static str),
    /// Messages in the name of this gateway that wait for their key.
    Waits(GatewayId),
    /// Of these, messages let go, for too many wait.
    LetGo(GatewayId),
    /// Messages in the name of this gateway on another's topic.
    Astray(GatewayId),
    /// Places that this gateway has lost and that are kept here.
    Lost(GatewayId),
    /// Two signed histories of this log.
    Fork(GatewayId, LogId),
    /// Whatever else, after [`MOST_KINDS`].
    Others,
}

impl Remark {
    const fn text(self) -> &'static str {
        match self {
            Remark::Refused(_) => "not believed",
            Remark::Waits(_) => "waits: nobody has admitted this key, or what certifies it is missing",
            Remark::LetGo(_) => {
                "let go: too many messages wait for their key; what is missing is asked for again"
            }
            Remark::Astray(_) => "let go: not signed by a known key, and on another gateway's topic",
            Remark::Lost(_) => "the gateway has lost records that are kept here",
            Remark::Fork(..) => "FORK: two signed histories; both messages are kept as proof",
            Remark::Others => "more of other kinds than are told apart in a minute; metrics count all",
        }
    }
}

/// A line to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What about.
    pub remark: Remark,
    /// How many messages.
    pub messages: u64,
    /// The first of them, in words; none where only the number is news.
    pub about: Option<String>,
}

impl Line {
    /// Writes it.
    pub fn write(&self) {
        let (text, messages) = (self.remark.text(), self.messages);
        let about = self.about.as_deref().unwrap_or("more of the same within a minute");
        match self.remark {
            Remark::Fork(gateway, log) => tracing::error!(%gateway, %log, messages, about, "{text}"),
            Remark::Refused(reason) => tracing::warn!(reason, messages, about, "{text}"),
            Remark::Waits(gateway)
            | Remark::LetGo(gateway)
            | Remark::Astray(gateway)
            | Remark::Lost(gateway) => tracing::warn!(%gateway, messages, about, "{text}"),
            Remark::Others => tracing::warn!(messages, about, "{text}"),
        }
    }
}

/// What was remarked lately.
#[derive(Debug, Default)]
pub struct Remarks {
    /// In the batch that is at work: how often, and what the first was.
    fresh: BTreeMap<Remark, (u64, String)>,
    /// Kinds told since the minute began, and how many messages of each were not.
    told: BTreeMap<Remark, u64>,
    began_unix_ms: i64,
}

impl Remarks {
    /// Remarks something about a message of the batch that is at work.
    pub fn note(&mut self, remark: Remark, about: impl FnOnce() -> String) {
        let is_room = self.fresh.len() < MOST_KINDS || self.fresh.contains_key(&remark);
        let remark = if is_room { remark } else { Remark::Others };
        self.fresh.entry(remark).or_insert_with(|| (0, about())).0 += 1;
    }

    /// Forgets what was remarked of a batch that was not kept: it comes again.
    pub fn undo(&mut self) {
        self.fresh.clear();
    }

    /// The lines that are due once a batch is kept, and now and then. A clock that was set back ends the minute, too.
    pub fn due(&mut self, now_unix_ms: i64) -> Vec<Line> {
        let mut lines = Vec::new();
        let minute = self.began_unix_ms..self.began_unix_ms.saturating_add(MINUTE_MS);
        if !minute.contains(&now_unix_ms) {
            let told = std::mem::take(&mut self.told).into_iter().filter(|(_, more)| *more > 0);
            lines.extend(told.map(|(remark, messages)| Line { remark, messages, about: None }));
            self.began_unix_ms = now_unix_ms;
        }
        for (remark, (messages, about)) in std::mem::take(&mut self.fresh) {
            let is_room = self.told.len() < MOST_KINDS || self.told.contains_key(&remark);
            let remark = if is_room { remark } else { Remark::Others };
            if let Some(more) = self.told.get_mut(&remark) {
                *more += messages;
            } else {
                self.told.insert(remark, 0);
                lines.push(Line { remark, messages, about: Some(about) });
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(gateway: u32) -> Remark {
        Remark::Waits(GatewayId::new(&format!("gw-{gateway}")).unwrap())
    }

    #[test]
    fn a_flood_is_two_lines_a_minute_and_no_message_of_it_is_missing_in_their_numbers() {
        let mut remarks = Remarks::default();
        let mut lines = Vec::new();
        for batch in 0..400 {
            for _ in 0..250 {
                remarks.note(waits(1), || format!("batch {batch}"));
            }
            lines.extend(remarks.due(5_000 + batch * 100));
        }
        assert_eq!(lines, [Line { remark: waits(1), messages: 250, about: Some("batch 0".into()) }]);
        lines.extend(remarks.due(5_000 + MINUTE_MS));
        assert_eq!(lines[1], Line { remark: waits(1), messages: 99_750, about: None });
        assert!(remarks.due(5_000 + 2 * MINUTE_MS).is_empty(), "nothing more is nothing to tell");
        remarks.note(waits(1), || "later".into());
        assert_eq!(remarks.due(5_000 + 2 * MINUTE_MS + 1)[0].about.as_deref(), Some("later"));
    }

    #[test]
    fn a_kind_that_is_new_is_told_at_once_beside_a_flood_of_another() {
        let mut remarks = Remarks::default();
        remarks.note(waits(1), String::new);
        assert_eq!(remarks.due(5_000).len(), 1);
        remarks.note(waits(1), String::new);
        remarks.note(waits(2), || "the second".into());
        let lines = remarks.due(5_001);
        assert_eq!(lines, [Line { remark: waits(2), messages: 1, about: Some("the second".into()) }]);
    }

    #[test]
    fn however_many_kinds_there_are_a_minute_has_few_lines() {
        let mut remarks = Remarks::default();
        let (mut lines, mut noted) = (Vec::new(), 0);
        for batch in 0..50 {
            for gateway in 0..100 {
                remarks.note(waits(batch * 100 + gateway), String::new);
                noted += 1;
            }
            lines.extend(remarks.due(5_000));
        }
        assert!(lines.len() <= MOST_KINDS + 1, "{}", lines.len());
        lines.extend(remarks.due(5_000 + MINUTE_MS));
        assert!(lines.len() <= 2 * (MOST_KINDS + 1), "{}", lines.len());
        assert_eq!(lines.iter().map(|line| line.messages).sum::<u64>(), noted);
    }

    #[test]
    fn what_is_undone_is_not_told_and_a_clock_that_was_set_back_keeps_nothing_back() {
        let mut remarks = Remarks::default();
        remarks.note(waits(1), String::new);
        remarks.undo();
        assert!(remarks.due(9_000_000).is_empty());
        for _ in 0..2 {
            remarks.note(waits(1), String::new);
            remarks.due(9_000_000);
        }
        let told = Line { remark: waits(1), messages: 1, about: None };
        assert_eq!(remarks.due(5_000), [told]);
    }
}
