//! Meters beside each other: what hangs on one bus has one voltage, and what hangs on one grid one frequency.
//!
//! Means over a minute are compared, so that it does not matter at which moment of it a meter was asked. A meter that
//! relays another one live passes.

use super::{Figure, Figures, Sign, figure::figures};
use crate::{
    judge::commission::Commissioned,
    metering::{Quantity, Reading},
    terms::Name,
};

/// Length of a window, in milliseconds.
pub const WINDOW_MS: u64 = 60_000;
/// A window counts with at least so many readings: the grid moves between two of them.
pub const LEAST_READINGS: i64 = 10;
/// So far may the voltages of one bus lie apart, in parts per million of nominal.
pub const VOLTAGE_APART_PPM: i64 = 20_000;
/// So many windows in a row decide on the voltage.
pub const VOLTAGE_WINDOWS: u8 = 5;
/// So far may the means of one grid's frequency lie apart, in millihertz, besides what the meters resolve.
pub const FREQUENCY_APART_MHZ: i64 = 15;
/// So many of the last 32 windows decide on the frequency: another grid's frequency meets ours now and then.
pub const FREQUENCY_WINDOWS: u32 = 10;

const PPM: i64 = 1_000_000;

/// The mean of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mean {
    window: u64,
    value: i64,
}

/// One value over the running window, and the mean of the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Gauge {
    sum: i64,
    count: i64,
    /// The largest power of ten, up to 1 000, that every value was a multiple of.
    resolution: Option<i64>,
    last: Option<Mean>,
}

impl Gauge {
    fn add(&mut self, value: i64) {
        self.sum = self.sum.saturating_add(value);
        self.count += 1;
        let mut resolution = self.resolution.unwrap_or(1_000);
        while resolution > 1 && value % resolution != 0 {
            resolution /= 10;
        }
        self.resolution = Some(resolution);
    }

    fn close(&mut self, window: u64) {
        self.last = (self.count >= LEAST_READINGS).then(|| Mean { window, value: self.sum / self.count });
        (self.sum, self.count) = (0, 0);
    }

    /// The mean of this window, if it counts.
    fn mean(&self, window: u64) -> Option<i64> {
        self.last.filter(|mean| mean.window == window).map(|mean| mean.value)
    }
}

/// What one meter showed of its bus and its grid.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trace {
    window: u64,
    voltage: Gauge,
    frequency: Gauge,
    apart: u8,
    /// One bit a window, the newest lowest.
    astray: u32,
}

impl Trace {
    /// Takes a reading of a live line; a dead one has no neighbours.
    pub fn on_reading(&mut self, reading: &Reading, is_live: bool) {
        self.turn_to(reading.at.uptime_ms / WINDOW_MS);
        if !is_live {
            return;
        }
        let lines = reading.line_voltages();
        let told: i64 = lines.iter().flatten().map(|v| v.0.saturating_abs()).sum();
        if let Ok(count @ 1..) = i64::try_from(lines.iter().flatten().count()) {
            self.voltage.add(told / count);
        }
        if let Some(frequency) = reading.value(Quantity::Frequency).filter(|f| *f > 0) {
            self.frequency.add(frequency);
        }
    }

    fn turn_to(&mut self, window: u64) {
        if window != self.window {
            self.voltage.close(self.window);
            self.frequency.close(self.window);
            self.window = window;
        }
    }

    /// Voltage of a window in parts per million of nominal, and how fine that is.
    fn voltage_ppm(&self, terms: &Commissioned, window: u64) -> Option<(i64, i64)> {
        let ppm = |millivolts: i64| millivolts.saturating_mul(PPM) / terms.nominal.0.max(1);
        Some((ppm(self.voltage.mean(window)?), ppm(self.voltage.resolution?)))
    }

    fn frequency_mhz(&self, window: u64) -> Option<(i64, i64)> {
        Some((self.frequency.mean(window)?, self.frequency.resolution?))
    }

    /// Takes what the others of its bus showed in the same window.
    fn beside_voltage(&mut self, nominal: i64, own: i64, others: i64, resolution: i64) -> Option<Figures> {
        let apart = (own - others).abs() > VOLTAGE_APART_PPM + resolution;
        self.apart = if apart { self.apart.saturating_add(1) } else { 0 };
        let millivolts = |ppm: i64| nominal / 1_000 * ppm / 1_000;
        (self.apart >= VOLTAGE_WINDOWS).then(|| {
            figures([(Figure::Voltage, millivolts(own)), (Figure::OthersVoltage, millivolts(others))])
        })
    }

