//! What is seen of a fleet from outside: who is connected, what was sent and receipted; storms and how long they take to
//! pass; the summary.

use std::sync::{Arc, atomic::Ordering};

use coldhearth::host::{Exit, Failure, out};
use tokio::task::{JoinError, JoinSet};

use super::{gateway::Shown, time::PlantTime};

/// Time between two looks, in milliseconds of life.
const LOOK_MS: u64 = 100;
/// Looks between two lines on the screen.
const LOOKS_A_LINE: u64 = 50;
/// A storm is a fall of those connected below this share, in percent.
const STORM_PERCENT: u64 = 50;
/// Before so many were once connected, in percent, nobody can be missed.
const THERE_PERCENT: u64 = 95;
/// Failures of gateways that are shown.
const SHOWN: usize = 5;

/// The one who looks on.
pub(super) struct Sight {
    /// What each gateway shows.
    pub shown: Vec<Arc<Shown>>,
    storm_since_ms: Option<u64>,
    was_there: bool,
    storms: Vec<Storm>,
    failures: Vec<String>,
    looks: u64,
    resident_kib: u64,
}

/// A storm that passed: when too few were connected, and when everybody was back, in milliseconds of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// When less than half was connected.
    pub from_ms: u64,
    /// When everybody was.
    pub to_ms: u64,
}

/// What became of a fleet.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Records in all logs.
    pub records: u64,
    /// Records that left, as often as they did.
    pub published: u64,
    /// Records that left because a receipt missed them.
    pub asked_again: u64,
    /// Records that declare others dropped.
    pub gaps: u64,
    /// Records that nobody has receipted.
    pub unreceipted: u64,
    /// Storms that passed.
    pub storms: Vec<Storm>,
    /// What failed: a gateway whose receipted records went missing, or a defect.
    pub failures: Vec<String>,
    /// Resident memory of the process for each gateway, in KiB.
    pub kib_each: u64,
}

impl Report {
    /// Records that left more than once.
    pub fn resent(&self) -> u64 {
        self.published.saturating_sub(self.records)
    }

    /// Whether everything is receipted and nothing that was receipted is missing.
    pub fn holds(&self) -> bool {
        self.unreceipted == 0 && self.failures.is_empty()
    }
}

#[derive(Default)]
struct Sum {
    records: u64,
    unreceipted: u64,
    connected: u64,
    in_place: u64,
    overtaking: u64,
    again: u64,
    gaps: u64,
}

impl Sight {
    pub(super) fn new() -> Sight {
        Sight {
            shown: Vec::new(),
            storm_since_ms: None,
            was_there: false,
            storms: Vec::new(),
            failures: Vec::new(),
            looks: 0,
            resident_kib: 0,
        }
    }

    /// Looks on until a moment, until it is enough, or until every gateway has ended.
    pub(super) async fn until(
        &mut self,
        time: &PlantTime,
        end_ms: u64,
        gateways: &mut JoinSet<Result<(), Failure>>,
        is_enough: impl Fn(&Sight) -> bool,
    ) {
        loop {
            let now_ms = time.elapsed_ms();
            self.look(now_ms);
            if now_ms >= end_ms || is_enough(self) {
                return;
            }
            let next = time.until_elapsed((now_ms + LOOK_MS).min(end_ms));
            tokio::pin!(next);
            loop {
                tokio::select! {
                    () = &mut next => break,
                    ended = gateways.join_next() => match ended {
                        Some(ended) => self.on_end(ended),
                        None => return,
                    },
                }
            }
        }
    }

    fn on_end(&mut self, ended: Result<Result<(), Failure>, JoinError>) {
        let failure = match ended {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(e) => Failure::new(Exit::Bug, format!("a simulated gateway ended badly: {e}")),
        };
        if self.failures.len() < SHOWN {
            say(&format!("FAILED: {}", failure.message));
        }
        self.failures.push(failure.message);
    }

    fn look(&mut self, now_ms: u64) {
        let (sum, all) = (self.sum(), self.shown.len() as u64);
        let few = sum.connected * 100 < all * STORM_PERCENT;
        let everybody = sum.connected == all;
        self.was_there |= sum.connected * 100 >= all * THERE_PERCENT;
        if few && self.was_there && self.storm_since_ms.is_none() {
            say(&format!("{} s: a storm, {} of {all} connected", seconds(now_ms), sum.connected));
            self.storm_since_ms = Some(now_ms);
        }
        if everybody && let Some(from_ms) = self.storm_since_ms.take() {
            say(&format!("{} s: all {all} are back after {} s", seconds(now_ms), seconds(now_ms - from_ms)));
            self.storms.push(Storm { from_ms, to_ms: now_ms });
        }
        if self.looks.is_multiple_of(LOOKS_A_LINE) {
            say(&format!(
                "{} s: {} of {all} connected, {} records, {} unreceipted, {} sent again",
                seconds(now_ms),
                sum.connected,
                sum.records,
                sum.unreceipted,
                sum.resent()
            ));
        }
        self.looks += 1;
    }

    /// Whether everything is receipted.
    pub(super) fn is_settled(&self) -> bool {
        self.sum().unreceipted == 0
    }

    /// Takes note of how much memory the process has, while everybody is there.
    pub(super) fn note_memory(&mut self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        self.resident_kib = resident.and_then(|kib| kib.parse().ok()).unwrap_or(0);
    }

    fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for shown in &self.shown {
            let get = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
            sum.records += get(&shown.records);
            sum.unreceipted += get(&shown.unreceipted);
            sum.gaps += get(&shown.gaps);
            sum.connected += u64::from(shown.traffic.is_there.load(Ordering::Relaxed));
            sum.in_place += get(&shown.traffic.in_place);
            sum.overtaking += get(&shown.traffic.overtaking);
            sum.again += get(&shown.traffic.again);
        }
        sum
    }

    /// Says what became of everything, and tells it.
    pub(super) fn report(&self) -> Report {
        let (sum, all) = (self.sum(), self.shown.len() as u64);
        for Storm { from_ms, to_ms } in &self.storms {
            say(&format!("storm at {} s: all back after {} s", seconds(*from_ms), seconds(to_ms - from_ms)));
        }
        if let Some(from_ms) = self.storm_since_ms {
            say(&format!("storm at {} s: NOT everybody came back", seconds(from_ms)));
        }
        let report = Report {
            records: sum.records,
            published: sum.in_place + sum.overtaking + sum.again,
            asked_again: sum.again,
            gaps: sum.gaps,
            unreceipted: sum.unreceipted,
            storms: self.storms.clone(),
            failures: self.failures.clone(),
            kib_each: self.resident_kib / all.max(1),
        };
        say(&format!("memory: {} KiB a gateway", report.kib_each));
        say(&format!(
            "gateways={all} records={} published={} resent={} asked_again={} gaps={} unreceipted={} lost={}",
            report.records,
            report.published,
            report.resent(),
            report.asked_again,
            report.gaps,
            report.unreceipted,
            report.failures.len(),
        ));
        say(if report.holds() {
            "every record is receipted, and nothing that was receipted is missing"
        } else {
            "NOT everything is receipted, or something that was is missing"
        });
        report
    }
}

impl Sum {
    /// What left more than once.
    fn resent(&self) -> u64 {
        (self.in_place + self.overtaking + self.again).saturating_sub(self.records)
    }
}

/// Seconds with one decimal.
fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1_000, ms % 1_000 / 100)
}

fn say(line: &str) {
    crate::demo::write_line(&mut out::out(), line);
}
