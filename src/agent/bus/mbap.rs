//! Modbus TCP, strictly: an answer counts only if transaction, unit, function and length are those of the question.
//!
//! The library's own client counts transactions from 0 in every connection, so that an answer which a gateway kept
//! across a new connection would carry the number of the first question there. These numbers go on instead.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_modbus::{
    client::Client,
    prelude::{ExceptionCode, Request, Response, Slave, SlaveContext},
};

use super::{
    Stream,
    pdu::{MAX_PDU_BYTES, MAX_QUESTION_BYTES, Question},
    untrue,
};
use crate::metering::Fault;

/// Transaction, protocol, length; the unit and what follows it count into the length.
const HEADER_BYTES: usize = 7;

/// The numbers of an endpoint's questions, which outlive its connections.
#[derive(Clone, Debug)]
pub(super) struct Transactions(Arc<AtomicU16>);

impl Transactions {
    /// Begins somewhere, best where no earlier run of the program began.
    pub(super) fn from(first: u16) -> Transactions {
        Transactions(Arc::new(AtomicU16::new(first)))
    }

    fn next(&self) -> u16 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Mbap<T> {
    stream: T,
    unit: u8,
    transactions: Transactions,
    /// What has come and was not taken yet, from the front on.
    came: [u8; HEADER_BYTES + MAX_PDU_BYTES],
    held: usize,
    /// A question was put whose answer has not been heard, so that the stream may be out of step.
    in_doubt: bool,
}

impl<T: Stream> Mbap<T> {
    pub(super) fn new(stream: T, transactions: Transactions) -> Mbap<T> {
        Mbap {
            stream,
            unit: 0,
            transactions,
            came: [0; HEADER_BYTES + MAX_PDU_BYTES],
            held: 0,
            in_doubt: false,
        }
    }

    async fn exchange(&mut self, question: &Question) -> io::Result<Result<Response, ExceptionCode>> {
        // What was there before the question is no answer to it, whatever number it carries.
        let is_early = self.held > 0;
        let transaction = self.transactions.next();
        self.put(transaction, question).await?;
        self.fill(HEADER_BYTES).await?;
        let Some(&[t1, t2, p1, p2, l1, l2, unit]) = self.came.first_chunk() else {
            return Err(untrue(Fault::Garbage));
        };
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        let body = length.checked_sub(1).filter(|body| [p1, p2] == [0, 0] && *body <= MAX_PDU_BYTES);
        let Some(end) = body.map(|body| HEADER_BYTES + body) else { return Err(untrue(Fault::Garbage)) };
        self.fill(end).await?;
        if is_early || u16::from_be_bytes([t1, t2]) != transaction || unit != self.unit {
            return Err(untrue(Fault::Mismatch));
        }
        let answer = question.shape.read(self.came.get(HEADER_BYTES..end).unwrap_or_default());
        // What came behind it answers nothing, and the next question will show it.
        self.came.copy_within(end..self.held, 0);
        self.held -= end;
        answer.map_err(untrue)
    }

    /// Waits until so many bytes are held. One look at the stream takes all that is there.
    async fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.held < wanted {
            let room = self.came.get_mut(self.held..).unwrap_or_default();
            match self.stream.read(room).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => self.held += more,
            }
        }
        Ok(())
    }

    async fn put(&mut self, transaction: u16, question: &Question) -> io::Result<()> {
        let length = u16::try_from(question.body.len() + 1).unwrap_or(u16::MAX);
        let ([t1, t2], [l1, l2]) = (transaction.to_be_bytes(), length.to_be_bytes());
        let mut frame: heapless::Vec<u8, { HEADER_BYTES + MAX_QUESTION_BYTES }> = heapless::Vec::new();
        let fits = frame.extend_from_slice(&[t1, t2, 0, 0, l1, l2, self.unit]);
        fits.and_then(|()| frame.extend_from_slice(&question.body))
            .map_err(|_| untrue(Fault::WrongLength))?;
        self.stream.write_all(&frame).await?;
        self.stream.flush().await
    }
}

impl<T> SlaveContext for Mbap<T> {
    fn set_slave(&mut self, slave: Slave) {
        self.unit = slave.0;
    }
}

#[async_trait::async_trait]
impl<T: Stream> Client for Mbap<T> {
    async fn call(&mut self, request: Request<'_>) -> tokio_modbus::Result<Response> {
        let Some(question) = Question::of(&request) else { return Err(super::not_asked().into()) };
        if self.in_doubt {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        }
        self.in_doubt = true;
        let answer = self.exchange(&question).await?;
        self.in_doubt = false;
        Ok(answer)
    }

    async fn disconnect(&mut self) -> io::Result<()> {
        self.in_doubt = true;
        self.stream.shutdown().await
    }
}
