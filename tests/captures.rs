//! Frames that other people's meters sent, decoded with the shipped profiles. A profile that is right only against its
//! own source proves nothing. Beside them the traps of register maps, and what must hold for any words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "captures/any_words.rs"]
mod any_words;
#[path = "captures/traps.rs"]
mod traps;

use coldhearth::{
    metering::{
        Block, Function, Profile, Quantity, Scan,
        decode::{Declared, probe},
        profile::{Fact, Origin, Tested},
    },
    terms::Ratio,
};
use serde_json::Value;

/// Where the header of a captured SunSpec model is put.
const MODEL_AT: Origin = Origin(40_188);

/// A shipped profile.
fn profile(id: &str) -> Profile {
    let file = format!("config/meters/{id}.toml");
    Profile::parse(&file, &std::fs::read_to_string(&file).unwrap()).unwrap()
}

/// Every shipped profile, by file name.
fn profiles() -> Vec<Profile> {
    let mut files: Vec<_> =
        std::fs::read_dir("config/meters").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| profile(path.file_stem().unwrap().to_str().unwrap())).collect()
}

/// One block of words.
fn push(scan: &mut Scan, function: Function, at: u16, words: &[u16]) {
    let block = Block { function, at, count: u16::try_from(words.len()).unwrap() };
    assert!(scan.push(block, words));
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// CRC-16 of Modbus RTU, as the specification of the serial line computes it.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

/// Unit and PDU of a frame whose checksum is right.
fn checked(hex: &str) -> (u8, Vec<u8>) {
    let frame = bytes(hex);
    let (body, sum) = frame.split_at(frame.len() - 2);
    assert_eq!(crc(body).to_le_bytes(), sum, "{hex}");
    (body[0], body[1..].to_vec())
}

fn pairs(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// The words of a frame, everything around them checked.
fn words(frame: &Value) -> Vec<u16> {
    if let Some(words) = frame["words"].as_array() {
        return words.iter().map(|word| u16::try_from(word.as_u64().unwrap()).unwrap()).collect();
    }
    let (number, fc) = (|key: &str| frame[key].as_u64().unwrap(), frame["fc"].as_u64().unwrap());
    let request = frame["request"].as_str().map(checked);
    if let Some((_, request)) = &request {
        let asked: Vec<u64> = pairs(&request[1..]).into_iter().map(u64::from).collect();
        assert_eq!((u64::from(request[0]), asked), (fc, vec![number("at"), number("count")]));
    }
    let pdu = match frame["response"].as_str() {
        Some(response) => {
            let (unit, pdu) = checked(response);
            assert!(request.is_none_or(|(asked, _)| asked == unit));
            pdu
        }
        None => bytes(frame["pdu"].as_str().unwrap()),
    };
    assert_eq!((u64::from(pdu[0]), usize::from(pdu[1])), (fc, pdu.len() - 2));
    let words = pairs(&pdu[2..]);
    assert_eq!(words.len() as u64, number("count"));
    words
}

/// The frames of a capture: what measures as a scan, and the words of SunSpec's common block.
fn frames(capture: &Value, origin: Origin) -> (Scan, Vec<u16>) {
    let (mut scan, mut common) = (Scan::default(), Vec::new());
    for frame in capture["frames"].as_array().unwrap() {
        let function = if frame["fc"] == 3 { Function::Holding } else { Function::Input };
        match frame["model"].as_u64() {
            Some(1) => common = words(frame),
            Some(_) => push(&mut scan, function, origin.0, &words(frame)),
            None => push(
                &mut scan,
                function,
                u16::try_from(frame["at"].as_u64().unwrap()).unwrap(),
                &words(frame),
            ),
        }
    }
    (scan, common)
}

fn told(profile: &Profile, scan: &Scan, common: &[u16], fact: &str) -> String {
    let spot = profile.about(Fact::from_word(fact).unwrap()).unwrap().spot;
    let count = spot.shape.words();
    let words = match spot.model {
        Some(_) => &common[usize::from(spot.at)..usize::from(spot.at + count)],
        None => scan.words(spot.function, spot.at, count).unwrap(),
    };
    spot.shape.read(words).unwrap().to_string()
}

fn near(id: &str, name: &str, value: i64, expected: &Value) {
    #[expect(clippy::cast_possible_truncation, reason = "a meter's value in thousandths")]
    let thousandths = (expected.as_f64().unwrap() * 1_000.0).round() as i64;
    // Their screens rounded to so many places.
    let places = expected.to_string().split_once('.').map_or(0, |(_, places)| places.len());
    let tolerance = 500 / 10_i64.pow(u32::try_from(places.min(3)).unwrap()) + 1;
    assert!((value - thousandths).abs() <= tolerance, "{id}: {name} {value} for {thousandths}");
}

#[test]
fn frames_of_real_meters_decode_to_what_their_owners_saw() {
    let captures: Value = serde_json::from_str(include_str!("captures/frames.json")).unwrap();
    let mut checked = 0;
    for capture in captures.as_array().unwrap() {
        let id = capture["id"].as_str().unwrap();
        let profile = profile(capture["profile"].as_str().unwrap());
        let origin = if profile.chain.is_some() { MODEL_AT } else { Origin::FIXED };
        let (scan, common) = frames(capture, origin);
        // The frames hold single rows and no ratio registers; what is compared is the meter's side.
        let direct = Declared { ct: Some(Ratio::DIRECT), pt: Some(Ratio::DIRECT) };
        let probed = probe(&profile, direct, origin, &scan);
        for (name, expected) in capture["expect"].as_object().unwrap() {
            if let Some(fact) = name.strip_prefix("about.") {
                assert_eq!(told(&profile, &scan, &common, fact), expected.as_str().unwrap(), "{id}");
            } else if name == "identify" {
                for test in &profile.identify {
                    let spot = test.spot;
                    assert!(
                        test.holds(scan.words(spot.function, spot.at, spot.shape.words()).unwrap()),
                        "{id}"
                    );
                }
            } else {
                let quantity = Quantity::from_word(name).unwrap();
                let found = probed.iter().find(|probed| probed.quantity == quantity).unwrap();
                let value = found.value.unwrap_or_else(|| panic!("{id}: {name} {:?}", found.problem));
                near(id, name, value, expected);
            }
            checked += 1;
        }
    }
    assert!(checked == 25, "{checked} values");
}

#[test]
fn every_shipped_profile_says_how_it_was_tested_and_has_what_a_verdict_needs() {
    let profiles = profiles();
    assert_eq!(profiles.len(), 47);
    for profile in &profiles {
        let id = profile.id.as_str();
        assert!(profile.tested_how.len() > 10 && profile.tested != Tested::Simulated, "{id}");
        assert!(profile.row(Quantity::Power).is_some(), "{id}");
        // Known by their files: the V1 shows no line, the ADL3000's counters are in no source.
        let needed = [Quantity::VoltageL1, Quantity::CurrentL1];
        assert!(id == "eastron-sdm72" || needed.iter().all(|q| profile.row(*q).is_some()), "{id}");
        let counts = profile.row(Quantity::Import).or(profile.row(Quantity::Energy)).is_some();
        assert!(counts || id == "acrel-adl3000", "{id}");
    }
    // Who says "capture" or "vendor_example" has a frame here.
    let captures: Value = serde_json::from_str(include_str!("captures/frames.json")).unwrap();
    for profile in profiles.iter().filter(|p| matches!(p.tested, Tested::Capture | Tested::VendorExample)) {
        let has = |capture: &Value| capture["profile"] == profile.id.as_str();
        assert!(captures.as_array().unwrap().iter().any(has), "{}", profile.id);
    }
}
