//! What may be done, what is left of it, and a world: disk, network and who heard what.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

use super::paper::Image;
use coldhearth::{evidence::Head, terms::Digest};

/// What a running gateway has done since it started. Its scribe cannot be copied, so it is led there again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    Say(u64),
    Commit,
    Rotate(u64),
    Hear(Receipt64),
    Close,
}

/// A receipt by its place in the explorer's list.
pub(super) type Receipt64 = usize;

#[derive(Clone)]
pub(super) struct Life {
    pub(super) found: Rc<Image>,
    pub(super) began: u64,
    pub(super) deeds: Vec<Deed>,
}

/// What may be done how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) says: u8,
    pub(super) ends: u8,
    pub(super) flushes: u8,
    pub(super) receipts: u8,
    pub(super) rotations: u8,
    pub(super) restores: u8,
}

/// What happened, the last first; shared, since most of it is common to many worlds.
#[derive(Clone, Default)]
pub(super) struct Story(pub(super) Option<Rc<(String, Story)>>);

impl Story {
    pub(super) fn events(&self) -> Vec<&str> {
        let mut events = Vec::new();
        let mut story = self;
        while let Some(last) = &story.0 {
            events.push(last.0.as_str());
            story = &last.1;
        }
        events.reverse();
        events
    }
}

impl std::fmt::Debug for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.events(), f)
    }
}

/// Everything that matters for what can happen next.
#[derive(Clone)]
pub(super) struct World {
    pub(super) life: Option<Life>,
    /// What the gateway believes it has written.
    pub(super) disk: Rc<Image>,
    /// What a power cut leaves of it.
    pub(super) platter: Rc<Image>,
    pub(super) stolen: Option<Rc<Image>>,
    pub(super) restored: bool,
    pub(super) rolled_back: bool,
    pub(super) published: BTreeSet<usize>,
    pub(super) delivered: BTreeSet<usize>,
    pub(super) head: Head,
    /// What tells this head from others, in one number.
    pub(super) head_key: u64,
    pub(super) receipt: Option<Receipt64>,
    /// What the authority had received when it last gave a receipt.
    pub(super) receipted: BTreeMap<u64, Digest>,
    pub(super) ticks: u64,
    pub(super) left: Left,
    /// How it came to this.
    pub(super) story: Story,
}

impl World {
    pub(super) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Some(life) = &self.life {
            // What was committed is on the disk; what was only said is not.
            let open = life.deeds.iter().rev().take_while(|deed| matches!(deed, Deed::Say(_))).count();
            (true, open, life.deeds.iter().rfind(|deed| matches!(deed, Deed::Hear(_)))).hash(&mut hasher);
            life.deeds[life.deeds.len() - open..].hash(&mut hasher);
        }
        for image in [Some(&self.disk), Some(&self.platter), self.stolen.as_ref()].into_iter().flatten() {
            image.key.hash(&mut hasher);
        }
        (self.stolen.is_some(), self.restored, self.rolled_back, &self.published, &self.delivered)
            .hash(&mut hasher);
        (self.head_key, self.receipt, self.ticks, self.left, self.receipted.len()).hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn told(&self, what: impl Into<String>) -> World {
        let mut next = self.clone();
        next.story = Story(Some(Rc::new((what.into(), self.story.clone()))));
        next
    }
}
