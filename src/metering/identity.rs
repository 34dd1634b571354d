//! Who a meter says it is and how it is set up: what a swapped or re-programmed meter cannot keep.

use std::fmt::{self, Write as _};

use super::profile::{Said, Shape};
use crate::terms::{Digest, Ratio};

/// Longest text kept of what a meter tells of itself, in bytes.
pub const MAX_LABEL_BYTES: usize = 64;

/// A short text out of a meter: printable ASCII as it is, any other byte as `\xHH`, without the zeros and blanks that
/// pad it. Cut at [`MAX_LABEL_BYTES`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    bytes: [u8; MAX_LABEL_BYTES],
    len: u8,
}

impl Label {
    /// A text out of its bytes; `None` where nothing is left of them.
    pub fn new(told: &[u8]) -> Option<Label> {
        let padding = |byte: &u8| matches!(byte, 0 | b' ' | 0xFF);
        let from = told.iter().position(|byte| !padding(byte))?;
        let to = told.iter().rposition(|byte| !padding(byte))?;
        let mut label = Label { bytes: [0; MAX_LABEL_BYTES], len: 0 };
        for byte in told.get(from..=to)? {
            let fits = match byte {
                b'\\' | 0..0x20 | 0x7F.. => {
                    let hex = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
                    label.push(&[b'\\', b'x', hex(byte >> 4), hex(byte & 0xF)])
                }
                _ => label.push(&[*byte]),
            };
            if !fits {
                break;
            }
        }
        Some(label)
    }

    /// Register words, four hexadecimal digits each: for words that are no text, such as wiring.
    pub fn of_words(words: &[u16]) -> Option<Label> {
        let mut label = Label { bytes: [0; MAX_LABEL_BYTES], len: 0 };
        for word in words {
            let digit = |shift: u16| match word >> shift & 0xF {
                nibble @ 0..10 => b'0' + nibble.to_le_bytes()[0],
                nibble => b'A' + nibble.to_le_bytes()[0] - 10,
            };
            if !label.push(&[digit(12), digit(8), digit(4), digit(0)]) {
                break;
            }
        }
        (label.len > 0).then_some(label)
    }

    /// A text in registers: two characters each, high byte first, or one where every high byte is zero.
    pub fn of_text(words: &[u16]) -> Option<Label> {
        let bytes: heapless::Vec<u8, { 2 * MAX_LABEL_BYTES }> =
            words.iter().flat_map(|word| word.to_be_bytes()).take(2 * MAX_LABEL_BYTES).collect();
        if words.iter().all(|word| word >> 8 == 0) {
            let single: heapless::Vec<u8, { 2 * MAX_LABEL_BYTES }> =
                bytes.iter().copied().skip(1).step_by(2).collect();
            return Label::new(&single);
        }
        Label::new(&bytes)
    }

    /// What stands in a cell of an identity, by its shape.
    pub fn of_shape(shape: Shape, words: &[u16]) -> Option<Label> {
        match shape {
            Shape::Text { .. } => Label::of_text(words),
            Shape::Hex { .. } => Label::of_words(words),
            Shape::Number { .. } => match shape.read(words)? {
                Said::Number(number) => Label::written(format_args!("{number}")),
                Said::Text(_) => None,
            },
        }
    }

    /// Settings by their words, `word=value`, parted by blanks; `None` without any.
    pub fn of_settings(settings: impl Iterator<Item = (&'static str, Label)>) -> Option<Label> {
        let mut all = heapless::String::<{ 2 * MAX_LABEL_BYTES }>::new();
        for (word, value) in settings {
            let blank = if all.is_empty() { "" } else { " " };
            if write!(all, "{blank}{word}={value}").is_err() {
                break;
            }
        }
        Label::new(all.as_bytes())
    }

    fn written(text: fmt::Arguments<'_>) -> Option<Label> {
        let mut all = heapless::String::<MAX_LABEL_BYTES>::new();
        all.write_fmt(text).ok()?;
        Label::new(all.as_bytes())
    }

    /// Reads back what [`Label::as_str`] gave; `None` unless it is 1 to [`MAX_LABEL_BYTES`] printable ASCII.
    pub fn from_text(text: &str) -> Option<Label> {
        let mut label = Label { bytes: [0; MAX_LABEL_BYTES], len: 0 };
        let printable = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (printable && label.push(text.as_bytes())).then_some(label)
    }

    fn push(&mut self, more: &[u8]) -> bool {
        let from = usize::from(self.len);
        let Some(space) = self.bytes.get_mut(from..from + more.len()) else { return false };
        space.copy_from_slice(more);
        self.len += u8::try_from(more.len()).unwrap_or(0);
        true
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|b| str::from_utf8(b).ok()).unwrap_or("")
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// A way to ask a meter who it is, in the order they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// Device identification, function 43 type 14.
    DeviceId,
    /// Report of itself, function 17.
    ServerId,
    /// Registers its profile names.
    Vendor,
    /// The common block of a SunSpec chain.
    Sunspec,
}

impl Route {
    /// Every route, in the order they are tried.
    pub const ALL: [Route; 4] = [Route::DeviceId, Route::ServerId, Route::Vendor, Route::Sunspec];

