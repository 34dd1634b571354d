//! What a person and a machine read of a finding. PURE file.

mod bundle;

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

pub use self::bundle::{Bundled, FINDING_FILE, TEXT_FILE, bundle};
use super::store::{KeptFinding, KeptHalf, Log};
use crate::{
    catalogue::PlateSource,
    evidence::{Body, Record, lineage::Place, record::Unverified},
    judge::{Event, Finding, MeterTold, PlateRead, State, Verdict},
    terms::{
        AssetId,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// A finding as JSON, both records in it as they came.
pub fn as_json(finding: &KeptFinding, places: &BTreeMap<Log, Place>) -> Value {
    let (what, clause) = finding.kind.words();
    let both = |words: Words| json!({ "zh": words.zh, "en": words.en });
    let half = |half: &KeptHalf| {
        let place = places.get(&(half.gateway, half.log));
        json!({
            "gateway_id": half.gateway.as_str(),
            "log_id": half.log.to_string(),
            "seq": half.seq,
            "hash": half.hash.to_string(),
            "division": place.map(|(division, _)| division.to_string()),
            "uscc": place.map(|(_, enterprise)| enterprise.to_string()),
            "record": String::from_utf8_lossy(&half.bytes),
        })
    };
    json!({
        "id": finding.id.to_string(),
        "kind": finding.kind.word(),
        "what": both(what),
        "clause": both(clause),
        "about": finding.about,
        "found_unix_ms": finding.found_unix_ms,
        "records": finding.halves.iter().map(half).collect::<Vec<_>>(),
        "excused_by": finding.excuse.as_ref().map(half),
    })
}

/// A finding in a few lines.
pub fn as_text(finding: &KeptFinding, places: &BTreeMap<Log, Place>, language: Language) -> String {
    let (what, clause) = finding.kind.words();
    let KeptFinding { id, kind, about, found_unix_ms, halves: [first, later], excuse } = finding;
    let mut text =
        format!("{}  {}  {id}  {}", LegalTime(*found_unix_ms), kind.word(), what.in_language(language));
    // Writing into a string never fails.
    let _never = write!(text, "\n  {about}");
    let said = [(words::SAID_FIRST, first), (words::SAID_LATER, later)];
    for (when, half) in said.into_iter().chain(excuse.iter().map(|by| (words::EXCUSED_BY, by))) {
        let place = places.get(&(half.gateway, half.log));
        let place =
            place.map_or_else(String::new, |(division, enterprise)| format!("  {division} {enterprise}"));
        let KeptHalf { gateway, log, seq, .. } = half;
        let _never = write!(text, "\n  {}  {gateway} {log} #{seq}{place}", when.in_language(language));
        if let Ok(record) = Unverified::read(&half.bytes).and_then(Unverified::own) {
            let written = LegalTime(record.header.at.wall_unix_ms);
            let _never = write!(text, "  {written}\n      {}", gist(&record, language));
        }
    }
    let _never = write!(text, "\n  {}", clause.in_language(language));
    text
}

/// What a record says of the matter.
fn gist(record: &Record, language: Language) -> String {
    match &record.body {
        Body::Finding(Finding::Event(Event::Plate(read))) => plate(read),
        Body::Finding(Finding::Event(Event::Meter(told))) => meter(told),
        Body::Finding(Finding::Verdict(verdict)) => elimination(verdict, language),
        Body::Act(act) => accepted(act.asset, language),
        Body::Finding(Finding::Transition(moved)) => accepted(Some(moved.asset), language),
        Body::Finding(Finding::State(_) | Finding::Interval(_) | Finding::Event(_))
        | Body::Genesis(_)
        | Body::Boot(_)
        | Body::Checkpoint(_)
        | Body::Rotation(_)
        | Body::Skip { .. }
        | Body::Gap(_)
        | Body::Rollback(_)
        | Body::Answer(_)
        | Body::Notice(_)
        | Body::Commissioned(_) => record.body.word().to_owned(),
    }
}

fn accepted(asset: Option<AssetId>, language: Language) -> String {
    let asset = asset.map_or_else(String::new, |asset| asset.to_string());
    format!("{asset}: {}", words::DEMOLITION_ACCEPTED.in_language(language))
}

fn plate(read: &PlateRead) -> String {
    let source = match read.source {
        PlateSource::Declared => "declared",
        PlateSource::Read => "read",
    };
    let lines = read.plate.attributes().iter().map(|line| format!("{} = {}", line.name, line.value));
    format!("{} ({source}): {}", read.asset, lines.collect::<Vec<_>>().join("; "))
}

fn meter(told: &MeterTold) -> String {
    let labels = [("maker", told.after.maker), ("model", told.after.model), ("serial", told.after.serial)];
    let lines = labels.iter().filter_map(|(name, label)| Some(format!("{name} = {}", (*label)?)));
    let paper = told.permit.map(|permit| format!("permit = {permit}"));
    format!("{}: {}", told.meter, lines.chain(paper).collect::<Vec<_>>().join("; "))
}

fn elimination(verdict: &Verdict, language: Language) -> String {
    let declared = verdict.standing.decommissioned_on;
    let declared = declared.map(|day| format!("{} {day}", words::DECOMMISSIONED_ON.in_language(language)));
    let draws = (verdict.state == State::Drawing).then(|| words::DRAWING.in_language(language).to_owned());
    let said: Vec<String> = declared.into_iter().chain(draws).collect();
    format!("{}: {}", verdict.asset, said.join("; "))
}
