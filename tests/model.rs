//! An exhaustive bounded model check of what must never happen: an honest gateway accused, a receipted record replaced
//! unseen. Every order of saying, committing, publishing, delivering, dying, starting and restoring, up to a bound, over
//! the real chain, scribe, journal seam and head; only disk, network and adversary are played.
//!
//! | variant | what is wrong with it | must hold |
//! |---|---|---|
//! | A | publishes before it commits, reserves nothing: our own order, broken on purpose | false forks are found: this check can fail |
//! | B | nothing | never accused, nothing receipted is ever skipped, order and repetition change nothing |
//! | C | the disk lies about what it kept, the reservation included | false forks are found: why places are reserved |
//! | D | the disk lies, but the reservation had reached the platter | never accused, order and repetition change nothing |
//! | E | nothing, but the adversary puts an earlier journal in the place of the present one | what was receipted and is replaced shows: as a fork, as a lapsed key, as a loss, or to the gateway itself before it publishes |
//!
//! `COLDHEARTH_MODEL=deep` looks further, as `tests/all` does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one tells what it counted"
)]

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    sync::{Arc, Mutex},
};

use coldhearth::{
    evidence::{
        Arrival, Audit, Body, Chain, Checkpoint, Class, Dropped, Ed25519, Genesis, Head, Journal,
        JournalFault, LogHead, LogId, MemoryJournal, PublicKey, Receipt, Received, Record, Scribe, Sealed,
        Sealer, Signer,
        journal::{Cursor, Each},
        record::Unverified,
        scribe::RESERVE,
        suite::signer_from_seed,
    },
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};

/// Signatures made before: the same bytes are signed over and over on different ways.
type Signatures = Arc<Mutex<BTreeMap<Digest, [u8; 64]>>>;

struct Remembering {
    key: Ed25519,
    signatures: Signatures,
}

impl Signer for Remembering {
    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signatures = self.signatures.lock().unwrap();
        *signatures.entry(Digest::of(bytes)).or_insert_with(|| self.key.sign(bytes))
    }
}

fn seed(epoch: u32) -> [u8; 32] {
    [7 + u8::try_from(epoch).unwrap(); 32]
}

fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

fn at(tick: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + tick.cast_signed();
    Stamp { wall_unix_ms, uptime_ms: tick, boot: 1, clock: ClockQuality::Ntp, error_ms: 40 }
}

fn genesis() -> Body {
    Body::Genesis(Genesis {
        public_key: Ed25519::from_seed(&seed(0)).public_key(),
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        software: "model".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    })
}

fn beat() -> Body {
    Body::Checkpoint(Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 })
}

/// What is wrong with the gateway or its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    PublishesFirst,
    Honest,
    DiskLies,
    OnlyReservationsReachThePlatter,
    ImageRestored,
}

impl Variant {
    /// Whether what is committed is safe at once.
    fn keeps_its_word(self) -> bool {
        matches!(self, Variant::Honest | Variant::ImageRestored)
    }
}

