//! A real browser looks at the console: `tests/console/look`, which tests/all brings what it needs.

use std::{path::Path, process::Command};

use coldhearth::regulator::{alarms::Entry, store::Alarms as _};

use crate::desk::{Desk, PASSWORD, goldens};

/// Needs chromium, node, and the packages of tests/console/look.
#[tokio::test]
#[ignore = "needs chromium and node; tests/all runs it"]
async fn people_find_the_furnace_that_drew_and_nothing_keeps_anybody_out() {
    let desk = Desk::own("look");
    let look = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/look");
    assert!(
        look.join("node_modules/playwright-core").is_dir(),
        "run npm ci or npm install in tests/console/look first"
    );
    let shots = std::env::var("COLDHEARTH_SHOTS").map_or_else(|_| desk.folder.0.join("shots"), Into::into);
    // A log as somebody would bring it, and another version of the rules.
    let records = desk.folder.0.join("brought.jsonl");
    let own = |line: &Vec<u8>| String::from_utf8_lossy(line).contains("\"log_id\":\"3f1c9a70e2b84d15\"");
    std::fs::write(&records, goldens().into_iter().filter(own).take(10).collect::<Vec<_>>().join(&b'\n'))
        .unwrap();
    let catalogue = desk.folder.0.join("later.toml");
    let shipped = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config/catalogue/guofa-2010-7.toml"),
    );
    let later = shipped.unwrap().replacen("deadline = 2010-12-31", "deadline = 2012-12-31", 2);
    std::fs::write(&catalogue, later).unwrap();
    let mut node = Command::new("node");
    node.arg("look.mjs")
        .current_dir(&look)
        .env("CONSOLE", format!("http://127.0.0.1:{}", desk.port))
        .env("SHOTS", &shots)
        .env("NAME", "wang")
        .env("PASSWORD", PASSWORD)
        .env("ASSET", "gw-03/eaf-2")
        .env("RECORDS", &records)
        .env("CATALOGUE", &catalogue);
    let ended = tokio::task::spawn_blocking(move || node.status().unwrap()).await.unwrap();
    assert!(ended.success(), "what is wrong stands above");
    let steps = desk.store().steps_after(0, 100).unwrap();
    let hands = steps.iter().filter_map(|kept| Entry::own(&kept.bytes).ok()?.step.hand);
    let said: Vec<String> = hands.map(|hand| format!("{}: {}", hand.who, hand.why)).collect();
    assert_eq!(said, ["wang: sent an inspection"], "it stands in the desk's signed log");
    assert!(std::fs::read_dir(&shots).unwrap().count() > 30);
}
