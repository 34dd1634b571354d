//! PURE file. VI(2): for each division, entry and unit what it was given, what is listed, what signed records accept as
//! demolished, what remains, and what is allocated to nobody.

use std::collections::BTreeMap;

use super::{Cell, Column, Equipment, Rests, Row, Scope, Sheet, Source, Surveyed};
use crate::{
    catalogue::{
        Bilingual, Rules,
        breakdown::{self, Listed, PIECES, Page, Report},
    },
    terms::{AssetId, place::CreditCode, words},
};

/// The report, and what is wrong with the divisions' files.
pub fn sheet(surveyed: &Surveyed, pages: Vec<Page>, rules: &Rules, scope: Scope) -> (Sheet, Report) {
    let mut named: BTreeMap<(CreditCode, AssetId), Vec<&Equipment>> = BTreeMap::new();
    for one in surveyed.values() {
        named.entry((one.enterprise, one.asset)).or_default().push(one);
    }
    let closed = breakdown::closed(pages.clone(), &|line| closures(&named, line).is_some());
    let report = breakdown::check(pages, rules);
    let columns = vec![
        Column::of("division", words::R_DIVISION),
        Column::of("entry", words::R_ENTRY),
        Column::of("clause", words::R_CLAUSE),
        Column::of("unit", words::R_UNIT),
        Column::of("target", words::R_TARGET),
        Column::of("listed", words::R_LISTED),
        Column::of("closed", words::R_CLOSED),
        Column::of("remains", words::R_REMAINS),
        Column::of("unallocated", words::R_UNALLOCATED),
    ];
    let rows = report
        .sums
        .iter()
        .filter(|sum| scope.within.covers(sum.division))
        .map(|sum| {
            let counted = (sum.division, sum.entry.clone(), sum.unit.clone());
            let done = closed.get(&counted).map_or(&[][..], Vec::as_slice);
            let amount = done.iter().fold(0_i64, |all, (_, amount)| all.saturating_add(*amount));
            let sources = done.iter().filter_map(|(line, _)| closures(&named, line)).flatten();
            let cells = vec![
                Cell::Text(sum.division.to_string()),
                Cell::Text(sum.entry.clone()),
                rules.entry(&sum.entry).map_or(Cell::Unknown, |entry| Cell::Both(entry.title.clone())),
                Cell::Both(unit(&sum.unit)),
                Cell::Count(sum.target),
                Cell::Count(sum.listed),
                Cell::Count(amount),
                Cell::Count(sum.target.saturating_sub(amount).max(0)),
                Cell::Count(sum.unallocated),
            ];
            Row { cells, rests: Rests::on(sources) }
        })
        .collect();
    let notes = vec![words::NOTE_TRACE, words::NOTE_ATTESTED, words::NOTE_CLOCK];
    let wrong = report.wrong.iter().map(ToString::to_string).collect();
    (
        Sheet {
            report: "periodic",
            title: words::REPORT_PERIODIC,
            scope,
            columns,
            rows,
            notes,
            wrong,
            files: Vec::new(),
            replaces: None,
        },
        report,
    )
}

/// A unit as people write it.
fn unit(unit: &str) -> Bilingual {
    let (zh, en) = if unit == PIECES { (words::PIECES.zh, words::PIECES.en) } else { (unit, unit) };
    Bilingual { zh: zh.to_owned(), en: en.to_owned() }
}

/// The demolition of what a line lists, where that counts. A line that names no gateway may be any that has equipment of that
/// name: only where all of it is gone is what the line lists.
fn closures(
    named: &BTreeMap<(CreditCode, AssetId), Vec<&Equipment>>,
    (enterprise, gateway, asset): &Listed,
) -> Option<Vec<Source>> {
    let all = named.get(&(*enterprise, *asset))?;
    let meant = all.iter().filter(|one| gateway.is_none_or(|gateway| gateway == one.gateway));
    let gone: Vec<Source> = meant.map(|one| one.gone().map(|closed| closed.source)).collect::<Option<_>>()?;
    (!gone.is_empty()).then_some(gone)
}
