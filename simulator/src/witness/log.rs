//! What a gateway keeps of what it said: what it would remember after a stop, and, only where somebody puts an image of
//! its disk back, the sealed log itself with the authority that follows it.

use std::collections::VecDeque;

use coldhearth::{
    evidence::{
        Body, Chain, Ed25519, Record, Signer as _,
        head::{Arrival, Head, Link},
        recall::Recall,
        record::{Header, LogId},
    },
    judge::{Finding, Memory, Permit},
    terms::{Digest, GatewayId, Stamp},
};

use crate::alarm;

/// Seed of the gateway's key in every run: nothing is proven by it.
const KEY: [u8; 32] = [7; 32];

/// All that lies on the gateway's disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// Nothing where the gateway never stops.
    recall: Option<Recall>,
    log: Option<Log>,
    image: Option<Image>,
}

/// The disk as it was once.
#[derive(Debug)]
struct Image {
    recall: Recall,
    last: Option<Record>,
    waiting: VecDeque<Link>,
}

impl Disk {
    /// `stops`: somebody will ask what is remembered. `copied`: somebody will put an image back.
    pub(super) fn new(gateway: GatewayId, stops: bool, copied: bool) -> Disk {
        Disk {
            recall: (stops || copied).then(Recall::default),
            log: copied.then(|| Log::begin(gateway)),
            image: None,
        }
    }

    /// Writes a finding down and sends it; tells what the authority finds of the log, if anything.
    pub(super) fn write(&mut self, at: &Stamp, finding: &Finding) -> Option<&'static str> {
        let recall = self.recall.as_mut()?;
        let body = Body::Finding(finding.clone());
        recall.on_said(at, &body);
        self.log.as_mut().and_then(|log| log.write(at, body))
    }

    /// What the agent would remember of it, by its own reading of its log.
    pub(super) fn recall(&self, permits: &[Permit]) -> Memory {
        let memory = self.recall.clone().unwrap_or_default().into_memory();
        Memory { permits: permits.to_vec(), ..memory }
    }

    /// Somebody copies it.
    pub(super) fn copy(&mut self) {
        if let (Some(recall), Some(log)) = (&self.recall, &self.log) {
            let (recall, last, waiting) = (recall.clone(), log.last.clone(), log.waiting.clone());
            self.image = Some(Image { recall, last, waiting });
        }
    }

    /// Somebody puts the copy in its place.
    pub(super) fn put_back(&mut self) {
        if let (Some(image), Some(log)) = (self.image.take(), &mut self.log) {
            self.recall = Some(image.recall);
            (log.last, log.waiting) = (image.last, image.waiting);
        }
    }

    /// The agent starts; tells what it finds of its log by the authority's latest receipt, if it can be had.
    pub(super) fn start(&mut self) -> Option<&'static str> {
        self.log.as_mut().and_then(Log::start)
    }

    /// The broker can be reached, or not; tells what the authority finds when it gets what has waited.
    pub(super) fn connect(&mut self, is_up: bool) -> Option<&'static str> {
        let log = self.log.as_mut()?;
        log.is_up = is_up;
        log.deliver()
    }
}

/// The sealed log.
struct Log {
    chain: Chain,
    last: Option<Record>,
    /// Not delivered yet.
    waiting: VecDeque<Link>,
    is_up: bool,
    /// What the authority has of it, and its latest receipt.
    head: Head,
    receipted: Option<u64>,
    /// How many logs the gateway has begun.
    logs: u64,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("last", &self.last)
            .field("receipted", &self.receipted)
            .finish_non_exhaustive()
    }
}

impl Log {
    fn begin(gateway: GatewayId) -> Log {
        Log {
            chain: Chain::begin(gateway, LogId(1), 0, Box::new(Ed25519::from_seed(&KEY))),
            last: None,
            waiting: VecDeque::new(),
            is_up: true,
            head: Head::default(),
            receipted: None,
            logs: 1,
        }
    }

    fn write(&mut self, at: &Stamp, body: Body) -> Option<&'static str> {
        let before = self.last.as_ref().map_or(Digest::ZERO, |last| last.hash);
        let (seq, hash) = self.chain.seal(at, &body).map(|sealed| (sealed.seq, sealed.hash)).ok()?;
        let header = Header {
            gateway: self.chain.gateway(),
            log: self.chain.log(),
            seq,
            prev: before,
            at: *at,
            receipt: None,
            key_epoch: 0,
            key_id: Ed25519::from_seed(&KEY).public_key().id(),
        };
        let record = Record { header, body, hash };
        self.waiting.push_back(Link::of(&record));
        self.last = Some(record);
        self.deliver()
    }

    fn deliver(&mut self) -> Option<&'static str> {
        let mut found = None;
        while let Some(link) = self.waiting.pop_front_if(|_| self.is_up) {
            match self.head.on_record(link) {
                Arrival::Fork { .. } => found = Some(alarm::LOG_FORKED),
                Arrival::Advanced
                | Arrival::Amnesia { .. }
                | Arrival::Duplicate
                | Arrival::Late
                | Arrival::Orphan
                | Arrival::TooFarAhead
                | Arrival::Forgotten
                | Arrival::WrongEpoch => {}
            }
            self.receipted = self.receipted.max(Some(link.seq));
        }
        found
    }

    /// A receipt beyond the log's end is the proof that it was shortened: the agent begins a new one and says so.
    fn start(&mut self) -> Option<&'static str> {
        let end = self.last.as_ref().map(|last| last.header.seq);
        let gateway = self.chain.gateway();
        if self.is_up && self.receipted > end {
            let logs = self.logs + 1;
            *self = Log { logs, ..Log::begin(gateway) };
            self.chain = Chain::begin(gateway, LogId(logs), 0, Box::new(Ed25519::from_seed(&KEY)));
            return Some(alarm::LOG_ROLLED_BACK);
        }
        if let Some(chain) =
            self.last.as_ref().and_then(|last| Chain::resume(last, Box::new(Ed25519::from_seed(&KEY))))
        {
            self.chain = chain;
        }
        None
    }
}
