//! What is there: the feeders of a scenario and the meters that hang on them, whatever was declared of either.

use std::{collections::BTreeMap, sync::Arc};

use coldhearth::{
    agent::config::{AgentConfig, Meter},
    metering::Profile,
    terms::{
        MilliAmps, MilliVolts, Name, Ratio, WattHours,
        form::{self, Form, Value},
    },
};

use super::load::{self, MAX_KW};
use crate::{
    accuracy::{Class, Classes},
    auxiliary::Auxiliaries,
    energised::{Capacitors, Transformer},
    feeder::{Feeder, Supply, VoltagePoint},
    load::Load,
    measure::Elements,
    meter::{SimMeter, Unmapped},
    plant::Plant,
    rounding::real,
    site::FeederIndex,
    wiring::Wiring,
};

const SUPPLIES: &[(&str, Supply)] = &[("live", Supply::Live), ("cut", Supply::Cut)];
const VOLTAGE_POINTS: &[(&str, VoltagePoint)] = &[("bus", VoltagePoint::Bus), ("load", VoltagePoint::Load)];
const UNMAPPED: &[(&str, Unmapped)] =
    &[("refused", Unmapped::Refused), ("holes_refused", Unmapped::HolesRefused), ("zeros", Unmapped::Zeros)];

/// A feeder as it is built.
#[derive(Clone, Debug)]
pub(super) struct FeederPlan {
    pub(super) id: Name,
    pub(super) auxiliaries: Auxiliaries,
    feeder: Feeder,
    under: Option<Name>,
}

/// A meter as it is built in.
#[derive(Clone, Debug)]
pub(super) struct MeterPlan {
    pub(super) id: Name,
    pub(super) unit: u8,
    /// The current ratio it is told at the start.
    pub(super) ct: Ratio,
    /// The voltage ratio it is told at the start.
    pub(super) pt: Ratio,
    pub(super) feeder: Name,
    pub(super) wiring: Wiring,
    meter: SimMeter,
    /// What lies ready to be exchanged for it.
    spare: Option<SimMeter>,
}

/// Reads a `[[feeder]]`.
pub(super) fn feeder(form: Form<'_>) -> Option<FeederPlan> {
    let id = form.required("id", form::name);
    let volts: Option<i64> = form.required("nominal_v", form::whole(100..=1_000_000));
    let process = form.table("load").map_or(Some(Load::Cold), load::load);
    let auxiliaries = form.table("auxiliaries").map(load::auxiliaries).unwrap_or_default();
    let transformer: Option<i64> = form.optional("transformer_kva", form::whole(1..=MAX_KW));
    let loses = form.optional("load_losses", form::flag).unwrap_or(false);
    let capacitors: Option<i64> = form.optional("capacitors_kvar", form::whole(1..=MAX_KW));
    let voltage_point = form.optional("voltage_point", form::one_of(VOLTAGE_POINTS));
    let supply = form.optional("supply", form::one_of(SUPPLIES));
    let running = form.optional("running", form::flag).unwrap_or(false);
    let under = form.optional("under", form::name);
    form.close();
    let kilo = |kilo: i64| real(kilo) * 1_000.0;
    let mut feeder = Feeder::new(MilliVolts(volts? * 1_000), process?)
        .with_auxiliaries(auxiliaries)
        .with_voltage_at(voltage_point.unwrap_or(VoltagePoint::Load))
        .with_supply(supply.unwrap_or(Supply::Live));
    if let Some(kva) = transformer {
        let transformer = Transformer::of_rating(kilo(kva));
        feeder = feeder.with_transformer(if loses { transformer.with_load_loss() } else { transformer });
    }
    if let Some(kvar) = capacitors {
        feeder = feeder.with_capacitors(Capacitors { rated_var: kilo(kvar) });
    }
    if running {
        feeder = feeder.running();
    }
    Some(FeederPlan { id: id?, auxiliaries, feeder, under })
}

/// Where a meter's plan comes from besides its own table.
pub(super) struct Around<'a> {
    pub(super) feeders: &'a [FeederPlan],
    pub(super) config: &'a AgentConfig,
    pub(super) shelf: &'a [Arc<Profile>],
    /// A text that is declared of a meter.
    pub(super) declared: &'a dyn Fn(Name, &str) -> Option<&'a str>,
}

/// Reads an `[[installed]]`: where it says nothing, what was declared of the meter is so.
pub(super) fn installed(form: Form<'_>, around: &Around<'_>) -> Option<MeterPlan> {
    let declared = declared(&form, around.config);
    let feeder = form.required("feeder", form::name);
    if let Some(feeder) = feeder.filter(|feeder| around.feeders.iter().all(|known| known.id != *feeder)) {
        form.flaw("feeder", format!("no [[feeder]] has the id `{feeder}`"), "add it, or correct the name");
    }
    let wiring = super::verb::wiring(&form);
    let (meter, ct, pt) = instrument(&form, declared?, around);
    let spare = form.table("spare").and_then(|spare| {
        let (meter, ..) = instrument(&spare, declared?, around);
        spare.close();
        Some(meter)
    });
    form.close();
    let declared = declared?;
    Some(MeterPlan {
        id: declared.id.0,
        unit: declared.unit,
        ct,
        pt,
        feeder: feeder?,
        meter,
        spare,
        wiring: wiring.unwrap_or(Wiring::Right),
    })
}

