//! What the notice asks divisions to publish and to report, made of the records that are kept: every figure names the
//! signed records it rests on, what nobody knows is no zero, and only what a signed record says counts as done.

pub mod beside;
pub mod closures;
pub mod completion;
pub mod coverage;
pub mod found;
pub mod left;
pub mod list;
mod moved;
pub mod names;
pub mod owed;
pub mod periodic;
pub mod print;
pub mod restarts;
pub mod sealed;
pub mod sheet;
pub mod surcharge;
pub mod survey;
pub mod tariff;

pub use self::{
    beside::Beside,
    found::found,
    names::Names,
    sheet::{Cell, Column, Rests, Row, Scope, Sheet, Source},
    survey::{Equipment, Surveyed, standing, survey, survey_anew},
    tariff::Tariff,
};

use crate::terms::{
    LegalDay,
    place::{CreditCode, Division},
};

/// What is told on the stroke of midnight is of the day that ends.
fn after_midnight(day: LegalDay) -> i64 {
    day.starts_unix_ms().saturating_add(1)
}

/// Where something is, as the first cells of a row.
fn place(division: Division, enterprise: CreditCode) -> [Cell; 2] {
    [Cell::Text(division.to_string()), Cell::Text(enterprise.to_string())]
}

/// The cells of a piece of equipment: where, whose, behind which gateway, its name.
fn equipment(equipment: &Equipment) -> Vec<Cell> {
    let mut cells = place(equipment.division, equipment.enterprise).to_vec();
    cells.push(Cell::Text(equipment.gateway.to_string()));
    cells.push(Cell::Text(equipment.asset.to_string()));
    cells
}

/// The columns of those.
fn equipment_columns() -> Vec<Column> {
    use crate::terms::words;
    vec![
        Column::of("division", words::R_DIVISION),
        Column::of("uscc", words::R_ENTERPRISE),
        Column::of("gateway_id", words::R_GATEWAY),
        Column::of("asset", words::R_ASSET),
    ]
}

/// The entry a piece of equipment stands under; unknown where none is.
fn entry(equipment: &Equipment) -> Cell {
    equipment.entry().map_or(Cell::Unknown, |entry| Cell::Text(entry.to_string()))
}

#[cfg(test)]
mod tests;
