//! One seed's life, event by event: plant, wires, gateway, disk, broker and authority, each with what goes wrong there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use coldhearth::{
    agent::letters::Letter,
    evidence::{Audit, Class, Journal as _, JournalFault},
    metering::{Ask, Fault, Next, Reply},
    terms::{ClockQuality, Digest, Stamp},
};

use crate::{
    authority::Authority,
    chance::Chance,
    check::{Check, Counts},
    disk::{Disk, Image},
    gateway::{Breakage, Gateway},
    script::{BEGINS_UNIX_MS, Deed, Script, Trouble},
    vault::Vault,
    works::Works,
};

/// Time between two looks of the authority at what it may receipt, in milliseconds.
const RECEIPTS_MS: u64 = 60_000;
/// While the disk is full it is tried again so often, in milliseconds.
const FULL_RETRY_MS: u64 = 1_000;
/// How long everything is well at the end, in polls, and in milliseconds at least.
const REST_POLLS: u64 = 20;
const REST_MS: u64 = 960_000;
/// Rounds in which what is on its way must have arrived.
const ROUNDS: u32 = 40;

#[derive(Clone, Debug)]
enum Event {
    Deed(Deed),
    /// The bus of this life of the gateway is free.
    Poll(u32),
    /// What was asked is answered.
    Answer(u32, Ask, Result<Vec<u16>, Fault>),
    Tick(u32),
    Retry(u32),
    /// The machine is up again; `true`: it had booted.
    Start(bool),
    DiskFits,
    BrokerBack,
    /// The broker has a record; `Some`: in its place.
    Puback(u32, Option<u64>),
    Arrives(Arc<Vec<u8>>),
    Letter(Letter),
    Receipts,
}

/// How a life ended.
pub(crate) struct Ended {
    pub(crate) journal: Digest,
    pub(crate) counts: Counts,
}

struct Machine {
    booted_ms: u64,
    boot: u32,
    offset_ms: i64,
    quality: ClockQuality,
}

pub(crate) struct World {
    now_ms: u64,
    agenda: BTreeMap<(u64, u64), Event>,
    entered: u64,
    chance: Chance,
    script: Script,
    works: Works,
    machine: Machine,
    disk: Disk,
    vault: Vault,
    breakage: Breakage,
    gateway: Option<Gateway>,
    /// Which life of the gateway this is; questions of an earlier one are nobody's.
    life: u32,
    troubles: [Option<(Trouble, u64, u64)>; 3],
    /// The last answers of a unit, for those that come again.
    answers: BTreeMap<(u8, u16, u16), Vec<u16>>,
    broker: bool,
    session: u32,
    authority: Authority,
    check: Check,
    /// Records of the journal that were looked at.
    looked: u64,
}

impl World {
    pub(crate) fn new(seed: u64, vault: &Vault, breakage: Breakage) -> World {
        let script = Script::of(seed);
        let (quality, offset_ms) = script.clock;
        let works = Works::of(seed, &script);
        let mut world = World {
            now_ms: 0,
            agenda: BTreeMap::new(),
            entered: 0,
            chance: Chance::new(seed.rotate_left(17) ^ 1),
            works,
            machine: Machine { booted_ms: 0, boot: 1, offset_ms, quality },
            disk: Arc::new(Mutex::new(Image::default())),
            vault: vault.clone(),
            breakage,
            gateway: None,
            life: 0,
            troubles: [None; 3],
            answers: BTreeMap::new(),
            broker: true,
            session: 0,
            authority: Authority::new(vault),
            check: Check::new(&script),
            looked: 0,
            script,
        };
        for (at_ms, deed) in world.script.deeds.clone() {
            world.at(at_ms, Event::Deed(deed));
        }
        world.at(0, Event::Start(true));
        world.at(RECEIPTS_MS, Event::Receipts);
        world
    }

    /// Lives to the end.
    pub(crate) fn live(mut self) -> Result<Ended, String> {
        self.run_to(self.script.length_ms)?;
        // From here on everything is well.
        self.troubles = [None; 3];
        self.agenda.retain(|_, event| !matches!(event, Event::Deed(_)));
        self.mend()?;
        let rest_ms = (self.script.poll_ms * REST_POLLS).max(REST_MS);
        self.run_to(self.script.length_ms + rest_ms)?;
        let melted_wh = self.works.energy(0);
        self.check.at_the_end(melted_wh)?;
        self.drain()?;
        self.audit()
    }

