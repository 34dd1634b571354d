//! A gateway's log about one cut-off order, written without a gateway: acts, what the meter shows, and what the machine says.

use coldhearth::{
    evidence::{
        Act, Body, Chain, Ed25519, Genesis, LogHead, LogId, Sealer, Signer as _,
        commissioning::{Commissioning, PointPapers},
        record::Unverified,
    },
    judge::{
        Commissioned, Event, Finding, Floor, Mark, Rung, State, StateFinding, VoltagePoint,
        cutoff::{HoldNote, Orders, Seen, Stand},
    },
    metering::Register,
    terms::{
        AssetId, ClockQuality, Digest, GatewayId, MeterId, MilliAmps, MilliVolts, MilliWatts, Name, OrderId,
        Stamp, WattHours,
        place::{CreditCode, Division},
    },
};
use serde_json::{Value, json};

pub const MINUTE_MS: i64 = 60_000;
pub const DAY_MS: i64 = 86_400_000;
/// 2026-11-16 08:00 +08:00, a Monday.
pub const MONDAY_MS: i64 = 1_794_758_400_000 + 8 * 3_600_000;
pub const METER: &str = "eaf-2-feeder";

/// Where the register stands.
pub const STILL: WattHours = WattHours(918_273_645_000);

pub fn authority() -> Ed25519 {
    Ed25519::from_seed(&[9; 32])
}

pub fn gateway() -> Ed25519 {
    Ed25519::from_seed(&[7; 32])
}

/// The supplier's own key, which an order may name.
pub fn supplier() -> Ed25519 {
    Ed25519::from_seed(&[5; 32])
}

pub fn order_id() -> OrderId {
    OrderId::new("order-1").unwrap()
}

/// A gateway's log about one order, being written.
pub struct Log {
    pub chain: Chain,
    pub lines: Vec<Vec<u8>>,
    pub orders: Orders,
    pub now: Stamp,
    pub acts: u32,
    pub signer: Ed25519,
    /// Who signs what is the supplier's to say, where that is not the signer.
    pub supplier: Option<Ed25519>,
    /// Who signed the reading that the log tells of, where that is another than the one that was heard.
    pub teller: Option<Ed25519>,
    /// What the log tells of a reading instead of what was heard.
    pub rewrite: Option<(&'static str, Value)>,
}

impl Log {
    pub fn begin(signer: Ed25519) -> Log {
        Log::begin_as(signer, LogId(0x3f1c_9a70_e2b8_4d15))
    }

    pub fn begin_as(signer: Ed25519, log: LogId) -> Log {
        let now = Stamp {
            wall_unix_ms: MONDAY_MS,
            uptime_ms: 1_000_000,
            boot: 1,
            clock: ClockQuality::Ntp,
            error_ms: 40,
        };
        let gateway_id = GatewayId::new("gw-03").unwrap();
        let chain = Chain::begin(gateway_id, log, 0, Box::new(gateway()));
        let (lines, orders) = (Vec::new(), Orders::default());
        let mut log =
            Log { chain, lines, orders, now, acts: 0, signer, supplier: None, teller: None, rewrite: None };
        log.say(&Body::Genesis(Genesis {
            public_key: gateway().public_key(),
            division: Division::parse("130421").unwrap(),
            enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
            software: "coldhearth 0.1.0".into(),
            config: Digest::of(b"config"),
            profiles: Vec::new(),
            continues: None,
        }));
        log
    }

    pub fn say(&mut self, body: &Body) {
        let bytes = self.chain.seal(&self.now, body).unwrap().bytes.to_vec();
        self.lines.push(bytes);
    }

    /// A record that is about nothing.
    pub fn beat(&mut self) {
        self.say(&super::voice::beat());
    }

    pub fn commission(&mut self, at: VoltagePoint) {
        self.commission_as(meter(), at);
    }

    /// A process feeder of the furnace.
    pub fn commission_as(&mut self, meter: MeterId, at: VoltagePoint) {
        let floor = Floor { power: MilliWatts(0), current: MilliAmps(0), capacity: MilliWatts(0) };
        let (asset, rated) = (AssetId::new("eaf-2").unwrap(), MilliWatts::from_watts(12_500_000));
        let feeder = Commissioned::process_feeder(meter, asset, MilliVolts(35_000_000), rated, floor);
        let terms = Commissioned { voltage_point: at, ..feeder };
        let profile = (Name::new("sim-cutoff").unwrap(), Digest::of(b"profile"));
        self.say(&Body::Commissioned(Commissioning::of(&terms, profile, &PointPapers::default())));
    }

