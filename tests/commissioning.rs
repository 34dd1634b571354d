//! The verbs of whoever stands at the meter, as programs, against a plant, a liar, an echo and a line that others use.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
};

use coldhearth::{
    metering::{Function, Profile},
    terms::{MilliVolts, MilliWatts, Ratio},
};
use coldhearth_sim::{Change, Feeder, Load, SimMeter, WireFault};
use support::{Folder, Works, soon};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    process::Command,
};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
    command.args(arguments).env("LANG", "C").stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn coldhearth(arguments: &[&str]) -> Output {
    soon("the verb's end", command(arguments).output()).await.unwrap()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// The works with a secondary-side meter at unit 3, behind 400/5 and 10000/100, drawing 2 MW at 10 kV.
async fn works(name: &str) -> (Works, String) {
    let works = Works::open(name).await;
    works.force(6_000_000);
    let text = std::fs::read_to_string("config/meters/acrel-adl400.toml").unwrap();
    let profile = Arc::new(Profile::parse("acrel-adl400.toml", &text).unwrap());
    let meter = SimMeter::new(&profile)
        .with_ct(Ratio::new(400, 5).unwrap())
        .with_pt(Ratio::new(10_000, 100).unwrap());
    {
        let mut plant = works.plant.lock().unwrap();
        let feeder = plant.add_feeder(Feeder::new(MilliVolts(10_000_000), Load::Cold));
        plant.add_meter(3, meter, feeder);
        assert!(plant.force_power(feeder, MilliWatts::from_watts(2_000_000)));
    }
    let endpoint = format!("tcp://127.0.0.1:{}", works.modbus_port);
    (works, endpoint)
}

/// A configuration of nothing but a gateway, a broker and what was pasted.
fn pasted(folder: &Folder, block: &str) -> PathBuf {
    let file = folder.0.join("pasted.toml");
    let profiles = Path::new("config/meters").canonicalize().unwrap();
    let head = format!(
        "[gateway]\nid = \"gw\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\
         profiles = \"{}\"\n\n[broker]\nhost = \"127.0.0.1\"\n\n",
        profiles.display()
    );
    std::fs::write(&file, head + block).unwrap();
    file
}

#[tokio::test]
async fn a_scan_finds_the_meters_and_its_block_passes_check() {
    let (works, endpoint) = works("scan").await;
    let output = coldhearth(&["scan", &endpoint, "--ids", "1-5", "--profiles", "config/meters"]).await;
    assert_eq!(exit(&output), 0, "{output:?}");
    let said = text(&output);
    let line = |id: u8| said.lines().find(|line| line.starts_with(&format!("id {id} "))).unwrap();
    assert!(line(1).contains("meter") && line(1).contains("janitza-19000"), "{said}");
    assert!(line(3).contains("meter") && line(3).contains("acrel-adl400"), "{said}");
    assert!(line(4).contains("exception 11 from the gateway"), "{said}");
    assert!(said.contains("found 3 meters and 0 other devices at 5 ids (tcp)"), "{said}");
    assert!(said.contains("not covered: ids not asked: 6-247"), "{said}");
    let block = &said[said.find("[[bus]]").unwrap()..];
    assert!(
        block.contains("ct = \"80/1\"") || block.contains("ct = \"400/5\""),
        "read from the meter\n{block}"
    );
    for language in ["C", "zh_CN.UTF-8"] {
        let arguments = ["scan", &endpoint, "--ids", "1-3", "--profiles", "config/meters", "--json"];
        let output = command(&arguments).env("LANG", language).output().await.unwrap();
        let answer = json(&output);
        assert_eq!((&answer["meters"], &answer["ids"][2]["what"]), (&3.into(), &"meter".into()), "{answer}");
        let file = pasted(&works.folder, answer["block"].as_str().unwrap());
        let checked = coldhearth(&["check", file.to_str().unwrap()]).await;
        assert_eq!(exit(&checked), 0, "{checked:?}\n{}", answer["block"]);
        assert!(text(&checked).contains("3 meters"), "{checked:?}");
    }
    let file = pasted(&works.folder, block);
    let checked = coldhearth(&["check", file.to_str().unwrap()]).await;
    assert_eq!(exit(&checked), 0, "what a person pastes: {checked:?}\n{block}");
}

#[tokio::test]
async fn each_kind_of_trouble_is_named_by_a_scan_over_a_real_socket() {
    let (works, endpoint) = works("troubles").await;
    works.faults.set(1, WireFault::Exception(10));
    works.faults.set(2, WireFault::Garbage);
    works.faults.set(3, WireFault::Silent);
    let all = ["scan", &endpoint, "--ids", "1-4", "--profiles", "config/meters", "--timeout", "300ms"];
    let output = coldhearth(&[&all[..], &["--json"]].concat()).await;
    let answer = json(&output);
    let what: Vec<&str> =
        answer["ids"].as_array().unwrap().iter().map(|id| id["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["nobody_behind_gateway", "garbage", "silent", "nobody_behind_gateway"], "{answer}");
    assert_eq!((&answer["ids"][0]["exception"], &answer["ids"][3]["exception"]), (&10.into(), &11.into()));
    assert_eq!(exit(&output), 69);
    let probe =
        ["probe", &endpoint, "--unit", "3", "--profiles", "config/meters", "--timeout", "300ms", "--json"];
    let output = coldhearth(&probe).await;
    assert_eq!((exit(&output), output.stdout.len()), (69, 0), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("No answer does not mean no power"),
        "{output:?}"
    );
    let nobody = format!("tcp://127.0.0.1:{}", support::free_port());
    let output = coldhearth(&["scan", &nobody, "--profiles", "config/meters"]).await;
    assert_eq!(exit(&output), 69);
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody accepts connections"), "{output:?}");
}

#[tokio::test]
async fn a_probe_shows_primary_values_and_without_a_ratio_the_meters_own_side() {
    let (works, endpoint) = works("probe").await;
    let place = ["--profiles", "config/meters", "--json"];
    let probe = async |unit: &str, more: &[&str]| {
        let output = coldhearth(&[&["probe", &endpoint, "--unit", unit], &place[..], more].concat()).await;
        assert_eq!(exit(&output), 0, "{output:?}");
        json(&output)
    };
    let seen = probe("1", &["--profile", "janitza-19000", "--nominal-v", "35000"]).await;
    let power = seen["quantities"]["power"]["value"].as_f64().unwrap();
    assert!((power - 6_000_000.0).abs() < 60_000.0, "{seen}");
    assert_eq!(seen["quantities"]["power"]["unit"], "W");
    assert_eq!(seen["identity"]["profile"], "janitza-19000");
    assert_eq!(seen["problems"], serde_json::json!([]), "{seen}");
    let certain = probe("3", &["--profile", "acrel-adl400"]).await;
    let volts = &certain["quantities"]["voltage_l1"];
    assert!(
        (volts["value"].as_f64().unwrap() - 5_773.0).abs() < 100.0 && volts.get("side").is_none(),
        "{certain}"
    );
    // The ratio of the current transformer cannot be read any more.
    let ct = Change::Register(3, Function::Holding, 142, Some(0));
    assert!(works.plant.lock().unwrap().apply(ct));
    let uncertain = probe("3", &["--profile", "acrel-adl400"]).await;
    let current = &uncertain["quantities"]["current_l1"];
    assert_eq!((&current["side"], &current["unit"]), (&"secondary".into(), &"A".into()), "{uncertain}");
    assert!(current["value"].as_f64().unwrap() < 5.0, "the meter's own side: {uncertain}");
    let problem =
        uncertain["problems"].as_array().unwrap().iter().find(|p| p["code"] == "ratio_unknown").unwrap();
    assert!(problem["quantities"].as_array().unwrap().contains(&"power".into()), "{uncertain}");
    // A quantity the meter has not, and one it refuses, are null and never zero.
    let export = Change::Absent(1, coldhearth::metering::Quantity::Export);
    assert!(works.plant.lock().unwrap().apply(export));
    let seen = probe("1", &["--profile", "janitza-19000"]).await;
    assert_eq!(seen["quantities"]["export"], serde_json::json!({"value": null, "unit": "kWh"}), "{seen}");
    let guessed = probe("1", &[]).await;
    assert_eq!(guessed["problems"][0]["code"], "profile_guessed", "{guessed}");
    let refused = probe("1", &["--at", "40001", "--count", "2"]).await;
    assert_eq!((&refused["at"], &refused["words"]), (&0.into(), &serde_json::json!([])), "{refused}");
}

/// A gateway that answers zeros for every unit and register.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut asked = [0; 12];
                while stream.read_exact(&mut asked).await.is_ok() {
                    let bytes = asked[11] * 2;
                    let head = [asked[0], asked[1], 0, 0, 0, bytes + 3, asked[6], asked[7], bytes];
                    let zeros = vec![0; usize::from(bytes)];
                    stream.write_all(&[&head[..], &zeros].concat()).await.unwrap();
                }
            });
        }
    });
    endpoint
}

