//! Nameplates, rosters and days, told to the judge.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    catalogue::{
        Attribute, Citation, Class, Listed, Nameplate, Phase, PlateSource, Plates, Roster, Rostered, Rules,
        Surroundings, plate::PlateValue,
    },
    judge::{EquipmentMemory, Papers},
    terms::{
        Digest,
        place::{CreditCode, Division},
        time::DAY_MS,
    },
};

fn asset() -> AssetId {
    AssetId::new("eaf-1").unwrap()
}

fn furnace(tonnes: i64) -> Nameplate {
    let line = |name, value| Attribute::new(name, value).unwrap();
    Nameplate::new(vec![
        line("equipment_kind", PlateValue::Text("electric_furnace".into())),
        line("furnace_product", PlateValue::Text("steel".into())),
        line("nominal_tonnage_t", PlateValue::Whole(tonnes)),
    ])
    .unwrap()
}

fn papers(declared_tonnes: i64, is_read: bool) -> Papers {
    let division = Division::parse("130421").unwrap();
    let surroundings = Surroundings { division, determinations: Vec::new(), is_read };
    let rules = Arc::new(Rules::shipped().unwrap());
    Papers {
        asset: asset(),
        plates: Plates::new(rules, surroundings, furnace(declared_tonnes)),
        lead_days: 21,
    }
}

fn roster(version: u32, days: &[(&str, LegalDay)]) -> Roster {
    let entry = Citation::new("steel-electric-furnace-up-to-30t").unwrap();
    let listed = days.iter().map(|(id, deadline)| Listed {
        asset: AssetId::new(id).unwrap(),
        entry,
        deadline: *deadline,
    });
    let uscc = CreditCode::parse("91350100M000100Y43").unwrap();
    Roster::new(version, uscc, "1".into(), listed.collect()).unwrap()
}

/// The day so many days after the story's first.
fn after(days: i64) -> LegalDay {
    LegalDay::of_unix_ms(WALL_MS + days * DAY_MS)
}

impl Story {
    fn lawful(declared_tonnes: i64, is_read: bool, memory: &Memory) -> Story {
        let mut story = Story::new("");
        story.site = site("", memory).with_papers(vec![papers(declared_tonnes, is_read)], memory);
        story
    }

    fn tell(&mut self, fact: Fact<'_>) -> &mut Story {
        let (at, said) = (self.stamp(), &mut self.said);
        self.site.on(&at, fact, &mut |f| said.push(f));
        self
    }

    fn read_plate(&mut self, plate: &Nameplate) -> &mut Story {
        let sample = Sample::Plate { asset: asset(), at: self.stamp(), words: plate.to_words() };
        self.hear(&sample);
        self
    }

    fn sleep_days(&mut self, days: u64) -> &mut Story {
        for _ in 0..days {
            self.now_ms += DAY_MS.cast_unsigned();
            self.tell(Fact::Tick);
        }
        self
    }

    fn events(&self) -> Vec<&Event> {
        self.said.iter().filter_map(|f| if let Finding::Event(e) = f { Some(e) } else { None }).collect()
    }

    fn warnings(&self) -> Vec<u16> {
        let days = |e: &&Event| if let Event::DeadlineWarning(w) = e { Some(w.days_left) } else { None };
        self.events().iter().filter_map(days).collect()
    }

    fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.events().into_iter().filter(|e| is(e)).count()
    }

    /// What the log would hand to the judge after a restart.
    fn whole_memory(&self, roster: Option<Roster>) -> Memory {
        let verdict = self.verdict();
        let plates = self.events().into_iter().filter_map(|e| {
            if let Event::Plate(read) = e {
                Some((read.asset, read.source, read.plate.clone()))
            } else {
                None
            }
        });
        let mut newest: Vec<(AssetId, PlateSource, Nameplate)> = Vec::new();
        for (asset, source, plate) in plates {
            newest.retain(|(_, of, _)| *of != source);
            newest.push((asset, source, plate));
        }
        Memory {
            equipment: vec![EquipmentMemory {
                asset: asset(),
                violation_since_unix_ms: verdict.violation_since_unix_ms,
                energy_closed: verdict.energy_closed,
                bound_closed: WattHours(0),
                plate: verdict.plate,
                standing: verdict.standing,
            }],
            plates: newest,
            roster,
            ..self.memory()
        }
    }
}

