//! A gateway's log without a gateway: records that are signed and chained, and say little.

use coldhearth::{
    evidence::{Body, Chain, Checkpoint, Ed25519, Genesis, LogHead, LogId, PublicKey, Signer as _},
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};

pub const TOPIC: &str = "coldhearth/v1/13/04/21/91350100M000100Y43/gw-03/_/attest";
pub const NOW: i64 = 1_795_000_000_000;

pub fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

pub fn at(second: u64) -> Stamp {
    let uptime_ms = second * 1_000;
    Stamp {
        wall_unix_ms: NOW + uptime_ms.cast_signed(),
        uptime_ms,
        boot: 1,
        clock: ClockQuality::Rtc,
        error_ms: 0,
    }
}

pub fn beat() -> Body {
    Body::Checkpoint(Checkpoint { entries: 0, reads_ok: 1, reads_failed: 0, first_unreceipted_seq: 0 })
}

pub fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

pub fn key_of(seed: u8) -> PublicKey {
    key(seed).public_key()
}

/// A log that can be gone on with.
pub struct Voice {
    pub chain: Chain,
    second: u64,
    division: &'static str,
}

impl Voice {
    pub fn new(log: u64, epoch: u32, seed: u8) -> Voice {
        Voice::of(gateway(), "130421", (log, epoch, seed))
    }

    /// A log of a gateway in a county.
    pub fn of(gateway: GatewayId, division: &'static str, (log, epoch, seed): (u64, u32, u8)) -> Voice {
        Voice { chain: Chain::begin(gateway, LogId(log), epoch, Box::new(key(seed))), second: 0, division }
    }

    /// What is said next is said at this second.
    pub fn wait_until(&mut self, second: u64) {
        self.second = second - 1;
    }

    pub fn say(&mut self, body: &Body) -> Vec<u8> {
        self.second += 1;
        self.chain.seal(&at(self.second), body).unwrap().bytes.to_vec()
    }

    pub fn genesis(&mut self, seed: u8, continues: Option<LogHead>) -> Vec<u8> {
        let genesis = Genesis {
            public_key: key(seed).public_key(),
            division: Division::parse(self.division).unwrap(),
            enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
            software: "coldhearth 0.1.0".into(),
            config: Digest::of(b"config"),
            profiles: Vec::new(),
            continues,
        };
        self.say(&Body::Genesis(genesis))
    }

    pub fn rotate(&mut self, seed: u8) -> Vec<u8> {
        self.second += 1;
        self.chain.rotate(&at(self.second), Box::new(key(seed))).unwrap().bytes.to_vec()
    }
}
