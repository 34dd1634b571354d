//! Acts about cut-off orders: members to meaning.

use super::{
    act::ActKind,
    members::{BadMember, Found, Members},
    suite::PublicKey,
};
use crate::{
    catalogue::Citation,
    judge::cutoff::{
        Carrier, Claim, Deed, Holds, Order, OrderAct, Point, SafeState, UtilityMeter, UtilityReading,
        order::{Case, Done, LegalBasis, MAX_POINTS, Method, Required, Scope, SecondFeeds},
        reading::{Quality, Switch, UtilitySpan},
    },
    terms::{AssetId, Digest, KeyId, LegalDay, MeterId, MilliWatts, Name, OrderId, WattHours},
};

/// Whose act it is, before it is known what it does.
#[derive(Clone, Copy)]
pub(super) struct Signed {
    pub(super) id: Name,
    pub(super) version: u32,
    pub(super) hash: Digest,
    pub(super) key: KeyId,
}

/// What an act of this kind does about an order. `None` for one of the time before orders were executed: an order that
/// names no points, any other that names no order.
pub(super) fn read(
    kind: ActKind,
    signed: Signed,
    asset: Option<AssetId>,
    m: Members<'_>,
) -> Found<Option<OrderAct>> {
    let named = if kind == ActKind::Order { "points" } else { "order_id" };
    if !m.0.contains_key(named) {
        return Ok(None);
    }
    let asset = asset.ok_or(BadMember("asset"))?;
    let actor = m.parsed("issuer", Name::new)?;
    let order = if kind == ActKind::Order { OrderId(signed.id) } else { m.parsed("order_id", OrderId::new)? };
    let deed = match kind {
        ActKind::Order => Deed::Order(read_order(signed, asset, actor, m)?),
        ActKind::Acknowledge => Deed::Acknowledge,
        ActKind::Plan => Deed::Plan { cut_unix_ms: m.whole("cut_unix_ms")? },
        ActKind::Claim => Deed::Claim(read_claim(m)?),
        ActKind::Suspend => {
            Deed::Suspend { until_unix_ms: m.optional("until_unix_ms", |m| m.whole("until_unix_ms"))? }
        }
        ActKind::Resume => Deed::Resume,
        ActKind::Seal => Deed::Seal { number: m.text("seal_no")?.to_owned() },
        ActKind::Close => Deed::Close { document: m.parsed("document_sha256", Digest::from_hex)? },
        ActKind::Revoke => Deed::Revoke,
        ActKind::Restore => Deed::Restore,
        ActKind::Reading => Deed::Reading(read_reading(m)?),
        ActKind::Reset | ActKind::Roster | ActKind::Permit | ActKind::RevokeKey | ActKind::Ask => {
            return Ok(None);
        }
    };
    Ok(Some(OrderAct { order: Some(order), asset, actor, hash: signed.hash, key: signed.key, deed }))
}

/// The supplier's own key as an order hands it on, so that nothing else must be configured anywhere.
pub(super) fn supplier_key(m: Members<'_>) -> Found<Option<PublicKey>> {
    m.optional("supplier_key", |m| m.parsed("supplier_key", PublicKey::from_base64))
}

fn text(m: Members<'_>, name: &'static str) -> Found<Option<String>> {
    m.optional(name, |m| m.text(name).map(str::to_owned))
}

fn flag(m: Members<'_>, name: &'static str) -> Found<Option<bool>> {
    m.optional(name, |m| m.flag(name))
}

fn energy(m: Members<'_>, name: &'static str) -> Found<Option<WattHours>> {
    m.optional(name, |m| m.whole(name).map(WattHours))
}

fn read_order(signed: Signed, asset: AssetId, issuer: Name, m: Members<'_>) -> Found<Order> {
    let basis = m.optional("legal_basis_sha256", |m| {
        Ok(LegalBasis {
            text: m.text("legal_basis")?.to_owned(),
            document: m.parsed("legal_basis_sha256", Digest::from_hex)?,
            entry: m.optional("entry", |m| m.parsed("entry", Citation::new))?,
        })
    })?;
    let points = m.objects("points")?.into_iter().map(read_point).collect::<Found<Vec<_>>>()?;
    let is_twice =
        |(place, point): (usize, &Point)| points.iter().take(place).any(|p| p.meter == point.meter);
    if !(1..=MAX_POINTS).contains(&points.len()) || points.iter().enumerate().any(is_twice) {
        return Err(BadMember("points"));
    }
    // Whoever signs the order is no second party to it.
    let supplier = supplier_key(m)?.map(|key| key.id());
    if supplier == Some(signed.key) {
        return Err(BadMember("supplier_key"));
    }
    let (not_before, due) = (m.whole("not_before_unix_ms")?, m.whole("due_unix_ms")?);
    if due < not_before {
        return Err(BadMember("due_unix_ms"));
    }
    let cap = |m: Members<'_>| m.fitting::<u32>("auxiliary_cap_w").map(i64::from).map(MilliWatts::from_watts);
    Ok(Order {
        id: OrderId(signed.id),
        version: signed.version,
        asset,
        issuer,
        hash: signed.hash,
        supplier,
        tracking: text(m, "tracking_id")?,
        basis: basis.filter(|basis| !basis.text.trim().is_empty()),
        scope: m.parsed("scope", Scope::from_word)?,
        method: m.parsed("method", Method::from_word)?,
        case: m.parsed("case", Case::from_word)?,
        points,
        single_line: m.text("single_line")?.to_owned(),
        second_feeds: m.parsed("second_feeds", SecondFeeds::from_word)?,
        not_before_unix_ms: not_before,
        due_unix_ms: due,
        appeal: text(m, "appeal")?,
        auxiliary_cap: m.optional("auxiliary_cap_w", cap)?,
        required: m.optional("requires", |m| read_required(m.object("requires")?))?.unwrap_or_default(),
        contacts: text(m, "contacts")?,
        safe_state: m.optional("safe_state", |m| read_safe_state(m.object("safe_state")?))?,
        holds: m.optional("hold", |m| read_holds(m.object("hold")?))?.unwrap_or_default(),
    })
}

