//! The register words of one poll, exactly as the meter sent them: what an auditor decodes again years later.

/// Most registers one poll of one meter may carry.
pub const MAX_SCAN_WORDS: usize = 192;
/// Most requests one poll of one meter may need.
pub const MAX_SCAN_BLOCKS: usize = 16;
/// Most registers one request may ask for (Modbus application protocol 1.1b3, 6.3).
pub const MAX_BLOCK_WORDS: u16 = 125;

/// The two ways to read registers. No other function code exists in this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Function code 3.
    Holding,
    /// Function code 4.
    Input,
}

impl Function {
    /// The function code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Function::Holding => 3,
            Function::Input => 4,
        }
    }
}

/// A contiguous run of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// How it is read.
    pub function: Function,
    /// Address of the first register, 0-based as on the wire.
    pub at: u16,
    /// How many registers.
    pub count: u16,
}

impl Block {
    /// Address after the last register.
    pub const fn end(self) -> u32 {
        self.at as u32 + self.count as u32
    }
}

/// Blocks and their words, in the order they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    blocks: heapless::Vec<Block, MAX_SCAN_BLOCKS>,
    words: heapless::Vec<u16, MAX_SCAN_WORDS>,
}

impl Scan {
    /// Adds an answered block; false if it does not fit or if the count is not the one asked for.
    #[must_use]
    pub fn push(&mut self, block: Block, words: &[u16]) -> bool {
        words.len() == usize::from(block.count)
            && self.words.len() + words.len() <= MAX_SCAN_WORDS
            && self.blocks.push(block).is_ok()
            && self.words.extend_from_slice(words).is_ok()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.words.clear();
    }

    /// The words of a run of registers; `None` unless one block holds them all.
    pub fn words(&self, function: Function, at: u16, count: u16) -> Option<&[u16]> {
        let wanted = Block { function, at, count };
        self.blocks().find_map(|(block, words)| {
            let from = usize::from(at.checked_sub(block.at)?);
            let inside = block.function == function && wanted.end() <= block.end();
            inside.then(|| words.get(from..from + usize::from(count)))?
        })
    }

    /// The position of the request that carried a run of registers; `None` unless one block holds them all.
    pub fn request_of(&self, function: Function, at: u16, count: u16) -> Option<u8> {
        let wanted = Block { function, at, count };
        let holds = |b: &Block| b.function == function && b.at <= at && wanted.end() <= b.end();
        self.blocks.iter().position(holds).and_then(|place| u8::try_from(place).ok())
    }

    /// Every block with its words.
    pub fn blocks(&self) -> impl Iterator<Item = (Block, &[u16])> {
        let mut from = 0;
        self.blocks.iter().map(move |block| {
            let words = self.words.get(from..from + usize::from(block.count)).unwrap_or(&[]);
            from += usize::from(block.count);
            (*block, words)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_gives_back_only_what_was_read() {
        let block = |at, count| Block { function: Function::Holding, at, count };
        let mut scan = Scan::default();
        assert!(scan.push(block(10, 3), &[1, 2, 3]));
        assert!(scan.push(block(100, 2), &[4, 5]));
        assert_eq!(scan.words(Function::Holding, 11, 2), Some(&[2, 3][..]));
        assert_eq!(scan.words(Function::Holding, 100, 1), Some(&[4][..]));
        assert_eq!(scan.words(Function::Holding, 12, 2), None);
        assert_eq!(scan.words(Function::Input, 11, 2), None);
        assert!(!scan.push(block(200, 2), &[4]), "a wrong count is refused");
    }
}
