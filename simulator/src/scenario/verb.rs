//! The verbs of deeds: which key of a table says what is done, and what else the table must say.

use coldhearth::{
    agent::config::plate_value,
    catalogue::{Attribute, Nameplate},
    metering::{Function, Quantity, profile::Fact},
    terms::{
        AssetId, ClockQuality, MeterId, MilliWatts, Name, WattHours,
        flaw::Wrong,
        form::{self, Form, Reading, Value},
    },
};

use super::{
    deed::{Deed, Names, Paper, PaperFor},
    load,
    site::MeterPlan,
    time,
};
use crate::{
    auxiliary::Auxiliaries, change::Change, energised::Capacitors, equipment::Fed, fault::WireFault,
    feeder::Place, phasor::Phase, rounding::real, site::FeederIndex, wiring::Wiring,
};

/// How a deed is read: its verb is a key of the table, what it is done to is the key's value.
pub(super) type Read = for<'a> fn(&Form<'a>, &'static str, &Names<'_>) -> Option<Deed>;

/// Every verb.
pub(super) const VERBS: &[(&str, Read)] = &[
    ("start", |form, key, names| at_feeder(form, key, names).map(|(f, _)| Deed::Plant(Change::StartMelt(f)))),
    ("stop", |form, key, names| at_feeder(form, key, names).map(|(f, _)| Deed::Plant(Change::StopLoad(f)))),
    ("level", |form, key, names| {
        let per_mille = form.required("per_mille", form::fitting(0..=2_000));
        let over = form.optional("over", time::on_line);
        let (feeder, _) = at_feeder(form, key, names)?;
        Some(Deed::Plant(match over {
            Some(over_ms) => Change::Ramp(feeder, per_mille?, over_ms),
            None => Change::Level(feeder, per_mille?),
        }))
    }),
    ("feed", |form, key, names| {
        let through = form.optional("through", form::name);
        let fed = match through {
            Some(id) => {
                Fed::Through(names.feeders.get(&id).or_else(|| unknown_feeder(form, "through", id))?.0)
            }
            None => Fed::Elsewhere,
        };
        Some(Deed::Plant(Change::Feed(at_feeder(form, key, names)?.0, fed)))
    }),
    ("generate", |form, key, names| {
        let place = form.optional("place", form::one_of(PLACES)).unwrap_or(Place::BeforeMeter);
        Some(Deed::Plant(Change::Generate(at_feeder(form, key, names)?.0, place)))
    }),
    ("couple", |form, key, names| {
        let with = form.required("with", form::name)?;
        let per_mille = form.required("per_mille", form::fitting(0..=1_000));
        let (other, _) = names.feeders.get(&with).or_else(|| unknown_feeder(form, "with", with))?;
        Some(Deed::Plant(Change::Couple(at_feeder(form, key, names)?.0, *other, per_mille?)))
    }),
    ("uncouple", |form, key, names| {
        at_feeder(form, key, names).map(|(f, _)| Deed::Plant(Change::Uncouple(f)))
    }),
    ("cut", |form, key, names| at_feeder(form, key, names).map(|(f, _)| Deed::Plant(Change::Cut(f)))),
    ("restore", |form, key, names| at_feeder(form, key, names).map(|(f, _)| Deed::Plant(Change::Restore(f)))),
    ("induce", |form, key, names| {
        let per_cent = form.required("per_cent", form::fitting(0..=100));
        Some(Deed::Plant(Change::Induce(at_feeder(form, key, names)?.0, per_cent?)))
    }),
    ("load", |form, key, names| {
        let becomes = form.required_table("becomes").and_then(load::load);
        Some(Deed::Plant(Change::Load(at_feeder(form, key, names)?.0, becomes?)))
    }),
    ("auxiliaries", |form, key, names| {
        let auxiliaries = load::auxiliaries_of(form);
        Some(Deed::Plant(Change::Auxiliaries(at_feeder(form, key, names)?.0, auxiliaries)))
    }),
    ("capacitors", |form, key, names| {
        let kvar = form.optional("kvar", form::whole(0..=load::MAX_KW)).filter(|kvar| *kvar > 0);
        let capacitors = kvar.map(|kvar| Capacitors { rated_var: real(kvar) * 1_000.0 });
        Some(Deed::Plant(Change::Capacitors(at_feeder(form, key, names)?.0, capacitors)))
    }),
    ("force", |form, key, names| {
        let watts = form.required("watts", form::whole(-1_000_000_000..=1_000_000_000));
        Some(Deed::Plant(Change::Force(at_feeder(form, key, names)?.0, MilliWatts::from_watts(watts?))))
    }),
    ("release", |form, key, names| at_feeder(form, key, names).map(|(f, _)| Deed::Plant(Change::Release(f)))),
    ("rewire", |form, key, names| {
        let wiring = wiring(form);
        Some(Deed::Plant(Change::Rewire(at_meter(form, key, names)?.unit, wiring?)))
    }),
    ("gain", |form, key, names| {
        let ppm = form.required("ppm", form::fitting(0..=10_000_000));
        Some(Deed::Plant(Change::Gain(at_meter(form, key, names)?.unit, ppm?)))
    }),
    ("edit_ct", |form, key, names| {
        let ratio = form.required("ratio", form::ratio);
        Some(Deed::Plant(Change::CtRatio(at_meter(form, key, names)?.unit, ratio?)))
    }),
    ("edit_pt", |form, key, names| {
        let ratio = form.required("ratio", form::ratio);
        Some(Deed::Plant(Change::PtRatio(at_meter(form, key, names)?.unit, ratio?)))
    }),
    ("fix_register", |form, key, names| {
        let function = form.optional("function", form::one_of(FUNCTIONS)).unwrap_or(Function::Holding);
        let at = form.required("address", form::fitting(0..=65_535));
        let word = form.required("word", form::fitting(0..=65_535));
        Some(Deed::Plant(Change::Register(at_meter(form, key, names)?.unit, function, at?, Some(word?))))
    }),
    ("absent", |form, key, names| {
        let quantity = form.required("quantity", quantity);
        Some(Deed::Plant(Change::Absent(at_meter(form, key, names)?.unit, quantity?)))
    }),
    ("freeze", |form, key, names| at_meter(form, key, names).map(|m| Deed::Plant(Change::Freeze(m.unit)))),
    ("thaw", |form, key, names| at_meter(form, key, names).map(|m| Deed::Plant(Change::Thaw(m.unit)))),
    ("textbook", |form, key, names| {
        at_meter(form, key, names).map(|m| Deed::Plant(Change::Textbook(m.unit)))
    }),
    ("record", |form, key, names| at_meter(form, key, names).map(|m| Deed::Plant(Change::Record(m.unit)))),
    ("replay", |form, key, names| at_meter(form, key, names).map(|m| Deed::Plant(Change::Replay(m.unit)))),
    ("relay", |form, key, names| {
        let of = at_meter(form, "of", names);
        Some(Deed::Plant(Change::Relay(at_meter(form, key, names)?.unit, of?.unit)))
    }),
    ("exchange", |form, key, names| {
        at_meter(form, key, names).map(|m| Deed::Plant(Change::Exchange(m.unit)))
    }),
    ("darken", |form, key, names| at_meter(form, key, names).map(|m| Deed::Plant(Change::Darken(m.unit)))),
    ("power", |form, key, names| at_meter(form, key, names).map(|m| Deed::Plant(Change::Power(m.unit)))),
    ("reset_registers", |form, key, names| {
        at_meter(form, key, names).map(|m| Deed::Plant(Change::ResetRegisters(m.unit)))
    }),
    ("roll_back", |form, key, names| {
        let kwh = form.required("kwh", form::whole(0..=1_000_000_000_000));
        Some(Deed::Plant(Change::RollBack(at_meter(form, key, names)?.unit, WattHours(kwh? * 1_000))))
    }),
    ("clear_demand", |form, key, names| {
        at_meter(form, key, names).map(|m| Deed::Plant(Change::ClearDemand(m.unit)))
    }),
    ("shift_clock", |form, key, names| {
        let by_ms = form.required("by", time::signed);
        Some(Deed::Plant(Change::ShiftClock(at_meter(form, key, names)?.unit, by_ms? / 1_000)))
    }),
    ("edit_serial", |form, key, names| {
        let serial = form.required("serial", form::text);
        Some(Deed::Plant(Change::Serial(at_meter(form, key, names)?.unit, serial?)))
    }),
    ("edit_firmware", |form, key, names| {
        let firmware = form.required("firmware", form::text);
        Some(Deed::Plant(Change::Firmware(at_meter(form, key, names)?.unit, firmware?)))
    }),
    ("edit_setting", |form, key, names| {
        let setting = form.required("setting", setting);
        let number = form.required("number", form::whole(0..=65_535));
        Some(Deed::Plant(Change::Setting(at_meter(form, key, names)?.unit, setting?, number?)))
    }),
    ("edit_plate", edit_plate),
    ("fault", |form, key, names| {
        let how = form.required("how", |value| form::parsed(value, WireFault::parse, WireFault::NAMES));
        Some(Deed::Wire(at_meter(form, key, names)?.unit, Some(how?)))
    }),
    ("heal", |form, key, names| at_meter(form, key, names).map(|m| Deed::Wire(m.unit, None))),
    ("bus_down", |form, key, names| bus(form, key, names).map(|bus| Deed::Bus(bus, false))),
    ("bus_up", |form, key, names| bus(form, key, names).map(|bus| Deed::Bus(bus, true))),
    ("gateway", |form, key, _| form.required(key, form::one_of(SWITCH)).map(Deed::Gateway)),
    ("agent", |form, key, _| form.required(key, form::one_of(SWITCH)).map(Deed::Agent)),
    ("broker", |form, key, _| form.required(key, form::one_of(SWITCH)).map(Deed::Broker)),
    ("disk", |form, key, _| form.required(key, form::one_of(DISK)).map(disk)),
    ("clock_step", |form, key, _| form.required(key, time::signed).map(Deed::ClockStep)),
    ("clock", |form, key, _| form.required(key, clock_quality).map(Deed::ClockQuality)),
    ("isolate", |form, key, names| asset(form, key, names).map(|asset| Deed::Isolated(asset, true))),
    ("permit", paper),
];

