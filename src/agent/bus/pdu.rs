//! What stands in a Modbus frame whatever carries it: the four questions this program asks, and their answers, each
//! with exactly one length. Nothing else can be sent; no function that writes has a form here.

use tokio_modbus::{
    bytes::Bytes,
    prelude::{
        ConformityLevel, DeviceIdObject, ExceptionCode, ReadCode, ReadDeviceIdentificationResponse, Request,
        Response,
    },
};

use crate::metering::Fault;

/// Longest body of a frame, function code included, in bytes (Modbus application protocol 1.1b3, 4.1).
pub(super) const MAX_PDU_BYTES: usize = 253;
/// Longest question, in bytes.
pub(super) const MAX_QUESTION_BYTES: usize = 5;
const HOLDING: u8 = 0x03;
const INPUT: u8 = 0x04;
const SERVER_ID: u8 = 0x11;
const DEVICE_ID: u8 = 0x2B;
/// The kind of encapsulated question that asks a device who it is.
const DEVICE_ID_MEI: u8 = 0x0E;
/// Function code, kind, read code, conformity, more follows, next object, number of objects.
const DEVICE_ID_HEAD: usize = 7;
/// Set in the function code of an exception.
pub(super) const REFUSED: u8 = 0x80;

/// What the answer to a question must look like; two questions of the same shape cannot be told apart by their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Function code.
    pub(super) function: u8,
    /// Bytes of register contents; `None` where the device chooses.
    pub(super) bytes: Option<u8>,
}

/// A question ready for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) shape: Shape,
    /// Function code and what follows.
    pub(super) body: heapless::Vec<u8, MAX_QUESTION_BYTES>,
}

impl Question {
    /// Registers, holding or input, from an address on; at most 125.
    fn registers(function: u8, at: u16, count: u16) -> Option<Question> {
        let bytes = u8::try_from(count.checked_mul(2)?).ok().filter(|bytes| (2..=250).contains(bytes))?;
        let ([at_high, at_low], [high, low]) = (at.to_be_bytes(), count.to_be_bytes());
        let body = heapless::Vec::from_slice(&[function, at_high, at_low, high, low]).ok()?;
        Some(Question { shape: Shape { function, bytes: Some(bytes) }, body })
    }

    /// The form of a request; `None` for anything that this program does not ask.
    pub(super) fn of(request: &Request<'_>) -> Option<Question> {
        let of_any_length = |body: &[u8]| {
            let shape = Shape { function: *body.first()?, bytes: None };
            Some(Question { shape, body: heapless::Vec::from_slice(body).ok()? })
        };
        if let Request::ReadHoldingRegisters(at, count) = request {
            Question::registers(HOLDING, *at, *count)
        } else if let Request::ReadInputRegisters(at, count) = request {
            Question::registers(INPUT, *at, *count)
        } else if let Request::ReadDeviceIdentification(code, object) = request {
            of_any_length(&[DEVICE_ID, DEVICE_ID_MEI, code.value(), *object])
        } else if matches!(request, Request::ReportServerId) {
            of_any_length(&[SERVER_ID])
        } else {
            None
        }
    }

    /// A question near this one, for so few registers that its answer has another length.
    pub(super) fn settling(&self, shape: Shape) -> Option<Question> {
        let at = match self.body.as_slice() {
            [HOLDING | INPUT, high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        };
        Question::registers(shape.function, at, u16::from(shape.bytes? / 2))
    }
}

impl Shape {
    /// For a few registers, so many that the answer differs from all of these.
    pub(super) fn unlike(self, others: &[Shape]) -> Option<Shape> {
        let function = if self.function == INPUT { INPUT } else { HOLDING };
        let few = (1_u8..=125).map(|count| Shape { function, bytes: Some(count * 2) });
        few.into_iter().find(|shape| *shape != self && !others.contains(shape))
    }

