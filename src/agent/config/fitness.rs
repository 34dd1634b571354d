//! What makes a meter unfit for its equipment: said at commissioning, before it is said in every verdict.

use crate::{
    judge::{
        Commissioned, VoltagePoint,
        accuracy::{ASSUMED_CT, ASSUMED_METER, ASSUMED_PT},
        floor::{UNFIT_PERCENT, register_floor},
        ledger::INTERVAL_MS,
    },
    metering::{
        Profile,
        profile::{Kind, Tested},
    },
    terms::{Flaws, Ratio, WattHours, flaw::Wrong, form::Form},
};

/// Warns of everything that limits what can be said by this meter.
pub(super) fn warn(
    form: &Form<'_>,
    warnings: &Flaws,
    terms: &Commissioned,
    profile: &Profile,
    voltage_point: Option<VoltagePoint>,
) {
    let warn = |key: &str, wrong: String, right: &str| {
        warnings.add(form.place(key).clone(), Wrong::new(wrong, right));
    };
    if !profile.has_liveness_word() {
        let wrong = format!("profile `{}` has no clock, uptime or run-hours word", profile.id);
        warn("profile", wrong, "a dead line can then only be shown as unknown, never as dead");
    }
    if profile.tested == Tested::Untested {
        let wrong = format!("profile `{}`: {}", profile.id, profile.tested);
        warn("profile", wrong, &format!("known of it: {}", profile.tested_how));
    }
    if profile.needs_pt() && terms.ratios.pt.is_none() {
        let wrong = "`pt` is not declared and the meter's values need it".to_owned();
        warn(
            "profile",
            wrong,
            "the ratio the meter tells is believed; write `pt = \"10000/100\"` from the plate",
        );
    }
    if terms.voltage_point == VoltagePoint::Bus {
        let wrong = match voltage_point {
            Some(_) => "the voltage is taken at the bus",
            None => "`voltage_point` is not declared, so the bus is assumed",
        };
        warn(
            "voltage_point",
            wrong.to_owned(),
            "a dead line or a cut cannot be told then: write voltage_point = \"line\" or \"load\" where it is so",
        );
    }
    warn_of_classes(&warn, terms);
    warn_of_size(&warn, terms, profile);
}

fn warn_of_classes(warn: &impl Fn(&str, String, &str), terms: &Commissioned) {
    let (ct, pt) = (terms.ratios.ct.is_some(), terms.ratios.pt.is_some());
    let missing = [
        ("meter_class", terms.classes.meter.is_none(), ASSUMED_METER),
        ("ct_class", ct && terms.classes.ct.is_none(), ASSUMED_CT),
        ("pt_class", pt && terms.classes.pt.is_none(), ASSUMED_PT),
    ];
    for (key, _, assumed) in missing.into_iter().filter(|(_, is_missing, _)| *is_missing) {
        let wrong = format!("`{key}` is not declared: class {assumed} is assumed");
        warn(key, wrong, "write it as the plate does, like \"0.5S\"; a better class shows smaller loads");
    }
}

fn warn_of_size(warn: &impl Fn(&str, String, &str), terms: &Commissioned, profile: &Profile) {
    let (floor, rated) = (terms.floor, terms.rated);
    if terms.is_unfit() {
        let wrong = format!(
            "meter unfit for this equipment: {} W could hide below its floor, more than {UNFIT_PERCENT} % of {} W",
            floor.power.watts(),
            rated.watts()
        );
        warn("ct", wrong, "use a smaller current transformer or a better class");
    }
    if profile.row(terms.register).is_none() {
        warn(
            "profile",
            format!("profile `{}` has no energy register", profile.id),
            "nothing but unknown can be said by this meter",
        );
    }
    let coarse = |step: &WattHours| {
        let part = rated.over_ms(INTERVAL_MS).0 / 100 * UNFIT_PERCENT;
        register_floor(*step).0 > part
    };
    if let Some(step) = step(terms, profile).filter(coarse) {
        let wrong = format!(
            "register too coarse for this equipment: it moves in steps of {} Wh, and two of them are more than \
             {UNFIT_PERCENT} % of a quarter of an hour at {} W",
            step.0,
            rated.watts()
        );
        warn("profile", wrong, "a run in a gap could hide in it: use a meter with a finer register");
    }
}

/// One step of the energy register, primary side; `None` where it grows with the value, where the meter tells its
/// scale, or the ratios are not declared.
fn step(terms: &Commissioned, profile: &Profile) -> Option<WattHours> {
    // Where the meter tells the power of ten, nothing is known before it was asked.
    let row = profile.row(terms.register).filter(|row| row.cell.pow10.is_none())?;
    match row.cell.kind {
        Kind::F32 | Kind::F64 => return None,
        Kind::U16 | Kind::I16 | Kind::U32 | Kind::I32 | Kind::U64 | Kind::I64 => {}
    }
    // Millionths of a watt-hour: kilowatt-hours by a thousand by a million.
    let fine = row.cell.scale.times(1_000_000_000)?;
    let by = |fine: i128, applies: bool, ratio: Option<Ratio>| {
        if applies { ratio?.applied_to(fine) } else { Some(fine) }
    };
    let fine = by(fine, row.times.ct, terms.ratios.ct)?;
    let fine = by(fine, row.times.pt, terms.ratios.pt)?;
    i64::try_from(fine / 1_000_000).ok().map(|step| WattHours(step.max(1)))
}