fn number(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// What a disk holds: a real journal, and what tells one from another without reading it.
#[derive(Clone, Debug, Default)]
struct Image {
    journal: MemoryJournal,
    rows: BTreeMap<u64, Digest>,
    cursors: BTreeMap<Cursor, u64>,
    epoch: u32,
    /// What tells it from others, in one number.
    key: u64,
}

impl Image {
    fn kept(mut self) -> Rc<Image> {
        self.key = number(&format!("{:?}", self.identity()));
        Rc::new(self)
    }

    fn identity(&self) -> (&BTreeMap<u64, Digest>, &BTreeMap<Cursor, u64>, u32) {
        (&self.rows, &self.cursors, self.epoch)
    }
}

/// The journal a scribe writes to: an image that outlives it.
struct Paper {
    image: Arc<Mutex<Image>>,
    before: Image,
    variant: Variant,
}

impl Paper {
    fn with<T>(&mut self, act: impl FnOnce(&mut Image) -> T) -> T {
        act(&mut self.image.lock().unwrap())
    }
}

impl Journal for Paper {
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault> {
        self.with(|image| {
            image.rows.insert(sealed.seq, sealed.hash);
            image.journal.append(sealed)
        })
    }

    fn commit(&mut self) -> Result<(), JournalFault> {
        self.with(|image| image.journal.commit())?;
        self.before = self.image.lock().unwrap().clone();
        Ok(())
    }

    fn take_back(&mut self) {
        *self.image.lock().unwrap() = self.before.clone();
    }

    fn last(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        self.with(|image| image.journal.last())
    }

    fn read(&mut self, from: u64, least: Class, each: Each<'_>) -> Result<(), JournalFault> {
        self.with(|image| image.journal.read(from, least, each))
    }

    fn newest(&mut self, each: Each<'_>) -> Result<(), JournalFault> {
        self.with(|image| image.journal.newest(each))
    }

    fn is_newest(&mut self, seq: u64) -> Result<bool, JournalFault> {
        self.with(|image| image.journal.is_newest(seq))
    }

    fn cursor(&mut self, cursor: Cursor) -> Result<u64, JournalFault> {
        self.with(|image| image.journal.cursor(cursor))
    }

    fn set_cursor(&mut self, cursor: Cursor, seq: u64) -> Result<(), JournalFault> {
        if self.variant == Variant::PublishesFirst && cursor == Cursor::Reserved {
            return Ok(());
        }
        self.with(|image| {
            image.cursors.insert(cursor, seq);
            image.journal.set_cursor(cursor, seq)
        })
    }

    fn keep_receipt(&mut self, receipt: &Receipt, bytes: &[u8]) -> Result<(), JournalFault> {
        self.with(|image| image.journal.keep_receipt(receipt, bytes))
    }

    fn last_receipt(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        self.with(|image| image.journal.last_receipt())
    }

    fn keep_key(&mut self, epoch: u32, pem: &str) -> Result<(), JournalFault> {
        self.with(|image| {
            image.epoch = epoch;
            image.journal.keep_key(epoch, pem)
        })
    }

    fn prune(&mut self, before: u64, before_unix_ms: i64, most: u32) -> Result<u32, JournalFault> {
        self.with(|image| image.journal.prune(before, before_unix_ms, most))
    }

    fn thin(&mut self, from: u64, most: u32) -> Result<Vec<Dropped>, JournalFault> {
        self.with(|image| image.journal.thin(from, most))
    }

    fn size_bytes(&mut self) -> Result<u64, JournalFault> {
        self.with(|image| image.journal.size_bytes())
    }
}

/// What a running gateway has done since it started. Its scribe cannot be copied, so it is led there again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Deed {
    Say(u64),
    Commit,
    Rotate(u64),
    Hear(Receipt64),
    Close,
}

/// A receipt by its place in the explorer's list.
type Receipt64 = usize;

#[derive(Clone)]
struct Life {
    found: Rc<Image>,
    began: u64,
    deeds: Vec<Deed>,
}

/// What may be done how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    says: u8,
    ends: u8,
    flushes: u8,
    receipts: u8,
    rotations: u8,
    restores: u8,
}

/// What happened, the last first; shared, since most of it is common to many worlds.
#[derive(Clone, Default)]
struct Story(Option<Rc<(String, Story)>>);

impl Story {
    fn events(&self) -> Vec<&str> {
        let mut events = Vec::new();
        let mut story = self;
        while let Some(last) = &story.0 {
            events.push(last.0.as_str());
            story = &last.1;
        }
        events.reverse();
        events
    }
}

impl std::fmt::Debug for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.events(), f)
    }
}

