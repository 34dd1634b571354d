//! One meter looked at closely: probed, tuned, identified.

use super::*;

/// Runs a probe over a fake; the outcome and what was printed.
async fn probed(fake: &Fake, profile: Option<&str>, json: bool) -> (Result<Exit, Failure>, String) {
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way = Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: fake, ear: None, tls: None };
    let orders = probe::Orders {
        unit: 1,
        profile: profile.map(|id| library.named(id).unwrap()),
        given: Declared::default(),
        nominal: Some(MilliVolts(400_000)),
        at: None,
        deadline_ms: 500,
    };
    let mut text = String::new();
    let mut say = |line: &str| text += &format!("{line}\n");
    let mut screen = Screen::new(&mut say, Language::English, json);
    let outcome = probe::probe(&clock, &library, &way, &orders, &mut screen).await;
    (outcome, text)
}

#[tokio::test(start_paused = true)]
async fn a_probe_prints_exactly_quantities_identity_and_problems() {
    let fake = Fake::new(|_, request| match eastron(request, 230.4) {
        Does::Words(mut words) => {
            let Request::ReadInputRegisters(at, _) = request else { return Does::Exception(1) };
            // The export counter says that it is not there.
            if let Some(word) = 0x4A_u16.checked_sub(*at).and_then(|i| words.get_mut(usize::from(i))) {
                *word = 0x7FC0;
            }
            Does::Words(words)
        }
        other => other,
    });
    let (outcome, text) = probed(&fake, Some("eastron-sdm630"), true).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["identity", "problems", "quantities"]);
    assert_eq!(json["quantities"]["voltage_l1"], serde_json::json!({"value": 230.4, "unit": "V"}));
    assert!(text.contains("\"value\": 230.4,"), "exact, not 230.39999\n{text}");
    assert_eq!(json["quantities"]["export"]["value"], serde_json::Value::Null, "absent is not zero");
    assert_eq!(json["identity"]["profile"], "eastron-sdm630");
    assert!(json["problems"].is_array());
    let (_, shown) = probed(&fake, Some("eastron-sdm630"), false).await;
    for said in ["voltage_l1", "230.4 V", "+ near the nominal voltage", "50.02 Hz", "+ the mains", "tested:"]
    {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_map_that_counts_from_one_is_recognised_by_its_neighbour() {
    let fake = Fake::new(|_, request| match request {
        Request::ReadInputRegisters(at, count) if *at > 0 => {
            eastron(&Request::ReadInputRegisters(at - 1, *count), 230.4)
        }
        _ => Does::Exception(2),
    });
    let (outcome, text) = probed(&fake, Some("eastron-sdm630"), false).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    assert!(
        text.contains(
            "fc 4 register 0 (0x0000, 30001) could not be read: exception 2 (illegal data address)"
        ) && text.contains("address 1 next to it gives 230.4 V"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_answers_ends_with_69_and_shows_no_number() {
    for does in [Does::Nothing, Does::HangUp, Does::Garbage, Does::Exception(11)] {
        for profile in [Some("eastron-sdm630"), None] {
            let behaviour = does.clone();
            let (outcome, text) = probed(&Fake::new(move |_, _| behaviour.clone()), profile, true).await;
            assert_eq!(outcome.unwrap_err().exit, Exit::Unreachable, "{does:?} {profile:?}");
            assert_eq!(text, "", "{does:?} {profile:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_map_the_fitting_ones_stand_side_by_side_and_zeros_are_no_meter() {
    let fake = Fake::new(|_, request| eastron(request, 230.4));
    let (outcome, text) = probed(&fake, None, false).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    assert!(text.contains("read as eastron-") && text.contains("voltage_l2 230.4 V"), "{text}");
    let echo = Fake::new(|_, request| match request {
        Request::ReadInputRegisters(_, count) | Request::ReadHoldingRegisters(_, count) => {
            Does::Words(vec![0; usize::from(*count)])
        }
        _ => Does::Exception(1),
    });
    let (outcome, text) = probed(&echo, None, true).await;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((outcome.unwrap(), &json["quantities"]), (Exit::Done, &serde_json::json!({})));
    assert_eq!(json["problems"][0]["code"], "only_zeros");
}

#[tokio::test(start_paused = true)]
async fn a_meter_is_measured_in_under_a_minute() {
    let fake = Fake::new(|_, request| match request {
        Request::ReadInputRegisters(_, count) if *count > 80 => Does::Exception(3),
        request => eastron(request, 230.4),
    });
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way =
        Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: &fake, ear: None, tls: None };
    let mut text = String::new();
    let mut say = |line: &str| text += &format!("{line}\n");
    let mut screen = Screen::new(&mut say, Language::English, false);
    let meter = (1, Some(library.named("eastron-sdm630").unwrap()));
    let outcome = tune::tune(&clock, &library, &way, meter, 2_000, &mut screen).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    for line in ["timeout_ms = 200\n", "gap_ms = 0\n", "\nmax_regs = 80 "] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    // What it proposes is taken where it says to paste it.
    let proposed: Vec<&str> = text.lines().filter(|line| line.contains(" = ")).collect();
    let meters = concat!(env!("CARGO_MANIFEST_DIR"), "/config/meters");
    let example = include_str!("../../../../config/agent.toml")
        .replace("profiles = \"meters\"", &format!("profiles = \"{meters}\""))
        .replacen("poll_ms = 1000\n", &format!("poll_ms = 1000\n{}\n", proposed.join("\n")), 1);
    let path = std::env::temp_dir().join(format!("coldhearth-tuned-{}.toml", std::process::id()));
    std::fs::write(&path, example).unwrap();
    let config = crate::agent::config::load(&path).map_err(|flaws| format!("{flaws:#?}")).unwrap();
    std::fs::remove_file(&path).unwrap();
    let meter = &config.meters[0];
    assert_eq!((meter.timeout_ms, meter.profile.gap_ms, meter.profile.max_regs), (Some(200), 0, 80));
    let asked = fake.asked.lock().unwrap().len();
    assert!(clock.elapsed_ms() < 60_000 && asked < 80, "{} ms, {asked} reads", clock.elapsed_ms());
}

#[tokio::test(start_paused = true)]
async fn who_a_meter_is_comes_from_all_ways_and_what_is_silent_is_said() {
    use tokio_modbus::prelude::{
        ConformityLevel, DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse,
    };

    let object = |id, text: &str| DeviceIdObject { id, value: text.as_bytes().to_vec().into() };
    let fake = Fake::new(move |_, request| match request {
        // Basic identification in two answers.
        Request::ReadDeviceIdentification(_, first) => {
            let (objects, more) = match first {
                0 => (vec![object(0, "Works"), object(1, "W-1")], true),
                2 => (vec![object(2, "1.4")], false),
                _ => return Does::Exception(2),
            };
            Does::Says(Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
                read_code: ReadCode::Basic,
                conformity_level: ConformityLevel::BasicIdentificationStreamOnly,
                more_follows: more,
                next_object_id: if more { 2 } else { 0 },
                device_id_objects: objects,
            }))
        }
        Request::ReportServerId => Does::Nothing,
        request => eastron(request, 230.4),
    });
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way =
        Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: &fake, ear: None, tls: None };
    let mut text = String::new();
    let mut say = |line: &str| text += line;
    let mut screen = Screen::new(&mut say, Language::English, true);
    let outcome = identify::identify(&clock, &library, &way, 1, 500, &mut screen).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let identity = &json["identity"];
    assert_eq!(
        (&identity["route"], &identity["maker"], &identity["model"], &identity["firmware"]),
        (&"device_id".into(), &"Works".into(), &"W-1".into(), &"1.4".into())
    );
    assert!(identity["silent"].as_array().unwrap().contains(&"server_id".into()), "{json}");
    assert_eq!(identity["fingerprint"].as_str().unwrap().len(), 64);
    assert!(json["profiles"][0]["profile"].as_str().unwrap().starts_with("eastron"), "{json}");
    let codes: Vec<bool> = json["routes"].as_array().unwrap().iter().map(|r| r["answered"] == true).collect();
    assert_eq!(codes, [true, false, false, false], "{json}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_tells_who_the_meter_is_and_no_register_is_asked_for_twice() {
    let mut words = vec![0x5375, 0x6E53, 1, 66];
    for (text, count) in [("Maker", 16), ("Meter", 16), ("", 8), ("2.5", 8), ("SN-9", 16), ("", 2)] {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(2 * count, 0);
        words.extend(bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
    }
    words.extend([203, 105]);
    words.extend([0; 105]);
    words.extend([0xFFFF, 0]);
    let fake = Fake::new(move |_, request| match request {
        Request::ReadHoldingRegisters(at, count) => {
            let from = at.checked_sub(40_000).map(usize::from);
            let told = from.and_then(|from| words.get(from..from + usize::from(*count)));
            told.map_or(Does::Exception(2), |told| Does::Words(told.to_vec()))
        }
        Request::ReadInputRegisters(..) => Does::Exception(2),
        _ => Does::Exception(1),
    });
    let clock = Still::new();
    let library = Library::read(&["config/meters".into()]).unwrap();
    let way =
        Way { endpoint: "tcp://10.1.4.7:502".into(), framing: "tcp", dial: &fake, ear: None, tls: None };
    let mut text = String::new();
    let mut say = |line: &str| text += line;
    let mut screen = Screen::new(&mut say, Language::English, true);
    let outcome = identify::identify(&clock, &library, &way, 1, 500, &mut screen).await;
    assert_eq!(outcome.unwrap(), Exit::Done);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let told = ["route", "maker", "model", "firmware", "serial"].map(|member| &json["identity"][member]);
    assert_eq!(told, ["sunspec", "Maker", "Meter", "2.5", "SN-9"], "{json}");
    assert_eq!(json["profiles"][0]["profile"], "sunspec-203", "{json}");
    let asked = fake.asked.lock().unwrap();
    let once: std::collections::BTreeSet<_> = asked.iter().collect();
    assert_eq!(once.len(), asked.len(), "{asked:?}");
}
