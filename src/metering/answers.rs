//! What came of each read while a meter is being explored, one register or many at a time and in any order.

use std::collections::BTreeMap;

use super::{Block, Fault};

/// What came of each read, at addresses of the wire.
pub type Answers = BTreeMap<Block, Result<Vec<u16>, Fault>>;

/// The answer that holds all of some registers, one with words before any other, then the narrowest.
pub fn covering(wanted: Block, answers: &Answers) -> Option<(Block, &Result<Vec<u16>, Fault>)> {
    let holds = |block: &Block| {
        block.function == wanted.function && block.at <= wanted.at && wanted.end() <= block.end()
    };
    let all = answers.iter().filter(|(block, _)| holds(block));
    all.min_by_key(|(block, answer)| (answer.is_err(), block.count)).map(|(block, answer)| (*block, answer))
}

/// The words that were read of some registers.
pub fn words(wanted: Block, answers: &Answers) -> Option<&[u16]> {
    let (block, Ok(words)) = covering(wanted, answers)? else { return None };
    let from = usize::from(wanted.at - block.at);
    words.get(from..from + usize::from(wanted.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Function;

    #[test]
    fn words_come_from_the_narrowest_read_that_has_them() {
        let block = |at, count| Block { function: Function::Holding, at, count };
        let answers = Answers::from([
            (block(10, 4), Ok(vec![1, 2, 3, 4])),
            (block(11, 2), Ok(vec![20, 30])),
            (block(12, 1), Err(Fault::Exception(2))),
        ]);
        assert_eq!(words(block(11, 1), &answers), Some(&[20][..]));
        assert_eq!(words(block(12, 1), &answers), Some(&[30][..]), "words before a refusal");
        assert_eq!(words(block(12, 2), &answers), Some(&[3, 4][..]));
        assert_eq!(words(block(13, 2), &answers), None);
    }
}
