//! PURE file: what a member is subscribed to, and how that changes: the new is granted before the old is given up, so that
//! nothing is heard by nobody in between.

use std::collections::BTreeSet;

use crate::host::courier::Send;

/// What a shared filter begins with; behind it the group's name.
pub(super) const SHARED: &str = "$share/";

/// Filters in one request: some brokers make a queue for each, and take their time.
pub(super) const MOST_AT_ONCE: usize = 8;

/// The subscriptions of one connection, which begins without any.
#[derive(Debug)]
pub(super) struct Ears {
    held: BTreeSet<String>,
    asked: Option<(u64, BTreeSet<String>)>,
    tag: u64,
}

impl Ears {
    /// Nothing is subscribed to.
    pub(super) const fn new() -> Ears {
        Ears { held: BTreeSet::new(), asked: None, tag: 0 }
    }

    /// The connection is another one.
    pub(super) fn reset(&mut self) {
        (self.held, self.asked) = (BTreeSet::new(), None);
    }

    /// Whether all of these are subscribed to.
    pub(super) fn hold(&self, filters: &BTreeSet<String>) -> bool {
        filters.is_subset(&self.held)
    }

    /// Those of them that are subscribed to.
    pub(super) fn held<'a>(&'a self, filters: &'a BTreeSet<String>) -> impl Iterator<Item = &'a String> {
        filters.intersection(&self.held)
    }

    /// What to say to the broker next so that it comes to this; one thing at a time.
    pub(super) fn next(&mut self, wanted: &BTreeSet<String>) -> Option<Send> {
        if self.asked.is_some() {
            return None;
        }
        let missing = wanted.difference(&self.held);
        let (shared, plain): (BTreeSet<String>, BTreeSet<String>) =
            missing.cloned().partition(|filter| filter.starts_with(SHARED));
        // A refusal of the one says nothing of the other.
        let filters = if plain.is_empty() { shared } else { plain };
        let filters: BTreeSet<String> = filters.into_iter().take(MOST_AT_ONCE).collect();
        if !filters.is_empty() {
            self.tag += 1;
            self.asked = Some((self.tag, filters.clone()));
            return Some(Send::Subscribe { tag: self.tag, filters: filters.into_iter().collect() });
        }
        let gone: BTreeSet<String> = self.held.difference(wanted).cloned().collect();
        if gone.is_empty() {
            return None;
        }
        // rumqttd takes whoever gives up any filter out of every group: what is shared is asked for again.
        self.held.retain(|filter| wanted.contains(filter) && !filter.starts_with(SHARED));
        Some(Send::Unsubscribe(gone.into_iter().collect()))
    }

    /// The broker has answered. Tells whether it refused; only of a shared filter we hear that.
    pub(super) fn on_granted(&mut self, tag: u64, granted: bool) -> bool {
        match self.asked.take_if(|(asked, _)| *asked == tag) {
            Some((_, filters)) if granted => self.held.extend(filters),
            Some(_) => return true,
            None => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(filters: &[&str]) -> BTreeSet<String> {
        filters.iter().map(|filter| (*filter).to_owned()).collect()
    }

    /// Does all there is to do, everything granted; tells it as lines.
    fn done(ears: &mut Ears, wanted: &BTreeSet<String>) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(send) = ears.next(wanted) {
            if let Send::Subscribe { tag, filters } = &send {
                said.push(format!("+{}", filters.join(" ")));
                assert!(ears.next(wanted).is_none(), "one thing at a time");
                assert!(!ears.on_granted(*tag, true));
            } else if let Send::Unsubscribe(filters) = &send {
                said.push(format!("-{}", filters.join(" ")));
            }
        }
        assert!(ears.hold(wanted));
        said
    }

    #[test]
    fn the_new_is_there_before_the_old_goes() {
        let mut ears = Ears::new();
        assert_eq!(done(&mut ears, &set(&["$share/g/r"])), ["+$share/g/r"]);
        assert_eq!(done(&mut ears, &set(&["a", "b"])), ["+a b", "-$share/g/r"]);
        assert_eq!(done(&mut ears, &set(&["a", "b", "c"])), ["+c"]);
        assert_eq!(done(&mut ears, &set(&["a"])), ["-b c"]);
        assert_eq!(done(&mut ears, &set(&["$share/g/r"])), ["+$share/g/r", "-a", "+$share/g/r"]);
        assert_eq!(done(&mut ears, &set(&["$share/g/r"])), [""; 0]);
        ears.reset();
        assert_eq!(done(&mut ears, &set(&["a"])), ["+a"]);
        let many: Vec<String> = ('a'..='t').map(String::from).collect();
        let asked = done(&mut ears, &many.into_iter().collect());
        assert_eq!(asked, ["+b c d e f g h i", "+j k l m n o p q", "+r s t"]);
    }

    #[test]
    fn a_refusal_is_told_and_old_answers_mean_nothing() {
        let mut ears = Ears::new();
        let wanted = set(&["$share/g/r"]);
        let Some(Send::Subscribe { tag, .. }) = ears.next(&wanted) else { panic!("it asks") };
        ears.reset();
        assert!(!ears.on_granted(tag, true) && !ears.hold(&wanted), "that was another connection");
        let Some(Send::Subscribe { tag, .. }) = ears.next(&wanted) else { panic!("it asks again") };
        assert!(ears.on_granted(tag, false) && !ears.hold(&wanted));
    }
}