    fn beside_frequency(&mut self, own: i64, others: i64, resolution: i64) -> Option<Figures> {
        let astray = (own - others).abs() > FREQUENCY_APART_MHZ + resolution;
        self.astray = self.astray << 1 | u32::from(astray);
        (astray && self.astray.count_ones() >= FREQUENCY_WINDOWS)
            .then(|| figures([(Figure::Frequency, own), (Figure::OthersFrequency, others)]))
    }
}

/// Who stands beside whom. Made once; nothing allocates afterwards.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// Positions of meters that share a bus, by its name.
    buses: Box<[(Name, usize)]>,
    /// Room for one comparison: value and position.
    room: Box<[(i64, usize)]>,
    compared: u64,
}

/// What the neighbours need of a meter.
pub trait Beside {
    /// As commissioned.
    fn terms(&self) -> &Commissioned;
    /// Its traces.
    fn trace(&self) -> &Trace;
    /// Its traces, to be compared.
    fn trace_mut(&mut self) -> &mut Trace;
}

impl Neighbours {
    /// The neighbours of these meters, by their position.
    pub fn of<'t>(meters: impl Iterator<Item = &'t Commissioned> + Clone) -> Neighbours {
        let on_a_bus = meters.clone().enumerate().filter_map(|(at, terms)| Some((terms.section?, at)));
        let mut buses: Box<[(Name, usize)]> = on_a_bus.collect();
        buses.sort_unstable();
        Neighbours { buses, room: meters.map(|_| (0, 0)).collect(), compared: 0 }
    }

    /// Compares the window before, once it is over for everybody; tells who is seen apart.
    pub fn compare<M: Beside>(
        &mut self,
        uptime_ms: u64,
        meters: &mut [M],
        mut seen: impl FnMut(Sign, Figures, &mut M),
    ) {
        // A window is over for everybody when the next is half over.
        let Some(window) = (uptime_ms.saturating_sub(WINDOW_MS / 2) / WINDOW_MS).checked_sub(1) else {
            return;
        };
        if window <= self.compared {
            return;
        }
        self.compared = window;
        let mut from = 0;
        while let Some((bus, _)) = self.buses.get(from) {
            let until = from + self.buses.iter().skip(from).take_while(|(name, _)| name == bus).count();
            let Some(members) = self.buses.get(from..until) else { return };
            let told = |meter: &M| meter.trace().voltage_ppm(meter.terms(), window);
            let (count, resolution) = gather(&mut self.room, members.iter().map(|(_, at)| *at), meters, told);
            each(&self.room, count, meters, |own, others, meter| {
                let nominal = meter.terms().nominal.0;
                if let Some(figures) = meter.trace_mut().beside_voltage(nominal, own, others, resolution) {
                    seen(Sign::VoltageApart, figures, meter);
                }
            });
            from = until;
        }
        let told = |meter: &M| meter.trace().frequency_mhz(window);
        let (count, resolution) = gather(&mut self.room, 0..meters.len(), meters, told);
        each(&self.room, count, meters, |own, others, meter| {
            if let Some(figures) = meter.trace_mut().beside_frequency(own, others, resolution) {
                seen(Sign::FrequencyApart, figures, meter);
            }
        });
    }
}

/// Sorts the values of some meters into the room; how many there are, and how coarse the coarsest.
fn gather<M>(
    room: &mut [(i64, usize)],
    members: impl Iterator<Item = usize>,
    meters: &[M],
    told: impl Fn(&M) -> Option<(i64, i64)>,
) -> (usize, i64) {
    let (mut count, mut coarsest) = (0, 0);
    for at in members {
        let Some((value, resolution)) = meters.get(at).and_then(&told) else { continue };
        if let Some(place) = room.get_mut(count) {
            *place = (value, at);
            count += 1;
            coarsest = coarsest.max(resolution);
        }
    }
    if let Some(told) = room.get_mut(..count) {
        told.sort_unstable();
    }
    (count, coarsest)
}

/// Hands each value with the middle of the others'.
fn each<M>(room: &[(i64, usize)], count: usize, meters: &mut [M], mut hear: impl FnMut(i64, i64, &mut M)) {
    let Some(told) = room.get(..count).filter(|told| told.len() > 1) else { return };
    for (place, (own, at)) in told.iter().enumerate() {
        let middle = (count - 1) / 2;
        let middle = if middle < place { middle } else { middle + 1 };
        if let (Some((others, _)), Some(meter)) = (told.get(middle), meters.get_mut(*at)) {
            hear(*own, *others, meter);
        }
    }
}
