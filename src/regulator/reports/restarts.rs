//! PURE file. III(2), VI(3): what was restarted, and what came up elsewhere.

use std::collections::BTreeMap;

use super::{Cell, Column, Rests, Row, Scope, Sheet, Source, Surveyed, place};
use crate::{
    evidence::lineage::Place,
    regulator::store::{KeptFinding, Log},
    terms::{time::LegalTime, words},
};

/// The report: every conviction of the time first, each by the verdict that first tells of it, then the findings that were made in it.
pub fn sheet(
    surveyed: &Surveyed,
    findings: &[KeptFinding],
    places: &BTreeMap<Log, Place>,
    scope: Scope,
) -> Sheet {
    let columns = vec![
        Column::of("kind", words::R_KIND),
        Column::of("what", words::R_WHAT),
        Column::of("found", words::R_FOUND),
        Column::of("about", words::R_ABOUT),
        Column::of("division", words::R_DIVISION),
        Column::of("uscc", words::R_ENTERPRISE),
        Column::of("gateway_id", words::R_GATEWAY),
        Column::of("excused", words::R_EXCUSED),
    ];
    let convicted = surveyed.values().flat_map(|one| {
        let own = one.convictions.values().map(|how| (words::RESTARTED, how));
        let late = one.late_convictions.values().map(|how| (words::RESTARTED_LATE, how));
        own.chain(late).map(move |(what, how)| (one, what, how))
    });
    let restarts = convicted.map(|(one, what, how)| {
        let [division, enterprise] = place(one.division, one.enterprise);
        let cells = vec![
            Cell::Text("restart".to_owned()),
            Cell::Said(what),
            Cell::Text(LegalTime(how.at_unix_ms).to_string()),
            Cell::Text(one.asset.to_string()),
            division,
            enterprise,
            Cell::Text(one.gateway.to_string()),
            Cell::Said(words::NO),
        ];
        Row { cells, rests: Rests::on([how.source]) }
    });
    let found = findings.iter().filter(|finding| scope.has(finding.found_unix_ms));
    let found = found.filter_map(|finding| of_finding(finding, places, &scope));
    let rows = restarts.chain(found).collect();
    let notes = vec![words::NOTE_FINDINGS, words::NOTE_TRACE, words::NOTE_CLOCK];
    Sheet {
        report: "findings",
        title: words::REPORT_FINDINGS,
        scope,
        columns,
        rows,
        notes,
        wrong: Vec::new(),
        files: Vec::new(),
    }
}

/// A finding counts where either of its two places lies in the division.
fn of_finding(finding: &KeptFinding, places: &BTreeMap<Log, Place>, scope: &Scope) -> Option<Row> {
    let at: Vec<Option<&Place>> =
        finding.halves.iter().map(|half| places.get(&(half.gateway, half.log))).collect();
    let is_within = |place: &Option<&Place>| place.is_none_or(|(division, _)| scope.within.covers(*division));
    if !at.iter().any(is_within) {
        return None;
    }
    let both = |shown: &dyn Fn(&Place) -> String| {
        let named: Vec<String> = at.iter().map(|place| place.map_or_else(|| "–".to_owned(), shown)).collect();
        Cell::Text(named.join(" → "))
    };
    let gateways: Vec<String> = finding.halves.iter().map(|half| half.gateway.to_string()).collect();
    let cells = vec![
        Cell::Text(finding.kind.word().to_owned()),
        Cell::Said(finding.kind.words().0),
        Cell::Text(LegalTime(finding.found_unix_ms).to_string()),
        Cell::Text(finding.about.clone()),
        both(&|(division, _)| division.to_string()),
        both(&|(_, enterprise)| enterprise.to_string()),
        Cell::Text(gateways.join(" → ")),
        Cell::Said(if finding.excuse.is_some() { words::YES } else { words::NO }),
    ];
    let sources = finding.records().map(|half| Source {
        gateway: half.gateway,
        log: half.log,
        seq: half.seq,
        hash: half.hash,
    });
    Some(Row { cells, rests: Rests::on(sources) })
}
