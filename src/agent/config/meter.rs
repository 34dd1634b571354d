//! One metering point: what a person wrote of it, and whether it is fit to be judged by.

use std::sync::Arc;

use super::{
    Bus, DEFAULT_POLL_MS, Furnace, Meter, fitness,
    listed::Known,
    profiles::Profiles,
    read::{MAX_POWER_W, Reader},
    transformer,
};
use crate::{
    evidence::commissioning::{Commissioning, MAX_PAPER_BYTES, PointPapers},
    judge::{
        Accuracy, Allowance, AllowanceKind, Classes, Commissioned, Floor, Promised, Role, VoltagePoint,
        Wiring, allowance::MAX_ALLOWANCES, commission::MAX_SERVED,
    },
    metering::{Plan, Profile, Quantity, decode::Declared, scan::MAX_BLOCK_WORDS},
    terms::{
        Digest, MeterId, MilliVolts, MilliWatts, Name, WattHours,
        flaw::Wrong,
        form::{self, Form, Value},
    },
};

/// Longest line-to-line voltage accepted, in volts.
const MAX_NOMINAL_V: i64 = 1_000_000;
/// Below this nominal voltage a network has a neutral conductor unless its configuration says otherwise, in volts.
const NEUTRAL_BELOW_V: i64 = 1_000;

/// Which conductors the network has.
const NETWORKS: &[(&str, Network)] = &[("three_wire", Network::ThreeWire), ("four_wire", Network::FourWire)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    ThreeWire,
    FourWire,
}

