//! Which of many profiles fit a meter of which nothing is known: by its answers to what their `[[identify]]` want to see,
//! in whatever order these came.

use super::{
    Block, Profile,
    answers::{Answers, words},
    profile::{Chain, Origin},
    sunspec::Walk,
};

/// How a profile fits what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Everything it wants to see is there.
    Fits,
    /// It names nothing by which its meter could be told from others.
    Untold,
    /// Something it wants to see was not answered.
    Unanswered,
    /// Something else is there.
    Differs,
}

/// Where the addresses of a map count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From here.
    At(Origin),
    /// These registers must be read to know.
    Unread(Block),
    /// The meter has no such model.
    Absent,
}

/// Where a profile's addresses count from, as far as the answers tell.
pub fn start(profile: &Profile, answers: &Answers) -> Start {
    profile.chain.as_ref().map_or(Start::At(Origin::FIXED), |chain| header(chain, answers))
}

/// The header of a chain's model: the walk is done anew over what was read, up to what was not.
fn header(chain: &Chain, answers: &Answers) -> Start {
    let mut walk = Walk::along(Some(chain));
    while let Some(block) = walk.question() {
        match answers.get(&block) {
            Some(answer) => walk.on_words(answer.as_deref().ok()),
            None => return Start::Unread(block),
        }
    }
    walk.found().map_or(Start::Absent, |at| Start::At(Origin(at)))
}

/// Where a meter is asked for its type, at fixed addresses; a chain is asked for by [`start`].
pub fn type_blocks(profile: &Profile) -> impl Iterator<Item = Block> {
    profile.identify.iter().filter_map(|test| test.spot.block(Origin::FIXED))
}

/// How a profile fits.
pub fn fit(profile: &Profile, answers: &Answers) -> Fit {
    if profile.chain.is_none() {
        return tests(profile, |block| words(block, answers));
    }
    match start(profile, answers) {
        Start::At(_) => Fit::Fits,
        Start::Unread(_) => Fit::Unanswered,
        Start::Absent => Fit::Differs,
    }
}

/// How the tests of a profile at fixed addresses come out, by the words that were read there.
pub(super) fn tests<'w>(profile: &Profile, words: impl Fn(Block) -> Option<&'w [u16]>) -> Fit {
    let outcomes = profile.identify.iter().map(|test| {
        let words = test.spot.block(Origin::FIXED).and_then(&words);
        match words.map(|words| test.holds(words)) {
            Some(true) => Fit::Fits,
            Some(false) => Fit::Differs,
            None => Fit::Unanswered,
        }
    });
    outcomes.max().unwrap_or(Fit::Untold)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::metering::{Fault, Function, profile::MAX_SUNSPEC_MODELS, sunspec::MARK};

    fn profiles() -> Vec<Arc<Profile>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/meters");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
        let read = |file: &std::path::PathBuf| {
            let text = std::fs::read_to_string(file).unwrap();
            Arc::new(Profile::parse(&file.display().to_string(), &text).unwrap())
        };
        files.iter().map(read).collect()
    }

    /// Asks a meter that holds these registers; anything else it refuses, or answers with zeros.
    fn ask(holding: &[(u16, Vec<u16>)], zeros: bool) -> (Vec<String>, usize) {
        let profiles = profiles();
        let mut answers = Answers::new();
        let unread = |answers: &Answers, profile: &Profile| match start(profile, answers) {
            Start::Unread(block) => Some(block),
            Start::At(_) | Start::Absent => type_blocks(profile).find(|block| !answers.contains_key(block)),
        };
        while let Some(block) = profiles.iter().find_map(|profile| unread(&answers, profile)) {
            let words = holding.iter().find_map(|(at, words)| {
                let from = usize::from(block.at.checked_sub(*at)?);
                words.get(from..from + usize::from(block.count))
            });
            let answer = match words.filter(|_| block.function == Function::Holding) {
                Some(words) => Ok(words.to_vec()),
                None if zeros => Ok(vec![0; usize::from(block.count)]),
                None => Err(Fault::Exception(2)),
            };
            answers.insert(block, answer);
        }
        let fitting = profiles.iter().filter(|profile| fit(profile, &answers) == Fit::Fits);
        (fitting.map(|profile| profile.id.as_str().to_owned()).collect(), answers.len())
    }

    fn text(text: &str, words: usize) -> Vec<u16> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(2 * words, 0);
        bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn a_meter_is_recognised_by_what_stands_in_it_and_by_nothing_else() {
        let (abb, questions) = ask(&[(35_168, text("B23 112-100", 6))], false);
        assert_eq!(abb, ["abb-b23-b24"]);
        assert!(questions < 60, "{questions} questions tell all profiles apart");
        assert_eq!(ask(&[], false).0, Vec::<String>::new());
        assert_eq!(ask(&[], true).0, Vec::<String>::new(), "zeros recognise nobody");
    }

    #[test]
    fn a_sunspec_meter_is_recognised_by_the_model_in_its_chain() {
        let mut words = vec![0x5375, 0x6E53, 1, 66];
        words.extend([0; 66]);
        words.extend([203, 105]);
        words.extend([0; 105]);
        words.extend([0xFFFF, 0]);
        assert_eq!(ask(&[(40_000, words)], false).0, ["sunspec-203"]);
    }

    const CHAINED: &str = r#"
id = "chained"
vendor = "Test"
models = ["T1"]
values = "primary"
tested = "simulated"
tested_how = "not a real meter"
[link]
[[identify]]
chain = "sunspec"
bases = [40000, 0]
model = 203
[defaults]
fc = 3
[measure]
voltage_l1 = { at = 2, type = "u16", scale = 0.1 }
"#;

    fn pair(at: u16) -> Block {
        Block { function: Function::Holding, at, count: 2 }
    }

    /// A mark, with the header behind it.
    fn mark(at: u16) -> Block {
        Block { count: 4, ..pair(at) }
    }

    #[test]
    fn a_chain_is_walked_from_its_mark_to_the_model() {
        let profile = Profile::parse("chained.toml", CHAINED).unwrap();
        let mut answers = Answers::new();
        assert_eq!(start(&profile, &answers), Start::Unread(mark(40_000)));
        answers.insert(mark(40_000), Err(Fault::Exception(2)));
        assert_eq!(start(&profile, &answers), Start::Unread(mark(0)));
        answers.insert(mark(0), Ok(vec![MARK[0], MARK[1], 1, 66]));
        assert_eq!(
            (start(&profile, &answers), fit(&profile, &answers)),
            (Start::Unread(pair(70)), Fit::Unanswered)
        );
        answers.insert(pair(70), Ok(vec![203, 105]));
        assert_eq!((start(&profile, &answers), fit(&profile, &answers)), (Start::At(Origin(70)), Fit::Fits));
        answers.insert(pair(70), Ok(vec![0xFFFF, 0]));
        assert_eq!((start(&profile, &answers), fit(&profile, &answers)), (Start::Absent, Fit::Differs));
    }

    #[test]
    fn a_chain_of_lies_comes_to_an_end() {
        let profile = Profile::parse("chained.toml", CHAINED).unwrap();
        let mut answers = Answers::from([(mark(40_000), Ok(vec![MARK[0], MARK[1], 7, 1]))]);
        while let Start::Unread(block) = start(&profile, &answers) {
            // None of the models is the last.
            answers.insert(block, Ok(vec![7, 1]));
        }
        // The model the list has no more room for has still been looked at.
        assert_eq!((answers.len(), start(&profile, &answers)), (MAX_SUNSPEC_MODELS + 1, Start::Absent));
    }
}