const FUNCTIONS: &[(&str, Function)] = &[("holding", Function::Holding), ("input", Function::Input)];
const DISK: &[(&str, bool)] = &[("copied", false), ("put_back", true)];
const SWITCH: &[(&str, bool)] = &[("on", true), ("off", false)];
const PLACES: &[(&str, Place)] =
    &[("before_meter", Place::BeforeMeter), ("behind_meter", Place::BehindMeter)];
const PHASES: &[(&str, Phase)] = &[("l1", Phase::L1), ("l2", Phase::L2), ("l3", Phase::L3)];

fn at_feeder(form: &Form<'_>, key: &'static str, names: &Names<'_>) -> Option<(FeederIndex, Auxiliaries)> {
    let id = form.required(key, form::name)?;
    names.feeders.get(&id).copied().or_else(|| unknown_feeder(form, key, id))
}

fn unknown_feeder<T>(form: &Form<'_>, key: &str, id: Name) -> Option<T> {
    form.flaw(key, format!("no [[feeder]] has the id `{id}`"), "add it, or correct the name");
    None
}

fn at_meter<'n>(form: &Form<'_>, key: &'static str, names: &Names<'n>) -> Option<&'n MeterPlan> {
    let id = form.required(key, form::name)?;
    let found = names.meters.iter().find(|meter| meter.id == id);
    if found.is_none() {
        form.flaw(key, format!("no [[installed]] is meter `{id}`"), "add it, or correct the name");
    }
    found
}