    /// Whether a body may answer a question of this shape: with registers of that many bytes, or with an exception.
    pub(super) fn fits(self, body: &[u8]) -> bool {
        match body {
            [function, _] if *function == self.function | REFUSED => true,
            [function, bytes, ..] if *function == self.function => {
                self.bytes.is_none_or(|wanted| wanted == *bytes)
            }
            _ => false,
        }
    }

    /// Reads the body of an answer.
    pub(super) fn read(self, body: &[u8]) -> Result<Result<Response, ExceptionCode>, Fault> {
        match body {
            [function, code] if *function == self.function | REFUSED => Ok(Err(ExceptionCode::new(*code))),
            [function, rest @ ..] if *function == self.function => self.read_rest(rest).map(Ok),
            [function, ..] if *function == self.function | REFUSED => Err(Fault::WrongLength),
            [_, ..] => Err(Fault::Mismatch),
            [] => Err(Fault::Garbage),
        }
    }

    fn read_rest(self, rest: &[u8]) -> Result<Response, Fault> {
        if self.function == DEVICE_ID {
            return device_id(rest).map(Response::ReadDeviceIdentification).ok_or(Fault::Garbage);
        }
        let (bytes, content) = rest.split_first().ok_or(Fault::WrongLength)?;
        let right = content.len() == usize::from(*bytes) && self.bytes.is_none_or(|wanted| wanted == *bytes);
        if !right {
            return Err(Fault::WrongLength);
        }
        let words = || content.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        match self.function {
            HOLDING => Ok(Response::ReadHoldingRegisters(words())),
            INPUT => Ok(Response::ReadInputRegisters(words())),
            // How many bytes name the server is the device's own affair: all are kept.
            SERVER_ID => Ok(Response::Custom(SERVER_ID, Bytes::copy_from_slice(content))),
            _ => Err(Fault::Mismatch),
        }
    }
}

/// How long a body is that begins with these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Known(usize),
    /// The bytes that tell have not come yet.
    Untold,
    /// This is no answer to any question of ours.
    None,
}

/// How long a body is that begins like this.
pub(super) fn length(body: &[u8]) -> Length {
    match body {
        [] | [HOLDING | INPUT | SERVER_ID | DEVICE_ID] => Length::Untold,
        [HOLDING | INPUT, bytes, ..] if *bytes % 2 == 0 && *bytes <= 250 => {
            Length::Known(2 + usize::from(*bytes))
        }
        [SERVER_ID, bytes, ..] if usize::from(*bytes) + 2 <= MAX_PDU_BYTES => {
            Length::Known(2 + usize::from(*bytes))
        }
        [DEVICE_ID, DEVICE_ID_MEI, ..] => device_id_length(body),
        [function, ..] if [HOLDING, INPUT, SERVER_ID, DEVICE_ID].contains(&(function ^ REFUSED)) => {
            Length::Known(2)
        }
        [_, ..] => Length::None,
    }
}

fn device_id_length(body: &[u8]) -> Length {
    let Some(objects) = body.get(DEVICE_ID_HEAD - 1) else { return Length::Untold };
    let mut end = DEVICE_ID_HEAD;
    for _ in 0..*objects {
        let Some(bytes) = body.get(end + 1) else { return Length::Untold };
        end += 2 + usize::from(*bytes);
        if end > MAX_PDU_BYTES {
            return Length::None;
        }
    }
    Length::Known(end)
}

