//! The steady state allocates nothing: schedule, decode, judge, seal; 100,000 polls of an incomer and two feeders.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

use coldhearth::{
    catalogue::Standing,
    evidence::{Act, Body, Chain, Ed25519, LogId, Sealer},
    judge::{
        Commissioned, Equipment, Event, Fact, Finding, Floor, Group, Losses, Memory, OrderAct, Site,
        VoltagePoint, Wiring,
    },
    metering::{
        Fault, MeterPoint, Next, Profile, Question, Reply, Sample, Schedule, ask::DeviceIdPart,
        decode::Declared,
    },
    terms::{
        AssetId, ClockQuality, GatewayId, LegalDay, MeterId, MilliVolts, MilliWatts, Name, Ratio, Stamp,
    },
};
use coldhearth_sim::{Change, Feeder, FeederIndex, Load, Plant, SimMeter};
use serde_json::json;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// Whether the program is at work, and not the plant around it.
    static COUNTS: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Counting must not allocate; a thread that is ending counts no more.
        let counts = COUNTS.try_with(Cell::get).unwrap_or(false);
        let _ending = ALLOCATIONS.try_with(|count| count.set(count.get() + u64::from(counts)));
        // SAFETY: as called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as called.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Does something of the program's own.
fn counted<T>(work: impl FnOnce() -> T) -> T {
    COUNTS.set(true);
    let done = work();
    COUNTS.set(false);
    done
}

const NOMINAL: MilliVolts = MilliVolts(35_000_000);
/// The incomer and its feeders, by Modbus unit from 1 on. The last one cannot say who it is.
const METERS: [&str; 3] = ["incomer", "eaf-1", "eaf-2"];

fn meter(id: &str) -> MeterId {
    MeterId::new(id).unwrap()
}

fn site() -> Site {
    let terms = |id: &str| {
        let floor = Floor::of(Wiring::FourWire, 400, NOMINAL, 2_000);
        let rated = MilliWatts::from_watts(12_500_000);
        let serves = if id == "incomer" { vec!["eaf-1", "eaf-2"] } else { vec![id] };
        Commissioned {
            serves: serves.into_iter().map(|asset| AssetId::new(asset).unwrap()).collect(),
            section: Name::new("bus-1"),
            ..Commissioned::process_feeder(meter(id), AssetId::new("eaf-1").unwrap(), NOMINAL, rated, floor)
        }
    };
    let standing = Standing::declared(LegalDay::parse("2011-12-31"));
    let equipment = |id: &&str| Equipment { id: AssetId::new(id).unwrap(), standing };
    let group = Group {
        id: Name::new("bus-1").unwrap(),
        incomers: Box::new([meter("incomer")]),
        feeders: Box::new([meter("eaf-1"), meter("eaf-2")]),
        losses: Losses::default(),
        coupler: None,
    };
    let site = Site::new(
        METERS.iter().map(|id| terms(id)).collect(),
        METERS[1..].iter().map(equipment).collect(),
        &Memory::default(),
    );
    site.balancing(vec![group])
}

fn schedule(profile: &Arc<Profile>) -> Schedule {
    let declared = Declared { ct: Ratio::new(400, 5), pt: None };
    let points = METERS.iter().zip(1..).map(|(id, unit)| MeterPoint {
        meter: meter(id),
        unit,
        profile: profile.clone(),
        declared,
        period_ms: 1_000,
        timeout_ms: None,
    });
    Schedule::new(points.collect(), vec![], 0, 0)
}

/// A bus section with two furnaces, of which the first melts now and then.
fn plant(profile: &Arc<Profile>) -> (Plant, FeederIndex) {
    let mut plant = Plant::new(7);
    let feeders = [0, 1].map(|_| plant.add_feeder(Feeder::new(NOMINAL, Load::Cold)));
    let incomer = plant.add_incomer(Feeder::new(NOMINAL, Load::Cold), &feeders);
    for (feeder, unit) in [incomer, feeders[0], feeders[1]].into_iter().zip(1..) {
        plant.add_meter(unit, SimMeter::new(profile).with_ct(Ratio::new(400, 5).unwrap()), feeder);
    }
    (plant, feeders[0])
}

