//! PURE file: how a collector is, in numbers and in reasons. What it is asked for is answered from the copy that the
//! serving loop left last, so that whoever asks never holds it up.

use serde_json::{Value, json};

use super::{
    alarms::Numbers,
    collector::Tally,
    lineage::Found,
    share::{
        Shown,
        canary::{E_BRK_SHARE, Verdict, Why},
    },
};
use crate::{
    host::{courier::Refused, exposition::Exposition, worry::Worry},
    terms::LegalDay,
};

/// How long the serving loop may not turn before it counts as stuck, in milliseconds: it turns at least once a second
/// unless it waits for its store.
pub const STUCK_MS: u64 = 10_000;
/// How long the store may think about one batch before it counts as silent, in milliseconds.
pub const SILENT_MS: u64 = 10_000;

/// How long health names a packet that was too large, in milliseconds: what the broker had kept besides is asked for again
/// meanwhile, and whoever looks once in a while is told.
pub const TOO_LARGE_TOLD_MS: u64 = 10 * 60 * 1_000;

/// How the broker stands to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// It was never reached.
    #[default]
    Untried,
    /// It is lost, or refuses us: why, for a person.
    Lost(&'static str),
    /// It is there, and has not granted everything subscribed to.
    Greeted,
    /// It is there, and everything subscribed to is granted.
    Open,
}

/// A collector as it is; counts are since its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vitals {
    /// What became of messages.
    pub kept: Tally,
    /// Messages on topics that are none of ours.
    pub strange_topics: u64,
    /// Messages that came while the hands were full.
    pub passed_over: u64,
    /// The broker.
    pub line: Line,
    /// Times it was lost.
    pub broker_lost: u64,
    /// Times that was for a packet too large to be taken.
    pub too_large: u64,
    /// When it last was, uptime in milliseconds.
    pub too_large_ms: Option<u64>,
    /// Times the store went away.
    pub store_lost: u64,
    /// Times it was asked again.
    pub store_retries: u64,
    /// Batches done again because another collector had one of their logs meanwhile.
    pub store_conflicts: u64,
    /// Since when the store is away, uptime in milliseconds; the log says why.
    pub store_away_since_ms: Option<u64>,
    /// Whether it has no room left.
    pub store_full: bool,
    /// Since when the store is at something, uptime in milliseconds.
    pub store_busy_since_ms: Option<u64>,
    /// Messages in hand, and the most there may be.
    pub waiting: (u64, u64),
    /// Their size in bytes, and the most it may be.
    pub waiting_bytes: (u64, u64),
    /// Bytes of messages that wait for a key, and the most that may.
    pub held_bytes: (u64, u64),
    /// Logs of which records wait though no missing place can be named.
    pub stuck_logs: u64,
    /// The day of the newest head of heads, if it lies ahead.
    pub heads_ahead: Option<LegalDay>,
    /// Receipts that wait to be sent, and the most that may.
    pub receipts_waiting: (u64, u64),
    /// Receipts that await the broker's acceptance.
    pub receipts_in_flight: u64,
    /// Receipts handed to the broker.
    pub receipts_sent: u64,
    /// Our place in a group of collectors, where there is one.
    pub share: Option<Shown>,
    /// How alarms stand.
    pub alarms: Numbers,
    /// Whether the wall clock was ever set.
    pub clock_set: bool,
    /// Whether a reload was refused: what is written is not what is in force.
    pub file_refused: bool,
    /// How often somebody was not let into the console.
    pub turned_away: u64,
    /// When the serving loop turned last, uptime in milliseconds.
    pub turned_ms: u64,
}

/// Why a collector is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailment {
    /// In a word.
    pub code: &'static str,
    /// In a sentence.
    pub text: String,
}

