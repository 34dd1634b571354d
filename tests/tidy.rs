//! The referee: who may see whom, what a pure room may not say, how long a file may be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each room and the rooms it may see. What is not listed is forbidden.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("terms", &[]),
    ("catalogue", &["terms"]),
    ("metering", &["terms"]),
    ("judge", &["terms", "catalogue", "metering"]),
    ("evidence", &["terms", "catalogue", "metering", "judge"]),
    ("host", &["terms", "evidence"]),
    ("agent", &["terms", "catalogue", "metering", "judge", "evidence", "host"]),
    ("regulator", &["terms", "catalogue", "metering", "judge", "evidence", "host"]),
];

/// Rooms and single files that touch nothing of the world.
const PURE: &[&str] = &[
    "src/terms",
    "src/catalogue",
    "src/metering",
    "src/judge",
    "src/evidence",
    "src/agent/endpoint.rs",
    "src/agent/commission/block.rs",
    "src/agent/commission/exact.rs",
    "src/agent/commission/explore.rs",
    "src/agent/commission/marks.rs",
    "src/agent/commission/probe/report.rs",
    "src/agent/commission/sheet.rs",
    "src/agent/commission/traffic.rs",
    "src/agent/commission/tune/tuner.rs",
    "src/agent/inside/figures.rs",
    "src/agent/inside/look.rs",
    "src/agent/inside/narrator.rs",
    "src/agent/inside/page.rs",
    "src/agent/inside/ready.rs",
    "src/agent/inside/screen.rs",
    "src/agent/inside/status.rs",
    "src/agent/inside/told.rs",
    "src/agent/inside/view.rs",
    "src/agent/outbox.rs",
    "src/agent/letters.rs",
    "src/agent/setup/page.rs",
    "src/agent/setup/plan.rs",
    "src/host/courier/rival.rs",
    "src/host/exposition.rs",
    "src/host/hush.rs",
    "src/host/scrub.rs",
    "src/host/worry.rs",
    "src/regulator/acks.rs",
    "src/regulator/alarms/alarm.rs",
    "src/regulator/alarms/board.rs",
    "src/regulator/alarms/cause.rs",
    "src/regulator/alarms/condition.rs",
    "src/regulator/alarms/entry.rs",
    "src/regulator/alarms/escalation.rs",
    "src/regulator/alarms/kpi.rs",
    "src/regulator/alarms/notice.rs",
    "src/regulator/alarms/outage.rs",
    "src/regulator/alarms/pager.rs",
    "src/regulator/alarms/receiver.rs",
    "src/regulator/alarms/signals.rs",
    "src/regulator/alarms/state.rs",
    "src/regulator/findings.rs",
    "src/regulator/refusals.rs",
    "src/regulator/reports/coverage.rs",
    "src/regulator/reports/list.rs",
    "src/regulator/reports/periodic.rs",
    "src/regulator/reports/print.rs",
    "src/regulator/reports/restarts.rs",
    "src/regulator/reports/sealed.rs",
    "src/regulator/reports/sheet.rs",
    "src/regulator/reports/surcharge.rs",
    "src/regulator/reports/tariff.rs",
    "src/regulator/share.rs",
    "src/regulator/share",
    "src/regulator/sight.rs",
    "src/regulator/console/ask.rs",
    "src/regulator/console/badge.rs",
    "src/regulator/console/changes.rs",
    "src/regulator/console/chart.rs",
    "src/regulator/console/csv.rs",
    "src/regulator/console/session.rs",
    "src/regulator/console/story.rs",
    "src/regulator/timeline.rs",
    "src/regulator/timeline",
    "src/regulator/vitals.rs",
];

/// What would touch the world.
const WORLD: &[&str] = &[
    "tokio",
    "rumqttc",
    "rusqlite",
    "rustix",
    "libc::",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::process",
    "std::time",
    "SystemTime",
    "Instant::",
    "getrandom",
    "async ",
    ".await",
    "println!",
    "eprintln!",
];