/// Who a meter says it is.
fn device(unit: u8) -> DeviceIdPart {
    let mut part = DeviceIdPart::new(1, None);
    for (object, value) in [(0, "Janitza"), (1, "52.22.066"), (2, if unit == 1 { "3.1" } else { "3.2" })] {
        assert!(part.push(object, value.as_bytes()));
    }
    part
}

#[derive(Default)]
struct Said {
    records: u64,
    balances: u64,
    told: u64,
    identities: u64,
}

impl Said {
    fn count(&mut self, finding: &Finding) {
        self.records += 1;
        self.balances += u64::from(matches!(finding, Finding::Event(Event::Balance(_))));
        self.told += u64::from(matches!(finding, Finding::Event(Event::Meter(_))));
    }
}

fn stamp(uptime_ms: u64) -> Stamp {
    let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
    Stamp { wall_unix_ms, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 1 }
}

#[test]
fn nothing_is_allocated() {
    let text = include_str!("../config/meters/janitza-19000.toml");
    let profile = Arc::new(Profile::parse("janitza-19000.toml", text).unwrap());
    let (mut plant, furnace) = plant(&profile);
    let (mut schedule, mut site) = (schedule(&profile), site());
    let signer = Box::new(Ed25519::from_seed(&[7; 32]));
    let mut chain = Chain::begin(GatewayId::new("gw").unwrap(), LogId(1), 0, signer);
    let (mut now, mut polls, mut before) = (0_u64, 0_u64, 0);
    let (mut said, mut ticked) = (Said::default(), 0);
    let devices = [device(1), device(2)];
    while polls < 100_000 {
        if polls == 10_000 {
            before = ALLOCATIONS.get();
        }
        let ask = match counted(|| schedule.next(now)) {
            Next::WaitUntil(due) => {
                now = due;
                continue;
            }
            Next::Ask(ask) => ask,
        };
        let watts = if polls % 15_000 < 900 { 8_000_000 } else { 5_000 };
        assert!(plant.force_power(furnace, MilliWatts::from_watts(watts)));
        plant.advance_to(now);
        polls += u64::from(ask.question.block().is_some());
        let answer = match ask.question {
            Question::Registers(block) => {
                plant.read(ask.unit, block.function, block.at, block.count).map_err(Fault::Exception)
            }
            Question::DeviceId { .. } | Question::ServerId => Err(Fault::Exception(1)),
        };
        let part = devices.get(usize::from(ask.unit) - 1);
        let reply = match (&answer, ask.question, part) {
            (Err(_), Question::DeviceId { .. }, Some(part)) => Ok(Reply::DeviceId(part)),
            (answer, ..) => answer.as_ref().map(|words| Reply::Words(words)).map_err(|fault| *fault),
        };
        said.identities += u64::from(matches!(reply, Ok(Reply::DeviceId(_))));
        let at = stamp(now);
        counted(|| {
            let mut say = |finding: Finding| {
                said.count(&finding);
                chain.seal(&at, &Body::Finding(finding)).unwrap();
            };
            let told = schedule.on_answer(&at, reply);
            told.iter().for_each(|sample: &Sample| site.on(&at, Fact::Sample(sample), &mut say));
            if now >= ticked {
                site.on(&at, Fact::Tick, &mut say);
                ticked = site.next_due_ms(&at);
            }
        });
    }
    let allocated = ALLOCATIONS.get() - before;
    let Said { records, balances, told, identities } = said;
    assert!(records > 100, "{records} records: the furnace melted and stopped again and again");
    assert!(balances > 7 && told == 2, "{balances} balances, {told} identities told in {identities} answers");
    assert!(identities > 60, "asked again at both ends of every quarter of an hour: {identities}");
    assert_eq!(allocated, 0, "allocations in 90,000 polls and {records} records");
}

/// An act about the order, as the authority would sign it.
fn act(kind: &str, more: serde_json::Value) -> OrderAct {
    let mut draft = json!({
        "act": kind, "act_id": "order-1", "version": 1, "gateway_id": "gw", "asset": "eaf-1", "issuer": "hebei",
        "issued_unix_ms": 0, "expires_unix_ms": 1,
    });
    let (members, serde_json::Value::Object(more)) = (draft.as_object_mut().unwrap(), more) else { panic!() };
    members.extend(more);
    let act = Act::seal(members, &mut Sealer::default(), &Ed25519::from_seed(&[9; 32])).unwrap();
    act.about_orders().unwrap()
}

