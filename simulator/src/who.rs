//! What a meter says of itself: in the registers its map names, by device identification (function 43, type 14), and
//! in its report of itself (function 17).

use std::{collections::BTreeMap, sync::Arc};

use coldhearth::metering::{
    Block, DeviceIdPart, Function, Profile,
    profile::{Fact, Said, Shape, Spot, Wanted, WordOrder},
};

use crate::{
    chain,
    exception::{ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, NO_ANSWER_FROM_UNIT},
    meter::SimMeter,
};

/// Serial number of the meter at unit 0; those of other units and of spare meters follow.
const FIRST_SERIAL: u32 = 26_000_000;
/// Firmware unless told otherwise.
const FIRMWARE: &str = "1.04";
/// Device identification by streams and of single objects, basic and regular objects (Modbus application protocol
/// 1.1b3, 6.21).
const CONFORMITY: u8 = 0x82;
/// The last object of the basic category, and of the regular one.
const LAST_OF: [u8; 2] = [0x02, 0x7F];
/// The run indicator of a report: on.
const RUNS: u8 = 0xFF;

/// Who a meter says it is.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    maker: String,
    model: String,
    serial: String,
    firmware: String,
    settings: BTreeMap<Fact, i64>,
    profile: Arc<Profile>,
    cells: Vec<(Spot, Tells)>,
    words: BTreeMap<(Function, u16), u16>,
    /// Whether it knows of functions 43 and 17.
    identifies: bool,
}

/// What a cell tells.
#[derive(Clone, Debug)]
enum Tells {
    /// What the map wants to see there.
    Fixed(Said),
    /// Something of the meter.
    Of(Fact),
    /// The model, if it begins so; else this beginning.
    Model(String),
}

impl Who {
    /// A meter of this family.
    pub(crate) fn of(profile: &Arc<Profile>) -> Who {
        let about = profile
            .about
            .iter()
            .map(|about| (about.spot, about.expect.clone().map_or(Tells::Of(about.fact), Tells::Fixed)));
        // What a map wants to see stands there, whatever else it says of the place.
        let tests = profile.identify.iter().map(|test| {
            let tells = match &test.wanted {
                Wanted::Equals(said) => Tells::Fixed(said.clone()),
                Wanted::OneOf(all) => Tells::Fixed(all.first().cloned().unwrap_or(Said::Number(0))),
                Wanted::Prefix(prefix) => Tells::Model(prefix.clone()),
            };
            (test.spot, tells)
        });
        // Places in a SunSpec chain are those of the common model.
        let cells = about.chain(tests).filter(|(spot, _)| spot.model.is_none()).collect();
        let mut who = Who {
            maker: plain(&profile.vendor),
            model: plain(profile.models.first().map_or(profile.id.as_str(), String::as_str)),
            serial: String::new(),
            firmware: FIRMWARE.to_owned(),
            settings: BTreeMap::new(),
            profile: profile.clone(),
            cells,
            words: BTreeMap::new(),
            identifies: true,
        };
        who.write();
        who
    }

    /// Gives it the serial number of its place, unless it has one.
    pub(crate) fn place(&mut self, number: u32) {
        if self.serial.is_empty() {
            self.set_serial(&FIRST_SERIAL.saturating_add(number).to_string());
        }
    }

    pub(crate) fn set_serial(&mut self, serial: &str) {
        self.serial = plain(serial);
        self.write();
    }

    pub(crate) fn set_firmware(&mut self, firmware: &str) {
        self.firmware = plain(firmware);
        self.write();
    }

    pub(crate) fn set(&mut self, setting: Fact, number: i64) {
        self.settings.insert(setting, number);
        self.write();
    }

