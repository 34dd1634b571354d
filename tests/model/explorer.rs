//! Every way from one world to the next, up to a bound.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use super::{
    paper::{Image, Paper, Remembering, Signatures, Variant, at, beat, gateway, genesis, number, seed},
    world::{Deed, Left, Life, Story, World},
};
use coldhearth::{
    evidence::{
        Arrival, Audit, Body, Chain, Class, Ed25519, Head, Journal, LogHead, LogId, Receipt, Received,
        Record, Scribe, Sealer, Signer, journal::Cursor, record::Unverified, suite::signer_from_seed,
    },
    terms::Digest,
};

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) states: usize,
    /// States in which a gateway that never lied is accused.
    pub(super) accused: usize,
    pub(super) losses: usize,
    /// Receipted records that were replaced and delivered again.
    pub(super) replaced: usize,
    /// Records replaced before anybody received them: nobody can know.
    pub(super) unseen: usize,
    pub(super) noticed_by_the_gateway: usize,
    pub(super) audits: usize,
}

pub(super) struct Explorer {
    pub(super) variant: Variant,
    pub(super) signatures: Signatures,
    pub(super) records: RefCell<Vec<(Record, Vec<u8>)>>,
    pub(super) by_hash: RefCell<BTreeMap<Digest, usize>>,
    pub(super) receipts: RefCell<Vec<(Received, Vec<u8>)>>,
    /// For each set of delivered records what the head made of it: the same for every order.
    pub(super) outcomes: RefCell<BTreeMap<BTreeSet<usize>, String>>,
    pub(super) found: RefCell<Found>,
    pub(super) shortest: RefCell<Option<Story>>,
}

impl Explorer {
    pub(super) fn new(variant: Variant) -> Explorer {
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

    pub(super) fn signer(&self, epoch: u32) -> Box<dyn Signer> {
        let key = Ed25519::from_seed(&seed(epoch));
        Box::new(Remembering { key, signatures: self.signatures.clone() })
    }

    /// A record of a journal, opened once however many ways lead to it.
    pub(super) fn record(&self, bytes: &[u8], hash: Digest) -> usize {
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
    pub(super) fn scribe(&self, image: &Image, began: u64) -> (Scribe, Arc<Mutex<Image>>) {
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

    pub(super) fn lead(&self, life: &Life) -> (Scribe, Arc<Mutex<Image>>) {
        let (mut scribe, image) = self.scribe(&life.found, life.began);
        for deed in &life.deeds {
            self.act(&mut scribe, deed);
        }
        (scribe, image)
    }

    pub(super) fn act(&self, scribe: &mut Scribe, deed: &Deed) {
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
    pub(super) fn after(&self, world: &World, deed: Deed, what: &str) -> World {
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

    pub(super) fn start(&self, world: &World) -> World {
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
    pub(super) fn crash(&self, world: &World) -> World {
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
    pub(super) fn publish(&self, world: &World) -> Option<World> {
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

    pub(super) fn name(&self, index: usize) -> String {
        let records = self.records.borrow();
        let record = &records[index].0;
        format!("{} {} {:.8}", record.body.word(), record.header.seq, record.hash.to_string())
    }

    pub(super) fn deliver(&self, world: &World, index: usize) -> World {
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
    pub(super) fn one_outcome(&self, world: &World) {
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

    pub(super) fn give_receipt(&self, world: &World) -> Option<World> {
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
    pub(super) fn hear(&self, world: &World) -> Option<World> {
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

    pub(super) fn next(&self, world: &World) -> Vec<World> {
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
    pub(super) fn explore(&self, left: Left) -> Found {
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
