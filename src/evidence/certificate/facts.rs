//! The facts of a certificate, as they are written.

use serde_json::{Map, Value, json};

use super::{Commissioning, Given, PlaceTold, Witnessed};
use crate::{
    judge::{
        Dark,
        cutoff::{
            Claim, CutOff, Hold, Holds, Order, Point,
            order::{LegalBasis, Required},
        },
    },
    terms::Digest,
};

impl Witnessed {
    pub(super) fn told(
        &self,
        cut: &CutOff,
        place: &PlaceTold,
        given: Given,
        hold: &Hold,
    ) -> Map<String, Value> {
        let (order, stand) = (cut.order(), cut.stand());
        let mut facts = Map::new();
        let mut put = |members: Value| {
            if let Value::Object(members) = members {
                facts.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
            }
        };
        put(json!({
            "gateway_id": place.gateway.as_str(), "log_id": place.log.to_string(), "as_of_seq": place.seq,
            "as_of_sha256": place.hash.to_string(), "as_of_unix_ms": place.unix_ms,
            "gateway_kid": place.key.to_string(), "gateway_key_epoch": place.key_epoch,
        }));
        put(of_order(order, given));
        put(json!({
            "points": order.points.iter().map(|point| self.point(point)).collect::<Vec<Value>>(),
            "rung": stand.rung.word(), "since_unix_ms": stand.since.wall_unix_ms,
            "sealed": stand.is_sealed, "seal_no": self.seal,
            "asked": asked(&order.holds), "asked_less_than_usual": order.holds.is_shortened(),
            "hold": held(hold, order.points.len()), "earlier_ms": stand.earlier_ms, "restarts": stand.restarts,
            "claim": self.claim.as_ref().map(|(hash, claim)| claimed(hash, claim)),
            "required": self.required(order.required), "readings_signed_by": signed_by(order),
            "continues_log": self.log.adopted_from(order.id).map(|before| before.log.to_string()),
            "continues_seq": self.log.adopted_from(order.id).map(|before| before.seq),
            "supplier_kid": order.supplier.map(|key| key.to_string()),
            "claimed_too_early": self.claim.as_ref().map(|(_, claim)| claim.cut_unix_ms < order.not_before_unix_ms),
        }));
        put(self.lists());
        facts
    }

    fn point(&self, point: &Point) -> Value {
        let known = self.commissioned.iter().find(|known| known.meter == point.meter);
        without_null(json!({
            "meter": point.meter.as_str(), "carrier": point.carrier.word(),
            "upstream": point.upstream.map(|meter| meter.as_str().to_owned()),
            "feeder": point.feeder, "breaker": point.breaker,
            "utility_meter_serial": point.utility_meter.as_ref().map(|named| named.serial.clone()),
            "utility_meter_ordered": point.utility_meter.as_ref().map(|named| named.is_ordered),
            "voltage_point": known.and_then(Commissioning::voltage_point),
            "powered_by": known.and_then(Commissioning::powered_by),
            "powers_gateway": known.is_some_and(Commissioning::powers_gateway).then_some(true),
        }))
    }

    /// What the authority wanted to be shown beside the meters, and whether anybody has told of it.
    fn required(&self, required: Required) -> Value {
        let claim = self.claim.as_ref().map(|(_, claim)| claim);
        let shown = [
            (
                "on_site_test",
                required.on_site_test,
                claim.is_some_and(|claim| claim.live_dead_live == Some(true)),
            ),
            ("photos", required.photos, claim.is_some_and(|claim| claim.photos.is_some())),
            ("seal", required.seal, self.seal.is_some()),
        ];
        let wanted = shown.into_iter().filter(|(_, is_wanted, _)| *is_wanted);
        wanted
            .map(|(what, _, is_shown)| (what.to_owned(), Value::from(is_shown)))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Why the witness was dark in a gap, if it was.
    fn dark_in(&self, (from, to): (i64, i64)) -> Option<&'static str> {
        let is_in = |dark: &Dark| dark.from.wall_unix_ms < to && dark.to.wall_unix_ms > from;
        let dark = self.darks.kept.iter().map(|(_, told)| told.dark).find(is_in);
        dark.map(|dark| dark.ended.word())
    }