/// The only file of the pure rooms, and the folder beside it, where a float may live.
const FLOATS_LIVE_IN: [&str; 2] = ["src/metering/decode.rs", "src/metering/decode/"];

/// Most lines of a file before its tests.
const MAX_LINES: usize = 500;

/// Every Rust file under a path, tests folders of rooms included.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut all: Vec<PathBuf> = entries.flat_map(|entry| files(&entry.unwrap().path())).collect();
    all.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    all.sort();
    all
}

fn is_test_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs") || path.iter().any(|folder| folder == "tests")
}

/// The code of a file without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or(&text);
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Forbidden sights of one room's code, for a planted example as well as for the real files.
fn sights(room: &str, code: &str) -> BTreeSet<String> {
    let may = MAY_SEE.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, may)| may);
    let mut seen = BTreeSet::new();
    let compact: String = code.split_whitespace().collect();
    for (other, _) in MAY_SEE.iter().filter(|(other, _)| *other != room && !may.contains(other)) {
        let forms = [format!("crate::{other}"), format!("coldhearth::{other}")];
        if forms.iter().any(|form| compact.contains(form)) {
            seen.insert((*other).to_owned());
        }
        // `use crate::{a, b}` would slip past a plain search.
        for group in compact.split("crate::{").skip(1) {
            let group = group.split(';').next().unwrap_or_default();
            let named = |at: &str| group.starts_with(at) || group.contains(&format!(",{at}"));
            if named(&format!("{other}::")) || named(&format!("{other},")) || named(&format!("{other}}}")) {
                seen.insert((*other).to_owned());
            }
        }
    }
    if room != "simulator" && compact.contains("coldhearth_sim") {
        seen.insert("simulator".to_owned());
    }
    seen
}

#[test]
fn imports_point_inwards() {
    for (room, _) in MAY_SEE {
        for file in files(&Path::new("src").join(room)) {
            let seen = sights(room, &code(&file));
            assert!(seen.is_empty(), "{} may not see {seen:?}", file.display());
        }
    }
}

#[test]
fn the_referee_sees_what_is_planted() {
    assert!(!sights("judge", "use crate::evidence::Chain;").is_empty());
    assert!(!sights("judge", "use crate::{\n    terms::Stamp,\n    evidence::Chain,\n};").is_empty());
    assert!(!sights("agent", "let x = crate::regulator::watch();").is_empty());
    assert!(sights("judge", "use crate::{metering::Reading, terms::Stamp};").is_empty());
}

#[test]
fn pure_rooms_touch_nothing_of_the_world() {
    for room in PURE {
        for file in files(Path::new(room)).iter().filter(|file| !is_test_file(file)) {
            let code = code(file);
            for word in WORLD {
                assert!(!code.contains(word), "{} says `{word}`", file.display());
            }
        }
    }
}

#[test]
fn floats_end_in_the_decoder() {
    for room in PURE {
        for file in files(Path::new(room)) {
            let code = code(&file);
            let floats = ["f32", "f64"].iter().any(|float| {
                code.match_indices(float).any(|(at, _)| {
                    let word =
                        |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"');
                    !word(code[..at].chars().next_back()) && !word(code[at + 3..].chars().next())
                })
            });
            let may = FLOATS_LIVE_IN.iter().any(|place| file.starts_with(place));
            assert!(!floats || may, "{} holds a float", file.display());
        }
    }
}

#[test]
fn nobody_can_write_to_a_meter() {
    for file in files(Path::new("src")) {
        // A file or a log may be written, a meter never.
        let code = ["BufWriter", "MakeWriter", "type Writer"]
            .iter()
            .fold(code(&file), |code, lawful| code.replace(lawful, ""));
        for word in ["write_single", "write_multiple", "masked_write", "Writer", "read_write_multiple"] {
            assert!(!code.contains(word), "{} says `{word}`", file.display());
        }
    }
}

