//! Acts: what an authority says to a gateway, signed. One form for all; opened by [`super::Trust`] only.

use serde_json::{Map, Value};

use super::{
    canonical::{self, Canonical, Malformed, Object, Unwritable},
    members::{BadMember, Members},
    orders,
    record::Refusal,
    seal::Sealer,
    signed::Signed,
    suite::{KeyId, PublicKey, Signer},
};
use crate::{
    catalogue::{Citation, Listed, Roster},
    judge::{
        cutoff::{Deed, OrderAct, Unfit},
        permit::{Permit, Permitted},
    },
    terms::{AssetId, Digest, GatewayId, LegalDay, MeterId, Name, OrderId, WattHours, place::CreditCode},
};

/// Longest act, in bytes; it travels on inside a record.
pub const MAX_ACT_BYTES: usize = 32 * 1024;

/// What an act does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActKind {
    /// Orders a cut-off.
    Order,
    /// Sets a day for it.
    Plan,
    /// Says that it is done.
    Claim,
    /// Stops an order for a time.
    Suspend,
    /// Lets it go on.
    Resume,
    /// Seals the equipment.
    Seal,
    /// Ends an order: demolition was accepted.
    Close,
    /// Withdraws an order.
    Revoke,
    /// Reconnects with authority.
    Restore,
    /// Opens the latch of a violation.
    Reset,
    /// Lists the equipment of the enterprise.
    Roster,
    /// Permits something for a time.
    Permit,
    /// A reading of the supplier's own meter.
    Reading,
    /// A key of the authority is believed no longer.
    RevokeKey,
    /// Asks for the verdict on a piece of equipment as it stands now.
    Ask,
    /// The supplier confirms an order.
    Acknowledge,
}

impl ActKind {
    /// Every kind; a new one goes to the end.
    pub const ALL: [ActKind; 16] = [
        ActKind::Order,
        ActKind::Plan,
        ActKind::Claim,
        ActKind::Suspend,
        ActKind::Resume,
        ActKind::Seal,
        ActKind::Close,
        ActKind::Revoke,
        ActKind::Restore,
        ActKind::Reset,
        ActKind::Roster,
        ActKind::Permit,
        ActKind::Reading,
        ActKind::RevokeKey,
        ActKind::Ask,
        ActKind::Acknowledge,
    ];

    /// The word in `act`.
    pub const fn word(self) -> &'static str {
        match self {
            ActKind::Order => "order",
            ActKind::Plan => "plan",
            ActKind::Claim => "claim",
            ActKind::Suspend => "suspend",
            ActKind::Resume => "resume",
            ActKind::Seal => "seal",
            ActKind::Close => "close",
            ActKind::Revoke => "revoke",
            ActKind::Restore => "restore",
            ActKind::Reset => "reset",
            ActKind::Roster => "roster",
            ActKind::Permit => "permit",
            ActKind::Reading => "reading",
            ActKind::RevokeKey => "revoke_key",
            ActKind::Ask => "ask",
            ActKind::Acknowledge => "acknowledge",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<ActKind> {
        ActKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What a gateway of this version does upon an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Something is permitted for a time.
    Permit(Permit),
    /// The latch on this equipment opens.
    Reset(AssetId),
    /// This key of the authority is believed no longer.
    RevokeKey(KeyId),
    /// This equipment is to be eliminated, by these days.
    Roster(Roster),
    /// The verdict on this equipment is wanted now.
    Ask(AssetId),
    /// Something is done about a cut-off order.
    CutOff(Box<OrderAct>),
    /// The act is in order, but this version does not execute its kind.
    NotExecuted,
}

/// A signed act, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Its identifier; versions of one act share it.
    pub id: Name,
    /// Counts from 1; a later version replaces an earlier one.
    pub version: u32,
    /// What it does.
    pub kind: ActKind,
    /// For which gateway.
    pub gateway: GatewayId,
    /// For which equipment, where it is about one.
    pub asset: Option<AssetId>,
    /// When it was signed, Unix milliseconds.
    pub issued_unix_ms: i64,
    /// After this it is refused, Unix milliseconds.
    pub expires_unix_ms: i64,
    /// The key that signed it.
    pub key: KeyId,
    /// Hash of its signed bytes.
    pub hash: Digest,
    /// What it means to a gateway.
    pub meaning: Meaning,
    /// All its members, `sig` included: its own proof, kept in the log.
    pub members: Map<String, Value>,
}

impl Act {
    /// Reads an act; its signature is [`super::Trust`]'s business.
    ///
    /// # Errors
    /// A member is missing or wrong.
    pub fn read(signed: Signed) -> Result<Act, Refusal> {
        let (hash, key) = (signed.hash(), signed.key_id());
        let m = signed.members();
        // It must fit into a record of the log, or it could never take effect.
        let mut inside = Vec::new();
        let fits = Canonical::default().write(&mut inside, |object| {
            object.members(m.0, &[]);
        });
        if fits.is_err() || inside.len() > MAX_ACT_BYTES {
            return Err(Refusal::Malformed(Malformed::TooLong));
        }
        m.parsed("type", |kind| (kind == "act").then_some(()))?;
        let kind = m.parsed("act", ActKind::from_word)?;
        let asset = m.optional("asset", |m| m.parsed("asset", AssetId::new))?;
        let id = m.parsed("act_id", Name::new)?;
        let version = m.fitting("version")?;
        if version == 0 {
            return Err(Refusal::Member("version"));
        }
        Ok(Act {
            id,
            version,
            kind,
            gateway: m.parsed("gateway_id", GatewayId::new)?,
            asset,
            issued_unix_ms: m.whole("issued_unix_ms")?,
            expires_unix_ms: m.whole("expires_unix_ms")?,
            key,
            hash,
            meaning: meaning(kind, orders::Signed { id, version, hash, key }, asset, m)?,
            members: signed.into_map(),
        })
    }

