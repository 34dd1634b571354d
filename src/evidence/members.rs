//! Members back to bodies. A member that is missing or of the wrong kind is named; unknown members are left alone.

use serde_json::{Map, Value};

use super::{
    act::{Act, Answer},
    balance,
    body::{Body, Boot, Checkpoint, Genesis},
    commissioning::{self, Commissioning},
    continuity::{Gap, LogHead, Rollback, Rotation},
    dark, grounds,
    notice::Notice,
    plates, sign,
    signed::Signed,
    stand, standing,
    suite::PublicKey,
};
use crate::{
    catalogue::Phase,
    judge::{
        Event, Excess, Finding, Interval, Mark, Measured, PermitUse, Proof, RegisterEvent, RegisterQuirk,
        Shares, Sign, Span, State, StateFinding, Verdict, VoltagePoint, Why, Window, Windows,
    },
    metering::{Block, Function, Register, Scan},
    terms::{
        AssetId, Digest, MeterId, MilliAmps, MilliVolts, MilliWatts, Name, OrderId, Stamp, WattHours,
        digest::hex_into,
        place::{CreditCode, Division},
    },
};

/// A member that is missing or says nothing this version understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMember(pub &'static str);

pub(super) type Found<T> = Result<T, BadMember>;

/// The members of one object, asked for by name.
#[derive(Clone, Copy)]
pub struct Members<'a>(pub &'a Map<String, Value>);

