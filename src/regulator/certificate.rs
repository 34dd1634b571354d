//! Certificates of cut-off orders at the authority: made from the log that is kept, signed, and put on one page.

use serde_json::{Map, Value};

use super::{
    logs::{GatewayLogs, by_gateway},
    store::{Kept, Log, Store},
};
use crate::{
    evidence::{
        Certificate, PublicKey, Receipt, Sealer, Signed, Signer, Uncertified, Witnessed, bracket::Clocks,
        certificate::beside::Places, record::Unverified,
    },
    host::exit::{Exit, Failure},
    terms::{GatewayId, OrderId},
};

/// Records read at once.
const PAGE: u32 = 2_048;

/// A certificate as it is handed on.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The signed object, as it travels.
    pub json: Vec<u8>,
    /// The page that says the same.
    pub html: String,
}

/// Certifies how an order stands by the log that its gateway speaks in now. `trusted` are the authority's keys, its
/// signer's among them.
///
/// # Errors
/// No gateway's log has such an order, or it does not stand where a cut is proven.
pub fn issue(
    store: &mut dyn Store,
    (order, gateway): (OrderId, Option<GatewayId>),
    trusted: &[PublicKey],
    signer: &dyn Signer,
    now_unix_ms: i64,
) -> Result<Issued, Failure> {
    let mut why = Uncertified::UnknownOrder;
    for logs in by_gateway(store, gateway)? {
        match certified(store, &logs, order, trusted)? {
            Ok(facts) => {
                let mut sealer = Sealer::default();
                Certificate::seal(&facts, now_unix_ms, &mut sealer, signer).map_err(|e| {
                    Failure::new(Exit::Bug, format!("the certificate cannot be written: {e:?}"))
                })?;
                let json = sealer.bytes().to_vec();
                let certificate = Certificate::open(&json, &[signer.public_key()])
                    .map_err(|e| Failure::new(Exit::Bug, format!("the certificate cannot be read: {e}")))?;
                if certificate.is_too_early() {
                    let why = "the gateway's log is later than this machine's clock by more than a minute: set the clock";
                    return Err(Failure::new(Exit::Config, why));
                }
                return Ok(Issued { html: certificate.page(), json });
            }
            Err(Uncertified::UnknownOrder) => {}
            Err(other) => why = other,
        }
    }
    Err(Failure::new(Exit::Negative, format!("no certificate of {order}: {}", why.told())))
}

/// The facts by the log that a gateway speaks in now, where its other logs that are kept bear them out.
fn certified(
    store: &mut dyn Store,
    logs: &GatewayLogs,
    order: OrderId,
    trusted: &[PublicKey],
) -> Result<Result<Map<String, Value>, Uncertified>, Failure> {
    let newest = witnessed(store, &logs.newest, order)?;
    let others = logs.others.iter().map(|kept| witnessed(store, kept, order));
    let others = others.collect::<Result<Vec<Witnessed>, Failure>>()?;
    let mut places = Places::new();
    for head in others.iter().chain([&newest]).filter_map(Witnessed::continues) {
        let at = store.records_from((logs.newest.gateway, head.log), head.seq, 1)?;
        let hash = at.first().filter(|(seq, _)| *seq == head.seq).map(|(_, record)| record.hash);
        places.extend(hash.map(|hash| ((head.log, head.seq), hash)));
    }
    let elsewhere = || others.iter().find(|other| other.tells_of_it()).and_then(Witnessed::log);
    Ok(match newest.facts(trusted) {
        Err(Uncertified::UnknownOrder) => {
            Err(elsewhere().map_or(Uncertified::UnknownOrder, Uncertified::Another))
        }
        Ok(facts) => {
            let before = newest.taken_over(&others);
            let mut wrong = None;
            for log in before.iter().copied().chain([&newest]) {
                let Some((of, places)) = log.held_at().filter(|_| wrong.is_none()) else { continue };
                wrong = mistimed(store, of, places)?.map(|seq| Uncertified::Mistimed(of.1, seq));
            }
            let stands = || {
                before.iter().try_for_each(|older| older.is_sound(trusted).map(|_| ()))?;
                newest.beside(&others, &places)?;
                newest.is_cold_in(&others, &newest)
            };
            wrong.map_or_else(stands, Err).map(|()| facts)
        }
        Err(why) => Err(why),
    })
}

/// The first of these places of a log whose time the receipts given deny.
fn mistimed(store: &mut dyn Store, of: Log, (from, to): (u64, u64)) -> Result<Option<u64>, Failure> {
    let (mut clocks, mut after) = (Clocks::default(), (i64::MIN, 0));
    loop {
        let receipts = store.receipts_after(of, after, PAGE)?;
        let Some(last) = receipts.last() else { break };
        after = (last.given_unix_ms, last.seq);
        for signed in receipts.iter().filter_map(|kept| Signed::read(&kept.bytes).ok()) {
            if let Some(receipt) = Receipt::kept(&signed) {
                clocks.on_receipt(&receipt, signed.hash());
            }
        }
    }
    let mut next = from;
    loop {
        let records = store.records_from(of, next, PAGE)?;
        let Some((last, _)) = records.last() else { break };
        next = last + 1;
        for (_, record) in &records {
            if let Ok(record) = Unverified::read(&record.bytes).and_then(Unverified::own) {
                clocks.on_record(&record.header, &record.body);
            }
        }
        clocks.judge();
    }
    Ok(clocks.mistimed().first_in(of, (from, to)))
}

fn witnessed(store: &mut dyn Store, kept: &Kept, order: OrderId) -> Result<Witnessed, Failure> {
    let (mut witnessed, mut from) = (Witnessed::of(order), 0);
    loop {
        let records = store.records_from((kept.gateway, kept.log), from, PAGE)?;
        let Some((last, _)) = records.last() else { return Ok(witnessed) };
        from = last + 1;
        // Beyond the head something is missing.
        for (_, record) in records.iter().filter(|(seq, _)| *seq <= kept.seq) {
            // What is kept was verified when it came.
            if let Ok(record) = Unverified::read(&record.bytes).and_then(Unverified::own) {
                witnessed.on(&record);
            }
        }
    }
}
