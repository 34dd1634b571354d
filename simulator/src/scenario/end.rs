//! What a scenario should end as, and by what a cheat must be caught.

use coldhearth::terms::{
    AssetId, Name,
    flaw::Wrong,
    form::{self, Form, Reading, Value},
};

use super::time;
use crate::{alarm, site::FeederIndex};

/// The cheats no software at the metering point can see, by name, and only these.
pub const UNDETECTABLE: [&str; 10] = [
    "bypass_without_incomer",
    "cloned_serial",
    "serial_man_in_the_middle",
    "equal_shunts",
    "pulse_in_a_gap",
    "lawful_feeder",
    "second_supply",
    "steam_or_diesel",
    "undelivered_records",
    "live_relay",
];

/// What a piece of equipment must be judged to be at the end.
#[derive(Clone, Debug)]
pub struct End {
    /// Which.
    pub asset: AssetId,
    /// The state's word is one of these; any where there are none.
    pub states: Vec<&'static str>,
    /// Whether its latch must be closed; nobody asks where nothing is said.
    pub violation: Option<bool>,
    /// States it must never be judged to be in from `since_ms` on.
    pub never: Vec<&'static str>,
    /// States it must have been judged to be in at some moment from `since_ms` on.
    pub through: Vec<&'static str>,
    /// Plant time from which both are asked, in milliseconds.
    pub since_ms: u64,
}

/// What the balance groups of a scenario must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balanced {
    /// Nine of ten agree, and none leaves a residual.
    Agree,
    /// Each says that it cannot tell.
    Unknown,
}

/// The words of [`Balanced`].
pub(super) const BALANCED: &[(&str, Balanced)] =
    &[("agree", Balanced::Agree), ("unknown", Balanced::Unknown)];

/// By what a cheat is caught, and how its energy is counted.
#[derive(Clone, Debug)]
pub struct Catch {
    /// The equipment it is about.
    pub asset: AssetId,
    /// One of these alarms must be raised.
    pub by: Vec<&'static str>,
    /// Feeders whose energy counts.
    pub draws: Vec<FeederIndex>,
    /// Energy counts from the first reading after the cheat began, not from its beginning: what nobody could see.
    pub from_reading: bool,
    /// Another limit of energy than the rule's, in kilowatt-hours.
    pub limit_kwh: Option<i64>,
    /// The longest that may pass until it is caught, in milliseconds; nobody asks where nothing is said.
    pub within_ms: Option<u64>,
    /// Why it is measured otherwise than the rule says.
    pub because: Option<String>,
}

/// Which cheat it is that no software can see, and the words that cap the claim.
#[derive(Clone, Debug)]
pub struct Cap {
    /// One of [`UNDETECTABLE`].
    pub which: &'static str,
    /// What the verdict says all the same.
    pub words: String,
}

/// Reads an `[[end]]`.
pub(super) fn end(form: Form<'_>, assets: &[AssetId]) -> Option<End> {
    let asset = asset(&form, assets);
    let states = form.optional("state", form::list(|value| one_of(value, &alarm::STATES)));
    let violation = form.optional("violation", form::flag);
    let some =
        |key| form.optional(key, form::list(|value| one_of(value, &alarm::STATES))).unwrap_or_default();
    let (never, through) = (some("never"), some("through"));
    let since_ms = form.optional("since", time::on_line).unwrap_or(0);
    form.close();
    Some(End { asset: asset?, states: states.unwrap_or_default(), violation, never, through, since_ms })
}

/// Reads `[catch]`. `usual` are the feeders that the equipment's meters stand on.
pub(super) fn catch(
    form: Form<'_>,
    assets: &[AssetId],
    feeder: &dyn Fn(Name) -> Option<FeederIndex>,
    usual: &dyn Fn(AssetId) -> Vec<FeederIndex>,
) -> Option<Catch> {
    const FROM: &[(&str, bool)] = &[("onset", false), ("reading", true)];
    let asset = asset(&form, assets);
    let by = form.required("by", form::list(|value| one_of(value, alarm::words())));
    let names = form.optional("draws", form::list(form::name));
    let known: Option<Vec<FeederIndex>> =
        names.as_ref().map(|names| names.iter().filter_map(|name| feeder(*name)).collect());
    if known.as_ref().map(Vec::len) != names.as_ref().map(Vec::len) {
        form.flaw("draws", "one of these is no [[feeder]]", "add it, or correct the name");
    }
    let from = form.optional("from", form::one_of(FROM));
    let limit_kwh = form.optional("limit_kwh", form::whole(1..=1_000_000_000));
    let within_ms = form.optional("within", time::on_line);
    let because = form.optional("because", form::text);
    if because.is_none() && (limit_kwh.is_some() || from == Some(true)) {
        form.flaw("because", "another measure than the rule's needs a reason", "add `because = \"...\"`");
    }
    form.close();
    let asset = asset?;
    Some(Catch {
        asset,
        by: by?,
        draws: known.unwrap_or_else(|| usual(asset)),
        from_reading: from.unwrap_or(false),
        limit_kwh,
        within_ms,
        because,
    })
}

/// Reads `[cap]`.
pub(super) fn cap(form: Form<'_>) -> Option<Cap> {
    let which = form.required("undetectable", |value| one_of(value, &UNDETECTABLE));
    let words = form.required("words", form::text);
    form.close();
    Some(Cap { which: which?, words: words? })
}

/// Reads a word of `signs`.
pub(super) fn sign(value: &Value) -> Reading<&'static str> {
    one_of(value, alarm::words())
}

/// The equipment a table is about: the first where it does not say.
fn asset(form: &Form<'_>, assets: &[AssetId]) -> Option<AssetId> {
    if !form.has("equipment") {
        return assets.first().copied();
    }
    let id = AssetId(form.required("equipment", form::name)?);
    if !assets.contains(&id) {
        form.flaw("equipment", format!("no [[equipment]] has the id `{id}`"), "correct the name");
    }
    Some(id)
}

fn one_of(value: &Value, words: &[&'static str]) -> Reading<&'static str> {
    let text = form::text(value)?;
    words.iter().copied().find(|word| *word == text).ok_or_else(|| {
        Wrong::new(format!("is \"{text}\""), format!("one of {} is expected", words.join(", ")))
    })
}
