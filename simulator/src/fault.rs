//! Lies about bytes: what a bad gateway, a bad cable or a bad man does to an answer that was right.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    exception::BUSY,
    frame::{Asked, Frame, Said},
    rtu::rtu_bytes,
};

/// What happens to the answers of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// No answer; the connection stays open.
    Silent,
    /// The right answer, so many milliseconds late.
    LateMs(u64),
    /// A Modbus exception code instead.
    Exception(u8),
    /// One register fewer, with a header that agrees.
    TooShort,
    /// One register more, with a header that agrees.
    TooLong,
    /// The answer names the next unit.
    ForeignUnit,
    /// The answer names the next transaction; on a serial line, which numbers nothing, its checksum is wrong.
    ForeignTransaction,
    /// Bytes that are no Modbus frame.
    Garbage,
    /// Half of the answer, then the end of the connection.
    CutMidFrame,
    /// The right answer, but for this bit of its contents, counted from the highest of their first byte. The lengths
    /// agree; on a serial line the checksum does not.
    Flipped(u16),
    /// The right answer, one byte at a time.
    ByteByByte,
    /// The end of the connection instead of an answer.
    Close,
    /// As many zeros as registers were asked for, whatever they hold.
    Zeros,
    /// The right answer behind the question, as adapters of two-wire lines give it back; on TCP nothing is given back.
    Echo,
}

impl WireFault {
    /// Names as a command line takes them, with their argument where they have one.
    pub const NAMES: &str = "silent, late:MS, busy, exception:CODE, short, long, foreign-unit, foreign-transaction, \
                             garbage, cut, flipped[:BIT], byte-by-byte, close, zeros, echo";

    /// Reads `silent`, `late:1500` or `exception:4`.
    pub fn parse(text: &str) -> Option<WireFault> {
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, arg)| (name, Some(arg)));
        match (name, argument) {
            ("late", Some(ms)) => ms.parse().ok().map(WireFault::LateMs),
            ("exception", Some(code)) => code.parse().ok().map(WireFault::Exception),
            ("flipped", bit) => bit.unwrap_or("0").parse().ok().map(WireFault::Flipped),
            (_, Some(_)) => None,
            ("silent", None) => Some(WireFault::Silent),
            ("busy", None) => Some(WireFault::Exception(BUSY)),
            ("short", None) => Some(WireFault::TooShort),
            ("long", None) => Some(WireFault::TooLong),
            ("foreign-unit", None) => Some(WireFault::ForeignUnit),
            ("foreign-transaction", None) => Some(WireFault::ForeignTransaction),
            ("garbage", None) => Some(WireFault::Garbage),
            ("cut", None) => Some(WireFault::CutMidFrame),
            ("byte-by-byte", None) => Some(WireFault::ByteByByte),
            ("close", None) => Some(WireFault::Close),
            ("zeros", None) => Some(WireFault::Zeros),
            ("echo", None) => Some(WireFault::Echo),
            (_, None) => None,
        }
    }
}

/// A fault of a unit for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Whose answers.
    pub unit: u8,
    /// What happens to them.
    pub fault: WireFault,
    /// When, in milliseconds of plant time.
    pub when: Range<u64>,
}

/// The faults of a server by unit, changed while it runs. A clone is the same set.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    set: Arc<Mutex<BTreeMap<u8, WireFault>>>,
    spells: Arc<[Spell]>,
}

impl Faults {
    /// No faults.
    pub fn new() -> Faults {
        Faults::default()
    }

    /// Faults that come and go with plant time.
    pub fn of_time(spells: impl IntoIterator<Item = Spell>) -> Faults {
        Faults { spells: spells.into_iter().collect(), ..Faults::default() }
    }

    /// Gives a unit a fault in place of the one it has.
    pub fn set(&self, unit: u8, fault: WireFault) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).insert(unit, fault);
    }

    /// Takes a unit's fault away.
    pub fn clear(&self, unit: u8) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).remove(&unit);
    }

    /// The fault of a unit at a moment of plant time: the one that was set, else the first whose time it is.
    pub fn of(&self, unit: u8, plant_ms: u64) -> Option<WireFault> {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner).get(&unit).copied();
        let in_time = |spell: &&Spell| spell.unit == unit && spell.when.contains(&plant_ms);
        set.or_else(|| self.spells.iter().find(in_time).map(|spell| spell.fault))
    }
}

