//! PURE file: from what the loop knows, and those beside it, to the document that shows it.

use std::collections::BTreeMap;

use super::{
    ready::{self, STUCK_MS},
    status::{
        Broker, Bus, Clock, Coverage, Equipment, Failing, Head, Journal, Meter, Order, Said, StandingSign,
        Status, Took,
    },
    view::{EquipmentView, MeterView, OrderView, Today, View},
};
use crate::{
    agent::config::{AgentConfig, Furnace},
    host::{courier::Refused, worry::Worry},
    judge::{Sign, State},
    metering::{Fault, Latencies, latencies::LATENCY_BUCKETS_MS},
    terms::{AssetId, ClockQuality, Digest, GatewayId, Name, Stamp, words},
};

/// What does not change while an agent runs.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Name and version.
    pub software: &'static str,
    /// Which gateway.
    pub gateway: GatewayId,
    /// SHA-256 of the configuration.
    pub config: Digest,
    /// Names of equipment on screens.
    pub labels: BTreeMap<AssetId, String>,
    /// The buses.
    pub buses: Vec<Name>,
    /// Whether an authority gives receipts.
    pub expects_receipts: bool,
}

impl Fixed {
    /// What the configuration tells.
    pub fn of(config: &AgentConfig, software: &'static str) -> Fixed {
        let label = |furnace: &Furnace| furnace.label.clone().map(|label| (furnace.equipment.id, label));
        Fixed {
            software,
            gateway: config.gateway.id,
            config: config.digest,
            labels: config.equipment.iter().filter_map(label).collect(),
            buses: config.buses.iter().map(|bus| bus.id).collect(),
            expects_receipts: !config.authority.is_empty(),
        }
    }
}

/// What those beside the loop know.
#[derive(Clone, Debug)]
pub struct Around {
    /// Now.
    pub now: Stamp,
    /// Whether the broker is there and has granted every subscription.
    pub is_there: bool,
    /// Why it was lost last.
    pub lost: Option<Refused>,
    /// Why the broker does not take what is to leave next, while it does not.
    pub undelivered: Option<Refused>,
    /// Places that survive a power cut.
    pub places: u64,
    /// Every place before this one is accepted by the broker.
    pub accepted: u64,
    /// Every place before this one is receipted.
    pub receipted: Option<u64>,
    /// The newest record, as last looked at.
    pub newest: Option<Newest>,
    /// When the oldest record without a receipt was written, Unix milliseconds.
    pub oldest_unix_ms: Option<i64>,
    /// Whether the disk takes nothing.
    pub disk_full: bool,
    /// Room left on it, in bytes.
    pub disk_free_bytes: Option<u64>,
    /// What somebody has to do something about.
    pub worries: Vec<Worry>,
}

/// The newest record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Which log.
    pub log: String,
    /// Its place.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it was written, Unix milliseconds.
    pub written_unix_ms: i64,
}

impl Status {
    /// The document of this moment.
    pub fn of(view: &View, fixed: &Fixed, around: &Around) -> Status {
        let now = &around.now;
        let loop_age_ms = u64::try_from(now.since_ms(&view.at)).unwrap_or(0);
        let is_present = loop_age_ms < STUCK_MS;
        let meters: Vec<Meter> = view.meters.iter().map(|meter| Meter::of(meter, now, is_present)).collect();
        let equipment = view.equipment.iter();
        let equipment = equipment.map(|view| Equipment::of(view, fixed, is_present)).collect();
        let mut status = Status {
            software: fixed.software.to_owned(),
            gateway: fixed.gateway.to_string(),
            config_sha256: fixed.config.to_string(),
            now_unix_ms: now.wall_unix_ms,
            began_unix_ms: view.began.wall_unix_ms,
            loop_age_ms,
            clock: Clock::of(now),
            broker: Broker {
                is_there: around.is_there,
                why: around.lost.filter(|_| !around.is_there).map(|why| Said::of(why.words())),
                undelivered: around.undelivered.map(|why| Said::of(why.words())),
            },
            journal: Journal::of(around, fixed),
            reads_ok: view.reads.ok,
            reads_failed: view.reads.failed,
            polls_took: Took::of(&view.polls_took),
            buses: fixed.buses.iter().map(|bus| Bus::of(*bus, &view.meters)).collect(),
            equipment,
            meters,
            orders: view.orders.iter().map(Order::of).collect(),
            healthy: is_present,
            ready: false,
            reasons: Vec::new(),
        };
        status.reasons = ready::reasons(&status, &around.worries);
        status.ready = status.reasons.is_empty();
        status
    }
}

