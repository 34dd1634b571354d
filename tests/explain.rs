//! Every code that a screen, a log or a record shows has its explanation in both languages, and none is explained that nobody
//! emits. A new variant of an enum that has no list of its own stops this test from being compiled.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::{Command, Output},
};

use coldhearth::{
    agent::{
        bus::Hindrance,
        commission::{explore::What, marks::Note},
        inside::{ready::CODES, told::NOT_PRESENT},
    },
    catalogue::plate::PlateFault,
    evidence::{ActRefusal, Anchor, GapWhy, Notice, lineage::ClashKind, share},
    host::{Exit, courier::Refused},
    judge::{
        Doubt, Ending, Outcome, RegisterQuirk, Rung, Sign, State, cutoff::table::Cue, state::WITHOUT_FAULT,
    },
    metering::{Fault, decode::Problem},
    regulator::{refusals::REASONS, share::canary::E_BRK_SHARE},
    terms::{ClockQuality, Digest, Name, words::explanations},
};

type Codes = BTreeMap<&'static str, BTreeSet<String>>;

fn words(all: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    all.into_iter().map(str::to_owned).collect()
}

fn of_the_judge() -> Codes {
    let states = [
        State::Drawing,
        State::Exporting,
        State::Masked(Sign::Stuck),
        State::Unknown(WITHOUT_FAULT[0]),
        State::Auxiliary,
        State::Energised,
        State::Dead,
    ];
    for state in states {
        match state {
            State::Drawing
            | State::Exporting
            | State::Masked(_)
            | State::Unknown(_)
            | State::Auxiliary
            | State::Energised
            | State::Dead => {}
        }
    }
    let phases = [coldhearth::catalogue::Phase::PreDeadline, coldhearth::catalogue::Phase::Overdue];
    let plates = [
        PlateFault::NoMagic,
        PlateFault::Version(1),
        PlateFault::Length,
        PlateFault::Checksum,
        PlateFault::Attribute { offset: 0 },
    ];
    for plate in plates {
        match plate {
            PlateFault::NoMagic
            | PlateFault::Version(_)
            | PlateFault::Length
            | PlateFault::Checksum
            | PlateFault::Attribute { .. } => {}
        }
    }
    let why = WITHOUT_FAULT
        .iter()
        .map(|why| why.word())
        .chain(Fault::KINDS.iter().map(|fault| fault.word()))
        .chain([NOT_PRESENT]);
    Codes::from([
        ("state", words(states.map(State::word))),
        ("why", words(why)),
        ("sign", words(Sign::ALL.iter().map(|sign| sign.word()))),
        ("balance", words(Doubt::ALL.iter().map(|doubt| doubt.word()))),
        ("register", words(RegisterQuirk::ALL.map(RegisterQuirk::word))),
        ("ending", words(Ending::ALL.iter().map(|ending| ending.word()))),
        ("class", words(coldhearth::catalogue::Class::ALL.map(coldhearth::catalogue::Class::word))),
        ("phase", words(phases.map(coldhearth::catalogue::Phase::word))),
        ("order", words(Rung::ALL.map(Rung::word))),
        ("transition", words(Cue::ALL.iter().map(|cue| cue.word()))),
        ("plate", words(plates.map(PlateFault::word))),
    ])
}

fn of_what_records_say_beside() -> Codes {
    let outcomes = [Outcome::Agrees, Outcome::Residual, Outcome::Unknown(Doubt::ALL[0])];
    let clocks = [ClockQuality::Ntp, ClockQuality::Rtc, ClockQuality::Unset];
    for (outcome, clock) in outcomes.into_iter().zip(clocks) {
        match (outcome, clock) {
            (
                Outcome::Agrees | Outcome::Residual | Outcome::Unknown(_),
                ClockQuality::Ntp | ClockQuality::Rtc | ClockQuality::Unset,
            ) => {}
        }
    }
    Codes::from([
        ("outcome", words(outcomes.map(Outcome::word))),
        ("clock", words(clocks.map(ClockQuality::word))),
    ])
}

