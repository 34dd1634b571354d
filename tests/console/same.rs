//! A report that somebody asks for in a browser is to the byte what the command line tells: of every kind, in every form, in both
//! languages, of the nation and of a county, over both databases.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::Ordering,
};

use coldhearth::{
    host::{Clock as _, SystemClock},
    regulator::{
        collector::Collector,
        store::{PostgresStore, Store},
    },
    terms::words,
};
use serde_json::Value;

use crate::{
    browser::Browser,
    desk::{Desk, PASSWORD, ours, signer, theirs},
    finding::{admitted, moved},
    support::{
        Folder,
        authority::{Authority, postgres_section},
        postgres::Postgres,
    },
};

/// The last day lies in a browser's report, and not in the command line's.
const FROM: &str = "2026-11-01";
const LAST: &str = "2026-11-20";
const AFTER: &str = "2026-11-21";

const PRICES: &str =
    "[[price]]\ndocument = \"发改价格〔2010〕978号\"\nfrom = 2010-06-01\nyuan_per_kwh = 0.3\n";
const NAMES: &str = "[[enterprise]]\nuscc = \"91350100M000100Y43\"\nzh = \"某某钢铁\"\nen = \"Moumou\"\ndocument = \"登记\"\n";
const SCHEDULE: &str =
    "attested_days = 1\n[[owed]]\ndivision = \"130421\"\nreports = [\"coverage\", \"list\"]\ndue_days = 1\n";
const PAGE: &str = "division = \"130421\"\nversion = 1\norder = \"县发〔2026〕3号\"\n[[target]]\n\
     entry = \"steel-electric-furnace-up-to-30t\"\namount = 2\n[[equipment]]\nuscc = \"91350100M000100Y43\"\nasset = \"eaf-2\"\n\
     entry = \"steel-electric-furnace-up-to-30t\"\ndeadline = \"2011-12-31\"\n";
const NEXT: &str = "division = \"130422\"\nversion = 1\norder = \"县发〔2026〕4号\"\n[[target]]\n\
     entry = \"steel-electric-furnace-up-to-30t\"\namount = 7\n";

/// Whoever sits at the authority's machine.
struct Shell<'h> {
    home: &'h [OsString],
    files: &'h Folder,
}

/// A file as a form and as the command line name it, and whether it is told to the latter by a flag.
type Given = (&'static str, Option<&'static str>, String);