#[test]
fn equipment_in_scope_violates_by_its_nameplate_alone_and_what_is_out_of_scope_never() {
    let mut story = Story::lawful(25, false, &Memory::default());
    story.run(10, 5_000, 100).run(60, 8_000_000, 100);
    let verdict = story.verdict();
    assert_eq!((verdict.standing.class(), verdict.phase), (Some(Class::InScope), Some(Phase::Overdue)));
    assert_eq!(verdict.standing.decommissioned_on, None);
    assert!(verdict.violation_since_unix_ms.is_some());
    let mut story = Story::lawful(31, false, &Memory::default());
    story.run(10, 5_000, 100).run(60, 8_000_000, 100);
    let verdict = story.verdict();
    assert_eq!((verdict.standing.class(), verdict.phase), (Some(Class::OutOfScope), None));
    assert_eq!((verdict.state, verdict.violation_since_unix_ms), (State::Drawing, None));
}

#[test]
fn drawing_before_the_deadline_is_information_and_after_midnight_a_violation() {
    let mut story = Story::lawful(31, false, &Memory::default());
    let today = after(0);
    story.tell(Fact::Roster(&roster(1, &[("eaf-1", today)])));
    story.run(10, 5_000, 100).run(60, 8_000_000, 100);
    assert_eq!(story.verdict().phase, Some(Phase::PreDeadline));
    assert_eq!(story.verdict().violation_since_unix_ms, None);
    // The last second of the day in Shanghai, and the first of the next.
    let midnight = today.starts_unix_ms() + DAY_MS - WALL_MS;
    story.now_ms = u64::try_from(midnight).unwrap() - 2_000;
    story.run(1, 8_000_000, 100);
    assert_eq!(story.verdict().phase, Some(Phase::PreDeadline));
    story.run(90, 8_000_000, 100);
    assert_eq!(story.verdict().phase, Some(Phase::Overdue));
    let since = story.verdict().violation_since_unix_ms.unwrap();
    assert!(since >= WALL_MS + midnight);
    assert_eq!(story.verdict().standing.class(), Some(Class::OutOfScope), "the roster puts the duty on it");
}

#[test]
fn an_edit_of_the_nameplate_is_an_alarm_and_neither_clears_nor_delays() {
    let mut story = Story::lawful(25, true, &Memory::default());
    story.read_plate(&furnace(25)).run(10, 5_000, 100).run(60, 8_000_000, 100);
    let since = story.verdict().violation_since_unix_ms.unwrap();
    story.read_plate(&furnace(31)).run(10, 8_000_000, 100);
    let mut events = story.events().into_iter();
    let told = events.find_map(|e| if let Event::ClassChanged(c) = e { Some(c.clone()) } else { None });
    let told = told.unwrap();
    assert_eq!((told.before.class, told.after.class), (Class::InScope, Class::OutOfScope));
    assert_eq!(told.edits.len(), 1);
    assert_eq!(story.count(|e| matches!(e, Event::PlateDiffers { .. })), 1);
    let verdict = story.verdict();
    assert_eq!((verdict.violation_since_unix_ms, verdict.phase), (Some(since), Some(Phase::Overdue)));
    assert_eq!(verdict.standing.class(), Some(Class::InScope));
    // Over a restart, with another declaration as well.
    let memory = story.whole_memory(None);
    let mut again = Story::lawful(40, true, &memory);
    again.now_ms = story.now_ms;
    again.run(10, 5_000, 100);
    let verdict = again.verdict();
    assert_eq!((verdict.violation_since_unix_ms, verdict.phase), (Some(since), Some(Phase::Overdue)));
    assert_eq!(again.count(|e| matches!(e, Event::ClassChanged(c) if c.source == PlateSource::Declared)), 1);
    assert_eq!(again.count(|e| matches!(e, Event::Plate(p) if p.source == PlateSource::Declared)), 1);
    // The authority alone lets go.
    again.tell(Fact::Reset(asset())).run(10, 8_000_000, 100);
    assert_eq!(again.verdict().standing.class(), Some(Class::OutOfScope));
    assert_eq!(again.verdict().violation_since_unix_ms, None);
}

