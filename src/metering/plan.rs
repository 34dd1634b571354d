//! Which requests read what a map has: cells grouped within the meter's own limits, and split where it refuses.

use super::{
    inquiry::is_read,
    profile::{Cell, Origin, Profile},
    quantity::Quantity,
    scan::{Block, Function, MAX_BLOCK_WORDS, MAX_SCAN_BLOCKS, MAX_SCAN_WORDS},
};

/// Most cells one map may have: every quantity, with what scales it.
pub const MAX_CELLS: usize = 64;

/// The requests of one poll, energy registers first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order they are asked.
    pub blocks: heapless::Vec<Block, MAX_SCAN_BLOCKS>,
}

impl Plan {
    /// The plan for all rows of a profile and its ratio words; `None` when one poll cannot hold them.
    pub fn of(profile: &Profile) -> Option<Plan> {
        Planner::everything(profile)?.whole()
    }

    /// Whether everything of a profile can be asked for within its limits: rows, ratios, and who the meter is.
    pub fn is_possible(profile: &Profile) -> bool {
        let identity = Planner::identity(profile).and_then(|cells| cells.whole());
        Plan::of(profile).is_some() && identity.is_some()
    }

    /// Time it takes on a serial line, in that of a register's two bytes.
    pub fn cost(&self) -> usize {
        self.words() + QUESTION_WORDS * self.blocks.len()
    }

    /// Registers asked for.
    pub fn words(&self) -> usize {
        self.blocks.iter().map(|block| usize::from(block.count)).sum()
    }
}

/// What a question costs on a serial line beside its registers, in registers of two bytes: thirteen bytes, two silences
/// and the time a meter takes to begin its answer.
const QUESTION_WORDS: usize = 16;

/// What a cell is read for; a later kind outranks an earlier one where two share their registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    /// Good to know.
    Beside,
    /// A verdict needs it.
    Needed,
    /// An energy register a verdict needs.
    Energy,
}

/// A run of registers that must come in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Want {
    function: Function,
    at: u16,
    words: u16,
    purpose: Purpose,
}

impl Want {
    const fn block(self) -> Block {
        Block { function: self.function, at: self.at, count: self.words }
    }
}

/// A set of cells, by their position in the planner's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cells(u64);

impl Cells {
    const fn one(place: usize) -> Cells {
        Cells(1 << (place as u64 % 64))
    }

    const fn has(self, place: usize) -> bool {
        self.0 & Cells::one(place).0 != 0
    }

    const fn with(self, other: Cells) -> Cells {
        Cells(self.0 | other.0)
    }

    const fn without(self, other: Cells) -> Cells {
        Cells(self.0 & !other.0)
    }

    /// Whether it is not empty and all of it lies in the other.
    const fn lies_in(self, other: Cells) -> bool {
        self.0 != 0 && self.0 & !other.0 == 0
    }

    /// Every place from the first to the last.
    const fn run(first: usize, last: usize) -> Cells {
        Cells((u64::MAX << (first as u64 % 64)) & (u64::MAX >> (63 - last as u64 % 64)))
    }
}

/// Which cells a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    /// All of them.
    Whole,
    /// Those a verdict needs: for a bus that cannot keep up.
    Needed,
}

/// The cells of a map, and what was learned about reading them.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    /// By function and address.
    wants: heapless::Vec<Want, MAX_CELLS>,
    /// Voltages, currents and powers that should come from one moment: all of them, or else with one kind of power.
    together: [Cells; 3],
    most: u32,
    /// Most unused registers read along to save a request.
    hole: u32,
    /// No request reaches over the place after these.
    cuts: Cells,
    /// Cells the meter refuses even alone. No request touches them.
    refused: Cells,
}

impl Planner {
    /// For the rows of a profile; `None` if they are too many.
    pub fn rows(profile: &Profile) -> Option<Planner> {
        let mut planner = Planner::limited(profile);
        for row in &profile.rows {
            // A combined total is what a verdict goes by only where nothing tells import apart.
            let is_beside = row.quantity == Quantity::Energy && profile.row(Quantity::Import).is_some();
            planner.want(&row.cell, if is_beside { Purpose::Beside } else { purpose(row.quantity) })?;
        }
        planner.find_together(profile);
        Some(planner)
    }