    fn mend(&mut self) -> Result<(), String> {
        self.disk.lock().unwrap().full = false;
        self.disk.lock().unwrap().fuse = None;
        if !self.broker {
            self.on(Event::BrokerBack)?;
        }
        Ok(())
    }

    fn run_to(&mut self, end_ms: u64) -> Result<(), String> {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > end_ms {
                break;
            }
            let ((at_ms, _), event) = entry.remove_entry();
            self.now_ms = at_ms;
            self.works.advance_to(at_ms);
            let told = self.on(event);
            told.map_err(|wrong| format!("{wrong}; at {at_ms} ms, shown {:?}", self.check.shown()))?;
        }
        self.now_ms = end_ms;
        Ok(())
    }

    fn at(&mut self, at_ms: u64, event: Event) {
        self.entered += 1;
        self.agenda.insert((at_ms.max(self.now_ms), self.entered), event);
    }

    fn stamp(&self) -> Stamp {
        let Machine { booted_ms, boot, offset_ms, quality } = self.machine;
        let wall_unix_ms = BEGINS_UNIX_MS + offset_ms + self.now_ms.cast_signed();
        Stamp { wall_unix_ms, uptime_ms: self.now_ms - booted_ms, boot, clock: quality, error_ms: 50 }
    }

    fn on(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Deed(deed) => self.on_deed(deed),
            Event::Start(rebooted) => self.on_start(rebooted),
            Event::Poll(life) => {
                self.on_poll(life);
                Ok(())
            }
            Event::Answer(life, ask, answer) => self.on_answer(life, ask, &answer),
            Event::Tick(life) => self.on_tick(life),
            Event::Retry(life) => self.on_retry(life),
            Event::DiskFits => {
                self.disk.lock().unwrap().full = false;
                Ok(())
            }
            Event::BrokerBack => {
                self.broker = true;
                self.session += 1;
                if let Some(gateway) = &mut self.gateway {
                    gateway.connected();
                }
                self.subscribed();
                self.post()
            }
            Event::Puback(session, place) => {
                if session == self.session
                    && let Some(gateway) = &mut self.gateway
                {
                    match place {
                        Some(seq) => gateway.accepted(seq),
                        None => gateway.outbox.on_aside(),
                    }
                }
                self.post()
            }
            Event::Arrives(bytes) => self.authority.take(&bytes),
            Event::Letter(letter) => self.on_letter(letter),
            Event::Receipts => {
                self.at(self.now_ms + RECEIPTS_MS, Event::Receipts);
                self.give_receipt();
                Ok(())
            }
        }
    }

    fn on_deed(&mut self, deed: Deed) -> Result<(), String> {
        let now = self.now_ms;
        match deed {
            Deed::Power(..) | Deed::Melt(..) | Deed::Meter(..) | Deed::Supply(..) => self.at_the_plant(deed),
            Deed::Trouble(unit, trouble, one_in, until_ms) => {
                self.troubles[usize::from(unit) - 1] = Some((trouble, one_in, until_ms));
            }
            Deed::DiskFull(until_ms) => {
                self.disk.lock().unwrap().fill();
                self.at(until_ms, Event::DiskFits);
            }
            Deed::DiesWriting(writes, committed) => {
                self.disk.lock().unwrap().fuse = Some((writes, committed));
            }
            Deed::BrokerAway(until_ms) => {
                self.broker = false;
                self.session += 1;
                if let Some(gateway) = &mut self.gateway {
                    gateway.outbox.on_lost();
                }
                self.at(until_ms, Event::BrokerBack);
            }
            Deed::Clock(by_ms, quality) => {
                self.machine.offset_ms += by_ms;
                self.machine.quality = quality;
                self.check.on_break(now);
            }
            Deed::Killed(down_ms) => self.dies(down_ms, false),
            Deed::Rebooted(down_ms, by_ms, quality) => {
                self.machine.quality = quality;
                self.machine.offset_ms = match quality {
                    ClockQuality::Ntp => 0,
                    ClockQuality::Rtc => self.machine.offset_ms + by_ms,
                    // It counts from 1970 on.
                    ClockQuality::Unset => -BEGINS_UNIX_MS - now.cast_signed(),
                };
                self.dies(down_ms, true);
            }
            Deed::Stopped(down_ms) => {
                let stamp = self.stamp();
                if let Some(gateway) = &mut self.gateway {
                    let _its_disk_may_fail = gateway.stop(&stamp);
                    self.look()?;
                }
                self.dies(down_ms, false);
            }
            Deed::Asked(furnace) => {
                let question = self.authority.question(furnace);
                if self.broker {
                    self.at(now + 50, Event::Letter(Letter::Act(question)));
                }
            }
        }
        Ok(())
    }

    /// What is done to the plant, and what of it is known for certain.
    fn at_the_plant(&mut self, deed: Deed) {
        let now = self.now_ms;
        match deed {
            Deed::Power(furnace, watts) => {
                self.works.draws(furnace, watts);
                self.check.on_power(furnace, watts, now);
            }
            Deed::Melt(furnace, melts) => {
                self.works.melts(furnace, melts);
                // Nobody but the plant knows what it draws from moment to moment.
                self.check.on_power(furnace, if melts { 0 } else { 5_000 }, now);
            }
            Deed::Meter(unit, has_supply) => {
                self.works.power(unit, has_supply);
                self.check.was_dark = true;
            }
            Deed::Supply(furnace, is_closed) => {
                self.works.supply(furnace, is_closed);
                self.check.on_supply(furnace, is_closed, now);
            }
            Deed::Trouble(..)
            | Deed::DiskFull(_)
            | Deed::DiesWriting(..)
            | Deed::BrokerAway(_)
            | Deed::Clock(..)
            | Deed::Killed(_)
            | Deed::Rebooted(..)
            | Deed::Stopped(_)
            | Deed::Asked(_) => {}
        }
    }

    /// The process ends at once; everything that was not committed is gone.
    fn dies(&mut self, down_ms: u64, reboots: bool) {
        if self.gateway.take().is_some() {
            self.at(self.now_ms + down_ms, Event::Start(reboots));
        } else if reboots {
            // It is down already, and boots besides.
            self.agenda.retain(|_, event| !matches!(event, Event::Start(_)));
            self.at(self.now_ms + down_ms, Event::Start(true));
        }
        self.life += 1;
        self.session += 1;
        self.disk.lock().unwrap().crash();
    }

    fn on_start(&mut self, rebooted: bool) -> Result<(), String> {
        if rebooted && self.life > 0 {
            self.machine.boot += 1;
            self.machine.booted_ms = self.now_ms;
        }
        self.life += 1;
        self.check.counts.restarts += 1;
        self.walk()?;
        let stamp = self.stamp();
        let started = Gateway::start(&self.disk, &self.vault, &self.works, &stamp, rebooted, self.breakage);
        match started {
            Ok(gateway) => self.gateway = Some(gateway),
            Err(fault) => {
                self.check.counts.cut_while_writing += u64::from(fault == JournalFault::Broken);
                self.disk.lock().unwrap().crash();
                self.at(self.now_ms + 30_000, Event::Start(false));
                return Ok(());
            }
        }
        self.check.on_break(self.now_ms);
        self.look()?;
        if self.broker {
            self.session += 1;
            if let Some(gateway) = &mut self.gateway {
                gateway.connected();
            }
            self.subscribed();
        }
        self.at(self.now_ms, Event::Poll(self.life));
        self.at(self.now_ms + 1_000, Event::Tick(self.life));
        self.blocked(self.life);
        self.post()
    }

    /// What is retained comes with the subscription.
    fn subscribed(&mut self) {
        if let Some(receipt) = self.authority.retained.clone() {
            self.at(self.now_ms + 20, Event::Letter(Letter::Receipt(receipt)));
        }
    }

    /// The gateway of this life, unless it waits for its disk.
    fn awake(&mut self, life: u32) -> Option<&mut Gateway> {
        if life != self.life {
            return None;
        }
        self.gateway.as_mut().filter(|gateway| gateway.full_since.is_none())
    }

    /// What a step of the gateway came to: its disk may have failed, or be full.
    fn after(&mut self, step: Result<(), JournalFault>) -> Result<(), String> {
        match step {
            Ok(()) => {
                self.look()?;
                self.post()
            }
            Err(_) => {
                self.check.counts.cut_while_writing += 1;
                let down_ms = self.chance.between(1_000, 60_000);
                self.dies(down_ms, false);
                self.look()
            }
        }
    }

    fn on_poll(&mut self, life: u32) {
        let stamp = self.stamp();
        let now_ms = self.now_ms;
        let Some(gateway) = self.awake(life) else { return self.waits(life, Event::Poll(life)) };
        match gateway.next(&stamp) {
            Next::WaitUntil(due_ms) => {
                let due_ms = due_ms.saturating_sub(stamp.uptime_ms).max(1);
                self.at(now_ms + due_ms, Event::Poll(life));
            }
            Next::Ask(ask) => self.ask(life, ask),
        }
    }

    /// While the disk is full nobody polls and no time passes for the judge.
    fn waits(&mut self, life: u32, event: Event) {
        if life == self.life && self.gateway.is_some() {
            self.at(self.now_ms + FULL_RETRY_MS, event);
        }
    }

    fn ask(&mut self, life: u32, ask: Ask) {
        let unit = usize::from(ask.unit) - 1;
        let takes_ms = self.chance.between(15, 60);
        let truth = self.works.answer(ask.unit, ask.question);
        let trouble = self.troubles[unit].filter(|(_, _, until_ms)| self.now_ms < *until_ms);
        let struck = trouble.filter(|(_, one_in, _)| self.chance.one_in(*one_in)).map(|(what, ..)| what);
        let deadline_ms = u64::from(ask.deadline_ms);
        let (takes_ms, answer) = match struck {
            None => (takes_ms, truth),
            Some(Trouble::Silent) => (deadline_ms, Err(Fault::Timeout)),
            Some(Trouble::Late(ms)) if ms + takes_ms >= deadline_ms => (deadline_ms, Err(Fault::Timeout)),
            Some(Trouble::Late(ms)) => (takes_ms + ms, truth),
            Some(Trouble::Refused(fault)) => (takes_ms, Err(fault)),
            Some(lie @ (Trouble::Foreign | Trouble::Torn | Trouble::Stale)) => {
                (takes_ms, self.lie(&ask, lie, truth))
            }
        };
        if answer.is_err() && ask.question.block().is_some() {
            self.check.on_loss(ask.unit);
        }
        self.at(self.now_ms + takes_ms, Event::Answer(life, ask, answer));
    }

    /// Something else comes than the meter said, now and then: never twice in a row, for what lies always is a meter.
    fn lie(&mut self, ask: &Ask, lie: Trouble, truth: Result<Vec<u16>, Fault>) -> Result<Vec<u16>, Fault> {
        let (Some(block), Ok(mut words)) = (ask.question.block(), truth.clone()) else { return truth };
        if !self.check.may_lie(ask.unit) {
            return truth;
        }
        let before = self.answers.get(&(ask.unit, block.at, block.count)).cloned();
        match (lie, before) {
            (Trouble::Torn, Some(before)) => {
                let half = words.len() / 2;
                words[half..].copy_from_slice(&before[half..]);
            }
            // What is older than a register may be is no odd answer but a meter that stands still.
            (Trouble::Stale, Some(before)) => words = before,
            _foreign => {
                let place = usize::try_from(self.chance.below(words.len() as u64)).unwrap();
                words[place] = u16::try_from(self.chance.below(0x1_0000)).unwrap();
            }
        }
        self.check.on_wrong(ask.unit);
        Ok(words)
    }

    fn on_answer(&mut self, life: u32, ask: Ask, answer: &Result<Vec<u16>, Fault>) -> Result<(), String> {
        let stamp = self.stamp();
        let now_ms = self.now_ms;
        if self.awake(life).is_none() {
            self.waits(life, Event::Answer(life, ask, Err(Fault::Timeout)));
            return Ok(());
        }
        if let (Some(block), Ok(words)) = (ask.question.block(), answer) {
            self.answers.insert((ask.unit, block.at, block.count), words.clone());
        }
        let Some(gateway) = &mut self.gateway else { return Ok(()) };
        if answer.as_ref().is_err_and(|fault| fault.ends_link()) {
            gateway.schedule.on_link_lost();
        }
        let reply = answer.as_ref().map(|words| Reply::Words(words)).map_err(|fault| *fault);
        let told = gateway.schedule.on_answer(&stamp, reply);
        told.iter().for_each(|sample| self.check.on_reading(sample));
        let step = gateway.hear(&stamp, &told);
        self.after(step)?;
        if life == self.life {
            if self.awake(life).is_some() {
                for sample in &told {
                    self.check.on_sample(sample, now_ms)?;
                }
            }
            self.at(now_ms, Event::Poll(life));
        }
        self.blocked(life);
        Ok(())
    }

    fn on_tick(&mut self, life: u32) -> Result<(), String> {
        let stamp = self.stamp();
        let Some(gateway) = self.awake(life) else {
            self.waits(life, Event::Tick(life));
            return Ok(());
        };
        let step = gateway.tick(&stamp);
        self.after(step)?;
        self.blocked(life);
        if self.awake(life).is_some() {
            self.check.on_time(self.now_ms)?;
        }
        self.at(self.now_ms + 1_000, Event::Tick(life));
        Ok(())
    }

    /// Looks again at a disk that has become full just now.
    fn blocked(&mut self, life: u32) {
        let is_blocked = self.gateway.as_ref().is_some_and(|gateway| gateway.full_since.is_some());
        let waits = self.agenda.values().any(|event| matches!(event, Event::Retry(of) if *of == life));
        if life == self.life && is_blocked && !waits {
            self.check.counts.waits_for_disk += 1;
            self.at(self.now_ms + FULL_RETRY_MS, Event::Retry(life));
        }
    }

    fn on_retry(&mut self, life: u32) -> Result<(), String> {
        let stamp = self.stamp();
        if life != self.life {
            return Ok(());
        }
        let Some(gateway) = &mut self.gateway else { return Ok(()) };
        let step = gateway.retry(&stamp);
        self.after(step)?;
        self.check.on_break(self.now_ms);
        self.blocked(life);
        Ok(())
    }

    fn on_letter(&mut self, letter: Letter) -> Result<(), String> {
        let stamp = self.stamp();
        let life = self.life;
        if !self.broker {
            return Ok(());
        }
        let is_receipt = matches!(letter, Letter::Receipt(_));
        let Some(gateway) = self.awake(life) else { return Ok(()) };
        let step = gateway.letter(&stamp, letter);
        self.check.counts.receipts += u64::from(is_receipt);
        self.after(step)?;
        self.blocked(life);
        Ok(())
    }

    fn give_receipt(&mut self) {
        if let Some(receipt) = self.authority.receipt(self.now_ms)
            && self.broker
            && !self.chance.one_in(10)
        {
            let delay_ms = self.chance.between(10, 3_000);
            self.at(self.now_ms + delay_ms, Event::Letter(Letter::Receipt(receipt)));
        }
    }

    /// Everything that may leave leaves; the network delays, doubles and loses it.
    fn post(&mut self) -> Result<(), String> {
        while self.broker
            && let Some(gateway) = &mut self.gateway
            && let Some((seq, in_place, bytes)) = gateway.post().map_err(|fault| format!("{fault:?}"))?
        {
            let record = self.vault.open(&bytes);
            if self.disk.lock().unwrap().durable.get(&seq) != Some(&record.hash) {
                return Err(format!("record {seq} ({}) leaves before it is kept", record.body.word()));
            }
            let (now, bytes) = (self.now_ms, Arc::new(bytes));
            let back_ms = self.chance.between(5, 300);
            self.at(now + back_ms, Event::Puback(self.session, in_place.then_some(seq)));
            let copies = match self.chance.below(40) {
                0 => 0,
                1 | 2 => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let on_its_way_ms = self.chance.between(5, 4_000);
                self.at(now + on_its_way_ms, Event::Arrives(bytes.clone()));
            }
        }
        Ok(())
    }

    /// Looks at what has become durable since.
    fn look(&mut self) -> Result<(), String> {
        self.check.now_ms = self.now_ms;
        self.check.energies = [0, 1].map(|furnace| self.works.energy(furnace));
        let fresh: Vec<u64> = {
            let image = self.disk.lock().unwrap();
            image.durable.range(self.looked..).map(|(seq, _)| *seq).collect()
        };
        let Some(last) = fresh.last().copied() else { return Ok(()) };
        let mut rows = Vec::new();
        let mut image = self.disk.lock().unwrap();
        image
            .journal
            .read(self.looked, Class::Routine, &mut |seq, _class, bytes| {
                rows.push((seq, bytes.to_vec()));
                true
            })
            .map_err(|fault| format!("{fault:?}"))?;
        drop(image);
        self.looked = last + 1;
        for (seq, bytes) in rows {
            if seq <= last {
                self.check.on_record(&self.vault.open(&bytes))?;
            }
        }
        Ok(())
    }

    /// What is on the disk after a stop of any kind: each record names the one before it that is there, and what was
    /// receipted stands as it was receipted.
    fn walk(&mut self) -> Result<(), String> {
        let mut image = self.disk.lock().unwrap();
        let removed = image.removed > 0;
        let mut rows = Vec::new();
        image
            .journal
            .read(0, Class::Routine, &mut |_seq, _class, bytes| {
                rows.push(bytes.to_vec());
                true
            })
            .map_err(|fault| format!("{fault:?}"))?;
        drop(image);
        let mut before: Option<(u64, Digest)> = None;
        for bytes in &rows {
            let record = self.vault.open(bytes);
            let (seq, prev) = (record.header.seq, record.header.prev);
            let follows = before.is_none_or(|(at, hash)| hash == prev || (removed && seq > at + 1));
            if !follows {
                return Err(format!("record {seq} does not follow the one before it"));
            }
            let receipted = self.authority.receipted.filter(|(at, _)| *at == seq);
            if receipted.is_some_and(|(_, hash)| hash != record.hash) {
                return Err(format!("record {seq} was receipted and is another now"));
            }
            before = Some((seq, record.hash));
        }
        let receipted = self.authority.receipted.map(|(seq, _)| seq);
        if receipted > before.map(|(seq, _)| seq) {
            return Err(format!("record {receipted:?} was receipted and is gone"));
        }
        Ok(())
    }

    /// Everything durable arrives.
    fn drain(&mut self) -> Result<(), String> {
        let stamp = self.stamp();
        if let Some(gateway) = &mut self.gateway {
            gateway.stop(&stamp).map_err(|fault| format!("the last stop: {fault:?}"))?;
        }
        self.look()?;
        self.life += 1;
        self.post()?;
        for _ in 0..ROUNDS {
            self.run_to(self.now_ms + RECEIPTS_MS)?;
            let Some(gateway) = &mut self.gateway else { return Err("nobody is left to send".into()) };
            if self.authority.upto() == gateway.places() {
                return Ok(());
            }
            // What the broker took and lost is sent again over the next connection.
            self.session += 1;
            gateway.outbox.on_lost();
            gateway.connected();
            self.post()?;
        }
        let places = self.gateway.as_ref().map(Gateway::places);
        Err(format!("the authority waits at {} of {places:?}", self.authority.upto()))
    }

    fn audit(mut self) -> Result<Ended, String> {
        self.walk()?;
        let mut audit = Audit::new(&[Vault::public(0), self.vault.authority().public_key()]);
        let mut all = Vec::new();
        let mut image = self.disk.lock().unwrap();
        image
            .journal
            .read(0, Class::Routine, &mut |_seq, _class, bytes| {
                audit.on_line(bytes);
                all.extend_from_slice(bytes);
                true
            })
            .map_err(|fault| format!("{fault:?}"))?;
        let removed = image.removed > 0;
        drop(image);
        let report = audit.report();
        let is_whole = report.complete || removed && report.forks.is_empty();
        if !report.authentic || !is_whole || report.unsigned_acts > 0 {
            return Err(format!("the log does not verify: {:?} {:?}", report.first_bad, report.gaps));
        }
        Ok(Ended { journal: Digest::of(&all), counts: self.check.counts })
    }
}
