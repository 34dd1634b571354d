//! Doubt is never shown as off: every place of the programs that shows a state, found in their sources and looked at.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use coldhearth::{
    catalogue::standing::{Citation, Class, Rule, Ruling, Standing, Witness},
    evidence::{
        Body, Chain, Checkpoint, Ed25519, LogId, Record, Signer as _,
        follow::{Place, Seen},
        record::Unverified,
    },
    judge::{
        Finding, Grounds, Inspections, Parameters, Shares, SignSet, State, StateFinding, Verdict,
        VoltagePoint, Why, state::WITHOUT_FAULT,
    },
    metering::{Fault, Scan},
    regulator::timeline::{Timeline, Tone},
    terms::{
        AssetId, ClockQuality, Digest, GatewayId, MeterId, MilliWatts, Stamp, WattHours,
        words::{self, Language},
    },
};

/// Where a state is turned into what a person or a machine reads. A file that is new here must be looked at below.
const RENDERINGS: [&str; 25] = [
    "simulator/src/alarm.rs",
    "simulator/src/demo/picture.rs",
    "simulator/src/demo/premises.rs",
    "simulator/src/demo/summary.rs",
    "simulator/src/fleet/story.rs",
    "simulator/src/told.rs",
    "simulator/src/trace/play.rs",
    "simulator/src/trace/spells.rs",
    "simulator/src/trace/tally.rs",
    "src/agent/attested.rs",
    "src/agent/inside/narrator.rs",
    "src/agent/inside/told.rs",
    "src/agent/inside/view.rs",
    "src/bin/coldhearth-regulator/alarms.rs",
    "src/bin/coldhearth/report.rs",
    "src/evidence/write.rs",
    "src/judge/feeder/said.rs",
    "src/judge/verdict.rs",
    "src/regulator/alarms/notice.rs",
    "src/regulator/alarms/signals.rs",
    "src/regulator/console/own.rs",
    "src/regulator/console/story.rs",
    "src/regulator/reports/list.rs",
    "src/regulator/sight.rs",
    "src/regulator/timeline.rs",
];
/// What only what is off may be called.
const OFF: [&str; 12] = [
    "cold",
    "dead",
    "idle",
    "zero",
    "is off",
    "not drawing",
    "no current",
    "voltage present",
    "已停用",
    "未用电",
    "电度未动",
    "无电流",
];

fn doubts() -> impl Iterator<Item = State> {
    let faults = [Fault::Timeout, Fault::Exception(2), Fault::Garbage].map(Why::Fault);
    WITHOUT_FAULT.into_iter().chain(faults).map(State::Unknown)
}

/// The text of a doubt without its reason, which may name what is not there.
fn is_never_off(text: &str, what: &str) {
    for word in OFF {
        assert!(!text.contains(word), "{what}: {text}");
    }
}

#[test]
fn every_place_that_shows_a_state_is_known_here() {
    fn files(path: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, all) } else { all.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    ["src", "simulator/src"].iter().for_each(|folder| files(&root.join(folder), &mut all));
    let shows = |text: &str| {
        let text = text.split("#[cfg(test)]").next().unwrap();
        ["state.word()", "state.words()", ".sentence(", "State::Energised", "State::Dead"]
            .iter()
            .any(|shown| text.contains(shown))
    };
    // The judge decides in these words and shows none, but in its sentences; the certificate weighs its records by them.
    let decides = |name: &str| {
        name.contains("/tests")
            || ["src/evidence/certificate/bearings.rs", "src/evidence/certificate/draws.rs"].contains(&name)
            || name.starts_with("src/judge/") && !name.ends_with("said.rs") && !name.ends_with("verdict.rs")
    };
    let found: BTreeSet<String> = all
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter(|path| shows(&fs::read_to_string(path).unwrap()))
        .map(|path| path.strip_prefix(root).unwrap().display().to_string())
        .filter(|name| !decides(name))
        .collect();
    assert_eq!(found, RENDERINGS.map(str::to_owned).into());
}

#[test]
fn words_and_sentences_of_doubt_say_doubt() {
    for state in doubts() {
        assert_eq!(state.word(), "unknown");
        assert_eq!(state.words(), words::UNKNOWN);
        for language in [Language::Chinese, Language::English] {
            let said = state.sentence(state.words(), language);
            assert!(said.starts_with(words::UNKNOWN.in_language(language)), "{said}");
        }
    }
    is_never_off(words::UNKNOWN.en, "unknown");
    is_never_off(words::UNKNOWN.zh, "unknown");
    is_never_off(words::MASKED.en, "masked");
    let cold = [State::Dead, State::Energised, State::Auxiliary].map(State::severity);
    assert!(doubts().all(|state| cold.iter().all(|cold| state.severity() > *cold)));
}

