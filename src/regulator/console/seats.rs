//! Places of which there are so many. Once all are taken, whoever has most of them gives up the oldest for one who has fewer:
//! nobody keeps anybody else out, however many places anybody asks for.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::oneshot;

/// What becomes of whoever has most places and asks for one more when all are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// There is none: a place that is in use is not given up for the next one of the same hand.
    Stays,
    /// The oldest is given up: it has had its time.
    GivesWay,
}

/// The places.
#[derive(Debug)]
pub(super) struct Seats<K> {
    taken: Arc<Mutex<Taken<K>>>,
    most: usize,
    own: Own,
}

/// Whose each is, the oldest first. Whoever drops the other end of a place ends it.
#[derive(Debug)]
struct Taken<K> {
    of: BTreeMap<K, VecDeque<(u64, oneshot::Sender<()>)>>,
    count: usize,
    next: u64,
}

/// A place of somebody, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat<K: Ord + Copy> {
    who: K,
    number: u64,
    taken: Arc<Mutex<Taken<K>>>,
    ends: oneshot::Receiver<()>,
    is_over: bool,
}

impl<K: Ord + Copy> Seats<K> {
    /// So many.
    pub(super) fn new(most: usize, own: Own) -> Seats<K> {
        let taken = Taken { of: BTreeMap::new(), count: 0, next: 0 };
        Seats { taken: Arc::new(Mutex::new(taken)), most, own }
    }

    /// One for somebody; `None` where all are taken and nobody has more.
    pub(super) fn one_more(&self, who: K) -> Option<Seat<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.count >= self.most && !taken.make_room_for(who, self.own) {
            return None;
        }
        let (end, ends) = oneshot::channel();
        let number = taken.next;
        taken.next = taken.next.wrapping_add(1);
        taken.count = taken.count.saturating_add(1);
        taken.of.entry(who).or_default().push_back((number, end));
        drop(taken);
        Some(Seat { who, number, taken: self.taken.clone(), ends, is_over: false })
    }

    /// Nobody has any.
    pub(super) fn are_empty(&self) -> bool {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).count == 0
    }
}

impl<K: Ord + Copy> Taken<K> {
    /// Takes the oldest place from whoever has most, if that is more than this one will have then.
    fn make_room_for(&mut self, who: K, own: Own) -> bool {
        let has = self.of.get(&who).map_or(0, VecDeque::len);
        let fullest = self.of.iter().max_by_key(|(_, places)| places.len());
        let Some((fullest, places)) = fullest.map(|(fullest, places)| (*fullest, places.len())) else {
            return false;
        };
        let gives_way = if places > has.saturating_add(1) {
            fullest
        } else if own == Own::GivesWay {
            if places > has || has == 0 { fullest } else { who }
        } else {
            return false;
        };
        let oldest = self.of.get(&gives_way).and_then(VecDeque::front).map(|(number, _)| *number);
        oldest.is_some_and(|oldest| self.leave(gives_way, oldest))
    }

    /// Ends a place. Tells whether it was still taken.
    fn leave(&mut self, who: K, number: u64) -> bool {
        let Some(places) = self.of.get_mut(&who) else { return false };
        let before = places.len();
        places.retain(|(taken, _)| *taken != number);
        let has_left = places.len() < before;
        if places.is_empty() {
            self.of.remove(&who);
        }
        self.count = self.count.saturating_sub(usize::from(has_left));
        has_left
    }
}

impl<K: Ord + Copy> Seat<K> {
    /// Returns once it was given up for somebody else's.
    pub(super) async fn is_given_up(&mut self) {
        if !self.is_over {
            // Nothing is ever sent: the other end is dropped.
            let _ended = (&mut self.ends).await;
            self.is_over = true;
        }
    }
}

impl<K: Ord + Copy> Drop for Seat<K> {
    fn drop(&mut self) {
        let _given_up_before =
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).leave(self.who, self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    /// Whether a place was given up.
    fn is_over(seat: &mut Seat<u32>) -> bool {
        pin!(seat.is_given_up()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn whoever_has_most_gives_up_the_oldest_and_nobody_is_kept_out() {
        let seats = Seats::new(10, Own::Stays);
        let mut greedy: Vec<_> = (0..10).map(|_| seats.one_more(1).unwrap()).collect();
        assert!(seats.one_more(1).is_none(), "nobody else asks: what one has is kept");
        let others: Vec<_> = (2..=10).map(|who| seats.one_more(who).unwrap()).collect();
        let over: Vec<bool> = greedy.iter_mut().map(is_over).collect();
        assert_eq!(over, [true, true, true, true, true, true, true, true, true, false]);
        assert!(seats.one_more(11).is_none(), "each has one");
        drop(others);
        greedy.remove(0);
        assert!(seats.one_more(11).is_some(), "what was given up does not count twice");
        drop(greedy);
        assert!(seats.are_empty());
    }

    #[test]
    fn twenty_people_with_ten_windows_each_and_two_hundred_with_one_are_all_seated() {
        for (people, windows) in [(20, 10), (200, 1)] {
            let seats = Seats::new(super::super::live::MOST_STREAMS, Own::Stays);
            let greedy: Vec<_> = std::iter::from_fn(|| seats.one_more(0)).collect();
            assert_eq!(greedy.len(), super::super::live::MOST_STREAMS);
            let mut all = Vec::new();
            for who in 1..=people {
                (0..windows).for_each(|_| all.push(seats.one_more(who).unwrap()));
            }
            let over: usize = all.iter_mut().map(|seat| usize::from(is_over(seat))).sum();
            assert_eq!(over, 0, "{people}");
        }
    }

    #[test]
    fn where_the_own_gives_way_the_newest_is_never_refused() {
        let seats = Seats::new(3, Own::GivesWay);
        let mut silent: Vec<_> = (0..3).map(|_| seats.one_more(1).unwrap()).collect();
        let newest = seats.one_more(1).unwrap();
        assert_eq!(silent.iter_mut().map(is_over).collect::<Vec<_>>(), [true, false, false]);
        let other = seats.one_more(2).unwrap();
        assert_eq!(silent.iter_mut().map(is_over).collect::<Vec<_>>(), [true, true, false]);
        let third = seats.one_more(3).unwrap();
        let fourth = seats.one_more(4);
        assert!(fourth.is_some(), "one each of three: one of them gives way to the fourth");
        drop((newest, other, third, fourth, silent));
        assert!(seats.are_empty());
    }
}