#[test]
fn a_nameplate_that_cannot_be_read_keeps_what_was_read() {
    let mut story = Story::lawful(31, true, &Memory::default());
    story.run(10, 5_000, 100);
    assert_eq!(story.verdict().standing.class(), Some(Class::Undetermined));
    story.read_plate(&furnace(25)).run(1, 5_000, 100);
    assert_eq!(story.verdict().standing.class(), Some(Class::InScope));
    let miss = Sample::PlateMiss { asset: asset(), at: story.stamp(), fault: Fault::Timeout };
    story.hear(&miss);
    story.run(10, 5_000, 100);
    assert_eq!(story.verdict().standing.class(), Some(Class::InScope));
    let memory = story.whole_memory(None);
    let mut again = Story::lawful(31, true, &memory);
    again.now_ms = story.now_ms;
    again.run(10, 5_000, 100);
    assert_eq!(again.verdict().standing.class(), Some(Class::InScope));
}

#[test]
fn warnings_come_once_each_before_the_day_and_survive_a_restart() {
    let list = roster(1, &[("eaf-1", after(130))]);
    let mut story = Story::lawful(31, false, &Memory::default());
    story.tell(Fact::Roster(&list)).run(5, 5_000, 100);
    assert_eq!(story.warnings(), [0; 0], "130 days are more than 90 and the shutdown's 21");
    story.sleep_days(60).run(5, 5_000, 100);
    assert_eq!(story.warnings(), [111]);
    let memory = story.whole_memory(Some(list.clone()));
    let mut again = Story::lawful(31, false, &memory);
    (again.now_ms, again.energy) = (story.now_ms, story.energy);
    again.run(5, 5_000, 100).sleep_days(80);
    assert_eq!(again.warnings(), [51, 28], "not the one of 111 days again, and none after the day");
    // An earlier day is another deadline.
    let mut late = Story::lawful(31, false, &Memory::default());
    late.tell(Fact::Roster(&list)).run(5, 5_000, 100).tell(Fact::Roster(&roster(2, &[("eaf-1", after(10))])));
    assert_eq!(late.warnings(), [10], "who comes late is warned once");
}

#[test]
fn a_declared_day_is_not_put_off_by_declaring_another() {
    let begin = |declared: LegalDay, memory: &Memory| {
        let mut story = Story::lawful(31, false, memory);
        story.site = site(&declared.to_string(), memory).with_papers(vec![papers(31, false)], memory);
        story
    };
    let mut story = begin(after(9), &Memory::default());
    story.run(5, 5_000, 100);
    let memory = story.whole_memory(None);
    let go_on = |declared| {
        let mut again = begin(declared, &memory);
        (again.now_ms, again.energy) = (story.now_ms, story.energy);
        again.run(5, 5_000, 100);
        again
    };
    let mut later = go_on(after(90));
    assert_eq!(later.verdict().standing.last_day(), Some(after(9)), "the day first declared counts");
    assert_eq!(go_on(after(3)).verdict().standing.last_day(), Some(after(3)), "an earlier one is taken");
    later.tell(Fact::Reset(asset()));
    assert_eq!(later.verdict().standing.last_day(), Some(after(90)), "the authority lets it go");
}

