//! Which answers may still come on a line whose frames carry no number.
//!
//! An RTU answer names its unit, its function and its length, never its question. So a question is owed its answer
//! until the unit says something that it can only have said later: a unit answers in the order it was asked. A
//! question that an owed answer would fit is not asked before that is settled with another one, for a few registers,
//! whose answer has a length of its own. No time is assumed: an answer may be late by any length and is known as late.

use std::collections::BTreeMap;

use super::pdu::{REFUSED, Shape};

/// Kinds of answers one unit may owe: the settled question's, the unsettled one's, and those of the settling ones.
const MAX_OWED: usize = 4;
/// Answers to one question, asked again and again, that a line and its gateways are believed to hold at a time.
const MAX_ON_THE_WAY: u8 = 16;

/// What a frame is to the question that was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Its answer.
    Answer,
    /// The answer to an older question.
    Late,
    /// Nothing that anybody was asked.
    Foreign,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    shape: Shape,
    /// Asked to settle older debts.
    settles: bool,
    /// How many answers may still come.
    answers: u8,
}

/// What every unit of a line owes, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Debts(BTreeMap<u8, heapless::Vec<Owed, MAX_OWED>>);

impl Debts {
    /// Whether an answer of this unit is awaited or may still come.
    pub(super) fn owes(&self, unit: u8) -> bool {
        self.0.contains_key(&unit)
    }

    /// What must be asked before a question of this shape; `None` when it may be asked now.
    pub(super) fn settling(&self, unit: u8, wanted: Shape) -> Option<Shape> {
        let owed = self.0.get(&unit)?;
        let (first, rest) = owed.split_first()?;
        if rest.is_empty() && first.shape != wanted {
            return None;
        }
        let full = owed.len() + 1 >= MAX_OWED;
        let again = owed.last().filter(|last| last.settles && (full || last.shape != wanted));
        let shapes: heapless::Vec<Shape, MAX_OWED> = owed.iter().map(|owed| owed.shape).collect();
        again.map(|last| last.shape).or_else(|| wanted.unlike(&shapes))
    }

    /// Notes that a question is about to leave. False when it must not, because its answer could be mistaken.
    pub(super) fn ask(&mut self, unit: u8, shape: Shape, settles: bool) -> bool {
        let owed = self.0.entry(unit).or_default();
        match owed.last_mut().filter(|last| settles && last.settles && last.shape == shape) {
            Some(last) => {
                last.answers = last.answers.saturating_add(1).min(MAX_ON_THE_WAY);
                true
            }
            None => {
                let clear = owed.iter().all(|older| older.shape != shape);
                clear && owed.push(Owed { shape, settles, answers: 1 }).is_ok()
            }
        }
    }