    pub fn act(&mut self, kind: &str, more: &Value) {
        self.acts += 1;
        let mut draft = json!({
            "act": kind, "act_id": if kind == "order" { "order-1".to_owned() } else { format!("{kind}-{}", self.acts) },
            "version": 1, "gateway_id": "gw-03", "asset": "eaf-2", "issuer": "hebei-miit",
            "issued_unix_ms": self.now.wall_unix_ms, "expires_unix_ms": self.now.wall_unix_ms + DAY_MS,
        });
        let object = draft.as_object_mut().unwrap();
        if kind != "order" {
            object.insert("order_id".into(), "order-1".into());
        }
        object.extend(more.as_object().unwrap().clone());
        let signer = self.supplier.as_ref().filter(|_| kind == "reading").unwrap_or(&self.signer);
        let act = Act::seal(object, &mut Sealer::default(), signer).unwrap();
        let told = if let Some((member, other)) = self.rewrite.clone().filter(|_| kind == "reading") {
            let mut told = object.clone();
            told.insert(member.into(), other);
            Act::seal(&told, &mut Sealer::default(), &self.signer).unwrap()
        } else if let Some(teller) = self.teller.as_ref().filter(|_| kind == "reading") {
            Act::seal(object, &mut Sealer::default(), teller).unwrap()
        } else {
            act.clone()
        };
        self.say(&Body::Act(told.clone()));
        let (at, about) = (self.now, act.about_orders().unwrap());
        let mut said = Vec::new();
        self.orders.may(&self.now, &about).unwrap();
        self.orders.on_act(&at, &about, |_| Vec::new(), &mut |finding| said.push(finding));
        self.tell(said);
        self.say(&Body::Answer(told.accepted()));
    }

    pub fn tell(&mut self, said: Vec<Finding>) {
        said.into_iter().for_each(|finding| self.say(&Body::Finding(finding)));
    }

    /// The meter shows no voltage, minute by minute, but for a gap of some minutes at noon of each second day.
    pub fn dead_for(&mut self, ms: i64) {
        self.shows(State::Dead, STILL, ms);
    }

    /// A record of a meter's state, its register with it.
    pub fn state(&mut self, meter: MeterId, state: State, energy: WattHours) {
        self.state_since(meter, state, energy, self.now);
    }

    /// The same, said to be so since another moment.
    pub fn state_since(&mut self, meter: MeterId, state: State, energy: WattHours, since: Stamp) {
        let register = Register { energy, step: WattHours(2_100), modulus: None, raw: 0, raw_words: 2 };
        self.say(&Body::Finding(Finding::State(StateFinding {
            meter,
            asset: AssetId::new("eaf-2").unwrap(),
            state,
            since,
            proof: None,
            limit: MilliWatts::from_watts(98_498),
            floor: MilliWatts::from_watts(48_498),
            is_cooling: false,
            voltage_point: None,
            power: None,
            phase_power: [None; 3],
            line_voltages: [None; 3],
            currents: [None; 3],
            mark: Some(Mark { at: self.now, register }),
            signs: Default::default(),
            fingerprint: None,
            commissioning: None,
            plate: None,
            scan: Default::default(),
        })));
    }

    /// The same log in other words, signed as before: a gateway that lies has its own key.
    pub fn retold(&self, lie: impl Fn(&mut Body)) -> Vec<Vec<u8>> {
        let mut chain = Chain::begin(self.chain.gateway(), self.chain.log(), 0, Box::new(gateway()));
        let retell = |line: &Vec<u8>| {
            let record = Unverified::read(line).unwrap().own().unwrap();
            let mut body = record.body;
            lie(&mut body);
            chain.seal(&record.header.at, &body).unwrap().bytes.to_vec()
        };
        self.lines.iter().map(retell).collect()
    }

    /// A furnace melts behind the cut.
    pub fn draws(&mut self) {
        self.shows(State::Drawing, WattHours(STILL.0 + 900_000), 5 * MINUTE_MS);
    }

    pub fn shows(&mut self, state: State, energy: WattHours, ms: i64) {
        for minute in 0..ms / MINUTE_MS {
            self.now.wall_unix_ms += MINUTE_MS;
            self.now.uptime_ms += MINUTE_MS.cast_unsigned();
            let is_gap = (240..250).contains(&(minute % 2_880));
            if is_gap {
                continue;
            }
            let register = Register { energy, step: WattHours(2_100), modulus: None, raw: 0, raw_words: 2 };
            let at = self.now;
            let seen = Seen {
                meter: meter(),
                at,
                state,
                is_told: true,
                mark: Some(Mark { at, register }),
                idle: MilliWatts(0),
                error_ppm: 8_661,
                power_fails: None,
                patience_ms: 3 * MINUTE_MS,
                is_fed: false,
                rated: MilliWatts::from_watts(12_500_000),
                capacity: MilliWatts::from_watts(15_000_000),
            };
            let mut said = Vec::new();
            self.orders.on_seen(&seen, &mut |finding| said.push(finding));
            self.orders.on_tick(&at, true, &mut |finding| said.push(finding));
            self.tell(said);
        }
    }

