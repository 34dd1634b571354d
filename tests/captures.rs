//! Frames that other people's meters sent, decoded with the shipped profiles. A profile that is right only against its
//! own source proves nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use coldhearth::{
    metering::{
        Block, Function, Profile, Quantity, Scan,
        decode::{Declared, decode},
        profile::Origin,
    },
    terms::Ratio,
};
use serde_json::Value;

fn scan(frames: &Value) -> Scan {
    let mut scan = Scan::default();
    for frame in frames.as_array().unwrap() {
        let words: Vec<u16> = frame["words"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| u16::try_from(w.as_u64().unwrap()).unwrap())
            .collect();
        let function = if frame["fc"] == 3 { Function::Holding } else { Function::Input };
        let at = u16::try_from(frame["at"].as_u64().unwrap()).unwrap();
        assert!(scan.push(Block { function, at, count: u16::try_from(words.len()).unwrap() }, &words));
    }
    scan
}

#[test]
fn frames_of_real_meters_decode_to_what_their_owners_saw() {
    let frames: Value = serde_json::from_str(include_str!("captures/frames.json")).unwrap();
    let mut checked = 0;
    for capture in frames.as_array().unwrap() {
        let id = capture["profile"].as_str().unwrap();
        let text = std::fs::read_to_string(format!("config/meters/{id}.toml")).unwrap();
        let mut profile = Profile::parse(id, &text).unwrap();
        // These frames hold single rows, not the ratio registers; their owners' meters were connected directly.
        (profile.ct, profile.pt) = (None, None);
        let direct = Declared { ct: Some(Ratio::DIRECT), pt: Some(Ratio::DIRECT) };
        let decoded = decode(&profile, direct, Origin::FIXED, &scan(&capture["frames"])).unwrap();
        for (name, expected) in capture["expect"].as_object().unwrap() {
            let quantity = Quantity::from_word(name).unwrap();
            let value = decoded.values[quantity.index()]
                .unwrap_or_else(|| panic!("{}: {name} is absent", capture["id"]));
            #[expect(clippy::cast_possible_truncation, reason = "a meter's value in thousandths")]
            let thousandths = (expected.as_f64().unwrap() * 1_000.0).round() as i64;
            // Their screens rounded to so many places.
            let places = expected.to_string().split_once('.').map_or(0, |(_, places)| places.len());
            let tolerance = 500 / 10_i64.pow(u32::try_from(places.min(3)).unwrap()) + 1;
            assert!(
                (value - thousandths).abs() <= tolerance,
                "{}: {name} {value} for {thousandths}",
                capture["id"]
            );
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} values");
}

#[test]
fn every_shipped_profile_says_how_it_was_tested_and_has_what_a_verdict_needs() {
    for entry in std::fs::read_dir("config/meters").unwrap() {
        let path = entry.unwrap().path();
        let profile =
            Profile::parse(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(Some(profile.id.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
        assert!(profile.tested_how.len() > 10, "{}", path.display());
        for needed in [Quantity::Power, Quantity::VoltageL1, Quantity::CurrentL1] {
            assert!(profile.row(needed).is_some(), "{}: no {}", path.display(), needed.word());
        }
        assert!(
            profile.row(Quantity::Import).or(profile.row(Quantity::Energy)).is_some(),
            "{}",
            path.display()
        );
    }
}
