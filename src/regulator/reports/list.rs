//! PURE file. VI(1): the list of what is to be eliminated, by enterprise and equipment, with the last lawful day and how
//! far it is; and what differs from the list before.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Beside, Cell, Column, Equipment, Rests, Row, Scope, Sheet, Surveyed, entry};
use crate::{
    catalogue::Rostered,
    judge::State,
    terms::{
        AssetId, GatewayId, LegalDay,
        place::{CreditCode, Division},
        words::{self, Words},
    },
};

/// What a line of a list before is of: where, whose, behind which gateway, which.
type Named = (Division, CreditCode, GatewayId, AssetId);

/// A list before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Of which division it is: of what lies elsewhere it says nothing.
    pub within: Division,
    /// Its lines, each with the last lawful day it had.
    pub lines: BTreeMap<Named, Option<LegalDay>>,
}

/// Reads a list that was made before, as JSON; `None` where it is none.
pub fn before(json: &Value) -> Option<Before> {
    if json.get("report")?.as_str()? != "list" {
        return None;
    }
    let line = |row: &Value| {
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let (enterprise, gateway) = (CreditCode::parse(text("uscc")?)?, GatewayId::new(text("gateway_id")?)?);
        let named = (Division::parse(text("division")?)?, enterprise, gateway, AssetId::new(text("asset")?)?);
        let deadline = match text("deadline") {
            None => None,
            Some(day) => Some(LegalDay::parse(day)?),
        };
        Some((named, deadline))
    };
    // What had gone by then was told then.
    let stood = |row: &&Value| row.get("progress").is_some_and(|progress| !progress.is_null());
    let within = Division::parse(json.get("division")?.as_str()?)?;
    let lines = json.get("rows")?.as_array()?.iter().filter(stood).map(line).collect::<Option<_>>()?;
    Some(Before { within, lines })
}

fn columns() -> Vec<Column> {
    vec![
        Column::of("division", words::R_DIVISION),
        Column::of("uscc", words::R_ENTERPRISE),
        Column::of("enterprise", words::R_NAME),
        Column::of("gateway_id", words::R_GATEWAY),
        Column::of("asset", words::R_ASSET),
        Column::of("machine", words::R_MACHINE),
        Column::of("class", words::R_CLASS),
        Column::of("entry", words::R_ENTRY),
        Column::of("clause", words::R_CLAUSE),
        Column::of("capacity", words::R_CAPACITY),
        Column::of("bound", words::R_BOUND),
        Column::of("deadline", words::R_DEADLINE),
        Column::of("named_by", words::R_PAPER),
        Column::of("progress", words::R_PROGRESS),
        Column::of("as_of", words::R_AS_OF),
        Column::of("change", words::R_CHANGE),
        Column::of("enterprise_document", words::R_NAME_DOCUMENT),
    ]
}

/// The list.
pub fn sheet(surveyed: &Surveyed, before: Option<&Before>, beside: Beside<'_>, scope: Scope) -> Sheet {
    let listed = surveyed.values().filter(|one| one.last_day().is_some());
    let mut rows: Vec<Row> = listed.clone().map(|one| row(one, before, beside, &scope)).collect();
    let now: BTreeSet<_> = listed.map(named).collect();
    let gone = before
        .into_iter()
        .flat_map(|before| &before.lines)
        .filter(|(named, _)| scope.within.covers(named.0) && !now.contains(named));
    rows.extend(gone.map(|(named, deadline)| gone_row(*named, *deadline)));
    let notes = vec![
        words::NOTE_TRACE,
        words::NOTE_UNKNOWN,
        words::NOTE_ATTESTED,
        words::NOTE_NAMES,
        words::NOTE_CHINESE,
        words::NOTE_CLOCK,
    ];
    Sheet {
        report: "list",
        title: words::REPORT_LIST,
        scope,
        columns: columns(),
        rows,
        notes,
        wrong: Vec::new(),
        files: Vec::new(),
        replaces: None,
    }
}

