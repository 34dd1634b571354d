//! Makes the screens' index anew out of the records, page by page: nothing is in it that they do not tell.

use super::{lineage::Lineage, store::Store};
use crate::{evidence::PublicKey, host::exit::Failure};

/// Forgets the index and reads every log again. Tells how many logs there were. Should it end early, whoever calls it again,
/// or serves from this store next, goes on where it ended. `authority` are the keys that sign resets.
///
/// # Errors
/// The store failed.
pub fn reindex(store: &mut dyn Store, authority: &[PublicKey], now_unix_ms: i64) -> Result<u64, Failure> {
    let lineage = Lineage::shipped()?.believing(authority);
    store.unindex()?;
    let (logs, _) = store.unindexed_logs()?.unwrap_or((0, 0));
    while lineage.index(store, None, now_unix_ms)?.is_some() {}
    Ok(logs)
}
