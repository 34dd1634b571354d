//! What a meter, or somebody in its place, answers instead of the truth.

use crate::{counter::Held, measure::Measured};

/// Most samples of a recording: two hours of seconds.
const MAX_SAMPLES: usize = 7_200;

/// What stands before the truth.
#[derive(Clone, Debug, Default)]
pub(crate) enum Pretence {
    /// Nothing.
    #[default]
    None,
    /// The words of one moment, in the order of the layout's cells, for ever.
    Frozen(Box<[u16]>),
    /// A page of a textbook: this measurement, 50 Hz, energies that stand still, and a clock that runs.
    Textbook(Box<Measured>, Box<[Held]>),
    /// A recording goes round, begun at this moment.
    Replay(Recording, u64),
}

/// Words of a while, moment by moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    since_ms: u64,
    samples: Vec<(u64, Box<[u16]>)>,
}

impl Recording {
    /// An empty one that begins now.
    pub(crate) fn begin(now_ms: u64) -> Recording {
        Recording { since_ms: now_ms, samples: Vec::new() }
    }

    /// Adds the words of a moment; a full recording keeps what it has.
    pub(crate) fn add(&mut self, now_ms: u64, words: Box<[u16]>) {
        let is_later = self.samples.last().is_none_or(|(at, _)| *at < now_ms - self.since_ms);
        if is_later && self.samples.len() < MAX_SAMPLES {
            self.samples.push((now_ms - self.since_ms, words));
        }
    }

    /// The words so long after it was begun to be played, over and over.
    pub(crate) fn at(&self, played_ms: u64) -> Option<&[u16]> {
        let (last, _) = self.samples.last()?;
        // The last sample is held as long as the step before it, or a second.
        let step = match self.samples.as_slice() {
            [.., (before, _), (last, _)] => last - before,
            _ => 1_000,
        };
        let into = played_ms % (last + step);
        let next = self.samples.partition_point(|(at, _)| *at <= into);
        self.samples.get(next.saturating_sub(1)).map(|(_, words)| words.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_goes_round() {
        let mut recording = Recording::begin(5_000);
        for second in 0..3_u16 {
            recording.add(5_000 + u64::from(second) * 1_000, Box::new([second]));
        }
        recording.add(7_000, Box::new([9]));
        let words: Vec<u16> = (0..7).map(|s| recording.at(s * 1_000 + 400).unwrap()[0]).collect();
        assert_eq!(words, [0, 1, 2, 0, 1, 2, 0]);
        assert!(Recording::default().at(0).is_none());
    }

    #[test]
    fn a_recording_has_an_end() {
        let mut recording = Recording::begin(0);
        (0..10_000).for_each(|second| recording.add(second * 1_000, Box::new([1])));
        assert_eq!(recording.samples.len(), MAX_SAMPLES);
    }
}
