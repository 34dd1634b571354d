//! The scribe's thread: group commit, then the cursor moves. Nobody else touches the chain, the key or the journal.

use tokio::sync::{mpsc, oneshot, watch};

use super::outbox::Want;
use crate::{
    evidence::{Body, JournalFault, Scribe},
    terms::Stamp,
};

/// Most entries handled in one commit.
pub const GROUP: usize = 100;
/// Entries that may wait for the scribe.
pub const CHANNEL: usize = 1_024;

/// A record found for the uplink.
#[derive(Debug)]
pub struct Found {
    /// Its place.
    pub seq: u64,
    /// The bytes that travel.
    pub bytes: Vec<u8>,
    /// Whether no later record has its type and subject.
    pub is_newest: bool,
}

/// All that may be asked of the journal's owner.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "entries pass through a bounded channel by value: no allocation a record"
)]
pub enum Entry {
    /// Say this.
    Write(Stamp, Body),
    /// Note up to where the broker has accepted everything.
    Accepted(u64),
    /// Read one record back.
    Read {
        /// Which.
        want: Want,
        /// Where the answer goes.
        reply: oneshot::Sender<Option<Found>>,
    },
    /// Read the newest record of each type and subject.
    Newest {
        /// Where they go, and how many records the log has by then.
        reply: oneshot::Sender<(Vec<Vec<u8>>, u64)>,
    },
}

/// A question that is answered after the commit.
enum Question {
    One(Want, oneshot::Sender<Option<Found>>),
    Newest(oneshot::Sender<(Vec<Vec<u8>>, u64)>),
}

/// Writes until every sender is gone. `durable` tells how many records the log has that survive a power cut.
///
/// # Errors
/// The journal failed; nothing that was not durable has been told to anybody.
pub fn run(
    mut scribe: Scribe,
    mut entries: mpsc::Receiver<Entry>,
    durable: &watch::Sender<u64>,
) -> Result<(), JournalFault> {
    while let Some(first) = entries.blocking_recv() {
        let mut asked = Vec::new();
        let mut next = Some(first);
        let mut group = 0;
        while let Some(entry) = next.take() {
            match entry {
                Entry::Write(at, mut body) => {
                    if let Body::Checkpoint(checkpoint) = &mut body {
                        checkpoint.entries = scribe.next_seq();
                    }
                    scribe.write(&at, &body)?;
                }
                Entry::Accepted(seq) => scribe.journal().set_accepted(seq)?,
                Entry::Read { want, reply } => asked.push(Question::One(want, reply)),
                Entry::Newest { reply } => asked.push(Question::Newest(reply)),
            }
            group += 1;
            if group < GROUP {
                next = entries.try_recv().ok();
            }
        }
        let records = scribe.commit()?;
        durable.send_if_modified(|known| std::mem::replace(known, records) != records);
        // Only after the commit: a reader must never see, and so never publish, what is not durable.
        for question in asked {
            // Whoever asked may have gone meanwhile.
            match question {
                Question::One(want, reply) => drop(reply.send(find(&mut scribe, want)?)),
                Question::Newest(reply) => drop(reply.send((newest(&mut scribe)?, records))),
            }
        }
    }
    Ok(())
}

fn newest(scribe: &mut Scribe) -> Result<Vec<Vec<u8>>, JournalFault> {
    let mut all = Vec::new();
    scribe.journal().newest(&mut |_seq, _class, bytes| {
        all.push(bytes.to_vec());
        true
    })?;
    Ok(all)
}

fn find(scribe: &mut Scribe, want: Want) -> Result<Option<Found>, JournalFault> {
    let mut found = None;
    scribe.journal().read(want.from, want.least, &mut |seq, _class, bytes| {
        found = Some((seq, bytes.to_vec()));
        false
    })?;
    let Some((seq, bytes)) = found else { return Ok(None) };
    Ok(Some(Found { seq, bytes, is_newest: scribe.journal().is_newest(seq)? }))
}
