//! The chain of models a SunSpec device keeps behind a mark: where a model begins is found by walking, never assumed.

use super::{
    profile::{Chain, MAX_SUNSPEC_MODELS, SUNSPEC_COMMON},
    scan::{Block, Function, MAX_BLOCK_WORDS},
};

/// Where the mark may stand, in the order these are tried, where no profile says it (SunSpec device information model,
/// 6.2).
pub const BASES: [u16; 3] = [40_000, 50_000, 0];
/// Most bases tried for one profile.
pub const MAX_BASES: usize = 8;

/// "SunS".
pub(super) const MARK: [u16; 2] = [0x5375, 0x6E53];
/// The model number after the last model.
const END: u16 = 0xFFFF;

/// A walk along the chain, one question at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    function: Function,
    bases: heapless::Vec<u16, MAX_BASES>,
    wanted: Option<u16>,
    place: Place,
    /// Models passed.
    passed: usize,
    common: Option<Block>,
    found: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Mark(usize),
    Header(u16),
    Over,
}

impl Walk {
    /// Looks for the model of a chain; without one, only for the common model.
    pub fn along(chain: Option<&Chain>) -> Walk {
        let bases = chain.map_or(&BASES[..], |chain| &chain.bases).iter().copied().take(MAX_BASES).collect();
        Walk {
            function: chain.map_or(Function::Holding, |chain| chain.function),
            bases,
            wanted: chain.map(|chain| chain.model),
            place: Place::Mark(0),
            passed: 0,
            common: None,
            found: None,
        }
    }

    fn is_satisfied(&self) -> bool {
        self.found.is_some() || (self.wanted.is_none() && self.common.is_some())
    }

    /// What to read next; `None` at the end of the walk.
    pub fn question(&self) -> Option<Block> {
        let (at, count) = match self.place {
            // The mark and the header behind it in one.
            Place::Mark(base) => (*self.bases.get(base)?, 4),
            Place::Header(at) => (at, 2),
            Place::Over => return None,
        };
        Some(Block { function: self.function, at, count })
    }

    /// Takes the words asked for; `None` if they were refused.
    pub fn on_words(&mut self, words: Option<&[u16]>) {
        self.place = match (self.place, words) {
            (Place::Mark(base), Some(&[first, second, model, length])) if [first, second] == MARK => {
                match self.bases.get(base).and_then(|at| at.checked_add(2)) {
                    Some(at) => self.on_header(at, model, length),
                    None => Place::Over,
                }
            }
            (Place::Mark(base), _) if base + 1 < self.bases.len() => Place::Mark(base + 1),
            (Place::Header(at), Some(&[model, length])) => self.on_header(at, model, length),
            (Place::Mark(_) | Place::Header(_) | Place::Over, _) => Place::Over,
        };
    }

    fn on_header(&mut self, at: u16, model: u16, length: u16) -> Place {
        self.passed += 1;
        if model == SUNSPEC_COMMON && self.common.is_none() {
            let count = length.saturating_add(2).min(MAX_BLOCK_WORDS).min((u16::MAX - at).max(1));
            self.common = Some(Block { function: self.function, at, count });
        }
        if Some(model) == self.wanted {
            self.found = Some(at);
        }
        let is_done = self.is_satisfied() || self.passed > MAX_SUNSPEC_MODELS;
        let next = at.checked_add(2).and_then(|at| at.checked_add(length)).filter(|at| *at < u16::MAX);
        match next {
            Some(next) if !is_done && model != END && length > 0 => Place::Header(next),
            Some(_) | None => Place::Over,
        }
    }

    /// The whole common model, header included.
    pub const fn common(&self) -> Option<Block> {
        self.common
    }

    /// Address of the wanted model's header.
    pub const fn found(&self) -> Option<u16> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn along(model: u16) -> Chain {
        Chain { function: Function::Holding, bases: BASES.to_vec(), model }
    }

    /// A device with a chain of these models (number, length) behind a mark at this base.
    fn walk(base: u16, chain: &[(u16, u16)], wanted: u16) -> (Walk, usize) {
        let mut words = vec![MARK[0], MARK[1]];
        for (model, length) in chain {
            words.extend([*model, *length]);
            words.extend(std::iter::repeat_n(7, usize::from(*length)));
        }
        let mut walk = Walk::along(Some(&along(wanted)));
        let mut questions = 0;
        while let Some(block) = walk.question() {
            questions += 1;
            let from = block.at.checked_sub(base).map(usize::from);
            let told = from.and_then(|from| words.get(from..from + usize::from(block.count)));
            walk.on_words(told);
        }
        (walk, questions)
    }

    #[test]
    fn a_model_is_found_wherever_the_chain_has_it() {
        let chain = [(1, 66), (101, 50), (203, 105), (END, 0)];
        for base in BASES {
            let (walk, _) = walk(base, &chain, 203);
            assert_eq!(walk.found(), Some(base + 2 + 68 + 52));
            assert_eq!(
                walk.common().unwrap(),
                Block { function: Function::Holding, at: base + 2, count: 68 }
            );
        }
        let (walk, _) = walk(40_000, &chain, 204);
        assert_eq!(walk.found(), None, "it is not there");
    }

    #[test]
    fn without_a_mark_there_is_no_chain() {
        let (walk, questions) = walk(123, &[(1, 66)], 203);
        assert_eq!((walk.found(), walk.common(), questions), (None, None, BASES.len()));
    }

    proptest! {
        #[test]
        fn any_answers_end_the_walk(words in proptest::collection::vec(any::<u16>(), 4), header in any::<[u16; 2]>()) {
            let mut walk = Walk::along(Some(&along(203)));
            let mut questions = 0;
            while let Some(block) = walk.question() {
                questions += 1;
                prop_assert!(questions < 80);
                prop_assert!(block.end() <= 0x1_0000);
                prop_assert!(walk.common().is_none_or(|block| block.end() <= 0x1_0000));
                let told = [MARK[0], MARK[1], words[2], words[3]];
                walk.on_words(Some(if block.count == 4 { &told } else { &header }));
            }
        }
    }
}
