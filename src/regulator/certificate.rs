//! Certificates of cut-off orders at the authority: made from the log that is kept, signed, and put on one page.

use super::{
    orders::newest_heads,
    store::{Kept, Store},
};
use crate::{
    evidence::{Certificate, PublicKey, Sealer, Signer, Uncertified, Witnessed, record::Unverified},
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
    for kept in newest_heads(store, gateway)? {
        match witnessed(store, &kept, order)?.facts(trusted) {
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
