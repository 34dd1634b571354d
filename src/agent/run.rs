//! The agent's life: open, recall, judge until told to stop.

use std::{path::Path, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    bus::{self, Tcp},
    config::{AgentConfig, Bus},
    journal::{DiskJournal, JOURNAL_FILE},
    scribe::{self, Entry},
    uplink::{self, Uplink},
};
use crate::{
    catalogue::plate,
    evidence::{
        Body, Boot, Chain, Checkpoint, Genesis, Journal, JournalFault, LogId, PublicKey, Record, Scribe,
        Signer, recall::Recall, record::Unverified,
    },
    host::{
        Clock, clock, courier,
        exit::{Exit, Failure},
        keys,
    },
    judge::{Fact, Memory, Site},
    metering::{MeterPoint, PlatePoint, Sample, Schedule},
    terms::{Digest, Name},
};

/// Samples that may wait for the judge.
pub const INBOX: usize = 256;
/// Time between two checkpoints, in milliseconds.
pub const CHECKPOINT_MS: u64 = 300_000;
/// How long a nameplate's answer may take, in milliseconds.
const PLATE_TIMEOUT_MS: u32 = 1_000;
/// Name and version, as every genesis and boot states it.
pub const SOFTWARE: &str = concat!("coldhearth ", env!("CARGO_PKG_VERSION"));

/// Everything that reaches the one loop.
#[derive(Debug)]
pub enum Inbox {
    /// A poll came to its end.
    Sample(Sample),
}

/// What stands before the loop begins: keys found, journal opened, memory recalled.
struct Start {
    scribe: Scribe,
    memory: Memory,
    key: PublicKey,
    accepted: u64,
}

/// Runs the agent until `stop` turns true.
///
/// # Errors
/// It cannot start, or the journal failed while it ran.
pub async fn run(
    clock: Arc<dyn Clock>,
    config: AgentConfig,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let _alone = keep_others_out(&config.gateway.state_dir)?;
    let Start { scribe, memory, key, accepted } = start(&*clock, &config)?;
    let (entries, to_scribe) = mpsc::channel(scribe::CHANNEL);
    let (durable, records) = watch::channel(scribe.next_seq());
    let scribe = std::thread::Builder::new()
        .name("scribe".into())
        .spawn(move || scribe::run(scribe, to_scribe, &durable))
        .map_err(|e| Failure::new(Exit::Bug, format!("no thread for the scribe: {e}")))?;
    let (inbox, facts) = mpsc::channel(INBOX);
    let mut tasks = JoinSet::new();
    let mut polls = spawn_buses(&clock, &config, &inbox);
    drop(inbox);
    let (courier, ends) = courier::pair();
    let broker = uplink::broker(&config, &clock.now())?;
    let carrying = clock.clone();
    tasks.spawn(async move { courier::run(&*carrying, broker, ends).await });
    let (judged, link_stop) = watch::channel(false);
    let (link_clock, link_config, link_entries) = (clock.clone(), config.clone(), entries.clone());
    tasks.spawn(async move {
        let uplink = Uplink::new(&*link_clock, &link_config, key, accepted, courier.send, link_entries);
        uplink.run(courier.events, records, link_stop).await;
    });
    tracing::info!(gateway = %config.gateway.id, meters = config.meters.len(), "watching");
    let ended = judge(&*clock, &config, &memory, facts, &entries, stop).await;
    polls.abort_all();
    drop(entries);
    judged.send_replace(true);
    // The uplink says goodbye, which lets the courier end; then nobody holds the scribe's channel.
    while tasks.join_next().await.is_some() {}
    let written = tokio::task::spawn_blocking(move || scribe.join()).await;
    match written {
        Ok(Ok(Ok(()))) => ended,
        Ok(Ok(Err(fault))) => Err(journal_failed(fault)),
        Ok(Err(_)) | Err(_) => Err(Failure::new(Exit::Bug, "the scribe ended badly")),
    }
}