/// Everything that matters for what can happen next.
#[derive(Clone)]
struct World {
    life: Option<Life>,
    /// What the gateway believes it has written.
    disk: Rc<Image>,
    /// What a power cut leaves of it.
    platter: Rc<Image>,
    stolen: Option<Rc<Image>>,
    restored: bool,
    rolled_back: bool,
    published: BTreeSet<usize>,
    delivered: BTreeSet<usize>,
    head: Head,
    /// What tells this head from others, in one number.
    head_key: u64,
    receipt: Option<Receipt64>,
    /// What the authority had received when it last gave a receipt.
    receipted: BTreeMap<u64, Digest>,
    ticks: u64,
    left: Left,
    /// How it came to this.
    story: Story,
}

impl World {
    fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Some(life) = &self.life {
            // What was committed is on the disk; what was only said is not.
            let open = life.deeds.iter().rev().take_while(|deed| matches!(deed, Deed::Say(_))).count();
            (true, open, life.deeds.iter().rfind(|deed| matches!(deed, Deed::Hear(_)))).hash(&mut hasher);
            life.deeds[life.deeds.len() - open..].hash(&mut hasher);
        }
        for image in [Some(&self.disk), Some(&self.platter), self.stolen.as_ref()].into_iter().flatten() {
            image.key.hash(&mut hasher);
        }
        (self.stolen.is_some(), self.restored, self.rolled_back, &self.published, &self.delivered)
            .hash(&mut hasher);
        (self.head_key, self.receipt, self.ticks, self.left, self.receipted.len()).hash(&mut hasher);
        hasher.finish()
    }

    fn told(&self, what: impl Into<String>) -> World {
        let mut next = self.clone();
        next.story = Story(Some(Rc::new((what.into(), self.story.clone()))));
        next
    }
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    states: usize,
    /// States in which a gateway that never lied is accused.
    accused: usize,
    losses: usize,
    /// Receipted records that were replaced and delivered again.
    replaced: usize,
    /// Records replaced before anybody received them: nobody can know.
    unseen: usize,
    noticed_by_the_gateway: usize,
    audits: usize,
}

struct Explorer {
    variant: Variant,
    signatures: Signatures,
    records: RefCell<Vec<(Record, Vec<u8>)>>,
    by_hash: RefCell<BTreeMap<Digest, usize>>,
    receipts: RefCell<Vec<(Received, Vec<u8>)>>,
    /// For each set of delivered records what the head made of it: the same for every order.
    outcomes: RefCell<BTreeMap<BTreeSet<usize>, String>>,
    found: RefCell<Found>,
    shortest: RefCell<Option<Story>>,
}

impl Explorer {
    fn new(variant: Variant) -> Explorer {
        Explorer {
            variant,
            signatures: Signatures::default(),
            records: RefCell::default(),
            by_hash: RefCell::default(),
            receipts: RefCell::default(),
            outcomes: RefCell::default(),
            found: RefCell::default(),
            shortest: RefCell::default(),
        }
    }

    fn signer(&self, epoch: u32) -> Box<dyn Signer> {
        let key = Ed25519::from_seed(&seed(epoch));
        Box::new(Remembering { key, signatures: self.signatures.clone() })
    }

    /// A record of a journal, opened once however many ways lead to it.
    fn record(&self, bytes: &[u8], hash: Digest) -> usize {
        if let Some(known) = self.by_hash.borrow().get(&hash) {
            return *known;
        }
        let unverified = Unverified::read(bytes).unwrap();
        let epoch = unverified.header().key_epoch;
        let record = unverified.verify(&Ed25519::from_seed(&seed(epoch)).public_key()).unwrap();
        assert_eq!(record.hash, hash);
        let mut records = self.records.borrow_mut();
        records.push((record, bytes.to_vec()));
        self.by_hash.borrow_mut().insert(hash, records.len() - 1);
        records.len() - 1
    }

