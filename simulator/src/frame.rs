//! Frames of Modbus TCP: the MBAP header and what follows it.

use std::io;

use coldhearth::metering::{Function, scan::MAX_BLOCK_WORDS};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::exception::{ILLEGAL_FUNCTION, ILLEGAL_VALUE};

/// Shortest and longest length field: unit and function code; unit and 253 bytes.
const LENGTHS: std::ops::RangeInclusive<u16> = 2..=254;

/// One frame, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) transaction: u16,
    pub(crate) unit: u8,
    /// Function code and what follows.
    pub(crate) body: Vec<u8>,
}

/// A question for registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) function: Function,
    pub(crate) at: u16,
    pub(crate) count: u16,
}

impl Frame {
    /// Reads the next frame; `None` at the end of the connection or where the bytes are no frame.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
        let mut header = [0; 7];
        if let Err(error) = stream.read_exact(&mut header).await {
            return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
        }
        let [t1, t2, p1, p2, l1, l2, unit] = header;
        let length = u16::from_be_bytes([l1, l2]);
        if [p1, p2] != [0, 0] || !LENGTHS.contains(&length) {
            return Ok(None);
        }
        let mut body = vec![0; usize::from(length - 1)];
        stream.read_exact(&mut body).await?;
        Ok(Some(Frame { transaction: u16::from_be_bytes([t1, t2]), unit, body }))
    }

    /// The frame as it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.body.len() + 1).unwrap_or(u16::MAX);
        let mut bytes = self.transaction.to_be_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(length.to_be_bytes());
        bytes.push(self.unit);
        bytes.extend(&self.body);
        bytes
    }

    /// The question in this frame, or the exception code it earns.
    pub(crate) fn question(&self) -> Result<Question, u8> {
        let (code, rest) = self.body.split_first().ok_or(ILLEGAL_FUNCTION)?;
        let function = match code {
            3 => Function::Holding,
            4 => Function::Input,
            _ => return Err(ILLEGAL_FUNCTION),
        };
        let &[a1, a2, c1, c2] = rest else { return Err(ILLEGAL_VALUE) };
        let (at, count) = (u16::from_be_bytes([a1, a2]), u16::from_be_bytes([c1, c2]));
        if (1..=MAX_BLOCK_WORDS).contains(&count) {
            Ok(Question { function, at, count })
        } else {
            Err(ILLEGAL_VALUE)
        }
    }

    /// The answer to this frame: registers, or an exception code.
    pub(crate) fn answer(&self, outcome: &Result<Vec<u16>, u8>) -> Frame {
        let code = self.body.first().copied().unwrap_or(0);
        let body = match outcome {
            Ok(words) => {
                let bytes = u8::try_from(words.len() * 2).unwrap_or(u8::MAX);
                [code, bytes].into_iter().chain(words.iter().flat_map(|word| word.to_be_bytes())).collect()
            }
            Err(exception) => vec![code | 0x80, *exception],
        };
        Frame { transaction: self.transaction, unit: self.unit, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the application protocol 1.1b3, 6.3: registers 107 to 109 hold 0x022B, 0 and 0x0064.
    const ASKED: Frame = Frame { transaction: 0x1501, unit: 9, body: Vec::new() };

    fn asked() -> Frame {
        Frame { body: vec![3, 0, 0x6B, 0, 3], ..ASKED }
    }

    #[test]
    fn a_question_and_its_answer_are_the_bytes_of_the_standard() {
        assert_eq!(asked().bytes(), [0x15, 1, 0, 0, 0, 6, 9, 3, 0, 0x6B, 0, 3]);
        assert_eq!(asked().question(), Ok(Question { function: Function::Holding, at: 107, count: 3 }));
        let answer = asked().answer(&Ok(vec![0x022B, 0, 0x0064]));
        assert_eq!(answer.bytes(), [0x15, 1, 0, 0, 0, 9, 9, 3, 6, 2, 0x2B, 0, 0, 0, 0x64]);
        assert_eq!(asked().answer(&Err(2)).bytes(), [0x15, 1, 0, 0, 0, 3, 9, 0x83, 2]);
    }

    #[tokio::test]
    async fn what_comes_in_is_read_frame_by_frame_and_no_further_than_a_lie() {
        let bytes = [asked().bytes(), asked().bytes()].concat();
        let mut stream = bytes.as_slice();
        for _ in 0..2 {
            assert_eq!(Frame::read(&mut stream).await.unwrap(), Some(asked()));
        }
        assert_eq!(Frame::read(&mut stream).await.unwrap(), None);
        for header in
            [[0, 1, 0, 0, 0, 0, 9], [0, 1, 0, 0, 0, 1, 9], [0, 1, 0, 0, 1, 0, 9], [0, 1, 0, 7, 0, 6, 9]]
        {
            let long = [header.to_vec(), vec![3; 300]].concat();
            assert_eq!(Frame::read(&mut long.as_slice()).await.unwrap(), None, "{header:?}");
        }
    }

    #[test]
    fn a_bad_question_earns_its_exception() {
        let question = |body: &[u8]| Frame { body: body.to_vec(), ..ASKED }.question();
        assert_eq!(question(&[6, 0, 1, 0, 1]), Err(ILLEGAL_FUNCTION));
        assert_eq!(question(&[3, 0, 1, 0, 0]), Err(ILLEGAL_VALUE));
        assert_eq!(question(&[4, 0, 1, 0, 126]), Err(ILLEGAL_VALUE));
        assert_eq!(question(&[3, 0, 1, 0]), Err(ILLEGAL_VALUE));
        assert!(question(&[4, 0, 1, 0, 125]).is_ok());
    }
}
