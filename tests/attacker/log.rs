//! A log as its gateway, or somebody with its key, writes it, and those who read it.

use coldhearth::{
    evidence::{
        Audit, Body, Chain, Checkpoint, Ed25519, Follower, Genesis, Head, LogHead, LogId, PublicKey, Receipt,
        Record, Report, Sealer, Signer as _,
        follow::{Origin, Place, Seen},
        record::Unverified,
    },
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};

pub(super) const WALL_MS: i64 = 1_795_000_000_000;

pub(super) fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

pub(super) fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

pub(super) fn authority() -> Ed25519 {
    key(9)
}

pub(super) fn at(second: u64) -> Stamp {
    let wall_unix_ms = WALL_MS + (second * 1_000).cast_signed();
    Stamp { wall_unix_ms, uptime_ms: second * 1_000, boot: 1, clock: ClockQuality::Ntp, error_ms: 40 }
}

pub(super) fn beat(entries: u64) -> Body {
    Body::Checkpoint(Checkpoint { entries, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 })
}

/// A log as its gateway, or somebody with its key, writes it.
pub(super) struct Log {
    pub(super) chain: Chain,
    pub(super) lines: Vec<Vec<u8>>,
}

impl Log {
    pub(super) fn begin(id: u64, whose: GatewayId, epoch: u32, seed: u8, continues: Option<LogHead>) -> Log {
        let mut log =
            Log { chain: Chain::begin(whose, LogId(id), epoch, Box::new(key(seed))), lines: Vec::new() };
        log.say(&Body::Genesis(Genesis {
            public_key: key(seed).public_key(),
            division: Division::parse("130421").unwrap(),
            enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
            software: "somebody".into(),
            config: Digest::of(b"config"),
            profiles: Vec::new(),
            continues,
        }));
        log
    }

    /// The honest gateway's log with so many records.
    pub(super) fn of(records: u64) -> Log {
        let mut log = Log::begin(1, gateway(), 0, 7, None);
        (1..records).for_each(|n| log.beat(n));
        log
    }

    /// Goes on behind a record with a key, if the chain lets it.
    pub(super) fn after(line: &[u8], signed_by: u8, seed: u8) -> Log {
        let mut record = opened(line, signed_by);
        record.header.key_id = key(seed).public_key().id();
        Log { chain: Chain::resume(&record, Box::new(key(seed))).unwrap(), lines: Vec::new() }
    }

    pub(super) fn say(&mut self, body: &Body) {
        self.say_at(&at(self.chain.next_seq()), body);
    }

    pub(super) fn say_at(&mut self, at: &Stamp, body: &Body) {
        let line = self.chain.seal(at, body).unwrap().bytes.to_vec();
        self.lines.push(line);
    }

    pub(super) fn beat(&mut self, entries: u64) {
        self.say(&beat(entries));
    }

    pub(super) fn rotate(&mut self, seed: u8) {
        let line = self.chain.rotate(&at(self.chain.next_seq()), Box::new(key(seed))).unwrap().bytes.to_vec();
        self.lines.push(line);
    }
}

pub(super) fn opened(line: &[u8], seed: u8) -> Record {
    Unverified::read(line).unwrap().verify(&key(seed).public_key()).unwrap()
}

/// What the authority says it has, of a log up to a line signed with this key.
pub(super) fn receipt(line: &[u8], seed: u8, second: u64) -> Receipt {
    let record = opened(line, seed);
    let header = record.header;
    Receipt {
        gateway: header.gateway,
        upto: LogHead { log: header.log, seq: header.seq, head: record.hash },
        key_epoch: header.key_epoch,
        public_key: key(seed).public_key(),
        received_unix_ms: at(second).wall_unix_ms,
        nonce: [3; 16],
        missing: Vec::new(),
    }
}

pub(super) fn sealed(receipt: &Receipt, by: &Ed25519) -> (Digest, Vec<u8>) {
    let mut sealer = Sealer::default();
    let hash = receipt.seal(&mut sealer, by).unwrap();
    (hash, sealer.bytes().to_vec())
}

/// An auditor who was given the gateway's key and the authority's.
pub(super) fn audit<'a>(lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Report {
    audit_under(&[key(7).public_key(), authority().public_key()], lines)
}

pub(super) fn audit_under<'a>(trusted: &[PublicKey], lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Report {
    let mut audit = Audit::new(trusted);
    lines.into_iter().for_each(|line| audit.on_line(line));
    audit.report()
}

pub(super) fn collector() -> Follower {
    Follower::from_the_beginning(&[key(7).public_key()])
}

/// What a listener makes of a message that comes in its place, and of whatever that releases.
pub(super) fn hears(follower: &mut Follower, line: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let origin = Origin { in_chain: true, number: 0 };
    follower.on_message(line, origin, &mut |what, _, _| seen.push(what));
    seen
}

pub(super) fn proven(seen: &[Seen]) -> bool {
    matches!(seen, [Seen::Record(_, Place::Proven)])
}

pub(super) fn head_of(follower: &Follower, log: u64) -> Option<(u64, Digest)> {
    follower.heads().get(&(gateway(), LogId(log))).and_then(Head::head)
}
