//! The plant on a serial line: RTU frames over any stream, and the faults a line can have.
//!
//! A unit that the plant does not have is silent, as on a real line.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::{
    exception::NO_ANSWER_FROM_UNIT,
    fault::{Delivery, Faults, Wire, deliver},
    frame::Frame,
    plant::Plant,
    socket::{PlantTime, ask, send},
};

/// A question for registers: unit, function, address, count, checksum. Those of other functions are taken to be as long:
/// most are, and none is served.
const REGISTERS_BYTES: usize = 8;
/// A question for a report: unit, function, checksum.
const SERVER_ID_BYTES: usize = 4;
/// A question for an identification: unit, function, type, read code, object, checksum.
const DEVICE_ID_BYTES: usize = 7;
/// Most bytes of noise looked through before they are thrown away.
const MAX_NOISE_BYTES: usize = 256;

/// Serves the plant on one line until it ends.
///
/// # Errors
/// Why the line ended, unless it was closed.
pub async fn serve_rtu(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    plant: Arc<Mutex<Plant>>,
    time: PlantTime,
    faults: Faults,
) -> io::Result<()> {
    let (mut heard, mut bytes) = (Vec::new(), [0; 64]);
    loop {
        let read = stream.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        heard.extend(bytes.iter().take(read));
        let Some((asked, question)) = take_question(&mut heard) else { continue };
        let (outcome, fault) = ask(&plant, &time, &faults, &asked);
        let delivery = match (fault, outcome) {
            (None, Err(NO_ANSWER_FROM_UNIT)) => Delivery::default(),
            (fault, outcome) => deliver(&asked, &outcome, fault, Wire::Rtu),
        };
        if delivery.echo {
            send(&mut stream, &Delivery { bytes: question, ..Delivery::default() }).await?;
        }
        send(&mut stream, &delivery).await?;
        if delivery.then_close {
            return Ok(());
        }
    }
}

/// The first question among these bytes, and all up to its end taken away.
fn take_question(heard: &mut Vec<u8>) -> Option<(Frame, Vec<u8>)> {
    let found = (0..heard.len()).find_map(|at| {
        let length = match heard.get(at + 1)? {
            17 => SERVER_ID_BYTES,
            43 => DEVICE_ID_BYTES,
            _ => REGISTERS_BYTES,
        };
        let (content, checksum) = heard.get(at..at + length)?.split_last_chunk()?;
        (crc16(content).to_le_bytes() == *checksum).then_some((at, length))
    });
    let Some((at, length)) = found else {
        if heard.len() > MAX_NOISE_BYTES {
            heard.clear();
        }
        return None;
    };
    let question: Vec<u8> = heard.drain(..at + length).skip(at).collect();
    let [unit, body @ .., _, _] = question.as_slice() else { return None };
    let frame = Frame { transaction: 0, unit: *unit, body: body.to_vec() };
    Some((frame, question))
}

/// The frame on a line. It has no transaction; one that is not 0 shows as a wrong checksum.
pub(crate) fn rtu_bytes(frame: &Frame) -> Vec<u8> {
    let mut bytes = vec![frame.unit];
    bytes.extend(&frame.body);
    let checksum = crc16(&bytes) ^ frame.transaction;
    bytes.extend(checksum.to_le_bytes());
    bytes
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
    use crate::frame::Said;

    /// The example every description of the line quotes: unit 17, registers 107 to 109.
    const QUESTION: [u8; 8] = [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87];

    #[test]
    fn a_question_is_found_behind_noise_and_its_answer_is_the_bytes_of_the_standard() {
        let mut heard = [&[0, 0xFF][..], &QUESTION].concat();
        let (asked, question) = take_question(&mut heard).unwrap();
        assert!(heard.is_empty() && question == QUESTION);
        assert_eq!((asked.unit, asked.body.as_slice()), (17, &[3, 0, 0x6B, 0, 3][..]));
        let answer = asked.answer(&Ok(Said::Words(vec![0xAE41, 0x5652, 0x4340])));
        assert_eq!(rtu_bytes(&answer), [0x11, 3, 6, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD]);
    }

    #[test]
    fn questions_who_a_unit_is_are_found_by_their_own_lengths() {
        for content in [&[5, 17][..], &[5, 43, 14, 1, 0]] {
            let question = [content, &crc16(content).to_le_bytes()].concat();
            let mut heard = [&[9, 9][..], &question, &QUESTION].concat();
            assert_eq!(take_question(&mut heard).unwrap().0.body, content[1..]);
            assert_eq!(take_question(&mut heard).unwrap().0.unit, 17);
            assert!(heard.is_empty());
        }
    }

    #[test]
    fn noise_is_not_kept_for_ever() {
        let mut heard = vec![7; MAX_NOISE_BYTES + 1];
        assert_eq!(take_question(&mut heard), None);
        assert!(heard.is_empty());
    }
}