impl<'a> Members<'a> {
    /// A text member.
    ///
    /// # Errors
    /// It is missing or no text.
    pub fn text(self, name: &'static str) -> Found<&'a str> {
        self.0.get(name).and_then(Value::as_str).ok_or(BadMember(name))
    }

    /// A whole-number member.
    ///
    /// # Errors
    /// It is missing or no whole number.
    pub fn whole(self, name: &'static str) -> Found<i64> {
        self.0.get(name).and_then(Value::as_i64).ok_or(BadMember(name))
    }

    /// A whole-number member that fits the wanted type.
    ///
    /// # Errors
    /// It is missing, or does not fit.
    pub fn fitting<T: TryFrom<i64>>(self, name: &'static str) -> Found<T> {
        T::try_from(self.whole(name)?).map_err(|_| BadMember(name))
    }

    /// A text member read by a function.
    ///
    /// # Errors
    /// It is missing, or the function does not know it.
    pub fn parsed<T>(self, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Found<T> {
        read(self.text(name)?).ok_or(BadMember(name))
    }

    /// A member that may be missing.
    ///
    /// # Errors
    /// It is there and wrong.
    pub fn optional<T>(self, name: &'static str, read: impl FnOnce(Self) -> Found<T>) -> Found<Option<T>> {
        if self.0.contains_key(name) { read(self).map(Some) } else { Ok(None) }
    }

    /// A member that is true or false.
    ///
    /// # Errors
    /// It is missing or neither.
    pub fn flag(self, name: &'static str) -> Found<bool> {
        self.0.get(name).and_then(Value::as_bool).ok_or(BadMember(name))
    }

    /// A nested object.
    ///
    /// # Errors
    /// It is missing or none.
    pub fn object(self, name: &'static str) -> Found<Members<'a>> {
        self.0.get(name).and_then(Value::as_object).map(Members).ok_or(BadMember(name))
    }

    /// A list of objects.
    ///
    /// # Errors
    /// It is missing, or holds anything else.
    pub fn objects(self, name: &'static str) -> Found<Vec<Members<'a>>> {
        let items = self.0.get(name).and_then(Value::as_array).ok_or(BadMember(name))?;
        items.iter().map(|item| item.as_object().map(Members).ok_or(BadMember(name))).collect()
    }
}

/// Reads the body of a record of this type; `header` lends its clock quality to the moments inside.
///
/// # Errors
/// The first member that is missing or wrong; `type` when the type is unknown.
pub fn body(kind: &str, members: Members<'_>, header: &Stamp) -> Found<Body> {
    let reader = Reader { members, header };
    match kind {
        "genesis" => reader.genesis().map(Body::Genesis),
        "boot" => reader.boot().map(Body::Boot),
        "checkpoint" => reader.checkpoint().map(Body::Checkpoint),
        "key_rotate" => Rotation::read(members).map(Body::Rotation),
        "skip" => skip(members),
        "gap" => Gap::read(members).map(Body::Gap),
        "rollback_notice" => Rollback::read(members).map(Body::Rollback),
        "act" => act(members).map(Body::Act),
        "answer" => Answer::read(members).map(Body::Answer),
        "transition" => stand::read_transition(reader).map(|step| Body::Finding(Finding::Transition(step))),
        "state" => reader.state_finding().map(|found| Body::Finding(Finding::State(found))),
        "interval" => reader.interval().map(|interval| Body::Finding(Finding::Interval(interval))),
        "verdict" => reader.verdict().map(|verdict| Body::Finding(Finding::Verdict(verdict))),
        "event" if members.text("event")? == commissioning::WORD => {
            Commissioning::read(members).map(Body::Commissioned)
        }
        "event" => match Notice::read(members.text("event")?, members)? {
            Some(notice) => Ok(Body::Notice(notice)),
            None => reader.event().map(|event| Body::Finding(Finding::Event(event))),
        },
        _ => Err(BadMember("type")),
    }
}

/// The only reason there is to skip.
pub(super) const UNCLEAN_START: &str = "unclean_start";

fn skip(m: Members<'_>) -> Found<Body> {
    m.parsed("why", |why| (why == UNCLEAN_START).then_some(()))?;
    let (from, to) = (m.fitting("from_seq")?, m.fitting("to_seq")?);
    if to < from { Err(BadMember("to_seq")) } else { Ok(Body::Skip { from, to }) }
}

fn act(m: Members<'_>) -> Found<Act> {
    let inside = m.object("signed_act")?.0.clone();
    Signed::of(inside).and_then(Act::read).map_err(|_| BadMember("signed_act"))
}

/// The members of one object, and whose clock its moments are told by.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) members: Members<'a>,
    header: &'a Stamp,
}

impl<'a> Reader<'a> {
    /// Of an object inside.
    pub(super) fn of(self, members: Members<'a>) -> Reader<'a> {
        Reader { members, ..self }
    }

    fn inside(self, name: &'static str) -> Found<Reader<'a>> {
        Ok(Reader { members: self.members.object(name)?, ..self })
    }

    fn genesis(self) -> Found<Genesis> {
        let m = self.members;
        let profile =
            |p: Members<'_>| Ok((p.parsed("id", Name::new)?, p.parsed("sha256", Digest::from_hex)?));
        Ok(Genesis {
            public_key: m.parsed("public_key", PublicKey::from_base64)?,
            division: m.parsed("division", Division::parse)?,
            enterprise: m.parsed("uscc", CreditCode::parse)?,
            software: m.text("software")?.to_owned(),
            config: m.parsed("config_sha256", Digest::from_hex)?,
            profiles: m.objects("profiles")?.into_iter().map(profile).collect::<Found<_>>()?,
            continues: m.optional("continues", |m| LogHead::read(m.object("continues")?))?,
        })
    }

    fn boot(self) -> Found<Boot> {
        let m = self.members;
        Ok(Boot {
            boot_id: m.text("boot_id")?.to_owned(),
            machine_rebooted: m.flag("machine_rebooted")?,
            software: m.text("software")?.to_owned(),
            config: m.parsed("config_sha256", Digest::from_hex)?,
            dark: dark::read_boot(self)?,
        })
    }

    fn checkpoint(self) -> Found<Checkpoint> {
        let m = self.members;
        Ok(Checkpoint {
            entries: m.fitting("entries")?,
            reads_ok: m.fitting("reads_ok")?,
            reads_failed: m.fitting("reads_failed")?,
            first_unreceipted_seq: m.fitting("first_unreceipted_seq")?,
        })
    }

    fn state_finding(self) -> Found<StateFinding> {
        let m = self.members;
        let values = m.object("values")?;
        let volts = |name| values.optional(name, |v| v.whole(name).map(MilliVolts));
        let amps = |name| values.optional(name, |v| v.whole(name).map(MilliAmps));
        let power = |name| values.optional(name, |v| v.whole(name).map(MilliWatts::from_watts));
        Ok(StateFinding {
            meter: m.parsed("meter", MeterId::new)?,
            asset: m.parsed("asset", AssetId::new)?,
            state: self.state()?,
            since: self.moment("since")?,
            proof: m.optional("proof", |_| self.inside("proof")?.proof())?,
            limit: m.whole("limit_w").map(MilliWatts::from_watts)?,
            floor: m.whole("floor_w").map(MilliWatts::from_watts)?,
            is_cooling: m.optional("cooling", |m| m.flag("cooling"))?.unwrap_or(false),
            voltage_point: m
                .optional("voltage_point", |m| m.parsed("voltage_point", VoltagePoint::from_word))?,
            power: match (power("power_w")?, power("power_up_to_w")?) {
                (Some(power), None) => Some(Measured::Is(power)),
                (None, up_to) => up_to.map(Measured::UpTo),
                (Some(_), Some(_)) => return Err(BadMember("power_up_to_w")),
            },
            phase_power: [power("power_l1_w")?, power("power_l2_w")?, power("power_l3_w")?],
            line_voltages: [volts("voltage_l12_mv")?, volts("voltage_l23_mv")?, volts("voltage_l31_mv")?],
            currents: [amps("current_l1_ma")?, amps("current_l2_ma")?, amps("current_l3_ma")?],
            mark: self.mark("register")?,
            signs: sign::read_standing(self)?,
            fingerprint: grounds::digest(m, "meter_sha256")?,
            commissioning: grounds::digest(m, "commissioning_sha256")?,
            plate: grounds::digest(m, "plate_sha256")?,
            scan: self.scan()?,
        })
    }

    fn proof(self) -> Found<Proof> {
        let (m, from) = (self.members, self.moment("from")?);
        let watts = |name| m.whole(name).map(MilliWatts::from_watts);
        match m.text("by")? {
            "power" => return Ok(Proof::Power { from, power: watts("power_w")?, limit: watts("limit_w")? }),
            "demand" => {
                return Ok(Proof::Demand { from, demand: watts("demand_w")?, limit: watts("limit_w")? });
            }
            "back_feed" => return Ok(Proof::BackFeed { from }),
            _ => {}
        }
        let span = m.parsed("by", Span::from_word)?;
        Ok(Proof::Energy(Excess {
            span,
            from,
            moved: self.energy("moved_wh")?,
            bound: self.energy("bound_wh")?,
        }))
    }

    fn interval(self) -> Found<Interval> {
        let m = self.members;
        Ok(Interval {
            meter: m.parsed("meter", MeterId::new)?,
            asset: m.parsed("asset", AssetId::new)?,
            start: self.moment("start")?,
            end: self.moment("end")?,
            shares: self.shares()?,
            late_bridged_ms: m.whole("late_bridged_ms")?,
            energy: m.optional("energy_wh", |_| self.energy("energy_wh"))?,
            bound: self.energy("bound_wh")?,
            reads_ok: m.fitting("reads_ok")?,
            reads_failed: m.fitting("reads_failed")?,
            before: self.mark("before")?,
            after: self.mark("after")?,
            windows: m.optional("windows", |_| self.inside("windows")?.windows())?,
            fingerprint: grounds::digest(m, "meter_sha256")?,
            commissioning: grounds::digest(m, "commissioning_sha256")?,
            plate: grounds::digest(m, "plate_sha256")?,
        })
    }

    fn windows(self) -> Found<Windows> {
        let window = |name| {
            let inside = self.inside(name)?;
            Ok(Window { since: inside.moment("since")?, moved: inside.energy("moved_wh")? })
        };
        Ok(Windows { interval: window("interval")?, day: window("day")?, month: window("month")? })
    }

    fn verdict(self) -> Found<Verdict> {
        let m = self.members;
        let since_unix_ms = m.optional("violation_since_unix_ms", |m| m.whole("violation_since_unix_ms"))?;
        if m.flag("violation")? != since_unix_ms.is_some() {
            return Err(BadMember("violation"));
        }
        Ok(Verdict {
            asset: m.parsed("asset", AssetId::new)?,
            state: self.state()?,
            since: self.moment("since")?,
            standing: standing::read(m)?,
            phase: m.optional("phase", |m| m.parsed("phase", Phase::from_word))?,
            violation_since_unix_ms: since_unix_ms,
            energy_overdue: self.energy("energy_overdue_wh")?,
            energy_closed: self.energy("energy_closed_wh")?,
            shares: self.shares()?,
            plate: m.optional("plate_sha256", |m| m.parsed("plate_sha256", Digest::from_hex))?,
            permit: m.optional("permit", |_| self.permit_use())?,
            signs: sign::read_set(self)?,
            grounds: m.optional("grounds", |m| grounds::read(self.of(m.object("grounds")?)))?,
        })
    }

    fn permit_use(self) -> Found<PermitUse> {
        let permit = self.members.parsed("permit", Name::new)?;
        Ok(PermitUse { permit, used: self.energy("permit_used_wh")? })
    }

    fn event(self) -> Found<Event> {
        let m = self.members;
        match m.text("event")? {
            "clock_step" => Ok(Event::ClockStepped { by_ms: m.whole("by_ms")? }),
            "register" => Ok(Event::Register(RegisterEvent {
                meter: m.parsed("meter", MeterId::new)?,
                what: m.parsed("what", RegisterQuirk::from_word)?,
                before: self.mark("before")?.ok_or(BadMember("before"))?,
                after: self.mark("after")?.ok_or(BadMember("after"))?,
                permit: m.optional("permit", |m| m.parsed("permit", Name::new))?,
            })),
            "permit_used" => {
                Ok(Event::PermitUsed { asset: m.parsed("asset", AssetId::new)?, used: self.permit_use()? })
            }
            "sign" => sign::read_event(self).map(Event::Sign),
            "balance" => balance::read_event(self).map(Event::Balance),
            "meter" => grounds::read_told(m).map(Event::Meter),
            dark::WORD => dark::read_event(self).map(Event::Dark),
            stand::NOTE => stand::read_note(self).map(Event::Hold),
            stand::DAY => stand::read_day(m).map(Event::Reconcile),
            stand::FED => Ok(Event::FedBehindCut {
                order: m.parsed("order_id", OrderId::new)?,
                asset: m.parsed("asset", AssetId::new)?,
                meter: m.parsed("meter", MeterId::new)?,
            }),
            "plate_unreadable" => Ok(Event::PlateUnreadable {
                asset: m.parsed("asset", AssetId::new)?,
                why: m.parsed("why", Name::new)?,
            }),
            word => plates::read(word, m)?.ok_or(BadMember("event")),
        }
    }

    fn state(self) -> Found<State> {
        let m = self.members;
        let code = m.optional("exception", |m| m.fitting("exception"))?.unwrap_or(0);
        let why = m.optional("why", |m| m.parsed("why", |word| Why::from_word(word, code)))?;
        let sign = m.optional("sign", |m| m.parsed("sign", Sign::from_word))?;
        m.parsed("state", |word| State::from_word(word, why, sign))
    }

    fn shares(self) -> Found<Shares> {
        let m = self.members;
        Shares::of_record(m.whole("observed_ms")?, m.whole("bridged_ms")?, m.whole("unaccounted_ms")?)
            .ok_or(BadMember("unaccounted_ms"))
    }

    pub(super) fn energy(self, name: &'static str) -> Found<WattHours> {
        self.members.whole(name).map(WattHours)
    }

    pub(super) fn moment(self, name: &'static str) -> Found<Stamp> {
        let m = self.members.object(name)?;
        Ok(Stamp {
            wall_unix_ms: m.whole("wall_unix_ms")?,
            uptime_ms: m.fitting("uptime_ms")?,
            boot: m.fitting("boot_count")?,
            clock: self.header.clock,
            error_ms: self.header.error_ms,
        })
    }

    pub(super) fn mark(self, name: &'static str) -> Found<Option<Mark>> {
        self.members.optional(name, |_| {
            let inside = self.inside(name)?;
            let words = inside.members.text("words")?;
            let mut raw = [0; 8];
            let digits = raw.get_mut(8_usize.saturating_sub(words.len() / 2)..).ok_or(BadMember("words"))?;
            if !words.len().is_multiple_of(4) || !hex_into(words, digits) {
                return Err(BadMember("words"));
            }
            Ok(Mark {
                at: inside.moment("at")?,
                register: Register {
                    energy: inside.energy("import_wh")?,
                    step: inside.energy("step_wh")?,
                    modulus: inside.members.optional("modulus_wh", |_| inside.energy("modulus_wh"))?,
                    raw: u64::from_be_bytes(raw),
                    raw_words: u8::try_from(words.len() / 4).map_err(|_| BadMember("words"))?,
                },
            })
        })
    }

    pub(super) fn scan(self) -> Found<Scan> {
        let mut scan = Scan::default();
        for item in self.members.objects("scan")? {
            let function = match item.whole("fc")? {
                3 => Function::Holding,
                4 => Function::Input,
                _ => return Err(BadMember("fc")),
            };
            let text = item.text("words")?;
            let mut bytes = vec![0; text.len() / 2];
            if !text.len().is_multiple_of(4) || !hex_into(text, &mut bytes) {
                return Err(BadMember("words"));
            }
            let words: Vec<u16> =
                bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            let count = u16::try_from(words.len()).map_err(|_| BadMember("words"))?;
            if !scan.push(Block { function, at: item.fitting("at")?, count }, &words) {
                return Err(BadMember("scan"));
            }
        }
        Ok(scan)
    }
}