    /// Takes the body of a frame that a unit sent.
    pub(super) fn hear(&mut self, unit: u8, body: &[u8]) -> Heard {
        let Some(owed) = self.0.get_mut(&unit) else { return Heard::Foreign };
        let Some(at) = owed.iter().position(|owed| owed.shape.fits(body)) else { return Heard::Foreign };
        let is_last = |at: usize, owed: &[Owed]| at + 1 == owed.len();
        let answers = owed.last().is_some_and(|last| last.shape.fits(body));
        let refused = body.first().is_some_and(|function| function & REFUSED != 0);
        // A refusal that may be an older question's is a refusal all the same, but it settles only the older one.
        let heard = if answers && (refused || is_last(at, owed)) { Heard::Answer } else { Heard::Late };
        *owed = owed.iter().skip(at).copied().collect();
        if let Some(paid) = owed.first_mut() {
            paid.answers = paid.answers.saturating_sub(1);
        }
        owed.retain(|owed| owed.answers > 0);
        if owed.is_empty() {
            self.0.remove(&unit);
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const UNIT: u8 = 7;

    fn shape(count: u8) -> Shape {
        Shape { function: 3, bytes: Some(count * 2) }
    }

    fn answer(shape: Shape) -> Vec<u8> {
        let bytes = shape.bytes.unwrap();
        [vec![3, bytes], vec![0; usize::from(bytes)]].concat()
    }

    #[test]
    fn an_answer_to_the_only_question_is_its_answer() {
        let mut debts = Debts::default();
        assert!(debts.ask(UNIT, shape(2), false));
        assert_eq!(debts.hear(9, &answer(shape(2))), Heard::Foreign);
        assert_eq!(debts.hear(UNIT, &answer(shape(3))), Heard::Foreign);
        assert_eq!(debts.hear(UNIT, &answer(shape(2))), Heard::Answer);
        assert!(!debts.owes(UNIT));
    }

    #[test]
    fn a_late_answer_of_the_same_shape_is_settled_first() {
        let mut debts = Debts::default();
        debts.ask(UNIT, shape(2), false);
        let settling = debts.settling(UNIT, shape(2)).unwrap();
        assert_ne!(settling, shape(2));
        assert!(!debts.ask(UNIT, shape(2), false), "it could be mistaken");
        assert!(debts.ask(UNIT, settling, true));
        assert_eq!(debts.hear(UNIT, &answer(shape(2))), Heard::Late);
        assert_eq!(debts.hear(UNIT, &answer(settling)), Heard::Answer);
        assert_eq!(debts.settling(UNIT, shape(2)), None);
    }

    #[test]
    fn a_refusal_is_a_refusal_whichever_question_it_was_for() {
        let mut debts = Debts::default();
        debts.ask(UNIT, shape(2), false);
        let settling = debts.settling(UNIT, shape(2)).unwrap();
        debts.ask(UNIT, settling, true);
        assert_eq!(debts.hear(UNIT, &[0x83, 2]), Heard::Answer);
        assert_eq!(
            debts.settling(UNIT, shape(2)),
            None,
            "only the settling question's answer may still come"
        );
    }

    /// A unit that answers in order, each answer or not at all, and a line that delivers whenever it likes what it
    /// holds, which is never more than [`MAX_ON_THE_WAY`] answers.
    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Ask(u8),
        Deliver,
        LoseNewest,
        Refuse,
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            4 => (1_u8..5).prop_map(Deed::Ask),
            4 => Just(Deed::Deliver),
            2 => Just(Deed::LoseNewest),
            1 => Just(Deed::Refuse),
        ]
    }

    proptest! {
        #[test]
        fn under_any_delays_an_answer_is_believed_only_by_its_own_question(deeds in prop::collection::vec(deed(), 0..200)) {
            let mut debts = Debts::default();
            let mut on_the_way: VecDeque<(u32, Vec<u8>)> = VecDeque::new();
            let (mut number, mut open) = (0_u32, None);
            for deed in deeds {
                match deed {
                    Deed::Ask(_) if on_the_way.len() == usize::from(MAX_ON_THE_WAY) => {}
                    Deed::Ask(count) => {
                        let wanted = shape(count);
                        let settling = debts.settling(UNIT, wanted);
                        let asked = settling.unwrap_or(wanted);
                        prop_assert!(debts.ask(UNIT, asked, settling.is_some()));
                        number += 1;
                        on_the_way.push_back((number, answer(asked)));
                        open = Some((number, settling.is_some()));
                    }
                    Deed::LoseNewest => drop(on_the_way.pop_back()),
                    Deed::Refuse => {
                        if let Some((_, body)) = on_the_way.back_mut() {
                            *body = vec![0x83, 6];
                        }
                    }
                    Deed::Deliver => {
                        let Some((of, body)) = on_the_way.pop_front() else { continue };
                        let heard = debts.hear(UNIT, &body);
                        prop_assert!(heard != Heard::Foreign || body.first() == Some(&0x83), "{:?}", debts);
                        if let (Heard::Answer, Some((asked, settles)), true) = (heard, open, body.len() > 2) {
                            prop_assert!(of == asked || settles, "the answer to {of} is believed by {asked}");
                            open = None;
                        }
                    }
                }
                prop_assert!(debts.0.values().all(|owed| owed.len() <= MAX_OWED));
            }
        }
    }
}