fn read_point(m: Members<'_>) -> Found<Point> {
    let carrier = m.parsed("carrier", Carrier::from_word)?;
    let upstream = m.optional("upstream", |m| m.parsed("upstream", MeterId::new))?;
    if upstream.is_some() != (carrier == Carrier::Upstream) {
        return Err(BadMember("upstream"));
    }
    Ok(Point {
        meter: m.parsed("meter", MeterId::new)?,
        feeder: text(m, "feeder")?,
        breaker: text(m, "breaker")?,
        carrier,
        upstream,
        utility_meter: text(m, "utility_meter_serial")?
            .map(|serial| UtilityMeter { serial, is_ordered: true }),
    })
}

fn read_required(m: Members<'_>) -> Found<Required> {
    let wants = |name| Ok(flag(m, name)?.unwrap_or(false));
    Ok(Required { on_site_test: wants("on_site_test")?, photos: wants("photos")?, seal: wants("seal")? })
}

fn read_safe_state(m: Members<'_>) -> Found<SafeState> {
    let done = |name| m.parsed(name, Done::from_word);
    Ok(SafeState {
        emptied: done("emptied")?,
        cooled: done("cooled")?,
        purged: done("purged")?,
        declared_by: m.text("declared_by")?.to_owned(),
        declared_unix_ms: m.whole("declared_unix_ms")?,
        document: m.parsed("document_sha256", Digest::from_hex)?,
    })
}

fn read_holds(m: Members<'_>) -> Found<Holds> {
    let holds = Holds {
        seen_ms: m.whole("seen_ms")?,
        provisional_ms: m.whole("provisional_ms")?,
        nights: m.fitting("nights")?,
        verified_ms: m.whole("verified_ms")?,
        weekends: m.fitting("weekends")?,
        coverage_ppm: m.whole("coverage_ppm")?,
        longest_gap_ms: m.whole("longest_gap_ms")?,
    };
    holds.checked().ok_or(BadMember("hold"))
}

fn read_claim(m: Members<'_>) -> Found<Claim> {
    let day = |m: Members<'_>| m.parsed("tester_calibrated_until", LegalDay::parse);
    Ok(Claim {
        cut_unix_ms: m.whole("cut_unix_ms")?,
        performed_by: text(m, "performed_by")?,
        ticket: text(m, "ticket_no")?,
        tester: text(m, "tester")?,
        tester_calibrated_until: m.optional("tester_calibrated_until", day)?,
        live_dead_live: flag(m, "live_dead_live")?,
        earthed: flag(m, "earthed")?,
        locks: text(m, "locks")?,
        photos: m.optional("photos_sha256", |m| m.parsed("photos_sha256", Digest::from_hex))?,
        register_before: energy(m, "register_before_wh")?,
        register_after: energy(m, "register_after_wh")?,
    })
}

fn read_reading(m: Members<'_>) -> Found<UtilityReading> {
    let span = |m: Members<'_>| {
        Ok(UtilitySpan {
            from_unix_ms: m.whole("from_unix_ms")?,
            to_unix_ms: m.whole("to_unix_ms")?,
            energy: WattHours(m.whole("energy_wh")?),
            quality: m.parsed("quality", Quality::from_word)?,
        })
    };
    let reading = UtilityReading {
        meter: m.parsed("meter", MeterId::new)?,
        serial: text(m, "meter_serial")?,
        source: m.optional("source_sha256", |m| m.parsed("source_sha256", Digest::from_hex))?,
        error_ppm: m.whole("error_ppm")?,
        step: WattHours(m.whole("step_wh")?),
        switch: m.parsed("switch", Switch::from_word)?,
        spans: m.objects("spans")?.into_iter().map(span).collect::<Found<Vec<_>>>()?,
    };
    reading.checked().ok_or(BadMember("spans"))
}
