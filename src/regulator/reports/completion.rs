//! V(1): which units are gone for good by a signed record, and a certificate for each: issued only where demolition was
//! accepted, the log bears the order out, no other unit that is gone bears the same nameplate, and nothing was drawn since.

use super::{
    Cell, Column, Equipment, Rests, Row, Scope, Sheet, Surveyed, closures::Closed, entry, equipment,
    equipment_columns,
};
use crate::{
    evidence::{Sealer, Signer, canonical::Unwritable},
    terms::{
        Digest, LegalDay,
        words::{self, Words},
    },
};

/// A unit whose demolition was accepted by what its log says.
#[derive(Clone, Copy, Debug)]
pub struct Completed<'s> {
    /// The unit.
    pub equipment: &'s Equipment,
    /// Its demolition.
    pub closed: Closed,
}

/// Every unit that was accepted as demolished within the time.
pub fn completed<'s>(surveyed: &'s Surveyed, scope: &Scope) -> Vec<Completed<'s>> {
    let in_time = |closed: &Closed| scope.has(closed.at_unix_ms);
    let claims = surveyed.values().filter_map(|equipment| Some((equipment, equipment.closed?)));
    let claims = claims.filter(|(_, closed)| in_time(closed));
    claims.map(|(equipment, closed)| Completed { equipment, closed }).collect()
}

impl Completed<'_> {
    /// Why no certificate is issued; none where one is.
    pub fn refusal(&self) -> Option<Words> {
        self.closed.refusal(self.equipment.newest.as_ref())
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
        let closed = self.closed;
        let (None, Some(order)) = (self.refusal(), closed.order_sha256) else {
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
            if let Some(plate) = self.equipment.plate() {
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
        let closed = unit.closed;
        let mut cells = equipment(unit.equipment);
        cells.extend([
            entry(unit.equipment),
            Cell::Text(closed.order.to_string()),
            Cell::Day(LegalDay::of_unix_ms(closed.at_unix_ms)),
            Cell::Said(unit.refusal().unwrap_or(words::YES)),
        ]);
        Row { cells, rests: Rests::on([closed.source]) }
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
        replaces: None,
    }
}