fn at() -> Stamp {
    let (wall_unix_ms, clock) = (1_795_000_000_000, ClockQuality::Ntp);
    Stamp { wall_unix_ms, uptime_ms: 1_000, boot: 1, clock, error_ms: 40 }
}

fn verdict(state: State, witness: Option<Witness>, voltage_point: VoltagePoint) -> Verdict {
    let citation = Citation::new("entry").unwrap();
    let rule = |witness| Rule { instrument: citation, entry: citation, file: Digest::of(b"file"), witness };
    let ruling = Ruling { class: Class::InScope, rule: witness.map(rule), deadline: None };
    Verdict {
        asset: AssetId::new("eaf-1").unwrap(),
        state,
        since: at(),
        standing: Standing { ruling: Some(ruling), ..Standing::default() },
        phase: None,
        violation_since_unix_ms: None,
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::default(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: Some(Grounds {
            floor: MilliWatts(0),
            register_floor: WattHours(0),
            error_ppm: 0,
            bound: WattHours(0),
            voltage_point: Some(voltage_point),
            inspect: Inspections::default(),
            meter: None,
            commissioning: Digest::of(b""),
            corroboration: None,
            parameters: Parameters::of(1_000),
        }),
    }
}

fn found(state: State, voltage_point: VoltagePoint) -> StateFinding {
    StateFinding {
        meter: MeterId::new("m1").unwrap(),
        asset: AssetId::new("eaf-1").unwrap(),
        state,
        since: at(),
        proof: None,
        is_cooling: false,
        voltage_point: Some(voltage_point),
        limit: MilliWatts(0),
        floor: MilliWatts(0),
        power: None,
        phase_power: [None; 3],
        line_voltages: [None; 3],
        currents: [None; 3],
        mark: None,
        signs: Box::default(),
        fingerprint: None,
        commissioning: None,
        plate: None,
        scan: Scan::default(),
    }
}

const WITNESSES: [Option<Witness>; 4] =
    [None, Some(Witness::Full), Some(Witness::Drives), Some(Witness::None)];

#[test]
fn no_witness_and_no_voltage_point_turns_doubt_into_rest() {
    for state in doubts() {
        for point in VoltagePoint::ALL {
            assert_eq!(found(state, *point).words(), words::UNKNOWN);
            for witness in WITNESSES {
                assert_eq!(verdict(state, witness, *point).words(), words::UNKNOWN);
            }
        }
    }
    for state in [State::Energised, State::Dead] {
        let said = verdict(state, Some(Witness::Drives), VoltagePoint::Load).words();
        assert_eq!(said, words::DRIVES_NOT_DRAWING, "a fire is no matter of drives");
    }
}

fn recorded(finding: Finding) -> (Record, Vec<u8>) {
    let key = Ed25519::from_seed(&[7; 32]);
    let public = key.public_key();
    let mut chain = Chain::begin(GatewayId::new("gw").unwrap(), LogId(1), 0, Box::new(key));
    // Nothing but a genesis may stand first.
    let first = Checkpoint { entries: 0, reads_ok: 0, reads_failed: 0, first_unreceipted_seq: 0 };
    chain.seal(&at(), &Body::Checkpoint(first)).unwrap();
    let bytes = chain.seal(&at(), &Body::Finding(finding)).unwrap().bytes.to_vec();
    (Unverified::read(&bytes).unwrap().verify(&public).unwrap(), bytes)
}

#[test]
fn records_and_lines_of_doubt_say_doubt_and_are_never_green() {
    for language in [Language::Chinese, Language::English] {
        for state in doubts() {
            for finding in [
                Finding::State(found(state, VoltagePoint::Bus)),
                Finding::Verdict(verdict(state, Some(Witness::Drives), VoltagePoint::Bus)),
            ] {
                let (record, bytes) = recorded(finding);
                let text = String::from_utf8(bytes).unwrap();
                assert!(text.contains("\"state\":\"unknown\"") && text.contains("\"why\":"), "{text}");
                let line = Timeline::new(language).on(&Seen::Record(record, Place::Proven)).unwrap();
                assert_eq!(line.tone, Tone::Doubt, "{}", line.text);
                assert!(line.text.contains(words::UNKNOWN.in_language(language)), "{}", line.text);
            }
        }
    }
}
