//! Puts one question at a time to one endpoint and says what came of it and how long it took. Everything above it is
//! testable with a connection that is none.

use std::{io, time::Duration};

use tokio_modbus::client::Context;

use crate::{
    agent::bus::{self, CONNECT_TIMEOUT_MS, Dial, Got, Hindrance},
    host::{Clock, Exit},
    metering::{Ask, Block, Fault, Question},
};

/// One connection, one question in flight. Unlike the agent's own it connects again at once: whoever waits for it stands
/// at the meter.
pub struct Asker<'a> {
    clock: &'a dyn Clock,
    dial: &'a dyn Dial,
    link: Option<Context>,
    /// How long an answer may take, in milliseconds.
    pub deadline_ms: u32,
    /// Pause before each question, in milliseconds.
    pub gap_ms: u32,
    took_ms: u32,
    asked: usize,
    hindrance: Option<io::Error>,
}

impl<'a> Asker<'a> {
    /// Connects with the first question.
    pub fn new(clock: &'a dyn Clock, dial: &'a dyn Dial, deadline_ms: u32, gap_ms: u32) -> Asker<'a> {
        Asker { clock, dial, link: None, deadline_ms, gap_ms, took_ms: 0, asked: 0, hindrance: None }
    }

    /// Puts a question to a unit.
    ///
    /// # Errors
    /// Why there is no answer, or none that can be used.
    pub(in crate::agent) async fn ask(&mut self, unit: u8, question: Question) -> Result<Got, Fault> {
        if self.gap_ms > 0 && self.asked > 0 {
            self.clock.sleep_until(self.clock.now().uptime_ms + u64::from(self.gap_ms)).await;
        }
        self.asked += 1;
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.connect().await?,
        };
        let ask = Ask { unit, question, deadline_ms: self.deadline_ms, gap_ms: self.gap_ms };
        let began = self.clock.now().uptime_ms;
        let deadline = Duration::from_millis(u64::from(self.deadline_ms));
        let got = tokio::time::timeout(deadline, bus::question(&mut link, &ask)).await;
        let got = got.unwrap_or(Err(Fault::Timeout));
        let took = self.clock.now().uptime_ms.saturating_sub(began);
        self.took_ms = u32::try_from(took).unwrap_or(u32::MAX);
        // After anything but an exception a late answer would become the answer to the next question.
        if !got.as_ref().is_err_and(|fault| fault.ends_link()) {
            self.link = Some(link);
        }
        got
    }

    async fn connect(&mut self) -> Result<Context, Fault> {
        let limit = Duration::from_millis(CONNECT_TIMEOUT_MS);
        let dialled = tokio::time::timeout(limit, self.dial.dial()).await;
        let dialled = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        dialled.map(Context::from).map_err(|error| {
            let fault = bus::unreachable(&error);
            self.hindrance = Some(error);
            fault
        })
    }

    /// Reads registers of a unit.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn registers(&mut self, unit: u8, block: Block) -> Result<Vec<u16>, Fault> {
        match self.ask(unit, Question::Registers(block)).await? {
            Got::Words(words) => Ok(words),
            Got::DeviceId(_) | Got::ServerId(_) => Err(Fault::Mismatch),
        }
    }

    /// How long the last answer took, or the wait for it, in milliseconds.
    pub const fn took_ms(&self) -> u32 {
        self.took_ms
    }

    /// Questions put so far.
    pub const fn asked(&self) -> usize {
        self.asked
    }

    /// Why the last attempt to connect failed, and the exit code it earns.
    pub fn hindrance(&self) -> Option<(&io::Error, Exit)> {
        let error = self.hindrance.as_ref()?;
        Some((error, exit_of(error)))
    }
}

/// The exit code of an endpoint that could not be opened.
pub fn exit_of(error: &io::Error) -> Exit {
    match Hindrance::of(error) {
        Some(Hindrance::DeviceForbidden | Hindrance::CertificateRefused) => Exit::Permission,
        Some(Hindrance::DeviceTaken | Hindrance::NotSilent) => Exit::Retry,
        Some(
            Hindrance::NoDevice | Hindrance::NotServed | Hindrance::PeerNotBelieved | Hindrance::NotBuilt,
        )
        | None => Exit::Unreachable,
    }
}
