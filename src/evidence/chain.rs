//! The chain of one log: sequence, link to the record before, epoch of the key. The only writer of records.

use super::{
    body::{Body, Class},
    canonical::{MAX_WHOLE, Unwritable},
    continuity::Rotation,
    record::{Header, LogId, Record},
    seal::Sealer,
    suite::{Signer, Suite},
    write,
};
use crate::terms::{Digest, GatewayId, Name, Stamp};

/// A record ready to be stored and sent.
#[derive(Debug)]
pub struct Sealed<'a> {
    /// Place in the log.
    pub seq: u64,
    /// How urgent it is.
    pub class: Class,
    /// The word in `type`.
    pub kind: &'static str,
    /// The meter or equipment it is about.
    pub subject: Option<Name>,
    /// Claimed time, Unix milliseconds.
    pub wall_unix_ms: i64,
    /// Hash of its signed bytes.
    pub hash: Digest,
    /// The bytes that travel.
    pub bytes: &'a [u8],
}

/// What the next record follows.
#[derive(Clone, Copy, Debug)]
struct End {
    seq: u64,
    prev: Digest,
    receipt: Option<Digest>,
    key_epoch: u32,
}

/// Who writes, and what the next record follows. What was sealed may be taken back until it is settled.
pub struct Chain {
    gateway: GatewayId,
    log: LogId,
    end: End,
    settled: End,
    signer: Box<dyn Signer>,
    /// The key before a rotation that is not settled yet.
    retired: Option<Box<dyn Signer>>,
    sealer: Sealer,
}

impl Chain {
    /// A new log. The caller brings the 64 random bits that name it, and says which epoch its key is of.
    pub fn begin(gateway: GatewayId, log: LogId, key_epoch: u32, signer: Box<dyn Signer>) -> Chain {
        Chain::at(gateway, log, End { seq: 0, prev: Digest::ZERO, receipt: None, key_epoch }, signer)
    }

    /// Goes on after the last record of a log; `None` if this key may not sign the next.
    pub fn resume(last: &Record, signer: Box<dyn Signer>) -> Option<Chain> {
        let Header { gateway, log, seq, key_epoch, key_id, receipt, .. } = last.header;
        let (key_epoch, expected) = if let Body::Rotation(rotation) = &last.body {
            (rotation.next_epoch, rotation.public_key.id())
        } else {
            (key_epoch, key_id)
        };
        let end = End { seq: seq.checked_add(1)?, prev: last.hash, receipt, key_epoch };
        (signer.public_key().id() == expected).then(|| Chain::at(gateway, log, end, signer))
    }

    fn at(gateway: GatewayId, log: LogId, end: End, signer: Box<dyn Signer>) -> Chain {
        Chain { gateway, log, end, settled: end, signer, retired: None, sealer: Sealer::default() }
    }

    /// Which log this is.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// Whose log.
    pub fn gateway(&self) -> GatewayId {
        self.gateway
    }

    /// How this log is signed and hashed, for good.
    pub fn suite(&self) -> Suite {
        self.signer.public_key().suite()
    }

    /// Place of the next record.
    pub fn next_seq(&self) -> u64 {
        self.end.seq
    }

    /// Epoch of the key that signs the next record.
    pub fn key_epoch(&self) -> u32 {
        self.end.key_epoch
    }

    /// Every record from here on names this receipt.
    pub fn on_receipt(&mut self, receipt: Digest) {
        self.end.receipt = Some(receipt);
    }

    /// What was sealed is durable and stays.
    pub fn settle(&mut self) {
        self.settled = self.end;
        self.retired = None;
    }

    /// What was sealed since [`Chain::settle`] was lost and never left: it will be said again, at the same places.
    pub fn take_back(&mut self) {
        self.end = self.settled;
        if let Some(retired) = self.retired.take() {
            self.signer = retired;
        }
    }

    /// Seals what is to be said next.
    ///
    /// # Errors
    /// The body cannot be written canonically, which is a defect of the program; the chain stays where it is.
    pub fn seal(&mut self, at: &Stamp, body: &Body) -> Result<Sealed<'_>, Unwritable> {
        let Chain { gateway, log, end, .. } = *self;
        let hash = self.sealer.seal(&*self.signer, |object| {
            object
                .text("type", body.word())
                .shown("gateway_id", gateway)
                .shown("log_id", log)
                .count("seq", end.seq)
                .shown("prev", end.prev)
                .whole("wall_unix_ms", at.wall_unix_ms)
                .text("clock", at.clock.word())
                .count("clock_err_ms", u64::from(at.error_ms))
                .count("uptime_ms", at.uptime_ms)
                .count("boot_count", u64::from(at.boot))
                .count("key_epoch", u64::from(end.key_epoch));
            match end.receipt {
                Some(receipt) => object.shown("receipt", receipt),
                None => object.text("receipt", ""),
            };
            write::body(object, body);
        })?;
        self.end.seq += 1;
        self.end.prev = hash;
        Ok(Sealed {
            seq: end.seq,
            class: body.class(),
            kind: body.shelf(),
            subject: body.subject(),
            wall_unix_ms: at.wall_unix_ms,
            hash,
            bytes: self.sealer.bytes(),
        })
    }

    /// Seals a `skip` at `place`: everything between was reserved and never used, or lost by a disk.
    ///
    /// # Errors
    /// `place` is not ahead, or the record cannot be written.
    pub fn skip_to(&mut self, at: &Stamp, place: u64) -> Result<Sealed<'_>, Unwritable> {
        let from = self.end.seq;
        let to = place.checked_sub(1).filter(|to| *to >= from).ok_or(Unwritable::Number)?;
        if i64::try_from(place).map_or(true, |place| place > MAX_WHOLE) {
            return Err(Unwritable::Number);
        }
        self.end.seq = place;
        self.seal(at, &Body::Skip { from, to })
    }

    /// Certifies the next key with the present one; every later record is the next key's.
    ///
    /// # Errors
    /// The record cannot be written; the key stays.
    pub fn rotate(&mut self, at: &Stamp, next: Box<dyn Signer>) -> Result<Sealed<'_>, Unwritable> {
        let next_epoch = self.end.key_epoch.checked_add(1).ok_or(Unwritable::Number)?;
        let rotation = Rotation { next_epoch, public_key: next.public_key() };
        let end = self.end;
        let sealed = self.seal(at, &Body::Rotation(rotation))?;
        let (seq, class, kind, subject, wall_unix_ms, hash) =
            (sealed.seq, sealed.class, sealed.kind, sealed.subject, sealed.wall_unix_ms, sealed.hash);
        self.end = End { seq: end.seq + 1, prev: hash, key_epoch: next_epoch, ..end };
        self.retired = Some(std::mem::replace(&mut self.signer, next));
        Ok(Sealed { seq, class, kind, subject, wall_unix_ms, hash, bytes: self.sealer.bytes() })
    }
}