#[tokio::test]
async fn an_echo_of_zeros_is_no_meter_and_its_zeros_are_no_readings() {
    let endpoint = echo().await;
    let output =
        coldhearth(&["scan", &endpoint, "--ids", "1-3", "--profiles", "config/meters", "--json"]).await;
    let answer = json(&output);
    assert_eq!((exit(&output), &answer["meters"]), (1, &0.into()), "{answer}");
    assert!(answer["ids"].as_array().unwrap().iter().all(|id| id["what"] == "only_zeros"), "{answer}");
    let output =
        coldhearth(&["probe", &endpoint, "--unit", "2", "--profiles", "config/meters", "--json"]).await;
    let answer = json(&output);
    assert_eq!(answer["quantities"], serde_json::json!({}), "{answer}");
    assert_eq!(answer["problems"][0]["code"], "only_zeros", "{answer}");
}

#[tokio::test]
async fn a_gateway_whose_one_client_is_somebody_else_is_diagnosed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let output = coldhearth(&["scan", &endpoint, "--profiles", "config/meters"]).await;
    assert_eq!(exit(&output), 69, "{output:?}");
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("accepts and hangs up") && why.contains("another master"), "{why}");
    assert_eq!(text(&output).matches("\nid ").count(), 3, "three ids are enough: {}", text(&output));
}