/// The kind of wire an answer goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Tcp,
    Rtu,
}

impl Wire {
    fn bytes(self, frame: &Frame) -> Vec<u8> {
        match self {
            Wire::Tcp => frame.bytes(),
            Wire::Rtu => rtu_bytes(frame),
        }
    }

    /// Bytes before the function code.
    fn head(self) -> usize {
        match self {
            Wire::Tcp => 7,
            Wire::Rtu => 1,
        }
    }
}

/// What the server sends, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) wait_ms: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) one_by_one: bool,
    pub(crate) then_close: bool,
    /// The question is given back first.
    pub(crate) echo: bool,
}

/// The right answer to a question, delivered as the unit's fault has it.
pub(crate) fn deliver(
    asked: &Frame,
    outcome: &Result<Said, u8>,
    fault: Option<WireFault>,
    wire: Wire,
) -> Delivery {
    let right = asked.answer(outcome);
    let whole = |frame: &Frame| Delivery { bytes: wire.bytes(frame), ..Delivery::default() };
    match fault {
        None => whole(&right),
        Some(WireFault::Silent) => Delivery::default(),
        Some(WireFault::LateMs(wait_ms)) => Delivery { wait_ms, ..whole(&right) },
        Some(WireFault::Exception(code)) => whole(&asked.answer(&Err(code))),
        Some(WireFault::TooShort) => whole(&resized(right, false)),
        Some(WireFault::TooLong) => whole(&resized(right, true)),
        Some(WireFault::ForeignUnit) => whole(&Frame { unit: right.unit.wrapping_add(1), ..right }),
        Some(WireFault::ForeignTransaction) => {
            whole(&Frame { transaction: right.transaction.wrapping_add(1), ..right })
        }
        Some(WireFault::Garbage) => {
            Delivery { bytes: b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), ..Delivery::default() }
        }
        Some(WireFault::CutMidFrame) => {
            let mut bytes = wire.bytes(&right);
            bytes.truncate(bytes.len() / 2);
            Delivery { bytes, then_close: true, ..Delivery::default() }
        }
        Some(WireFault::Flipped(bit)) => {
            let mut bytes = wire.bytes(&right);
            flip(&mut bytes, wire.head() + 2, right.body.len().saturating_sub(2), bit);
            Delivery { bytes, ..Delivery::default() }
        }
        Some(WireFault::ByteByByte) => Delivery { one_by_one: true, ..whole(&right) },
        Some(WireFault::Close) => Delivery { then_close: true, ..Delivery::default() },
        Some(WireFault::Zeros) => whole(&asked.answer(&match asked.question() {
            Ok(Asked::Registers(block)) => Ok(Said::Words(vec![0; usize::from(block.count)])),
            Ok(Asked::DeviceId { .. } | Asked::ServerId) => outcome.clone(),
            Err(_) => Ok(Said::Words(vec![0])),
        })),
        Some(WireFault::Echo) => Delivery { echo: true, ..whole(&right) },
    }
}

/// An answer with one register fewer or more, its count of bytes agreeing. What holds no registers stays as it is.
fn resized(right: Frame, longer: bool) -> Frame {
    let Frame { mut body, .. } = right;
    if let [3 | 4, count, ..] = body.as_mut_slice() {
        *count = if longer { count.saturating_add(2) } else { count.saturating_sub(2) };
        let size = 2 + usize::from(*count);
        body.resize(size, 0);
    }
    Frame { body, ..right }
}

