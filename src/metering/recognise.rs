//! Which of many profiles fit a meter of which nothing is known: by its answers to what their `[[identify]]` want to see.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Answer, Block, Fault, Profile, Question, Reply,
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

/// The questions that tell profiles apart, each asked once however many of them want it, and their answers.
#[derive(Clone, Debug)]
pub struct Recognition {
    asked: Vec<Block>,
    place: usize,
    answers: BTreeMap<Block, Vec<u16>>,
    walks: Vec<(Chain, Walk)>,
    /// How many answers were faults that ended the connection or came from nobody.
    unanswered: usize,
}

impl Recognition {
    /// What to ask for these profiles.
    pub fn of(profiles: &[Arc<Profile>]) -> Recognition {
        let spots = profiles.iter().flat_map(|profile| &profile.identify).map(|test| test.spot);
        let mut asked: Vec<Block> = spots.filter_map(|spot| spot.block(Origin::FIXED)).collect();
        asked.sort_unstable();
        asked.dedup();
        let mut walks: Vec<(Chain, Walk)> = Vec::new();
        for chain in profiles.iter().filter_map(|profile| profile.chain.as_ref()) {
            if !walks.iter().any(|(known, _)| is_same_chain(known, chain)) {
                walks.push((chain.clone(), Walk::to_the_end(chain)));
            }
        }
        Recognition { asked, place: 0, answers: BTreeMap::new(), walks, unanswered: 0 }
    }

    /// What to ask next; `None` when everything has been asked.
    pub fn question(&self) -> Option<Question> {
        let walked = || self.walks.iter().find_map(|(_, walk)| walk.question());
        self.asked.get(self.place).copied().or_else(walked).map(Question::Registers)
    }

    /// Takes what came of the question. A fault tells nothing of the meter but that it did not answer this.
    pub fn on_answer(&mut self, answer: Answer<'_>) {
        let words = answer.ok().and_then(Reply::words);
        self.unanswered += usize::from(answer.is_err_and(Fault::ends_link));
        if let Some(block) = self.asked.get(self.place) {
            if let Some(words) = words.filter(|words| words.len() == usize::from(block.count)) {
                self.answers.insert(*block, words.to_vec());
            }
            self.place += 1;
        } else if let Some((_, walk)) = self.walks.iter_mut().find(|(_, walk)| walk.question().is_some()) {
            walk.on_words(words);
        }
    }

    /// Questions to which nobody answered in time.
    pub const fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// How a profile fits.
    pub fn fit(&self, profile: &Profile) -> Fit {
        if let Some(chain) = &profile.chain {
            let walk = self.walks.iter().find(|(known, _)| is_same_chain(known, chain));
            let models = walk.map_or(&[][..], |(_, walk)| walk.models());
            return match (models, models.contains(&chain.model)) {
                (_, true) => Fit::Fits,
                ([], false) => Fit::Unanswered,
                (_, false) => Fit::Differs,
            };
        }
        let tests = profile.identify.iter().map(|test| {
            let words = test.spot.block(Origin::FIXED).and_then(|block| self.answers.get(&block));
            match words.map(|words| test.holds(words)) {
                Some(true) => Fit::Fits,
                Some(false) => Fit::Differs,
                None => Fit::Unanswered,
            }
        });
        tests.max().unwrap_or(Fit::Untold)
    }
}

/// Chains that begin at the same places are one, whichever model is wanted of them.
fn is_same_chain(one: &Chain, other: &Chain) -> bool {
    one.function == other.function && one.bases == other.bases
}

/// The profiles whose every test holds.
pub fn recognise<'a>(profiles: &'a [Arc<Profile>], told: &Recognition) -> Vec<&'a Arc<Profile>> {
    profiles.iter().filter(|profile| told.fit(profile) == Fit::Fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Function;

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
        let mut told = Recognition::of(&profiles);
        let mut questions = 0;
        while let Some(question) = told.question() {
            questions += 1;
            let block = question.block().unwrap();
            let words = holding.iter().find_map(|(at, words)| {
                let from = usize::from(block.at.checked_sub(*at)?);
                words.get(from..from + usize::from(block.count))
            });
            let nothing = vec![0; usize::from(block.count)];
            let answer = match words.filter(|_| block.function == Function::Holding) {
                Some(words) => Ok(Reply::Words(words)),
                None if zeros => Ok(Reply::Words(&nothing)),
                None => Err(Fault::Exception(2)),
            };
            told.on_answer(answer);
        }
        let found = recognise(&profiles, &told).into_iter().map(|profile| profile.id.as_str().to_owned());
        (found.collect(), questions)
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
}
