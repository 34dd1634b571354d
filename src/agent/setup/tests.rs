use std::path::PathBuf;

use super::*;
use crate::{judge::VoltagePoint, terms::MilliWatts};

const METER: &str = "janitza-19000@tcp://10.1.4.7:502/3,ct=400/5,nominal_v=35kV,voltage_point=line";

fn choices() -> Choices {
    let profiles = Path::new("config/meters").canonicalize().unwrap();
    Choices {
        gateway: "gw-03".into(),
        division: "130421".into(),
        uscc: "91350100M000100Y43".into(),
        state_dir: "/var/lib/coldhearth".into(),
        profiles: profiles.display().to_string(),
        broker: "10.0.0.5:8883".into(),
        authority: None,
        equipment: vec!["eaf-2=electric_furnace:12.5MW:2011-12-31".into()],
        meters: vec![METER.into()],
    }
}

fn file() -> PathBuf {
    std::env::temp_dir().join("coldhearth-no-such-folder/agent.toml")
}

fn refused(choices: &Choices) -> String {
    let flaws = draft(choices, &file(), Language::English).unwrap_err();
    flaws.iter().map(|flaw| format!("{flaw}\n")).collect()
}

#[test]
fn what_was_chosen_is_written_commented_in_both_languages_and_read_back_the_same() {
    for (language, word) in [(Language::English, "line to line"), (Language::Chinese, "额定线电压")] {
        let Draft { text, config, to_fill_in, .. } = draft(&choices(), &file(), language).unwrap();
        assert!(text.contains(word) && to_fill_in.is_empty(), "{to_fill_in:?}\n{text}");
        assert_eq!(config.gateway.id.to_string(), "gw-03");
        assert_eq!((config.broker.host.as_str(), config.broker.port), ("10.0.0.5", 8_883));
        let meter = &config.meters[0];
        assert_eq!(
            (meter.id.as_str(), meter.unit, meter.profile.id.as_str()),
            ("eaf-2-feeder", 3, "janitza-19000")
        );
        assert_eq!(meter.commissioned.voltage_point, VoltagePoint::Line);
        assert_eq!(meter.commissioned.nominal.0, 35_000_000);
        assert_eq!(config.equipment[0].rated, MilliWatts::from_watts(12_500_000));
        assert_eq!(config.buses[0].endpoint.to_string(), "tcp://10.1.4.7:502");
    }
}

#[test]
fn what_nobody_told_is_a_placeholder_that_says_so() {
    let mut choices = choices();
    choices.meters = vec!["acrel-adl400@rtu:///dev/ttyS1?baud=9600&parity=E/7".into()];
    let Draft { text, config, to_fill_in, .. } = draft(&choices, &file(), Language::English).unwrap();
    let keys = ["nominal_v", "ct", "pt", "voltage_point"];
    assert_eq!(to_fill_in.len(), keys.len(), "{to_fill_in:?}");
    for key in keys {
        assert!(to_fill_in.iter().any(|line| line.contains(&format!(": {key} = "))), "{key}: {to_fill_in:?}");
        let told = config.warnings.iter().map(ToString::to_string).any(|line| {
            line.contains(&format!("`{key}` is a placeholder"))
                && line.contains(&format!("take `{key}` out of `to_fill_in`"))
        });
        assert!(told, "{key}: {:?}", config.warnings);
    }
    assert!(text.contains("to_fill_in = [\"nominal_v\", \"ct\", \"pt\", \"voltage_point\"]"), "{text}");
    assert_eq!(config.meters[0].unit, 7);
    assert!(text.contains("rtu:///dev/ttyS1?baud=9600&parity=E"), "{text}");
    choices.meters = vec!["finder-7e78@tcp://10.1.4.7:502/3,rated_a=100,nominal_v=400".into()];
    let Draft { text, .. } = draft(&choices, &file(), Language::English).unwrap();
    assert!(text.contains("to_fill_in = [\"voltage_point\"]"), "{text}");
    assert!(text.contains("rated_a = 100") && !text.contains("\nct = "), "{text}");
}

#[test]
fn several_meters_share_a_bus_and_each_has_a_name_of_its_own() {
    let mut choices = choices();
    choices.equipment.push("lf-1=electric_furnace:6000kW".into());
    let meter = |unit: u8, more: &str| {
        format!("janitza-19000@tcp://10.1.4.7:502/{unit},ct=400/5,nominal_v=35kV,{more}")
    };
    choices.meters = vec![
        meter(1, "serves=eaf-2"),
        meter(2, "serves=lf-1"),
        meter(3, "serves=eaf-2+lf-1,id=both,role=process"),
        meter(4, "serves=eaf-2"),
    ];
    choices.meters.push("janitza-19000@tcp://10.1.4.8:502/1,ct=400/5,nominal_v=35kV,serves=lf-1".into());
    let config = draft(&choices, &file(), Language::English).unwrap().config;
    let names: Vec<&str> = config.meters.iter().map(|meter| meter.id.as_str()).collect();
    assert_eq!(names, ["eaf-2-feeder", "lf-1-feeder", "both", "m-10-1-4-7-4", "m-10-1-4-8-1"]);
    assert_eq!(config.buses.len(), 2);
    assert_eq!(config.meters[2].commissioned.serves.len(), 2);
}