    /// For what tells who the meter is and how it is set up; `None` if these are too many.
    pub fn identity(profile: &Profile) -> Option<Planner> {
        let mut planner = Planner::limited(profile);
        planner.want_ratios(profile)?;
        let facts = profile.about.iter().filter(|about| is_read(about)).map(|about| about.spot);
        for spot in facts.chain(profile.identify.iter().map(|test| test.spot)) {
            planner.want_block(spot.block(Origin::FIXED)?, Purpose::Needed)?;
        }
        Some(planner)
    }

    /// For rows and ratios in one; `None` if they are too many, or do not count from one place: rows count from the
    /// map's [`Origin`], ratios from [`Origin::FIXED`], so a map with a chain, which `Profile::parse` refuses ratios, has
    /// no room for any.
    pub fn everything(profile: &Profile) -> Option<Planner> {
        if profile.chain.is_some() && profile.ratio_blocks().next().is_some() {
            return None;
        }
        let mut planner = Planner::rows(profile)?;
        planner.want_ratios(profile)?;
        planner.find_together(profile);
        Some(planner)
    }

    fn limited(profile: &Profile) -> Planner {
        Planner {
            wants: heapless::Vec::new(),
            together: [Cells::default(); 3],
            most: u32::from(profile.max_regs.min(MAX_BLOCK_WORDS)),
            hole: u32::from(profile.max_gap),
            cuts: Cells::default(),
            refused: Cells::default(),
        }
    }

    fn want_ratios(&mut self, profile: &Profile) -> Option<()> {
        let ratios = [profile.ct, profile.pt].into_iter().flatten();
        ratios
            .flat_map(|r| [Some(r.value), r.over])
            .flatten()
            .try_for_each(|c| self.want(&c, Purpose::Needed))
    }

    /// A cell, and the power of ten that scales it.
    fn want(&mut self, cell: &Cell, purpose: Purpose) -> Option<()> {
        cell.blocks().try_for_each(|block| self.want_block(block, purpose))
    }

    fn want_block(&mut self, block: Block, purpose: Purpose) -> Option<()> {
        let want = Want { function: block.function, at: block.at, words: block.count, purpose };
        match self.wants.iter_mut().find(|known| known.block() == want.block()) {
            Some(known) => known.purpose = known.purpose.max(purpose),
            None => {
                self.wants.push(want).ok()?;
                self.wants.sort_unstable();
            }
        }
        Some(())
    }

    fn find_together(&mut self, profile: &Profile) {
        use Quantity as Q;
        let places = |list: &[Quantity]| {
            let cells = list.iter().filter_map(|q| profile.row(*q)).filter_map(|row| {
                let block =
                    Block { function: row.cell.function, at: row.cell.at, count: row.cell.kind.words() };
                self.wants.iter().position(|want| want.block() == block).map(Cells::one)
            });
            cells.fold(Cells::default(), Cells::with)
        };
        let line = places(&[
            Q::VoltageL1,
            Q::VoltageL2,
            Q::VoltageL3,
            Q::VoltageL12,
            Q::VoltageL23,
            Q::VoltageL31,
            Q::CurrentL1,
            Q::CurrentL2,
            Q::CurrentL3,
        ]);
        let total = places(&[Q::Power]);
        let phases = places(&[Q::PowerL1, Q::PowerL2, Q::PowerL3]);
        let with = |power: Cells| if power.0 == 0 { power } else { line.with(power) };
        self.together = [with(total.with(phases)), with(total), with(phases)];
    }

    /// The plan for all cells; `None` when one poll cannot hold them.
    pub fn whole(&self) -> Option<Plan> {
        self.plan(Breadth::Whole)
    }

    /// The best plan for what the meter does not refuse: one request for voltages, currents and powers where that is
    /// possible, then the fewest requests, then the fewest registers. `None` when one poll cannot hold it.
    pub fn plan(&self, breadth: Breadth) -> Option<Plan> {
        match breadth {
            Breadth::Whole => self.cheapest(Breadth::Whole),
            // What lies between may fill a hole that parts what is needed: then all of it costs no more.
            Breadth::Needed => [Breadth::Needed, Breadth::Whole]
                .into_iter()
                .filter_map(|breadth| self.cheapest(breadth))
                .filter(|plan| !plan.blocks.is_empty())
                .min_by_key(Plan::cost)
                .or_else(|| self.cheapest(Breadth::Needed)),
        }
    }

