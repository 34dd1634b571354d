//! A profile file into types that cannot be wrong.

use std::collections::BTreeSet;

use super::super::{quantity::Quantity, scan::Function};
use super::{
    Absent, Cell, Kind, MAX_SENTINELS, Profile, RatioCells, Row, Tested, Times, WordOrder, check,
    check::Placed, link, recognise,
};
use crate::terms::{
    Decimal, Digest,
    flaw::Wrong,
    form::{self, Form, Node, Value},
};

/// What rows take over when they do not say it themselves.
pub(super) struct Defaults {
    pub(super) function: Function,
    pub(super) kind: Option<Kind>,
    pub(super) order: WordOrder,
    pub(super) absent: Absent,
    /// The letters of `[sources]`.
    pub(super) sources: BTreeSet<String>,
}

pub(super) fn profile(form: Form<'_>, digest: Digest) -> Option<Profile> {
    let id = form.required("id", form::name);
    let vendor = form.required("vendor", form::text);
    let models = form.required("models", form::list(form::text));
    let wires = form.optional("wires", form::fitting(2..=4));
    let secondary = form.required("values", form::one_of(&[("primary", false), ("secondary", true)]));
    let tested = form.required("tested", form::one_of(Tested::ALL));
    let tested_how = form.required("tested_how", form::text);
    form.optional("grade", form::whole(1..=2));
    let link = link::read(&form);
    let defaults = read_defaults(&form);
    let (identify, chain) = recognise::tests(&form, &defaults);
    let about = recognise::about(&form, &defaults, chain.is_some());
    let (ct, pt) = read_ratios(&form, &defaults);
    let rows: Vec<Placed> = form
        .entries("measure")
        .into_iter()
        .filter_map(|(key, node)| read_row(&form, key, node, &defaults, secondary == Some(true)))
        .collect();
    let quirks = read_notes(&form);
    check::rows(&form, &rows, &link, secondary);
    check::ratios(&form, &rows, [ct, pt], chain.is_some());
    let profile = Profile {
        id: id?,
        vendor: vendor?,
        models: models?,
        wires,
        tested: tested?,
        tested_how: tested_how?,
        identify,
        chain,
        about,
        rows: rows.into_iter().map(|placed| placed.row).collect(),
        ct,
        pt,
        modes: link.modes,
        baud: link.baud,
        parity: link.parity,
        max_regs: link.max_regs,
        max_gap: link.max_gap,
        gap_ms: link.gap_ms,
        timeout_ms: link.timeout_ms,
        quirks,
        digest,
    };
    check::fits_one_poll(&form, &profile);
    form.close();
    Some(profile)
}

fn read_defaults(form: &Form<'_>) -> Defaults {
    let sources = form.entries("sources").into_iter().map(|(letter, _)| letter.to_owned()).collect();
    let table = form.table("defaults");
    let function = table.as_ref().and_then(|t| t.optional("fc", function));
    let kind = table.as_ref().and_then(|t| t.optional("type", form::one_of(Kind::ALL)));
    let order = table.as_ref().and_then(|t| t.optional("order", order));
    let absent = table.as_ref().and_then(|t| t.optional("absent", absent));
    if let Some(table) = table {
        table.close();
    }
    Defaults {
        function: function.unwrap_or(Function::Holding),
        kind,
        order: order.unwrap_or(WordOrder::Big),
        absent: absent.unwrap_or(Absent::NEVER),
        sources,
    }
}

fn read_notes(form: &Form<'_>) -> Vec<String> {
    let Some(notes) = form.table("notes") else { return Vec::new() };
    let quirks = notes.optional("quirks", form::list(form::text)).unwrap_or_default();
    notes.close();
    quirks
}

fn read_ratios(form: &Form<'_>, defaults: &Defaults) -> (Option<RatioCells>, Option<RatioCells>) {
    let Some(table) = form.table("ratio") else { return (None, None) };
    let read = |key| {
        let cell = table.table(key)?;
        let over = cell.table("over").and_then(|over| {
            let read = read_cell(&over, defaults);
            over.close();
            read
        });
        let value = read_cell(&cell, defaults);
        cell.close();
        Some(RatioCells { value: value?, over })
    };
    let ratios = (read("ct"), read("pt"));
    table.close();
    ratios
}

fn read_row(form: &Form<'_>, key: &str, node: &Node, defaults: &Defaults, secondary: bool) -> Option<Placed> {
    let row = Form::of(node, form.flaws())?;
    let quantity = Quantity::from_word(key);
    if quantity.is_none() {
        row.flaw(
            "",
            format!("`{key}` is no quantity"),
            "use a word of the profile schema, such as power or import",
        );
    }
    let times = row.optional("times", times);
    let wraps_at: Option<u64> = row.optional("wraps_at", form::fitting(2..=i64::MAX));
    let cell = read_cell(&row, defaults);
    let quantity = quantity?;
    if times.is_some_and(|times| !times.within(quantity.times())) {
        let right = match quantity.times() {
            Times { ct: false, pt: false } => "no transformer stands in its way: drop `times`",
            Times { ct: true, pt: false } => "a current is multiplied by \"ct\" alone",
            Times { ct: false, pt: true } => "a voltage is multiplied by \"pt\" alone",
            Times { ct: true, pt: true } => "\"ct*pt\" at most",
        };
        row.flaw("times", format!("`{key}` is not multiplied so"), right);
    }
    if times.is_some_and(|times| times != Times::NONE) && !secondary {
        row.flaw(
            "times",
            "`times`, but values are \"primary\"",
            "write `values = \"secondary\"` or drop `times`",
        );
    }
    if wraps_at.is_some() && !(quantity.is_register() && cell.is_none_or(|cell| !cell.kind.is_float())) {
        row.flaw("wraps_at", "only a counter in a whole type wraps", "drop `wraps_at`");
    }
    row.close();
    // What a map on the meter's own side does not say follows from the quantity.
    let usual = if secondary { quantity.times() } else { Times::NONE };
    let row = Row { quantity, cell: cell?, times: times.unwrap_or(usual), wraps_at };
    Some(Placed { row, place: node.place.clone() })
}

