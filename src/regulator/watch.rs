//! `coldhearth-regulator watch`: subscribes, verifies, shows.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{
    follow::{Follower, Place, Seen},
    timeline::{Line, Timeline, Tone},
};
use crate::{
    evidence::{Body, Kind, PublicKey, topic},
    host::{
        Clock,
        courier::{self, Broker, Event, Refused},
        exit::{Exit, Failure},
    },
    judge::Finding,
    terms::{
        GatewayId,
        words::{self, Language},
    },
};

/// What to watch and when to stop.
#[derive(Clone, Debug)]
pub struct WatchOrders {
    /// The broker.
    pub broker: Broker,
    /// Keys that are believed; without any, each log's own.
    pub trusted: Vec<PublicKey>,
    /// End with a verified violation, or after so many milliseconds.
    pub until_violation_ms: Option<u64>,
    /// Append the exact bytes of every verified record of the chain to this file, a line each.
    pub save: Option<PathBuf>,
    /// Language of the lines.
    pub language: Language,
    /// Whether lines may be coloured.
    pub colour: bool,
}

/// What a watch has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records whose signature held.
    pub verified: u64,
    /// Messages that were not believed.
    pub refused: u64,
    /// Verified verdicts that say violation.
    pub violations: u64,
}

/// Watches until stopped, or until what the orders wait for. Tells how the program should end.
///
/// # Errors
/// There is no broker, or the file to save to cannot be written.
pub async fn watch(
    clock: &dyn Clock,
    orders: WatchOrders,
    out: &mut (dyn Write + Send),
    stop: impl Future<Output = ()>,
) -> Result<(Exit, Tally), Failure> {
    let (mut courier, ends) = courier::pair();
    let mut desk = Desk::new(&orders)?;
    if desk.follower.is_self_anchored() {
        desk.show(
            out,
            &Line { tone: Tone::Doubt, text: words::SELF_ANCHORED.in_language(orders.language).into() },
        );
    }
    let deadline = orders.until_violation_ms.map(|ms| clock.now().uptime_ms + ms);
    let carrying = courier::run(clock, orders.broker.clone(), ends);
    let waiting = clock.sleep_until(deadline.unwrap_or(u64::MAX / 2));
    tokio::pin!(carrying, waiting, stop);
    loop {
        let event = tokio::select! {
            event = courier.events.recv() => event,
            () = &mut carrying => None,
            () = &mut waiting => return Ok((desk.ending(Exit::Retry), desk.tally)),
            () = &mut stop => return Ok((desk.ending(Exit::Done), desk.tally)),
        };
        let Some(event) = event else { return Err(Failure::new(Exit::Bug, "the courier has ended")) };
        desk.on(event, out)?;
        if orders.until_violation_ms.is_some() && desk.tally.violations > 0 {
            return Ok((Exit::Done, desk.tally));
        }
    }
}

struct Desk {
    follower: Follower,
    timeline: Timeline,
    tally: Tally,
    save: Option<std::fs::File>,
    connected: bool,
    colour: bool,
}

impl Desk {
    fn new(orders: &WatchOrders) -> Result<Desk, Failure> {
        let open = |path: &PathBuf| {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", path.display())))
        };
        Ok(Desk {
            follower: Follower::new(&orders.trusted),
            timeline: Timeline::new(orders.language),
            tally: Tally::default(),
            save: orders.save.as_ref().map(open).transpose()?,
            connected: false,
            colour: orders.colour,
        })
    }

    /// How to end when nothing more is waited for: what did not verify outweighs what did not come.
    fn ending(&self, otherwise: Exit) -> Exit {
        if self.tally.refused > 0 || self.follower.held() > 0 { Exit::Negative } else { otherwise }
    }

    fn on(&mut self, event: Event, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
        match event {
            Event::Connected { .. } => self.connected = true,
            Event::Lost { why: why @ (Refused::Unreachable | Refused::NotAuthorised) } if !self.connected => {
                return Err(Failure::new(Exit::Unreachable, why.text()));
            }
            Event::Lost { why } => {
                self.show(out, &Line { tone: Tone::Doubt, text: why.text().to_owned() });
            }
            Event::Message { topic, payload, .. } => self.on_message(&topic, &payload, out)?,
            Event::Subscribed | Event::Accepted { .. } | Event::Refused { .. } => {}
        }
        Ok(())
    }

    fn on_message(
        &mut self,
        topic: &str,
        payload: &[u8],
        out: &mut (dyn Write + Send),
    ) -> Result<(), Failure> {
        let Some(kind) = Kind::of_topic(topic) else { return Ok(()) };
        if kind == Kind::Link {
            // Anybody may write anything into a topic; only a lawful name reaches the screen.
            let gateway = topic.split('/').nth(6).and_then(GatewayId::new);
            if let Some(line) = gateway.and_then(|gateway| self.timeline.on_link(gateway, payload)) {
                self.show(out, &line);
            }
            return Ok(());
        }
        if payload.is_empty() {
            return Ok(());
        }
        let in_chain = kind == Kind::Attest;
        let mut all = Vec::new();
        self.follower.on_message(payload, in_chain, &mut |seen| all.push(seen));
        for (index, seen) in all.iter().enumerate() {
            self.count(seen);
            // Records released by a genesis have been told apart by now; only the message itself has bytes at hand.
            if let (0, true, Seen::Record(_, Place::Proven | Place::Pending(..))) = (index, in_chain, seen) {
                self.keep(payload)?;
            }
            if let Some(line) = self.timeline.on(seen) {
                self.show(out, &line);
            }
        }
        Ok(())
    }

    fn count(&mut self, seen: &Seen) {
        match seen {
            Seen::Record(record, _) => {
                self.tally.verified += 1;
                if let Body::Finding(Finding::Verdict(verdict)) = &record.body {
                    self.tally.violations += u64::from(verdict.violation_since_unix_ms.is_some());
                }
            }
            Seen::Fork { .. } | Seen::Refused(_) => self.tally.refused += 1,
            Seen::Again | Seen::Held { .. } => {}
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(file) = &mut self.save else { return Ok(()) };
        let line = [bytes, b"\n"].concat();
        file.write_all(&line).map_err(|e| Failure::new(Exit::Permission, format!("--save: {e}")))
    }

    fn show(&self, out: &mut (dyn Write + Send), line: &Line) {
        let colour = match (self.colour, line.tone) {
            (false, _) | (true, Tone::Plain) => "",
            (true, Tone::Good) => "\x1b[32m",
            (true, Tone::Doubt) => "\x1b[33m",
            (true, Tone::Alarm) => "\x1b[1;31m",
        };
        let end = if colour.is_empty() { "" } else { "\x1b[0m" };
        // A reader who has gone away is no reason to stop watching; `until` still ends by itself.
        let _gone: io::Result<()> = writeln!(out, "{colour}{}{end}", line.text).and_then(|()| out.flush());
    }
}

/// A broker to watch under a name of our own.
pub fn subscriber(host: String, port: u16, name: &str) -> Broker {
    Broker {
        host,
        port,
        client_id: name.to_owned(),
        login: None,
        keepalive_s: 30,
        will: None,
        filters: vec![topic::EVERYTHING.to_owned()],
    }
}