fn of_the_evidence() -> Codes {
    let notices = [
        Notice::ReceiptRefused { bytes: Digest::of(b""), why: Name::new("x").unwrap(), count: 1 },
        Notice::Oversized { seq: 1, length: 1, limit: 1 },
        Notice::DiskFull { lasted_ms: 1 },
        Notice::JournalDamaged { salvaged: 1, lost: 1 },
        Notice::CertificateExpiring { days: 1 },
        Notice::LastGasp,
        Notice::Stopping,
    ];
    for notice in &notices {
        match notice {
            Notice::ReceiptRefused { .. }
            | Notice::Oversized { .. }
            | Notice::DiskFull { .. }
            | Notice::JournalDamaged { .. }
            | Notice::CertificateExpiring { .. }
            | Notice::LastGasp
            | Notice::Stopping => {}
        }
    }
    let (gaps, anchors) = (
        [GapWhy::DiskFull, GapWhy::SizeCap, GapWhy::Damaged],
        [Anchor::Trusted, Anchor::Own, Anchor::Nobody],
    );
    for (gap, anchor) in gaps.into_iter().zip(anchors) {
        match (gap, anchor) {
            (
                GapWhy::DiskFull | GapWhy::SizeCap | GapWhy::Damaged,
                Anchor::Trusted | Anchor::Own | Anchor::Nobody,
            ) => {}
        }
    }
    Codes::from([
        ("act_refusal", words(ActRefusal::ALL.map(ActRefusal::word))),
        ("refusal", words(REASONS)),
        ("notice", words(notices.iter().map(Notice::word))),
        ("gap", words(gaps.map(GapWhy::word))),
        ("anchor", words(anchors.map(Anchor::word))),
        ("share", words(share::Why::ALL.map(share::Why::word))),
        ("finding", words(ClashKind::ALL.map(ClashKind::word))),
        ("event", events(&words(notices.iter().map(Notice::word)))),
        ("skip", words(["unclean_start"])),
    ])
}

/// The golden records have each event of the format, but for the notices, which are a family of their own.
fn events(notices: &BTreeSet<String>) -> BTreeSet<String> {
    let files = fs::read_dir("tests/golden/coldhearth-1").unwrap().map(|entry| entry.unwrap().path());
    let records =
        files.map(|path| serde_json::from_slice::<serde_json::Value>(&fs::read(path).unwrap()).unwrap());
    let events: BTreeSet<String> =
        records.filter_map(|record| record["event"].as_str().map(str::to_owned)).collect();
    events.difference(notices).cloned().collect()
}

fn of_commissioning() -> Codes {
    let things = [
        What::Silent,
        What::NobodyBehindGateway(10),
        What::OnlyRefuses(2),
        What::OnlyZeros,
        What::Garbage(Fault::Garbage),
        What::HungUp,
        What::Refused,
        What::Stranger,
        What::Meter(Vec::new()),
    ];
    for thing in &things {
        match thing {
            What::Silent
            | What::NobodyBehindGateway(_)
            | What::OnlyRefuses(_)
            | What::OnlyZeros
            | What::Garbage(_)
            | What::HungUp
            | What::Refused
            | What::Stranger
            | What::Meter(_) => {}
        }
    }
    let notes = [
        Note::FitsSystem(1),
        Note::NearNominal,
        Note::OffNominal(1),
        Note::FitsNoSystem,
        Note::NoVoltage,
        Note::Mains,
        Note::OtherMains,
        Note::NoMains,
        Note::AgreesWithVoltAmperes,
        Note::VoltAmperesAre(1),
        Note::AboveApparent(1),
        Note::PhasesAddUp,
        Note::PhasesAddUpTo(1),
        Note::FactorAgrees,
        Note::FactorIs(1),
        Note::RunsAgainstOthers,
        Note::CarriesNothing,
    ];
    for note in notes {
        // Names every variant, or is not compiled.
        let _ = note.is_good();
    }
    let problems =
        Problem::ALL.map(Problem::word).into_iter().chain(["profile_guessed", "type_differs", "not_asked"]);
    Codes::from([
        ("probe", words(problems)),
        ("scan", words(things.iter().map(What::word))),
        ("mark", words(notes.map(Note::word))),
    ])
}

