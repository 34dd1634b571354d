use std::ffi::OsStr;

use super::*;
use crate::terms::ClockQuality;

/// A clock that goes on only when somebody sleeps by it, and then at once.
#[derive(Default)]
struct Leaping {
    uptime_ms: AtomicU64,
    waits: Mutex<Vec<u64>>,
}

impl Leaping {
    fn at(uptime_ms: u64) -> Leaping {
        Leaping { uptime_ms: AtomicU64::new(uptime_ms), ..Leaping::default() }
    }
}

impl Clock for Leaping {
    fn now(&self) -> Stamp {
        let uptime_ms = self.uptime_ms.load(Ordering::Relaxed);
        Stamp { wall_unix_ms: 0, uptime_ms, boot: 1, clock: ClockQuality::Unset, error_ms: 0 }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        Box::pin(async move {
            self.waits.lock().unwrap().push(uptime_ms);
            self.uptime_ms.fetch_max(uptime_ms, Ordering::Relaxed);
            tokio::task::yield_now().await;
        })
    }

    fn set_boot(&self, _boot: u32) {}
}

fn round() -> Round {
    Round::begin(100_000, Some(30_000))
}

#[test]
fn it_is_fed_when_every_task_has_come_round_since_the_last_feeding() {
    let mut round = round();
    assert!(!round.is_due(104_999) && round.is_due(105_000));
    let looked = round.look(105_000, [("judge", 104_000), ("scribe", 100_000)].into_iter());
    assert!(looked.feeds, "{looked:?}");
    let looked = round.look(110_000, [("judge", 109_000), ("scribe", 104_000)].into_iter());
    assert_eq!(looked, Looked::default(), "not yet for long");
    let looked = round.look(111_000, [("judge", 109_000), ("scribe", 110_500)].into_iter());
    assert!(looked.feeds);
}

#[test]
fn whoever_stands_still_is_named_once_and_again_when_he_goes_on() {
    let mut round = round();
    let still = [("judge", 112_000), ("bus hall-1", 99_999)];
    assert_eq!(round.look(114_000, still.into_iter()), Looked::default());
    let looked = round.look(115_000, still.into_iter());
    assert_eq!((looked.feeds, looked.stands), (false, vec![("bus hall-1".to_owned(), 15)]));
    assert_eq!(round.look(120_000, still.into_iter()), Looked::default(), "told before");
    let looked = round.look(121_000, [("judge", 120_500), ("bus hall-1", 120_900)].into_iter());
    assert_eq!((looked.feeds, looked.goes_on), (true, vec!["bus hall-1".to_owned()]));
}

#[test]
fn a_hasty_watchdog_is_fed_in_time() {
    let round = Round::begin(0, Some(9_000));
    assert_eq!((round.feed_ms, round.stuck_ms), (3_000, 4_500));
}

#[tokio::test]
async fn a_long_wait_is_waited_in_parts_and_a_limit_of_ones_own_is_believed() {
    let time = Arc::new(Leaping::at(10));
    let clock: Arc<dyn Clock> = time.clone();
    let pulse = Watchdog::default().pulse("task", &clock);
    assert_eq!(pulse.seen_ms(), 0);
    pulse.sleep_until(PART_MS * 3).await;
    assert_eq!(*time.waits.lock().unwrap(), [10 + PART_MS, 10 + 2 * PART_MS, 3 * PART_MS]);
    assert_eq!(pulse.seen_ms(), PART_MS * 3, "each part is believed to its end");
    pulse.busy_until(90_000);
    assert_eq!(pulse.seen_ms(), 90_000);
    let _now = pulse.now();
    assert_eq!(pulse.seen_ms(), PART_MS * 3, "back before its limit");
}

#[test]
fn while_one_holds_the_others_up_only_he_is_expected_and_whoever_ended_is_not() {
    let clock: Arc<dyn Clock> = Arc::new(Leaping::default());
    let watchdog = Watchdog::default();
    let (judge, scribe) = (watchdog.pulse("judge", &clock), watchdog.pulse("scribe", &clock));
    let names = || watchdog.expected().iter().map(|pulse| pulse.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(), ["judge", "scribe"]);
    scribe.holds_up(true);
    assert_eq!(names(), ["scribe"]);
    scribe.holds_up(false);
    drop(judge);
    assert_eq!(names(), ["scribe"]);
}

#[tokio::test]
async fn ready_is_said_once_all_is_begun_and_feeding_ends_with_whoever_stands_still() {
    let path = std::env::temp_dir().join(format!("coldhearth-watchdog-{}", std::process::id()));
    let _old = std::fs::remove_file(&path);
    let manager = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    manager.set_nonblocking(true).unwrap();
    let heard = || {
        let mut bytes = [0; 4_096];
        manager.recv(&mut bytes).ok().map(|length| String::from_utf8(bytes[..length].to_vec()).unwrap())
    };
    let clock: Arc<dyn Clock> = Arc::new(Leaping::at(1));
    let watchdog = Watchdog::of(Notify::to(OsStr::new(&path), Some(30_000)).unwrap(), Language::English);
    watchdog.on_status("first".to_owned());
    let (judge, scribe) = (watchdog.pulse("judge", &clock), watchdog.pulse("scribe", &clock));
    let feeding = watchdog.feed(&*clock);
    tokio::pin!(feeding);
    let mut turn = async |turns: u32| {
        for _ in 0..turns {
            tokio::select! {
                biased;
                () = &mut feeding => {}
                () = tokio::task::yield_now() => {}
            }
        }
    };
    let _now = judge.now();
    watchdog.on_begun();
    turn(10).await;
    assert_eq!(heard(), None, "the scribe has not begun");
    let _now = scribe.now();
    turn(10).await;
    assert_eq!(heard().unwrap(), "READY=1\nSTATUS=first");
    watchdog.on_status("second".to_owned());
    let mut said = Vec::new();
    for _ in 0..40 {
        let (_judge, _scribe) = (judge.now(), scribe.now());
        turn(1).await;
        said.extend(heard());
    }
    assert_eq!(said.iter().filter(|word| *word == "STATUS=second").count(), 1, "{said:?}");
    let fed = |said: &[String]| said.iter().filter(|word| *word == "WATCHDOG=1").count();
    assert!(fed(&said) > 3, "{said:?}");
    said.clear();
    for _ in 0..100 {
        let _judge = judge.now();
        turn(1).await;
        said.extend(heard());
    }
    assert!(fed(&said) <= 1, "the scribe stands still: {said:?}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_somebody_has_to_do_stands_first_in_the_status_until_it_is_done() {
    let watchdog = Watchdog::default();
    watchdog.on_status("attests now".to_owned());
    assert_eq!(watchdog.news().as_deref(), Some("attests now"));
    assert!(watchdog.on_worry(Worry::FileRefused, true) && watchdog.on_worry(Worry::ReserveSpent, true));
    assert!(!watchdog.on_worry(Worry::FileRefused, true), "no news");
    assert_eq!(watchdog.worries(), [Worry::ReserveSpent, Worry::FileRefused], "the weightiest first");
    let told = watchdog.news().unwrap();
    assert!(told.starts_with("! the disk's emergency reserve") && told.ends_with(" | attests now"), "{told}");
    assert!(watchdog.on_worry(Worry::ReserveSpent, false) && watchdog.on_worry(Worry::FileRefused, false));
    assert_eq!((watchdog.news().as_deref(), watchdog.news()), (Some("attests now"), None));
}