    /// What `agent::start` does: the chain goes on from the last record, with the key the journal holds.
    fn scribe(&self, image: &Image, began: u64) -> (Scribe, Arc<Mutex<Image>>) {
        let shared = Arc::new(Mutex::new(image.clone()));
        let mut paper = Paper { image: shared.clone(), before: image.clone(), variant: self.variant };
        let epoch = image.journal.key().map_or(0, |(epoch, _)| epoch);
        let chain = match paper.last().unwrap() {
            None => Chain::begin(gateway(), LogId(1), 0, self.signer(0)),
            Some(bytes) => {
                let unverified = Unverified::read(&bytes).unwrap();
                let index = self.record(&bytes, unverified.hash());
                Chain::resume(&self.records.borrow()[index].0, self.signer(epoch)).unwrap()
            }
        };
        (Scribe::begin(&at(began), chain, Box::new(paper)).unwrap(), shared)
    }

    fn lead(&self, life: &Life) -> (Scribe, Arc<Mutex<Image>>) {
        let (mut scribe, image) = self.scribe(&life.found, life.began);
        for deed in &life.deeds {
            self.act(&mut scribe, deed);
        }
        (scribe, image)
    }

    fn act(&self, scribe: &mut Scribe, deed: &Deed) {
        match deed {
            Deed::Say(tick) => scribe.write(at(*tick), beat()),
            Deed::Commit => drop(scribe.commit().unwrap()),
            Deed::Rotate(tick) => {
                let epoch = scribe.chain().key_epoch() + 1;
                let (_, pem) = signer_from_seed(scribe.chain().suite(), &seed(epoch)).unwrap();
                scribe.rotate(&at(*tick), self.signer(epoch), &pem).unwrap();
            }
            Deed::Hear(receipt) => {
                let (received, bytes) = self.receipts.borrow()[*receipt].clone();
                scribe.on_receipt(received, bytes);
                scribe.commit().unwrap();
            }
            Deed::Close => scribe.close().unwrap(),
        }
    }

    /// The world after a gateway's deed.
    fn after(&self, world: &World, deed: Deed, what: &str) -> World {
        let mut next = world.told(what);
        let life = next.life.as_mut().unwrap();
        let writes = !matches!(deed, Deed::Say(_));
        life.deeds.push(deed);
        if writes {
            let (scribe, image) = self.lead(life);
            drop(scribe);
            let image = Arc::try_unwrap(image).unwrap().into_inner().unwrap().kept();
            next.disk = image.clone();
            if self.variant.keeps_its_word() {
                next.platter = image;
            }
        }
        next
    }

    fn start(&self, world: &World) -> World {
        let mut next = world.told("start");
        next.ticks += 1;
        let began = next.ticks;
        let (scribe, image) = self.scribe(&world.disk, began);
        drop(scribe);
        let image = Arc::try_unwrap(image).unwrap().into_inner().unwrap();
        next.life = Some(Life { found: world.disk.clone(), began, deeds: Vec::new() });
        next.disk = image.kept();
        if self.variant.keeps_its_word() {
            next.platter = next.disk.clone();
        }
        next
    }

    /// The power is cut.
    fn crash(&self, world: &World) -> World {
        let mut next = world.told("power cut");
        next.left.ends -= 1;
        next.life = None;
        let mut left = (*world.platter).clone();
        if self.variant == Variant::OnlyReservationsReachThePlatter
            && let Some(reserved) = world.disk.cursors.get(&Cursor::Reserved)
        {
            left.cursors.insert(Cursor::Reserved, *reserved);
            left.journal.set_cursor(Cursor::Reserved, *reserved).unwrap();
            left.journal.commit().unwrap();
        }
        next.disk = left.kept();
        next.platter = next.disk.clone();
        next
    }

    /// The next record the uplink would send: durable as far as the gateway knows, and not on its way yet.
    fn publish(&self, world: &World) -> Option<World> {
        let mut journal = world.disk.journal.clone();
        let mut rows: Vec<Vec<u8>> = Vec::new();
        let first = world.disk.rows.iter().find(|(_, hash)| {
            self.by_hash.borrow().get(*hash).is_none_or(|index| !world.published.contains(index))
        })?;
        journal
            .read(*first.0, Class::Routine, &mut |_seq, _class, bytes| {
                rows.push(bytes.to_vec());
                false
            })
            .unwrap();
        let index = self.record(&rows[0], *first.1);
        let mut next = world.told(format!("publish {}", self.name(index)));
        next.published.insert(index);
        Some(next)
    }