impl Reader<'_> {
    pub(super) fn meter(
        &self,
        form: Form<'_>,
        buses: &Known<'_, Bus>,
        equipment: &Known<'_, Furnace>,
        profiles: &Profiles,
        powers_gateway: Option<Name>,
    ) -> Option<Meter> {
        let id = form.required("id", form::name);
        let bus = Reader::bus_of(&form, buses);
        let unit = form.required("unit", form::fitting(1..=247));
        let profile = profiles.wanted(&form);
        let poll_ms = form.optional("poll_ms", form::fitting(100..=60_000)).unwrap_or(DEFAULT_POLL_MS);
        let timeout_ms = form.optional("timeout_ms", form::fitting(20..=30_000));
        let gap_ms: Option<u32> = form.optional("gap_ms", form::fitting(0..=5_000));
        let max_regs = form.optional("max_regs", form::fitting(1..=i64::from(MAX_BLOCK_WORDS)));
        if let Some(profile) = &profile {
            self.warn_of_line(&form, bus.and_then(|bus| buses.get(bus)), profile);
        }
        let served = served(&form, equipment);
        let commissioned = self.commissioned(&form, MeterId(id?), &served, profile.as_deref());
        let papers = PointPapers {
            powered_by: form.optional("powered_by", form::name),
            powers_gateway: id.is_some() && id == powers_gateway,
            ..self.papers(&form)
        };
        let limit = form.place("max_regs").clone();
        self.warn_of_placeholders(&form);
        form.close();
        let (id, bus, unit, mut profile) = (MeterId(id?), bus?, unit?, profile?);
        if let Some(gap_ms) = gap_ms {
            Arc::make_mut(&mut profile).gap_ms = gap_ms;
        }
        if let Some(max_regs) = max_regs {
            Arc::make_mut(&mut profile).max_regs = max_regs;
            if !Plan::is_possible(&profile) {
                let wrong = format!("profile `{}` cannot be read {max_regs} registers at a time", profile.id);
                self.flaws.add(limit, Wrong::new(wrong, "allow more at a time, or leave `max_regs` out"));
                return None;
            }
        }
        let commissioned =
            Commissioned { poll_ms, powered_by: papers.powered_by.map(MeterId), ..commissioned? };
        let identity = Commissioning::of(&commissioned, (profile.id, profile.digest), &papers).digest();
        let commissioned = Commissioned { identity, ..commissioned };
        let declared = commissioned.ratios;
        Some(Meter { id, bus, unit, profile, declared, poll_ms, timeout_ms, commissioned, papers })
    }

    /// The papers of a metering point; a missing test that ties the meter to its equipment is warned of.
    fn papers(&self, form: &Form<'_>) -> PointPapers {
        let Some(table) = form.table("papers") else {
            let wrong = "no `papers`: nothing shows that this meter measures this equipment";
            let right =
                "add [meter.papers] with the witnessed step test; every record says that there is none";
            self.warnings.add(form.place("id").clone(), Wrong::new(wrong, right));
            return PointPapers::default();
        };
        let papers = PointPapers {
            step_test: table.optional("step_test", paper),
            phasor_check: table.optional("phasor_check", paper),
            single_line: table.optional("single_line", paper),
            certificate: table.optional("certificate", paper),
            certificate_expires: table.optional("certificate_expires", form::day),
            seals: table.optional("seals", paper),
            ..PointPapers::default()
        };
        if papers.step_test.is_none() {
            let wrong = "no witnessed `step_test` ties this meter to its equipment";
            let right = "switch it under witness and name the protocol";
            self.warnings.add(table.place("step_test").clone(), Wrong::new(wrong, right));
        }
        table.close();
        papers
    }

    fn commissioned(
        &self,
        form: &Form<'_>,
        meter: MeterId,
        served: &[&Furnace],
        profile: Option<&Profile>,
    ) -> Option<Commissioned> {
        let role = form.optional("role", form::one_of(Role::WORDS)).unwrap_or(Role::Process);
        let nominal = form.required("nominal_v", form::whole(100..=MAX_NOMINAL_V));
        let wiring = wiring(form, nominal);
        refuse_unseen_lines(form, wiring, profile);
        let voltage_point = form.optional("voltage_point", form::one_of(VoltagePoint::WORDS));
        let no_load = form.optional("no_load_w", form::whole(0..=MAX_POWER_W)).unwrap_or(0);
        let compensation =
            form.optional("compensation_kvar", form::whole(0..=MAX_POWER_W / 1_000)).unwrap_or(0);
        let ratios = Declared {
            ct: form.optional("ct", transformer::current),
            pt: form.optional("pt", transformer::voltage),
        };
        let classes = Classes {
            meter: form.optional("meter_class", class),
            ct: form.optional("ct_class", class),
            pt: form.optional("pt_class", class),
        };
        let allowances = self.allowances(form);
        let nominal = MilliVolts(nominal?.saturating_mul(1_000));
        let floor = floor(form, wiring, nominal, ratios, classes);
        let rated =
            MilliWatts(served.iter().fold(0, |sum: i64, furnace| sum.saturating_add(furnace.rated.0)));
        let commissioned = Commissioned {
            meter,
            role,
            serves: served.iter().map(|furnace| furnace.equipment.id).collect(),
            wiring,
            voltage_point: voltage_point.unwrap_or(VoltagePoint::Bus),
            nominal,
            rated,
            no_load: MilliWatts::from_watts(no_load),
            compensation_var: compensation.saturating_mul(1_000),
            allowances,
            ratios,
            section: form.optional("section", form::name),
            classes,
            floor: floor?,
            register: profile?.row(Quantity::Import).map_or(Quantity::Energy, |row| row.quantity),
            poll_ms: DEFAULT_POLL_MS,
            promised: promised(profile?, wiring),
            powered_by: None,
            identity: Digest::of(b""),
        };
        if served.is_empty() {
            return None;
        }
        fitness::warn(form, self.warnings, &commissioned, profile?, voltage_point);
        Some(commissioned)
    }

    fn allowances(&self, form: &Form<'_>) -> Box<[Allowance]> {
        let mut allowances = Vec::new();
        let watts = |form: &Form<'_>, key| form.optional(key, form::whole(0..=MAX_POWER_W)).unwrap_or(0);
        for allowance in form.tables("allowance") {
            let name = allowance.required("name", form::name);
            let kind = allowance.optional("kind", form::one_of(AllowanceKind::WORDS));
            let power = allowance.required("power_w", form::whole(0..=MAX_POWER_W));
            let kvar = allowance.optional("kvar", form::whole(0..=MAX_POWER_W / 1_000));
            let monthly = allowance.required("energy_kwh_per_month", form::whole(0..=MAX_POWER_W));
            let back_power = watts(&allowance, "back_power_w");
            let back_monthly = watts(&allowance, "back_energy_kwh_per_month");
            let place = allowance.place("name").clone();
            allowance.close();
            let (Some(name), Some(power), Some(monthly)) = (name, power, monthly) else { continue };
            if allowances.len() == MAX_ALLOWANCES {
                let right = format!("at most {MAX_ALLOWANCES} are allowed");
                self.flaws.add(place, Wrong::new("too many allowances", right));
                break;
            }
            let (kind, power) = (kind.unwrap_or(AllowanceKind::Other), MilliWatts::from_watts(power));
            allowances.push(Allowance {
                name,
                kind,
                power,
                var: kvar.map_or(kind.var_of(power), |kvar| kvar.saturating_mul(1_000)),
                monthly: WattHours(monthly.saturating_mul(1_000)),
                back_power: MilliWatts::from_watts(back_power),
                back_monthly: WattHours(back_monthly.saturating_mul(1_000)),
            });
        }
        allowances.into()
    }
}