impl Vitals {
    /// Everything that keeps records from being kept and receipted now, or alarms from being told. None: it is well.
    pub fn ailments(&self, now_ms: u64) -> Vec<Ailment> {
        let mut all = Vec::new();
        let mut ails = |code, text: String| all.push(Ailment { code, text });
        match self.line {
            Line::Untried => ails("broker_away", "the broker was not reached yet".to_owned()),
            Line::Lost(why) => ails("broker_away", why.to_owned()),
            Line::Greeted => ails("not_subscribed", "the broker has not granted the subscription".to_owned()),
            Line::Open => {}
        }
        if self.file_refused {
            ails("file_refused", Worry::FileRefused.words().en.to_owned());
        }
        if self.too_large_ms.is_some_and(|at_ms| now_ms.saturating_sub(at_ms) < TOO_LARGE_TOLD_MS) {
            ails("packet_too_large", Refused::TooLarge.text().to_owned());
        }
        if let Some(unlike) = self.share.and_then(|share| share.unlike) {
            ails("share_unlike", unlike.text().to_owned());
        }
        if let Some(share) = self.share.filter(|_| self.line == Line::Open) {
            sharing(&share, &mut ails);
        }
        if let Some(since_ms) = self.store_away_since_ms {
            let seconds = now_ms.saturating_sub(since_ms) / 1_000;
            let (code, what) = if self.store_full {
                ("store_full", "no room in the store")
            } else {
                ("store_away", "no answer of the store")
            };
            ails(code, format!("{what} for {seconds} s, and nothing is acknowledged; the log says where"));
        } else if let Some(since_ms) = self.store_busy_since_ms
            && now_ms.saturating_sub(since_ms) >= SILENT_MS
        {
            let seconds = now_ms.saturating_sub(since_ms) / 1_000;
            ails("store_silent", format!("the store has been at one batch for {seconds} s"));
        }
        let ((waiting, most), (bytes, most_bytes)) = (self.waiting, self.waiting_bytes);
        if waiting >= most || bytes >= most_bytes {
            ails(
                "hands_full",
                format!("{waiting} messages of {bytes} bytes wait for the store; the broker keeps the rest"),
            );
        }
        self.history(&mut ails);
        self.telling(&mut ails);
        if !self.clock_set {
            ails("clock_unset", "the clock was never set: receipts would tell a wrong time".to_owned());
        }
        let still_ms = now_ms.saturating_sub(self.turned_ms);
        if still_ms >= STUCK_MS {
            ails(
                "stuck",
                format!("nothing has been done for {} s: a defect, please report it", still_ms / 1_000),
            );
        }
        all
    }