/// The one loop that owns the judge.
async fn judge(
    clock: &dyn Clock,
    config: &AgentConfig,
    memory: &Memory,
    mut facts: mpsc::Receiver<Inbox>,
    entries: &mpsc::Sender<Entry>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let feeders = config.meters.iter().map(|meter| meter.commissioned.clone()).collect();
    let equipment = config.equipment.iter().map(|furnace| furnace.equipment).collect();
    let mut site = Site::new(feeders, equipment, memory);
    let mut said = Vec::new();
    let began = clock.now().uptime_ms;
    let (mut tick_ms, mut checkpoint_ms) = (began, began + CHECKPOINT_MS);
    loop {
        // What was read is heard before time is looked at: silence is judged only when nobody has anything to say.
        let told_to_stop = async { drop(stop.wait_for(|stop| *stop).await) };
        let heard = tokio::select! {
            biased;
            () = told_to_stop => {
                let last_word = Entry::Write(clock.now(), Body::Checkpoint(checkpoint(&site)));
                // The scribe is gone only when it failed, and then its own end tells why.
                let _gone = entries.send(last_word).await;
                return Ok(());
            }
            () = entries.closed() => return Err(Failure::new(Exit::Bug, "the scribe has ended")),
            heard = facts.recv() => match heard {
                Some(heard) => Some(heard),
                None => return Err(Failure::new(Exit::Bug, "every bus has ended")),
            },
            () = clock.sleep_until(tick_ms) => None,
        };
        let now = clock.now();
        let mut say = |finding| said.push(Body::Finding(finding));
        if let Some(Inbox::Sample(sample)) = heard {
            site.on(&now, Fact::Sample(&sample), &mut say);
        }
        // Looked at after what was heard, and however much there is to hear: silence elsewhere must not wait for it.
        if now.uptime_ms >= tick_ms {
            site.on(&now, Fact::Tick, &mut say);
            tick_ms = site.next_due_ms(&now);
        }
        if now.uptime_ms >= checkpoint_ms {
            checkpoint_ms = now.uptime_ms + CHECKPOINT_MS;
            said.push(Body::Checkpoint(checkpoint(&site)));
        }
        for body in said.drain(..) {
            if entries.send(Entry::Write(now, body)).await.is_err() {
                return Err(Failure::new(Exit::Bug, "the scribe has ended"));
            }
        }
    }
}

/// The scribe alone knows how many records there are; it fills that in.
fn checkpoint(site: &Site) -> Checkpoint {
    let reads = site.reads();
    Checkpoint { entries: 0, reads_ok: reads.ok, reads_failed: reads.failed, first_unreceipted_seq: 0 }
}

fn spawn_buses(clock: &Arc<dyn Clock>, config: &AgentConfig, inbox: &mpsc::Sender<Inbox>) -> JoinSet<()> {
    let mut polls = JoinSet::new();
    for (phase, bus) in (0..).zip(&config.buses) {
        let schedule = schedule(config, bus, clock.now().uptime_ms, phase);
        let dial = Tcp { host: bus.host.clone(), port: bus.port };
        let (clock, inbox) = (clock.clone(), inbox.clone());
        polls.spawn(async move { bus::run(&*clock, &dial, schedule, inbox).await });
    }
    polls
}

/// The polls of one bus.
fn schedule(config: &AgentConfig, bus: &Bus, start_ms: u64, phase: u64) -> Schedule {
    let on_bus = |id: Name| id == bus.id;
    let meters = config.meters.iter().filter(|meter| on_bus(meter.bus)).map(|meter| MeterPoint {
        meter: meter.id,
        unit: meter.unit,
        profile: meter.profile.clone(),
        declared: meter.declared,
        period_ms: meter.poll_ms,
        timeout_ms: meter.timeout_ms,
    });
    let plates = config.equipment.iter().filter_map(|furnace| {
        let plate = furnace.plate.filter(|plate| on_bus(plate.bus))?;
        Some(PlatePoint {
            asset: furnace.equipment.id,
            unit: plate.unit,
            at: plate.at,
            header_words: plate::HEADER_WORDS,
            size_of: plate::size_of,
            timeout_ms: PLATE_TIMEOUT_MS,
        })
    });
    Schedule::new(meters.collect(), plates.collect(), start_ms, phase)
}

/// Opens key and journal, recalls what the records tell, and writes `genesis` and `boot`.
fn start(clock: &dyn Clock, config: &AgentConfig) -> Result<Start, Failure> {
    let state = &config.gateway.state_dir;
    let mut journal = DiskJournal::open(&state.join(JOURNAL_FILE))?;
    let is_new = journal.last().map_err(journal_failed)?.is_none();
    let signer = keys::load_or_make(state, is_new)?;
    let key = signer.public_key();
    let (recall, last) = recall(&mut journal, &key, config)?;
    let boot_id = clock::boot_id();
    let rebooted = recall.boot_id() != Some(boot_id.as_str());
    let boot = recall.last().map_or(0, |last| last.boot) + u32::from(rebooted);
    clock.set_boot(boot);
    let accepted = journal.accepted().map_err(journal_failed)?;
    let chain = chain(config, last.as_ref(), signer)?;
    let mut scribe = Scribe::new(chain, Box::new(journal));
    let now = clock.now();
    let mut write = |body| scribe.write(&now, &body).map_err(journal_failed);
    if last.is_none() {
        write(Body::Genesis(genesis(config, key)))?;
    }
    write(Body::Boot(Boot {
        boot_id,
        machine_rebooted: rebooted,
        software: SOFTWARE.to_owned(),
        config: config.digest,
    }))?;
    scribe.commit().map_err(journal_failed)?;
    tracing::info!(key = %key.id(), records = scribe.next_seq(), "journal open");
    Ok(Start { scribe, memory: recall.into_memory(), key, accepted })
}

