//! The disk under a journal: it may be full, fail at any byte, or lie about what it kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use coldhearth::{
    evidence::{
        Class, Dropped, Journal, JournalFault, MemoryJournal, Receipt, Sealed,
        journal::{Cursor, Each},
    },
    terms::Digest,
};

/// What outlives a gateway.
#[derive(Debug, Default)]
pub(crate) struct Image {
    pub(crate) journal: MemoryJournal,
    /// Hashes of what would survive a power cut, by place.
    pub(crate) durable: BTreeMap<u64, Digest>,
    written: BTreeMap<u64, Digest>,
    /// Nothing more fits.
    pub(crate) full: bool,
    /// Rows that were given up and make room.
    room: u32,
    /// Commits are acknowledged and never made.
    pub(crate) lies: bool,
    /// The power goes after so many writes; `true`: if it goes with a commit, that has happened.
    pub(crate) fuse: Option<(u32, bool)>,
    /// Places that were removed on purpose.
    pub(crate) removed: u64,
}

impl Image {
    /// The power was cut, or the process ended: what was not committed is gone.
    pub(crate) fn crash(&mut self) {
        self.journal.crash();
        self.written = self.durable.clone();
        self.fuse = None;
    }

    /// Nothing more fits from now on.
    pub(crate) fn fill(&mut self) {
        (self.full, self.room) = (true, 0);
    }

    /// One write less until the power goes; whether it goes now.
    fn burns(&mut self) -> bool {
        if let Some((left, _)) = &mut self.fuse {
            *left = left.saturating_sub(1);
            return *left == 0;
        }
        false
    }

    fn write(&mut self) -> Result<(), JournalFault> {
        if self.burns() { Err(JournalFault::Broken) } else { Ok(()) }
    }

    fn keep(&mut self) -> Result<(), JournalFault> {
        self.durable = self.written.clone();
        self.journal.commit()
    }
}

pub(crate) type Disk = Arc<Mutex<Image>>;

/// The journal a scribe writes to.
pub(crate) struct Paper(pub(crate) Disk);

impl Paper {
    fn with<T>(&mut self, act: impl FnOnce(&mut Image) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }
}

impl Journal for Paper {
    fn append(&mut self, sealed: &Sealed<'_>) -> Result<(), JournalFault> {
        self.with(|image| {
            image.write()?;
            if image.full && image.room == 0 {
                return Err(JournalFault::Full);
            }
            image.room = image.room.saturating_sub(1);
            image.written.insert(sealed.seq, sealed.hash);
            image.journal.append(sealed)
        })
    }

    fn commit(&mut self) -> Result<(), JournalFault> {
        self.with(|image| {
            if image.burns() {
                if let Some((_, true)) = image.fuse {
                    image.keep()?;
                }
                return Err(JournalFault::Broken);
            }
            if image.lies { Ok(()) } else { image.keep() }
        })
    }

    fn take_back(&mut self) {
        self.with(|image| {
            image.journal.take_back();
            image.written = image.durable.clone();
        });
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
        self.with(|image| {
            image.write()?;
            image.journal.set_cursor(cursor, seq)
        })
    }

    fn keep_receipt(&mut self, receipt: &Receipt, bytes: &[u8]) -> Result<(), JournalFault> {
        self.with(|image| {
            image.write()?;
            image.journal.keep_receipt(receipt, bytes)
        })
    }

    fn last_receipt(&mut self) -> Result<Option<Vec<u8>>, JournalFault> {
        self.with(|image| image.journal.last_receipt())
    }

    fn keep_key(&mut self, epoch: u32, pem: &str) -> Result<(), JournalFault> {
        self.with(|image| {
            image.write()?;
            image.journal.keep_key(epoch, pem)
        })
    }

    fn prune(&mut self, before: u64, before_unix_ms: i64, most: u32) -> Result<u32, JournalFault> {
        self.with(|image| {
            let gone = image.journal.prune(before, before_unix_ms, most)?;
            image.room += gone;
            image.removed += u64::from(gone);
            Ok(gone)
        })
    }

    fn thin(&mut self, from: u64, most: u32) -> Result<Vec<Dropped>, JournalFault> {
        self.with(|image| {
            let gone = image.journal.thin(from, most)?;
            let rows: u64 = gone.iter().map(|range| range.to - range.from + 1).sum();
            image.room += u32::try_from(rows).unwrap();
            image.removed += rows;
            Ok(gone)
        })
    }

    fn size_bytes(&mut self) -> Result<u64, JournalFault> {
        self.with(|image| image.journal.size_bytes())
    }
}
