//! PURE file. IV(2): energy drawn after the last lawful day, by enterprise and entry, against dated price documents. The
//! price is another only for what is in scope and on the authority's roster; of everything else the energy is told alone.

use std::collections::BTreeMap;

use super::{
    Cell, Column, Equipment, Rests, Row, Scope, Sheet, Surveyed, place,
    tariff::{Tariff, fen},
};
use crate::{
    catalogue::{Class, Rostered},
    terms::{
        place::{CreditCode, Division},
        words::{self, Words},
    },
};

/// The price of some energy: a document's, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Priced {
    /// By this document, so many millionths of a yuan for each kilowatt-hour.
    By(String, i64),
    /// No document covers the day.
    NoRate,
    /// On no roster.
    NotCharged,
}

/// One line: whose, under which entry, at which price.
type Line = (Division, CreditCode, Option<String>, Priced);

/// The report.
pub fn sheet(surveyed: &Surveyed, tariff: &Tariff, scope: Scope) -> Sheet {
    let mut lines: BTreeMap<Line, (i64, Rests)> = BTreeMap::new();
    for one in surveyed.values() {
        let (entry, is_charged) = (one.entry().map(|entry| entry.to_string()), is_charged(one));
        for (day, drawn) in &one.drawn {
            let price = tariff.on(entry.as_deref().unwrap_or_default(), *day);
            let priced = match (is_charged, price) {
                (false, _) => Priced::NotCharged,
                (true, None) => Priced::NoRate,
                (true, Some(price)) => Priced::By(price.document.clone(), price.micro_yuan_per_kwh),
            };
            let line = (one.division, one.enterprise, entry.clone(), priced);
            let (energy_wh, rests) = lines.entry(line).or_default();
            *energy_wh = energy_wh.saturating_add(drawn.energy_wh);
            rests.add(drawn.first);
            rests.add(drawn.last);
        }
    }
    let columns = vec![
        Column::of("division", words::R_DIVISION),
        Column::of("uscc", words::R_ENTERPRISE),
        Column::of("entry", words::R_ENTRY),
        Column::in_unit("energy_kwh", words::R_ENERGY, "kWh"),
        Column::in_unit("rate_yuan_per_kwh", words::R_RATE, "CNY/kWh"),
        Column::in_unit("amount_yuan", words::R_AMOUNT, "CNY"),
        Column::of("document", words::R_SOURCE),
    ];
    let rows = lines.into_iter().map(|(line, sums)| row(line, sums)).collect();
    let notes = vec![words::NOTE_RATES, words::NOTE_TRACE, words::NOTE_UNKNOWN, words::NOTE_CLOCK];
    Sheet { report: "surcharge", title: words::REPORT_SURCHARGE, scope, columns, rows, notes }
}

/// Whether the authority has put it on a roster, and the catalogue finds it in scope.
fn is_charged(one: &Equipment) -> bool {
    one.newest.as_ref().is_some_and(|told| {
        let standing = &told.verdict.standing;
        standing.class() == Some(Class::InScope) && standing.roster.and_then(Rostered::day).is_some()
    })
}

fn row((division, enterprise, entry, priced): Line, (energy_wh, rests): (i64, Rests)) -> Row {
    let [division, enterprise] = place(division, enterprise);
    let why = |words: Words| (Cell::Unknown, Cell::Unknown, Cell::Said(words));
    let (rate, amount, document) = match priced {
        Priced::By(document, micro) => {
            (Cell::Fixed(micro, 6), Cell::Fixed(fen(energy_wh, micro), 2), Cell::Text(document))
        }
        Priced::NoRate => why(words::NO_RATE),
        Priced::NotCharged => why(words::NOT_CHARGED),
    };
    let entry = entry.map_or(Cell::Unknown, Cell::Text);
    let cells = vec![division, enterprise, entry, Cell::Fixed(energy_wh, 3), rate, amount, document];
    Row { cells, rests }
}
