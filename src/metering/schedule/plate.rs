//! The nameplate block of an equipment, read a piece at a time.

use super::super::{
    Fault, Sample,
    scan::{Block, Function, MAX_BLOCK_WORDS},
};
use crate::terms::{AssetId, Stamp};

/// How often a nameplate is read again, in milliseconds.
pub const PLATE_PERIOD_MS: u64 = 900_000;
/// Most registers a nameplate block may have.
pub const MAX_PLATE_WORDS: usize = 1_024;

/// An equipment's nameplate block to read.
#[derive(Clone, Copy, Debug)]
pub struct PlatePoint {
    /// Whose nameplate.
    pub asset: AssetId,
    /// Modbus unit that serves it.
    pub unit: u8,
    /// First register.
    pub at: u16,
    /// Registers of the header.
    pub header_words: u16,
    /// Registers of the whole block as its header tells; `None` if the header is no nameplate's.
    pub size_of: fn(&[u16]) -> Option<u16>,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u32,
}

/// A nameplate and what has been read of it.
#[derive(Debug)]
pub(super) struct Plate {
    pub(super) point: PlatePoint,
    words: Vec<u16>,
}

impl Plate {
    pub(super) const fn of(point: PlatePoint) -> Plate {
        Plate { point, words: Vec::new() }
    }

    /// The next piece; `None` when the block cannot be one.
    pub(super) fn block(&self) -> Option<Block> {
        let read = u16::try_from(self.words.len()).ok()?;
        let left = u16::try_from(self.size()?).ok()?.checked_sub(read)?;
        let at = self.point.at.checked_add(read)?;
        (left > 0).then_some(Block { function: Function::Holding, at, count: left.min(MAX_BLOCK_WORDS) })
    }

    /// Takes a piece; the sample once it is decided.
    pub(super) fn on_answer(&mut self, at: &Stamp, answer: Result<&[u16], Fault>) -> Option<Sample> {
        let asset = self.point.asset;
        let wanted = self.block().map(|block| usize::from(block.count));
        let fault = match answer {
            Err(fault) => Some(fault),
            Ok(got) if Some(got.len()) != wanted => Some(Fault::WrongLength),
            Ok(got) => {
                self.words.extend_from_slice(got);
                self.size().is_none().then_some(Fault::NotAPlate)
            }
        };
        if let Some(fault) = fault {
            self.words.clear();
            return Some(Sample::PlateMiss { asset, at: *at, fault });
        }
        let complete = self.size().is_some_and(|size| self.words.len() >= size);
        complete.then(|| Sample::Plate { asset, at: *at, words: std::mem::take(&mut self.words) })
    }

    /// Registers of the whole block once the header is known, of the header before that.
    fn size(&self) -> Option<usize> {
        let point = &self.point;
        let Some(header) = self.words.get(..usize::from(point.header_words)) else {
            return Some(usize::from(point.header_words));
        };
        let size = usize::from((point.size_of)(header)?);
        let ends_in_time = usize::from(point.at) + size <= 0x1_0000;
        (size >= header.len() && size <= MAX_PLATE_WORDS && ends_in_time).then_some(size)
    }
}
