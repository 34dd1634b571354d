//! What shows only when the rows stand side by side.

use super::{
    super::{
        plan::Plan,
        scan::{Block, MAX_SCAN_BLOCKS, MAX_SCAN_WORDS},
    },
    Profile, RatioCells, Row,
    link::Link,
};
use crate::terms::{
    flaw::{Place, Wrong},
    form::Form,
};

/// A row and where it stands in its file.
pub(super) struct Placed {
    pub(super) row: Row,
    pub(super) place: Place,
}

/// Rows against each other and against what the meter answers at once.
pub(super) fn rows(form: &Form<'_>, rows: &[Placed], link: &Link, secondary: Option<bool>) {
    if rows.is_empty() {
        form.flaw("measure", "no quantity is mapped", "add rows under [measure]");
    }
    let is_readable = form.flaws().is_empty();
    if secondary == Some(true)
        && is_readable
        && !rows.iter().any(|placed| placed.row.times.ct || placed.row.times.pt)
    {
        form.flaw(
            "values",
            "values are \"secondary\" but no row is multiplied",
            "write \"primary\", or `times` where a ratio applies",
        );
    }
    let mut rows: Vec<&Placed> = rows.iter().collect();
    rows.sort_by_key(|placed| &placed.place);
    for (position, placed) in rows.iter().enumerate() {
        let words = placed.row.cell.kind.words();
        if words > link.max_regs {
            let wrong = format!("{words} registers, but `max_regs` is {}", link.max_regs);
            form.flaws().add(placed.place.clone(), Wrong::new(wrong, "correct the type or the limit"));
        }
        let before = rows.get(..position).unwrap_or(&[]);
        if let Some(other) = before.iter().find(|other| contradict(&placed.row, &other.row)) {
            let wrong = format!(
                "`{}` shares registers with `{}`, and both cannot be true",
                placed.row.quantity.word(),
                other.row.quantity.word()
            );
            form.flaws().add(placed.place.clone(), Wrong::new(wrong, "correct an address or a type"));
        }
    }
}

/// Ratios against the rows; a SunSpec map has none.
pub(super) fn ratios(form: &Form<'_>, rows: &[Placed], ratios: [Option<RatioCells>; 2], has_chain: bool) {
    let ratios: Vec<RatioCells> = ratios.into_iter().flatten().collect();
    if has_chain && !ratios.is_empty() {
        form.flaw("ratio", "a SunSpec model has no ratio registers", "drop [ratio]");
        return;
    }
    let shared = |row: &&Placed| {
        let cells = ratios.iter().flat_map(RatioCells::blocks);
        cells.into_iter().any(|block| row.row.cell.blocks().any(|other| overlap(block, other)))
    };
    for placed in rows.iter().filter(shared) {
        let wrong = format!("`{}` shares registers with a ratio", placed.row.quantity.word());
        form.flaws().add(placed.place.clone(), Wrong::new(wrong, "correct an address or a type"));
    }
}

/// Whether one poll can hold every row.
pub(super) fn fits_one_poll(form: &Form<'_>, profile: &Profile) {
    if Plan::of(profile).is_none() {
        let limit = format!("at most {MAX_SCAN_WORDS} registers in {MAX_SCAN_BLOCKS} requests fit one poll");
        form.flaw("measure", "the rows need too many registers or requests", limit);
    }
}

/// Two rows may show the same registers when they read them alike: a single-phase meter's only power is its total.
fn contradict(one: &Row, other: &Row) -> bool {
    let alike = one.cell == other.cell && one.quantity.unit() == other.quantity.unit();
    let values = overlap(one.cell.block(), other.cell.block()) && !alike;
    let mixed = |row: &Row, other: &Row| {
        row.cell.pow10_block().is_some_and(|power| overlap(power, other.cell.block()))
    };
    values || mixed(one, other) || mixed(other, one) || mixed(one, one)
}

fn overlap(one: Block, other: Block) -> bool {
    one.function == other.function && u32::from(one.at) < other.end() && u32::from(other.at) < one.end()
}
