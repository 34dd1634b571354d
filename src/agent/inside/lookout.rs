//! Beside the one loop: sees what goes by, leaves a copy for whoever looks, and tells the log of changes.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    narrator::{Line, Narrator, Weight},
    view::View,
};
use crate::{
    agent::config::AgentConfig,
    evidence::Body,
    judge::{Memory, Site, Verdict},
    metering::Sample,
    terms::{Name, Stamp},
};

/// Time between two copies, in milliseconds.
pub const COPY_MS: u64 = 1_000;

/// What the loop hands everything that goes by to. It never waits for anybody.
#[derive(Debug)]
pub struct Lookout {
    view: View,
    narrator: Narrator,
    shown: watch::Sender<Arc<View>>,
    copy_ms: u64,
}

impl Lookout {
    /// A lookout, and where its copies are seen.
    pub fn new(config: &AgentConfig, memory: &Memory, now: &Stamp) -> (Lookout, watch::Receiver<Arc<View>>) {
        let view = View::new(config, memory, now);
        let (shown, seen) = watch::channel(Arc::new(view.clone()));
        (Lookout { view, narrator: Narrator::default(), shown, copy_ms: 0 }, seen)
    }

    /// What came of a poll.
    pub fn on_sample(&mut self, sample: &Sample) {
        self.view.on_sample(sample);
    }

    /// What is about to be written down.
    pub fn on_said(&mut self, now: &Stamp, body: &Body) {
        self.view.on_said(body);
        if let Some(line) = self.narrator.on_said(now, body) {
            write(&line);
        }
    }

    /// The latest verdict on each piece of equipment, in the order of their names.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.view.equipment.iter().filter_map(|view| view.verdict.as_deref())
    }

    /// Time has passed.
    pub fn on_tick(&mut self, now: &Stamp, site: &Site) {
        self.narrator.due(now).iter().for_each(write);
        if now.uptime_ms >= self.copy_ms {
            self.copy_ms = now.uptime_ms + COPY_MS;
            self.view.on_turn(now, site);
            self.shown.send_replace(Arc::new(self.view.clone()));
        }
    }
}

fn write(line: &Line) {
    let Line { weight, gravity: _, about, name, state, why, text, not_told } = line;
    let (name, why) = (name.as_ref().map_or("", Name::as_str), why.unwrap_or(""));
    match weight {
        Weight::Notice => tracing::info!(about, name, state, why, not_told, "{text}"),
        Weight::Look => tracing::warn!(about, name, state, why, not_told, "{text}"),
    }
}
