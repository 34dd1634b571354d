//! Who a meter is: when it is asked, and what its word is worth.

use super::*;

#[test]
fn who_the_meter_is_comes_before_what_it_reads_and_again_after_every_reconnection() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    let first = paper.serve(&mut schedule, 0);
    assert_eq!(identity_of(&first).ct, Ratio::new(600, 1));
    assert!(matches!(first.as_slice(), [Sample::Identity { .. }, Sample::Reading(_)]), "in this order");
    paper.asked.clear();
    paper.reading(&mut schedule, 1_000);
    assert_eq!(paper.identities(), 0, "not with every poll");
    paper.first = vec![Fault::Timeout];
    assert_eq!(miss_of(&paper.serve(&mut schedule, 2_000)), Fault::Timeout);
    paper.registers.insert((Function::Holding, 100), 300);
    paper.asked.clear();
    let after = paper.serve(&mut schedule, 3_000);
    assert_eq!(paper.asked.first().and_then(|q| q.block()).unwrap().at, 100, "the ratio first");
    assert!(matches!(after.as_slice(), [Sample::Identity { .. }, Sample::Reading(_)]));
    let Some(Sample::Reading(reading)) = after.last() else { panic!("{after:?}") };
    assert_eq!(reading.ratios, Applied { ct: Ratio::new(300, 1).unwrap(), pt: Ratio::DIRECT });
    assert_eq!(reading.power().unwrap().0, 5 * 300 * 1_000);
}

#[test]
fn a_ratio_that_cannot_be_read_after_a_reconnection_is_unknown_and_never_the_old_one() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.reading(&mut schedule, 0);
    schedule.on_link_lost();
    paper.refused = vec![100];
    for now in [1_000, 2_000, 3_000] {
        let samples = paper.serve(&mut schedule, now);
        assert_eq!(miss_of(&samples), Fault::RatioUnknown);
        assert!(samples.iter().any(|s| matches!(s, Sample::IdentityMiss { fault: Fault::Exception(2), .. })));
    }
    paper.refused.clear();
    assert_eq!(paper.reading(&mut schedule, 4_000).power().unwrap().0, 5 * 600 * 1_000, "and it recovers");
}

#[test]
fn a_connection_lost_in_the_middle_of_a_poll_begins_it_anew_with_the_identity() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.reading(&mut schedule, 0);
    let Next::Ask(ask) = schedule.next(1_000) else { panic!("it is due") };
    let words = paper.answer(ask.question).unwrap();
    assert!(schedule.on_answer(&stamp(1_000), Ok(Reply::Words(&words))).is_empty());
    schedule.on_link_lost();
    paper.asked.clear();
    let samples = paper.serve(&mut schedule, 1_010);
    assert!(matches!(samples.as_slice(), [Sample::Identity { .. }, Sample::Reading(_)]));
    let Some(Sample::Reading(reading)) = samples.last() else { panic!("{samples:?}") };
    assert_eq!(reading.scan.blocks().count(), 3, "nothing of before the loss is in it");
}

#[test]
fn who_answers_after_a_silence_says_first_who_he_is() {
    // A gateway answers for a meter that was taken off its line, and no connection is lost.
    const ABSENT: Fault = Fault::Exception(0x0B);
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.reading(&mut schedule, 0);
    paper.first = vec![ABSENT; 2];
    for now in [1_000, 2_000] {
        assert_eq!(miss_of(&paper.serve(&mut schedule, now)), ABSENT);
    }
    let samples = paper.serve(&mut schedule, 3_000);
    assert!(matches!(samples.as_slice(), [Sample::Reading(_)]), "two lost polls are noise");
    paper.first = vec![ABSENT; 3];
    for now in [4_000, 5_000, 6_000] {
        assert_eq!(miss_of(&paper.serve(&mut schedule, now)), ABSENT);
    }
    let samples = paper.serve(&mut schedule, 7_000);
    assert!(matches!(samples.as_slice(), [Sample::Identity { .. }, Sample::Reading(_)]), "{samples:?}");
}

#[test]
fn identity_is_read_at_both_ends_of_every_interval_of_utc_and_at_no_other_quiet_time() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    let mut read_at = Vec::new();
    for now in (0..2_700_000).step_by(1_000) {
        let samples = paper.serve(&mut schedule, now);
        if samples.iter().any(|sample| matches!(sample, Sample::Identity { .. })) {
            read_at.push(now);
        }
    }
    assert_eq!(read_at, [0, 870_000, 1_770_000, 2_670_000]);
}

