//! The scribe of one gateway of the fleet: the agent's own way to seal, commit and answer, over a journal in memory.

use std::collections::BTreeSet;

use coldhearth::{
    agent::{
        letters::{Letter, Letters, Outcome},
        scribe::{self, Entry, GROUP, Group, KEY_EPOCH_MS, Progress, Stopped},
    },
    evidence::{
        Act, Answer, Body, Boot, Chain, Class, GapWhy, Genesis, Journal, JournalFault, Keyring, LogHead,
        LogId, Meaning, MemoryJournal, PublicKey, Scribe, Signer as _, Trust,
        commissioning::Commissioning,
        recall::Recall,
        record::Unverified,
        suite::{SecretPem, signer_from_pem},
    },
    host::{Exit, Failure, clock, keys},
    judge::{Finding, Shares, cutoff::Unfit},
    terms::{Digest, Name, Stamp},
};
use tokio::sync::{mpsc, watch};

use super::{
    identity::Identity,
    story::{Point, Story},
};

/// What every gateway of the fleet has in common.
pub(super) struct House {
    /// SHA-256 of the configuration they were given.
    pub config: Digest,
    /// The register map of their meters.
    pub profile: (Name, Digest),
    /// Their metering point.
    pub point: Point,
    /// What was declared of it.
    pub commissioning: Commissioning,
    /// Whose receipts and acts they believe.
    pub authority: Vec<PublicKey>,
    /// Records and receipts that one gateway keeps, in bytes.
    pub kept_bytes: u64,
}

/// What a gateway still has after its power was cut.
pub(super) struct Left {
    journal: Box<dyn Journal>,
    pem: Option<SecretPem>,
    skipped: u64,
    gaps: u64,
}

impl Default for Left {
    fn default() -> Left {
        Left { journal: Box::new(MemoryJournal::default()), pem: None, skipped: 0, gaps: 0 }
    }
}

/// Chain, key, journal and letter box of one gateway.
pub(super) struct Clerk {
    scribe: Scribe,
    letters: Letters,
    pem: Option<SecretPem>,
    epoch_began: Stamp,
    heard: bool,
    /// Whether the plant's time goes on: a key is then replaced when its hour is over.
    speaks: bool,
    ancestors: BTreeSet<LogId>,
    kept_bytes: u64,
    /// Places that unclean starts have skipped.
    skipped: u64,
    /// Records that declare others dropped.
    gaps: u64,
    told: watch::Sender<Progress>,
}

impl Clerk {
    /// Begins a log, or goes on with the one that is left.
    ///
    /// # Errors
    /// A defect of the program, or no entropy.
    pub(super) fn open(
        identity: &Identity,
        house: &House,
        left: Left,
        now: &Stamp,
    ) -> Result<Clerk, Failure> {
        let Left { mut journal, pem, mut skipped, gaps } = left;
        let signer = match &pem {
            Some(pem) => signer_from_pem(pem).map_err(|why| bug(&why))?,
            None => Box::new(identity.first_key()),
        };
        let root = identity.first_key().public_key();
        let (recall, last) = recalled(&mut *journal, root)?;
        let is_new = last.is_none();
        let chain = match &last {
            Some(last) => {
                Chain::resume(last, signer).ok_or_else(|| bug(&"its own key does not fit its log"))?
            }
            None => Chain::begin(identity.id, LogId(u64::from_be_bytes(keys::entropy()?)), 0, signer),
        };
        let before = chain.next_seq();
        let mut scribe = Scribe::begin(now, chain, journal).map_err(failed)?;
        // The record that skips stands behind the places it skips.
        skipped += scribe.chain().next_seq().saturating_sub(before + 1);
        if is_new {
            scribe.write(*now, Body::Genesis(genesis(identity, house)));
        }
        scribe.write(*now, Body::Boot(boot(house, recall.boot_id().is_none())));
        if is_new {
            scribe.write(*now, Body::Commissioned(house.commissioning.clone()));
        }
        let mut trust = Trust::new(identity.id, house.authority.clone());
        recall.acts().iter().for_each(|act| trust.recall(act));
        let assets = vec![house.point.asset];
        let letters = Letters::new(trust, assets, vec![house.point.meter], identity.enterprise);
        let (told, _) = watch::channel(Progress::default());
        let (kept_bytes, ancestors) = (house.kept_bytes, BTreeSet::new());
        let mut clerk = Clerk {
            scribe,
            letters,
            pem,
            epoch_began: *now,
            heard: true,
            speaks: true,
            ancestors,
            kept_bytes,
            skipped,
            gaps,
            told,
        };
        clerk.commit(now, Group::default())?;
        Ok(clerk)
    }