#[cfg(feature = "serial")]
#[tokio::test]
async fn on_a_line_that_another_master_uses_nothing_is_asked() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&line).unwrap();
    unlockpt(&line).unwrap();
    let name = ptsname(&line, Vec::new()).unwrap().into_string().unwrap();
    let endpoint = format!("rtu://{name}?baud=9600&parity=E");
    let scan = ["scan", &endpoint, "--ids", "1-2", "--profiles", "config/meters"];
    let mut child = command(&scan).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    soon("the ten seconds of listening", async {
        while !said.next_line().await.unwrap().unwrap().contains("listening for 10 s") {}
    })
    .await;
    // Another master asks unit 4 for two registers, again and again, until the scan has seen enough.
    let asked = [4, 3, 0, 0, 0, 2, 0xC4, 0x5E];
    let master = std::fs::File::from(line);
    let output = {
        let ended = child.wait_with_output();
        tokio::pin!(ended);
        let mut again = tokio::time::interval(std::time::Duration::from_millis(200));
        loop {
            tokio::select! {
                output = &mut ended => break output.unwrap(),
                _ = again.tick() => {
                    // A line that is closed at the far end takes nothing, and that is fine.
                    let _taken = std::io::Write::write(&mut &master, &asked);
                }
            }
        }
    };
    assert_eq!(exit(&output), 75, "{output:?}");
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("another master uses this line") && why.contains("units 4"), "{why}");
    assert!(why.contains("Stop or disconnect the other master"), "{why}");
}

#[tokio::test]
async fn a_meter_is_tapped_until_ctrl_c_with_raw_words_and_counters() {
    let (works, _) = works("tap").await;
    let config = works.configure(1);
    let tap = ["tap", "eaf-1-feeder", "--config", config.to_str().unwrap()];
    let mut child = command(&tap).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = String::new();
    soon("a second poll", async {
        while seen.matches("frequency").count() < 2 {
            seen += &said.next_line().await.unwrap().unwrap();
            seen.push('\n');
        }
    })
    .await;
    assert!(seen.contains("over a connection of its own") && seen.contains("stop that first"), "{seen}");
    assert!(seen.contains("fc 3 register 190") && seen.contains("power   "), "{seen}");
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    let mut rest = String::new();
    while let Some(line) = said.next_line().await.unwrap() {
        rest += &line;
    }
    assert!(rest.contains("counted: requests ") && rest.contains("replies "), "{rest}");
    assert!(soon("a clean end", child.wait()).await.unwrap().success());
    let output = coldhearth(&["tap", "no-such-meter", "--config", config.to_str().unwrap()]).await;
    assert_eq!(exit(&output), 78);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("known: eaf-1-feeder, eaf-2-feeder"),
        "{output:?}"
    );
}