/// Turns over one bit of so many bytes, counted from the highest of the first; beyond the last it begins anew.
fn flip(bytes: &mut [u8], from: usize, count: usize, bit: u16) {
    let Some(place) = usize::from(bit / 8).checked_rem(count) else { return };
    if let Some(byte) = bytes.get_mut(from + place) {
        *byte ^= 0x80 >> (bit % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(fault: WireFault) -> Vec<u8> {
        let asked = Frame { transaction: 7, unit: 2, body: vec![3, 0, 0, 0, 2] };
        deliver(&asked, &Ok(Said::Words(vec![1, 2])), Some(fault), Wire::Tcp).bytes
    }

    #[test]
    fn each_fault_changes_what_its_name_says() {
        assert_eq!(bytes(WireFault::LateMs(5)), [0, 7, 0, 0, 0, 7, 2, 3, 4, 0, 1, 0, 2]);
        assert_eq!(bytes(WireFault::TooShort), [0, 7, 0, 0, 0, 5, 2, 3, 2, 0, 1]);
        assert_eq!(bytes(WireFault::TooLong), [0, 7, 0, 0, 0, 9, 2, 3, 6, 0, 1, 0, 2, 0, 0]);
        assert_eq!(bytes(WireFault::ForeignUnit).get(6), Some(&3));
        assert_eq!(bytes(WireFault::ForeignTransaction).get(1), Some(&8));
        assert_eq!(bytes(WireFault::Exception(6)), [0, 7, 0, 0, 0, 3, 2, 0x83, 6]);
        assert_eq!(bytes(WireFault::Zeros), [0, 7, 0, 0, 0, 7, 2, 3, 4, 0, 0, 0, 0]);
        assert_eq!(bytes(WireFault::CutMidFrame).len(), 6);
        assert!(bytes(WireFault::Silent).is_empty() && bytes(WireFault::Close).is_empty());
    }

    #[test]
    fn a_clone_is_the_same_set() {
        let faults = Faults::new();
        faults.clone().set(3, WireFault::Silent);
        assert_eq!(faults.of(3, 0), Some(WireFault::Silent));
        faults.clear(3);
        assert_eq!(faults.clone().of(3, 0), None);
    }

    #[test]
    fn faults_come_and_go_with_plant_time() {
        let spell = |when, fault| Spell { unit: 1, fault, when };
        let faults = Faults::of_time([spell(10..20, WireFault::Silent), spell(15..30, WireFault::Zeros)]);
        let seen = [9, 10, 19, 20, 29, 30].map(|ms| faults.of(1, ms));
        let (silent, zeros) = (Some(WireFault::Silent), Some(WireFault::Zeros));
        assert_eq!(seen, [None, silent, silent, zeros, zeros, None]);
        assert_eq!(faults.of(2, 15), None);
        faults.set(1, WireFault::Close);
        assert_eq!(faults.of(1, 15), Some(WireFault::Close));
    }

    #[test]
    fn a_flipped_bit_keeps_every_length_and_breaks_a_checksum() {
        assert_eq!(bytes(WireFault::Flipped(0)), [0, 7, 0, 0, 0, 7, 2, 3, 4, 0x80, 1, 0, 2]);
        assert_eq!(bytes(WireFault::Flipped(15)), [0, 7, 0, 0, 0, 7, 2, 3, 4, 0, 0, 0, 2]);
        assert_eq!(bytes(WireFault::Flipped(32 + 7)), [0, 7, 0, 0, 0, 7, 2, 3, 4, 1, 1, 0, 2]);
        let asked = Frame { transaction: 0, unit: 2, body: vec![3, 0, 0, 0, 2] };
        let on_line = |fault| deliver(&asked, &Ok(Said::Words(vec![1, 2])), fault, Wire::Rtu).bytes;
        let (right, flipped) = (on_line(None), on_line(Some(WireFault::Flipped(0))));
        assert_eq!(right.iter().zip(&flipped).filter(|(a, b)| a != b).count(), 1);
        assert_eq!((right[3], flipped[3]), (0, 0x80));
    }

    #[test]
    fn every_name_is_a_fault() {
        for name in WireFault::NAMES.split(", ") {
            let plain = name.trim_end_matches("[:BIT]").replace("MS", "50").replace("CODE", "4");
            assert!(WireFault::parse(&plain).is_some(), "{plain}");
        }
        assert_eq!(WireFault::parse("busy"), Some(WireFault::Exception(6)));
        assert_eq!(WireFault::parse("late:1500"), Some(WireFault::LateMs(1_500)));
        assert_eq!(WireFault::parse("flipped:9"), Some(WireFault::Flipped(9)));
        for wrong in ["", "late", "late:soon", "silent:5", "exception:256", "Silent"] {
            assert_eq!(WireFault::parse(wrong), None, "{wrong}");
        }
    }
}