fn read_cell(form: &Form<'_>, defaults: &Defaults) -> Option<Cell> {
    let at: Option<u16> = form.required("at", form::fitting(0..=0xFFFF));
    let function = form.optional("fc", function).unwrap_or(defaults.function);
    let kind = form.optional("type", form::one_of(Kind::ALL)).or(defaults.kind);
    if kind.is_none() {
        form.flaw("type", "the row has no type", "add `type = \"...\"` here or under [defaults]");
    }
    let order = form.optional("order", order).unwrap_or(defaults.order);
    let scale = form.optional("scale", form::decimal).unwrap_or(Decimal::ONE);
    if scale.mantissa == 0 {
        form.flaw(
            "scale",
            "a scale of 0 turns every reading into 0",
            "write the factor from raw value to unit",
        );
    }
    let pow10 = form.optional("pow10", form::fitting(0..=0xFFFF));
    let own_absent = form.optional("absent", absent);
    known_sources(form, defaults);
    let (at, kind) = (at?, kind?);
    if u32::from(at) + u32::from(kind.words()) > 0x1_0000 {
        form.flaw("at", "the value runs past register 65535", "check the address");
    }
    if pow10.is_some() && kind.is_float() {
        form.flaw("pow10", "a float carries its own power of ten", "drop `pow10`, or correct the type");
    }
    for word in own_absent.iter().flat_map(|absent| absent.words).flatten() {
        if !fits(kind, word) {
            let wrong = format!("{word} cannot stand in {}", kind.word());
            form.flaw("absent", wrong, "write the raw value, as a number of the row's type or as its bits");
        }
    }
    let absent = own_absent.unwrap_or(defaults.absent);
    Some(Cell { function, at, kind, order, scale, pow10, absent })
}

/// Every row names where it was read, by letters of `[sources]`.
pub(super) fn known_sources(form: &Form<'_>, defaults: &Defaults) {
    let Some(letters) = form.optional("src", form::text) else { return };
    for letter in letters.chars().filter(|letter| !defaults.sources.contains(&letter.to_string())) {
        form.flaw("src", format!("`{letter}` stands not under [sources]"), "name the source there");
    }
}

/// Whether a raw value can stand in a type, as its number or as its bits.
fn fits(kind: Kind, word: i64) -> bool {
    let ones = kind.ones();
    match kind {
        Kind::F32 | Kind::F64 => word.unsigned_abs() < 1 << 24,
        Kind::I16 | Kind::I32 | Kind::I64 => {
            word.unsigned_abs() <= (ones >> 1) + u64::from(word < 0)
                || (word >= 0 && word.cast_unsigned() <= ones)
        }
        Kind::U16 | Kind::U32 | Kind::U64 => word >= 0 && word.cast_unsigned() <= ones,
    }
}

pub(super) fn function(value: &Value) -> form::Reading<Function> {
    form::whole(3..=4)(value).map(|code| if code == 3 { Function::Holding } else { Function::Input })
}

pub(super) fn order(value: &Value) -> form::Reading<WordOrder> {
    form::one_of(&[("big", WordOrder::Big), ("little", WordOrder::Little)])(value)
}

/// A word, a raw value, or a list of both.
fn absent(value: &Value) -> form::Reading<Absent> {
    let Value::List(items) = value else { return mark(value) };
    let mut all = Absent::NEVER;
    let mut free = 0;
    for item in items {
        let one = mark(&item.value)?;
        all.max |= one.max;
        all.sunspec |= one.sunspec;
        for word in one.words.into_iter().flatten() {
            let slot = all.words.get_mut(free).ok_or_else(|| {
                Wrong::new("names too many raw values", format!("at most {MAX_SENTINELS} are allowed"))
            })?;
            *slot = Some(word);
            free += 1;
        }
    }
    Ok(all)
}

fn mark(value: &Value) -> form::Reading<Absent> {
    if let Value::Integer(word) = value {
        return Ok(Absent::word(*word));
    }
    form::one_of(&[("max", Absent::MAX), ("sunspec", Absent::SUNSPEC), ("never", Absent::NEVER)])(value)
}

fn times(value: &Value) -> form::Reading<Times> {
    form::one_of(&[("ct", Times::CT), ("pt", Times::PT), ("ct*pt", Times::BOTH), ("none", Times::NONE)])(
        value,
    )
}
