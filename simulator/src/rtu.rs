//! The plant on a serial line: RTU frames over any stream, function codes 3 and 4, and the faults a line can have.
//!
//! A unit that the plant does not have is silent, as on a real line.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::{
    exception::NO_ANSWER_FROM_UNIT,
    fault::{Delivery, Faults, deliver},
    frame::Frame,
    plant::Plant,
    socket::{PlantTime, ask, send},
};

/// A question for registers: unit, function, address, count, checksum.
const QUESTION_BYTES: usize = 8;
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
        let outcome = ask(&plant, &time, &asked);
        let delivery = match (faults.of(asked.unit), outcome) {
            (None, Err(NO_ANSWER_FROM_UNIT)) => Delivery::default(),
            (fault, outcome) => deliver(&asked, outcome, fault, rtu_bytes),
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
    let at = heard.windows(QUESTION_BYTES).position(|bytes| {
        let (content, checksum) = bytes.split_at(QUESTION_BYTES - 2);
        crc16(content).to_le_bytes() == *checksum
    });
    let Some(at) = at else {
        if heard.len() > MAX_NOISE_BYTES {
            heard.clear();
        }
        return None;
    };
    let question: Vec<u8> = heard.drain(..at + QUESTION_BYTES).skip(at).collect();
    let [unit, body @ .., _, _] = question.as_slice() else { return None };
    let frame = Frame { transaction: 0, unit: *unit, body: body.to_vec() };
    Some((frame, question))
}

/// The frame on a line. It has no transaction; one that is not 0 shows as a wrong checksum.
fn rtu_bytes(frame: &Frame) -> Vec<u8> {
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

    /// The example every description of the line quotes: unit 17, registers 107 to 109.
    const QUESTION: [u8; 8] = [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87];

    #[test]
    fn a_question_is_found_behind_noise_and_its_answer_is_the_bytes_of_the_standard() {
        let mut heard = [&[0, 0xFF][..], &QUESTION].concat();
        let (asked, question) = take_question(&mut heard).unwrap();
        assert!(heard.is_empty() && question == QUESTION);
        assert_eq!((asked.unit, asked.body.as_slice()), (17, &[3, 0, 0x6B, 0, 3][..]));
        let answer = asked.answer(&Ok(vec![0xAE41, 0x5652, 0x4340]));
        assert_eq!(rtu_bytes(&answer), [0x11, 3, 6, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD]);
    }

    #[test]
    fn noise_is_not_kept_for_ever() {
        let mut heard = vec![7; MAX_NOISE_BYTES + 1];
        assert_eq!(take_question(&mut heard), None);
        assert!(heard.is_empty());
    }
}