    fn name(&self, index: usize) -> String {
        let records = self.records.borrow();
        let record = &records[index].0;
        format!("{} {} {:.8}", record.body.word(), record.header.seq, record.hash.to_string())
    }

    fn deliver(&self, world: &World, index: usize) -> World {
        let mut next = world.told(format!("deliver {}", self.name(index)));
        let again = !next.delivered.insert(index);
        let record = self.records.borrow()[index].0.clone();
        let arrival = next.head.take(&record);
        next.head_key = number(&format!("{:?}", next.head));
        let mut found = self.found.borrow_mut();
        let accused = matches!(arrival, Arrival::Fork { .. } | Arrival::WrongEpoch);
        let (seq, upto) = (record.header.seq, world.receipted.last_key_value().map(|(seq, _)| *seq));
        if accused && !world.restored {
            found.accused += 1;
            let mut shortest = self.shortest.borrow_mut();
            if shortest.as_ref().is_none_or(|story| story.events().len() > next.story.events().len()) {
                *shortest = Some(next.story.clone());
            }
        }
        let lost = matches!(arrival, Arrival::Amnesia { .. });
        found.losses += usize::from(lost);
        if let Some(receipted) = world.receipted.get(&seq)
            && *receipted != record.hash
        {
            assert!(world.restored || !self.variant.keeps_its_word(), "{:#?}", next.story);
            assert!(accused, "replaced unseen: {:#?}", next.story);
            found.replaced += 1;
        } else if let Body::Skip { from, .. } = record.body
            && !again
            && upto.is_some_and(|upto| (from..seq).contains(&upto))
        {
            assert!(self.variant != Variant::Honest, "an honest disk lost {from}: {:#?}", next.story);
            // A loss inside a greater one that is known already.
            let inside = arrival == Arrival::Late;
            assert!(accused || lost || inside, "a loss that nobody sees: {arrival:?} {:#?}", next.story);
        } else if world.restored && arrival == Arrival::Advanced {
            let records = self.records.borrow();
            let otherwise = |other: &Record| other.header.seq == seq && other.hash != record.hash;
            found.unseen += usize::from(world.published.iter().any(|index| otherwise(&records[*index].0)));
        }
        drop(found);
        if !world.restored && !accused {
            self.one_outcome(&next);
        }
        next
    }

    /// Whatever the order and however often: one set of records, one head.
    fn one_outcome(&self, world: &World) {
        if matches!(self.variant, Variant::PublishesFirst | Variant::DiskLies) {
            return;
        }
        let told = |head: &Head| {
            let lost: Vec<(u64, u64)> = head.lost().collect();
            format!("{:?} {:?} {:?} {lost:?}", head.head(), head.next_epoch(), head.holes(32))
        };
        let outcome = told(&world.head);
        let mut again = world.head.clone();
        for index in &world.delivered {
            let arrival = again.take(&self.records.borrow()[*index].0);
            let harmless = matches!(arrival, Arrival::Duplicate | Arrival::Forgotten | Arrival::Late);
            assert!(harmless, "said again: {arrival:?} {:#?}", world.story);
        }
        assert_eq!(told(&again), outcome, "repetition changed something: {:#?}", world.story);
        let mut outcomes = self.outcomes.borrow_mut();
        match outcomes.get(&world.delivered) {
            Some(known) => assert_eq!(*known, outcome, "order changed something: {:#?}", world.story),
            None => {
                // The verifier that reads files agrees with the head, signatures and keys included.
                let mut audit = Audit::new(&[Ed25519::from_seed(&seed(0)).public_key()]);
                let records = self.records.borrow();
                world.delivered.iter().rev().for_each(|index| audit.on_line(&records[*index].1));
                let report = audit.report();
                assert!(report.forks.is_empty(), "{:#?}", world.story);
                self.found.borrow_mut().audits += 1;
                outcomes.insert(world.delivered.clone(), outcome);
            }
        }
    }