    fn cheapest(&self, breadth: Breadth) -> Option<Plan> {
        // Reading holes along saves requests; where that takes more registers than a poll may carry, it does not.
        [self.hole, 0].into_iter().find_map(|hole| {
            let mut plan = Plan { blocks: self.group(breadth, hole)? };
            let energy = |block: &Block| {
                let lies_in = |want: &Want| {
                    want.purpose == Purpose::Energy
                        && want.function == block.function
                        && want.at >= block.at
                        && want.block().end() <= block.end()
                };
                !self.wants.iter().any(lies_in)
            };
            plan.blocks.sort_by_key(|block| (energy(block), block.function, block.at));
            (plan.words() <= MAX_SCAN_WORDS).then_some(plan)
        })
    }

    /// Learns from a refusal: a range of several cells is split, a single cell is left alone from now on. False when
    /// nothing could be learned; when nothing is left to read, everything learned is forgotten.
    pub fn on_refusal(&mut self, block: Block) -> bool {
        let inside = |want: &Want| {
            want.function == block.function && want.at >= block.at && want.block().end() <= block.end()
        };
        let mut places: heapless::Vec<usize, MAX_CELLS> = heapless::Vec::new();
        for (place, want) in self.wants.iter().enumerate() {
            if inside(want) && !self.refused.has(place) && places.push(place).is_err() {
                return false;
            }
        }
        match places.as_slice() {
            [] => return false,
            [alone] => {
                // The splits on the way here were about this cell; what lies on its two sides may be read in one again.
                self.refused = self.refused.with(Cells::one(*alone));
                self.cuts = Cells::default();
            }
            several => self.cuts = self.cuts.with(Cells::one(self.parting(several))),
        }
        let nothing_left = (0..self.wants.len()).all(|place| self.refused.has(place));
        if nothing_left {
            self.forget();
        }
        !nothing_left
    }

    /// Forgets what was learned: another meter may be less particular, and so may this one after a restart.
    pub fn forget(&mut self) {
        (self.cuts, self.refused) = (Cells::default(), Cells::default());
    }

    /// Whether nothing was refused so far.
    pub fn is_unhurt(&self) -> bool {
        self.refused.0 == 0 && self.cuts.0 == 0
    }

    /// Whether the meter refuses this cell.
    pub fn refuses(&self, cell: &Cell) -> bool {
        let block = Block { function: cell.function, at: cell.at, count: cell.kind.words() };
        self.wants.iter().position(|want| want.block() == block).is_some_and(|place| self.refused.has(place))
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.wants.is_empty()
    }

    /// The place after which to part a range: its widest hole, the one nearest to its middle among equals.
    fn parting(&self, places: &[usize]) -> usize {
        let hole = |pair: &[usize]| {
            let at = |i: usize| pair.get(i).and_then(|place| self.wants.get(*place));
            at(0).zip(at(1)).map_or(0, |(a, b)| u32::from(b.at).saturating_sub(a.block().end()))
        };
        let pairs = places.windows(2).enumerate();
        let best =
            pairs.min_by_key(|(i, pair)| (u32::MAX - hole(pair), (2 * (i + 1)).abs_diff(places.len())));
        best.and_then(|(_, pair)| pair.first().copied()).unwrap_or(0)
    }

