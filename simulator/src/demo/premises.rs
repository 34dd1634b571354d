//! The demo's plant: four pieces of equipment on two buses, and the configuration an electrician would have written.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use coldhearth::{
    agent::journal::{DiskJournal, JOURNAL_FILE},
    catalogue::{Attribute, Nameplate, plate::PlateValue},
    evidence::{Journal as _, PublicKey},
    host::{Clock as _, Exit, Failure, keys::KEY_FILE, public_key},
    judge::State,
    metering::Profile,
    terms::{AssetId, LegalDay, MilliVolts, Ratio, Stamp, time::DAY_MS},
};
use tokio::net::TcpListener;

use super::{
    broker::Ports,
    clock::{BEFORE_MIDNIGHT_MS, FastClock},
    screen::Screen,
    summary::Expected,
};
use crate::{
    Auxiliaries, Change, ElectricArcFurnace, Faults, Feeder, FeederIndex, Load, Plant, RotaryKiln, SimMeter,
    SubmergedArcFurnace, Supply, Timeline, Transformer, serve,
};

const JANITZA: &str = include_str!("../../../config/meters/janitza-19000.toml");
const ACREL: &str = include_str!("../../../config/meters/acrel-adl400.toml");
const CUTOFF: &str = include_str!("../../meters/sim-cutoff.toml");
pub(super) const SEED: u64 = 20_100_206;
/// When the melt begins and ends, in milliseconds of demo time: 00:03 and 00:21 on the demo's clock.
pub(super) const MELT_MS: (u64, u64) = (540_000, 1_620_000);
/// First register of the nameplate blocks.
const PLATE_AT: u16 = 60_000;

/// The plant and what belongs to it.
pub(super) struct Premises {
    /// The agent's configuration file.
    pub config: PathBuf,
    state: PathBuf,
    cheat: bool,
}

impl Premises {
    /// Builds the plant, serves it on free ports, and writes the configuration and profiles into `folder`.
    ///
    /// # Errors
    /// A socket or file cannot be made.
    pub(super) async fn build(
        folder: &Path,
        broker: &Ports,
        clock: Arc<FastClock>,
        cheat: bool,
        started: &Stamp,
    ) -> Result<Premises, Failure> {
        let plant = Arc::new(Mutex::new(plant(cheat)?));
        let mut ports = Vec::new();
        for _bus in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| failed(&e))?;
            ports.push(listener.local_addr().map_err(|e| failed(&e))?.port());
            let clock = clock.clone();
            // The plant's day begins with the demo: its lamps, on from 18:00 to 06:00 of plant time, are on.
            let time = Arc::new(move || clock.elapsed_ms());
            tokio::spawn(serve(listener, plant.clone(), time, Faults::new()));
        }
        let meters = folder.join("meters");
        std::fs::create_dir_all(&meters).map_err(|e| failed(&e))?;
        for (id, text) in [("janitza-19000", JANITZA), ("acrel-adl400", ACREL), ("sim-cutoff", CUTOFF)] {
            std::fs::write(meters.join(format!("{id}.toml")), text).map_err(|e| failed(&e))?;
        }
        let config = folder.join("agent.toml");
        let today = LegalDay::of_unix_ms(started.wall_unix_ms);
        let month_ago = LegalDay::of_unix_ms(started.wall_unix_ms - 30 * DAY_MS);
        std::fs::write(&config, configuration(&ports, broker, today, month_ago)).map_err(|e| failed(&e))?;
        Ok(Premises { config, state: folder.join("state"), cheat })
    }

    /// Tells on the screen what really happens, when it does.
    pub(super) async fn tell(&self, clock: &FastClock, screen: &Screen) {
        screen.plant("eaf-2: declared decommissioned, today is its last lawful day; cold");
        screen.plant("saf-1: decommissioned a month ago; lamps and a heater remain");
        screen.plant("kiln-1: power cut lawfully; its meter lives on an auxiliary supply");
        screen.plant("eaf-3: in lawful production");
        clock.sleep_until(clock.uptime_after(BEFORE_MIDNIGHT_MS)).await;
        screen.plant("midnight: from now on eaf-2 must stay cold");
        if self.cheat {
            clock.sleep_until(clock.uptime_after(MELT_MS.0)).await;
            screen.plant("eaf-2: a melt begins; nobody is told");
            clock.sleep_until(clock.uptime_after(MELT_MS.1)).await;
            screen.plant("eaf-2: the melt is tapped, the furnace is switched off again");
        }
        std::future::pending::<()>().await;
    }

    /// The gateway's public key as it lies beside its private one.
    ///
    /// # Errors
    /// The agent never got so far as to make it.
    pub(super) fn trusted(&self) -> Result<PublicKey, Failure> {
        public_key::load(&self.state.join(format!("{KEY_FILE}.pub")))
    }

    /// How many records the agent has written.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(super) fn records_written(&self) -> Result<u64, Failure> {
        let mut records = 0;
        let mut journal = DiskJournal::open(&self.state.join(JOURNAL_FILE))?;
        let read = journal.read(0, coldhearth::evidence::Class::Routine, &mut |_, _, _| {
            records += 1;
            true
        });
        read.map_err(|fault| Failure::new(Exit::Bug, format!("the journal cannot be read: {fault:?}")))?;
        Ok(records)
    }

    /// What a subscriber must have learnt after `elapsed_ms` of demo time.
    pub(super) fn expected(&self, violation: bool, elapsed_ms: i64) -> Vec<Expected> {
        let asset = |id| AssetId::new(id);
        // A melt that has not begun cannot have been caught: `--for 5s` still expects it, and so fails, as it should.
        let settled = elapsed_ms > 60_000;
        let quiet = |states: &[State]| if settled { states.to_vec() } else { Vec::new() };
        let stories = [
            ("eaf-2", "declared decommissioned", violation, Vec::new()),
            ("saf-1", "decommissioned, lamps only", false, quiet(&[State::Auxiliary, State::Energised])),
            ("kiln-1", "lawfully cut", false, quiet(&[State::Dead])),
            ("eaf-3", "in lawful production", false, quiet(&[State::Drawing])),
        ];
        let expected =
            |(id, story, violation, states)| Some(Expected { asset: asset(id)?, story, violation, states });
        stories.into_iter().filter_map(expected).collect()
    }
}