#[test]
fn files_are_short_and_waive_no_lint() {
    for file in files(Path::new("src")).into_iter().chain(files(Path::new("simulator/src"))) {
        let lines =
            fs::read_to_string(&file).unwrap().split("#[cfg(test)]\nmod ").next().unwrap().lines().count();
        assert!(
            is_test_file(&file) || lines <= MAX_LINES,
            "{}: {lines} lines, at most {MAX_LINES}",
            file.display()
        );
        let waived = ["#[allow", "#![allow"].iter().any(|form| code(&file).contains(form));
        assert!(!waived, "{}: use #[expect(.., reason = ..)] or mend it", file.display());
    }
}

#[test]
fn the_top_level_is_the_agreed_one() {
    const AGREED: &[&str] = &[
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "src",
        "config",
        "simulator",
        "tests",
        "systemd",
        "target",
    ];
    for entry in fs::read_dir(".").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || AGREED.contains(&name.as_str()), "`{name}` at the top level");
    }
}

/// Words of the README's way in: five minutes at the pace of somebody who reads a foreign text.
const MOST_README_WORDS: usize = 1_500;

#[test]
fn the_readme_takes_five_minutes_and_shows_the_picture() {
    let readme = fs::read_to_string("README.md").unwrap();
    let (way_in, for_contributors) = readme.split_once("\n## For contributors\n").unwrap();
    let (english, chinese) = way_in.split_once("\n## 中文说明\n").unwrap();
    let words = english.split_whitespace().count();
    assert!(words <= MOST_README_WORDS, "{words} words: move reference into the chapter beside its code");
    let han = chinese.chars().filter(|letter| ('\u{4e00}'..='\u{9fff}').contains(letter)).count();
    assert!(han > 1_000, "{han}: the Chinese section is whole, or none");
    for part in ["(simulator/picture.svg)", "\n## Threat model\n", "\n## What it cannot prove\n"] {
        assert!(english.contains(part), "{part}");
    }
    for part in ["\n### House rules\n", "\n### Invariants\n", "\n## Changes\n"] {
        assert!(for_contributors.contains(part), "{part}");
    }
}

/// Where a text links to, in this tree.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = targets.filter(|target| !target.starts_with('#') && !target.contains("://"));
    ours.map(str::to_owned).collect()
}

fn chapters(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules"].contains(&&*name) && !name.starts_with('.') {
            chapters(&path, found);
        } else if name == "README.md" {
            found.push(path);
        }
    }
}

#[test]
fn every_chapter_is_linked_and_every_link_leads_somewhere() {
    let mut all = Vec::new();
    chapters(Path::new("."), &mut all);
    let from_the_readme: BTreeSet<PathBuf> = links(&fs::read_to_string("README.md").unwrap())
        .iter()
        .map(|link| fs::canonicalize(link).unwrap_or_else(|_| panic!("README.md links to {link}")))
        .collect();
    assert!(all.len() > 10, "{all:?}");
    for chapter in all {
        let text = fs::read_to_string(&chapter).unwrap();
        for link in links(&text) {
            let to = chapter.parent().unwrap().join(&link);
            assert!(to.exists(), "{} links to {link}", chapter.display());
        }
        let is_the_readme = chapter == Path::new("./README.md");
        let known = from_the_readme.contains(&fs::canonicalize(&chapter).unwrap());
        assert!(is_the_readme || known, "README.md does not link to {}", chapter.display());
    }
}

#[test]
fn the_package_puts_register_maps_where_they_are_looked_for() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let there =
        coldhearth::agent::commission::library::USUAL_FOLDERS.first().unwrap().trim_start_matches('/');
    assert!(manifest.contains(&format!("[\"config/meters/*.toml\", \"{there}/\"")), "{there}");
}

#[test]
fn the_readme_names_every_room_and_every_shipped_folder() {
    let readme = fs::read_to_string("README.md").unwrap();
    for (room, _) in MAY_SEE {
        assert!(readme.contains(&format!("{room}/")), "README.md does not name `{room}/`");
    }
    for folder in ["config/", "simulator/", "tests/", "systemd/"] {
        assert!(readme.contains(folder), "README.md does not name `{folder}`");
    }
}
