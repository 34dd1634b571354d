//! `coldhearth-regulator watch`: subscribes, verifies, shows.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::timeline::{Line, Timeline, Tone};
use crate::{
    evidence::{
        Body, Follower, Kind, PublicKey,
        follow::{Origin, Seen},
        topic,
    },
    host::{
        Clock,
        courier::{self, Broker, Event},
        exit::{Exit, Failure},
    },
    judge::{Finding, State, Why},
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
    /// What ends the watch, or a time without it.
    pub until: Option<Until>,
    /// Append the exact bytes of every verified record of the chain to this file, a line each.
    pub save: Option<PathBuf>,
    /// Language of the lines.
    pub language: Language,
    /// Whether lines may be coloured.
    pub colour: bool,
}

/// What a watch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// What.
    pub awaited: Awaited,
    /// For how long, in milliseconds.
    pub within_ms: u64,
}

/// What may be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A verified verdict on equipment, whatever it says, once its meters were heard.
    Verdict,
    /// A verified verdict that says violation.
    Violation,
}

impl Awaited {
    fn has_come(self, tally: Tally) -> bool {
        match self {
            Awaited::Verdict => tally.verdicts > 0,
            Awaited::Violation => tally.violations > 0,
        }
    }
}

/// What a watch has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records whose signature held.
    pub verified: u64,
    /// Messages that were not believed.
    pub refused: u64,
    /// Two signed histories of one log.
    pub forks: u64,
    /// Verified verdicts on equipment, but for those said before its meters were heard.
    pub verdicts: u64,
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
    if desk.follower.keyring().is_self_anchored() {
        desk.show(
            out,
            &Line { tone: Tone::Doubt, text: words::SELF_ANCHORED.in_language(orders.language).into() },
        );
    }
    let deadline = orders.until.map(|until| clock.now().uptime_ms + until.within_ms);
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
        // Nobody would see it; how it ends is told at the end of the program.
        if crate::host::out::is_broken() {
            return Ok((Exit::Done, desk.tally));
        }
        if orders.until.is_some_and(|until| until.awaited.has_come(desk.tally)) {
            // A fork proves that somebody rewrote a log: no verdict of this watch may pass for settled.
            let exit = if desk.tally.forks > 0 { Exit::Negative } else { Exit::Done };
            return Ok((exit, desk.tally));
        }
    }
}

struct Desk {
    follower: Follower,
    timeline: Timeline,
    tally: Tally,
    save: Option<std::fs::File>,
    messages: u64,
    connected: bool,
    language: Language,
    colour: bool,
}

impl Desk {
    fn new(orders: &WatchOrders) -> Result<Desk, Failure> {
        let open = |path: &PathBuf| {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", path.display())))
        };
        Ok(Desk {
            follower: Follower::joining(&orders.trusted),
            timeline: Timeline::new(orders.language),
            tally: Tally::default(),
            save: orders.save.as_ref().map(open).transpose()?,
            messages: 0,
            connected: false,
            language: orders.language,
            colour: orders.colour,
        })
    }

    /// How to end when nothing more is waited for: what did not verify outweighs what did not come.
    fn ending(&self, otherwise: Exit) -> Exit {
        match (self.connected, self.tally.refused + self.tally.forks) {
            (false, _) => Exit::Unreachable,
            (true, 0) if self.unopened() == 0 => otherwise,
            (true, _) => Exit::Negative,
        }
    }

    /// Records whose key never became known. Where no key was brought, old copies that wait are nobody's fault.
    fn unopened(&self) -> usize {
        let trusts = !self.follower.keyring().is_self_anchored();
        self.follower.held().filter(|(_, origin)| trusts || origin.in_chain).count()
    }

    fn on(&mut self, event: Event, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
        match event {
            Event::Connected { .. } => self.connected = true,
            Event::Lost { why } if !self.connected => {
                return Err(Failure::new(Exit::Unreachable, why.words().in_language(self.language)));
            }
            Event::Lost { why } => {
                let text = why.words().in_language(self.language).to_owned();
                self.show(out, &Line { tone: Tone::Doubt, text });
            }
            Event::Expiring { what, days } => {
                let text = what.expiring(days, self.language);
                self.show(out, &Line { tone: Tone::Doubt, text });
            }
            Event::Message { topic, payload, .. } => self.on_message(&topic, &payload, out)?,
            Event::Subscribed | Event::Granted { .. } | Event::Accepted { .. } | Event::Refused { .. } => {}
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
        // What is addressed to a gateway is its business; its answer travels in its log.
        if payload.is_empty() || matches!(kind, Kind::Act | Kind::Answer) {
            return Ok(());
        }
        let mut all = Vec::new();
        self.messages += 1;
        let origin = Origin { in_chain: kind == Kind::Attest, number: self.messages };
        self.follower.on_message(payload, origin, &mut |seen, bytes, origin| {
            // What belongs into a saved file: every believed record of the chain, once, with the bytes it came in.
            let keep = origin.in_chain && matches!(seen, Seen::Record(..));
            all.push((seen, keep.then(|| bytes.to_vec())));
        });
        for (seen, bytes) in &all {
            self.count(seen);
            if let Some(bytes) = bytes {
                self.keep(bytes)?;
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
                    // Every agent says these two as it starts, whether there is a meter or none.
                    let is_heard =
                        !matches!(verdict.state, State::Unknown(Why::NotYetRead | Why::NotYetJudged));
                    self.tally.verdicts += u64::from(is_heard);
                    self.tally.violations += u64::from(verdict.violation_since_unix_ms.is_some());
                }
            }
            Seen::Fork { .. } => self.tally.forks += 1,
            Seen::Refused(_) => self.tally.refused += 1,
            Seen::Again
            | Seen::Held { .. }
            | Seen::NotHeld { .. }
            | Seen::Receipt(_)
            | Seen::StrangeReceipt => {}
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
        // Whatever a message says, it does not steer the terminal.
        let text: String = line.text.chars().map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect();
        // A reader who has gone away is no reason to stop watching; `until` still ends by itself.
        let _gone: io::Result<()> = writeln!(out, "{colour}{text}{end}").and_then(|()| out.flush());
    }
}

/// Neither a control character nor one that turns the direction of writing.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A broker to watch under a name of our own.
pub fn subscriber(host: String, port: u16, name: &str) -> Broker {
    Broker {
        host,
        port,
        client_id: name.to_owned(),
        login: None,
        tls: None,
        keepalive_s: 30,
        will: None,
        filters: vec![topic::EVERYTHING.to_owned()],
        keeps_s: None,
    }
}
