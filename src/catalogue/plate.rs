//! The nameplate of a piece of equipment as a block of holding registers, and its reading.
//!
//! Layout, all numbers big-endian, high byte of a register first:
//!
//! | words | bytes | content |
//! |---|---|---|
//! | 0-1 | 4 | magic, the letters `CHNP` |
//! | 2 | 2 | version of the layout, 1 |
//! | 3 | 2 | length of the attribute area in bytes, at most 2036 |
//! | 4 | 2 | CRC-16/MODBUS over the attribute area |
//! | 5.. | | attribute area, padded with one zero byte to a whole register |
//!
//! The attribute area is a run of attributes, each:
//!
//! | bytes | content |
//! |---|---|
//! | 1 | type: 1 whole number, 2 decimal, 3 text, 4 flag |
//! | 1 | length of the name, 1 to 40 |
//! | n | name, `[a-z0-9_]`, the attribute names of the catalogue, units in the name |
//! | 2 | length of the value in bytes |
//! | m | value: 1: 8 bytes, two's complement; 2: 8 bytes two's complement mantissa, then 1 byte of decimal places (0 to 9); 3: UTF-8 without control characters; 4: one byte, 0 or 1 |
//!
//! Attributes stand in ascending order of their names, none twice. Base address and unit are commissioning data.
//! Beside the catalogue's attributes, which decide its class, a plate names the machine itself: [`MAKER`] and [`SERIAL`].

use std::fmt;

use crate::terms::Digest;

/// The letters a nameplate begins with.
pub const MAGIC: [u8; 4] = *b"CHNP";
/// Version of the layout described above.
pub const VERSION: u16 = 1;
/// Registers of the header.
pub const HEADER_WORDS: u16 = 5;
/// Most bytes the attribute area may have.
pub const MAX_AREA_BYTES: u16 = 2_036;
/// The line that names who made the machine.
pub const MAKER: &str = "maker";
/// The line with its serial number, as stamped.
pub const SERIAL: &str = "serial_number";
/// Longest attribute name in bytes.
pub const MAX_ATTRIBUTE_NAME_BYTES: usize = 40;
/// Most decimal places of a decimal attribute.
pub const MAX_PLACES: u8 = 9;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlateValue {
    /// A whole number; its unit is the end of the attribute's name.
    Whole(i64),
    /// `mantissa / 10^places`.
    Decimal {
        /// The digits.
        mantissa: i64,
        /// Decimal places, 0 to 9.
        places: u8,
    },
    /// Text as stamped on the plate.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

/// One line of a nameplate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The catalogue's attribute name.
    pub name: String,
    /// What the plate says.
    pub value: PlateValue,
}

/// What a nameplate says, attributes in ascending order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nameplate {
    attributes: Vec<Attribute>,
}

/// Why a register block is no nameplate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlateFault {
    /// It does not begin with the magic.
    NoMagic,
    /// The layout is of a version this program does not know.
    Version(u16),
    /// The length does not fit the block.
    Length,
    /// The checksum does not fit: the block was edited carelessly or torn between two reads.
    Checksum,
    /// An attribute is malformed; the offset counts bytes of the attribute area.
    Attribute {
        /// Byte offset in the attribute area.
        offset: u16,
    },
}

impl PlateFault {
    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            PlateFault::NoMagic => "plate_no_magic",
            PlateFault::Version(_) => "plate_version",
            PlateFault::Length => "plate_length",
            PlateFault::Checksum => "plate_checksum",
            PlateFault::Attribute { .. } => "plate_attribute",
        }
    }
}

/// Registers of the whole block, from its header; `None` when the header is no nameplate's.
pub fn size_of(header: &[u16]) -> Option<u16> {
    let area = area_bytes(header).ok()?;
    Some(HEADER_WORDS + area.div_ceil(2))
}

impl Nameplate {
    /// A nameplate of these attributes; `None` if a name or value could not be written as a block.
    pub fn new(mut attributes: Vec<Attribute>) -> Option<Nameplate> {
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        let twice =
            attributes.windows(2).any(|pair| pair.first().map(|a| &a.name) == pair.get(1).map(|b| &b.name));
        let plate = Nameplate { attributes };
        (!twice
            && plate.attributes.iter().all(Attribute::is_lawful)
            && plate.area().len() <= usize::from(MAX_AREA_BYTES))
        .then_some(plate)
    }

