//! A plant on paper: what its gateway says in a year, without meters, sockets or waiting.

use coldhearth::{
    catalogue::{Phase, Standing},
    evidence::{
        Body, Boot, Chain, Checkpoint, Ed25519, Genesis, LogHead, LogId, Receipt, Sealer, Signer as _,
    },
    judge::{
        Finding, Grounds, Inspections, Interval, Mark, Parameters, Shares, SignSet, State, Verdict,
        VoltagePoint, Window, Windows,
    },
    metering::Register,
    terms::{
        AssetId, ClockQuality, Digest, GatewayId, LegalDay, MeterId, MilliWatts, Name, Stamp, WattHours,
        place::{CreditCode, Division},
    },
};

/// Intervals of a quarter of an hour in a year.
pub const YEAR: u64 = 35_040;
/// Intervals of a quarter of an hour in seven days.
pub const WEEK: u64 = 672;
/// Seed of the authority's key.
const AUTHORITY: [u8; 32] = [9; 32];

/// What happens next at the gateway.
#[expect(clippy::large_enum_variant, reason = "made and taken one by one")]
pub enum Step {
    /// It says something.
    Say(Stamp, Body),
    /// Its key is replaced by this one.
    Rotate(Stamp, Ed25519),
    /// The authority receipts everything so far.
    Receipt(Stamp),
}

/// The gateway that says it.
pub fn gateway() -> GatewayId {
    GatewayId::new("gw-test").unwrap()
}

/// The key of an epoch.
pub fn key(epoch: u64) -> Ed25519 {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&epoch.to_be_bytes());
    Ed25519::from_seed(&seed)
}

/// The authority's key.
pub fn authority() -> Ed25519 {
    Ed25519::from_seed(&AUTHORITY)
}

/// The log before its first record.
pub fn chain() -> Chain {
    Chain::begin(gateway(), LogId(0x3f1c_9a70_e2b8_4d15), 0, Box::new(key(0)))
}

/// A moment so many seconds after the beginning.
pub fn at(second: u64) -> Stamp {
    let uptime_ms = second * 1_000;
    Stamp {
        wall_unix_ms: 1_767_225_600_000 + uptime_ms.cast_signed(),
        uptime_ms,
        boot: 1,
        clock: ClockQuality::Ntp,
        error_ms: 40,
    }
}

/// The receipt that covers a place, and its bytes.
pub fn receipt(
    at: &Stamp,
    chain: &Chain,
    (seq, head): (u64, Digest),
    epoch: u64,
) -> (Receipt, Digest, Vec<u8>) {
    let mut nonce = [3; 16];
    nonce[..8].copy_from_slice(&seq.to_be_bytes());
    let receipt = Receipt {
        gateway: chain.gateway(),
        upto: LogHead { log: chain.log(), seq, head },
        key_epoch: chain.key_epoch(),
        public_key: key(epoch).public_key(),
        received_unix_ms: at.wall_unix_ms,
        nonce,
        missing: Vec::new(),
    };
    let mut sealer = Sealer::default();
    let hash = receipt.seal(&mut sealer, &authority()).unwrap();
    (receipt, hash, sealer.bytes().to_vec())
}

/// All that is said in so many intervals by so many points: for each an interval and a verdict every quarter of an
/// hour, a checkpoint and a receipt every five minutes, a new key every hour.
pub fn steps(points: usize, intervals: u64) -> impl Iterator<Item = Step> {
    let beginning = [Step::Say(at(0), genesis()), Step::Say(at(0), boot())];
    beginning.into_iter().chain((0..intervals).flat_map(move |interval| {
        let begin = interval * 900;
        let beats = [300, 600, 900].into_iter().flat_map(move |second| {
            let beat = Checkpoint { entries: 0, reads_ok: 300, reads_failed: 0, first_unreceipted_seq: 0 };
            [Step::Say(at(begin + second), Body::Checkpoint(beat)), Step::Receipt(at(begin + second))]
        });
        let said = (0..points).flat_map(move |point| {
            let said = [Finding::Interval(quarter(point, begin)), Finding::Verdict(verdict(point, begin))];
            said.map(|finding| Step::Say(at(begin + 900), Body::Finding(finding)))
        });
        let rotation = (interval % 4 == 3).then(|| Step::Rotate(at(begin + 900), key(interval / 4 + 1)));
        beats.chain(said).chain(rotation)
    }))
}

fn genesis() -> Body {
    Body::Genesis(Genesis {
        public_key: key(0).public_key(),
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: vec![(Name::new("janitza-19000").unwrap(), Digest::of(b"profile"))],
        continues: None,
    })
}

fn boot() -> Body {
    Body::Boot(Boot {
        boot_id: "3f1c9a70-e2b8-4d15-9c00-000000000001".into(),
        machine_rebooted: true,
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        dark: None,
    })
}

fn mark(second: u64) -> Mark {
    let register = Register {
        energy: WattHours(918_273_645_000 + second.cast_signed()),
        step: WattHours(2_100),
        modulus: Some(WattHours(42_949_672_960_000)),
        raw: 0x0001_F00D + second,
        raw_words: 2,
    };
    Mark { at: at(second), register }
}

fn quarter(point: usize, begin: u64) -> Interval {
    let window = |since| Window { since: at(since), moved: WattHours(25) };
    Interval {
        meter: MeterId::new(&format!("eaf-{point}-feeder")).unwrap(),
        asset: AssetId::new(&format!("eaf-{point}")).unwrap(),
        start: at(begin),
        end: at(begin + 900),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        late_bridged_ms: 0,
        energy: Some(WattHours(0)),
        bound: WattHours(12_000),
        reads_ok: 900,
        reads_failed: 0,
        before: Some(mark(begin)),
        after: Some(mark(begin + 900)),
        windows: Some(Windows {
            interval: window(begin),
            day: window(begin - begin % 86_400),
            month: window(0),
        }),
        fingerprint: Some(Digest::of(b"meter")),
        commissioning: Some(Digest::of(b"commissioning")),
        plate: Some(Digest::of(b"plate")),
    }
}

fn verdict(point: usize, begin: u64) -> Verdict {
    Verdict {
        asset: AssetId::new(&format!("eaf-{point}")).unwrap(),
        state: State::Dead,
        since: at(0),
        standing: Standing::declared(LegalDay::parse("2011-09-30")),
        phase: Some(Phase::Overdue),
        violation_since_unix_ms: None,
        energy_overdue: WattHours(begin.cast_signed() / 1_000),
        energy_closed: WattHours(0),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: Some(Digest::of(b"plate")),
        permit: None,
        signs: SignSet::default(),
        grounds: Some(Grounds {
            floor: MilliWatts::from_watts(242_487),
            register_floor: WattHours(4_200),
            error_ppm: 8_661,
            bound: WattHours(begin.cast_signed() / 1_000 + 12_000),
            voltage_point: Some(VoltagePoint::Load),
            inspect: Inspections::default(),
            meter: Some(Digest::of(b"meter")),
            commissioning: Digest::of(b"commissioning"),
            corroboration: None,
            parameters: Parameters::of(1_000),
        }),
    }
}
