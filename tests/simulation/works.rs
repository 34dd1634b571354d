//! The plant of a seed: two furnaces behind one incomer, each with its meter on one bus, and what is declared of them.

use std::sync::Arc;

use coldhearth::{
    catalogue::Standing,
    judge::{Allowance, AllowanceKind, Commissioned, Equipment, Floor, Group, Losses, VoltagePoint, Wiring},
    metering::{Fault, MeterPoint, Profile, Question, decode::Declared},
    terms::{AssetId, LegalDay, MeterId, MilliVolts, MilliWatts, Name, Ratio, WattHours},
};
use coldhearth_sim::{Change, ElectricArcFurnace, Feeder, FeederIndex, Load, Plant, SimMeter};

use crate::script::{LAMPS_W, NO_LOAD_W, PROFILES, RATED_W, Script};

/// The meters by unit, from 1 on: the two furnaces' own, and the incomer's, which both share.
pub(crate) const METERS: [&str; 3] = ["m1", "m2", "incomer"];
pub(crate) const FURNACES: [&str; 2] = ["eaf-1", "eaf-2"];
const NOMINAL: MilliVolts = MilliVolts(35_000_000);
/// A meter without its supply loses what it counted since it last saved.
const SAVES_MS: u32 = 60_000;
const STARTING_PPM: i64 = 2_000;

pub(crate) fn meter(unit: u8) -> MeterId {
    MeterId::new(METERS[usize::from(unit) - 1]).unwrap()
}

pub(crate) fn asset(furnace: usize) -> AssetId {
    AssetId::new(FURNACES[furnace]).unwrap()
}

pub(crate) struct Works {
    plant: Plant,
    feeders: [FeederIndex; 2],
    pub(crate) profile: Arc<Profile>,
    declared: Declared,
    poll_ms: u64,
}

impl Works {
    pub(crate) fn of(seed: u64, script: &Script) -> Works {
        let (name, text) = PROFILES[script.profile];
        let profile = Arc::new(Profile::parse(&format!("{name}.toml"), text).unwrap());
        let pt = (name == "acrel-adl400").then(|| Ratio::new(35_000, 100).unwrap());
        let ct = Ratio::new(400, 5).unwrap();
        let mut plant = Plant::new(seed);
        plant.set_step_ms(script.poll_ms.min(5_000));
        let furnace = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
        let feeders = [0, 1].map(|_| plant.add_feeder(Feeder::new(NOMINAL, furnace.clone())));
        let incomer = plant.add_incomer(Feeder::new(NOMINAL, Load::Cold), &feeders);
        for (unit, feeder) in (1..).zip([feeders[0], feeders[1], incomer]) {
            let meter = SimMeter::new(&profile)
                .with_ct(ct)
                .with_import(WattHours(1_000_000_000))
                .with_saving_every_ms(SAVES_MS);
            let meter = if let Some(pt) = pt { meter.with_pt(pt) } else { meter };
            plant.add_meter(unit, meter, feeder);
        }
        Works { plant, feeders, profile, declared: Declared { ct: Some(ct), pt }, poll_ms: script.poll_ms }
    }

    pub(crate) fn advance_to(&mut self, at_ms: u64) {
        self.plant.advance_to(at_ms);
    }

    pub(crate) fn draws(&mut self, furnace: usize, watts: i64) {
        assert!(self.plant.force_power(self.feeders[furnace], MilliWatts::from_watts(watts)));
    }

    /// A heat begins, or the furnace stands and draws so little.
    pub(crate) fn melts(&mut self, furnace: usize, melts: bool) {
        let feeder = self.feeders[furnace];
        if melts {
            assert!(self.plant.apply(Change::Release(feeder)) && self.plant.apply(Change::StartMelt(feeder)));
        } else {
            assert!(self.plant.apply(Change::StopLoad(feeder)));
            self.draws(furnace, 5_000);
        }
    }

    pub(crate) fn power(&mut self, unit: u8, has_supply: bool) {
        assert!(self.plant.apply(if has_supply { Change::Power(unit) } else { Change::Darken(unit) }));
    }

    pub(crate) fn supply(&mut self, furnace: usize, is_closed: bool) {
        let feeder = self.feeders[furnace];
        let change = if is_closed { Change::Restore(feeder) } else { Change::Cut(feeder) };
        assert!(self.plant.apply(change));
    }

    /// What the furnace's feeder has taken, in watt-hours.
    pub(crate) fn energy(&self, furnace: usize) -> i64 {
        self.plant.truth(self.feeders[furnace]).energy.0
    }

    /// What a unit answers at this moment.
    pub(crate) fn answer(&self, unit: u8, question: Question) -> Result<Vec<u16>, Fault> {
        let Some(block) = question.block() else { return Err(Fault::Exception(1)) };
        self.plant.read(unit, block.function, block.at, block.count).map_err(Fault::Exception)
    }

    pub(crate) fn points(&self) -> Vec<MeterPoint> {
        let point = |unit| MeterPoint {
            meter: meter(unit),
            unit,
            profile: self.profile.clone(),
            declared: self.declared,
            period_ms: self.poll_ms,
            timeout_ms: None,
        };
        (1..=3).map(point).collect()
    }

    /// The metering points. `allows`: whether what is allowed is declared.
    pub(crate) fn commissioned(&self, allows: bool) -> Vec<Commissioned> {
        let floor = Floor::of(Wiring::FourWire, 400, NOMINAL, STARTING_PPM);
        let rated = MilliWatts::from_watts(RATED_W);
        let lamps = Allowance::drawing(
            Name::new("lamps").unwrap(),
            AllowanceKind::Lamps,
            MilliWatts::from_watts(LAMPS_W),
            WattHours(30_000_000),
        );
        let terms = |unit: u8| {
            let serves: Vec<AssetId> =
                if unit == 3 { vec![asset(0), asset(1)] } else { vec![asset(usize::from(unit) - 1)] };
            Commissioned {
                voltage_point: VoltagePoint::Load,
                no_load: MilliWatts::from_watts(if allows { NO_LOAD_W } else { 0 }),
                allowances: if allows { Box::new([lamps]) } else { Box::new([]) },
                ratios: self.declared,
                section: Name::new("bus-1"),
                poll_ms: self.poll_ms,
                serves: serves.into(),
                ..Commissioned::process_feeder(meter(unit), asset(0), NOMINAL, rated, floor)
            }
        };
        (1..=3).map(terms).collect()
    }

    pub(crate) fn equipment() -> Vec<Equipment> {
        let standing = Standing::declared(LegalDay::parse("2011-12-31"));
        (0..2).map(|furnace| Equipment { id: asset(furnace), standing }).collect()
    }

    pub(crate) fn groups() -> Vec<Group> {
        vec![Group {
            id: Name::new("bus-1").unwrap(),
            incomers: Box::new([meter(3)]),
            feeders: Box::new([meter(1), meter(2)]),
            losses: Losses::default(),
            coupler: None,
        }]
    }
}