impl Took {
    fn of(took: &Latencies) -> Took {
        Took { upto_ms: LATENCY_BUCKETS_MS.to_vec(), counts: took.counts().to_vec(), sum_ms: took.sum_ms() }
    }
}

impl Clock {
    fn of(now: &Stamp) -> Clock {
        let is_bounded = matches!(now.clock, ClockQuality::Ntp);
        Clock {
            quality: now.clock.word().to_owned(),
            error_ms: is_bounded.then_some(now.error_ms),
            uptime_ms: now.uptime_ms,
            boot: now.boot,
        }
    }
}

impl Journal {
    fn of(around: &Around, fixed: &Fixed) -> Journal {
        let receipted = fixed.expects_receipts.then(|| around.receipted.unwrap_or(0));
        let not_receipted = receipted.map(|receipted| around.places.saturating_sub(receipted));
        let oldest = around.oldest_unix_ms.filter(|_| not_receipted.is_some_and(|places| places > 0));
        // By a clock that was set back since nobody knows.
        let age = |oldest: i64| u64::try_from(around.now.wall_unix_ms.saturating_sub(oldest)).ok();
        Journal {
            places: around.places,
            head: around.newest.as_ref().map(|newest| Head {
                log: newest.log.clone(),
                seq: newest.seq,
                sha256: newest.hash.to_string(),
                written_unix_ms: newest.written_unix_ms,
            }),
            not_accepted: around.places.saturating_sub(around.accepted),
            not_receipted,
            oldest_not_receipted_unix_ms: oldest,
            oldest_not_receipted_age_ms: oldest.and_then(age),
            disk_full: around.disk_full,
            disk_free_bytes: around.disk_free_bytes,
        }
    }
}

impl Bus {
    fn of(id: Name, meters: &[MeterView]) -> Bus {
        let on_bus = || meters.iter().filter(|meter| meter.bus == id);
        let count = |meters: usize| u64::try_from(meters).unwrap_or(u64::MAX);
        let answers = |meter: &&MeterView| meter.good.is_some() && meter.trouble.is_none();
        let answering = on_bus().filter(answers).count();
        let faults = || on_bus().filter_map(|meter| meter.trouble).map(|trouble| trouble.fault);
        // Who refuses, or is another than expected, has answered.
        let has_answered = faults().any(|fault| !fault.ends_link());
        let unreached = |fault: &Fault| matches!(fault, Fault::Refused | Fault::Closed);
        let (state, words) = match faults().next_back() {
            _ if answering > 0 || has_answered => ("answers", words::BUS_ANSWERS),
            None => ("not_yet_asked", words::BUS_NOT_YET_ASKED),
            Some(fault) if faults().all(|fault| unreached(&fault)) => ("unreachable", fault.words()),
            Some(fault) => ("silent", fault.words()),
        };
        Bus {
            id: id.to_string(),
            state: state.to_owned(),
            says: Said::of(words),
            answering: count(answering),
            meters: count(on_bus().count()),
        }
    }
}

/// The word of a state and, where it has one, of its reason.
fn worded(state: State) -> (String, Option<String>) {
    let why = match state {
        State::Unknown(why) => Some(why.word()),
        State::Masked(sign) => Some(sign.word()),
        State::Drawing | State::Exporting | State::Auxiliary | State::Energised | State::Dead => None,
    };
    (state.word().to_owned(), why.map(ToOwned::to_owned))
}

/// Why nothing is known while the loop stands still.
pub const NOT_PRESENT: &str = "not_present";

/// What is said in place of a state while the loop stands still: what was is not what is.
fn not_present() -> (String, Option<String>, Said) {
    let unknown = |language| {
        let (unknown, why) = (words::UNKNOWN.in_language(language), words::NOT_PRESENT.in_language(language));
        format!("{unknown} ({why})")
    };
    ("unknown".to_owned(), Some(NOT_PRESENT.to_owned()), Said::in_both(unknown))
}