    /// Least-cost grouping of the wanted cells in address order: the best way to read the first `n` of them is a best
    /// way to read fewer and one request for the rest.
    fn group(&self, breadth: Breadth, hole: u32) -> Option<heapless::Vec<Block, MAX_SCAN_BLOCKS>> {
        let is_wanted = |want: &Want| match breadth {
            Breadth::Whole => true,
            Breadth::Needed => want.purpose > Purpose::Beside,
        };
        let mut places: heapless::Vec<usize, MAX_CELLS> = heapless::Vec::new();
        for (place, want) in self.wants.iter().enumerate() {
            if is_wanted(want) && !self.refused.has(place) {
                places.push(place).ok()?;
            }
        }
        let places = places.as_slice();
        // What reading up to here costs, where the last request begins, and that request.
        let mut ways: heapless::Vec<(i64, usize, Block), { MAX_CELLS + 1 }> = heapless::Vec::new();
        ways.push((0, 0, Block { function: Function::Holding, at: 0, count: 0 })).ok()?;
        for end in 1..=places.len() {
            let requests = (0..end).rev().map_while(|from| {
                let block = self.one_request(places.get(from..end)?, hole)?;
                Some((self.cost(places.get(from..end)?, block) + ways.get(from)?.0, from, block))
            });
            // From the shortest request on, so that of equals the one with the fewest cells stands last.
            ways.push(requests.min_by_key(|(cost, from, _)| (*cost, *from))?).ok()?;
        }
        let mut blocks = heapless::Vec::new();
        let mut end = places.len();
        while end > 0 {
            let (_, from, block) = ways.get(end)?;
            blocks.push(*block).ok()?;
            end = *from;
        }
        Some(blocks)
    }

    /// The one request for these neighbours; `None` where limits, holes, cuts or refused cells forbid it.
    fn one_request(&self, places: &[usize], hole: u32) -> Option<Block> {
        let (first, last) = (*places.first()?, *places.last()?);
        let start = self.wants.get(first)?;
        if first < last && self.cuts.without(Cells::one(last)).0 & Cells::run(first, last - 1).0 != 0 {
            return None;
        }
        let mut end = start.block().end();
        for place in places {
            let want = self.wants.get(*place)?;
            if want.function != start.function || u32::from(want.at) > end + hole {
                return None;
            }
            end = end.max(want.block().end());
        }
        let count = end - u32::from(start.at);
        let is_touched = |(place, want): (usize, &Want)| {
            self.refused.has(place)
                && want.function == start.function
                && u32::from(want.at) < end
                && want.block().end() > u32::from(start.at)
        };
        if count > self.most || self.wants.iter().enumerate().any(is_touched) {
            return None;
        }
        Some(Block { function: start.function, at: start.at, count: u16::try_from(count).ok()? })
    }

    fn cost(&self, places: &[usize], block: Block) -> i64 {
        const REQUEST: i64 = 1 << 20;
        const TOGETHER: i64 = 1 << 30;
        let cells = places.iter().fold(Cells::default(), |cells, place| cells.with(Cells::one(*place)));
        let [all, total, phases] = self.together.map(|together| together.lies_in(cells));
        let moment = if all { 2 } else { i64::from(total || phases) };
        REQUEST + i64::from(block.count) - moment * TOGETHER
    }
}

/// What a quantity is read for. Powers, line voltages and currents, the total registers and the words that prove a
/// meter alive are what `judge` goes by.
fn purpose(quantity: Quantity) -> Purpose {
    use Quantity as Q;
    match quantity {
        Q::Import | Q::Export | Q::Energy => Purpose::Energy,
        Q::Power
        | Q::PowerL1
        | Q::PowerL2
        | Q::PowerL3
        | Q::VoltageL1
        | Q::VoltageL2
        | Q::VoltageL3
        | Q::VoltageL12
        | Q::VoltageL23
        | Q::VoltageL31
        | Q::CurrentL1
        | Q::CurrentL2
        | Q::CurrentL3
        | Q::Reactive
        | Q::Frequency
        | Q::Clock
        | Q::UptimeS
        | Q::RunHours
        | Q::MaxDemand
        | Q::PowerFails => Purpose::Needed,
        Q::CurrentN
        | Q::ImportL1
        | Q::ImportL2
        | Q::ImportL3
        | Q::ExportL1
        | Q::ExportL2
        | Q::ExportL3
        | Q::ImportT1
        | Q::ImportT2
        | Q::ImportT3
        | Q::ImportT4
        | Q::ReactiveL1
        | Q::ReactiveL2
        | Q::ReactiveL3
        | Q::Apparent
        | Q::ApparentL1
        | Q::ApparentL2
        | Q::ApparentL3
        | Q::Pf
        | Q::PfL1
        | Q::PfL2
        | Q::PfL3
        | Q::ReactiveImport
        | Q::ReactiveExport => Purpose::Beside,
    }
}

#[cfg(test)]
mod tests;