fn of_the_programs() -> Codes {
    let exits = [
        Exit::Done,
        Exit::Negative,
        Exit::Usage,
        Exit::Data,
        Exit::Unreachable,
        Exit::Bug,
        Exit::Retry,
        Exit::Permission,
        Exit::Config,
    ];
    for exit in exits {
        match exit {
            Exit::Done
            | Exit::Negative
            | Exit::Usage
            | Exit::Data
            | Exit::Unreachable
            | Exit::Bug
            | Exit::Retry
            | Exit::Permission
            | Exit::Config => {}
        }
    }
    let exits = exits.iter().map(|exit| exit.code().to_string()).collect();
    Codes::from([
        ("exit", exits),
        ("health", ailments()),
        ("ready", words(CODES)),
        ("broker", words(Refused::ALL.map(Refused::word))),
        ("bus", words(Hindrance::ALL.map(Hindrance::word))),
    ])
}

/// The reasons of `/health`, as its own text has them: each stands behind `ails(`, or is chosen for it.
fn ailments() -> BTreeSet<String> {
    let source = fs::read_to_string("src/regulator/vitals.rs").unwrap();
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut codes = words([E_BRK_SHARE]);
    for part in source.split("ails(").skip(1) {
        let part = part.trim_start();
        if let Some(code) = part.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
            codes.insert(code.to_owned());
        }
    }
    let chosen = ["store_full", "store_away"];
    assert!(chosen.iter().all(|code| source.contains(&format!("\"{code}\""))));
    codes.extend(words(chosen));
    codes
}

fn emitted() -> Codes {
    [of_the_judge(), of_what_records_say_beside(), of_the_evidence(), of_commissioning(), of_the_programs()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_code_is_explained_and_nothing_else_is() {
    let mut explained = BTreeMap::<String, BTreeSet<String>>::new();
    for known in explanations() {
        explained.entry(known.family).or_default().insert(known.code);
    }
    let emitted: BTreeMap<String, BTreeSet<String>> =
        emitted().into_iter().map(|(family, codes)| (family.to_owned(), codes)).collect();
    for (family, codes) in &emitted {
        let known = explained.get(family).cloned().unwrap_or_default();
        let missing: Vec<_> = codes.difference(&known).collect();
        let too_many: Vec<_> = known.difference(codes).collect();
        assert!(
            missing.is_empty() && too_many.is_empty(),
            "{family}: missing {missing:?}, unknown {too_many:?}"
        );
    }
    assert_eq!(explained.keys().collect::<Vec<_>>(), emitted.keys().collect::<Vec<_>>(), "families");
}

#[test]
fn both_languages_say_it_each_in_its_own_script() {
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let all = explanations();
    assert!(all.len() > 200, "{}", all.len());
    for known in all {
        assert!(is_chinese(&known.zh), "{}.{}: {}", known.family, known.code, known.zh);
        assert!(
            !is_chinese(&known.en) && known.en.len() > 4,
            "{}.{}: {}",
            known.family,
            known.code,
            known.en
        );
    }
}

fn run(program: &str, arguments: &[&str], lang: &str) -> Output {
    Command::new(program).args(arguments).env("LANG", lang).output().unwrap()
}

#[test]
fn both_programs_explain_in_the_language_of_whoever_asks() {
    for program in [env!("CARGO_BIN_EXE_coldhearth"), env!("CARGO_BIN_EXE_coldhearth-regulator")] {
        let text = |arguments: &[&str], lang: &str| {
            let output = run(program, &[&["explain"], arguments].concat(), lang);
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(text(&["why.silent"], "C").starts_with("why silent: No poll came"));
        assert!(text(&["bus.device_forbidden"], "C").contains("group dialout"));
        assert!(text(&["login_refused"], "zh_CN.UTF-8").starts_with("broker login_refused: MQTT 服务器拒绝"));
        assert!(text(&["silent"], "zh_CN.UTF-8").contains("why silent: 超过三次轮询"));
        assert!(text(&["e-brk-share", "--lang", "zh"], "C").contains("按行政区划分担"));
        assert_eq!(text(&["register_fell"], "C").lines().count(), 2, "a reason and a sign");
        assert_eq!(text(&[], "C").lines().count(), explanations().len());
        let answer: serde_json::Value = serde_json::from_str(&text(&["78", "--json"], "C")).unwrap();
        assert_eq!(answer[0]["family"], "exit");
        let output = run(program, &["explain", "voltage_wapped"], "C");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("sign.voltage_swapped"), "{output:?}");
    }
}
