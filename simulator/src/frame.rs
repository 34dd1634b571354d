//! Frames of Modbus TCP: the MBAP header and what follows it.

use std::io;

use coldhearth::metering::{Block, DeviceIdPart, Function, Reply, scan::MAX_BLOCK_WORDS};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::exception::{ILLEGAL_FUNCTION, ILLEGAL_VALUE};

/// The kind of encapsulated question that asks a device who it is.
const MEI_DEVICE_ID: u8 = 14;
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

/// What a master may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Registers, by function 3 or 4.
    Registers(Block),
    /// Device identification: function 43, type 14.
    DeviceId {
        /// The read code: a category, or 4 for a single object.
        code: u8,
        /// The first object wanted.
        object: u8,
    },
    /// The unit's report of itself: function 17.
    ServerId,
}

/// What a unit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Registers.
    Words(Vec<u16>),
    /// Objects of a device identification.
    DeviceId(Box<DeviceIdPart>),
    /// Everything behind the byte count of a report.
    ServerId(Vec<u8>),
}

impl Said {
    /// As the program's schedule takes it.
    pub fn as_reply(&self) -> Reply<'_> {
        match self {
            Said::Words(words) => Reply::Words(words),
            Said::DeviceId(part) => Reply::DeviceId(part),
            Said::ServerId(bytes) => Reply::ServerId(bytes),
        }
    }

    /// What stands behind the function code; a device identification repeats the read code it was asked with.
    fn bytes(&self, asked: &Frame) -> Vec<u8> {
        let counted = |bytes: Vec<u8>| {
            [u8::try_from(bytes.len()).unwrap_or(u8::MAX)].into_iter().chain(bytes).collect()
        };
        match self {
            Said::Words(words) => counted(words.iter().flat_map(|word| word.to_be_bytes()).collect()),
            Said::ServerId(bytes) => counted(bytes.clone()),
            Said::DeviceId(part) => {
                let code = asked.body.get(2).copied().unwrap_or(0);
                let (more, next) = part.next.map_or((0, 0), |next| (0xFF, next));
                let count = u8::try_from(part.objects().count()).unwrap_or(u8::MAX);
                let objects = part.objects().flat_map(|(id, text)| {
                    [id, u8::try_from(text.len()).unwrap_or(u8::MAX)].into_iter().chain(text.iter().copied())
                });
                [MEI_DEVICE_ID, code, part.conformity, more, next, count].into_iter().chain(objects).collect()
            }
        }
    }
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
    pub(crate) fn question(&self) -> Result<Asked, u8> {
        let (code, rest) = self.body.split_first().ok_or(ILLEGAL_FUNCTION)?;
        let function = match code {
            3 => Function::Holding,
            4 => Function::Input,
            17 => return if rest.is_empty() { Ok(Asked::ServerId) } else { Err(ILLEGAL_VALUE) },
            43 => {
                return match rest {
                    &[MEI_DEVICE_ID, code, object] => Ok(Asked::DeviceId { code, object }),
                    [MEI_DEVICE_ID, ..] => Err(ILLEGAL_VALUE),
                    _ => Err(ILLEGAL_FUNCTION),
                };
            }
            _ => return Err(ILLEGAL_FUNCTION),
        };
        let &[a1, a2, c1, c2] = rest else { return Err(ILLEGAL_VALUE) };
        let (at, count) = (u16::from_be_bytes([a1, a2]), u16::from_be_bytes([c1, c2]));
        if (1..=MAX_BLOCK_WORDS).contains(&count) {
            Ok(Asked::Registers(Block { function, at, count }))
        } else {
            Err(ILLEGAL_VALUE)
        }
    }

    /// The answer to this frame: what was said, or an exception code.
    pub(crate) fn answer(&self, outcome: &Result<Said, u8>) -> Frame {
        let code = self.body.first().copied().unwrap_or(0);
        let body = match outcome {
            Ok(said) => [code].into_iter().chain(said.bytes(self)).collect(),
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
        assert_eq!(
            asked().question(),
            Ok(Asked::Registers(Block { function: Function::Holding, at: 107, count: 3 }))
        );
        let answer = asked().answer(&Ok(Said::Words(vec![0x022B, 0, 0x0064])));
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

    /// The example of the application protocol 1.1b3, 6.21: basic device identification, one transaction.
    #[test]
    fn device_identification_is_the_bytes_of_the_standard() {
        let asked = Frame { body: vec![0x2B, 0x0E, 1, 0], ..ASKED };
        assert_eq!(asked.question(), Ok(Asked::DeviceId { code: 1, object: 0 }));
        let mut part = DeviceIdPart::new(1, None);
        assert!(
            part.push(0, b"Company identification")
                && part.push(1, b"Product code XX")
                && part.push(2, b"V2.11")
        );
        let right = [
            &[0x2B, 0x0E, 1, 1, 0, 0, 3, 0, 0x16][..],
            b"Company identification",
            &[1, 0x0F],
            b"Product code XX",
            &[2, 5],
            b"V2.11",
        ];
        assert_eq!(asked.answer(&Ok(Said::DeviceId(part.into()))).body, right.concat());
        let mut more = DeviceIdPart::new(0x82, Some(2));
        assert!(more.push(0, b"x"));
        assert_eq!(
            asked.answer(&Ok(Said::DeviceId(more.into()))).body,
            [0x2B, 0x0E, 1, 0x82, 0xFF, 2, 1, 0, 1, b'x']
        );
    }

    #[test]
    fn a_report_has_its_length_in_front() {
        let asked = Frame { body: vec![17], ..ASKED };
        assert_eq!(asked.question(), Ok(Asked::ServerId));
        assert_eq!(asked.answer(&Ok(Said::ServerId(vec![9, 0xFF, b'M']))).body, [17, 3, 9, 0xFF, b'M']);
        let question = |body: &[u8]| Frame { body: body.to_vec(), ..ASKED }.question();
        assert_eq!(question(&[17, 0]), Err(ILLEGAL_VALUE));
        assert_eq!(question(&[43, 14, 1]), Err(ILLEGAL_VALUE));
        assert_eq!(question(&[43, 13, 1, 0]), Err(ILLEGAL_FUNCTION), "CANopen");
    }
}