#[test]
fn every_choice_that_is_wrong_is_told_with_what_is_allowed() {
    type Change = fn(&mut Choices);
    let wrong: [(Change, &str, &str); 19] = [
        (|c| c.gateway = "GW 3".into(), "--gateway: `id` is \"GW 3\"", "1 to 24 of a-z"),
        (|c| c.division = "13".into(), "--division: `division` is \"13\"", "six digits of GB/T 2260"),
        (|c| c.uscc = "123".into(), "--uscc: `uscc` is \"123\"", "18 symbols"),
        (|c| c.broker = "host:0".into(), "--broker: `port` is 0", "1 to 65535"),
        (
            |c| c.profiles = "/nonexistent".into(),
            "--profiles: /nonexistent",
            "name folders of meter profiles",
        ),
        (|c| c.authority = Some("nobody.pub".into()), "--authority: ", "name the public key files"),
        (|c| c.equipment = vec!["eaf-2=furnace:1MW".into()], "no kind `furnace`", "known: "),
        (|c| c.equipment = vec!["eaf-2=electric_furnace:big".into()], "`big` is no power", "900kW"),
        (|c| c.equipment = vec!["eaf-2=electric_furnace:12.5".into()], "`12.5` is no power", "12.5MW"),
        (|c| c.division = "999999".into(), "--division: `division` is \"999999\"", "of the county"),
        (
            |c| c.broker = "mqtt://1.2.3.4".into(),
            "--broker: `host` is \"mqtt://1.2.3.4\"",
            "without scheme and port",
        ),
        (|c| c.meters = vec!["janitza-19000@tcp://127.0.0.1:26020".into()], "names no unit", "write /UNIT"),
        (|c| c.meters[0] = METER.replace("400/5", "5/400"), "`ct` is 5/400: a secondary of 400 A", "400/5"),
        (|c| c.equipment = vec!["eaf-2".into()], "`eaf-2` names no equipment", "ID=KIND:POWER"),
        (|c| c.meters = vec!["tcp://h:502".into()], "names no meter", "PROFILE@ENDPOINT/UNIT"),
        (|c| c.meters = vec!["nobody@tcp://h:502/1".into()], "there is no profile `nobody`", "known: "),
        (|c| c.meters = vec!["janitza-19000@udp://h:502/1".into()], "\"udp://\" is no way", "tcp://"),
        (|c| c.meters[0] = METER.replace("/3,", "/300,"), "`unit` is 300", "1 to 247"),
        (
            |c| c.meters[0] = METER.replace("voltage_point", "voltage"),
            "unknown key `voltage`",
            "known here: ",
        ),
    ];
    for (change, what, right) in wrong {
        let mut choices = choices();
        change(&mut choices);
        let told = refused(&choices);
        assert!(told.contains(what) && told.contains(right), "{what} / {right}:\n{told}");
    }
    let mut choices = choices();
    choices.equipment.push("lf-1=electric_furnace:6MW".into());
    assert!(refused(&choices).contains("add ,serves=ID with one of eaf-2, lf-1"), "{}", refused(&choices));
    choices.gateway = "GW".into();
    choices.meters = vec![format!("{METER},serves=eaf-2,unit=4")];
    let told = refused(&choices);
    assert!(told.contains("`unit` is told twice") && told.contains("`id` is \"GW\""), "all at once: {told}");
}

/// What follows from a mistake is not told as another one.
#[test]
fn one_mistake_is_told_once() {
    type Change = fn(&mut Choices);
    let wrong: [(Change, &str); 9] = [
        (|c| c.gateway = "GW".into(), "--gateway: `id` is \"GW\""),
        (|c| c.equipment = vec!["eaf-2=electric_furnace:0MW".into()], "`rated_power_w` is 0"),
        (|c| c.equipment = vec!["eaf-2=electric_furnace".into()], "names no equipment"),
        (
            |c| c.equipment.push(c.equipment[0].clone()),
            "`eaf-2` stands here twice: it stands at --equipment eaf-2=",
        ),
        (|c| c.profiles = "/nonexistent".into(), "--profiles: /nonexistent"),
        (|c| c.broker = "mqtt://1.2.3.4".into(), "`host` is"),
        (|c| c.meters = vec!["janitza-19000@tcp://127.0.0.1/1".into()], "has no port"),
        (|c| c.meters = vec!["janitza-19000@tcp://127.0.0.1:26020".into()], "names no unit"),
        (|c| c.equipment = vec!["eaf-2=polyester_filament_winder:0MW".into()], "`rated_power_w` is 0"),
    ];
    for (change, what) in wrong {
        let mut choices = choices();
        change(&mut choices);
        let told = refused(&choices);
        assert!(told.contains(what) && told.lines().count() == 1, "{what}:\n{told}");
    }
    let mut choices = choices();
    choices.uscc = "91350100M000100Y44".into();
    let odd = draft(&choices, &file(), Language::English).unwrap().odd;
    assert!(odd.len() == 1 && odd[0].to_string().contains("check symbol"), "{odd:?}");
    choices.equipment = vec!["eaf-2=polyester_filament_winder:3MW:2011-12-31".into()];
    assert!(draft(&choices, &file(), Language::English).is_ok(), "the longest kind");
}