    /// What of the log is durable, and up to where it is receipted.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.told.subscribe()
    }

    /// Places of the log, and the first of them that no receipt covers.
    pub(super) fn places(&self) -> (u64, u64) {
        (self.scribe.chain().next_seq(), self.scribe.first_unreceipted())
    }

    /// The plant's time has ended: nothing more is said, and no key replaced.
    pub(super) fn hush(&mut self) {
        self.speaks = false;
    }

    /// Records of the log.
    pub(super) fn records(&self) -> u64 {
        self.scribe.chain().next_seq().saturating_sub(self.skipped)
    }

    /// Records that declare others dropped.
    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Takes an entry of the uplink and whatever waits behind it.
    ///
    /// # Errors
    /// As [`Clerk::say`]; or the authority receipts what this log never held.
    pub(super) fn on_entry(
        &mut self,
        now: &Stamp,
        first: Entry,
        entries: &mut mpsc::Receiver<Entry>,
    ) -> Result<(), Failure> {
        let mut group = Group::default();
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(mut entry) = next.take() {
            if let Entry::Write(at, _) = &mut entry {
                // The uplink lives in another time than the plant.
                *at = *now;
            }
            group.take(entry, &mut self.scribe, &mut self.heard, &self.ancestors).map_err(stopped)?;
            taken += 1;
            if taken < GROUP {
                next = entries.try_recv().ok();
            }
        }
        self.commit(now, group)
    }

    /// Takes what came from the authority.
    ///
    /// # Errors
    /// As [`Clerk::on_entry`].
    pub(super) fn on_letter(&mut self, now: &Stamp, letter: Letter, story: &Story) -> Result<(), Failure> {
        let mut group = Group::default();
        match self.letters.on(letter, now, &|_| Err(Unfit::UnknownOrder)) {
            Outcome::Nothing => return Ok(()),
            Outcome::Say(body) => self.scribe.write(*now, body),
            Outcome::Do(act, answer) => self.obey(now, act, answer, story),
            Outcome::Receipt(received, bytes) => {
                let entry = Entry::Receipt(received, bytes);
                group.take(entry, &mut self.scribe, &mut self.heard, &self.ancestors).map_err(stopped)?;
            }
        }
        self.commit(now, group)
    }

    /// An act is written down before what follows from it, and its answer after. Only a question has an effect here.
    fn obey(&mut self, now: &Stamp, act: Act, answer: Answer, story: &Story) {
        let asks = matches!(act.meaning, Meaning::Ask(_));
        self.scribe.write(*now, Body::Act(act));
        if asks {
            self.scribe.write(*now, Body::Finding(Finding::Verdict(story.verdict(Shares::default()))));
        }
        self.scribe.write(*now, Body::Answer(answer));
    }

    /// Says what is due.
    ///
    /// # Errors
    /// A record cannot be written, which is a defect of the program.
    pub(super) fn say(&mut self, now: &Stamp, story: &mut Story) -> Result<(), Failure> {
        let mut said = Vec::new();
        story.on_time(now, &mut |body| said.push(body));
        for body in said {
            let mut group = Group::default();
            let entry = Entry::Write(*now, body);
            group.take(entry, &mut self.scribe, &mut self.heard, &self.ancestors).map_err(stopped)?;
        }
        self.commit(now, Group::default())
    }

    /// The power is cut.
    pub(super) fn cut(self) -> Left {
        Left { journal: self.scribe.into_journal(), pem: self.pem, skipped: self.skipped, gaps: self.gaps }
    }

    fn commit(&mut self, now: &Stamp, mut group: Group) -> Result<(), Failure> {
        let mut places = self.scribe.commit().map_err(failed)?;
        if self.speaks && now.uptime_ms >= self.epoch_began.uptime_ms + KEY_EPOCH_MS {
            let (signer, pem) = keys::next(self.scribe.chain().suite())?;
            places = self.scribe.rotate(now, signer, &pem).map_err(failed)?;
            (self.pem, self.epoch_began) = (Some(pem), *now);
        }
        // The agent's own way to stay within `max_mb`: what is receipted goes first, then what a signed `gap` declares.
        while self.scribe.journal().size_bytes().map_err(failed)? > self.kept_bytes
            && self.scribe.make_room(now, GapWhy::SizeCap).map_err(failed)?
        {
            self.gaps += self.scribe.chain().next_seq() - places;
            places = self.scribe.chain().next_seq();
        }
        let receipted = self.scribe.first_unreceipted();
        let withdrawn = group.missing.iter().flatten().find(|(from, _)| *from < receipted);
        if let Some((from, _)) = withdrawn {
            let why = format!("the authority misses place {from}, which it had receipted");
            return Err(Failure::new(Exit::Negative, why));
        }
        let receipted = Some(receipted);
        scribe::tell(&self.told, places, receipted, group.missing.take());
        group.answer(&mut self.scribe, places).map_err(failed)
    }
}