/// A meter with its transformers, and their ratios.
fn instrument(form: &Form<'_>, declared: &Meter, around: &Around<'_>) -> (SimMeter, Ratio, Ratio) {
    let wanted = form.optional("profile", form::text);
    let found = wanted.as_ref().and_then(|id| around.shelf.iter().find(|known| known.id.as_str() == id));
    if wanted.is_some() && found.is_none() {
        form.flaw("profile", "there is no such profile", "name a file of config/meters or simulator/meters");
    }
    let ct = form.optional("ct", form::ratio).or(declared.declared.ct);
    let pt = form.optional("pt", form::ratio).or(declared.declared.pt);
    let class = |key: &'static str| {
        let usual = (around.declared)(declared.id.0, key).and_then(Class::parse);
        let read = |value: &Value| form::parsed(value, Class::parse, "a class like \"0.5S\" is expected");
        form.optional(key, read).or(usual)
    };
    let classes = Classes { meter: class("meter_class"), ct: class("ct_class"), pt: class("pt_class") };
    let mut meter = SimMeter::new(found.unwrap_or(&declared.profile)).with_classes(classes);
    if declared.commissioned.wiring == coldhearth::judge::Wiring::Aron {
        meter = meter.with_elements(Elements::Two);
    }
    let meter = ct.into_iter().fold(meter, SimMeter::with_ct);
    let meter = pt.into_iter().fold(meter, SimMeter::with_pt);
    (set_numbers(form, meter), ct.unwrap_or(Ratio::DIRECT), pt.unwrap_or(Ratio::DIRECT))
}

/// What else a table says of a meter.
fn set_numbers(form: &Form<'_>, meter: SimMeter) -> SimMeter {
    let whole = |key, most: i64| form.optional(key, form::whole(0..=most));
    let small = |key, most: i64| form.optional(key, form::fitting::<u32>(0..=most));
    let meter = small("noise_ppm", 100_000).into_iter().fold(meter, SimMeter::with_noise_ppm);
    let meter = small("beat_ms", 60_000).into_iter().fold(meter, SimMeter::with_beat_ms);
    let meter = small("saving_every_ms", 86_400_000).into_iter().fold(meter, SimMeter::with_saving_every_ms);
    let serial = form.optional("serial", form::text);
    let meter = serial.iter().fold(meter, |meter, serial| meter.with_serial(serial));
    let starting = whole("starting_ma", 100_000_000).map(MilliAmps);
    let meter = starting.into_iter().fold(meter, SimMeter::with_starting_current);
    let import = whole("import_kwh", 1_000_000_000_000).map(|kwh| WattHours(kwh * 1_000));
    let meter = import.into_iter().fold(meter, SimMeter::with_import);
    let meter = whole("clock_unix_s", 100_000_000_000).into_iter().fold(meter, SimMeter::with_clock);
    let wrap_at = form.optional("wrap_at", form::fitting::<u64>(1..=i64::MAX));
    let meter = wrap_at.into_iter().fold(meter, SimMeter::with_wrap_at);
    let is_silent = form.optional("identifies", form::flag) == Some(false);
    let meter = if is_silent { meter.without_identification() } else { meter };
    let unmapped = form.optional("unmapped", form::one_of(UNMAPPED));
    unmapped.into_iter().fold(meter, SimMeter::with_unmapped)
}

fn declared<'c>(form: &Form<'_>, config: &'c AgentConfig) -> Option<&'c Meter> {
    let id = form.required("meter", form::name)?;
    let found = config.meters.iter().find(|meter| meter.id.0 == id);
    if found.is_none() {
        form.flaw("meter", format!("no [[meter]] has the id `{id}`"), "add it, or correct the name");
    }
    found
}

/// The order in which feeders can be built, those below an incomer before it; `None` if some hang on each other.
pub(super) fn in_order(feeders: &[FeederPlan]) -> Option<Vec<FeederPlan>> {
    let mut rest: Vec<&FeederPlan> = feeders.iter().collect();
    let mut ordered: Vec<FeederPlan> = Vec::new();
    while !rest.is_empty() {
        let carries = |id: Name| rest.iter().any(|other| other.under == Some(id));
        let (free, bound): (Vec<_>, Vec<_>) = rest.iter().copied().partition(|plan| !carries(plan.id));
        if free.is_empty() {
            return None;
        }
        ordered.extend(free.into_iter().cloned());
        rest = bound;
    }
    Some(ordered)
}

/// Names that nothing hangs on though something should.
pub(super) fn unknown_incomer(feeders: &[FeederPlan]) -> Option<Name> {
    let mut wanted = feeders.iter().filter_map(|plan| plan.under);
    wanted.find(|under| feeders.iter().all(|plan| plan.id != *under))
}

/// Builds feeders, given in order, and meters into a plant; gives the feeders by their names.
pub(super) fn build(
    plant: &mut Plant,
    feeders: &[FeederPlan],
    meters: &[MeterPlan],
) -> BTreeMap<Name, FeederIndex> {
    let mut built: BTreeMap<Name, FeederIndex> = BTreeMap::new();
    for plan in feeders {
        let below: Vec<FeederIndex> = feeders
            .iter()
            .filter(|other| other.under == Some(plan.id))
            .filter_map(|other| built.get(&other.id).copied())
            .collect();
        built.insert(plan.id, plant.add_incomer(plan.feeder.clone(), &below));
    }
    for plan in meters {
        if let Some(feeder) = built.get(&plan.feeder) {
            plant.add_meter(plan.unit, plan.meter.clone(), *feeder);
            if let Some(spare) = &plan.spare {
                plant.add_spare(plan.unit, spare.clone());
            }
            let _wired = plant.apply(crate::change::Change::Rewire(plan.unit, plan.wiring));
        }
    }
    built
}