    fn give_receipt(&self, world: &World) -> Option<World> {
        let upto = world.head.head().map(|(seq, head)| LogHead { log: LogId(1), seq, head })?;
        let known = world.receipt.map(|known| self.receipts.borrow()[known].0.receipt.upto);
        if world.left.receipts == 0 || known == Some(upto) {
            return None;
        }
        let mut next = world.told(format!("receipt for {}", upto.seq));
        next.left.receipts -= 1;
        let key_epoch = world.head.next_epoch().unwrap();
        let receipt = Receipt {
            gateway: gateway(),
            upto,
            key_epoch,
            public_key: Ed25519::from_seed(&seed(key_epoch)).public_key(),
            received_unix_ms: at(0).wall_unix_ms,
            nonce: [3; 16],
            missing: world.head.holes(32),
        };
        let mut sealer = Sealer::default();
        let hash = receipt.seal(&mut sealer, &Ed25519::from_seed(&[9; 32])).unwrap();
        let mut receipts = self.receipts.borrow_mut();
        let known = receipts.iter().position(|(known, _)| known.hash == hash);
        next.receipt = Some(known.unwrap_or_else(|| {
            receipts.push((Received { receipt, hash }, sealer.bytes().to_vec()));
            receipts.len() - 1
        }));
        for index in &world.delivered {
            let record = &self.records.borrow()[*index].0;
            if record.header.seq <= upto.seq && !world.restored {
                next.receipted.insert(record.header.seq, record.hash);
            }
        }
        Some(next)
    }

    /// The gateway hears the newest receipt, and compares it with what it has.
    fn hear(&self, world: &World) -> Option<World> {
        let (receipt, life) = world.receipt.zip(world.life.as_ref())?;
        if life.deeds.contains(&Deed::Hear(receipt)) || world.rolled_back {
            return None;
        }
        let upto = self.receipts.borrow()[receipt].0.receipt.upto;
        let heard = self.receipts.borrow()[receipt].0.receipt.clone();
        let (mut scribe, image) = self.lead(life);
        // As the scribe's thread does: what it is compared with must be as durable as what it speaks of.
        scribe.commit().unwrap();
        let rolled_back = scribe.is_rolled_back(&heard).unwrap();
        drop(scribe);
        let image = Arc::try_unwrap(image).unwrap().into_inner().unwrap();
        let contradicted = image.rows.get(&upto.seq) != Some(&upto.head);
        let behind = heard.key_epoch > image.epoch;
        assert_eq!(rolled_back, contradicted || behind, "{:#?}", world.story);
        if self.variant == Variant::Honest {
            assert!(!rolled_back, "an honest gateway thinks itself rolled back: {:#?}", world.story);
        }
        if rolled_back {
            let mut next = world.told(format!("hears receipt for {}: rolled back", upto.seq));
            // A new log begins here, and this one is not written any more.
            (next.life, next.rolled_back) = (None, true);
            self.found.borrow_mut().noticed_by_the_gateway += 1;
            return Some(next);
        }
        Some(self.after(world, Deed::Hear(receipt), &format!("hears receipt for {}", upto.seq)))
    }