#[test]
fn a_step_of_power_asks_for_the_ratios_but_not_more_often_than_once_a_minute() {
    let mut schedule = Schedule::new(vec![meter("m1", 1)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    let mut read_at = Vec::new();
    for now in (0..300_000_u64).step_by(1_000) {
        // An arc furnace: on and off every ten seconds from the hundredth second on, and noise before.
        let on = now >= 100_000 && now / 10_000 % 2 == 0;
        paper
            .registers
            .insert((Function::Holding, 11), if on { 5_000 } else { 4 + u16::from(now / 1_000 % 2 == 0) });
        let samples = paper.serve(&mut schedule, now);
        if samples.iter().any(|sample| matches!(sample, Sample::Identity { .. })) {
            read_at.push(now / 1_000);
        }
    }
    assert_eq!(read_at, [0, 101, 161, 221, 281]);
}

#[test]
fn a_route_that_stays_silent_costs_a_living_meter_one_poll_and_is_not_asked_again() {
    // A map without a word of identity: functions 43 and 17 are all there is.
    let text = SMALL
        .replace("[ratio]\nct = { at = 100, type = \"u16\" }\n", "")
        .replace("\"secondary\"", "\"primary\"");
    let text = text.replace(", times = \"ct\"", "").replace(", times = \"none\"", "");
    let profile = Arc::new(Profile::parse("small.toml", &text).unwrap());
    let mut schedule = Schedule::new(vec![point("m1", 1, profile)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.first = vec![Fault::Timeout, Fault::Timeout];
    let is_special = |question: &Question| question.block().is_none();
    assert_eq!(miss_of(&paper.serve(&mut schedule, 0)), Fault::Timeout);
    assert_eq!(miss_of(&paper.serve(&mut schedule, 1_000)), Fault::Timeout);
    paper.reading(&mut schedule, 2_000);
    assert_eq!(paper.asked.iter().filter(|q| is_special(q)).count(), 2);
    paper.asked.clear();
    for now in (3_000..3_000_000).step_by(1_000) {
        paper.reading(&mut schedule, now);
    }
    assert!(!paper.asked.iter().any(is_special), "three intervals without a question it does not know");
}

#[test]
fn a_route_is_not_called_silent_for_a_meter_that_was_dead_when_it_was_tried() {
    let text = SMALL
        .replace("[ratio]\nct = { at = 100, type = \"u16\" }\n", "")
        .replace("\"secondary\"", "\"primary\"");
    let text = text.replace(", times = \"ct\"", "").replace(", times = \"none\"", "");
    let profile = Arc::new(Profile::parse("small.toml", &text).unwrap());
    let mut schedule = Schedule::new(vec![point("m1", 1, profile)], vec![], 0, 0);
    let mut paper = Paper { device_id: None, ..Paper::small(600, 5) };
    paper.first = vec![Fault::Timeout; 3];
    for now in [0, 1_000, 2_000] {
        assert_eq!(miss_of(&paper.serve(&mut schedule, now)), Fault::Timeout);
    }
    paper.device_id = Some("SDM630");
    let samples = paper.serve(&mut schedule, 3_000);
    let identity = identity_of(&samples);
    assert_eq!((identity.route, identity.model.unwrap().as_str()), (Some(Route::DeviceId), "SDM630"));
    assert!(identity.silent.has(Route::ServerId));
}

#[test]
fn a_meter_that_says_it_is_another_model_is_not_read_with_this_map() {
    let text =
        SMALL.replace("[link]", "[[identify]]\nfc = 3\nat = 200\ntype = \"u16\"\nequals = 7\n\n[link]");
    let profile = Arc::new(Profile::parse("small.toml", &text).unwrap());
    let mut schedule = Schedule::new(vec![point("m1", 1, profile)], vec![], 0, 0);
    let mut paper = Paper::small(600, 5);
    paper.registers.insert((Function::Holding, 200), 8);
    assert_eq!(miss_of(&paper.serve(&mut schedule, 0)), Fault::WrongModel);
    paper.registers.insert((Function::Holding, 200), 7);
    paper.reading(&mut schedule, 1_000);
}

#[test]
fn a_meter_without_the_model_has_answered_all_the_same() {
    let text = include_str!("../../../../config/meters/sunspec-203.toml");
    let sunspec = Arc::new(Profile::parse("sunspec-203.toml", text).unwrap());
    let mut schedule = Schedule::new(vec![point("m1", 1, sunspec)], vec![], 0, 0);
    let samples = Paper::default().serve(&mut schedule, 0);
    let causes: Vec<Fault> = samples
        .iter()
        .filter_map(|sample| match sample {
            Sample::Miss { fault, .. } | Sample::IdentityMiss { fault, .. } => Some(*fault),
            Sample::Reading(_)
            | Sample::Identity { .. }
            | Sample::Plate { .. }
            | Sample::PlateMiss { .. } => None,
        })
        .collect();
    assert_eq!(causes, [Fault::WrongModel; 2]);
}

#[test]
fn a_chain_without_an_end_does_not_blind_the_neighbour() {
    let text = include_str!("../../../../config/meters/sunspec-203.toml");
    let sunspec = Arc::new(Profile::parse("sunspec-203.toml", text).unwrap());
    let mut schedule = Schedule::new(vec![point("endless", 1, sunspec), meter("m2", 2)], vec![], 0, 0);
    let (mut now, mut readings, mut causes) = (0, 0, Vec::new());
    while now < 600_000 {
        let ask = match schedule.next(now) {
            Next::Ask(ask) => ask,
            Next::WaitUntil(at) => {
                now = at;
                continue;
            }
        };
        // Every answer of the endless one comes just in time; its chain goes on from one small model to the next.
        now += if ask.unit == 1 { u64::from(ask.deadline_ms) - 1 } else { 20 };
        let words: Result<Vec<u16>, Fault> = match (ask.unit, ask.question) {
            (1, Question::Registers(Block { at: 40_000, .. })) => Ok(vec![0x5375, 0x6E53, 64_000, 1]),
            (1, Question::Registers(_)) => Ok(vec![64_000, 1]),
            (_, Question::Registers(_)) => ones(&ask),
            (_, Question::DeviceId { .. } | Question::ServerId) => Err(Fault::Exception(1)),
        };
        let answer = words.as_deref().map(Reply::Words).map_err(|fault| *fault);
        for sample in schedule.on_answer(&stamp(now), answer) {
            match sample {
                Sample::Reading(_) => readings += 1,
                Sample::Miss { fault, .. } | Sample::IdentityMiss { fault, .. } => causes.push(fault),
                Sample::Identity { .. } | Sample::Plate { .. } | Sample::PlateMiss { .. } => {}
            }
        }
    }
    assert!(readings > 400, "{readings} of 600 polls of the neighbour: {causes:?}");
    assert!(causes.len() < 40, "{causes:?}");
}