    /// Reads a block of registers.
    ///
    /// # Errors
    /// What makes it no nameplate. A nameplate is believed whole or not at all.
    pub fn from_words(words: &[u16]) -> Result<Nameplate, PlateFault> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let length = usize::from(area_bytes(words)?);
        let rest = bytes.get(usize::from(HEADER_WORDS) * 2..).unwrap_or(&[]);
        let (area, padding) = rest.split_at_checked(length).ok_or(PlateFault::Length)?;
        if padding.len() != length % 2 || padding.iter().any(|byte| *byte != 0) {
            return Err(PlateFault::Length);
        }
        if words.get(4) != Some(&crc16(area)) {
            return Err(PlateFault::Checksum);
        }
        let mut attributes: Vec<Attribute> = Vec::new();
        let mut rest = area;
        while !rest.is_empty() {
            let offset = u16::try_from(area.len() - rest.len()).unwrap_or(u16::MAX);
            let fault = PlateFault::Attribute { offset };
            let (attribute, after) = take_attribute(rest).ok_or(fault)?;
            if attributes.last().is_some_and(|last| last.name >= attribute.name) {
                return Err(fault);
            }
            attributes.push(attribute);
            rest = after;
        }
        Ok(Nameplate { attributes })
    }

    /// The block of registers this nameplate is served as.
    pub fn to_words(&self) -> Vec<u16> {
        let mut area = self.area();
        let length = u16::try_from(area.len()).unwrap_or(u16::MAX);
        let checksum = crc16(&area);
        if area.len() % 2 == 1 {
            area.push(0);
        }
        let pair = |pair: &[u8]| pair.iter().fold(0, |word, byte| word << 8 | u16::from(*byte));
        let mut words: Vec<u16> = MAGIC.chunks(2).map(pair).collect();
        words.extend([VERSION, length, checksum]);
        words.extend(area.chunks(2).map(pair));
        words
    }

    /// What the plate says, by ascending name.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// What a line says; `None` where there is no such line.
    pub fn says(&self, attribute: &str) -> Option<&PlateValue> {
        let at = self.attributes.binary_search_by(|line| line.name.as_str().cmp(attribute)).ok()?;
        self.attributes.get(at).map(|line| &line.value)
    }

    /// SHA-256 over the attribute area: the same plate has the same fingerprint everywhere.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.area())
    }

    fn area(&self) -> Vec<u8> {
        let mut area = Vec::new();
        for attribute in &self.attributes {
            let (kind, value) = attribute.value.to_bytes();
            area.push(kind);
            area.push(u8::try_from(attribute.name.len()).unwrap_or(u8::MAX));
            area.extend_from_slice(attribute.name.as_bytes());
            area.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
            area.extend_from_slice(&value);
        }
        area
    }
}

impl Attribute {
    /// A line; `None` if it could not be written into a block.
    pub fn new(name: &str, value: PlateValue) -> Option<Attribute> {
        let attribute = Attribute { name: name.to_owned(), value };
        attribute.is_lawful().then_some(attribute)
    }

    fn is_lawful(&self) -> bool {
        let value = match &self.value {
            PlateValue::Whole(_) | PlateValue::Flag(_) => true,
            PlateValue::Decimal { places, .. } => *places <= MAX_PLACES,
            PlateValue::Text(text) => is_lawful_text(text),
        };
        value && is_lawful_name(&self.name)
    }
}

impl PlateValue {
    /// Whether both say the same, however it is written: 6300 and 6300.0 are one number.
    pub fn says_the_same(&self, other: &PlateValue) -> bool {
        match (self.number(), other.number()) {
            (Some(one), Some(two)) => one == two,
            (_, _) => self == other,
        }
    }

    /// A number in parts of 10^-9.
    fn number(&self) -> Option<i128> {
        match self {
            PlateValue::Whole(n) => Some(i128::from(*n) * 1_000_000_000),
            PlateValue::Decimal { mantissa, places } => {
                let rest = u32::from(MAX_PLACES.checked_sub(*places)?);
                Some(i128::from(*mantissa) * 10_i128.pow(rest))
            }
            PlateValue::Text(_) | PlateValue::Flag(_) => None,
        }
    }

    fn to_bytes(&self) -> (u8, Vec<u8>) {
        match self {
            PlateValue::Whole(n) => (1, n.to_be_bytes().to_vec()),
            PlateValue::Decimal { mantissa, places } => {
                (2, mantissa.to_be_bytes().into_iter().chain([*places]).collect())
            }
            PlateValue::Text(text) => (3, text.as_bytes().to_vec()),
            PlateValue::Flag(flag) => (4, vec![u8::from(*flag)]),
        }
    }

    fn from_bytes(kind: u8, bytes: &[u8]) -> Option<PlateValue> {
        match (kind, bytes) {
            (1, bytes) => Some(PlateValue::Whole(i64::from_be_bytes(bytes.try_into().ok()?))),
            (2, [mantissa @ .., places]) if *places <= MAX_PLACES => Some(PlateValue::Decimal {
                mantissa: i64::from_be_bytes(mantissa.try_into().ok()?),
                places: *places,
            }),
            (3, bytes) => {
                let text = str::from_utf8(bytes).ok()?;
                is_lawful_text(text).then(|| PlateValue::Text(text.to_owned()))
            }
            (4, [flag @ (0 | 1)]) => Some(PlateValue::Flag(*flag == 1)),
            (_, _) => None,
        }
    }
}