/// What the journal tells of itself: its acts and boot, and its last record, opened by keys that follow from the first.
fn recalled(
    journal: &mut dyn Journal,
    root: PublicKey,
) -> Result<(Recall, Option<coldhearth::evidence::Record>), Failure> {
    let mut keyring = Keyring::new(&[root]);
    let mut bad = None;
    let learn = &mut |_: u64, _: Class, bytes: &[u8]| {
        let opened = Unverified::read(bytes).and_then(|unverified| {
            let names_a_key = unverified.announced_key().is_some() || unverified.is_genesis();
            keyring.learn(&unverified);
            if names_a_key { keyring.open(unverified).map(drop) } else { Ok(()) }
        });
        bad = bad.or(opened.err());
        true
    };
    journal.read(0, Class::Alert, learn).map_err(failed)?;
    let mut recall = Recall::default();
    let each = &mut |_: u64, _: Class, bytes: &[u8]| {
        match Unverified::read(bytes).and_then(|unverified| keyring.open(unverified)) {
            Ok(record) => recall.on(&record),
            Err(refusal) => bad = bad.or(Some(refusal)),
        }
        true
    };
    journal.newest(each).map_err(failed)?;
    let last = match journal.last().map_err(failed)? {
        None => None,
        Some(bytes) => match Unverified::read(&bytes).and_then(|unverified| keyring.open(unverified)) {
            Ok(record) => Some(record),
            Err(refusal) => return Err(bug(&refusal)),
        },
    };
    match bad {
        Some(refusal) => Err(bug(&refusal)),
        None => Ok((recall, last)),
    }
}

fn genesis(identity: &Identity, house: &House) -> Genesis {
    Genesis {
        public_key: identity.first_key().public_key(),
        division: identity.division,
        enterprise: identity.enterprise,
        software: SOFTWARE.to_owned(),
        config: house.config,
        profiles: vec![house.profile],
        continues: None,
    }
}

fn boot(house: &House, machine_rebooted: bool) -> Boot {
    Boot {
        boot_id: clock::boot_id(),
        machine_rebooted,
        software: SOFTWARE.to_owned(),
        config: house.config,
        dark: None,
    }
}

/// Name and version, as genesis and boot of a simulated gateway state them.
const SOFTWARE: &str = concat!("coldhearth-sim ", env!("CARGO_PKG_VERSION"));

fn stopped(stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Journal(fault) => failed(fault),
        Stopped::Failed(failure) => failure,
        Stopped::RolledBack(LogHead { log, seq, .. }) => Failure::new(
            Exit::Negative,
            format!("the authority has receipted place {seq} of log {log}, which was never written so"),
        ),
    }
}

fn failed(fault: JournalFault) -> Failure {
    bug(&format!("{fault:?}"))
}

fn bug(why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Bug, format!("a simulated gateway's log: {why}"))
}
