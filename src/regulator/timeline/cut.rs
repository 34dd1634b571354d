//! What becomes of a cut-off order, in words.

use super::{Energy, Tone};
use crate::{
    judge::{DarkMeter, Rung, Transition, cutoff::Reconciliation},
    terms::{
        AssetId, LegalDay, MeterId, OrderId,
        time::LegalTime,
        words::{self, Language},
    },
};

pub(super) fn transition_line(step: &Transition, language: Language) -> (Tone, String) {
    let tone = match step.to {
        Rung::Violated => Tone::Alarm,
        Rung::Indeterminate => Tone::Doubt,
        Rung::Observing | Rung::Provisional | Rung::Verified | Rung::Maintained => Tone::Good,
        Rung::Issued
        | Rung::Acknowledged
        | Rung::Scheduled
        | Rung::CutClaimed
        | Rung::Suspended
        | Rung::Closed
        | Rung::Cancelled
        | Rung::Restored => Tone::Plain,
    };
    (tone, format!("{}: order {}: {} ({})", step.asset, step.order, step.to.told(language), step.why))
}

pub(super) fn fed_line(order: OrderId, asset: AssetId, meter: MeterId, language: Language) -> (Tone, String) {
    let what = words::FED_BEHIND_CUT.in_language(language);
    (Tone::Alarm, format!("{asset} at {meter}: {what} (order {order})"))
}

pub(super) fn day_line(day: &Reconciliation, language: Language) -> (Tone, String) {
    let (tone, what) =
        if day.agrees() { (Tone::Plain, words::DAY_AGREES) } else { (Tone::Alarm, words::DAY_DIFFERS) };
    let (ours, theirs, may) = (Energy(day.ours), Energy(day.theirs), Energy(day.may_differ));
    let date = LegalDay::of_unix_ms(day.from_unix_ms);
    let what = what.in_language(language);
    (tone, format!("{} at {} on {date}: {what}: {ours} / {theirs} (± {may})", day.asset, day.meter))
}

/// What a meter shows of a time in which the witness was dark.
pub(super) fn dark_line(told: &DarkMeter, language: Language) -> (Tone, String) {
    let (tone, what) = match told.energy() {
        Some(energy) if energy.0 == 0 => (Tone::Plain, words::DARK_STILL.in_language(language).to_owned()),
        Some(energy) => {
            (Tone::Doubt, format!("{} {}", words::DARK_MOVED.in_language(language), Energy(energy)))
        }
        None => (Tone::Doubt, words::DARK_UNTOLD.in_language(language).to_owned()),
    };
    let why = told.dark.ended.words();
    let (from, to) = (LegalTime(told.dark.from.wall_unix_ms), LegalTime(told.dark.to.wall_unix_ms));
    (
        tone,
        format!(
            "{} at {}: {} – {} ({}): {what}",
            told.asset,
            told.meter,
            from,
            to,
            why.in_language(language)
        ),
    )
}
