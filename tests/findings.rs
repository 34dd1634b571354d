//! One furnace in two counties: two real agents, a real broker, the real collector killed in between; the finding is listed,
//! exported, and verified by the auditor's program.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coldhearth::host::{Clock as _, SystemClock};
use serde_json::Value;
use support::{Folder, Mosquitto, Process, Works, public_key_of, soon};

/// The authority's programs over one state folder.
struct Authority(Folder);

impl Authority {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command
            .args(arguments)
            .arg("--state")
            .arg(self.0.0.join("state"))
            .env("LANG", "C")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let out = self.command(arguments).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap() + &String::from_utf8_lossy(&out.stderr);
        (out.status.code().unwrap(), said)
    }

    fn serve(&self, port: u16) -> Process {
        let log = OpenOptions::new().create(true).append(true).open(self.0.0.join("serve.log")).unwrap();
        let mut command = self.command(&["serve", "--broker", &format!("127.0.0.1:{port}")]);
        Process(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn admit(&self, gateway: &str, works: &Works, config: &Path) {
        let (fingerprint, key) = public_key_of(works, config);
        let add = ["gateway", "add", key.to_str().unwrap(), "--id", gateway, "--fingerprint", &fingerprint];
        assert_eq!(self.run(&add).0, 0);
    }

    /// What is found, as JSON; nothing while nothing is.
    fn findings(&self) -> Vec<Value> {
        let out = self.command(&["findings", "--json"]).output().unwrap();
        let lines = String::from_utf8(out.stdout).unwrap();
        let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(out.status.code(), Some(i32::from(!found.is_empty())));
        found
    }

    async fn until_found(&self, wanted: &[&str]) -> Vec<Value> {
        let clock = SystemClock::default();
        soon("findings", async {
            loop {
                let found = self.findings();
                let kinds: BTreeSet<&str> =
                    found.iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
                if wanted.iter().all(|kind| kinds.contains(kind)) {
                    return found;
                }
                clock.sleep_until(clock.now().uptime_ms + 100).await;
            }
        })
        .await
    }

    /// Exports a finding; tells its folder and what is to be trusted.
    fn export(&self, id: &str, name: &str, more: &[&str]) -> (PathBuf, Vec<PathBuf>) {
        let folder = self.0.0.join(name);
        let arguments = [&["findings", "export", id, folder.to_str().unwrap()], more].concat();
        let (exit, said) = self.run(&arguments);
        assert_eq!(exit, 0, "{said}");
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let keys = files.filter(|path| path.extension().is_some_and(|ending| ending == "pub")).collect();
        (folder, keys)
    }
}

/// The auditor's word on a bundle.
fn verified((folder, keys): &(PathBuf, Vec<PathBuf>)) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.arg("verify").arg(folder).arg("--json");
    for key in keys {
        command.arg("--trust").arg(key);
    }
    let out = command.output().unwrap();
    (out.status.code().unwrap(), serde_json::from_slice(&out.stdout).unwrap())
}

/// The works' configuration in a county, its first furnace declared with this plate.
fn configure(works: &Works, port: u16, gateway: &str, division: &str, plate: &str) -> PathBuf {
    let path = works.configure(port);
    let meter = "\n[[meter]]\nid = \"eaf-1-feeder\"";
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(meter));
    let text = text
        .replace("\"gw-test\"", &format!("\"{gateway}\""))
        .replace("130421", division)
        .replace("\"electric_arc_furnace\"", "\"electric_furnace\"")
        .replace(meter, &format!("[equipment.declared]\n{plate}\n{meter}"));
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_furnace_that_comes_up_in_another_county_is_found_exported_and_verified() {
    let (here, there) = (Works::open("county-here").await, Works::open("county-there").await);
    let authority = Authority(Folder::new("counties"));
    let broker = Mosquitto::start(&here.folder.0).await;
    let stamped = "maker = \"西安电炉厂\"\nserial_number = \"XT-2008/0417\"\nfurnace_product = \"steel\"\nnominal_tonnage_t = 25";
    let restamped = stamped.replace("XT-2008/0417", "xt 20080417").replace("25", "40");
    let first = configure(&here, broker.port, "gw-1", "130421", stamped);
    let second = configure(&there, broker.port, "gw-2", "140525", &restamped);
    authority.admit("gw-1", &here, &first);
    authority.admit("gw-2", &there, &second);
    assert_eq!(authority.findings(), Vec::<Value>::new());
    let mut collector = authority.serve(broker.port);
    here.force(5_000);
    there.force(5_000);
    let _agents = [here.agent(&first)];
    // What the first says is kept once it draws, and was eliminated: then the collector dies, as the second begins.
    soon("a verdict at rest", async {
        let clock = SystemClock::default();
        while !here.journal_says("\"type\":\"verdict\"") {
            clock.sleep_until(clock.now().uptime_ms + 50).await;
        }
    })
    .await;
    here.force(8_000_000);
    authority.until_found(&["eliminated_draws"]).await;
    collector.kill();
    let _other = there.agent(&second);
    let _collector = authority.serve(broker.port);
    let found = authority.until_found(&["eliminated_draws", "transfer", "rating_edited"]).await;
    let transfer = found.iter().find(|finding| finding["kind"] == "transfer").unwrap();
    let records: Vec<&str> =
        transfer["records"].as_array().unwrap().iter().map(|half| half["record"].as_str().unwrap()).collect();
    assert!(here.journal().contains(&records[0].as_bytes().to_vec()), "to the byte");
    assert!(there.journal().contains(&records[1].as_bytes().to_vec()), "to the byte");
    assert_eq!(transfer["records"][1]["division"], "140525");
    let id = transfer["id"].as_str().unwrap();
    let (exit, text) = authority.run(&["findings", "--kind", "transfer"]);
    assert_eq!(exit, 1);
    for said in [id, "one machine at two sites", "serial_number = xt 20080417", "nobody is convicted"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let excerpt = authority.export(id, "excerpt", &[]);
    let (exit, report) = verified(&excerpt);
    assert_eq!(
        (exit, &report["authentic"], &report["complete"]),
        (1, &true.into(), &false.into()),
        "{report}"
    );
    let (exit, report) = verified(&authority.export(id, "whole", &["--whole"]));
    assert_eq!(
        (exit, &report["authentic"], &report["complete"]),
        (0, &true.into(), &true.into()),
        "{report}"
    );
    // A bundle that somebody has touched is no proof any longer.
    let lines = excerpt.0.join("records.jsonl");
    let altered = std::fs::read_to_string(&lines).unwrap().replace("XT-2008/0417", "XT-2008/0418");
    std::fs::write(&lines, altered).unwrap();
    assert_eq!(verified(&excerpt).1["authentic"], false);
    let (exit, said) = authority.run(&["store", "verify"]);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(authority.run(&["findings", "export", "0123456789abcdef", "/nowhere"]).0, 1);
}
