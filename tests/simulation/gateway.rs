//! A gateway without threads, sockets or time of its own: what `agent::start`, its loop and its scribe's thread do, one
//! step after the other. Schedule, judge, scribe, letter box and outbox are the real ones.

use coldhearth::{
    agent::{
        letters::{Letter, Letters, Outcome},
        outbox::{Outbox, Turn, Want},
    },
    evidence::{
        Act, Answer, Body, Boot, Chain, Checkpoint, Class, GapWhy, Genesis, Journal as _, JournalFault,
        LogId, Meaning, Notice, Receipt, Scribe, Trust,
        commissioning::{Commissioning, PointPapers},
        journal::Cursor,
        recall::Recall,
        suite::signer_from_seed,
    },
    judge::{Commissioned, Fact, Finding, Memory, Site},
    metering::{Next, Reading, Sample, Schedule, Told},
    terms::{
        Digest, GatewayId, MeterId, Stamp,
        place::{CreditCode, Division},
    },
};

use crate::{
    disk::{Disk, Paper},
    vault::Vault,
    works::{METERS, Works, asset, meter},
};

/// Time between two checkpoints, in milliseconds; what the authority asks for meanwhile is answered at once.
const CHECKPOINT_MS: u64 = 300_000;
/// How long one key signs, in milliseconds.
const KEY_EPOCH_MS: u64 = 3_600_000;
/// Records that may await the broker's acceptance.
const WINDOW: usize = 20;

/// What is wrong with a gateway, on purpose: the checks must find each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breakage {
    /// Nothing.
    None,
    /// It sends what its disk has not kept yet.
    SendsFirst,
    /// Silence is fed to the judge as zeros.
    ZerosForSilence,
    /// Silence is not told to the judge at all, and neither is time.
    HidesSilence,
    /// A restarted witness remembers nothing.
    ForgetsMemory,
    /// What is allowed was not declared.
    AllowsNothing,
    /// Something besides the seed goes into a record.
    Wanders,
}

pub(crate) fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

fn enterprise() -> CreditCode {
    CreditCode::parse("91350100M000100Y43").unwrap()
}

/// What came of a step: the places that are durable now, or why the process ends or waits.
pub(crate) type Step = Result<(), JournalFault>;

pub(crate) struct Gateway {
    pub(crate) schedule: Schedule,
    site: Site,
    scribe: Scribe,
    letters: Letters,
    pub(crate) outbox: Outbox,
    disk: Disk,
    vault: Vault,
    breakage: Breakage,
    checkpoint_ms: u64,
    epoch_began: Stamp,
    /// Since when the disk takes nothing.
    pub(crate) full_since: Option<Stamp>,
    latest: Option<Receipt>,
    last: Vec<Option<Reading>>,
    said: Vec<Body>,
}

/// What the gateway was commissioned with, where its log does not tell that already.
fn tell_of_points(
    scribe: &mut Scribe,
    now: &Stamp,
    works: &Works,
    feeders: &[Commissioned],
    recall: &Recall,
) {
    for terms in feeders {
        let profile = (works.profile.id, works.profile.digest);
        let point = Commissioning::of(terms, profile, &PointPapers::default());
        if recall.commissioned(terms.meter) != Some(point.digest()) {
            scribe.write(*now, Body::Commissioned(point));
        }
    }
}

