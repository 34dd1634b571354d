//! A real browser looks at the console: `tests/console/look`, which tests/all brings what it needs.

use std::{path::Path, process::Command};

use crate::{
    desk::{Desk, PASSWORD, alarm},
    door::ParseDivision as _,
};

/// Needs chromium, node, and the packages of tests/console/look.
#[tokio::test]
#[ignore = "needs chromium and node; tests/all runs it"]
async fn people_find_the_furnace_that_drew_and_nothing_keeps_anybody_out() {
    let desk = Desk::open("look");
    desk.alarms.all.lock().unwrap().push(("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")));
    let look = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/look");
    assert!(
        look.join("node_modules/playwright-core").is_dir(),
        "run npm ci or npm install in tests/console/look first"
    );
    let shots = std::env::var("COLDHEARTH_SHOTS").map_or_else(|_| desk.folder.0.join("shots"), Into::into);
    let mut node = Command::new("node");
    node.arg("look.mjs")
        .current_dir(&look)
        .env("CONSOLE", format!("http://127.0.0.1:{}", desk.port))
        .env("SHOTS", &shots)
        .env("NAME", "wang")
        .env("PASSWORD", PASSWORD)
        .env("ASSET", "gw-03/eaf-2");
    let ended = tokio::task::spawn_blocking(move || node.status().unwrap()).await.unwrap();
    assert!(ended.success(), "what is wrong stands above");
    let decided = desk.alarms.decided.lock().unwrap();
    let said: Vec<&str> = decided.iter().map(|decision| decision.why.as_str()).collect();
    assert_eq!(said, ["sent an inspection"]);
    assert!(std::fs::read_dir(&shots).unwrap().count() > 30);
}