    pub fn reading(&mut self, days: i64) {
        let midnight = (self.now.wall_unix_ms + DAY_MS / 3).div_euclid(DAY_MS) * DAY_MS - DAY_MS / 3;
        let span = |day: i64| {
            let from = midnight - (days - day) * DAY_MS;
            json!({ "from_unix_ms": from, "to_unix_ms": from + DAY_MS, "energy_wh": 0, "quality": "measured" })
        };
        let spans: Vec<Value> = (0..days).map(span).collect();
        self.tells(&spans);
    }

    /// A reading of so long until now, in one span.
    pub fn reading_of(&mut self, ms: i64) {
        let to = self.now.wall_unix_ms;
        let span =
            json!({ "from_unix_ms": to - ms, "to_unix_ms": to, "energy_wh": 0, "quality": "measured" });
        self.tells(&[span]);
    }

    fn tells(&mut self, spans: &[Value]) {
        self.act(
            "reading",
            &json!({
                "meter": METER, "meter_serial": "31-0042", "error_ppm": 5_000, "step_wh": 1_000, "switch": "open",
                "spans": spans, "source_sha256": Digest::of(b"utility.csv").to_string(),
            }),
        );
    }

    pub fn rung(&self) -> Rung {
        self.orders.iter().next().unwrap().stand().rung
    }
}

/// A log that goes on after another, and takes over its acts.
pub struct Next<'l> {
    pub before: &'l [Vec<u8>],
    pub log: LogId,
    pub at: Stamp,
    /// Said before how the order stands.
    pub besides: &'l [Body],
    pub stand: Option<Stand>,
    /// Said after that.
    pub after: &'l [Body],
}

impl Next<'_> {
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let (order, asset) = (order_id(), AssetId::new("eaf-2").unwrap());
        let ended = Unverified::read(self.before.last().unwrap()).unwrap();
        let before = LogHead { log: ended.header().log, seq: ended.header().seq, head: ended.hash() };
        let mut chain = Chain::begin(GatewayId::new("gw-03").unwrap(), self.log, 0, Box::new(gateway()));
        let mut lines = Vec::new();
        let mut say = |body: &Body| lines.push(chain.seal(&self.at, body).unwrap().bytes.to_vec());
        for body in self.before.iter().map(|line| Unverified::read(line).unwrap().own().unwrap().body) {
            if let Body::Genesis(genesis) = body {
                say(&Body::Genesis(Genesis { continues: Some(before), ..genesis }));
            } else if matches!(body, Body::Act(_)) {
                say(&body);
            }
        }
        self.besides.iter().for_each(&mut say);
        if let Some(stand) = self.stand {
            say(&Body::Finding(Finding::Event(Event::Hold(HoldNote { order, asset, stand }))));
        }
        self.after.iter().for_each(&mut say);
        lines
    }
}

pub fn meter() -> MeterId {
    MeterId::new(METER).unwrap()
}

pub fn paper() -> String {
    Digest::of(b"paper").to_string()
}

pub fn order(legal_basis: &str) -> Value {
    json!({
        "legal_basis": legal_basis, "legal_basis_sha256": paper(), "tracking_id": "冀工信断〔2026〕3号",
        "entry": "steel-electric-furnace-up-to-30t", "scope": "feeder", "method": "rack_out", "case": "demolish",
        "points": [{ "meter": METER, "feeder": "35kV-312", "breaker": "312", "carrier": "own" }],
        "single_line": "USCC-1-v4", "second_feeds": "excluded", "not_before_unix_ms": MONDAY_MS,
        "due_unix_ms": MONDAY_MS + 5 * DAY_MS,
        "safe_state": {
            "emptied": "done", "cooled": "done", "purged": "not_needed", "declared_by": "李工",
            "declared_unix_ms": MONDAY_MS, "document_sha256": paper(),
        },
    })
}

pub fn claim() -> Value {
    json!({
        "cut_unix_ms": MONDAY_MS, "performed_by": "王某、赵某", "ticket_no": "GZP-7", "tester": "YD-35-1",
        "live_dead_live": true, "earthed": true, "locks": "L-11, L-12", "photos_sha256": paper(),
    })
}

/// A log whose order is sealed and maintained.
pub fn maintained(signer: Ed25519, at: VoltagePoint) -> Log {
    maintain(Log::begin(signer), at)
}

/// The same, in a log that was begun.
pub fn maintain(mut log: Log, at: VoltagePoint) -> Log {
    log.commission(at);
    log.act("order", &order("国发〔2010〕7号 四(三)"));
    log.act("acknowledge", &json!({}));
    log.act("claim", &claim());
    log.dead_for(8 * DAY_MS);
    log.reading(7);
    assert_eq!(log.rung(), Rung::Verified);
    log.act("seal", &json!({ "seal_no": "F-2026-77" }));
    log.dead_for(DAY_MS / 4);
    log
}