impl Gateway {
    /// What `agent::start` does.
    pub(crate) fn start(
        disk: &Disk,
        vault: &Vault,
        works: &Works,
        now: &Stamp,
        rebooted: bool,
        breakage: Breakage,
    ) -> Result<Gateway, JournalFault> {
        let mut paper = Paper(disk.clone());
        let mut recall = Recall::default();
        paper.newest(&mut |_seq, _class, bytes| {
            recall.on(&vault.open(bytes));
            true
        })?;
        let receipted = paper.cursor(Cursor::Receipted)?;
        let epoch = disk.lock().unwrap().journal.key().map_or(0, |(epoch, _)| epoch);
        let last = paper.last()?;
        let is_new = last.is_none();
        let chain = match last {
            None => Chain::begin(gateway(), LogId(1), 0, vault.signer(0)),
            Some(bytes) => Chain::resume(&vault.open(&bytes), vault.signer(epoch)).unwrap(),
        };
        let mut scribe = Scribe::begin(now, chain, Box::new(paper))?;
        if is_new {
            scribe.write(*now, genesis(works));
        }
        let (dark, unanswered) = (recall.dark(now), recall.unanswered().to_vec());
        let boot = Boot {
            boot_id: format!("boot-{}", now.boot),
            machine_rebooted: rebooted,
            software: "simulation".into(),
            config: Digest::of(b""),
            dark: dark.map(|dark| (dark.from, dark.ended)),
        };
        scribe.write(*now, Body::Boot(boot));
        let feeders = works.commissioned(breakage != Breakage::AllowsNothing);
        tell_of_points(&mut scribe, now, works, &feeders, &recall);
        let trust = trust(&mut scribe, vault, &recall)?;
        let memory =
            if breakage == Breakage::ForgetsMemory { Memory::default() } else { recall.into_memory() };
        let memory = Memory { dark, ..memory };
        let meters: Vec<MeterId> = (1..=3).map(meter).collect();
        let site = Site::new(feeders, Works::equipment(), &memory).balancing(Works::groups());
        let mut gateway = Gateway {
            schedule: Schedule::new(works.points(), Vec::new(), now.uptime_ms, 0),
            site,
            scribe,
            letters: Letters::new(trust, (0..2).map(asset).collect(), meters, enterprise()).owing(unanswered),
            outbox: Outbox::resuming(0, Some(receipted)),
            disk: disk.clone(),
            vault: vault.clone(),
            breakage,
            checkpoint_ms: now.uptime_ms + CHECKPOINT_MS,
            epoch_began: *now,
            full_since: None,
            latest: None,
            last: vec![None; METERS.len()],
            said: Vec::new(),
        };
        for act in gateway.letters.unanswered() {
            gateway.finish(now, &act);
        }
        gateway.flush(now)?;
        gateway.commit(now)?;
        if rebooted && !is_new {
            gateway.rotate(now)?;
        }
        Ok(gateway)
    }

    /// The question to ask now, or when to look again, in uptime.
    pub(crate) fn next(&mut self, now: &Stamp) -> Next {
        self.schedule.next(now.uptime_ms)
    }

    /// What came of a poll is judged, and everything said is written down.
    pub(crate) fn hear(&mut self, now: &Stamp, told: &Told) -> Step {
        for sample in told {
            let place = |id: MeterId| METERS.iter().position(|known| *known == id.as_str()).unwrap();
            match sample {
                Sample::Reading(reading) => self.last[place(reading.meter)] = Some(reading.clone()),
                Sample::Miss { meter, at, .. } => {
                    if self.breakage == Breakage::HidesSilence {
                        continue;
                    }
                    if self.breakage == Breakage::ZerosForSilence
                        && let Some(last) = &self.last[place(*meter)]
                    {
                        let zeros = last.values.map(|value| value.map(|_| 0));
                        let zeros = Sample::Reading(Reading { at: *at, values: zeros, ..last.clone() });
                        self.judge(now, Fact::Sample(&zeros));
                        continue;
                    }
                }
                Sample::Plate { .. }
                | Sample::PlateMiss { .. }
                | Sample::Identity { .. }
                | Sample::IdentityMiss { .. } => {}
            }
            self.judge(now, Fact::Sample(sample));
        }
        self.flush(now)
    }

