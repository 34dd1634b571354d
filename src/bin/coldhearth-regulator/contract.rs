//! `contract`: what others may rely on, as files.

use std::path::PathBuf;

use clap::Args;
use coldhearth::{
    host::{Exit, Failure},
    regulator::contract,
};

use crate::say;

#[derive(Args)]
pub(crate) struct Contract {
    /// Folder to write into; files of the contract that are there already are replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn contract(orders: &Contract) -> Result<Exit, Failure> {
    let failed = |path: &std::path::Path, e: &std::io::Error| {
        Failure::new(Exit::Permission, format!("{}: {e}", path.display()))
    };
    std::fs::create_dir_all(&orders.out).map_err(|e| failed(&orders.out, &e))?;
    for page in contract::pages() {
        let path = orders.out.join(page.name);
        std::fs::write(&path, page.text).map_err(|e| failed(&path, &e))?;
        say(&path.display().to_string());
    }
    Ok(Exit::Done)
}