fn chain(config: &AgentConfig, last: Option<&Record>, signer: Box<dyn Signer>) -> Result<Chain, Failure> {
    let Some(last) = last else {
        let log = LogId(u64::from_be_bytes(keys::entropy()?));
        return Ok(Chain::begin(config.gateway.id, log, signer));
    };
    if last.header.gateway != config.gateway.id {
        let message = format!(
            "the journal in {} belongs to gateway {}, the configuration says {}; correct `gateway.id` or `state_dir`",
            config.gateway.state_dir.display(),
            last.header.gateway,
            config.gateway.id
        );
        return Err(Failure::new(Exit::Config, message));
    }
    Chain::resume(last, signer).ok_or_else(|| Failure::new(Exit::Config, "the journal ends with another key"))
}

fn genesis(config: &AgentConfig, public_key: PublicKey) -> Genesis {
    let mut profiles: Vec<(Name, Digest)> =
        config.meters.iter().map(|m| (m.profile.id, m.profile.digest)).collect();
    profiles.sort();
    profiles.dedup();
    Genesis {
        public_key,
        division: config.gateway.division,
        enterprise: config.gateway.enterprise,
        software: SOFTWARE.to_owned(),
        config: config.digest,
        profiles,
    }
}

/// Reads back what the log tells. Records of this journal must verify under this key, or the witness does not go on.
fn recall(
    journal: &mut DiskJournal,
    key: &PublicKey,
    config: &AgentConfig,
) -> Result<(Recall, Option<Record>), Failure> {
    let mut recall = Recall::default();
    let mut bad = None;
    let mut moved = None;
    journal
        .newest(&mut |seq, _class, bytes| match Unverified::read(bytes).and_then(|u| u.verify(key)) {
            Ok(record) => {
                if let Body::Genesis(genesis) = &record.body
                    && (genesis.division, genesis.enterprise)
                        != (config.gateway.division, config.gateway.enterprise)
                {
                    moved = Some((genesis.division, genesis.enterprise));
                }
                recall.on(&record);
                true
            }
            Err(refusal) => {
                bad = Some((seq, refusal));
                false
            }
        })
        .map_err(journal_failed)?;
    if let Some((division, enterprise)) = moved {
        let message = format!(
            "the log began as division {division}, enterprise {enterprise}; correct `division` and `uscc`, or begin \
             a new log with another `state_dir`"
        );
        return Err(Failure::new(Exit::Config, message));
    }
    let last = journal.last().map_err(journal_failed)?;
    let last = last.map(|bytes| Unverified::read(&bytes).and_then(|u| u.verify(key))).transpose();
    match (bad, last) {
        (None, Ok(last)) => Ok((recall, last)),
        (Some((seq, refusal)), _) => Err(not_ours(&format!("record {seq}: {refusal}"))),
        (None, Err(refusal)) => Err(not_ours(&format!("last record: {refusal}"))),
    }
}

fn not_ours(what: &str) -> Failure {
    let cure =
        "restore the journal and the key that belong together, or keep both aside as evidence and enrol anew";
    Failure::new(
        Exit::Config,
        format!("the journal does not verify under this gateway's key: {what}; {cure}"),
    )
}

fn journal_failed(fault: JournalFault) -> Failure {
    let message = match fault {
        JournalFault::Full => "the disk is full: nothing more can be attested; make room and start again",
        JournalFault::Broken => "the journal failed: see the line before; check the disk",
        JournalFault::Unwritable => {
            "a record could not be written canonically: this is a defect, please report it"
        }
    };
    Failure::new(Exit::Bug, message)
}

/// Two agents on one journal would fork the log, so the second refuses to start.
fn keep_others_out(state: &Path) -> Result<std::fs::File, Failure> {
    let failed =
        |e: &dyn std::fmt::Display| Failure::new(Exit::Permission, format!("{}: {e}", state.display()));
    std::fs::create_dir_all(state).map_err(|e| failed(&e))?;
    let lock = std::fs::File::create(state.join("lock")).map_err(|e| failed(&e))?;
    lock.try_lock()
        .map_err(|_| failed(&"another agent is running on this state directory; stop it first"))?;
    Ok(lock)
}
