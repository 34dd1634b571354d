//! PURE file. III(2), VI(3): what was restarted, and what came up elsewhere.

use std::collections::BTreeMap;

use super::{Cell, Column, Rests, Row, Scope, Sheet, Source, Surveyed, place};
use crate::{
    catalogue::Bilingual,
    evidence::lineage::Place,
    regulator::store::{KeptFinding, KeptHalf, Log},
    terms::{place::Division, time::LegalTime, words},
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
        replaces: None,
    }
}

/// A finding counts where either of its two places lies in the division. Of what lies elsewhere no more is told there than
/// that there is something: a report of a wider division tells what.
fn of_finding(finding: &KeptFinding, places: &BTreeMap<Log, Place>, scope: &Scope) -> Option<Row> {
    let is_of = |half: &KeptHalf| match places.get(&(half.gateway, half.log)) {
        Some((division, _)) => scope.within.covers(*division),
        None => scope.within == Division::NATION,
    };
    if !finding.halves.iter().any(is_of) {
        return None;
    }
    let both = |shown: &dyn Fn(&KeptHalf) -> Option<String>| {
        let named = finding.halves.iter().map(|half| match shown(half).filter(|_| is_of(half)) {
            Some(shown) => Bilingual { zh: shown.clone(), en: shown },
            None if is_of(half) => Bilingual { zh: "–".to_owned(), en: "–".to_owned() },
            None => {
                Bilingual { zh: words::LIES_ELSEWHERE.zh.to_owned(), en: words::LIES_ELSEWHERE.en.to_owned() }
            }
        });
        let (zh, en): (Vec<String>, Vec<String>) = named.map(|Bilingual { zh, en }| (zh, en)).unzip();
        let (zh, en) = (zh.join(" → "), en.join(" → "));
        if zh == en { Cell::Text(zh) } else { Cell::Both(Bilingual { zh, en }) }
    };
    let place = |half: &KeptHalf| places.get(&(half.gateway, half.log));
    let cells = vec![
        Cell::Text(finding.kind.word().to_owned()),
        Cell::Said(finding.kind.words().0),
        Cell::Text(LegalTime(finding.found_unix_ms).to_string()),
        Cell::Text(finding.about.clone()),
        both(&|half| place(half).map(|(division, _)| division.to_string())),
        both(&|half| place(half).map(|(_, enterprise)| enterprise.to_string())),
        both(&|half| Some(half.gateway.to_string())),
        Cell::Said(if finding.excuse.is_some() { words::YES } else { words::NO }),
    ];
    let sources = finding.records().filter(|half| is_of(half)).map(|half| Source {
        gateway: half.gateway,
        log: half.log,
        seq: half.seq,
        hash: half.hash,
    });
    Some(Row { cells, rests: Rests::on(sources) })
}
