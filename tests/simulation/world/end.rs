//! What must hold at every look, and at the end of a life.

use coldhearth::{
    evidence::{Audit, Class, Journal as _},
    terms::Digest,
};

use super::{Ended, RECEIPTS_MS, ROUNDS, World};
use crate::{gateway::Gateway, vault::Vault};

impl World {
    /// Looks at what has become durable since.
    pub(super) fn look(&mut self) -> Result<(), String> {
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
    pub(super) fn walk(&mut self) -> Result<(), String> {
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
    pub(super) fn drain(&mut self) -> Result<(), String> {
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

    pub(super) fn audit(mut self) -> Result<Ended, String> {
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