/// As it is stamped.
impl fmt::Display for PlateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlateValue::Whole(n) => write!(f, "{n}"),
            PlateValue::Decimal { mantissa, places: 0 } => write!(f, "{mantissa}"),
            PlateValue::Decimal { mantissa, places } => {
                let (sign, digits) = (if *mantissa < 0 { "-" } else { "" }, mantissa.unsigned_abs());
                let (unit, width) = (10_u64.pow(u32::from(*places)), usize::from(*places));
                write!(f, "{sign}{}.{:0width$}", digits / unit, digits % unit)
            }
            PlateValue::Text(text) => f.write_str(text),
            PlateValue::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// Whether a name could stand on a nameplate: 1 to 40 of `[a-z0-9_]`.
pub fn is_lawful_name(name: &str) -> bool {
    let lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.len() <= MAX_ATTRIBUTE_NAME_BYTES && name.bytes().all(lawful)
}

fn is_lawful_text(text: &str) -> bool {
    text.len() <= 255 && !text.chars().any(char::is_control)
}

fn area_bytes(words: &[u16]) -> Result<u16, PlateFault> {
    let &[first, second, version, length, _checksum, ..] = words else { return Err(PlateFault::Length) };
    if [first.to_be_bytes(), second.to_be_bytes()].concat() != MAGIC {
        return Err(PlateFault::NoMagic);
    }
    if version != VERSION {
        return Err(PlateFault::Version(version));
    }
    if length > MAX_AREA_BYTES { Err(PlateFault::Length) } else { Ok(length) }
}

fn take_attribute(bytes: &[u8]) -> Option<(Attribute, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    let (&name_length, rest) = rest.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(name_length))?;
    let name = str::from_utf8(name).ok().filter(|name| is_lawful_name(name))?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((Attribute { name: name.to_owned(), value: PlateValue::from_bytes(kind, value)? }, rest))
}

/// CRC-16/MODBUS: polynomial 0xA001 reflected, start 0xFFFF.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate() -> Nameplate {
        let attribute = |name: &str, value| Attribute { name: name.into(), value };
        Nameplate::new(vec![
            attribute("rated_capacity_t", PlateValue::Decimal { mantissa: 250, places: 1 }),
            attribute("equipment_kind", PlateValue::Text("electric_arc_furnace".into())),
            attribute("name_zh", PlateValue::Text("2号电弧炉".into())),
            attribute("built_year", PlateValue::Whole(1998)),
            attribute("stamp_charged", PlateValue::Flag(false)),
        ])
        .unwrap()
    }

    #[test]
    fn a_plate_is_the_same_written_and_read() {
        let words = plate().to_words();
        assert_eq!(words.get(..4), Some(&[0x4348, 0x4E50, 1, 131][..]));
        assert_eq!(usize::from(size_of(&words[..5]).unwrap()), words.len());
        let read = Nameplate::from_words(&words).unwrap();
        assert_eq!(read, plate());
        assert_eq!(read.fingerprint(), plate().fingerprint());
        assert_eq!(read.attributes()[0].name, "built_year");
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let decimal = |mantissa, places| PlateValue::Decimal { mantissa, places };
        assert!(PlateValue::Whole(6_300).says_the_same(&decimal(63_000, 1)));
        assert!(decimal(43, 1).says_the_same(&decimal(4_300_000_000, 9)));
        assert!(!PlateValue::Whole(6_300).says_the_same(&decimal(63_001, 1)));
        assert!(!PlateValue::Whole(1).says_the_same(&PlateValue::Flag(true)));
        assert_eq!(plate().says("built_year"), Some(&PlateValue::Whole(1998)));
        assert_eq!(plate().says("built"), None);
    }

    #[test]
    fn numbers_are_shown_as_stamped() {
        let decimal = |mantissa, places| PlateValue::Decimal { mantissa, places }.to_string();
        assert_eq!([decimal(250, 1), decimal(-5, 2), decimal(7, 0)], ["25.0", "-0.05", "7"]);
    }

    #[test]
    fn the_checksum_is_the_one_of_modbus() {
        assert_eq!(crc16(b"123456789"), 0x4B37);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let words = plate().to_words();
        for position in 0..words.len() {
            for bit in 0..16 {
                let mut broken = words.clone();
                broken[position] ^= 1 << bit;
                assert!(Nameplate::from_words(&broken).is_err(), "word {position} bit {bit}");
            }
            assert!(Nameplate::from_words(&words[..position]).is_err());
        }
    }

    #[test]
    fn malformed_attributes_are_refused_with_their_offset() {
        let attribute = |name: &str, value| Attribute { name: name.into(), value };
        let unsorted = Nameplate {
            attributes: vec![attribute("b", PlateValue::Flag(true)), attribute("a", PlateValue::Flag(true))],
        };
        assert_eq!(Nameplate::from_words(&unsorted.to_words()), Err(PlateFault::Attribute { offset: 6 }));
        let control = Nameplate { attributes: vec![attribute("a", PlateValue::Text("x\u{7}".into()))] };
        assert_eq!(Nameplate::from_words(&control.to_words()), Err(PlateFault::Attribute { offset: 0 }));
        assert_eq!(Nameplate::new(vec![attribute("A", PlateValue::Whole(1))]), None);
        assert_eq!(
            Nameplate::new(vec![attribute("a", PlateValue::Whole(1)), attribute("a", PlateValue::Whole(2))]),
            None
        );
    }
}