    /// Time passed.
    pub(crate) fn tick(&mut self, now: &Stamp) -> Step {
        if self.breakage != Breakage::HidesSilence {
            self.judge(now, Fact::Tick);
        }
        if now.uptime_ms >= self.checkpoint_ms {
            self.checkpoint_ms = now.uptime_ms + CHECKPOINT_MS;
            let beat = self.beat();
            self.said.push(Body::Checkpoint(beat));
        }
        if now.uptime_ms >= self.epoch_began.uptime_ms + KEY_EPOCH_MS {
            self.rotate(now)?;
        }
        self.flush(now)
    }

    /// Something came from the broker.
    pub(crate) fn letter(&mut self, now: &Stamp, letter: Letter) -> Step {
        let site = &self.site;
        match self.letters.on(letter, now, &|act| site.may(now, act)) {
            Outcome::Nothing => Ok(()),
            Outcome::Say(body) => {
                self.said.push(body);
                self.flush(now)
            }
            Outcome::Do(act, answer) => {
                self.obey(now, act, answer);
                self.flush(now)
            }
            Outcome::Receipt(received, bytes) => {
                // What it is compared with must be as durable as what it speaks of.
                self.commit(now)?;
                let missing = received.receipt.missing.clone();
                if !received.receipt.is_empty() {
                    let rolled_back = self.scribe.is_rolled_back(&received.receipt)?;
                    assert!(!rolled_back, "an honest gateway thinks itself rolled back");
                    let is_news = self.latest.as_ref().is_none_or(|l| received.receipt.is_newer_than(l));
                    if is_news {
                        self.latest = Some(received.receipt.clone());
                        self.scribe.on_receipt(received, bytes);
                        self.commit(now)?;
                    }
                }
                self.outbox.on_receipt(self.scribe.first_unreceipted(), &missing);
                Ok(())
            }
        }
    }

    /// The broker has accepted a record in its place.
    pub(crate) fn accepted(&mut self, seq: u64) {
        if let Some(upto) = self.outbox.on_accepted(seq) {
            self.scribe.on_accepted(upto);
        }
    }

    pub(crate) fn connected(&mut self) {
        self.outbox.on_connected(WINDOW);
    }

    /// The next record to leave: its place, whether it leaves in its turn, and its bytes.
    pub(crate) fn post(&mut self) -> Result<Option<(u64, bool, Vec<u8>)>, JournalFault> {
        while let Some(want) = self.outbox.want(true, true) {
            let found = self.find(want)?;
            if self.outbox.on_found(want, found.as_ref().map(|(seq, _)| *seq))
                && let Some((seq, bytes)) = found
            {
                return Ok(Some((seq, want.turn == Turn::InPlace, bytes)));
            }
        }
        Ok(None)
    }

    /// Once more, after the disk was full.
    pub(crate) fn retry(&mut self, now: &Stamp) -> Step {
        match self.scribe.make_room(now, GapWhy::DiskFull) {
            Ok(_) | Err(JournalFault::Full) => {}
            Err(fault) => return Err(fault),
        }
        let since = self.full_since.take();
        self.commit(now)?;
        if let Some(since) = since {
            let lasted_ms = u64::try_from(now.since_ms(&since)).unwrap_or(0);
            self.scribe.write(*now, Body::Notice(Notice::DiskFull { lasted_ms }));
            self.commit(now)?;
        }
        Ok(())
    }

    /// As a service manager asks for it.
    pub(crate) fn stop(&mut self, now: &Stamp) -> Step {
        let beat = self.beat();
        self.said.push(Body::Checkpoint(beat));
        self.said.push(Body::Notice(Notice::Stopping));
        self.flush(now)?;
        self.scribe.close()
    }

    /// How many places the log has, all of them durable as far as the gateway knows.
    pub(crate) fn places(&self) -> u64 {
        self.scribe.chain().next_seq()
    }

    fn judge(&mut self, now: &Stamp, fact: Fact<'_>) {
        let said = &mut self.said;
        self.site.on(now, fact, &mut |finding: Finding| said.push(Body::Finding(finding)));
    }

