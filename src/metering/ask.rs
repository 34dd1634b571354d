//! One question to one unit, and what can come back. Nothing here can name a write.

use super::{Fault, scan::Block};

/// Most bytes of objects one answer can carry: a frame's 253 without the seven before the first object (Modbus
/// application protocol 1.1b3, 6.21).
pub const MAX_OBJECT_BYTES: usize = 246;
/// Most bytes a unit's report of itself can carry: a frame's 253 without function code and count (6.13).
pub const MAX_SERVER_ID_BYTES: usize = 251;

/// What is asked. There is no other kind of question in this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Registers, by function 3 or 4.
    Registers(Block),
    /// Device identification (function 43, MEI type 14, stream access), from this object on.
    DeviceId {
        /// First object wanted; 0 to begin with. It names the category asked for: see [`read_code`].
        object: u8,
    },
    /// Report of the unit about itself (function 17).
    ServerId,
}

impl Question {
    /// The function code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Question::Registers(Block { function, .. }) => function.code(),
            Question::DeviceId { .. } => 43,
            Question::ServerId => 17,
        }
    }

    /// The registers wanted, if it is registers.
    pub const fn block(self) -> Option<Block> {
        match self {
            Question::Registers(block) => Some(block),
            Question::DeviceId { .. } | Question::ServerId => None,
        }
    }
}

/// The category of a device identification's object, as its read code on the wire: basic (1) for objects 0 to 2,
/// regular (2) up to 0x7F, extended (3) from 0x80 on (6.21).
pub const fn read_code(object: u8) -> u8 {
    match object {
        0..=2 => 1,
        3..=0x7F => 2,
        0x80.. => 3,
    }
}

/// One question to one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Modbus unit (slave) address.
    pub unit: u8,
    /// What to ask.
    pub question: Question,
    /// How long the answer may take, connecting included, in milliseconds.
    pub deadline_ms: u32,
    /// Pause to keep before asking, in milliseconds.
    pub gap_ms: u32,
}

/// What a unit said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// To [`Question::Registers`].
    Words(&'a [u16]),
    /// To [`Question::DeviceId`].
    DeviceId(&'a DeviceIdPart),
    /// To [`Question::ServerId`]: everything after the byte count, at most [`MAX_SERVER_ID_BYTES`].
    ServerId(&'a [u8]),
}

impl<'a> Reply<'a> {
    /// The words, if these were asked for.
    pub const fn words(self) -> Option<&'a [u16]> {
        match self {
            Reply::Words(words) => Some(words),
            Reply::DeviceId(_) | Reply::ServerId(_) => None,
        }
    }
}

/// What came, or why nothing did.
pub type Answer<'a> = Result<Reply<'a>, Fault>;

/// One answer of a device identification; several make the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceIdPart {
    /// How much the unit supports (0x01 to 0x03, 0x81 to 0x83).
    pub conformity: u8,
    /// The object to go on from, where more follows.
    pub next: Option<u8>,
    bytes: heapless::Vec<u8, MAX_OBJECT_BYTES>,
}

impl DeviceIdPart {
    /// An answer without objects yet.
    pub const fn new(conformity: u8, next: Option<u8>) -> DeviceIdPart {
        DeviceIdPart { conformity, next, bytes: heapless::Vec::new() }
    }

    /// Adds an object; false if no frame could carry it.
    #[must_use]
    pub fn push(&mut self, id: u8, value: &[u8]) -> bool {
        let Ok(length) = u8::try_from(value.len()) else { return false };
        self.bytes.len() + 2 + value.len() <= MAX_OBJECT_BYTES
            && self.bytes.extend_from_slice(&[id, length]).is_ok()
            && self.bytes.extend_from_slice(value).is_ok()
    }

    /// Every object with its bytes, in the order they came.
    pub fn objects(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (&[id, length], after) = rest.split_first_chunk()?;
            let (value, after) = after.split_at_checked(usize::from(length))?;
            rest = after;
            Some((id, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Function;

    #[test]
    fn objects_come_back_as_they_were_pushed_and_no_more_than_a_frame_holds() {
        let mut part = DeviceIdPart::new(0x82, Some(5));
        assert!(part.push(0, b"Janitza"));
        assert!(part.push(1, b""));
        assert!(!part.push(2, &[b'x'; 240]), "no frame carries so much");
        assert!(part.push(2, &[b'x'; 200]));
        let objects: Vec<_> = part.objects().map(|(id, value)| (id, value.len())).collect();
        assert_eq!(objects, [(0, 7), (1, 0), (2, 200)]);
    }

    #[test]
    fn only_reading_functions_can_be_asked() {
        let block = |function| Question::Registers(Block { function, at: 0, count: 1 });
        let all = [
            block(Function::Holding),
            block(Function::Input),
            Question::DeviceId { object: 0 },
            Question::ServerId,
        ];
        assert_eq!(all.map(Question::code), [3, 4, 43, 17]);
    }
}
