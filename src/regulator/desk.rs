//! The thread that owns the collector and waits for its database, so that nobody else has to.

use tokio::sync::mpsc;

use super::{
    alarms::Numbers,
    collector::{Collector, Outgoing, Tally},
    store::Answered,
};
use crate::{
    host::{
        courier::Delivery,
        exit::{Exit, Failure},
        keys,
    },
    terms::LegalDay,
};

/// A message as it came.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) bytes: Vec<u8>,
    /// What the broker waits for.
    pub(super) delivery: Option<Delivery>,
}

/// Something to do; whatever fails may be done again.
#[derive(Debug)]
pub(super) enum Job {
    /// Keep what came until then.
    Take(Vec<Message>, i64),
    /// Look for admissions and alarms, and give the receipts that are due: at most so many. Whether the broker is there, and
    /// the topics of notifications it has taken.
    Round(i64, usize, bool, Vec<String>),
    /// Every log is to be receipted anew.
    Connected,
}

/// What became of a job.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    pub(super) outgoing: Vec<Outgoing>,
    /// How often a batch was done again for another collector's sake, ever.
    pub(super) conflicts: u64,
    /// Bytes of messages that wait for a key.
    pub(super) held_bytes: usize,
    /// Logs of which records wait though no missing place can be named; told by rounds.
    pub(super) stuck_logs: Option<usize>,
    /// The day of the newest head of heads, if it lies ahead.
    pub(super) heads_ahead: Option<LegalDay>,
    /// How alarms stand; told by rounds.
    pub(super) alarms: Option<Numbers>,
}

/// The two ends towards the thread. One job at a time.
pub(super) struct Desk {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) done: mpsc::Receiver<(Job, Answered<Outcome>)>,
}

/// Hires the thread. It ends when the desk goes, after the job it is at.
pub(super) fn hire(mut collector: Collector) -> Result<Desk, Failure> {
    let (jobs, mut asked) = mpsc::channel(1);
    let (tell, done) = mpsc::channel(1);
    let work = move || {
        while let Some(job) = asked.blocking_recv() {
            let outcome = work(&mut collector, &job);
            if tell.blocking_send((job, outcome)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("store".into())
        .spawn(work)
        .map_err(|e| Failure::new(Exit::Bug, format!("no thread for the store: {e}")))?;
    Ok(Desk { jobs, done })
}

fn work(collector: &mut Collector, job: &Job) -> Answered<Outcome> {
    let mut outcome = Outcome::default();
    match job {
        Job::Take(messages, now_unix_ms) => {
            let messages: Vec<(&str, &[u8])> =
                messages.iter().map(|message| (message.topic.as_str(), message.bytes.as_slice())).collect();
            outcome.tally = collector.take(&messages, *now_unix_ms)?;
        }
        Job::Round(now_unix_ms, most, hears, published) => {
            collector.remark(*now_unix_ms);
            outcome.tally = collector.look_up(*now_unix_ms)?;
            outcome.tally.found.add(collector.look_through(*now_unix_ms)?);
            collector.add_up(*now_unix_ms)?;
            collector.published(published);
            collector.alarm_round(*hears, *now_unix_ms)?;
            outcome.alarms = Some(collector.alarm_numbers());
            outcome.outgoing.extend(collector.head_of_heads(*now_unix_ms)?);
            outcome.outgoing.extend(collector.receipts_within(*most, *now_unix_ms, keys::entropy::<16>)?);
            outcome.outgoing.extend(collector.told());
            outcome.stuck_logs = Some(collector.stuck_logs());
        }
        Job::Connected => collector.on_connected()?,
    }
    outcome.heads_ahead = collector.heads_ahead();
    (outcome.conflicts, outcome.held_bytes) = (collector.conflicts(), collector.held_bytes());
    Ok(outcome)
}
