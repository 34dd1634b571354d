//! Lies about bytes: what a bad gateway, a bad cable or a bad man does to an answer that was right.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::frame::Frame;

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
    /// The right answer, one byte at a time.
    ByteByByte,
    /// The end of the connection instead of an answer.
    Close,
    /// As many zeros as registers were asked for, whatever they hold.
    Zeros,
    /// The right answer behind the question, as adapters of two-wire lines give it back; on TCP nothing is given back.
    Echo,
}

/// The faults of a server by unit, changed while it runs. A clone is the same set.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<u8, WireFault>>>);

impl Faults {
    /// No faults.
    pub fn new() -> Faults {
        Faults::default()
    }

    /// Gives a unit a fault in place of the one it has.
    pub fn set(&self, unit: u8, fault: WireFault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(unit, fault);
    }

    /// Takes a unit's fault away.
    pub fn clear(&self, unit: u8) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&unit);
    }

    /// The fault of a unit.
    pub fn of(&self, unit: u8) -> Option<WireFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&unit).copied()
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

/// The right answer to a question, delivered as the unit's fault has it, in frames of one kind of wire.
pub(crate) fn deliver(
    asked: &Frame,
    outcome: Result<Vec<u16>, u8>,
    fault: Option<WireFault>,
    on_wire: fn(&Frame) -> Vec<u8>,
) -> Delivery {
    let right = asked.answer(&outcome);
    let whole = |frame: &Frame| Delivery { bytes: on_wire(frame), ..Delivery::default() };
    match fault {
        None => whole(&right),
        Some(WireFault::Silent) => Delivery::default(),
        Some(WireFault::LateMs(wait_ms)) => Delivery { wait_ms, ..whole(&right) },
        Some(WireFault::Exception(code)) => whole(&asked.answer(&Err(code))),
        Some(WireFault::TooShort) => whole(&asked.answer(&outcome.map(|mut words| {
            words.pop();
            words
        }))),
        Some(WireFault::TooLong) => whole(&asked.answer(&outcome.map(|mut words| {
            words.push(0);
            words
        }))),
        Some(WireFault::ForeignUnit) => whole(&Frame { unit: right.unit.wrapping_add(1), ..right }),
        Some(WireFault::ForeignTransaction) => {
            whole(&Frame { transaction: right.transaction.wrapping_add(1), ..right })
        }
        Some(WireFault::Garbage) => {
            Delivery { bytes: b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), ..Delivery::default() }
        }
        Some(WireFault::CutMidFrame) => {
            let mut bytes = on_wire(&right);
            bytes.truncate(bytes.len() / 2);
            Delivery { bytes, then_close: true, ..Delivery::default() }
        }
        Some(WireFault::ByteByByte) => Delivery { one_by_one: true, ..whole(&right) },
        Some(WireFault::Close) => Delivery { then_close: true, ..Delivery::default() },
        Some(WireFault::Zeros) => {
            let count = asked.question().map_or(1, |question| usize::from(question.count));
            whole(&asked.answer(&Ok(vec![0; count])))
        }
        Some(WireFault::Echo) => Delivery { echo: true, ..whole(&right) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(fault: WireFault) -> Vec<u8> {
        let asked = Frame { transaction: 7, unit: 2, body: vec![3, 0, 0, 0, 2] };
        deliver(&asked, Ok(vec![1, 2]), Some(fault), Frame::bytes).bytes
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
        assert_eq!(faults.of(3), Some(WireFault::Silent));
        faults.clear(3);
        assert_eq!(faults.clone().of(3), None);
    }
}
