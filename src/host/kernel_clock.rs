//! What the kernel says of its own clock. The system call that tells is the one that could set the clock, so a service that
//! is closed off may not make it: then a companion that may, and has neither network nor keys, leaves the answer in a file.

use std::{fs, io, path::Path};

/// Where the companion leaves what the kernel said ([`tell`]).
pub const TOLD_FILE: &str = "/run/coldhearth-clock/quality";
/// How often the companion asks, in milliseconds.
pub const TELL_MS: u64 = 10_000;
/// How long what it left is believed, in milliseconds.
const TOLD_AGE_MS: u64 = 3 * TELL_MS;
/// What a disciplined clock may drift until it is asked again, in parts per million: the kernel's own figure.
const DRIFT_PPM: u64 = 500;
/// Time of the battery clock, in whole seconds since 1970-01-01 UTC.
const BATTERY_FILE: &str = "/sys/class/rtc/rtc0/since_epoch";

/// What disciplines the kernel's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// Something does, and the clock is off by no more than so many microseconds.
    Within(u64),
    /// Nothing does.
    Free,
    /// Nobody can tell.
    Untold,
}

/// How the clock is disciplined at this uptime, in milliseconds: by the kernel's word, or by the companion's.
pub fn discipline(uptime_ms: u64) -> Discipline {
    match ask() {
        Discipline::Untold => fs::read_to_string(TOLD_FILE)
            .ok()
            .and_then(|told| believed(&told, uptime_ms))
            .unwrap_or(Discipline::Untold),
        said @ (Discipline::Within(_) | Discipline::Free) => said,
    }
}

/// Asks the kernel; [`Discipline::Untold`] where it may not be asked. Reads only; needs no privilege.
#[expect(
    unsafe_code,
    reason = "adjtimex has no safe wrapper in a kept crate; zeroed is a valid read-only request"
)]
pub fn ask() -> Discipline {
    // SAFETY: `timex` is plain old data, for which all-zero is valid, and `modes` 0 asks adjtimex only to fill it.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    if state < 0 {
        return Discipline::Untold;
    }
    if state == libc::TIME_ERROR || timex.status & libc::STA_UNSYNC != 0 {
        return Discipline::Free;
    }
    u64::try_from(timex.maxerror).map_or(Discipline::Untold, Discipline::Within)
}

/// Leaves in a file what the kernel says, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn tell(file: &Path, said: Discipline, uptime_ms: u64) -> io::Result<()> {
    let text = match said {
        Discipline::Within(error_us) => format!("{uptime_ms} within {error_us}\n"),
        Discipline::Free => format!("{uptime_ms} free\n"),
        Discipline::Untold => format!("{uptime_ms} untold\n"),
    };
    let draft = file.with_extension("new");
    fs::write(&draft, text)?;
    fs::rename(&draft, file)
}

/// What was left, if that was not long ago.
fn believed(told: &str, uptime_ms: u64) -> Option<Discipline> {
    let mut words = told.split_whitespace();
    let age_ms = uptime_ms.checked_sub(words.next()?.parse().ok()?)?;
    if age_ms > TOLD_AGE_MS {
        return None;
    }
    match (words.next()?, words.next(), words.next()) {
        ("free", None, None) => Some(Discipline::Free),
        ("within", Some(error_us), None) => {
            let error_us: u64 = error_us.parse().ok()?;
            Some(Discipline::Within(error_us.saturating_add(age_ms * DRIFT_PPM / 1_000)))
        }
        (_, _, _) => None,
    }
}

/// Time of the battery clock in milliseconds since 1970-01-01 UTC, if the machine has one.
pub fn battery_unix_ms() -> Option<i64> {
    let seconds: i64 = fs::read_to_string(BATTERY_FILE).ok()?.trim().parse().ok()?;
    seconds.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_believed_for_a_while_and_grows_by_what_the_clock_may_drift() {
        let folder = std::env::temp_dir().join(format!("coldhearth-clock-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("quality");
        let read = |uptime_ms| believed(&fs::read_to_string(&file).unwrap(), uptime_ms);
        tell(&file, Discipline::Within(8_000), 100_000).unwrap();
        assert_eq!(read(100_000), Some(Discipline::Within(8_000)));
        assert_eq!(read(110_000), Some(Discipline::Within(13_000)));
        assert_eq!(read(130_001), None, "the companion is gone");
        assert_eq!(read(99_999), None, "of another boot");
        tell(&file, Discipline::Free, 100_000).unwrap();
        assert_eq!(read(100_001), Some(Discipline::Free));
        tell(&file, Discipline::Untold, 100_000).unwrap();
        assert_eq!(read(100_001), None);
        for torn in ["", "x", "100000", "100000 within", "100000 within x", "100000 free more"] {
            assert_eq!(believed(torn, 100_000), None, "{torn}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_kernel_answers_whoever_may_ask() {
        assert_ne!(ask(), Discipline::Untold);
    }
}