fn plant(cheat: bool) -> Result<Plant, Failure> {
    let janitza = profile("janitza-19000.toml", JANITZA)?;
    let acrel = profile("acrel-adl400.toml", ACREL)?;
    let cutoff = profile("sim-cutoff.toml", CUTOFF)?;
    let ratio = |primary, secondary| Ratio::new(primary, secondary).unwrap_or(Ratio::DIRECT);
    let mut plant = Plant::new(SEED);
    let furnace = Load::ElectricArcFurnace(ElectricArcFurnace::SMALL);
    let high = MilliVolts(35_000_000);
    let eaf_2 = plant
        .add_feeder(Feeder::new(high, furnace.clone()).with_transformer(Transformer::of_rating(9_000_000.0)));
    plant.add_meter(1, SimMeter::new(&janitza).with_ct(ratio(400, 5)), eaf_2);
    let lamps = Auxiliaries { lamps_w: 24_000, heaters_w: 12_000, ..Auxiliaries::default() };
    let ferroalloy = Load::SubmergedArcFurnace(SubmergedArcFurnace::FERROALLOY);
    let saf_1 = plant.add_feeder(Feeder::new(MilliVolts(10_000_000), ferroalloy).with_auxiliaries(lamps));
    plant.add_meter(2, SimMeter::new(&acrel).with_ct(ratio(400, 5)).with_pt(ratio(10_000, 100)), saf_1);
    let kiln = Feeder::new(MilliVolts(6_000_000), Load::RotaryKiln(RotaryKiln::WET)).with_supply(Supply::Cut);
    let kiln_1 = plant.add_feeder(kiln);
    plant.add_meter(3, SimMeter::new(&cutoff).with_ct(ratio(150, 5)), kiln_1);
    let eaf_3 = plant.add_feeder(Feeder::new(high, furnace).running());
    plant.add_meter(4, SimMeter::new(&janitza).with_ct(ratio(400, 5)), eaf_3);
    plant.add_plate(101, PLATE_AT, &nameplate("electric_furnace", "2号电弧炉", "rated_capacity_t", 20)?);
    plant.add_plate(
        102,
        PLATE_AT,
        &nameplate("submerged_arc_furnace", "1号矿热炉", "rated_apparent_power_kva", 6_300)?,
    );
    plant.add_plate(103, PLATE_AT, &nameplate("wet_kiln", "1号湿法窑", "built_year", 1_993)?);
    if cheat {
        plant.follow(melt(eaf_2));
    }
    Ok(plant)
}

