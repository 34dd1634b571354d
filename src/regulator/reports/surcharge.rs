//! PURE file. IV(2): energy drawn after the last lawful day, by enterprise and entry, against dated price documents. The
//! price is another only for what is in scope and on the authority's roster; of everything else the energy is told alone.

use std::collections::BTreeMap;

use super::{
    Cell, Column, Equipment, Rests, Row, Scope, Sheet, Surveyed, place,
    survey::Drawn,
    tariff::{Price, Tariff, fen},
};
use crate::{
    catalogue::Bilingual,
    regulator::sums::Bearing,
    terms::{
        LegalDay,
        place::{CreditCode, Division},
        words::{self, Language, Words},
    },
};

/// Milliseconds in a minute.
const MINUTE_MS: i64 = 60_000;

/// The price of some energy: a document's, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Priced {
    /// By this document, so many millionths of a yuan for each kilowatt-hour.
    By(String, i64),
    /// No document covers the day.
    NoRate,
    /// On no roster.
    NotCharged,
    /// Drawn between two days at two prices.
    NoDay,
    /// Nobody saw what was drawn.
    Unseen,
    /// Nothing was ever heard of it: nobody knows how much time that is.
    Unheard,
}

/// What a line adds up.
#[derive(Default)]
struct Sums {
    energy_wh: i64,
    unseen_ms: i64,
    rests: Rests,
}

/// One line: whose, under which entry, at which price, and whether it was told late, of an earlier time.
type Line = (Division, CreditCode, Option<String>, Priced, bool);

/// The report.
pub fn sheet(surveyed: &Surveyed, tariff: &Tariff, scope: Scope) -> Sheet {
    let mut lines: BTreeMap<Line, Sums> = BTreeMap::new();
    for one in surveyed.values() {
        let entry = one.entry().map(|entry| entry.to_string());
        let line = |priced, is_late| (one.division, one.enterprise, entry.clone(), priced, is_late);
        for (priced, is_late, drawn) in priced(one, entry.as_deref().unwrap_or_default(), tariff) {
            let sums = lines.entry(line(priced, is_late)).or_default();
            sums.energy_wh = sums.energy_wh.saturating_add(drawn.energy_wh);
            sums.rests.add(drawn.first);
            sums.rests.add(drawn.last);
        }
        let is_owed = one.last_day().is_some_and(|day| day < scope.to);
        let unseen_ms = one.due_ms(&scope).map(|due_ms| one.accounted.unseen_ms(due_ms));
        if is_owed && unseen_ms != Some(0) {
            let priced = if unseen_ms.is_some() { Priced::Unseen } else { Priced::Unheard };
            let sums = lines.entry(line(priced, false)).or_default();
            sums.unseen_ms = sums.unseen_ms.saturating_add(unseen_ms.unwrap_or_default());
            one.newest.iter().for_each(|told| sums.rests.add(told.source));
        }
    }
    let columns = vec![
        Column::of("division", words::R_DIVISION),
        Column::of("uscc", words::R_ENTERPRISE),
        Column::of("entry", words::R_ENTRY),
        Column::in_unit("energy_kwh", words::R_ENERGY, "kWh"),
        Column::in_unit("unseen_min", words::R_UNSEEN, "min"),
        Column::in_unit("rate_yuan_per_kwh", words::R_RATE, "CNY/kWh"),
        Column::in_unit("amount_yuan", words::R_AMOUNT, "CNY"),
        Column::of("document", words::R_SOURCE),
    ];
    let rows = lines.into_iter().map(|(line, sums)| row(line, sums)).collect();
    let notes = vec![words::NOTE_RATES, words::NOTE_TRACE, words::NOTE_UNKNOWN, words::NOTE_CLOCK];
    Sheet {
        report: "surcharge",
        title: words::REPORT_SURCHARGE,
        scope,
        columns,
        rows,
        notes,
        wrong: Vec::new(),
        files: Vec::new(),
        replaces: None,
    }
}

/// What a piece of equipment drew, by price, and whether that was told late.
fn priced<'e>(
    one: &'e Equipment,
    entry: &'e str,
    tariff: &'e Tariff,
) -> impl Iterator<Item = (Priced, bool, &'e Drawn)> {
    let by = move |bearing: Bearing, price: Option<&Price>| match (one.charges(bearing), price) {
        (false, _) => Priced::NotCharged,
        (true, None) => Priced::NoRate,
        (true, Some(price)) => Priced::By(price.document.clone(), price.micro_yuan_per_kwh),
    };
    let over = move |(first, last, bearing): (LegalDay, LegalDay, Bearing)| {
        let has_one_price = tariff.is_same(entry, first, last);
        if has_one_price || !one.charges(bearing) {
            by(bearing, tariff.on(entry, last))
        } else {
            Priced::NoDay
        }
    };
    let dated =
        one.drawn.iter().map(move |((day, bearing), drawn)| (over((*day, *day, *bearing)), false, drawn));
    // What began before the time and was told in it is in no other report.
    let undated = one.undated.iter().map(move |(days, drawn)| (over(*days), false, drawn));
    let late = one.late.iter().map(move |(days, drawn)| (over(*days), true, drawn));
    dated.chain(undated).chain(late)
}

fn row((division, enterprise, entry, priced, is_late): Line, sums: Sums) -> Row {
    let Sums { energy_wh, unseen_ms, rests } = sums;
    let [division, enterprise] = place(division, enterprise);
    let why = |words: Words| (Cell::Unknown, Cell::Unknown, Cell::Said(words));
    let is_told = priced == Priced::Unseen;
    let is_unseen = is_told || priced == Priced::Unheard;
    let (rate, amount, document) = match priced {
        Priced::By(document, micro) => {
            (Cell::Fixed(micro, 6), Cell::Fixed(fen(energy_wh, micro), 2), Cell::Text(document))
        }
        Priced::NoRate => why(words::NO_RATE),
        Priced::NotCharged => why(words::NOT_CHARGED),
        Priced::NoDay => why(words::NO_DAY),
        Priced::Unseen => why(words::UNSEEN),
        Priced::Unheard => why(words::PROGRESS_UNHEARD),
    };
    let document = if is_late { late(&document) } else { document };
    let entry = entry.map_or(Cell::Unknown, Cell::Text);
    let energy = if is_unseen { Cell::Unknown } else { Cell::Fixed(energy_wh, 3) };
    let unseen = if is_told { Cell::Count(unseen_ms / MINUTE_MS) } else { Cell::Unknown };
    let cells = vec![division, enterprise, entry, energy, unseen, rate, amount, document];
    Row { cells, rests }
}

/// That it is of an earlier time and arrived late, beside whatever else is said of it.
fn late(document: &Cell) -> Cell {
    let beside = |language| {
        let late = words::ARRIVED_LATE.in_language(language);
        format!("{} ({late})", document.shown(language))
    };
    Cell::Both(Bilingual { zh: beside(Language::Chinese), en: beside(Language::English) })
}