    /// The runs of registers in which it says something of itself.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (Function, u16, u16)> {
        let cells = self.cells.iter().map(|(spot, _)| (spot.function, spot.at, spot.shape.words()));
        cells.chain(chain::run(&self.profile))
    }

    /// Puts the words it says of itself in a run of registers.
    pub(crate) fn put(&self, run: Block, put: &mut impl FnMut(Function, u32, u16)) {
        let first = (run.function, run.at);
        for ((function, at), word) in self.words.range(first..) {
            if *function != run.function || u32::from(*at) >= run.end() {
                break;
            }
            put(*function, u32::from(*at), *word);
        }
    }

    /// Answers to device identification with a read code from an object on.
    pub(crate) fn device_id(&self, code: u8, object: u8) -> Result<DeviceIdPart, u8> {
        let all =
            [(0, &self.maker), (1, &self.model), (2, &self.firmware), (4, &self.model), (5, &self.model)];
        if code == 4 {
            let (id, text) = all.into_iter().find(|(id, _)| *id == object).ok_or(ILLEGAL_ADDRESS)?;
            let mut part = DeviceIdPart::new(CONFORMITY, None);
            return part.push(id, text.as_bytes()).then_some(part).ok_or(ILLEGAL_VALUE);
        }
        // Whoever asks for more than there is gets what there is.
        let last = match code {
            1 => LAST_OF[0],
            2 | 3 => LAST_OF[1],
            _ => return Err(ILLEGAL_VALUE),
        };
        let known = all.iter().any(|(id, _)| *id == object && *id <= last);
        // From an object it does not have, it begins at the first (6.21).
        let from = if known { object } else { 0 };
        let wanted = all.into_iter().filter(|(id, _)| (from..=last).contains(id));
        let mut fits = DeviceIdPart::new(CONFORMITY, None);
        for (id, text) in wanted {
            if !fits.push(id, text.as_bytes()) {
                let mut part = DeviceIdPart::new(CONFORMITY, Some(id));
                return fits
                    .objects()
                    .all(|(id, text)| part.push(id, text))
                    .then_some(part)
                    .ok_or(ILLEGAL_VALUE);
            }
        }
        Ok(fits)
    }

    /// Its report of itself: its number, that it runs, its model and serial number.
    pub(crate) fn server_id(&self, unit: u8) -> Vec<u8> {
        let told = format!("{} {}", self.model, self.serial);
        [unit, RUNS].into_iter().chain(told.bytes().take(200)).collect()
    }

    fn write(&mut self) {
        let cells = self.cells.iter().flat_map(|(spot, tells)| {
            let words = words_of(spot.shape, &self.said(tells, spot.shape));
            (spot.at..).zip(words).map(|(at, word)| ((spot.function, at), word))
        });
        let texts = [&self.maker, &self.model, &self.firmware, &self.serial].map(String::as_str);
        self.words = cells.chain(chain::words(&self.profile, texts)).collect();
    }

    fn said(&self, tells: &Tells, shape: Shape) -> Said {
        let text = match tells {
            Tells::Fixed(said) => return said.clone(),
            Tells::Model(prefix) => {
                let begins =
                    self.model.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
                if begins { &self.model } else { prefix }
            }
            Tells::Of(fact) => match fact {
                Fact::Maker => &self.maker,
                Fact::Model | Fact::Name => &self.model,
                Fact::Serial => &self.serial,
                Fact::Firmware | Fact::Version | Fact::ProgramCode => &self.firmware,
                Fact::Options | Fact::PhaseConfig | Fact::Application | Fact::Network => {
                    return Said::Number(self.settings.get(fact).copied().unwrap_or(0));
                }
            },
        };
        match shape {
            Shape::Text { .. } => Said::Text(text.clone()),
            // A number of that many digits, as far as it has any.
            Shape::Number { .. } | Shape::Hex { .. } => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                Said::Number(digits.parse().unwrap_or(0))
            }
        }
    }
}

impl SimMeter {
    /// With this serial number; without one it has the number of its place.
    #[must_use]
    pub fn with_serial(mut self, serial: &str) -> SimMeter {
        self.who.set_serial(serial);
        self
    }

    /// With this firmware.
    #[must_use]
    pub fn with_firmware(mut self, firmware: &str) -> SimMeter {
        self.who.set_firmware(firmware);
        self
    }

    /// Of a family that knows nothing of functions 43 and 17.
    #[must_use]
    pub fn without_identification(mut self) -> SimMeter {
        self.who.identifies = false;
        self
    }

    /// Answers to device identification.
    pub(crate) fn device_id(&self, code: u8, object: u8) -> Result<DeviceIdPart, u8> {
        self.identifying()?.device_id(code, object)
    }

    /// Answers with its report of itself.
    pub(crate) fn server_id(&self, unit: u8) -> Result<Vec<u8>, u8> {
        Ok(self.identifying()?.server_id(unit))
    }

    fn identifying(&self) -> Result<&Who, u8> {
        if !self.is_powered() {
            return Err(NO_ANSWER_FROM_UNIT);
        }
        Some(&self.who).filter(|who| who.identifies).ok_or(ILLEGAL_FUNCTION)
    }
}

