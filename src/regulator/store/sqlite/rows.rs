//! Rows that are read in more than one place.

use crate::{
    evidence::{KeyId, LogId, PublicKey},
    regulator::store::{Admitted, Kept, KeptHeads},
    terms::{
        Digest, GatewayId, LegalDay,
        place::{CreditCode, Division},
    },
};

pub(super) fn admitted(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Admitted>> {
    let (id, key): (String, String) = (row.get(0)?, row.get(1)?);
    let (admitted_unix_ms, revoked_unix_ms) = (row.get(2)?, row.get(3)?);
    let named = GatewayId::new(&id).zip(PublicKey::from_base64(&key));
    let division = Division::parse(&row.get::<_, String>(4)?);
    Ok(named.map(|(gateway, key)| Admitted { gateway, key, admitted_unix_ms, revoked_unix_ms, division }))
}

pub(super) fn heads(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<KeptHeads>> {
    let (number, day) = (row.get::<_, i64>(0)?.cast_unsigned(), LegalDay::parse(&row.get::<_, String>(1)?));
    let (made_unix_ms, bytes) = (row.get(2)?, row.get::<_, String>(3)?.into_bytes());
    Ok(day.map(|day| KeptHeads { number, day, made_unix_ms, bytes }))
}

pub(super) fn place(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<(u64, Digest)>> {
    let seq: i64 = row.get(0)?;
    Ok(Digest::from_hex(&row.get::<_, String>(1)?).map(|hash| (seq.cast_unsigned(), hash)))
}

pub(super) fn head(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Kept>> {
    let text = |column| row.get::<_, String>(column);
    let (gateway, log) = (GatewayId::new(&text(0)?), LogId::from_hex(&text(1)?));
    let (division, enterprise) = (Division::parse(&text(2)?), CreditCode::parse(&text(3)?));
    let (seq, head) = (row.get::<_, i64>(4)?.cast_unsigned(), Digest::from_hex(&text(5)?));
    let (received_unix_ms, next_epoch) = (row.get(6)?, row.get(7)?);
    let root = KeyId::from_hex(&text(8)?);
    let named = gateway.zip(log).zip(division.zip(enterprise)).zip(head.zip(root));
    Ok(named.map(|(((gateway, log), (division, enterprise)), (head, root))| Kept {
        gateway,
        log,
        division,
        enterprise,
        seq,
        head,
        received_unix_ms,
        next_epoch,
        root,
    }))
}
