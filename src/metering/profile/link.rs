//! `[link]`: what the meter's line needs. Hints of the maker's defaults, none of them a promise.

use super::super::scan::MAX_BLOCK_WORDS;
use crate::terms::form::{self, Form};

/// Default of `[link] timeout_ms`.
pub const DEFAULT_TIMEOUT_MS: u32 = 800;
/// Default of `[link] max_gap`, in registers.
pub const DEFAULT_MAX_GAP: u16 = 16;

/// A way to a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Modbus RTU on a serial line.
    Rtu,
    /// Modbus TCP by a port of its own.
    Tcp,
    /// Modbus TCP through another maker's or another meter's gateway.
    TcpGateway,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parity {
    /// `"N"`
    None,
    /// `"E"`
    Even,
    /// `"O"`
    Odd,
}

impl Parity {
    /// The letter of profiles and endpoints.
    pub const fn letter(self) -> &'static str {
        match self {
            Parity::None => "N",
            Parity::Even => "E",
            Parity::Odd => "O",
        }
    }
}

pub(super) struct Link {
    pub(super) modes: Vec<Mode>,
    pub(super) baud: Option<u32>,
    pub(super) parity: Option<Parity>,
    pub(super) max_regs: u16,
    pub(super) max_gap: u16,
    pub(super) gap_ms: u32,
    pub(super) timeout_ms: u32,
}

const MODES: &[(&str, Mode)] = &[("rtu", Mode::Rtu), ("tcp", Mode::Tcp), ("tcp_gateway", Mode::TcpGateway)];
const PARITIES: &[(&str, Parity)] = &[("N", Parity::None), ("E", Parity::Even), ("O", Parity::Odd)];

pub(super) fn read(form: &Form<'_>) -> Link {
    let mut link = Link {
        modes: Vec::new(),
        baud: None,
        parity: None,
        max_regs: MAX_BLOCK_WORDS,
        max_gap: DEFAULT_MAX_GAP,
        gap_ms: 0,
        timeout_ms: DEFAULT_TIMEOUT_MS,
    };
    let Some(table) = form.required_table("link") else { return link };
    link.modes = table.optional("modes", form::list(form::one_of(MODES))).unwrap_or_default();
    link.baud = table.optional("baud", form::fitting(300..=1_000_000));
    link.parity = table.optional("parity", form::one_of(PARITIES));
    let most = i64::from(MAX_BLOCK_WORDS);
    link.max_regs = table.optional("max_regs", form::fitting(1..=most)).unwrap_or(link.max_regs);
    link.max_gap = table.optional("max_gap", form::fitting(0..=most)).unwrap_or(link.max_gap);
    link.gap_ms = table.optional("gap_ms", form::fitting(0..=5_000)).unwrap_or(link.gap_ms);
    link.timeout_ms = table.optional("timeout_ms", form::fitting(20..=30_000)).unwrap_or(link.timeout_ms);
    table.close();
    link
}