impl Meter {
    fn of(view: &MeterView, now: &Stamp, is_present: bool) -> Meter {
        let (state, why) = worded(view.state);
        let says = Said::in_both(|language| view.state.sentence(view.said, language));
        let (state, why, says) = if is_present { (state, why, says) } else { not_present() };
        let age = |at: &Stamp| u64::try_from(now.since_ms(at)).ok();
        Meter {
            id: view.meter.to_string(),
            bus: view.bus.to_string(),
            state,
            why,
            since_unix_ms: view.since.map(|since| since.wall_unix_ms),
            says,
            last_good_unix_ms: view.good.map(|good| good.at.wall_unix_ms),
            last_good_age_ms: view.good.and_then(|good| age(&good.at)),
            power_mw: view.good.and_then(|good| good.power).map(|power| power.0),
            energy_wh: view.good.and_then(|good| good.energy).map(|energy| energy.0),
            failing: view.trouble.map(|trouble| Failing {
                fault: trouble.fault.word().to_owned(),
                says: Said::of(trouble.fault.words()),
                since_unix_ms: trouble.since.wall_unix_ms,
                polls: trouble.polls,
            }),
            reads_ok: view.reads_ok,
            reads_failed: view.reads_failed,
            signs: view.standing().map(StandingSign::of).collect(),
            today: view.today.map(Coverage::of),
        }
    }
}

impl StandingSign {
    fn of(sign: Sign) -> StandingSign {
        let says = Said::in_both(|language| sign.sentence(language));
        StandingSign { sign: sign.word().to_owned(), is_strong: sign.is_strong(), says }
    }
}

impl Coverage {
    fn of(today: Today) -> Coverage {
        let Today { day: _, from_unix_ms, to_unix_ms, observed_ms, bridged_ms, unaccounted_ms } = today;
        Coverage { from_unix_ms, to_unix_ms, observed_ms, bridged_ms, unaccounted_ms }
    }
}

impl Equipment {
    fn of(view: &EquipmentView, fixed: &Fixed, is_present: bool) -> Equipment {
        let verdict = view.verdict.as_deref();
        let (state, why) = worded(view.state());
        let says = Said::in_both(|language| match verdict {
            Some(verdict) => verdict.sentence(language),
            None => view.state().sentence(view.state().words(), language),
        });
        let (state, why, says) = if is_present { (state, why, says) } else { not_present() };
        Equipment {
            id: view.asset.to_string(),
            label: fixed.labels.get(&view.asset).cloned(),
            state,
            why,
            since_unix_ms: verdict.map(|verdict| verdict.since.wall_unix_ms),
            says,
            phase: verdict.and_then(|verdict| verdict.phase).map(|phase| phase.word().to_owned()),
            violation_since_unix_ms: view.violation_since_unix_ms(),
            signs: verdict.into_iter().flat_map(|v| v.signs.iter()).map(StandingSign::of).collect(),
        }
    }
}