    fn next(&self, world: &World) -> Vec<World> {
        let mut next = Vec::new();
        if let Some(life) = &world.life {
            let open = matches!(life.deeds.last(), Some(Deed::Say(_)));
            if world.left.says > 0 {
                let mut world = world.clone();
                world.left.says -= 1;
                world.ticks += 1;
                next.push(self.after(&world, Deed::Say(world.ticks), "say"));
            }
            if open {
                next.push(self.after(world, Deed::Commit, "commit"));
            }
            if world.left.rotations > 0 && !open {
                let mut world = world.clone();
                world.left.rotations -= 1;
                world.ticks += 1;
                next.push(self.after(&world, Deed::Rotate(world.ticks), "rotate"));
            }
            if world.left.ends > 0 {
                next.push(self.crash(world));
                let mut stopped = self.after(world, Deed::Close, "stop");
                stopped.left.ends -= 1;
                stopped.life = None;
                next.push(stopped);
            }
            next.extend(self.publish(world));
            next.extend(self.hear(world));
        } else if !world.rolled_back {
            next.push(self.start(world));
            if let Some(stolen) = &world.stolen
                && world.left.restores > 0
            {
                let mut restored = world.told("restore");
                restored.left.restores -= 1;
                restored.restored = true;
                (restored.disk, restored.platter) = (stolen.clone(), stolen.clone());
                next.push(restored);
            }
        }
        if !self.variant.keeps_its_word()
            && world.left.flushes > 0
            && world.disk.identity() != world.platter.identity()
        {
            let mut flushed = world.told("the disk flushes");
            flushed.left.flushes -= 1;
            flushed.platter = world.disk.clone();
            next.push(flushed);
        }
        if world.stolen.is_none() && world.left.restores > 0 {
            let mut copied = world.told("the adversary copies the journal");
            copied.stolen = Some(world.disk.clone());
            next.push(copied);
        }
        // What was delivered before is delivered again in `one_outcome`.
        let waiting: Vec<usize> = world.published.difference(&world.delivered).copied().collect();
        next.extend(waiting.into_iter().map(|index| self.deliver(world, index)));
        next.extend(self.give_receipt(world));
        next
    }

    /// Every world that can be reached.
    fn explore(&self, left: Left) -> Found {
        let (mut scribe, image) = self.scribe(&Image::default(), 0);
        scribe.write(at(0), genesis());
        scribe.close().unwrap();
        drop(scribe);
        let disk = Arc::try_unwrap(image).unwrap().into_inner().unwrap().kept();
        let first = World {
            life: None,
            platter: disk.clone(),
            disk,
            stolen: None,
            restored: false,
            rolled_back: false,
            published: BTreeSet::new(),
            delivered: BTreeSet::new(),
            head: Head::default(),
            head_key: 0,
            receipt: None,
            receipted: BTreeMap::new(),
            ticks: 0,
            left,
            story: Story::default(),
        };
        let mut seen = BTreeSet::from([first.key()]);
        let mut frontier = VecDeque::from([first]);
        while let Some(world) = frontier.pop_front() {
            for next in self.next(&world) {
                if seen.insert(next.key()) {
                    frontier.push_back(next);
                }
            }
        }
        let mut found = self.found.borrow_mut();
        found.states = seen.len();
        println!("{:?} {left:?}: {:?}", self.variant, *found);
        *found
    }
}

fn is_deep() -> bool {
    std::env::var("COLDHEARTH_MODEL").is_ok_and(|model| model == "deep")
}

/// The bound of the usual run, or one more of everything that may be said, and an end more.
fn bound(usual: Left, deep: Left) -> Left {
    if is_deep() { deep } else { usual }
}

const NOTHING: Left = Left { says: 0, ends: 0, flushes: 0, receipts: 0, rotations: 0, restores: 0 };

#[test]
fn variant_a_publishing_before_it_is_durable_accuses_the_honest() {
    let usual = Left { says: 2, ends: 2, flushes: 1, receipts: 1, ..NOTHING };
    let explorer = Explorer::new(Variant::PublishesFirst);
    let found = explorer.explore(bound(usual, Left { says: 3, ..usual }));
    assert!(found.accused > 0, "this check cannot fail, and so proves nothing");
    println!("shortest: {:#?}", explorer.shortest.borrow());
}