#[test]
fn a_fingerprint_of_the_nameplate_travels_with_every_state_and_interval() {
    let mut story = Story::lawful(25, true, &Memory::default());
    story.run(1_000, 5_000, 100);
    story.read_plate(&furnace(31)).run(1_000, 8_000_000, 100);
    let told = story.said.iter().filter_map(|finding| match finding {
        Finding::State(found) => Some(found.plate),
        Finding::Interval(interval) => Some(interval.plate),
        Finding::Verdict(_) | Finding::Transition(_) | Finding::Event(_) => None,
    });
    let mut told: Vec<Option<Digest>> = told.collect();
    assert!(told.len() >= 4, "{}", told.len());
    told.dedup();
    assert_eq!(told, [furnace(25), furnace(31)].map(|plate| Some(plate.fingerprint())));
}

#[test]
fn whoever_owes_nothing_is_never_warned() {
    for tonnes in [31, 0] {
        let mut story = Story::lawful(tonnes, false, &Memory::default());
        story.run(5, 5_000, 100).sleep_days(400);
        assert_eq!(story.warnings(), [0; 0]);
        assert_ne!(story.verdict().standing.class(), Some(Class::InScope));
    }
}

#[test]
fn what_is_in_scope_and_not_on_the_roster_is_told_once() {
    let is_missing = |e: &Event| matches!(e, Event::NotOnRoster { .. });
    let list = roster(3, &[("kiln-1", after(9))]);
    let mut story = Story::lawful(25, false, &Memory::default());
    story.run(5, 5_000, 100);
    assert_eq!(story.count(is_missing), 0, "no roster is in force");
    story.tell(Fact::Roster(&list)).run(5, 5_000, 100).sleep_days(3);
    assert_eq!(story.count(is_missing), 1);
    assert_eq!(story.verdict().standing.roster, Some(Rostered::Absent));
    let memory = story.whole_memory(Some(list));
    let mut again = Story::lawful(25, false, &memory);
    again.now_ms = story.now_ms;
    again.run(5, 5_000, 100);
    assert_eq!(again.count(is_missing), 0, "it was told");
    let mut lawful = Story::lawful(31, false, &Memory::default());
    lawful.tell(Fact::Roster(&roster(1, &[]))).run(5, 5_000, 100);
    assert_eq!(lawful.count(is_missing), 0, "what is not in scope need not be listed");
}

#[test]
fn an_older_roster_never_wins() {
    let mut story = Story::lawful(31, false, &Memory::default());
    story.tell(Fact::Roster(&roster(4, &[("eaf-1", after(9))]))).run(5, 5_000, 100);
    story.tell(Fact::Roster(&roster(3, &[("eaf-1", after(90))]))).run(5, 5_000, 100);
    assert_eq!(story.verdict().standing.last_day(), Some(after(9)));
    story.tell(Fact::Roster(&roster(5, &[("eaf-1", after(90))]))).run(5, 5_000, 100);
    assert_eq!(story.verdict().standing.last_day(), Some(after(90)), "the newest is the authority's word");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_sequence_of_edits_opens_the_latch_or_takes_the_duty_away(
        edits in proptest::collection::vec((1..60_i64, 0..4_u8), 1..12),
    ) {
        let mut story = Story::lawful(25, true, &Memory::default());
        story.read_plate(&furnace(25)).run(10, 5_000, 100).run(60, 8_000_000, 100);
        let since = story.verdict().violation_since_unix_ms;
        prop_assert!(since.is_some());
        for (tonnes, how) in edits {
            match how {
                0 | 1 => { story.read_plate(&furnace(tonnes)); }
                2 => {
                    let miss = Sample::PlateMiss { asset: asset(), at: story.stamp(), fault: Fault::Timeout };
                    story.hear(&miss);
                }
                _ => {
                    let memory = story.whole_memory(None);
                    let mut again = Story::lawful(tonnes, true, &memory);
                    (again.now_ms, again.energy) = (story.now_ms, story.energy);
                    again.said = std::mem::take(&mut story.said);
                    story = again;
                }
            }
            story.run(3, 5_000, 100);
            prop_assert_eq!(story.verdict().violation_since_unix_ms, since);
            prop_assert_eq!(story.verdict().phase, Some(Phase::Overdue));
        }
    }
}