impl Order {
    fn of(view: &OrderView) -> Order {
        Order {
            id: view.order.to_string(),
            asset: view.asset.to_string(),
            rung: view.rung.word().to_owned(),
            says: Said::in_both(|language| view.rung.told(language)),
            is_over: view.rung.is_over(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        agent::{
            config,
            inside::{figures, page},
        },
        evidence::Body,
        judge::{Finding, Interval, Memory, Shares, Site, Why},
        metering::{Profile, Sample},
        terms::{MeterId, WattHours, form::Node, words::Language},
    };

    const DAY_BEGAN_UNIX_MS: i64 = 1_795_017_600_000;

    fn at(uptime_ms: u64) -> Stamp {
        Stamp {
            wall_unix_ms: DAY_BEGAN_UNIX_MS + uptime_ms.cast_signed(),
            uptime_ms,
            boot: 1,
            clock: ClockQuality::Ntp,
            error_ms: 8,
        }
    }

    fn configured() -> AgentConfig {
        let profile = include_str!("../../../config/meters/janitza-19000.toml");
        let profile = Arc::new(Profile::parse("janitza-19000.toml", profile).unwrap());
        let text = "[gateway]\nid = \"gw\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"s\"\n\
                    profiles = \"p\"\n[broker]\nhost = \"127.0.0.1\"\n[[bus]]\nid = \"hall\"\nendpoint = \"tcp://127.0.0.1:9\"\n\
                    [[equipment]]\nid = \"eaf-1\"\nkind = \"electric_arc_furnace\"\nrated_power_w = 12_500_000\n\
                    decommissioned_on = 2011-12-31\nname = \"<1>\"\n[[meter]]\nid = \"feeder-1\"\nbus = \"hall\"\nunit = 1\n\
                    profile = \"janitza-19000\"\nserves = \"eaf-1\"\nnominal_v = 35_000\nct = \"400/5\"\n";
        let node = Node::parse("agent.toml", text).unwrap();
        config::of_tree(&node, Digest::of(b""), &[profile]).unwrap()
    }

    fn around(now: Stamp) -> Around {
        Around {
            now,
            is_there: true,
            lost: None,
            undelivered: None,
            places: 12,
            accepted: 10,
            receipted: None,
            newest: None,
            oldest_unix_ms: None,
            disk_full: false,
            disk_free_bytes: Some(1 << 30),
            worries: Vec::new(),
        }
    }

    fn feeder() -> MeterId {
        MeterId::new("feeder-1").unwrap()
    }

    fn interval(from_ms: u64, to_ms: u64, shares: (i64, i64, i64), late_bridged_ms: i64) -> Body {
        Body::Finding(Finding::Interval(Interval {
            meter: feeder(),
            asset: AssetId::new("eaf-1").unwrap(),
            start: at(from_ms),
            end: at(to_ms),
            shares: Shares::of_record(shares.0, shares.1, shares.2).unwrap(),
            late_bridged_ms,
            energy: None,
            bound: WattHours(0),
            reads_ok: 0,
            reads_failed: 0,
            before: None,
            after: None,
            windows: None,
            fingerprint: None,
            commissioning: None,
            plate: None,
        }))
    }

    fn codes(status: &Status) -> Vec<&str> {
        status.reasons.iter().map(|reason| reason.code.as_str()).collect()
    }

    #[test]
    fn before_anything_is_known_everything_is_missing_and_nothing_is_zero() {
        let config = configured();
        let view = View::new(&config, &Memory::default(), &at(5_000));
        let fixed = Fixed::of(&config, "coldhearth test");
        let status = Status::of(&view, &fixed, &around(at(6_000)));
        let json = serde_json::to_value(&status).unwrap();
        let meter = &json["meters"][0];
        for missing in
            ["last_good_unix_ms", "last_good_age_ms", "power_mw", "energy_wh", "since_unix_ms", "today"]
        {
            assert!(meter[missing].is_null() && meter.get(missing).is_some(), "{missing}: {meter}");
        }
        assert_eq!((&meter["state"], &meter["why"]), (&"unknown".into(), &"not_yet_read".into()));
        assert_eq!(status.equipment[0].state, "unknown");
        assert_eq!(json["journal"]["head"], serde_json::Value::Null);
        assert_eq!((codes(&status), status.healthy, status.ready), (vec!["not_yet_read"], true, false));
        assert_eq!(serde_json::from_value::<Status>(json).unwrap(), status, "what is written is read again");
        let page = page(&status, Language::English);
        assert!(page.contains("&lt;1&gt;") && !page.contains("<1>"), "a name is a text: {page}");
    }

    #[test]
    fn what_is_not_present_is_shown_as_doubt_whatever_it_was() {
        let config = configured();
        let mut view = View::new(&config, &Memory::default(), &at(0));
        view.meters[0].state = State::Dead;
        view.meters[0].said = State::Dead.words();
        let fixed = Fixed::of(&config, "coldhearth test");
        let present = Status::of(&view, &fixed, &around(at(STUCK_MS - 1)));
        assert_eq!(present.meters[0].state, "dead");
        assert!(present.meters[0].says.en.contains("Not a test for dead"), "{:?}", present.meters[0].says);
        let status = Status::of(&view, &fixed, &around(at(STUCK_MS)));
        assert_eq!((status.meters[0].state.as_str(), status.healthy), ("unknown", false));
        assert_eq!((status.equipment[0].state.as_str(), codes(&status)), ("unknown", vec!["stuck"]));
        let site = Site::new(vec![], vec![], &Memory::default());
        view.on_turn(&at(STUCK_MS), &site);
        assert!(Status::of(&view, &fixed, &around(at(STUCK_MS))).healthy);
    }

    #[test]
    fn every_reason_is_told_with_its_task_or_its_meter() {
        let config = configured();
        let mut view = View::new(&config, &Memory::default(), &at(0));
        view.on_sample(&Sample::Miss { meter: feeder(), at: at(500), fault: Fault::Exception(6) });
        view.on_sample(&Sample::Miss { meter: feeder(), at: at(900), fault: Fault::Timeout });
        let fixed = Fixed { expects_receipts: true, ..Fixed::of(&config, "coldhearth test") };
        let unset = Stamp { clock: ClockQuality::Unset, ..at(2_000_000) };
        let ill = Around {
            is_there: false,
            lost: Some(Refused::Unreachable),
            undelivered: Some(Refused::NoSubscriber),
            oldest_unix_ms: Some(DAY_BEGAN_UNIX_MS),
            disk_full: true,
            worries: Worry::ALL.to_vec(),
            ..around(unset)
        };
        view.at = unset;
        let status = Status::of(&view, &fixed, &ill);
        assert_eq!(
            codes(&status),
            [
                "disk_full",
                "reserve_spent",
                "disk_nearly_full",
                "file_refused",
                "broker_away",
                "not_delivered",
                "receipt_late",
                "clock_unset",
                "timeout"
            ]
        );
        let tasks: Vec<&str> = status.reasons.iter().map(|reason| reason.task.as_str()).collect();
        assert_eq!(
            tasks,
            ["scribe", "scribe", "scribe", "configuration", "uplink", "uplink", "uplink", "clock", "bus"]
        );
        assert_eq!(status.reasons[8].meter.as_deref(), Some("feeder-1"));
        let failing = status.meters[0].failing.as_ref().unwrap();
        assert_eq!((failing.polls, failing.since_unix_ms), (2, DAY_BEGAN_UNIX_MS + 500));
        assert_eq!((status.journal.not_receipted, status.clock.error_ms), (Some(12), None));
        assert_eq!((status.buses[0].state.as_str(), status.buses[0].answering), ("silent", 0));
        assert!(status.reasons.iter().all(|reason| !reason.says.en.is_empty() && !reason.says.zh.is_empty()));
    }

    #[test]
    fn the_parts_of_a_day_sum_to_its_intervals_and_a_new_day_begins_anew() {
        let config = configured();
        let mut view = View::new(&config, &Memory::default(), &at(0));
        view.on_said(&interval(0, 900_000, (600_000, 0, 300_000), 0));
        view.on_said(&interval(900_000, 1_800_000, (800_000, 100_000, 0), 250_000));
        let today = view.meter(feeder()).unwrap().today.unwrap();
        assert_eq!((today.observed_ms, today.bridged_ms, today.unaccounted_ms), (1_400_000, 350_000, 50_000));
        assert_eq!(today.to_unix_ms - today.from_unix_ms, 1_800_000);
        // The one that ends with the stroke of midnight still belongs to it.
        let midnight = 86_400_000;
        view.on_said(&interval(midnight - 900_000, midnight, (900_000, 0, 0), 0));
        assert_eq!(view.meter(feeder()).unwrap().today.unwrap().observed_ms, 2_300_000);
        view.on_said(&interval(midnight, midnight + 900_000, (0, 0, 900_000), 0));
        let next = view.meter(feeder()).unwrap().today.unwrap();
        assert_eq!((next.observed_ms, next.bridged_ms, next.unaccounted_ms), (0, 0, 900_000));
        assert_eq!(view.meter(feeder()).unwrap().state, State::Unknown(Why::NotYetRead));
    }

    #[test]
    fn however_many_meters_there_are_page_metrics_and_reasons_stay_bounded() {
        let config = configured();
        let view = View::new(&config, &Memory::default(), &at(0));
        let fixed = Fixed::of(&config, "coldhearth test");
        let mut status = Status::of(&view, &fixed, &around(at(0)));
        let one = status.meters[0].clone();
        let named = |number: usize| Meter { id: format!("meter-{number:05}"), ..one.clone() };
        status.meters = (0..figures::MOST_METERS + 500).map(named).collect();
        let metrics = figures::exposition(&status);
        let of_meters = metrics.lines().filter(|line| line.contains("meter=\"")).count();
        assert_eq!(of_meters, 3 * figures::MOST_METERS, "failing, signs and state; nothing else is known");
        assert!(metrics.contains("coldhearth_meters_not_listed 500\n"), "{metrics}");
        assert!(metrics.contains("coldhearth_meters{state=\"unknown\"} 1500\n"), "sums are of all");
        let page = page(&status, Language::Chinese);
        let rows = page.matches("<tr><td>meter-").count();
        assert_eq!((rows, page.contains("1300</p>")), (page::MOST_ROWS, true));
        let reasons = ready::reasons(&status, &[]);
        assert_eq!(reasons.len(), ready::MOST_METERS_NAMED + 1);
        assert!(reasons.last().is_some_and(|last| last.says.en.ends_with(": 1468")), "{:?}", reasons.last());
    }
}