fn melt(furnace: FeederIndex) -> Timeline {
    Timeline::new().at(MELT_MS.0, Change::StartMelt(furnace)).at(MELT_MS.1, Change::StopLoad(furnace))
}

fn profile(file: &str, text: &str) -> Result<Arc<Profile>, Failure> {
    Profile::parse(file, text).map(Arc::new).map_err(|flaws| {
        let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Bug, lines.join("\n"))
    })
}

fn nameplate(kind: &str, name: &str, attribute: &str, value: i64) -> Result<Nameplate, Failure> {
    let line = |name: &str, value| Attribute { name: name.to_owned(), value };
    let plate = Nameplate::new(vec![
        line("equipment_kind", PlateValue::Text(kind.to_owned())),
        line("name_zh", PlateValue::Text(name.to_owned())),
        line(attribute, PlateValue::Whole(value)),
    ]);
    plate.ok_or_else(|| Failure::new(Exit::Bug, "the demo's nameplate cannot be written"))
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Bug, format!("the demo's plant cannot be built: {error}"))
}

/// Classes on the plates of every meter and current transformer of the demo.
const CLASSES: &str = "meter_class = \"0.5S\"\nct_class = \"0.5S\"\n";

fn configuration(ports: &[u16], broker: &Ports, today: LegalDay, month_ago: LegalDay) -> String {
    let [furnaces, others] = [0, 1].map(|bus| ports.get(bus).copied().unwrap_or_default());
    let port = broker.port;
    let equipment = |id: &str, kind: &str, name: &str, watts: u32, more: &str| {
        format!(
            "\n[[equipment]]\nid = \"{id}\"\nkind = \"{kind}\"\nname = \"{name}\"\nrated_power_w = {watts}\n{more}\n"
        )
    };
    let plate = |bus: &str, unit: u8| {
        format!("nameplate = {{ bus = \"{bus}\", unit = {unit}, address = {PLATE_AT} }}")
    };
    let gone = |day: LegalDay, plate: String| format!("decommissioned_on = {day}\n{plate}");
    let meter = |serves: &str, bus: &str, unit: u8, profile: &str, more: &str| {
        format!(
            "\n[[meter]]\nid = \"{serves}-feeder\"\nserves = \"{serves}\"\nbus = \"{bus}\"\nunit = {unit}\n\
             profile = \"{profile}\"\n{more}\n"
        )
    };
    let lamps = "\n[[meter.allowance]]\nname = \"lamps-and-heater\"\npower_w = 45_000\nenergy_kwh_per_month = 20_000\n";
    [
        format!(
            "[gateway]\nid = \"gw-demo\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\n\
             [broker]\nhost = \"127.0.0.1\"\nport = {port}\n\n\
             [[bus]]\nid = \"furnaces\"\nendpoint = \"tcp://127.0.0.1:{furnaces}\"\n\n\
             [[bus]]\nid = \"others\"\nendpoint = \"tcp://127.0.0.1:{others}\"\n"
        ),
        equipment("eaf-2", "electric_furnace", "2号电弧炉", 12_500_000, &gone(today, plate("furnaces", 101))),
        equipment("saf-1", "submerged_arc_furnace", "1号矿热炉", 5_500_000, &gone(month_ago, plate("others", 102))),
        equipment("kiln-1", "wet_kiln", "1号湿法窑", 900_000, &gone(month_ago, plate("others", 103))),
        equipment("eaf-3", "electric_furnace", "3号电弧炉", 12_500_000, ""),
        meter("eaf-2", "furnaces", 1, "janitza-19000", &format!("{CLASSES}voltage_point = \"line\"\nnominal_v = 35_000\nct = \"400/5\"\nno_load_w = 20_000")),
        meter("eaf-3", "furnaces", 4, "janitza-19000", &format!("{CLASSES}voltage_point = \"line\"\nnominal_v = 35_000\nct = \"400/5\"")),
        meter("saf-1", "others", 2, "acrel-adl400", &format!("{CLASSES}pt_class = \"0.5\"\nvoltage_point = \"line\"\nnominal_v = 10_000\nct = \"400/5\"\npt = \"10000/100\"")),
        lamps.to_owned(),
        meter("kiln-1", "others", 3, "sim-cutoff", &format!("{CLASSES}voltage_point = \"load\"\nnominal_v = 6_000\nct = \"150/5\"")),
    ]
    .concat()
}
