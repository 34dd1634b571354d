//! V(1): which units are gone for good by a signed record, and a certificate for each: issued only where demolition was
//! accepted, the log bears the order out, and no other unit bears the same nameplate.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cell, Column, Equipment, Rests, Row, Scope, Sheet, Surveyed, entry, equipment, equipment_columns,
};
use crate::{
    evidence::{PublicKey, Sealer, Signer, canonical::Unwritable},
    host::exit::Failure,
    judge::Rung,
    regulator::{
        orders::{self, Standing},
        store::Store,
    },
    terms::{
        AssetId, Digest, GatewayId, LegalDay, OrderId,
        words::{self, Words},
    },
};

/// A unit whose demolition was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Completed<'s> {
    /// The unit.
    pub equipment: &'s Equipment,
    /// The order's hash, where the log bears its end out.
    pub order_sha256: Option<Digest>,
    /// Fingerprint of its nameplate, where one is known.
    pub plate: Option<Digest>,
    /// Whether another unit that is gone bears the same nameplate.
    pub is_twice: bool,
}

/// How the orders stand of whatever was accepted as demolished within the time: the logs of its gateways alone are replayed,
/// each once.
///
/// # Errors
/// The store cannot be read.
pub fn standing(
    store: &mut dyn Store,
    surveyed: &Surveyed,
    scope: &Scope,
    trusted: &[PublicKey],
) -> Result<Vec<Standing>, Failure> {
    let is_in_time = |one: &&Equipment| one.closed.is_some_and(|closed| scope.has(closed.at_unix_ms));
    let gateways: BTreeSet<GatewayId> = surveyed.values().filter(is_in_time).map(|one| one.gateway).collect();
    let mut all = Vec::new();
    for gateway in gateways {
        all.extend(orders::standing(store, Some(gateway), trusted)?);
    }
    Ok(all)
}

/// Every unit that was accepted as demolished within the time.
pub fn completed<'s>(surveyed: &'s Surveyed, standing: &[Standing], scope: &Scope) -> Vec<Completed<'s>> {
    let orders: BTreeMap<(GatewayId, OrderId, AssetId), Digest> = standing
        .iter()
        .filter(|standing| !standing.is_bad() && standing.cut.stand().rung == Rung::Closed)
        .map(|standing| {
            let order = standing.cut.order();
            ((standing.kept.gateway, order.id, order.asset), order.hash)
        })
        .collect();
    let plate = |one: &Equipment| one.newest.as_ref().and_then(|told| told.verdict.plate);
    let mut plates: BTreeMap<Digest, u32> = BTreeMap::new();
    for one in surveyed.values().filter(|one| one.closed.is_some()) {
        if let Some(plate) = plate(one) {
            *plates.entry(plate).or_default() += 1;
        }
    }
    let in_time =
        surveyed.values().filter_map(|one| Some((one, one.closed.filter(|c| scope.has(c.at_unix_ms))?)));
    in_time
        .map(|(equipment, closed)| {
            let order_sha256 = orders.get(&(equipment.gateway, closed.order, equipment.asset)).copied();
            let plate = plate(equipment);
            let is_twice = plate.is_some_and(|plate| plates.get(&plate).is_some_and(|count| *count > 1));
            Completed { equipment, order_sha256, plate, is_twice }
        })
        .collect()
}

impl Completed<'_> {
    /// Why no certificate is issued; none where one is.
    pub fn refusal(&self) -> Option<Words> {
        match (self.order_sha256, self.is_twice) {
            (None, _) => Some(words::NOT_BORNE_OUT),
            (Some(_), true) => Some(words::SAME_PLATE),
            (Some(_), false) => None,
        }
    }

    /// Seals its certificate; the bytes are left in the sealer. `None` where there is none to be had.
    ///
    /// # Errors
    /// It cannot be written canonically.
    pub fn seal(
        &self,
        made_unix_ms: i64,
        sealer: &mut Sealer,
        signer: &dyn Signer,
    ) -> Result<Option<Digest>, Unwritable> {
        let (None, Some(order), Some(closed)) = (self.refusal(), self.order_sha256, self.equipment.closed)
        else {
            return Ok(None);
        };
        let Equipment { division, enterprise, gateway, asset, .. } = self.equipment;
        let sealed = sealer.seal(signer, |object| {
            object
                .text("type", "completion")
                .shown("order_id", closed.order)
                .shown("order_sha256", order)
                .shown("division", division)
                .shown("uscc", enterprise)
                .shown("gateway_id", gateway)
                .shown("asset", asset)
                .shown("log_id", closed.source.log)
                .count("closed_seq", closed.source.seq)
                .shown("closed_record", closed.source.hash)
                .whole("closed_unix_ms", closed.at_unix_ms)
                .whole("made_unix_ms", made_unix_ms);
            if let Some(entry) = self.equipment.entry() {
                object.shown("entry", entry);
            }
            if let Some(plate) = self.plate {
                object.shown("plate", plate);
            }
        })?;
        Ok(Some(sealed))
    }
}

/// The report.
pub fn sheet(completed: &[Completed<'_>], scope: Scope) -> Sheet {
    let mut columns = equipment_columns();
    columns.extend([
        Column::of("entry", words::R_ENTRY),
        Column::of("order_id", words::R_ORDER),
        Column::of("closed_on", words::R_CLOSED_ON),
        Column::of("certified", words::R_CERTIFIED),
    ]);
    let rows = completed.iter().map(|unit| {
        let closed = unit.equipment.closed;
        let mut cells = equipment(unit.equipment);
        cells.extend([
            entry(unit.equipment),
            closed.map_or(Cell::Unknown, |closed| Cell::Text(closed.order.to_string())),
            closed.map_or(Cell::Unknown, |closed| Cell::Day(LegalDay::of_unix_ms(closed.at_unix_ms))),
            Cell::Said(unit.refusal().unwrap_or(words::YES)),
        ]);
        Row { cells, rests: Rests::on(closed.map(|closed| closed.source)) }
    });
    let (rows, notes) = (rows.collect(), vec![words::NOTE_TRACE, words::NOTE_ATTESTED, words::NOTE_CLOCK]);
    Sheet {
        report: "completion",
        title: words::REPORT_COMPLETION,
        scope,
        columns,
        rows,
        notes,
        wrong: Vec::new(),
        files: Vec::new(),
    }
}