/// The equipment a meter serves: one name, or a list of them.
fn served<'e>(form: &Form<'_>, equipment: &Known<'e, Furnace>) -> Vec<&'e Furnace> {
    let names = |value: &Value| match value {
        Value::List(_) | Value::Plain(_) => form::list(form::name)(value),
        Value::Text(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::Table(_) => form::name(value).map(|name| vec![name]),
    };
    let mut wanted = form.required("serves", names).unwrap_or_default();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.len() > MAX_SERVED {
        form.flaw(
            "serves",
            format!("{} pieces of equipment", wanted.len()),
            format!("at most {MAX_SERVED} are allowed"),
        );
    }
    wanted.iter().filter_map(|name| equipment.find(form, "serves", *name)).collect()
}

/// The wiring, refused where it would not see every load of the network.
fn wiring(form: &Form<'_>, nominal_v: Option<i64>) -> Wiring {
    let wiring = form.optional("wiring", form::one_of(Wiring::WORDS)).unwrap_or(Wiring::FourWire);
    let usual = match nominal_v {
        Some(volts) if volts < NEUTRAL_BELOW_V => Network::FourWire,
        Some(_) | None => Network::ThreeWire,
    };
    let network = form.optional("network", form::one_of(NETWORKS)).unwrap_or(usual);
    if wiring == Wiring::Aron && network == Network::FourWire {
        form.flaw(
            "wiring",
            "two elements on a network with a neutral do not see a load between L2 and N",
            "use a meter with three elements; if there is no neutral, write network = \"three_wire\"",
        );
    }
    wiring
}

/// Two elements measure voltages between lines; without them their currents would seem to flow without any voltage.
fn refuse_unseen_lines(form: &Form<'_>, wiring: Wiring, profile: Option<&Profile>) {
    let lines = [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31];
    if let Some(profile) = profile.filter(|profile| lines.iter().all(|line| profile.row(*line).is_none()))
        && wiring == Wiring::Aron
    {
        form.flaw(
            "wiring",
            format!("profile `{}` has no voltage between lines, and two elements measure nothing else", profile.id),
            "add `voltage_l12`, `voltage_l23` and `voltage_l31` from the meter's handbook to a map of your own",
        );
    }
}

fn paper(value: &Value) -> form::Reading<String> {
    let text = form::text(value)?;
    if text.len() > MAX_PAPER_BYTES {
        return Err(Wrong::new(
            format!("has {} bytes", text.len()),
            format!("at most {MAX_PAPER_BYTES} are allowed: name the document"),
        ));
    }
    Ok(text)
}

fn class(value: &Value) -> form::Reading<Accuracy> {
    form::parsed(value, Accuracy::parse, "a class like \"0.5S\" is expected, in quotes")
}

fn floor(
    form: &Form<'_>,
    wiring: Wiring,
    nominal: MilliVolts,
    ratios: Declared,
    classes: Classes,
) -> Option<Floor> {
    let rated_a: Option<u32> = form.optional("rated_a", form::fitting(1..=100_000));
    match (ratios.ct, rated_a) {
        (Some(ct), None) => Some(Floor::behind_ct(wiring, ct.primary(), nominal, classes.ct)),
        (None, Some(amps)) => Some(Floor::direct(wiring, amps, nominal)),
        (Some(_), Some(_)) | (None, None) => {
            form.lacks(
                "ct",
                "the smallest current the meter sees cannot be told",
                "give either `ct = \"400/5\"` or, for a direct connection, `rated_a = 100`",
            );
            None
        }
    }
}

/// What a profile's map promises of what this wiring has, so that a missing value is missed.
fn promised(profile: &Profile, wiring: Wiring) -> Promised {
    let has = |quantity: &Quantity| profile.row(*quantity).is_some();
    let count = |quantities: &[Quantity]| {
        u8::try_from(quantities.iter().filter(|quantity| has(quantity)).count()).unwrap_or(3)
    };
    let lines = count(&[Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31]);
    let voltages = match wiring {
        Wiring::SinglePhase => count(&[Quantity::VoltageL1]),
        Wiring::FourWire | Wiring::Aron if lines > 0 => lines,
        Wiring::FourWire | Wiring::Aron => {
            count(&[Quantity::VoltageL1, Quantity::VoltageL2, Quantity::VoltageL3])
        }
    };
    let currents = [Quantity::CurrentL1, Quantity::CurrentL2, Quantity::CurrentL3];
    let measured =
        currents.iter().zip(wiring.has_current()).filter(|(current, is_there)| *is_there && has(current));
    Promised { voltages, currents: u8::try_from(measured.count()).unwrap_or(3) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Promised, Wiring, promised};
    use crate::{
        agent::config::{AgentConfig, load},
        terms::Flaw,
    };

    const PROFILES: [(&str, &str); 2] = [
        ("acrel-adl400", include_str!("../../../config/meters/acrel-adl400.toml")),
        ("janitza-19000", include_str!("../../../config/meters/janitza-19000.toml")),
    ];

    /// A plant of one meter with two elements, with this map and what else is declared of it.
    fn plant(name: &str, profile: &str, more: &str) -> Result<AgentConfig, Vec<Flaw>> {
        let folder = std::env::temp_dir().join(format!("coldhearth-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("meters")).unwrap();
        for (id, text) in PROFILES {
            fs::write(folder.join(format!("meters/{id}.toml")), text).unwrap();
        }
        let file = folder.join("agent.toml");
        let text = format!(
            "[gateway]\nid = \"gw-1\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\
             profiles = \"meters\"\n\n[broker]\nhost = \"127.0.0.1\"\n\n[[bus]]\nid = \"hall\"\n\
             endpoint = \"tcp://127.0.0.1:1502\"\n\n[[equipment]]\nid = \"saf-1\"\nkind = \"submerged_arc_furnace\"\n\
             rated_power_w = 5_500_000\ndecommissioned_on = 2012-12-31\n\n[[meter]]\nid = \"saf-1-feeder\"\n\
             bus = \"hall\"\nunit = 1\nprofile = \"{profile}\"\nserves = \"saf-1\"\nwiring = \"3p3w_2e\"\n\
             nominal_v = 10_000\nct = \"400/5\"\npt = \"10000/100\"\n{more}"
        );
        fs::write(&file, text).unwrap();
        let loaded = load(&file);
        fs::remove_dir_all(&folder).unwrap();
        loaded
    }

    fn flaws_of_two_elements(profile: &str) -> Vec<String> {
        plant(profile, profile, "").err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reactive_power_is_what_was_declared_of_an_allowance_or_what_its_kind_takes() {
        let allowance = |name, more: &str| {
            format!(
                "[[meter.allowance]]\nname = \"{name}\"\npower_w = 20_000\nenergy_kwh_per_month = 1\n{more}\n"
            )
        };
        let more =
            allowance("welder", "") + &allowance("tested", "kvar = 30") + &allowance("l", "kind = \"lamps\"");
        let Ok(loaded) = plant("kvar", "janitza-19000", &more) else { panic!("it has no flaws") };
        let [meter] = &loaded.meters[..] else { panic!("there is one") };
        let vars: Vec<i64> = meter.commissioned.allowances.iter().map(|allowance| allowance.var).collect();
        assert_eq!(vars, [53_600, 30_000, 9_600]);
    }

    #[test]
    fn no_word_is_promised_that_the_wiring_does_not_have() {
        let Ok(loaded) = plant("promised", "janitza-19000", "") else { panic!("it has no flaws") };
        let [meter] = &loaded.meters[..] else { panic!("there is one") };
        assert_eq!(meter.commissioned.promised, Promised { voltages: 3, currents: 2 });
        assert_eq!(promised(&meter.profile, Wiring::SinglePhase), Promised { voltages: 1, currents: 1 });
        assert_eq!(promised(&meter.profile, Wiring::FourWire), Promised { voltages: 3, currents: 3 });
    }

    #[test]
    fn two_elements_without_voltages_between_lines_cannot_be_judged() {
        assert_eq!(flaws_of_two_elements("janitza-19000"), [""; 0]);
        let flaws = flaws_of_two_elements("acrel-adl400");
        let [flaw] = flaws.as_slice() else { panic!("{flaws:?}") };
        assert!(flaw.contains("agent.toml:27:") && flaw.contains("no voltage between lines"), "{flaw}");
    }
}
