//! What the orders of a log rest on: the records without which nobody could tell any longer how an order stands, or certify
//! it. Acts and steps, the words of a hold between which anything else than time changed, the newest word of all; what was
//! declared of the meters; the days that both witnesses counted, and the dark times. Of the notes that only count on, every
//! five minutes, none but the ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{body::Body, of_orders::OfOrders, order_log::OrderLog, record::Record};
use crate::{
    judge::cutoff::{Hold, Order, OrderAct},
    terms::{AssetId, MeterId, OrderId},
};

/// What the orders of one log rest on. Takes its records in their order.
#[derive(Debug, Default)]
pub struct Rests {
    log: OrderLog,
    /// The log has a step that cannot be: whoever wants to see that needs all of it.
    is_impossible: bool,
    /// Of every order, by place and newest last.
    words: BTreeMap<OrderId, Words>,
    /// Acts, days and dark times, each with what it is about.
    others: Vec<(u64, About)>,
    /// The newest declaration of each meter.
    declared: BTreeMap<MeterId, u64>,
}

#[derive(Debug)]
enum About {
    Act(Option<OrderId>, AssetId),
    Order(OrderId),
    Meter(MeterId),
}

/// Steps and notes of one order.
#[derive(Debug, Default)]
struct Words {
    /// Those that stay.
    stay: Vec<u64>,
    /// The newest note, which goes as soon as another says the same of a later time.
    newest: Option<(u64, Option<Hold>)>,
    /// What the word before it said of the hold; none where that was no note.
    before: Option<Option<Hold>>,
}

impl Words {
    fn note(&mut self, seq: u64, hold: Option<Hold>) {
        if let Some((newest, known)) = self.newest.replace((seq, hold)) {
            let only_counts = self.before.is_some_and(|before| is_one(before, known)) && is_one(known, hold);
            if !only_counts {
                self.stay.push(newest);
            }
            self.before = Some(known);
        }
    }

    /// Something else than a note: whatever it rests on was told just before.
    fn other(&mut self, seq: Option<u64>) {
        self.stay.extend(self.newest.take().map(|(newest, _)| newest).into_iter().chain(seq));
        self.before = None;
    }

    fn last(&self) -> Option<u64> {
        self.newest.map(|(seq, _)| seq).or(self.stay.last().copied())
    }
}

/// Whether two words of a hold differ by time that is proven, and by nothing else that is told of it.
fn is_one(before: Option<Hold>, now: Option<Hold>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => {
            !now.restarted_from(&before) && now.gaps == before.gaps && now.carrier == before.carrier
        }
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

impl Rests {
    /// Whether a record of this kind can be any of it, by the word of its type.
    pub fn may_rest_on(kind: &str) -> bool {
        matches!(kind, "genesis" | "act" | "transition" | "event")
    }

    /// Takes the next record of the log.
    pub fn on(&mut self, record: &Record) {
        let seq = record.header.seq;
        if let Body::Commissioned(point) = &record.body {
            self.declared.insert(point.meter, seq);
        }
        let Some(said) = record.body.of_orders() else { return };
        self.is_impossible |= self.log.on(record).is_err();
        match said {
            OfOrders::Begins(_) => {}
            OfOrders::Act(about, _) => self.act(seq, &about),
            OfOrders::Step(step) => self.words.entry(step.order).or_default().other(Some(seq)),
            OfOrders::Note(note) => self.words.entry(note.order).or_default().note(seq, note.stand.hold),
            OfOrders::Day(day) => self.others.push((seq, About::Order(day.order))),
            OfOrders::Dark(told) => self.others.push((seq, About::Meter(told.meter))),
        }
    }

    fn act(&mut self, seq: u64, about: &OrderAct) {
        self.others.push((seq, About::Act(about.order, about.asset)));
        for cut in self.log.iter().filter(|cut| about.is_about(cut.order())) {
            self.words.entry(cut.order().id).or_default().other(None);
        }
    }

    /// The places up to this one that must stay when all others go: of every order that is open, and of one that is over as
    /// long as any word of it stays behind.
    pub fn up_to(&self, last: u64) -> BTreeSet<u64> {
        let is_needed = |order: &Order, is_over: bool| {
            let newest = self.words.get(&order.id).and_then(Words::last);
            self.is_impossible || !is_over || newest.is_some_and(|newest| newest > last)
        };
        let needed: Vec<&Order> = self
            .log
            .iter()
            .filter(|cut| is_needed(cut.order(), cut.stand().rung.is_over()))
            .map(|cut| cut.order())
            .collect();
        let words = needed.iter().filter_map(|order| self.words.get(&order.id));
        let words =
            words.flat_map(|words| words.stay.iter().copied().chain(words.newest.map(|(seq, _)| seq)));
        let is_about = |about: &About, order: &Order| match about {
            About::Act(named, asset) => *asset == order.asset && named.is_none_or(|named| named == order.id),
            About::Order(named) => *named == order.id,
            About::Meter(meter) => order.looks_at(*meter),
        };
        let others =
            self.others.iter().filter(|(_, about)| needed.iter().any(|order| is_about(about, order)));
        let declared =
            self.declared.iter().filter(|(meter, _)| needed.iter().any(|order| order.looks_at(**meter)));
        let all = words.chain(others.map(|(seq, _)| *seq)).chain(declared.map(|(_, seq)| *seq));
        all.filter(|seq| *seq <= last).collect()
    }
}