/// A furnace whose feeder is cut, the meter that sees it, and an order about it that is claimed to be executed.
fn furnace_cut_by_order() -> (Plant, Schedule, Site) {
    let profile = Arc::new(
        Profile::parse("sim-cutoff.toml", include_str!("../simulator/meters/sim-cutoff.toml")).unwrap(),
    );
    let mut plant = Plant::new(7);
    let furnace = plant.add_feeder(Feeder::new(NOMINAL, Load::Cold));
    plant.add_meter(1, SimMeter::new(&profile).with_ct(Ratio::new(400, 5).unwrap()), furnace);
    assert!(plant.apply(Change::Cut(furnace)));
    let floor = Floor::of(Wiring::FourWire, 400, NOMINAL, 2_000);
    let (asset, rated) = (AssetId::new("eaf-1").unwrap(), MilliWatts::from_watts(12_500_000));
    let terms = Commissioned {
        voltage_point: VoltagePoint::Load,
        ..Commissioned::process_feeder(meter("eaf-1"), asset, NOMINAL, rated, floor)
    };
    let standing = Standing::declared(LegalDay::parse("2011-12-31"));
    let mut site = Site::new(vec![terms], vec![Equipment { id: asset, standing }], &Memory::default());
    let declared = Declared { ct: Ratio::new(400, 5), pt: None };
    let point =
        MeterPoint { meter: meter("eaf-1"), unit: 1, profile, declared, period_ms: 1_000, timeout_ms: None };
    let schedule = Schedule::new(vec![point], vec![], 0, 0);
    let order = json!({
        "points": [{ "meter": "eaf-1", "carrier": "own" }], "scope": "feeder", "method": "fuse", "case": "demolish",
        "single_line": "v4", "second_feeds": "excluded", "not_before_unix_ms": 0, "due_unix_ms": 1,
    });
    for act in [act("order", order), act("claim", json!({ "order_id": "order-1", "cut_unix_ms": 0 }))] {
        site.on(&stamp(0), Fact::Order(&act), &mut |_| ());
    }
    (plant, schedule, site)
}

/// A cut that holds: every reading is heard by the order, its hold grows, and notes of it are sealed.
#[test]
fn an_order_that_holds_allocates_nothing() {
    let (mut plant, mut schedule, mut site) = furnace_cut_by_order();
    let signer = Box::new(Ed25519::from_seed(&[7; 32]));
    let mut chain = Chain::begin(GatewayId::new("gw").unwrap(), LogId(1), 0, signer);
    let (mut now, mut polls, mut before, mut notes, mut ticked) = (0_u64, 0_u64, 0, 0, 0);
    while polls < 20_000 {
        if polls == 2_000 {
            before = ALLOCATIONS.get();
        }
        let ask = match counted(|| schedule.next(now)) {
            Next::WaitUntil(due) => {
                now = due;
                continue;
            }
            Next::Ask(ask) => ask,
        };
        plant.advance_to(now);
        polls += u64::from(ask.question.block().is_some());
        let answer = match ask.question {
            Question::Registers(block) => {
                plant.read(ask.unit, block.function, block.at, block.count).map_err(Fault::Exception)
            }
            Question::DeviceId { .. } | Question::ServerId => Err(Fault::Exception(1)),
        };
        let at = stamp(now);
        counted(|| {
            let mut say = |finding: Finding| {
                notes += u64::from(polls > 2_000 && matches!(finding, Finding::Event(Event::Hold(_))));
                chain.seal(&at, &Body::Finding(finding)).unwrap();
            };
            let reply = answer.as_ref().map(|words| Reply::Words(words)).map_err(|fault| *fault);
            let told = schedule.on_answer(&at, reply);
            told.iter().for_each(|sample: &Sample| site.on(&at, Fact::Sample(sample), &mut say));
            if now >= ticked {
                site.on(&at, Fact::Tick, &mut say);
                ticked = site.next_due_ms(&at);
            }
        });
    }
    let hold = site.orders().next().unwrap().stand().hold.unwrap();
    assert!(notes > 30 && hold.proven_ms > 9_000_000 && hold.gaps == 0, "{notes} notes, {hold:?}");
    assert_eq!(ALLOCATIONS.get() - before, 0, "allocations in 18,000 polls of a line that is dead by order");
}
