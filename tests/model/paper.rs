//! A journal on paper, which may lie about what it kept, and signatures that are remembered.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    sync::{Arc, Mutex},
};

use coldhearth::{
    evidence::{
        Body, Checkpoint, Class, Dropped, Ed25519, Genesis, Journal, JournalFault, MemoryJournal, PublicKey,
        Receipt, Sealed, Signer,
        journal::{Cursor, Each},
    },
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};

/// Signatures made before: the same bytes are signed over and over on different ways.
pub(super) type Signatures = Arc<Mutex<BTreeMap<Digest, [u8; 64]>>>;

pub(super) struct Remembering {
    pub(super) key: Ed25519,
    pub(super) signatures: Signatures,
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

pub(super) fn seed(epoch: u32) -> [u8; 32] {
    [7 + u8::try_from(epoch).unwrap(); 32]
}

pub(super) fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

pub(super) fn at(tick: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + tick.cast_signed();
    Stamp { wall_unix_ms, uptime_ms: tick, boot: 1, clock: ClockQuality::Ntp, error_ms: 40 }
}

pub(super) fn genesis() -> Body {
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

pub(super) fn beat() -> Body {
    Body::Checkpoint(Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 })
}

/// What is wrong with the gateway or its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    PublishesFirst,
    Honest,
    DiskLies,
    OnlyReservationsReachThePlatter,
    ImageRestored,
}

impl Variant {
    /// Whether what is committed is safe at once.
    pub(super) fn keeps_its_word(self) -> bool {
        matches!(self, Variant::Honest | Variant::ImageRestored)
    }
}

pub(super) fn number(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// What a disk holds: a real journal, and what tells one from another without reading it.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) journal: MemoryJournal,
    pub(super) rows: BTreeMap<u64, Digest>,
    pub(super) cursors: BTreeMap<Cursor, u64>,
    pub(super) epoch: u32,
    /// What tells it from others, in one number.
    pub(super) key: u64,
}

impl Image {
    pub(super) fn kept(mut self) -> Rc<Image> {
        self.key = number(&format!("{:?}", self.identity()));
        Rc::new(self)
    }

    pub(super) fn identity(&self) -> (&BTreeMap<u64, Digest>, &BTreeMap<Cursor, u64>, u32) {
        (&self.rows, &self.cursors, self.epoch)
    }
}

/// The journal a scribe writes to: an image that outlives it.
pub(super) struct Paper {
    pub(super) image: Arc<Mutex<Image>>,
    pub(super) before: Image,
    pub(super) variant: Variant,
}

impl Paper {
    pub(super) fn with<T>(&mut self, act: impl FnOnce(&mut Image) -> T) -> T {
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
