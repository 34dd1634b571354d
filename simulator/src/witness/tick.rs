//! When the judge must look at the time. The agent has it look every second; of a thousand years most of these seconds
//! change nothing, because nothing was heard and nothing is due. Those are left out, and a test holds the findings of a
//! run without them against one with all of them.

use coldhearth::judge::Permit;

use super::wall::Wall;

/// Time between two ticks, in milliseconds.
pub(super) const TICK_MS: u64 = 1_000;
/// After something was heard that a look at the time may add to, so many ticks are not left out.
const ATTENTIVE_TICKS: u64 = 2;
/// The judge does not blame meters for a time in which it looked less often than this, in milliseconds.
const AWAKE_MS: u64 = 2 * TICK_MS;
/// Quarters of an hour end by the wall clock, and hours with them.
const QUARTER_MS: i64 = 900_000;
/// Meters are set beside each other in the middle of each minute of the boot clock.
const MINUTE_MS: u64 = 60_000;

/// What decides on it besides the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// Plant time now.
    pub(super) now_ms: u64,
    /// Plant time of the last tick.
    pub(super) last_ms: u64,
    /// Plant time at which something was heard last that a look at the time may add to.
    pub(super) heard_ms: u64,
    /// Plant time at which something will be heard next.
    pub(super) next_ms: u64,
    /// Times after the end of a quarter of an hour at which somebody waits no longer, in milliseconds.
    pub(super) graces_ms: &'a [i64],
    pub(super) permits: &'a [Permit],
}

/// Plant time of the next tick that may change anything, or of one before it that keeps the judge awake.
pub(super) fn next_ms(around: &Around<'_>, wall: &Wall) -> u64 {
    let after = tick_after(around.last_ms.max(around.now_ms.saturating_sub(1)), wall);
    if after <= around.heard_ms + ATTENTIVE_TICKS * TICK_MS {
        return after;
    }
    // Whoever is awake at a tick was so at the one before.
    let awake = |tick: u64| if tick > around.last_ms + AWAKE_MS { tick - TICK_MS } else { tick };
    let unseen_ms = around.last_ms + 1;
    let due = awake(tick_from(due_ms(around, wall, unseen_ms), wall));
    let heard = awake(tick_after(around.next_ms, wall));
    due.min(heard).min(tick_from(compared_ms(wall, unseen_ms), wall)).max(after)
}

/// The first moment from `from_ms` on at which meters are set beside each other, awake or not.
fn compared_ms(wall: &Wall, from_ms: u64) -> u64 {
    let uptime = wall.uptime_ms(from_ms);
    wall.plant_ms((uptime + MINUTE_MS / 2).div_ceil(MINUTE_MS) * MINUTE_MS - MINUTE_MS / 2)
}

/// The first moment from `from_ms` on at which time alone changes something.
fn due_ms(around: &Around<'_>, wall: &Wall, from_ms: u64) -> u64 {
    let at = wall.at(from_ms);
    let now = at.wall_unix_ms;
    let graces = around.graces_ms.iter().map(|grace| {
        let since = (now - grace).rem_euclid(QUARTER_MS);
        if since == 0 { 0 } else { QUARTER_MS - since }
    });
    let turns = around.permits.iter().flat_map(|permit| [permit.begins_ms(&at), permit.ends_ms(&at) + 1]);
    let turns = turns.map(|at| at - now).filter(|ahead| *ahead >= 0);
    let ahead = graces.chain(turns).min().unwrap_or(i64::MAX);
    from_ms.saturating_add_signed(ahead)
}

/// The tick at a moment, or the first one after it.
fn tick_from(ms: u64, wall: &Wall) -> u64 {
    tick_after(ms.saturating_sub(1), wall)
}

/// The first tick after a moment.
fn tick_after(ms: u64, wall: &Wall) -> u64 {
    wall.plant_ms((wall.uptime_ms(ms) / TICK_MS + 1) * TICK_MS)
}