    /// What is wrong with what is told of alarms.
    fn telling(&self, ails: &mut impl FnMut(&'static str, String)) {
        let refused = self.alarms.refused;
        if refused > 0 {
            ails(
                "notifications_untaken",
                format!(
                    "{refused} notifications of alarms were not taken and are told again; the log says by whom"
                ),
            );
        }
    }

    /// What is wrong with what is kept.
    fn history(&self, ails: &mut impl FnMut(&'static str, String)) {
        if self.stuck_logs > 0 {
            let logs = self.stuck_logs;
            ails(
                "logs_stuck",
                format!(
                    "records of {logs} logs wait and name a past that the store does not have: it was pruned, or the store \
                     is an older copy; `coldhearth-regulator store verify` names the logs, their gateways can begin new ones"
                ),
            );
        }
        if let Some(day) = self.heads_ahead {
            ails(
                "heads_ahead",
                format!(
                    "the newest head of heads is of {day}, which has not ended: the clock was once set ahead; no other is made \
                     before that day is over"
                ),
            );
        }
    }

    /// Health as JSON: well only if there is no reason not to be.
    pub fn health(&self, now_ms: u64) -> (bool, Value) {
        let ailments = self.ailments(now_ms);
        let reasons: Vec<Value> =
            ailments.iter().map(|ailment| json!({ "code": ailment.code, "text": ailment.text })).collect();
        (ailments.is_empty(), json!({ "healthy": ailments.is_empty(), "reasons": reasons }))
    }

    /// Everything in the text format of Prometheus, version 0.0.4.
    pub fn exposition(&self, now_ms: u64) -> String {
        let mut page = Exposition::default();
        // What was refused is counted by its reasons.
        let Tally { records, again, unknown, forks, lost, ahead, let_go, astray, refusals, found, .. } =
            self.kept;
        page.gauge("build_info", "Which version this is", &[(&[("version", env!("CARGO_PKG_VERSION"))], 1)]);
        page.gauge(
            "healthy",
            "1 while nothing keeps records from being kept and receipted, or alarms from being told",
            &[(&[], u64::from(self.ailments(now_ms).is_empty()))],
        );
        page.counter("records_total", "Records that were new, believed and kept", &[(&[], records)]);
        page.counter("messages_again_total", "Messages whose record was kept before", &[(&[], again)]);
        let help = "Messages that were not believed, by reason";
        page.counter_by("messages_refused_total", help, "reason", refusals.iter());
        let help = "Messages of gateways nobody admitted, or whose key is not certified yet";
        page.counter("messages_unknown_total", help, &[(&[], unknown)]);
        let help = "Of these, messages that had waited for their key and were let go: too many waited";
        page.counter("messages_let_go_total", help, &[(&[], let_go)]);
        let help = "Of these, messages let go at once: they stood on another gateway's topic";
        page.counter("messages_astray_total", help, &[(&[], astray)]);
        let help = "Messages on topics that are none of ours";
        page.counter("messages_strange_topic_total", help, &[(&[], self.strange_topics)]);
        let help = "Messages that came while the hands were full; what the broker keeps it brings again";
        page.counter("messages_passed_over_total", help, &[(&[], self.passed_over)]);
        let help = "Passwords at the console that let nobody in, or were not looked at";
        page.counter("logins_refused_total", help, &[(&[], self.turned_away)]);
        page.counter("forks_total", "Two signed histories of one log", &[(&[], forks)]);
        lineage(found, &mut page);
        page.counter(
            "records_lost_by_gateways_total",
            "Places that gateways lost and that are kept here",
            &[(&[], lost)],
        );
        let help = "Records believed and let go, so far ahead of what is known that they are asked for again";
        page.counter("records_ahead_total", help, &[(&[], ahead)]);
        self.broker(&mut page);
        page.gauge(
            "store_away",
            "1 while the store does not answer",
            &[(&[], u64::from(self.store_away_since_ms.is_some()))],
        );
        let full = u64::from(self.store_full);
        page.gauge("store_full", "1 while the store has no room left", &[(&[], full)]);
        page.counter("store_lost_total", "Times the store went away", &[(&[], self.store_lost)]);
        page.counter(
            "store_retries_total",
            "Times a store that was away was asked again",
            &[(&[], self.store_retries)],
        );
        let help = "Batches done again because another collector had one of their logs meanwhile";
        page.counter("store_conflicts_total", help, &[(&[], self.store_conflicts)]);
        self.queues(&mut page);
        if let Some(share) = &self.share {
            shared(share, &mut page);
        }
        self.alarms.expose(&mut page);
        page.counter("receipts_sent_total", "Receipts handed to the broker", &[(&[], self.receipts_sent)]);
        page.into_text()
    }

    fn broker(&self, page: &mut Exposition) {
        page.gauge(
            "broker_connected",
            "1 while the broker is there and has granted the subscription",
            &[(&[], u64::from(self.line == Line::Open))],
        );
        page.counter("broker_lost_total", "Times the broker was lost", &[(&[], self.broker_lost)]);
        let help = "Times that was for a packet too large to be taken";
        page.counter("broker_packets_too_large_total", help, &[(&[], self.too_large)]);
    }

    fn queues(&self, page: &mut Exposition) {
        let messages = [("queue", "messages")];
        let bytes = [("queue", "message_bytes")];
        let held = [("queue", "keyless_bytes")];
        let (waiting, in_flight) = ([("queue", "receipts_waiting")], [("queue", "receipts_in_flight")]);
        let filled: [(&[_], u64); 5] = [
            (&messages, self.waiting.0),
            (&bytes, self.waiting_bytes.0),
            (&held, self.held_bytes.0),
            (&waiting, self.receipts_waiting.0),
            (&in_flight, self.receipts_in_flight),
        ];
        page.gauge("queue", "How much is in each queue", &filled);
        let limits: [(&[_], u64); 4] = [
            (&messages, self.waiting.1),
            (&bytes, self.waiting_bytes.1),
            (&held, self.held_bytes.1),
            (&waiting, self.receipts_waiting.1),
        ];
        page.gauge("queue_limit", "How much each bounded queue may hold", &limits);
    }
}

/// What is found across plants.
fn lineage(found: Found, page: &mut Exposition) {
    let help = "Pairs of records that do not go together, by kind";
    page.counter_by("findings_total", help, "kind", found.by_kind());
    let help = "Findings that a paper excuses: found so, or excused when it came";
    page.counter("findings_excused_total", help, &[(&[], found.excused)]);
    let help = "What records mention of machines and meters beyond what is compared of one gateway or number";
    page.counter("mentions_dropped_total", help, &[(&[], found.dropped)]);
}

/// What keeps a group from leaving it to its broker to divide the work.
fn sharing(share: &Shown, ails: &mut impl FnMut(&'static str, String)) {
    match share.verdict {
        Verdict::Unproven => ails(
            "share_unproven",
            "no canary has proved yet that the broker shares records among the group".to_owned(),
        ),
        Verdict::Proven => {}
        Verdict::Broken(why) => ails(E_BRK_SHARE, format!("{}；{}", why.words().en, why.words().zh)),
    }
    if !share.hears {
        ails("not_subscribed", "the broker has not granted this member's part".to_owned());
    }
}

fn shared(share: &Shown, page: &mut Exposition) {
    let Shown { verdict, parts, present, canaries, fallbacks, .. } = *share;
    let proven = u64::from(verdict == Verdict::Proven);
    page.gauge("share_proven", "1 while canaries prove that the broker shares", &[(&[], proven)]);
    let labels = Why::ALL.map(|why| [("code", E_BRK_SHARE), ("why", why.word())]);
    let broken = Why::ALL.map(|why| u64::from(verdict == Verdict::Broken(why)));
    let samples: Vec<(&[(&str, &str)], u64)> = labels.iter().map(|labels| &labels[..]).zip(broken).collect();
    page.gauge("share_broken", "1 while the broker does not share, by what it does instead", &samples);
    let help = "Times the broker was found not to share";
    page.counter("share_fallbacks_total", help, &[(&[], fallbacks)]);
    page.gauge("share_parts", "Parts of a hundred heard by division codes", &[(&[], parts)]);
    page.gauge("share_members_present", "Members of the group that are there", &[(&[], present.0)]);
    page.gauge("share_members", "Members that the group should have", &[(&[], present.1)]);
    page.counter("share_canaries_total", "Canaries sent", &[(&[], canaries.0)]);
    let help = "Canaries that exactly one member heard";
    page.counter("share_canaries_heard_total", help, &[(&[], canaries.1)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{Refusal, canonical::Malformed},
        regulator::{
            refusals::{REASONS, Refusals},
            share::presence::Unlike,
        },
    };

    fn well() -> Vitals {
        Vitals {
            line: Line::Open,
            clock_set: true,
            turned_ms: 1_000_000,
            waiting: (0, 10),
            waiting_bytes: (0, 1_000),
            ..Vitals::default()
        }
    }

    const SHARES: Shown = Shown {
        verdict: Verdict::Proven,
        hears: true,
        parts: 0,
        present: (3, 3),
        canaries: (9, 7),
        fallbacks: 0,
        unlike: None,
    };

    fn shares(share: Shown) -> Vitals {
        Vitals { share: Some(share), ..well() }
    }

    fn codes(vitals: &Vitals) -> Vec<&'static str> {
        vitals.ailments(1_000_500).into_iter().map(|ailment| ailment.code).collect()
    }

    #[test]
    fn it_is_well_only_without_a_reason_not_to_be() {
        assert_eq!(codes(&well()), [""; 0]);
        assert_eq!(well().health(1_000_500), (true, json!({ "healthy": true, "reasons": [] })));
        let ill = [
            (Vitals { line: Line::Untried, ..well() }, "broker_away"),
            (Vitals { line: Line::Lost("gone"), ..well() }, "broker_away"),
            (Vitals { too_large_ms: Some(999_000), ..well() }, "packet_too_large"),
            (Vitals { file_refused: true, ..well() }, "file_refused"),
            (Vitals { line: Line::Greeted, ..well() }, "not_subscribed"),
            (Vitals { store_away_since_ms: Some(0), ..well() }, "store_away"),
            (Vitals { store_away_since_ms: Some(0), store_full: true, ..well() }, "store_full"),
            (Vitals { store_busy_since_ms: Some(0), ..well() }, "store_silent"),
            (Vitals { waiting: (10, 10), ..well() }, "hands_full"),
            (Vitals { heads_ahead: LegalDay::parse("2099-01-01"), ..well() }, "heads_ahead"),
            (Vitals { stuck_logs: 1, ..well() }, "logs_stuck"),
            (Vitals { waiting_bytes: (1_001, 1_000), ..well() }, "hands_full"),
            (Vitals { clock_set: false, ..well() }, "clock_unset"),
            (Vitals { turned_ms: 0, ..well() }, "stuck"),
            (shares(Shown { verdict: Verdict::Unproven, ..SHARES }), "share_unproven"),
            (shares(Shown { hears: false, ..SHARES }), "not_subscribed"),
            (shares(Shown { unlike: Some(Unlike::Number), ..SHARES }), "share_unlike"),
            (shares(Shown { unlike: Some(Unlike::Division), ..SHARES }), "share_unlike"),
            (shares(Shown { unlike: Some(Unlike::Key), ..SHARES }), "share_unlike"),
        ];
        for (vitals, code) in ill {
            assert_eq!(codes(&vitals), [code]);
            assert!(!vitals.health(1_000_500).0);
            assert!(vitals.exposition(1_000_500).contains("coldhearth_healthy 0\n"));
        }
        for why in Why::ALL {
            let vitals = shares(Shown { verdict: Verdict::Broken(why), parts: 34, ..SHARES });
            let ailments = vitals.ailments(1_000_500);
            assert_eq!(codes(&vitals), [E_BRK_SHARE]);
            let words = why.words();
            assert!(ailments.iter().all(|it| it.text.contains(words.en) && it.text.contains(words.zh)));
            let page = vitals.exposition(1_000_500);
            let told = format!("coldhearth_share_broken{{code=\"E-BRK-SHARE\",why=\"{}\"}} 1\n", why.word());
            assert!(page.contains(&told) && page.contains("coldhearth_share_parts 34\n"), "{page}");
        }
        assert_eq!(codes(&shares(SHARES)), [""; 0]);
        let lost = Vitals { line: Line::Lost("gone"), ..shares(Shown { hears: false, ..SHARES }) };
        assert_eq!(codes(&lost), ["broker_away"], "without a broker nothing is to be said of its sharing");
        let both = Vitals { clock_set: false, line: Line::Untried, ..well() };
        assert_eq!(codes(&both).len(), 2, "every reason is told");
    }

    #[test]
    fn every_refusal_has_a_counter_of_its_own() {
        let refusals = [
            Refusal::Malformed(Malformed::TooLong),
            Refusal::Malformed(Malformed::NotAnObject),
            Refusal::Malformed(Malformed::NotCanonical),
            Refusal::Member("x"),
            Refusal::BadSignature,
            Refusal::NotOurs,
            Refusal::WrongEpoch(7),
        ];
        let mut counted = Refusals::default();
        refusals.into_iter().for_each(|refusal| counted.count(refusal));
        assert_eq!(counted.iter().map(|(_, count)| count).sum::<u64>(), 7);
        assert_eq!(counted.iter().filter(|(_, count)| *count == 1).count(), 7);
        let vitals = Vitals { kept: Tally { refusals: counted, ..Tally::default() }, ..well() };
        let text = vitals.exposition(0);
        for reason in REASONS {
            assert!(text.contains(&format!("coldhearth_messages_refused_total{{reason=\"{reason}\"}} ")));
        }
        assert!(text.contains("{reason=\"bad_signature\"} 1\n"), "{text}");
    }
}
