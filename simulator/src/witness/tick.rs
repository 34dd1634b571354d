//! When the judge must look at the time. The agent has it look every second; of a thousand years most of these seconds
//! change nothing, because nothing was heard and nothing is due. Those are left out, and a test holds the findings of a
//! run without them against one with all of them.

use coldhearth::{judge::Permit, terms::Stamp};

use super::wall::Wall;

/// Time between two ticks, in milliseconds.
pub(super) const TICK_MS: u64 = 1_000;
/// After anything was heard so many ticks are not left out.
const ATTENTIVE_TICKS: u64 = 2;
/// Nothing is left out of less than this, in milliseconds.
const LEAST_LEFT_OUT_MS: u64 = 5_000;
/// Quarters of an hour end by the wall clock, and hours with them.
const QUARTER_MS: i64 = 900_000;
/// Meters are set beside each other in the middle of each minute of the boot clock.
const MINUTE_MS: u64 = 60_000;

/// What decides on it besides the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// Plant time of the last tick.
    pub(super) last_ms: u64,
    /// Plant time at which something was heard last.
    pub(super) heard_ms: u64,
    /// Plant time at which something will be heard next.
    pub(super) next_ms: u64,
    /// Times after the end of a quarter of an hour at which somebody waits no longer, in milliseconds.
    pub(super) graces_ms: &'a [i64],
    pub(super) permits: &'a [Permit],
}

/// Plant time of the next tick that may change anything, or that comes before such a one: the judge does not blame
/// meters for a time in which it was not asked.
pub(super) fn next_ms(around: &Around<'_>, wall: &Wall) -> u64 {
    let after = tick_after(around.last_ms, wall);
    let attentive = after <= around.heard_ms + ATTENTIVE_TICKS * TICK_MS;
    let left_out = around.next_ms.saturating_sub(after);
    if attentive || left_out < LEAST_LEFT_OUT_MS {
        return after;
    }
    let due = due_ms(around, wall, after).min(around.next_ms);
    // The tick at that moment or after it, and the one before that.
    tick_after(due.saturating_sub(1), wall).saturating_sub(TICK_MS).max(after)
}

/// The first moment from `from_ms` on at which time alone changes something.
fn due_ms(around: &Around<'_>, wall: &Wall, from_ms: u64) -> u64 {
    let uptime = wall.uptime_ms(from_ms);
    let middle = (uptime + MINUTE_MS / 2).div_ceil(MINUTE_MS) * MINUTE_MS - MINUTE_MS / 2;
    let Stamp { wall_unix_ms: now, .. } = wall.at(from_ms);
    let graces = around.graces_ms.iter().map(|grace| {
        let since = (now - grace).rem_euclid(QUARTER_MS);
        if since == 0 { 0 } else { QUARTER_MS - since }
    });
    let turns = around.permits.iter().flat_map(|permit| [permit.from_unix_ms, permit.to_unix_ms + 1]);
    let turns = turns.map(|at| at - now).filter(|ahead| *ahead >= 0);
    let ahead = graces.chain(turns).min().unwrap_or(i64::MAX);
    wall.plant_ms(middle).min(from_ms.saturating_add_signed(ahead))
}

/// The first tick after a moment.
fn tick_after(ms: u64, wall: &Wall) -> u64 {
    wall.plant_ms((wall.uptime_ms(ms) / TICK_MS + 1) * TICK_MS)
}