    fn lists(&self) -> Value {
        let steps = self.steps.kept.iter().map(|(seq, unix_ms, hash, step)| {
            json!({
                "seq": seq, "unix_ms": unix_ms, "sha256": hash.to_string(), "from": step.from.word(),
                "to": step.to.word(), "why": step.why.as_str(), "actor": step.actor.as_str(),
            })
        });
        let readings = self.readings.kept.iter().map(|(seq, key, hash, reading)| {
            let (from, to) = reading.stretch().unwrap_or_default();
            let energy = reading.spans.iter().fold(0_i64, |sum, span| sum.saturating_add(span.energy.0));
            without_null(json!({
                "seq": seq, "sha256": hash.to_string(), "kid": key.to_string(), "meter": reading.meter.as_str(),
                "meter_serial": reading.serial, "source_sha256": reading.source.map(|source| source.to_string()),
                "switch": reading.switch.word(), "from_unix_ms": from, "to_unix_ms": to, "energy_wh": energy,
                "step_wh": reading.step.0, "error_ppm": reading.error_ppm,
            }))
        });
        let gaps = self.gaps.kept.iter().map(|(from, to, paused_ms)| {
            without_null(json!({
                "from_unix_ms": from, "to_unix_ms": to, "unseen_ms": paused_ms, "dark": self.dark_in((*from, *to)),
            }))
        });
        let darks = self.darks.kept.iter().map(|(seq, told)| {
            without_null(json!({
                "seq": seq, "meter": told.meter.as_str(), "from_unix_ms": told.dark.from.wall_unix_ms,
                "to_unix_ms": told.dark.to.wall_unix_ms, "ended": told.dark.ended.word(),
                "before_wh": told.before.register.energy.0, "after_wh": told.after.register.energy.0,
                "energy_wh": told.energy().map(|energy| energy.0),
            }))
        });
        let differing = self.differing.kept.iter().map(|day| {
            json!({
                "meter": day.meter.as_str(), "from_unix_ms": day.from_unix_ms, "ours_wh": day.ours.0,
                "utility_wh": day.theirs.0, "may_differ_wh": day.may_differ.0,
            })
        });
        let differ = u32::try_from(self.differing.kept.len()).unwrap_or(u32::MAX);
        json!({
            "steps": steps.collect::<Vec<Value>>(), "steps_left_out": self.steps.left_out,
            "readings": readings.collect::<Vec<Value>>(), "readings_left_out": self.readings.left_out,
            "gaps": gaps.collect::<Vec<Value>>(), "gaps_left_out": self.gaps.left_out,
            "darks": darks.collect::<Vec<Value>>(), "darks_left_out": self.darks.left_out,
            "days_agree": self.days_agree, "days_differ": differ.saturating_add(self.differing.left_out),
            "differing": differing.collect::<Vec<Value>>(),
        })
    }
}

fn of_order(order: &Order, given: Given) -> Value {
    let basis = |of: fn(&LegalBasis) -> String| order.basis.as_ref().map(of);
    let safe = order.safe_state.as_ref().map(|state| {
        json!({
            "emptied": state.emptied.word(), "cooled": state.cooled.word(), "purged": state.purged.word(),
            "declared_by": state.declared_by, "document_sha256": state.document.to_string(),
        })
    });
    json!({
        "order_id": order.id.as_str(), "order_version": order.version, "order_sha256": order.hash.to_string(),
        "order_seq": given.seq, "order_kid": given.key.to_string(), "asset": order.asset.as_str(),
        "issuer": order.issuer.as_str(), "tracking_id": order.tracking,
        "legal_basis": basis(|basis| basis.text.clone()),
        "legal_basis_sha256": basis(|basis| basis.document.to_string()),
        "entry": order.basis.as_ref().and_then(|basis| basis.entry.as_ref()).map(ToString::to_string),
        "scope": order.scope.word(), "method": order.method.word(), "case": order.case.word(),
        "single_line": order.single_line, "second_feeds": order.second_feeds.word(),
        "not_before_unix_ms": order.not_before_unix_ms, "due_unix_ms": order.due_unix_ms,
        "auxiliary_cap_w": order.auxiliary_cap.map(|cap| cap.watts()), "safe_state": safe,
    })
}

/// Whose signature the second witness has: of an order that names a supplier's key no other reading agrees with anything.
fn signed_by(order: &Order) -> &'static str {
    if order.supplier.is_some() { "supplier" } else { "authority" }
}

fn asked(holds: &Holds) -> Value {
    json!({
        "seen_ms": holds.seen_ms, "provisional_ms": holds.provisional_ms, "nights": holds.nights,
        "verified_ms": holds.verified_ms, "weekends": holds.weekends, "coverage_ppm": holds.coverage_ppm,
        "longest_gap_ms": holds.longest_gap_ms,
    })
}

fn held(hold: &Hold, points: usize) -> Value {
    let agreed = hold.agreed.on_all(points);
    without_null(json!({
        "since_unix_ms": hold.since.wall_unix_ms, "until_unix_ms": hold.until.wall_unix_ms,
        "proven_ms": hold.proven_ms, "unseen_ms": hold.paused_ms, "gaps": hold.gaps,
        "longest_gap_ms": hold.longest_gap_ms, "coverage_ppm": hold.coverage_ppm(), "nights": hold.nights.full,
        "weekends": hold.weekends.full, "moved_wh": hold.moved.0, "blind_wh": hold.blind.0,
        "carrier": hold.carrier.word(), "agreed_from_unix_ms": agreed.map(|(from, _)| from),
        "agreed_to_unix_ms": agreed.map(|(_, to)| to),
    }))
}

fn claimed(hash: &Digest, claim: &Claim) -> Value {
    without_null(json!({
        "sha256": hash.to_string(), "cut_unix_ms": claim.cut_unix_ms, "performed_by": claim.performed_by,
        "ticket_no": claim.ticket, "tester": claim.tester, "live_dead_live": claim.live_dead_live,
        "earthed": claim.earthed, "locks": claim.locks, "photos_sha256": claim.photos.map(|hash| hash.to_string()),
        "register_before_wh": claim.register_before.map(|energy| energy.0),
        "register_after_wh": claim.register_after.map(|energy| energy.0),
    }))
}

/// What is not known is not there: the format has no null.
fn without_null(value: Value) -> Value {
    if let Value::Object(mut members) = value {
        members.retain(|_, value| !value.is_null());
        return Value::Object(members);
    }
    value
}