    /// The word records and outputs use.
    pub const fn word(self) -> &'static str {
        match self {
            Route::DeviceId => "device_id",
            Route::ServerId => "server_id",
            Route::Vendor => "vendor",
            Route::Sunspec => "sunspec",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routes(u8);

impl Routes {
    /// Adds one.
    pub const fn add(&mut self, route: Route) {
        self.0 |= route.bit();
    }

    /// Takes one out.
    pub const fn remove(&mut self, route: Route) {
        self.0 &= !route.bit();
    }

    /// Whether it is in.
    pub const fn has(self, route: Route) -> bool {
        self.0 & route.bit() != 0
    }

    /// Those in it, in the order they are tried.
    pub fn iter(self) -> impl Iterator<Item = Route> {
        Route::ALL.into_iter().filter(move |route| self.has(*route))
    }
}

/// Who a meter says it is. What it does not tell is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Who made it.
    pub maker: Option<Label>,
    /// What it is called.
    pub model: Option<Label>,
    /// Its serial number.
    pub serial: Option<Label>,
    /// Its firmware.
    pub firmware: Option<Label>,
    /// The current transformer's ratio set in it.
    pub ct: Option<Ratio>,
    /// The voltage transformer's ratio set in it.
    pub pt: Option<Ratio>,
    /// Its wiring and phase settings, as words.
    pub wiring: Option<Label>,
    /// The first route that answered.
    pub route: Option<Route>,
    /// The routes that were tried and gave nothing.
    pub silent: Routes,
}

impl Identity {
    /// What must stay the same while nobody touches the meter: SHA-256 over the lines
    /// `model=`, `serial=`, `firmware=`, `ct=`, `pt=`, `wiring=`, each with the text of the field and a line feed, in
    /// this order; an absent field gives a line without text. Ratios are reduced, so that 3000/5 and 600/1 are one.
    /// Maker and route are left out: they are the same for every meter of a model.
    pub fn fingerprint(&self) -> Digest {
        let mut bytes: heapless::String<MAX_FINGERPRINT_BYTES> = heapless::String::new();
        let labels = [("model", self.model), ("serial", self.serial), ("firmware", self.firmware)];
        let ratios = [("ct", self.ct), ("pt", self.pt)];
        // The bytes have room for the longest of everything, so no line is ever cut.
        let mut fits = true;
        for (name, label) in labels {
            fits &= writeln!(bytes, "{name}={}", label.as_ref().map_or("", Label::as_str)).is_ok();
        }
        for (name, ratio) in ratios {
            fits &= match ratio.map(Ratio::reduced) {
                Some(ratio) => writeln!(bytes, "{name}={ratio}").is_ok(),
                None => writeln!(bytes, "{name}=").is_ok(),
            };
        }
        fits &= writeln!(bytes, "wiring={}", self.wiring.as_ref().map_or("", Label::as_str)).is_ok();
        debug_assert!(fits, "a fingerprint was cut");
        Digest::of(bytes.as_bytes())
    }
}

/// Four labels, two ratios of two numbers of at most ten digits, and their names.
const MAX_FINGERPRINT_BYTES: usize = 4 * (MAX_LABEL_BYTES + 10) + 2 * 25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_a_person_can_read_of_the_bytes_and_no_padding() {
        let text = |bytes: &[u8]| Label::new(bytes).map(|label| label.as_str().to_owned());
        assert_eq!(text(b"UMG 96 RM\0\0\0").as_deref(), Some("UMG 96 RM"));
        assert_eq!(text(b"  17 \xff\xff").as_deref(), Some("17"));
        assert_eq!(text(&[b'a', 0xB0, b'\\']).as_deref(), Some("a\\xB0\\x5C"));
        assert_eq!(text(&[0, 0, b' ']), None);
        assert_eq!(text(&[b'x'; 300]).unwrap().len(), MAX_LABEL_BYTES);
        assert_eq!(Label::of_words(&[0x0102, 0xABCD]).unwrap().as_str(), "0102ABCD");
        assert_eq!(Label::of_words(&[]), None);
        let odd = Label::new(&[b'a', 0xB0, b'\\']).unwrap();
        assert_eq!(Label::from_text(odd.as_str()), Some(odd));
        assert_eq!(Label::from_text("温度"), None);
    }

    #[test]
    fn any_edit_changes_the_fingerprint_and_another_spelling_of_a_ratio_does_not() {
        let label = |text: &str| Label::new(text.as_bytes());
        let meter = Identity {
            model: label("UMG 96"),
            serial: label("12345"),
            firmware: label("1.4"),
            ct: Ratio::new(3_000, 5),
            pt: None,
            wiring: label("4W"),
            ..Identity::default()
        };
        let edits = [
            Identity { model: label("UMG 97"), ..meter },
            Identity { serial: label("12346"), ..meter },
            Identity { firmware: label("1.5"), ..meter },
            Identity { firmware: None, ..meter },
            Identity { ct: Ratio::new(2_000, 5), ..meter },
            Identity { pt: Some(Ratio::DIRECT), ..meter },
            Identity { wiring: label("3W"), ..meter },
        ];
        assert!(edits.iter().all(|edit| edit.fingerprint() != meter.fingerprint()));
        let same = Identity { ct: Ratio::new(600, 1), maker: label("Janitza"), ..meter };
        assert_eq!(same.fingerprint(), meter.fingerprint());
        let lines = "model=UMG 96\nserial=12345\nfirmware=1.4\nct=600/1\npt=\nwiring=4W\n";
        assert_eq!(meter.fingerprint(), Digest::of(lines.as_bytes()), "the bytes are the documented ones");
    }

    #[test]
    fn the_longest_identity_there_can_be_is_not_cut() {
        let label = Label::new(&[b'x'; MAX_LABEL_BYTES]);
        let ratio = Ratio::new(u32::MAX, u32::MAX - 1);
        let longest = Identity {
            model: label,
            serial: label,
            firmware: label,
            ct: ratio,
            pt: ratio,
            wiring: label,
            ..Identity::default()
        };
        let cut = Identity { wiring: Label::new(&[b'x'; MAX_LABEL_BYTES - 1]), ..longest };
        assert_ne!(longest.fingerprint(), cut.fingerprint());
    }
}