#[tokio::test]
async fn identify_and_tune_answer_for_machines_over_a_real_socket() {
    let (_works, endpoint) = works("tune").await;
    let place = ["--unit", "1", "--profiles", "config/meters", "--json"];
    let output = coldhearth(&[&["identify", &endpoint], &place[..]].concat()).await;
    assert_eq!(exit(&output), 0, "{output:?}");
    let answer = json(&output);
    assert_eq!(answer["routes"][0]["route"], "device_id");
    assert!(
        answer["identity"]["silent"].as_array().unwrap().len() >= 2,
        "the plant's meters tell nothing: {answer}"
    );
    assert_eq!(answer["profiles"][0]["profile"], "janitza-19000", "{answer}");
    let output =
        coldhearth(&[&["tune", &endpoint], &place[..], &["--profile", "janitza-19000"]].concat()).await;
    assert_eq!(exit(&output), 0, "{output:?}");
    let answer = json(&output);
    assert!(answer["lines"].as_str().unwrap().contains("timeout_ms = "), "{answer}");
    assert!(
        answer["measured"]["max_regs"].as_u64().unwrap() >= 60 && answer["requests"].as_u64().unwrap() < 100,
        "{answer}"
    );
}

#[tokio::test]
async fn what_was_written_wrong_is_told_before_anybody_is_asked() {
    for (arguments, code, said) in [
        (&["scan", "10.1.4.7:502", "--profiles", "config/meters"][..], 2, "no way to reach a bus"),
        (
            &["scan", "tcp://10.1.4.7:502", "--ids", "0-3", "--profiles", "config/meters"],
            2,
            "ids from 1 to 247",
        ),
        (&["probe", "tcp://10.1.4.7:502", "--unit", "1", "--ct", "400"], 2, "like 400/5"),
        (&["probe", "tls://10.1.4.7", "--unit", "1", "--profiles", "config/meters"], 2, "needs --ca FILE"),
        (
            &["probe", "tcp://10.1.4.7:502", "--unit", "1", "--profile", "x", "--profiles", "config/meters"],
            78,
            "known: ",
        ),
        (&["tune", "tcp://10.1.4.7:502", "--unit", "1", "--profiles", "/nonexistent"], 78, "--profiles DIR"),
    ] {
        let output = coldhearth(arguments).await;
        assert_eq!(exit(&output), code, "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{said}: {output:?}");
    }
    for verb in ["scan", "identify", "probe", "tap", "tune"] {
        let output = coldhearth(&[verb, "--help"]).await;
        let help = text(&output);
        assert!(exit(&output) == 0 && help.contains("Exit: 0") && help.contains("--json"), "{verb}: {help}");
    }
}

/// The chapter's lines as they stand, but for the place of the meter.
#[tokio::test]
async fn the_chapters_lines_work() {
    let (works, endpoint) = works("readme").await;
    let config = works.configure(1);
    let chapter = std::fs::read_to_string("src/agent/README.md").unwrap();
    let from = &chapter[chapter.find("## Commission a meter").unwrap()..];
    let block = from.split("```").nth(1).unwrap().strip_prefix("sh\n").unwrap();
    let mut verbs = Vec::new();
    for line in block.lines() {
        let line = line.split('#').next().unwrap().trim();
        let (verb, rest) = line.strip_prefix("coldhearth ").unwrap().split_once(' ').unwrap();
        let rest = rest.replace("tcp://10.1.4.7:502", &endpoint).replace("--for 10s", "--for 4s");
        let place = if verb == "tap" {
            format!("--config {}", config.display())
        } else {
            "--profiles config/meters".into()
        };
        let script = format!("exec \"{}\" {verb} {rest} {place}", env!("CARGO_BIN_EXE_coldhearth"));
        let output = soon(line, Command::new("bash").args(["-c", &script]).output()).await.unwrap();
        // No adapter is plugged in here, and it says so.
        let expected = if rest.contains("rtu://") { 69 } else { 0 };
        assert_eq!(exit(&output), expected, "{line}: {output:?}");
        verbs.push(verb.to_owned());
    }
    verbs.dedup();
    assert_eq!(verbs, ["scan", "identify", "probe", "tune", "tap"]);
}