fn disk(is_put_back: bool) -> Deed {
    if is_put_back { Deed::PutBackDisk } else { Deed::CopyDisk }
}

fn bus(form: &Form<'_>, key: &'static str, names: &Names<'_>) -> Option<Name> {
    let id = form.required(key, form::name)?;
    let is_known = names.buses.contains(&id);
    if !is_known {
        form.flaw(key, format!("no meter is on a bus `{id}`"), "correct the name");
    }
    is_known.then_some(id)
}

fn asset(form: &Form<'_>, key: &'static str, names: &Names<'_>) -> Option<AssetId> {
    let id = AssetId(form.required(key, form::name)?);
    let is_known = names.assets.contains(&id);
    if !is_known {
        form.flaw(key, format!("no [[equipment]] has the id `{id}`"), "correct the name");
    }
    is_known.then_some(id)
}

/// `{ edit_plate = "saf-1", lines = { rated_apparent_power_kva = 6_500 } }`: the other lines stay as declared.
fn edit_plate(form: &Form<'_>, key: &'static str, names: &Names<'_>) -> Option<Deed> {
    let asset = asset(form, key, names);
    let mut edits = Vec::new();
    for (name, node) in form.entries("lines") {
        match plate_value(node).and_then(|value| Attribute::new(name, value)) {
            Some(line) => edits.push(line),
            None => form.flaw(
                "lines",
                format!("`{name}` could not stand on a nameplate"),
                "a text, a number or a flag",
            ),
        }
    }
    let furnace = names.furnaces.iter().find(|furnace| Some(furnace.equipment.id) == asset)?;
    let Some(at) = furnace.plate.filter(|_| !edits.is_empty()) else {
        form.flaw(
            key,
            "there is no nameplate to edit, or nothing of it is edited",
            "`nameplate` at the equipment; `lines` here",
        );
        return None;
    };
    let declared = furnace.papers.plates.declared().attributes().iter();
    let kept = declared.filter(|line| edits.iter().all(|edit| edit.name != line.name)).cloned();
    let lines: Vec<Attribute> = kept.chain(edits.iter().cloned()).collect();
    Nameplate::new(lines).map(|plate| Deed::Plant(Change::Plate(at.unit, at.at, plate)))
}

