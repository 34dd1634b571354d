//! Whatever answers, faults, delays and lost connections come in whatever order.

use proptest::prelude::*;

use super::*;

/// What comes of a question.
#[derive(Clone, Copy, Debug)]
enum Comes {
    Right,
    Wrong(Fault),
    /// The right words and some more, or fewer.
    Length(bool),
    /// An answer to another kind of question.
    Other,
    /// The right words, twice.
    Twice,
}

/// What happens to the connection then, and to what stands in the meters.
#[derive(Clone, Copy, Debug)]
enum Link {
    Stays,
    LostBefore,
    LostAfter,
}

fn comes() -> impl Strategy<Value = Comes> {
    let faults = proptest::sample::select(Fault::KINDS.to_vec());
    prop_oneof![
        12 => Just(Comes::Right),
        3 => faults.prop_map(Comes::Wrong),
        2 => (0_u8..14).prop_map(|code| Comes::Wrong(Fault::Exception(code))),
        1 => any::<bool>().prop_map(Comes::Length),
        1 => Just(Comes::Other),
        1 => Just(Comes::Twice),
    ]
}

fn link() -> impl Strategy<Value = Link> {
    prop_oneof![10 => Just(Link::Stays), 1 => Just(Link::LostBefore), 1 => Just(Link::LostAfter)]
}

/// What stands in a register of a unit: another word everywhere.
fn word(unit: u8, function: Function, at: u16) -> u16 {
    u16::from(unit) * 10_000 + at * 8 + u16::from(function.code())
}

struct World {
    schedule: Schedule,
    ratio: u16,
    now: u64,
    decided: BTreeMap<MeterId, Vec<u64>>,
}

impl World {
    fn words(&self, unit: u8, block: Block) -> Vec<u16> {
        let run = block.at..block.at + block.count;
        run.map(|at| if at == 100 { self.ratio + u16::from(unit) } else { word(unit, block.function, at) })
            .collect()
    }

    /// Every word of a reading is its own meter's and stood in that register; the ratio is the one of this connection.
    fn check(&self, reading: &Reading) {
        let unit: u8 = reading.meter.as_str()[1..].parse().unwrap();
        for (block, words) in reading.scan.blocks() {
            assert_eq!(words, self.words(unit, block), "{reading:?}");
        }
        assert_eq!(reading.ratios.ct, Ratio::new(u32::from(self.ratio) + u32::from(unit), 1).unwrap());
    }

    fn hear(&mut self, told: Told) {
        for sample in told {
            if let Sample::Reading(reading) = &sample {
                self.check(reading);
            }
            if let Sample::Reading(Reading { meter, at, .. }) | Sample::Miss { meter, at, .. } = sample {
                self.decided.entry(meter).or_default().push(at.uptime_ms);
            }
        }
    }

    fn lose(&mut self) {
        self.schedule.on_link_lost();
        self.ratio += 1;
    }

    fn step(&mut self, ask: Ask, comes: Comes, link: Link, took_ms: u64) {
        self.now += u64::from(ask.gap_ms) + took_ms.min(u64::from(ask.deadline_ms));
        if matches!(link, Link::LostBefore) {
            self.lose();
        }
        let part = DeviceIdPart::new(3, Some(200));
        let mut words = ask.question.block().map(|block| self.words(ask.unit, block));
        if let (Some(words), Comes::Length(longer)) = (&mut words, comes) {
            words.resize(if longer { words.len() + 1 } else { words.len() - 1 }, 7);
        }
        let right = match (ask.question, &words) {
            (Question::DeviceId { .. }, _) | (Question::Registers(_), None) => Reply::DeviceId(&part),
            (Question::ServerId, _) => Reply::ServerId(b"\x01\xFFmeter"),
            (Question::Registers(_), Some(words)) => Reply::Words(words),
        };
        let at = stamp(self.now);
        let told = match comes {
            Comes::Wrong(fault) => self.schedule.on_answer(&at, Err(fault)),
            Comes::Other => self.schedule.on_answer(
                &at,
                Ok(match ask.question {
                    Question::Registers(_) => Reply::DeviceId(&part),
                    Question::DeviceId { .. } | Question::ServerId => Reply::Words(&[1, 2, 3]),
                }),
            ),
            Comes::Right | Comes::Length(_) | Comes::Twice => self.schedule.on_answer(&at, Ok(right)),
        };
        self.hear(told);
        if matches!(comes, Comes::Twice) {
            let again = self.schedule.on_answer(&at, Ok(Reply::Words(&[9; 12])));
            assert!(again.is_empty(), "one question has one answer");
        }
        if matches!(link, Link::LostAfter) {
            self.lose();
        }
    }
}

proptest! {
    #[test]
    fn no_value_is_anothers_no_ratio_is_stale_and_every_poll_is_decided_once(
        events in proptest::collection::vec((comes(), link(), 0_u64..900), 50..400),
    ) {
        let points = (1..=3).map(|unit| meter(&format!("m{unit}"), unit)).collect();
        let schedule = Schedule::new(points, vec![], 0, 0);
        let mut world = World { schedule, ratio: 10, now: 0, decided: BTreeMap::new() };
        for (comes, link, took_ms) in events {
            loop {
                match world.schedule.next(world.now) {
                    Next::WaitUntil(due) => {
                        // It never waits for what is due, nor longer than a silent meter is left alone.
                        prop_assert!(due >= world.now && due - world.now <= 2 * MAX_BACKOFF_MS);
                        world.now = due.max(world.now + 1);
                    }
                    Next::Ask(ask) => {
                        world.step(ask, comes, link, took_ms);
                        break;
                    }
                }
            }
        }
        for (meter, tally) in world.schedule.tallies() {
            let decided = world.decided.get(&meter).map_or(0, Vec::len);
            prop_assert_eq!(u64::try_from(decided).unwrap(), tally.polls, "one sample for each poll of {}", meter);
            let faults: u64 = Fault::KINDS
                .iter()
                .map(|fault| tally.counts().find(|(word, _)| *word == fault.word()).unwrap().1)
                .sum();
            prop_assert_eq!(tally.requests, tally.replies + faults);
        }
        // Then everything answers again, and everybody is heard within the longest backoff.
        let from = world.now;
        while world.now < from + 3 * MAX_BACKOFF_MS {
            match world.schedule.next(world.now) {
                Next::WaitUntil(due) => world.now = due.max(world.now + 1),
                Next::Ask(ask) => world.step(ask, Comes::Right, Link::Stays, 10),
            }
        }
        for times in world.decided.values() {
            let heard = times.iter().filter(|at| **at > from + 2 * MAX_BACKOFF_MS).count();
            prop_assert!(heard >= 50, "{heard} polls in a minute");
        }
    }
}