    /// Signs the members of an act that a person wrote, and checks that a gateway will understand the outcome.
    ///
    /// # Errors
    /// A member is missing or wrong, or cannot be written.
    pub fn seal(
        draft: &Map<String, Value>,
        sealer: &mut Sealer,
        signer: &dyn Signer,
    ) -> Result<Act, NotSealed> {
        sealer
            .seal(signer, |object| {
                object.text("type", "act").members(draft, &["type", "fmt", "alg", "kid", "sig"]);
            })
            .map_err(NotSealed::Unwritable)?;
        Signed::read(sealer.bytes()).and_then(Act::read).map_err(NotSealed::Refused)
    }
}

/// Who opens a latch, where an act of the time before signatories had to name themselves does not say.
const NAMELESS: &str = "authority";

impl Act {
    /// What it does about cut-off orders. A reset is about every order on its equipment.
    pub fn about_orders(&self) -> Option<OrderAct> {
        match &self.meaning {
            Meaning::CutOff(act) => Some((**act).clone()),
            Meaning::Reset(asset) => {
                let issuer = self.members.get("issuer").and_then(Value::as_str);
                let actor = issuer.and_then(Name::new).or_else(|| Name::new(NAMELESS))?;
                Some(OrderAct {
                    order: None,
                    asset: *asset,
                    actor,
                    hash: self.hash,
                    key: self.key,
                    deed: Deed::Reset,
                })
            }
            Meaning::Permit(_)
            | Meaning::RevokeKey(_)
            | Meaning::Roster(_)
            | Meaning::Ask(_)
            | Meaning::NotExecuted => None,
        }
    }

    /// The gateway's answer that it took effect.
    pub fn accepted(&self) -> Answer {
        let mut bytes = Vec::new();
        // What was read canonically is written again as the same bytes.
        let _written = canonical::rewrite(&self.members, None, &mut bytes);
        Answer { act: Some((self.id, self.version)), bytes: Digest::of(&bytes), refused: None }
    }

    /// The order that it is, with the supplier's key it names, if it names one; `None` of anything but an order.
    pub fn names_supplier(&self) -> Option<(OrderId, Option<PublicKey>)> {
        let Meaning::CutOff(about) = &self.meaning else { return None };
        let Deed::Order(order) = &about.deed else { return None };
        Some((order.id, orders::supplier_key(Members(&self.members)).ok().flatten()))
    }
}

/// Why an act cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSealed {
    /// It says something the format cannot.
    Unwritable(Unwritable),
    /// A gateway would not understand it.
    Refused(Refusal),
}

