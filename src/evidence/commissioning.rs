//! What was declared of a metering point before anything was judged by it, as one object with one hash. The object stands
//! in the log whenever it is new; the hash stands in every state, interval and verdict.

use serde_json::{Map, Value, json};

use super::{
    canonical::{self, Object},
    members::{BadMember, Found, Members},
};
use crate::{
    judge::{Allowance, AllowanceKind, Commissioned, Role, VoltagePoint, cutoff::fitness::PointTerms},
    terms::{AssetId, Digest, LegalDay, MeterId, MilliWatts, Name},
};

/// Longest text of one paper, in bytes.
pub const MAX_PAPER_BYTES: usize = 400;

/// What shows that this meter measures this equipment. What is absent is said to be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointPapers {
    /// The witnessed test: the equipment was switched, and the meter stepped.
    pub step_test: Option<String>,
    /// The check of the phasors.
    pub phasor_check: Option<String>,
    /// The version of the single-line diagram.
    pub single_line: Option<String>,
    /// Certificates of meter and transformers.
    pub certificate: Option<String>,
    /// When the first of them expires.
    pub certificate_expires: Option<LegalDay>,
    /// Seals and their numbers.
    pub seals: Option<String>,
    /// The meter on whose feeder this one itself hangs; where it is its own, a cut silences it.
    pub powered_by: Option<Name>,
    /// Whether the gateway hangs on this feeder.
    pub powers_gateway: bool,
}

impl PointPapers {
    /// The texts, each by the word it has in configuration and records.
    pub fn texts(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("step_test", self.step_test.as_deref()),
            ("phasor_check", self.phasor_check.as_deref()),
            ("single_line", self.single_line.as_deref()),
            ("certificate", self.certificate.as_deref()),
            ("seals", self.seals.as_deref()),
        ]
    }
}

/// A metering point as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commissioning {
    /// The meter.
    pub meter: MeterId,
    point: Map<String, Value>,
}

impl Commissioning {
    /// The object of a point. Its hash is what [`Commissioned::identity`] holds.
    pub fn of(terms: &Commissioned, profile: (Name, Digest), papers: &PointPapers) -> Commissioning {
        let mut point = Map::new();
        let mut put = |name: &str, value: Value| drop(point.insert(name.to_owned(), value));
        put("role", terms.role.word().into());
        put("serves", terms.serves.iter().map(|asset| json!({ "asset": asset.as_str() })).collect());
        put("wiring", terms.wiring.word().into());
        put("voltage_point", terms.voltage_point.word().into());
        put("nominal_mv", terms.nominal.0.into());
        put("rated_w", terms.rated.watts().into());
        put("no_load_w", terms.no_load.watts().into());
        put("compensation_var", terms.compensation_var.into());
        put("floor_w", terms.floor.power.watts().into());
        put("floor_ma", terms.floor.current.0.into());
        put("register", terms.register.word().into());
        put("poll_ms", terms.poll_ms.into());
        put("profile", profile.0.as_str().into());
        put("profile_sha256", profile.1.to_string().into());
        put("allowances", terms.allowances.iter().map(allowance).collect());
        for (name, ratio) in [("ct", terms.ratios.ct), ("pt", terms.ratios.pt)] {
            if let Some(ratio) = ratio {
                put(name, ratio.to_string().into());
            }
        }
        let classes = [
            ("meter_class", terms.classes.meter),
            ("ct_class", terms.classes.ct),
            ("pt_class", terms.classes.pt),
        ];
        for (name, class) in classes {
            if let Some(class) = class {
                put(name, class.to_string().into());
            }
        }
        // Its absence is said plainly.
        for (name, text) in papers.texts() {
            put(name, text.unwrap_or(ABSENT).into());
        }
        if let Some(feeder) = papers.powered_by {
            put("powered_by", feeder.as_str().into());
        }
        if papers.powers_gateway {
            put("powers_gateway", true.into());
        }
        if let Some(day) = papers.certificate_expires {
            put("certificate_expires", day.to_string().into());
        }
        Commissioning { meter: terms.meter, point }
    }

    /// In a few words: what ties the meter to its equipment.
    pub fn summary(&self) -> String {
        let text = |name: &str| self.point.get(name).and_then(Value::as_str).unwrap_or(ABSENT).to_owned();
        format!(
            "wiring {}, voltage at {}, step test: {}",
            text("wiring"),
            text("voltage_point"),
            text("step_test")
        )
    }

    /// Where the meter takes its voltage, by its word.
    pub fn voltage_point(&self) -> Option<&str> {
        self.point.get("voltage_point").and_then(Value::as_str)
    }

    /// The meter on whose feeder this one hangs.
    pub fn powered_by(&self) -> Option<&str> {
        self.point.get("powered_by").and_then(Value::as_str)
    }

    /// Whether the gateway hangs on this feeder.
    pub fn powers_gateway(&self) -> bool {
        self.point.get("powers_gateway") == Some(&Value::Bool(true))
    }

    /// What an order asks of the point; `None` where it does not tell all of that.
    pub fn terms(&self) -> Option<PointTerms> {
        let m = Members(&self.point);
        let asset = |m: Members<'_>| m.parsed("asset", AssetId::new);
        let kind = |m: Members<'_>| m.parsed("kind", AllowanceKind::from_word);
        let watts = |name| m.whole(name).map(MilliWatts::from_watts);
        let read = || {
            Ok::<_, BadMember>(PointTerms {
                role: m.parsed("role", Role::from_word)?,
                allowed: m.objects("allowances")?.into_iter().map(kind).collect::<Found<_>>()?,
                serves: m.objects("serves")?.into_iter().map(asset).collect::<Found<_>>()?,
                voltage_point: m.parsed("voltage_point", VoltagePoint::from_word)?,
                powered_by: m.optional("powered_by", |m| m.parsed("powered_by", MeterId::new))?,
                // What an error of angle adds is left out: a replayer refuses no more than the gateway did.
                idle: MilliWatts(watts("floor_w")?.0.saturating_add(watts("no_load_w")?.0)),
                rated: watts("rated_w")?,
            })
        };
        read().ok()
    }

    /// SHA-256 over the object's canonical bytes.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        // What cannot be written has no bytes, and no record either.
        let _written = canonical::rewrite(&self.point, None, &mut bytes);
        Digest::of(&bytes)
    }

    pub(super) fn write(&self, object: &mut Object<'_>) {
        object
            .text("event", WORD)
            .shown("meter", self.meter)
            .shown("commissioning_sha256", self.digest())
            .object("point", |o| {
                o.members(&self.point, &[]);
            });
    }

    pub(super) fn read(m: Members<'_>) -> Found<Commissioning> {
        let point = m.object("point")?.0.clone();
        let read = Commissioning { meter: m.parsed("meter", MeterId::new)?, point };
        if m.parsed("commissioning_sha256", Digest::from_hex)? == read.digest() {
            Ok(read)
        } else {
            Err(BadMember("commissioning_sha256"))
        }
    }
}

/// The word of the event.
pub(super) const WORD: &str = "commissioned";
/// Stands in place of a paper that there is not.
const ABSENT: &str = "none";

fn allowance(allowance: &Allowance) -> Value {
    json!({
        "name": allowance.name.as_str(),
        "kind": allowance.kind.word(),
        "power_w": allowance.power.watts(),
        "var": allowance.var,
        "monthly_wh": allowance.monthly.0,
        "back_power_w": allowance.back_power.watts(),
        "back_monthly_wh": allowance.back_monthly.0,
    })
}
