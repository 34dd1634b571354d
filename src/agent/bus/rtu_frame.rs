//! RTU frames in a stream of bytes. Silence ends a frame on the wire, but adapters and networks keep no silence, so a
//! frame is known by its unit, its function, the length these imply, and its checksum.

use super::pdu::{self, Length, MAX_PDU_BYTES, MAX_QUESTION_BYTES};

/// Longest frame: unit, body, checksum, in bytes.
pub(super) const MAX_FRAME_BYTES: usize = MAX_PDU_BYTES + 3;
/// Longest frame that asks, in bytes.
pub(super) const MAX_REQUEST_BYTES: usize = MAX_QUESTION_BYTES + 3;
/// Units a line can have; 0 is everybody, from whom nobody answers.
const UNITS: std::ops::RangeInclusive<u8> = 1..=247;

/// What the bytes that have come so far hold first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sift {
    /// A whole frame between these offsets; what stands before it is noise.
    Frame(usize, usize),
    /// Our own question, as adapters of two-wire lines give it back.
    Echo(usize),
    /// Nothing yet.
    Wait,
}

/// Looks for the first frame. A frame that a unit of interest has begun is waited for, unless the line has `ended`:
/// a frame inside another one is none.
pub(super) fn sift(bytes: &[u8], question: &[u8], of_interest: impl Fn(u8) -> bool, ended: bool) -> Sift {
    for from in 0..bytes.len() {
        let rest = bytes.get(from..).unwrap_or(&[]);
        if !question.is_empty() && rest.starts_with(question) {
            return Sift::Echo(from + question.len());
        }
        if !ended && question.starts_with(rest) {
            return Sift::Wait;
        }
        let Some((unit, body)) = rest.split_first().filter(|(unit, _)| UNITS.contains(unit)) else {
            continue;
        };
        let begun = !ended && of_interest(*unit);
        match pdu::length(body) {
            Length::Known(length) => match rest.get(..length + 3) {
                Some(frame) if is_whole(frame) => return Sift::Frame(from, from + length + 3),
                None if begun => return Sift::Wait,
                Some(_) | None => {}
            },
            Length::Untold if begun => return Sift::Wait,
            Length::Untold | Length::None => {}
        }
    }
    Sift::Wait
}

/// A question with its unit and checksum.
pub(super) fn frame(unit: u8, body: &[u8]) -> heapless::Vec<u8, MAX_REQUEST_BYTES> {
    let mut frame = heapless::Vec::new();
    let whole = frame.push(unit).is_ok() && frame.extend_from_slice(body).is_ok();
    let checksum = crc16(&frame).to_le_bytes();
    if !(whole && frame.extend_from_slice(&checksum).is_ok()) {
        frame.clear();
    }
    frame
}

fn is_whole(frame: &[u8]) -> bool {
    let Some((content, checksum)) = frame.split_last_chunk::<2>() else { return false };
    crc16(content).to_le_bytes() == *checksum
}

/// CRC-16/MODBUS: polynomial 0xA001 reflected, start 0xFFFF.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(unit: u8, body: &[u8]) -> Vec<u8> {
        let content = [&[unit], body].concat();
        let checksum = crc16(&content).to_le_bytes();
        [content, checksum.to_vec()].concat()
    }

    fn all(bytes: &[u8]) -> Sift {
        sift(bytes, &[], |unit| unit == 17, false)
    }

    /// The example every description of the line quotes: unit 17, registers 107 to 109.
    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(frame(17, &[3, 0, 0x6B, 0, 3]).as_slice(), [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87]);
        assert_eq!(crc16(b"123456789"), 0x4B37);
    }

    #[test]
    fn a_frame_is_found_whole_or_waited_for() {
        let whole = answer(17, &[3, 4, 0, 1, 0, 2]);
        for end in 0..whole.len() {
            assert_eq!(all(&whole[..end]), Sift::Wait);
        }
        assert_eq!(all(&whole), Sift::Frame(0, 9));
        assert_eq!(
            all(&[&[0, 0xFF], &whole[..]].concat()),
            Sift::Frame(2, 11),
            "a line makes noise as it turns"
        );
        assert_eq!(all(&answer(17, &[0x83, 2])), Sift::Frame(0, 5));
        assert_eq!(all(&answer(9, &[3, 2, 0, 1])), Sift::Frame(0, 7), "somebody else's is a frame too");
    }

    #[test]
    fn a_frame_inside_another_is_none() {
        let inner = answer(17, &[3, 2, 0, 1]);
        let mut content = vec![3, 8];
        content.extend(&inner);
        content.push(0);
        let outer = answer(17, &content);
        for end in 0..outer.len() {
            assert_eq!(all(&outer[..end]), Sift::Wait);
        }
        assert_eq!(all(&outer), Sift::Frame(0, outer.len()));
    }

    #[test]
    fn an_echo_is_told_from_an_answer() {
        let question = frame(17, &[3, 0, 0x6B, 0, 3]);
        let both = [question.as_slice(), &answer(17, &[3, 6, 0, 1, 0, 2, 0, 3])].concat();
        assert_eq!(sift(&both, &question, |_| true, false), Sift::Echo(8));
        assert_eq!(sift(&both[..5], &question, |_| true, false), Sift::Wait);
        assert_eq!(sift(&both[8..], &question, |_| true, false), Sift::Frame(0, 11));
    }

    proptest! {
        #[test]
        fn one_wrong_bit_is_no_frame(words in prop::collection::vec(any::<u16>(), 1..20), bit in any::<prop::sample::Index>()) {
            let content: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
            let body = [&[3, u8::try_from(content.len()).unwrap()], &content[..]].concat();
            let mut bytes = answer(17, &body);
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let whole = (0, bytes.len());
            prop_assert!(sift(&bytes, &[], |_| true, true) != Sift::Frame(whole.0, whole.1));
        }

        #[test]
        fn noise_is_no_crash_and_no_frame_is_found_outside_the_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), ended: bool) {
            if let Sift::Frame(from, to) = sift(&bytes, &[1, 2, 3], |unit| unit % 2 == 0, ended) {
                prop_assert!(from < to && to <= bytes.len() && to - from <= MAX_FRAME_BYTES);
            }
        }
    }
}