fn meaning(
    kind: ActKind,
    signed: orders::Signed,
    asset: Option<AssetId>,
    m: Members<'_>,
) -> Result<Meaning, BadMember> {
    let about = asset;
    let asset = || asset.ok_or(BadMember("asset"));
    Ok(match kind {
        ActKind::Reset => Meaning::Reset(asset()?),
        ActKind::Ask => Meaning::Ask(asset()?),
        ActKind::RevokeKey => Meaning::RevokeKey(m.parsed("revoked_kid", KeyId::from_hex)?),
        ActKind::Permit => Meaning::Permit(permit(signed.id, asset()?, m)?),
        // One that lists nothing, not even an empty list, is of the time before rosters were executed.
        ActKind::Roster => m
            .optional("equipment", |m| roster(signed.version, m))?
            .map_or(Meaning::NotExecuted, Meaning::Roster),
        ActKind::Order
        | ActKind::Plan
        | ActKind::Claim
        | ActKind::Suspend
        | ActKind::Resume
        | ActKind::Seal
        | ActKind::Close
        | ActKind::Revoke
        | ActKind::Restore
        | ActKind::Acknowledge
        | ActKind::Reading => orders::read(kind, signed, about, m)?
            .map_or(Meaning::NotExecuted, |act| Meaning::CutOff(Box::new(act))),
    })
}

fn roster(version: u32, m: Members<'_>) -> Result<Roster, BadMember> {
    let line = |m: Members<'_>| {
        Ok(Listed {
            asset: m.parsed("asset", AssetId::new)?,
            entry: m.parsed("entry", Citation::new)?,
            deadline: m.parsed("deadline", LegalDay::parse)?,
        })
    };
    let listed = m.objects("equipment")?.into_iter().map(line).collect::<Result<Vec<_>, BadMember>>()?;
    let enterprise = m.parsed("uscc", CreditCode::parse)?;
    Roster::new(version, enterprise, m.text("order")?.to_owned(), listed).ok_or(BadMember("equipment"))
}

fn permit(id: Name, asset: AssetId, m: Members<'_>) -> Result<Permit, BadMember> {
    let energy = || {
        m.whole("energy_wh").and_then(|n| if n >= 0 { Ok(WattHours(n)) } else { Err(BadMember("energy_wh")) })
    };
    let what = match m.text("permit")? {
        "maintenance" => Permitted::Maintenance { energy: energy()? },
        "allowance" => Permitted::Allowance { energy: energy()? },
        "meter_replacement" => Permitted::MeterReplacement { meter: m.parsed("meter", MeterId::new)? },
        _ => return Err(BadMember("permit")),
    };
    let permit = Permit {
        id,
        asset,
        what,
        from_unix_ms: m.whole("from_unix_ms")?,
        to_unix_ms: m.whole("to_unix_ms")?,
        document: m.parsed("document_sha256", Digest::from_hex)?,
    };
    if permit.to_unix_ms < permit.from_unix_ms { Err(BadMember("to_unix_ms")) } else { Ok(permit) }
}

/// Why a gateway refuses an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActRefusal {
    /// No key signed it that may say this: none of the authority's, or not the supplier's that the order names. Also an
    /// order that names a key of the authority as the supplier's.
    WrongKey,
    /// The signature is not the key's.
    BadSignature,
    /// It is not written the canonical way.
    NotCanonical,
    /// A member is missing or wrong.
    Malformed,
    /// It is meant for another gateway.
    WrongGateway,
    /// Its time is over.
    Expired,
    /// The gateway's clock was never set, so nothing with an end can be judged.
    ClockUnset,
    /// The same act has been taken before.
    Replayed,
    /// A later version has been taken before.
    OlderVersion,
    /// No such equipment, no such meter, or another enterprise is configured here.
    UnknownAsset,
    /// More are in force already than can be remembered.
    TooMany,
    /// This version does not execute acts of this kind.
    NotExecuted,
    /// A cut-off order rests on no law.
    NoLegalBasis,
    /// Nobody answers for it that the equipment may lose its power without harm.
    NoSafeState,
    /// What must never be cut: cooling, drainage, ventilation, barring, purge, detection, fire water, lighting, cranes.
    NeverToBeCut,
    /// No such order was given here.
    UnknownOrder,
    /// The order stands where this act has no place.
    OutOfTurn,
    /// It tells of a time that has not been yet.
    NotYet,
    /// It is of another meter than the supplier's that stands beside the point.
    AnotherMeter,
    /// No meter of the order can ever tell that a point of it is without power: its voltage is taken before the breaker, it
    /// is fed by what is cut, or too much could hide below the floor of the meter upstream.
    CannotTell,
}

impl ActRefusal {
    /// Every one of them.
    pub const ALL: [ActRefusal; 20] = [
        ActRefusal::WrongKey,
        ActRefusal::BadSignature,
        ActRefusal::NotCanonical,
        ActRefusal::Malformed,
        ActRefusal::WrongGateway,
        ActRefusal::Expired,
        ActRefusal::ClockUnset,
        ActRefusal::Replayed,
        ActRefusal::OlderVersion,
        ActRefusal::UnknownAsset,
        ActRefusal::TooMany,
        ActRefusal::NotExecuted,
        ActRefusal::NoLegalBasis,
        ActRefusal::NoSafeState,
        ActRefusal::NeverToBeCut,
        ActRefusal::UnknownOrder,
        ActRefusal::OutOfTurn,
        ActRefusal::NotYet,
        ActRefusal::AnotherMeter,
        ActRefusal::CannotTell,
    ];