/// What follows the function code of a device's word about itself; `None` unless the bytes are exactly that.
fn device_id(rest: &[u8]) -> Option<ReadDeviceIdentificationResponse> {
    let [DEVICE_ID_MEI, code, conformity, more, next, count, objects @ ..] = rest else { return None };
    let mut device_id_objects = Vec::with_capacity(usize::from(*count));
    let mut left = objects;
    for _ in 0..*count {
        let [id, bytes, after @ ..] = left else { return None };
        let (value, after) = after.split_at_checked(usize::from(*bytes))?;
        device_id_objects.push(DeviceIdObject { id: *id, value: Bytes::copy_from_slice(value) });
        left = after;
    }
    left.is_empty().then_some(ReadDeviceIdentificationResponse {
        read_code: ReadCode::try_from_value(*code)?,
        conformity_level: ConformityLevel::try_from_value(*conformity)?,
        more_follows: *more != 0,
        next_object_id: *next,
        device_id_objects,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holding(count: u16) -> Question {
        Question::of(&Request::ReadHoldingRegisters(0x6B, count)).unwrap()
    }

    #[test]
    fn questions_and_answers_are_the_bytes_of_the_standard() {
        assert_eq!(holding(3).body.as_slice(), [3, 0, 0x6B, 0, 3]);
        let answer = holding(3).shape.read(&[3, 6, 2, 0x2B, 0, 0, 0, 0x64]).unwrap().unwrap();
        assert_eq!(answer, Response::ReadHoldingRegisters(vec![0x022B, 0, 0x64]));
        assert_eq!(holding(3).shape.read(&[0x83, 2]).unwrap(), Err(ExceptionCode::IllegalDataAddress));
        let who = Question::of(&Request::ReadDeviceIdentification(ReadCode::Basic, 0)).unwrap();
        assert_eq!(who.body.as_slice(), [0x2B, 0x0E, 1, 0]);
        let told = [0x2B, 0x0E, 1, 1, 0xFF, 2, 1, 0, 2, b'A', b'B'];
        let Ok(Ok(Response::ReadDeviceIdentification(told))) = who.shape.read(&told) else { panic!() };
        assert!(told.more_follows && told.next_object_id == 2);
        assert_eq!(told.device_id_objects.first().unwrap().value_as_str(), Some("AB"));
        let server = Question::of(&Request::ReportServerId).unwrap();
        let told = server.shape.read(&[0x11, 3, 7, 0xFF, b'x']).unwrap().unwrap();
        assert_eq!(told, Response::Custom(0x11, Bytes::from_static(&[7, 0xFF, b'x'])));
    }

    #[test]
    fn what_this_program_does_not_ask_has_no_form() {
        for request in [
            Request::ReadHoldingRegisters(0, 0),
            Request::ReadInputRegisters(0, 126),
            Request::ReadCoils(0, 1),
            Request::WriteSingleRegister(0, 1),
            Request::Custom(6, vec![0, 0, 0, 1].into()),
        ] {
            assert_eq!(Question::of(&request), None, "{request:?}");
        }
    }

    #[test]
    fn another_length_or_function_is_never_an_answer() {
        let shape = holding(2).shape;
        for (body, fault) in [
            (&[3, 2, 0, 1][..], Fault::WrongLength),
            (&[3, 4, 0, 1], Fault::WrongLength),
            (&[3, 4, 0, 1, 0, 2, 0], Fault::WrongLength),
            (&[3], Fault::WrongLength),
            (&[4, 4, 0, 1, 0, 2], Fault::Mismatch),
            (&[0x84, 2], Fault::Mismatch),
            (&[0x83, 2, 0], Fault::WrongLength),
            (&[], Fault::Garbage),
        ] {
            assert_eq!(shape.read(body), Err(fault), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_crash_and_its_length_is_the_one_that_is_read(
            function in prop::sample::select(vec![3_u8, 4, 0x11, 0x2B, 0x83, 0xAB, 9]),
            rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let body = [vec![function], rest].concat();
            let told = length(&body);
            for shape in [holding(2).shape, Shape { function: 0x11, bytes: None }, Shape { function: 0x2B, bytes: None }] {
                if shape.read(&body).is_ok() {
                    prop_assert_eq!(told, Length::Known(body.len()));
                }
            }
        }

        #[test]
        fn a_settling_question_is_answered_in_a_shape_of_its_own(count in 1_u16..=125, other in 1_u16..=125) {
            let (asked, owed) = (holding(count), holding(other).shape);
            let settling = asked.shape.unlike(&[owed]).unwrap();
            prop_assert!(settling != asked.shape && settling != owed);
            let question = asked.settling(settling).unwrap();
            prop_assert_eq!(question.shape, settling);
            prop_assert_eq!(question.body.get(1..3), asked.body.get(1..3));
        }
    }
}
