//! One seed's life, event by event: plant, wires, gateway, disk, broker and authority, each with what goes wrong there.

mod bus;
mod end;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use coldhearth::{
    agent::letters::Letter,
    evidence::JournalFault,
    metering::{Ask, Fault},
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
}