    /// Why something signed is refused, in the words of an answer.
    pub fn of(refusal: Refusal) -> ActRefusal {
        match refusal {
            Refusal::UnknownKey(_) | Refusal::StrangeKey(_) | Refusal::WrongEpoch(_) => ActRefusal::WrongKey,
            Refusal::UnknownSuite(_) | Refusal::WrongSuite { .. } | Refusal::BadSignature => {
                ActRefusal::BadSignature
            }
            Refusal::Malformed(_) | Refusal::NotOurs => ActRefusal::NotCanonical,
            Refusal::Member(_) => ActRefusal::Malformed,
        }
    }

    /// Why an act about an order is refused.
    pub const fn unfit(unfit: Unfit) -> ActRefusal {
        match unfit {
            Unfit::NoLegalBasis => ActRefusal::NoLegalBasis,
            Unfit::NoSafeState => ActRefusal::NoSafeState,
            Unfit::UnknownPoint => ActRefusal::UnknownAsset,
            Unfit::NeverToBeCut => ActRefusal::NeverToBeCut,
            Unfit::UnknownOrder => ActRefusal::UnknownOrder,
            Unfit::OutOfTurn => ActRefusal::OutOfTurn,
            Unfit::TooMany => ActRefusal::TooMany,
            Unfit::NotYet => ActRefusal::NotYet,
            Unfit::AnotherMeter => ActRefusal::AnotherMeter,
            Unfit::CannotTell => ActRefusal::CannotTell,
            Unfit::NotTheSupplier => ActRefusal::WrongKey,
        }
    }

    /// The word of an answer.
    pub const fn word(self) -> &'static str {
        match self {
            ActRefusal::WrongKey => "wrong_key",
            ActRefusal::BadSignature => "bad_signature",
            ActRefusal::NotCanonical => "not_canonical",
            ActRefusal::Malformed => "malformed",
            ActRefusal::WrongGateway => "wrong_gateway",
            ActRefusal::Expired => "expired",
            ActRefusal::ClockUnset => "clock_unset",
            ActRefusal::Replayed => "replayed",
            ActRefusal::OlderVersion => "older_version",
            ActRefusal::UnknownAsset => "unknown_asset",
            ActRefusal::TooMany => "too_many",
            ActRefusal::NotExecuted => "not_executed",
            ActRefusal::NoLegalBasis => "no_legal_basis",
            ActRefusal::NoSafeState => "no_safe_state",
            ActRefusal::NeverToBeCut => "never_to_be_cut",
            ActRefusal::UnknownOrder => "unknown_order",
            ActRefusal::OutOfTurn => "out_of_turn",
            ActRefusal::NotYet => "not_yet",
            ActRefusal::AnotherMeter => "another_meter",
            ActRefusal::CannotTell => "cannot_tell",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<ActRefusal> {
        ActRefusal::ALL.into_iter().find(|refusal| refusal.word() == word)
    }
}

/// The gateway's signed answer to an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which act and version, where that could be read.
    pub act: Option<(Name, u32)>,
    /// SHA-256 of the act's bytes as they came.
    pub bytes: Digest,
    /// Why it is refused; none when it took effect.
    pub refused: Option<ActRefusal>,
}

impl Answer {
    pub(super) fn write(&self, object: &mut Object<'_>) {
        if let Some((id, version)) = &self.act {
            object.shown("act_id", id).count("act_version", u64::from(*version));
        }
        object.shown("act_sha256", self.bytes).flag("accepted", self.refused.is_none());
        if let Some(refused) = self.refused {
            object.text("why", refused.word());
        }
    }

    pub(super) fn read(m: Members<'_>) -> Result<Answer, BadMember> {
        let act = |m: Members<'_>| Ok((m.parsed("act_id", Name::new)?, m.fitting("act_version")?));
        let answer = Answer {
            act: m.optional("act_id", act)?,
            bytes: m.parsed("act_sha256", Digest::from_hex)?,
            refused: m.optional("why", |m| m.parsed("why", ActRefusal::from_word))?,
        };
        if m.flag("accepted")? == answer.refused.is_some() { Err(BadMember("accepted")) } else { Ok(answer) }
    }
}