fn row(one: &Equipment, before: Option<&Before>, beside: Beside<'_>, scope: &Scope) -> Row {
    let day = one.last_day();
    let [division, uscc] = super::place(one.division, one.enterprise);
    let ([enterprise, document], [capacity, bound]) = (beside.owner(one), beside.capacity(one));
    // What was told on the stroke of midnight is of the day that ended; no day that has not come is told.
    let as_of = one.newest.as_ref().map(|told| told.at_unix_ms.min(scope.made_unix_ms).saturating_sub(1));
    let as_of = as_of.map(LegalDay::of_unix_ms);
    let cells = vec![
        division,
        uscc,
        enterprise,
        Cell::Text(one.gateway.to_string()),
        Cell::Text(one.asset.to_string()),
        beside.machine(one),
        one.class().map_or(Cell::Unknown, |class| Cell::Said(class.words())),
        entry(one),
        beside.clause(one),
        capacity,
        bound,
        day.map_or(Cell::Unknown, Cell::Day),
        paper(one).map_or(Cell::Unknown, Cell::Said),
        Cell::Said(progress(one, scope)),
        as_of.map_or(Cell::Unknown, Cell::Day),
        Cell::Said(change(one, day, before)),
        document,
    ];
    let sources = [
        one.newest.as_ref().map(|told| told.source),
        one.rostered.map(|rostered| rostered.source),
        one.gone().map(|closed| closed.source),
        beside.plate(one).map(|plate| plate.source),
        one.left(),
    ];
    Row { cells, rests: Rests::on(sources.into_iter().flatten()) }
}

/// What stood on the list before and does not now. It rests on that list alone.
fn gone_row((division, enterprise, gateway, asset): Named, deadline: Option<LegalDay>) -> Row {
    let cell = |column: &Column| match column.key {
        "division" => Cell::Text(division.to_string()),
        "uscc" => Cell::Text(enterprise.to_string()),
        "gateway_id" => Cell::Text(gateway.to_string()),
        "asset" => Cell::Text(asset.to_string()),
        "deadline" => deadline.map_or(Cell::Unknown, Cell::Day),
        "change" => Cell::Said(words::CHANGE_GONE),
        _unknown_now => Cell::Unknown,
    };
    Row { cells: columns().iter().map(cell).collect(), rests: Rests::default() }
}

/// The paper that names its last lawful day: of several that name it, the authority's first.
fn paper(one: &Equipment) -> Option<Words> {
    let day = one.last_day()?;
    let standing = one.newest.as_ref().map(|told| told.verdict.standing).unwrap_or_default();
    let rostered = standing.roster.and_then(Rostered::day);
    let listed = one.rostered.map(|rostered| rostered.deadline);
    let ruled = standing.ruling.and_then(|ruling| ruling.deadline);
    let papers = [
        (rostered, words::PAPER_ROSTER),
        (listed, words::PAPER_ROSTER),
        (ruled, words::PAPER_CATALOGUE),
        (standing.decommissioned_on, words::PAPER_DECLARED),
    ];
    papers.into_iter().find(|(named, _)| *named == Some(day)).map(|(_, paper)| paper)
}

/// How far it is, by what signed records say; what was told last is not how it stands once nothing is heard.
pub fn progress(one: &Equipment, scope: &Scope) -> Words {
    let Some(told) = &one.newest else {
        return if one.gone().is_some() { words::PROGRESS_CLOSED } else { words::PROGRESS_UNHEARD };
    };
    if one.is_latched() {
        return if told.verdict.violation_since_unix_ms.is_some() {
            words::PROGRESS_VIOLATION
        } else {
            words::PROGRESS_LEFT_LATCHED
        };
    }
    if one.gone().is_some() {
        return words::PROGRESS_CLOSED;
    }
    if one.has_left(scope) {
        return words::PROGRESS_LEFT;
    }
    if one.is_silent(scope) {
        return words::PROGRESS_SILENT;
    }
    match told.verdict.state {
        State::Drawing => words::PROGRESS_DRAWING,
        State::Energised | State::Dead if told.verdict.is_rest() => words::PROGRESS_AT_REST,
        State::Auxiliary => words::PROGRESS_AT_REST,
        State::Energised | State::Dead | State::Exporting | State::Masked(_) | State::Unknown(_) => {
            words::PROGRESS_DOUBT
        }
    }
}

fn named(one: &Equipment) -> Named {
    (one.division, one.enterprise, one.gateway, one.asset)
}

fn change(one: &Equipment, day: Option<LegalDay>, before: Option<&Before>) -> Words {
    let Some(before) = before else { return words::CHANGE_UNKNOWN };
    if !before.within.covers(one.division) {
        return words::CHANGE_ELSEWHERE;
    }
    match before.lines.get(&named(one)) {
        None => words::CHANGE_NEW,
        Some(was) if *was != day => words::CHANGE_DEADLINE,
        Some(_) => words::CHANGE_SAME,
    }
}