impl Shell<'_> {
    /// Writes a file of the name that browsers give theirs.
    fn file(&self, place: &str, text: &str) -> PathBuf {
        let folder = self.files.0.join(place);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("f"), text).unwrap();
        folder.join("f")
    }

    fn run(&self, kind: &str, language: &str, more: &[OsString]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        let lang = if language == "zh" { "zh_CN.UTF-8" } else { "en_US.UTF-8" };
        command.args(["report", kind, "--from", FROM, "--to", AFTER]).args(self.home).args(more);
        command.env("LANG", lang).output().unwrap()
    }

    fn report(&self, kind: &str, (form, language): (&str, &str), division: &str, given: &[Given]) -> String {
        let mut more: Vec<OsString> = ["--format", form, "--division", division].map(Into::into).to_vec();
        for (at, (_, flag, text)) in given.iter().enumerate() {
            more.extend(flag.map(OsString::from));
            more.push(self.file(&format!("{kind}-{at}"), text).into());
        }
        let out = self.run(kind, language, &more);
        assert!(!out.stdout.is_empty(), "{kind} {form}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}

/// When it was made is of each by itself.
fn without_when(report: &str) -> String {
    if let Some((before, after)) = report.split_once("\"made_unix_ms\":") {
        return format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    match report.split_once("</p>") {
        Some((head, rest)) if report.starts_with("<!DOCTYPE") => {
            let is_time = |c: char| c.is_ascii_digit() || " :+-".contains(c);
            format!("{}{rest}", head.trim_end_matches(is_time))
        }
        Some(_) | None => report.to_owned(),
    }
}

/// What each report rests on.
fn given(kind: &str, signed: (&str, &str)) -> Vec<Given> {
    let (before, key) = signed;
    let text = |text: &str| text.to_owned();
    match kind {
        // A browser names them in the order of its form.
        "list" => vec![("names", Some("--names"), text(NAMES)), ("before", Some("--before"), text(before))],
        "periodic" => vec![("pages", None, text(PAGE)), ("pages", None, text(NEXT))],
        "surcharge" => vec![("prices", Some("--prices"), text(PRICES))],
        "owed" => {
            vec![("schedule", Some("--schedule"), text(SCHEDULE)), ("keys", Some("--trust"), text(key))]
        }
        _nothing => Vec::new(),
    }
}

const KINDS: [&str; 7] = ["list", "periodic", "owed", "completion", "findings", "coverage", "surcharge"];

async fn told_alike(desk: &Desk, home: &[OsString], state: &Path, files: &Folder) {
    desk.clock.wall_unix_ms.store(SystemClock::default().now().wall_unix_ms, Ordering::Relaxed);
    let shell = Shell { home, files };
    let signature = shell.files.0.join("coverage.sig");
    let made = shell.run(
        "coverage",
        "en",
        &["--division".into(), "130421".into(), "--sign".into(), signature.clone().into()],
    );
    assert!(made.status.success(), "{made:?}");
    let signature = std::fs::read_to_string(signature).unwrap();
    let key = std::fs::read_to_string(state.join("authority.key.pub")).unwrap();
    let before = shell.report("list", ("json", "en"), "000000", &[]);
    let mut rows = [0; KINDS.len()];
    for (name, division, language) in [("wang", "000000", "zh"), ("li", "130421", "en")] {
        let browser = Browser { language, ..Browser::entered(desk.port, name, PASSWORD).await };
        let token = browser.get("/audit").await.form_token();
        for (kind, rows) in KINDS.iter().zip(&mut rows) {
            let mut given = given(kind, (&before, &key));
            if *kind == "owed" {
                given.push(("signatures", None, signature.clone()));
            }
            for form in ["csv", "json", "html"] {
                let lines = [("form", token.as_str()), ("from", FROM), ("to", LAST)];
                let mut parts: Vec<(&str, &[u8])> =
                    lines.map(|(name, line)| (name, line.as_bytes())).to_vec();
                parts.extend(given.iter().map(|(word, _, text)| (*word, text.as_bytes())));
                let shown = browser.upload(&format!("/report/{kind}/{form}"), &parts).await;
                assert_eq!(shown.status, 200, "{kind} {form}: {}", shown.body);
                let told = shell.report(kind, (form, language), division, &given);
                assert_eq!(without_when(&shown.body), without_when(&told), "{kind} {form} {language} {name}");
                if form == "json" {
                    let json: Value = serde_json::from_str(&told).unwrap();
                    *rows += json["rows"].as_array().unwrap().len();
                }
            }
        }
    }
    // Nobody's furnace is gone here; of every other kind there is something to compare.
    let is_told = |kind: &str| rows[KINDS.iter().position(|known| *known == kind).unwrap()] > 0;
    assert!(KINDS.iter().all(|kind| is_told(kind) || *kind == "completion"), "{rows:?}");
    // Of a machine that came up in another county this one is told no more than that it did.
    let found = |division| shell.report("findings", ("csv", "en"), division, &[]);
    let (nation, county) = (found("000000"), found("130421"));
    assert!(nation.contains("130421 → 130422") && nation.contains("gw-1 → gw-2"), "{nation}");
    assert!(county.contains(words::LIES_ELSEWHERE.en) && county.contains("gw-1"), "{county}");
    assert!(!county.contains("gw-2") && !county.contains("130422"), "{county}");
}

#[tokio::test]
async fn the_browser_and_the_command_line_tell_the_same_over_sqlite() {
    let admit = |store: &mut dyn Store| {
        admitted(store);
        ours(store);
        theirs(store);
    };
    let desk = Desk::own_collecting("same", admit, moved);
    let home = ["--state".into(), desk.folder.0.clone().into_os_string()];
    told_alike(&desk, &home, &desk.folder.0, &Folder::new("console-same-sqlite")).await;
}

#[tokio::test]
async fn the_browser_and_the_command_line_tell_the_same_over_postgresql() {
    let server = Postgres::shared();
    let database = server.database("same");
    let at = server.at(&database);
    let desk = Desk::own_over(&at, |store| {
        admitted(store);
        ours(store);
        theirs(store);
        let own = Box::new(PostgresStore::open(at.clone()).unwrap());
        moved(store, Collector::open(own, Box::new(signer())).unwrap());
    });
    let authority = Authority::new("console-same-over", 1, &postgres_section(&server, &database));
    let home = ["--config".into(), authority.config.clone().into_os_string()];
    let state = authority.folder.0.join("state");
    told_alike(&desk, &home, &state, &Folder::new("console-same-postgres")).await;
}
