//! Interval data in CSV: `meter,start,end,energy_kwh,quality,state`, the columns in any order, no quotes.

use std::sync::Arc;

use super::{Interval, MAX_INTERVALS, Part, Series, Told, whole, word};
use crate::terms::{
    Decimal, Flaw, WattHours,
    flaw::{Flaws, Place, Wrong},
    time,
};

/// The columns.
const COLUMNS: [&str; 6] = ["meter", "start", "end", "energy_kwh", "quality", "state"];
/// The header as a message names it.
const HEADER: &str = "the columns are meter,start,end,energy_kwh,quality,state";
/// Watt-hours in a kilowatt-hour.
const KILO: i128 = 1_000;
const MOMENT: &str = "a time with its offset is expected, 2026-11-16T00:00:00+08:00";

/// A cell and where it begins.
#[derive(Clone, Copy)]
struct Cell<'t> {
    text: &'t str,
    column: u32,
}

pub(super) fn read(file: &str, text: &str, mut series: Series) -> Result<Told, Vec<Flaw>> {
    let (file, flaws): (Arc<str>, _) = (file.into(), Flaws::default());
    let add =
        |line: u32, column: u32, what: Wrong| flaws.add(Place { file: file.clone(), line, column }, what);
    let text_of_rows = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1_u32..).zip(text_of_rows.lines());
    let head: Vec<Cell<'_>> = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
    check_head(&head, &add);
    if !flaws.is_empty() {
        return Err(flaws.into_sorted());
    }
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        if series.intervals >= MAX_INTERVALS {
            add(
                line,
                1,
                Wrong::new(format!("more than {MAX_INTERVALS} intervals"), "write one file a month"),
            );
            break;
        }
        let row = cells(row);
        if row.len() != head.len() {
            let wrong = format!("{} cells under {} columns", row.len(), head.len());
            add(line, row.last().map_or(1, |cell| cell.column), Wrong::new(wrong, HEADER));
            continue;
        }
        let cell = |column: &str| {
            let place = head.iter().position(|cell| cell.text == column);
            place.and_then(|place| row.get(place)).copied().unwrap_or(Cell { text: "", column: 1 })
        };
        let at = |part| cell(column_of(part)).column;
        let interval = interval(cell, |column, what| add(line, column, what));
        series.take(&interval, |part, what| add(line, at(part), what));
    }
    if series.intervals == 0 && flaws.is_empty() {
        add(1, 1, Wrong::new("no interval at all", "write one row for each"));
    }
    match series.told(text) {
        Some(told) if flaws.is_empty() => Ok(told),
        Some(_) | None => Err(flaws.into_sorted()),
    }
}

const fn column_of(part: Part) -> &'static str {
    match part {
        Part::Meter => "meter",
        Part::Start => "start",
        Part::End => "end",
        Part::Energy => "energy_kwh",
    }
}

fn check_head(head: &[Cell<'_>], add: &impl Fn(u32, u32, Wrong)) {
    for (place, cell) in head.iter().enumerate() {
        if !COLUMNS.contains(&cell.text) {
            let wrong = format!("unknown column \"{}\"", cell.text);
            add(1, cell.column, Wrong::new(wrong, HEADER));
        } else if head.iter().take(place).any(|before| before.text == cell.text) {
            add(1, cell.column, Wrong::new(format!("column \"{}\" twice", cell.text), HEADER));
        }
    }
    for column in COLUMNS.iter().filter(|column| head.iter().all(|cell| cell.text != **column)) {
        add(1, 1, Wrong::new(format!("column \"{column}\" is missing"), HEADER));
    }
}

fn interval<'t>(cell: impl Fn(&str) -> Cell<'t>, add: impl Fn(u32, Wrong)) -> Interval {
    fn read<T>(
        cell: Cell<'_>,
        of: impl Fn(&str) -> Option<T>,
        right: &str,
        add: impl Fn(u32, Wrong),
    ) -> Option<T> {
        let value = of(cell.text);
        if value.is_none() {
            add(cell.column, Wrong::new(format!("\"{}\"", cell.text), right));
        }
        value
    }
    let serial = |text: &str| (!text.is_empty() && !text.contains('"')).then(|| text.to_owned());
    let energy = cell("energy_kwh");
    let kilowatt_hours = "a plain number of kilowatt-hours is expected, without its unit";
    let watt_hours =
        if energy.text.is_empty() { None } else { read(energy, watt_hours, kilowatt_hours, &add) };
    // An energy that is wrong is told once: how good it is does not matter.
    let is_told = energy.text.is_empty() || watt_hours.is_some();
    Interval {
        serial: read(
            cell("meter"),
            serial,
            "the number of the supplier's meter is expected, no quotes",
            &add,
        ),
        from_unix_ms: read(cell("start"), time::moment, MOMENT, &add),
        to_unix_ms: read(cell("end"), time::moment, MOMENT, &add),
        energy: watt_hours,
        quality: read(cell("quality"), word::quality, word::QUALITIES, &add).filter(|_| is_told),
        switch: read(cell("state"), word::switch, word::SWITCHES, &add),
    }
}

/// A plain number: what a spreadsheet made of a long one has lost its last digits.
fn watt_hours(text: &str) -> Option<WattHours> {
    let is_plain = !text.contains(['e', 'E']);
    is_plain.then(|| whole(Decimal::parse(text)?, KILO)).flatten()
}

fn cells(line: &str) -> Vec<Cell<'_>> {
    let (mut column, mut cells) = (1, Vec::with_capacity(COLUMNS.len()));
    for text in line.split(',') {
        let blank = text.chars().take_while(|c| c.is_whitespace()).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        cells.push(Cell { text: text.trim(), column: count(blank).saturating_add(column) });
        column = count(text.chars().count() + 1).saturating_add(column);
    }
    cells
}