    fn obey(&mut self, now: &Stamp, act: Act, answer: Answer) {
        let (meaning, order) = (act.meaning.clone(), act.about_orders());
        self.said.push(Body::Act(act));
        if let Meaning::Ask(asset) = meaning {
            self.judge(now, Fact::Ask(asset));
        }
        if let Some(order) = order {
            self.judge(now, Fact::Order(&order));
        }
        self.said.push(Body::Answer(answer));
    }

    /// What the power took the answer of.
    fn finish(&mut self, now: &Stamp, act: &Act) {
        let said = &mut self.said;
        self.site.finish_orders(now, &mut |finding: Finding| said.push(Body::Finding(finding)));
        if let Meaning::Ask(asset) = act.meaning {
            self.judge(now, Fact::Ask(asset));
        }
        self.said.push(Body::Answer(act.accepted()));
    }

    fn flush(&mut self, now: &Stamp) -> Step {
        if self.said.is_empty() {
            return Ok(());
        }
        for body in self.said.drain(..) {
            self.scribe.write(*now, body);
        }
        self.commit(now)
    }

    fn commit(&mut self, now: &Stamp) -> Step {
        self.disk.lock().unwrap().lies = self.breakage == Breakage::SendsFirst && now.uptime_ms > 60_000;
        if self.full_since.is_some() {
            // Everything waits for the disk; what was said is kept.
            return Ok(());
        }
        match self.scribe.commit() {
            Ok(places) => {
                self.outbox.on_durable(places);
                Ok(())
            }
            Err(JournalFault::Full) => {
                self.full_since = Some(*now);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    fn rotate(&mut self, now: &Stamp) -> Step {
        if self.full_since.is_some() {
            return Ok(());
        }
        let epoch = self.scribe.chain().key_epoch() + 1;
        let (_, pem) = signer_from_seed(self.scribe.chain().suite(), &Vault::seed(epoch)).unwrap();
        match self.scribe.rotate(now, self.vault.signer(epoch), &pem) {
            Ok(places) => {
                self.epoch_began = *now;
                self.outbox.on_durable(places);
                Ok(())
            }
            // The present key goes on for now.
            Err(JournalFault::Full) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn find(&mut self, want: Want) -> Result<Option<(u64, Vec<u8>)>, JournalFault> {
        let mut found = None;
        self.scribe.journal().read(want.from, want.least, &mut |seq, _class: Class, bytes| {
            found = Some((seq, bytes.to_vec()));
            false
        })?;
        Ok(found)
    }

    fn beat(&self) -> Checkpoint {
        static WANDERING: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let reads = self.site.reads();
        let wanders = self.breakage == Breakage::Wanders;
        let more = if wanders { WANDERING.fetch_add(1, std::sync::atomic::Ordering::Relaxed) } else { 0 };
        Checkpoint {
            entries: self.scribe.next_seq(),
            reads_ok: reads.ok + more,
            reads_failed: reads.failed,
            first_unreceipted_seq: self.scribe.first_unreceipted(),
        }
    }
}

/// Whom it believes, with all that was believed before.
fn trust(scribe: &mut Scribe, vault: &Vault, recall: &Recall) -> Result<Trust, JournalFault> {
    let mut trust = Trust::new(gateway(), vec![vault.authority().public_key()]);
    if let Some(bytes) = scribe.journal().last_receipt()? {
        let _believed_before = trust.open_receipt(&bytes);
    }
    recall.acts().iter().for_each(|act| trust.recall(act));
    Ok(trust)
}

fn genesis(works: &Works) -> Body {
    Body::Genesis(Genesis {
        public_key: Vault::public(0),
        division: Division::parse("130421").unwrap(),
        enterprise: enterprise(),
        software: "simulation".into(),
        config: Digest::of(b"config"),
        profiles: vec![(works.profile.id, works.profile.digest)],
        continues: None,
    })
}
