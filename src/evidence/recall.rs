//! Records to what the judge remembers: how a witness goes on after any stop.

use std::collections::BTreeMap;

use super::{body::Body, record::Record};
use crate::{
    judge::{EquipmentMemory, Event, Finding, Memory, MeterMemory, RegisterQuirk},
    terms::{AssetId, MeterId, Stamp},
};

/// Gathers memory from records in the order of the log. The newest of each type and subject suffice.
#[derive(Debug, Default)]
pub struct Recall {
    meters: BTreeMap<MeterId, MeterMemory>,
    equipment: BTreeMap<AssetId, EquipmentMemory>,
    last: Option<Stamp>,
    boot_id: Option<String>,
}

impl Recall {
    /// Takes one record.
    pub fn on(&mut self, record: &Record) {
        if self.last.is_none_or(|last| {
            (last.boot, last.uptime_ms) <= (record.header.at.boot, record.header.at.uptime_ms)
        }) {
            self.last = Some(record.header.at);
        }
        match &record.body {
            Body::Boot(boot) => self.boot_id = Some(boot.boot_id.clone()),
            Body::Finding(Finding::Interval(interval)) => {
                // Time is accounted for up to the interval's end. Its register is the baseline, unless it had none
                // and a state's record knows one.
                let known = self.meters.get(&interval.meter).and_then(|memory| memory.mark);
                let memory = MeterMemory {
                    meter: interval.meter,
                    mark: interval.after.or(known),
                    windows: interval.windows,
                    accounted_to: interval.end,
                };
                self.meters.insert(interval.meter, memory);
            }
            Body::Finding(Finding::State(found)) => {
                let Some(mark) = found.mark else { return };
                let (meter, accounted_to) = (found.meter, mark.at);
                let fresh = MeterMemory { meter, mark: None, windows: None, accounted_to };
                self.meters.entry(meter).or_insert(fresh).mark.get_or_insert(mark);
            }
            Body::Finding(Finding::Verdict(verdict)) => {
                let memory = EquipmentMemory {
                    asset: verdict.asset,
                    violation_since_unix_ms: verdict.violation_since_unix_ms,
                    energy_closed: verdict.energy_closed,
                    plate: verdict.plate,
                };
                self.equipment.insert(verdict.asset, memory);
            }
            Body::Finding(Finding::Event(Event::Register(event)))
                if matches!(event.what, RegisterQuirk::Rebased | RegisterQuirk::Untimed) =>
            {
                // The count begins anew there, and nothing may be weighed across it.
                if let Some(memory) = self.meters.get_mut(&event.meter) {
                    (memory.mark, memory.windows) = (Some(event.after), None);
                }
            }
            Body::Genesis(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap { .. }
            | Body::Finding(Finding::Event(_)) => {}
        }
    }

    /// The kernel's name for the boot the log last ran on.
    pub fn boot_id(&self) -> Option<&str> {
        self.boot_id.as_deref()
    }

    /// The last moment on record.
    pub fn last(&self) -> Option<&Stamp> {
        self.last.as_ref()
    }

    /// What the judge remembers.
    pub fn into_memory(self) -> Memory {
        Memory {
            meters: self.meters.into_values().collect(),
            equipment: self.equipment.into_values().collect(),
            last: self.last,
        }
    }
}
