//! What was heard on a serial line before anybody here spoke: another master, another protocol, or noise.

use std::collections::BTreeSet;

/// Most bytes kept of what is heard; more changes no conclusion.
pub const MAX_HEARD_BYTES: usize = 16 * 1024;
/// Shortest and longest RTU frame, in bytes.
const RTU_BYTES: std::ops::RangeInclusive<usize> = 4..=256;
/// Start mark of a DL/T 645 frame, before and after its address.
const DLT645_START: u8 = 0x68;
/// End mark of a DL/T 645 frame.
const DLT645_END: u8 = 0x16;

/// What the bytes of a line amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// All bytes heard.
    pub bytes: usize,
    /// Modbus RTU frames whose checksum holds.
    pub frames: usize,
    /// Units those frames were for or from.
    pub units: BTreeSet<u8>,
    /// DL/T 645 frames whose checksum holds.
    pub dlt645_frames: usize,
}

impl Traffic {
    /// Reads the frames out of what was heard.
    pub fn of(heard: &[u8]) -> Traffic {
        let mut traffic = Traffic { bytes: heard.len(), ..Traffic::default() };
        let mut rest = heard;
        while !rest.is_empty() {
            let step = if let Some(length) = dlt645(rest) {
                traffic.dlt645_frames += 1;
                length
            } else if let Some((unit, length)) = rtu(rest) {
                traffic.frames += 1;
                traffic.units.insert(unit);
                length
            } else {
                1
            };
            rest = rest.get(step..).unwrap_or(&[]);
        }
        traffic
    }

    /// Nothing was heard at all.
    pub const fn is_silence(&self) -> bool {
        self.bytes == 0
    }
}

/// Unit and length of the RTU frame at the beginning of the bytes.
fn rtu(bytes: &[u8]) -> Option<(u8, usize)> {
    let &[unit, code, ..] = bytes else { return None };
    // A checksum holds by chance once in 65536 tries: only what looks like a frame is tried.
    if unit > 247 || code == 0 {
        return None;
    }
    // A frame with its own checksum behind it comes to 0.
    let mut crc = 0xFFFF;
    for (before, byte) in bytes.iter().enumerate().take(*RTU_BYTES.end()) {
        crc = crc_after(crc, *byte);
        if crc == 0 && RTU_BYTES.contains(&(before + 1)) {
            return Some((unit, before + 1));
        }
    }
    None
}

/// One byte further in the CRC of Modbus over serial line 1.02, 6.2.2, which begins at 0xFFFF.
fn crc_after(crc: u16, byte: u8) -> u16 {
    (0..8).fold(crc ^ u16::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
}

/// Length of the DL/T 645 frame at the beginning of the bytes: 68, six of address, 68, control, length, data, sum, 16.
fn dlt645(bytes: &[u8]) -> Option<usize> {
    let (first, second, length) = (bytes.first()?, bytes.get(7)?, usize::from(*bytes.get(9)?));
    if *first != DLT645_START || *second != DLT645_START {
        return None;
    }
    let summed = bytes.get(..10 + length)?;
    let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    (bytes.get(10 + length) == Some(&sum) && bytes.get(11 + length) == Some(&DLT645_END))
        .then_some(12 + length)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::agent::commission) fn framed(body: &[u8]) -> Vec<u8> {
        let crc = body.iter().fold(0xFFFF, |crc, byte| crc_after(crc, *byte));
        [body, &crc.to_le_bytes()].concat()
    }

    #[test]
    fn another_master_is_told_with_the_units_it_asks() {
        // Question and answer of the standard's example, and an exception of another unit.
        let heard = [
            framed(&[0x11, 3, 0, 0x6B, 0, 3]),
            framed(&[0x11, 3, 6, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40]),
            framed(&[4, 0x83, 2]),
        ]
        .concat();
        assert_eq!(heard.get(6..8), Some(&[0x76, 0x87][..]), "the checksum of the standard's example");
        let traffic = Traffic::of(&heard);
        assert_eq!((traffic.frames, traffic.dlt645_frames), (3, 0));
        assert_eq!(traffic.units.into_iter().collect::<Vec<_>>(), [4, 0x11]);
    }

    #[test]
    fn dlt645_is_told_apart() {
        // METERING.md's rule: import total asked of address 1, with two wake-up bytes.
        let mut frame = vec![0x68, 1, 0, 0, 0, 0, 0, 0x68, 0x11, 4, 0x33, 0x33, 0x34, 0x33];
        frame.push(frame.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        frame.push(0x16);
        let traffic = Traffic::of(&[&[0xFE, 0xFE][..], &frame].concat());
        assert_eq!((traffic.dlt645_frames, traffic.frames, traffic.bytes), (1, 0, 18));
    }

    #[test]
    fn noise_is_bytes_without_frames_and_silence_is_nothing() {
        let noise = Traffic::of(&[0, 0xFF, 0x80, 0, 0, 0xFE]);
        assert_eq!((noise.bytes, noise.frames, noise.dlt645_frames), (6, 0, 0));
        assert!(Traffic::of(&[]).is_silence() && !noise.is_silence());
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(heard in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(Traffic::of(&heard).bytes, heard.len());
        }
    }
}
