//! PURE file. VI(2): for each division, entry and unit what it was given, what is listed, what signed records accept as
//! demolished, what remains, and what is allocated to nobody.

use std::collections::BTreeMap;

use super::{
    Cell, Column, Equipment, Rests, Row, Scope, Sheet, Source, Surveyed,
    beside::{Plates, bounds},
};
use crate::{
    catalogue::{
        Bilingual, Nameplate, Rules,
        breakdown::{self, Counted, Listed, PIECES, Page, Report},
        plate::PlateValue,
    },
    terms::{AssetId, place::CreditCode, words},
};

/// Equipment by whose it is and what it is called.
type Named<'s> = BTreeMap<(CreditCode, AssetId), Vec<&'s Equipment>>;

fn columns() -> Vec<Column> {
    vec![
        Column::of("division", words::R_DIVISION),
        Column::of("entry", words::R_ENTRY),
        Column::of("clause", words::R_CLAUSE),
        Column::of("unit", words::R_UNIT),
        Column::of("target", words::R_TARGET),
        Column::of("listed", words::R_LISTED),
        Column::of("closed", words::R_CLOSED),
        Column::of("remains", words::R_REMAINS),
        Column::of("unallocated", words::R_UNALLOCATED),
    ]
}

/// The report, and what is wrong with the divisions' files. `plates` are those of what is gone.
pub fn sheet(
    surveyed: &Surveyed,
    pages: Vec<Page>,
    (rules, plates): (&Rules, &Plates),
    scope: Scope,
) -> (Sheet, Report) {
    let mut named = Named::new();
    for one in surveyed.values() {
        named.entry((one.enterprise, one.asset)).or_default().push(one);
    }
    let mut closed = breakdown::closed(pages.clone(), &|line| closures(&named, line).is_some());
    let report = breakdown::check(pages, rules);
    let mut wrong: Vec<String> = report.wrong.iter().map(ToString::to_string).collect();
    for (counted, lines) in &mut closed {
        for (line, amount) in lines.iter_mut() {
            wrong.extend(weigh(&named, (counted, &*line, amount), (rules, plates)));
        }
    }
    wrong.dedup();
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
    (
        Sheet {
            report: "periodic",
            title: words::REPORT_PERIODIC,
            scope,
            columns: columns(),
            rows,
            notes,
            wrong,
            files: Vec::new(),
            replaces: None,
        },
        report,
    )
}

/// Holds a line of what is gone against what its nameplate and the catalogue say, which counts where its division says
/// something else. Tells what it says.
fn weigh(
    named: &Named<'_>,
    ((division, entry, unit), line, amount): (&Counted, &Listed, &mut i64),
    (rules, plates): (&Rules, &Plates),
) -> Vec<String> {
    let (enterprise, gateway, asset) = line;
    let mut wrong = Vec::new();
    let all = named.get(&(*enterprise, *asset)).map_or(&[][..], Vec::as_slice);
    for one in all.iter().filter(|one| gateway.is_none_or(|gateway| gateway == one.gateway)) {
        if let Some(ruled) = one.ruled().filter(|ruled| ruled.as_str() != entry) {
            wrong.push(format!("{division}: {enterprise} {asset} is listed under {entry}, and the catalogue finds it under {ruled}"));
        }
    }
    // Several of one name are listed as one line: which plate it means, nobody says.
    let [one] = all else { return wrong };
    let plate = plates.get(&(one.gateway, one.asset)).map(|told| &told.plate);
    if let Some(stamped) = plate.and_then(|plate| stamped(plate, rules, entry, unit))
        && stamped != *amount
    {
        wrong.push(format!(
            "{division}: {enterprise} {asset} is listed with {amount} {unit}, and its nameplate says {stamped} {unit}, which counts"
        ));
        *amount = stamped;
    }
    wrong
}

/// What a nameplate says in this unit of the quantities that an entry binds, in whole units.
fn stamped(plate: &Nameplate, rules: &Rules, entry: &str, unit: &str) -> Option<i64> {
    let bounds = bounds(rules.entry(entry)?);
    let mut of_unit = bounds.filter(|(attribute, ..)| rules.unit(attribute) == Some(unit));
    of_unit.find_map(|(attribute, ..)| match plate.says(attribute)? {
        PlateValue::Whole(number) => Some(*number),
        PlateValue::Decimal { mantissa, places } => {
            mantissa.checked_div(10_i64.checked_pow(u32::from(*places))?)
        }
        PlateValue::Text(_) | PlateValue::Flag(_) => None,
    })
}

/// A unit as people write it.
fn unit(unit: &str) -> Bilingual {
    let (zh, en) = if unit == PIECES { (words::PIECES.zh, words::PIECES.en) } else { (unit, unit) };
    Bilingual { zh: zh.to_owned(), en: en.to_owned() }
}

/// The demolition of what a line lists, where that counts. A line that names no gateway may be any that has equipment of that
/// name: only where all of it is gone is what the line lists.
fn closures(named: &Named<'_>, (enterprise, gateway, asset): &Listed) -> Option<Vec<Source>> {
    let all = named.get(&(*enterprise, *asset))?;
    let meant = all.iter().filter(|one| gateway.is_none_or(|gateway| gateway == one.gateway));
    let gone: Vec<Source> = meant.map(|one| one.gone().map(|closed| closed.source)).collect::<Option<_>>()?;
    (!gone.is_empty()).then_some(gone)
}
