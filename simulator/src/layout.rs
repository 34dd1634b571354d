//! Where a meter's cells lie, what each shows, and which registers its own tables fill between them.

use coldhearth::metering::{
    Block, Function, Profile, Quantity,
    profile::{Absent, Cell, Kind, RatioCells, Times},
};
use coldhearth::terms::Decimal;

use crate::{
    chain,
    encode::Pen,
    factor::{Factor, Instrument},
};

/// Registers between two mapped ones that a family's own table fills, though the profile has no use for them.
const TABLE_GAP: u32 = 16;

/// What a cell of the meter shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    Quantity(Quantity, Times),
    /// The power of ten that other cells are scaled by.
    PowerOfTen(i8),
    CtRatio,
    CtPrimary,
    CtSecondary,
    PtRatio,
    PtPrimary,
    PtSecondary,
}

/// A cell, what it shows, and what turns a primary value into that: worked out once for each setting of the meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) pen: Pen,
    pub(crate) shows: Shows,
    pub(crate) factor: Factor,
    /// The factor as a float.
    pub(crate) gain: f64,
}

impl Place {
    fn cell(&self) -> &Cell {
        self.pen.cell()
    }
}

/// The cells of a meter by function and address.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    places: Vec<Place>,
    tables: Vec<Table>,
}

/// A run of registers without a gap worth naming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table {
    function: Function,
    first: u32,
    last: u32,
}

impl Layout {
    /// The layout of a profile, and of other runs of registers the meter has.
    pub(crate) fn of(
        profile: &Profile,
        others: impl Iterator<Item = (Function, u16, u16)>,
        instrument: &Instrument,
    ) -> Layout {
        let mut cells: Vec<(Cell, Shows)> = Vec::new();
        for row in &profile.rows {
            cells.push((effective(&row.cell, row.quantity), Shows::Quantity(row.quantity, row.times)));
            if let Some(power) = power_cell(&row.cell)
                && cells.iter().all(|(cell, _)| cell.block() != power.block())
            {
                cells.push((power, Shows::PowerOfTen(power_of_ten(row.quantity))));
            }
        }
        let origin = chain::origin(profile);
        cells.iter_mut().for_each(|(cell, _)| cell.at = cell.at.saturating_add(origin));
        let mut add =
            |cells_of: Option<RatioCells>, whole: Shows, primary: Shows, secondary: Shows| match cells_of {
                Some(RatioCells { value, over: Some(over) }) => {
                    cells.extend([(value, primary), (over, secondary)]);
                }
                Some(RatioCells { value, over: None }) => cells.push((value, whole)),
                None => {}
            };
        add(profile.ct, Shows::CtRatio, Shows::CtPrimary, Shows::CtSecondary);
        add(profile.pt, Shows::PtRatio, Shows::PtPrimary, Shows::PtSecondary);
        cells.sort_by_key(|(cell, _)| (cell.function, cell.at));
        let runs = cells.iter().map(|(cell, _)| (cell.function, cell.at, cell.kind.words()));
        let tables = tables(runs.chain(others).collect());
        let place = |(cell, shows)| Place { pen: Pen::of(cell), shows, factor: Factor::ONE, gain: 1.0 };
        let mut layout = Layout { tables, places: cells.into_iter().map(place).collect() };
        layout.refit(instrument);
        layout
    }

    /// Takes other transformers or settings.
    pub(crate) fn refit(&mut self, instrument: &Instrument) {
        for place in &mut self.places {
            if let Shows::Quantity(quantity, times) = place.shows {
                let factor = instrument.factor(quantity, times);
                (place.factor, place.gain) = (factor.reduced(), factor.as_real());
            }
        }
    }

    /// The cells that touch a run of registers; all of them without one.
    pub(crate) fn places(&self, run: Option<Block>) -> impl Iterator<Item = &Place> {
        let from = run.map_or(0, |run| self.first_of(run));
        let places = self.places.get(from..).unwrap_or_default().iter();
        places
            .take_while(move |place| {
                let cell = place.cell();
                run.is_none_or(|run| cell.function == run.function && u32::from(cell.at) < run.end())
            })
            .filter(move |place| run.is_none_or(|run| touches(place.cell(), run)))
    }

    /// Puts those of the words of all cells, in order, that touch a run of registers.
    pub(crate) fn put_words(&self, run: Block, words: &[u16], put: &mut impl FnMut(Function, u32, u16)) {
        let mut words = words.iter();
        for cell in self.places.iter().map(Place::cell) {
            for offset in 0..cell.kind.words() {
                let Some(word) = words.next() else { return };
                if touches(cell, run) {
                    put(cell.function, u32::from(cell.at) + u32::from(offset), *word);
                }
            }
        }
    }

    /// Where to begin to look for a run: no cell is wider than four registers.
    fn first_of(&self, run: Block) -> usize {
        let begin = (run.function, run.at.saturating_sub(3));
        self.places.partition_point(|place| (place.cell().function, place.cell().at) < begin)
    }

    /// Whether one of the meter's tables reaches over a register.
    pub(crate) fn has_in_table(&self, function: Function, address: u32) -> bool {
        self.tables
            .iter()
            .any(|table| table.function == function && (table.first..=table.last).contains(&address))
    }
}

/// A cell as a decoder that has read its power of ten scales it.
pub(crate) fn effective(cell: &Cell, quantity: Quantity) -> Cell {
    let power = if cell.pow10.is_some() { power_of_ten(quantity) } else { 0 };
    Cell { scale: Decimal { exponent: cell.scale.exponent + power, ..cell.scale }, ..*cell }
}

fn power_cell(cell: &Cell) -> Option<Cell> {
    cell.pow10.map(|at| Cell {
        at,
        kind: Kind::I16,
        scale: Decimal::ONE,
        pow10: None,
        absent: Absent::SUNSPEC,
        ..*cell
    })
}

/// The power of ten a simulated meter tells for a quantity, so that a furnace fits 16 bits.
fn power_of_ten(quantity: Quantity) -> i8 {
    if quantity.is_register() {
        return 1;
    }
    match quantity.times() {
        Times { ct: true, pt: true } => 3,
        Times { ct: true, pt: false } => -1,
        Times { ct: false, pt: true } => 0,
        Times { ct: false, pt: false } => -2,
    }
}

fn last_register(cell: &Cell) -> u32 {
    u32::from(cell.at) + u32::from(cell.kind.words()) - 1
}

fn touches(cell: &Cell, run: Block) -> bool {
    cell.function == run.function
        && u32::from(cell.at) < run.end()
        && u32::from(run.at) <= last_register(cell)
}

fn tables(mut runs: Vec<(Function, u16, u16)>) -> Vec<Table> {
    runs.sort_unstable();
    let mut tables: Vec<Table> = Vec::new();
    for (function, at, count) in runs {
        let (first, last) = (u32::from(at), u32::from(at) + u32::from(count) - 1);
        match tables.last_mut().filter(|t| t.function == function && first <= t.last + 1 + TABLE_GAP) {
            Some(table) => table.last = last.max(table.last),
            None => tables.push(Table { function, first, last }),
        }
    }
    tables
}