/// `{ permit = "maintenance", equipment = "eaf-1", energy_kwh = 20_000, begins = "2h", lasts = "8h" }`
fn paper(form: &Form<'_>, key: &'static str, names: &Names<'_>) -> Option<Deed> {
    const KINDS: &[(&str, u8)] = &[("maintenance", 0), ("allowance", 1), ("meter_replacement", 2)];
    let kind = form.required(key, form::one_of(KINDS));
    let asset = asset(form, "equipment", names);
    let begins_ms = form.optional("begins", time::signed).unwrap_or(0);
    let lasts_ms = form.required("lasts", time::on_line);
    let energy =
        || form.required("energy_kwh", form::whole(0..=1_000_000_000)).map(|kwh| WattHours(kwh * 1_000));
    let what = match kind? {
        0 => PaperFor::Maintenance(energy()?),
        1 => PaperFor::Allowance(energy()?),
        _ => PaperFor::MeterReplacement(MeterId(at_meter(form, "meter", names)?.id)),
    };
    Some(Deed::Paper(Paper { asset: asset?, what, begins_ms, lasts_ms: lasts_ms? }))
}

/// `wiring = "ct_shunted", phase = "l2", left_per_mille = 50`; `None` where nothing is said, or it is wrong.
pub(super) fn wiring(form: &Form<'_>) -> Option<Wiring> {
    const KINDS: &[(&str, u8)] = &[
        ("right", 0),
        ("voltage_swapped", 1),
        ("ct_reversed", 2),
        ("ct_shunted", 3),
        ("pt_fuse_blown", 4),
        ("earth_fault", 5),
        ("cts_saturated", 6),
    ];
    let kind = form.optional("wiring", form::one_of(KINDS))?;
    let phase = || form.required("phase", form::one_of(PHASES));
    Some(match kind {
        0 => Wiring::Right,
        1 => Wiring::VoltageSwapped,
        2 => Wiring::CtReversed(phase()?),
        3 => {
            let left_per_mille = form.required("left_per_mille", form::fitting(0..=1_000));
            Wiring::CtShunted { phase: phase()?, left_per_mille: left_per_mille? }
        }
        4 => Wiring::PtFuseBlown(phase()?),
        5 => Wiring::EarthFault(phase()?),
        _ => Wiring::CtsSaturated {
            left_per_mille: form.required("left_per_mille", form::fitting(0..=1_000))?,
        },
    })
}

pub(super) fn clock_quality(value: &Value) -> Reading<ClockQuality> {
    form::parsed(value, ClockQuality::from_word, "`ntp`, `rtc` or `none` is expected")
}

fn quantity(value: &Value) -> Reading<Quantity> {
    let text = form::text(value)?;
    let found = Quantity::ALL.iter().find(|quantity| quantity.word() == text);
    found
        .copied()
        .ok_or_else(|| Wrong::new(format!("is \"{text}\""), "a word of the meter profiles is expected"))
}

fn setting(value: &Value) -> Reading<Fact> {
    let text = form::text(value)?;
    let found = Fact::ALL.iter().find(|fact| fact.word() == text);
    found.copied().ok_or_else(|| {
        Wrong::new(format!("is \"{text}\""), "a word of the profiles' `[identity]` is expected")
    })
}
