//! Which requests read all rows of a profile: rows grouped by address within the meter's own limits.

use super::{
    profile::{Cell, Profile},
    scan::{Block, Function, MAX_BLOCK_WORDS, MAX_SCAN_BLOCKS, MAX_SCAN_WORDS},
};

/// Most unused registers read along to save a request. Meters that refuse to read holes exist, so it is small.
pub const MAX_HOLE_WORDS: u32 = 16;

/// The requests of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order they are asked.
    pub blocks: heapless::Vec<Block, MAX_SCAN_BLOCKS>,
}

impl Plan {
    /// Plans a profile; `None` when one poll cannot hold all its rows.
    pub fn of(profile: &Profile) -> Option<Plan> {
        let ratios = [profile.ct, profile.pt].into_iter().flatten();
        let ratio_cells = ratios.flat_map(|r| [Some(r.value), r.over]).flatten();
        let mut cells: Vec<Cell> = profile.rows.iter().map(|row| row.cell).chain(ratio_cells).collect();
        cells.sort_by_key(|cell| (cell.function, cell.at));
        let most = u32::from(profile.max_regs.min(MAX_BLOCK_WORDS));
        let mut blocks: heapless::Vec<Block, MAX_SCAN_BLOCKS> = heapless::Vec::new();
        for cell in cells {
            let end = u32::from(cell.at) + u32::from(cell.kind.words());
            match blocks.last_mut().filter(|block| joins(block, cell.function, cell.at, end, most)) {
                Some(block) => {
                    block.count = u16::try_from(end.max(block.end()) - u32::from(block.at)).ok()?;
                }
                None => {
                    let block = Block { function: cell.function, at: cell.at, count: cell.kind.words() };
                    blocks.push(block).ok()?;
                }
            }
        }
        let words: usize = blocks.iter().map(|block| usize::from(block.count)).sum();
        (words <= MAX_SCAN_WORDS).then_some(Plan { blocks })
    }
}

fn joins(block: &Block, function: Function, at: u16, end: u32, most: u32) -> bool {
    block.function == function
        && u32::from(at) <= block.end() + MAX_HOLE_WORDS
        && end.max(block.end()) - u32::from(block.at) <= most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::profile::tests::SMALL;

    #[test]
    fn near_rows_share_a_request_and_limits_hold() {
        let profile = Profile::parse("small.toml", SMALL).unwrap();
        let plan = Plan::of(&profile).unwrap();
        let blocks: Vec<_> = plan.blocks.iter().map(|b| (b.function.code(), b.at, b.count)).collect();
        assert_eq!(blocks, [(3, 0, 12), (3, 20, 2), (3, 100, 1), (4, 22, 2)]);
    }

    #[test]
    fn every_row_of_a_plan_lies_in_one_block() {
        let text = SMALL.replace("at = 10,", "at = 2,").replace("at = 20,", "at = 7,");
        let profile = Profile::parse("small.toml", &text).unwrap();
        let plan = Plan::of(&profile).unwrap();
        for row in &profile.rows {
            let end = u32::from(row.cell.at) + u32::from(row.cell.kind.words());
            let holds = |b: &&Block| b.function == row.cell.function && b.at <= row.cell.at && end <= b.end();
            assert_eq!(plan.blocks.iter().filter(holds).count(), 1, "{row:?}");
        }
        assert!(plan.blocks.iter().all(|b| b.count <= profile.max_regs));
        assert_eq!(plan.blocks.len(), 3);
    }
}