/// The registers that say this.
fn words_of(shape: Shape, said: &Said) -> Vec<u16> {
    let count = usize::from(shape.words());
    match (shape, said) {
        (Shape::Text { .. }, said) => {
            let mut bytes = said.to_string().into_bytes();
            bytes.resize(2 * count, 0);
            bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
        }
        (Shape::Hex { .. }, Said::Text(digits)) => {
            let word = |index: usize| digits.get(4 * index..4 * index + 4);
            (0..count).map(|index| u16::from_str_radix(word(index).unwrap_or("0"), 16).unwrap_or(0)).collect()
        }
        (Shape::Hex { .. }, Said::Number(number)) => words_of_number(*number, count, WordOrder::Big),
        (Shape::Number { order, .. }, said) => {
            let number = match said {
                Said::Number(number) => *number,
                Said::Text(text) => text.parse().unwrap_or(0),
            };
            words_of_number(number, count, order)
        }
    }
}

/// The lowest words of a number.
fn words_of_number(number: i64, count: usize, order: WordOrder) -> Vec<u16> {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    let words = [[a, b], [c, d], [e, f], [g, h]].map(u16::from_be_bytes);
    let mut words: Vec<u16> = std::iter::repeat_n(0, count.saturating_sub(4))
        .chain(words.into_iter().skip(4_usize.saturating_sub(count)))
        .collect();
    if order == WordOrder::Little {
        words.reverse();
    }
    words
}

/// As a meter can say it: ASCII.
fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use coldhearth::metering::profile::Kind;

    const MAP: &str = r#"
id = "family"
vendor = "Works"
models = ["PM 2200"]
values = "primary"
tested = "simulated"
tested_how = "not a real meter"
[link]
[defaults]
fc = 3
type = "f32"
[measure]
power = { at = 0 }
[[identify]]
at = 100
type = "str"
len = 8
prefix = "pm 2"
[[identify]]
at = 110
type = "u16"
in = [7, 9]
[about]
serial = { at = 120, type = "u32", order = "little" }
firmware = { at = 122, type = "u16" }
network = { at = 123, type = "u16" }
"#;

    fn who() -> Who {
        Who::of(&Arc::new(Profile::parse("family.toml", MAP).unwrap()))
    }

    fn at(who: &Who, from: u16, count: u16) -> Vec<u16> {
        (from..from + count).map(|at| who.words[&(Function::Holding, at)]).collect()
    }

    #[test]
    fn registers_say_what_the_map_wants_and_what_the_meter_is() {
        let mut who = who();
        who.place(3);
        who.place(4);
        let text = Shape::Text { words: 8 };
        assert_eq!(text.read(&at(&who, 100, 8)), Some(Said::Text("PM 2200".to_owned())));
        assert_eq!(at(&who, 110, 1), [7]);
        let serial = Shape::Number { kind: Kind::U32, order: WordOrder::Little };
        assert_eq!(serial.read(&at(&who, 120, 2)), Some(Said::Number(26_000_003)));
        assert_eq!(at(&who, 122, 2), [104, 0]);
        who.set_serial("SN 99");
        who.set_firmware("2.1.7");
        who.set(Fact::Network, 1);
        assert_eq!(serial.read(&at(&who, 120, 2)), Some(Said::Number(99)));
        assert_eq!(at(&who, 122, 2), [217, 1]);
    }

    #[test]
    fn device_identification_streams_categories_and_gives_single_objects() {
        let mut who = who();
        let ids = |part: DeviceIdPart| part.objects().map(|(id, _)| id).collect::<Vec<u8>>();
        let of = |who: &Who, code, object| who.device_id(code, object).map(ids);
        assert_eq!(of(&who, 1, 0), Ok(vec![0, 1, 2]));
        assert_eq!(of(&who, 1, 1), Ok(vec![1, 2]));
        assert_eq!(of(&who, 2, 0), Ok(vec![0, 1, 2, 4, 5]));
        assert_eq!(of(&who, 3, 4), Ok(vec![4, 5]), "as much as it has");
        assert_eq!(of(&who, 2, 3), Ok(vec![0, 1, 2, 4, 5]), "from the first where it has no such object");
        assert_eq!(of(&who, 4, 2), Ok(vec![2]));
        assert_eq!(of(&who, 4, 3), Err(ILLEGAL_ADDRESS));
        assert_eq!(of(&who, 5, 0), Err(ILLEGAL_VALUE));
        who.maker = "m".repeat(120);
        who.model = "n".repeat(120);
        let part = who.device_id(2, 0).unwrap();
        assert_eq!((part.next, ids(part)), (Some(2), vec![0, 1]), "more follows");
        assert_eq!(who.device_id(2, 1).map(|part| part.next), Ok(Some(4)));
        assert_eq!(who.device_id(2, 5).map(|part| (part.next, part.conformity)), Ok((None, 0x82)));
    }
}