#[test]
fn variant_b_an_honest_gateway_is_never_accused() {
    let usual = Left { says: 2, ends: 1, receipts: 1, rotations: 1, ..NOTHING };
    let found = Explorer::new(Variant::Honest).explore(bound(usual, Left { ends: 2, receipts: 2, ..usual }));
    assert_eq!((found.accused, found.losses, found.replaced), (0, 0, 0));
    assert!(found.states > 1_000 && found.audits > 10);
}

#[test]
fn variant_c_without_a_reservation_that_is_kept_a_lying_disk_accuses_the_honest() {
    let usual = Left { says: 2, ends: 2, flushes: 1, receipts: 1, ..NOTHING };
    let explorer = Explorer::new(Variant::DiskLies);
    let found = explorer.explore(bound(usual, Left { says: 3, ..usual }));
    assert!(found.accused > 0);
}

#[test]
fn variant_d_with_places_reserved_a_lying_disk_accuses_nobody() {
    let usual = Left { says: 2, ends: 2, flushes: 1, receipts: 1, ..NOTHING };
    let explorer = Explorer::new(Variant::OnlyReservationsReachThePlatter);
    let found = explorer.explore(bound(usual, Left { says: 3, ..usual }));
    assert_eq!((found.accused, found.replaced), (0, 0));
    assert!(found.losses > 0 && found.noticed_by_the_gateway > 0, "what a disk lost is told: {found:?}");
}

#[test]
fn variant_e_a_receipted_record_is_never_replaced_unseen() {
    let usual = Left { says: 2, ends: 1, receipts: 1, restores: 1, ..NOTHING };
    let deep = Left { ends: 2, rotations: 1, ..usual };
    let found = Explorer::new(Variant::ImageRestored).explore(bound(usual, deep));
    assert_eq!(found.accused, 0, "nobody is accused before the restore");
    assert!(found.replaced > 0 && found.losses > 0 && found.noticed_by_the_gateway > 0, "{found:?}");
    assert!(found.unseen > 0, "what nobody received can be replaced: that is the limit");
    // The same across a change of keys, which the restored image does not know of.
    let rotated = Left { says: 1, rotations: 1, ..usual };
    let found = Explorer::new(Variant::ImageRestored).explore(rotated);
    assert_eq!(found.accused, 0);
    assert!(found.replaced > 0 && found.noticed_by_the_gateway > 0, "{found:?}");
}

/// The model says too little to use up a reservation; here one is used up twice, and the power goes after each commit.
#[test]
fn no_place_is_used_twice_however_far_a_reservation_is_used_up() {
    let explorer = Explorer::new(Variant::OnlyReservationsReachThePlatter);
    for group in [1, 99, RESERVE / 2 - 1, RESERVE / 2, RESERVE - 1, RESERVE, RESERVE + 1, 2 * RESERVE] {
        let (mut scribe, image) = explorer.scribe(&Image::default(), 0);
        scribe.write(at(0), genesis());
        scribe.commit().unwrap();
        let flushed = image.lock().unwrap().clone();
        let mut tick = 0;
        while scribe.chain().next_seq() < 2 * RESERVE + 10 {
            for _ in 0..group {
                tick += 1;
                scribe.write(at(tick), beat());
            }
            // The reservation that the platter has is the one made before this commit, at the latest within it.
            let reserved = image.lock().unwrap().cursors[&Cursor::Reserved];
            let places = scribe.commit().unwrap();
            let now = image.lock().unwrap().cursors[&Cursor::Reserved];
            assert!(
                places <= now && (places <= reserved || group > RESERVE / 2),
                "{group}: {places} {reserved} {now}"
            );
            let mut left = flushed.clone();
            left.cursors.insert(Cursor::Reserved, now);
            left.journal.set_cursor(Cursor::Reserved, now).unwrap();
            left.journal.commit().unwrap();
            let (again, _) = explorer.scribe(&left, tick);
            assert!(
                again.chain().next_seq() > places,
                "{group}: a place before {places} would be used again"
            );
        }
    }
}
