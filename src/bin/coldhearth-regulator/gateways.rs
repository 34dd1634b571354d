//! `gateway add|list|revoke`: whose word counts.

use std::path::PathBuf;

use clap::Subcommand;
use coldhearth::{
    evidence::KeyId,
    host::{Clock as _, Exit, Failure, SystemClock, public_key},
    terms::{GatewayId, place::Division, time::LegalTime},
};

use crate::{admit, alarms::division, say, serve::Home};

#[derive(Subcommand)]
pub(crate) enum Gateway {
    /// Admit a gateway by its first key, after comparing the fingerprint that was read out
    Add {
        /// The gateway's `.pub` file
        key: PathBuf,
        /// Its identifier, as in its configuration
        #[arg(long, value_parser = gateway_id)]
        id: GatewayId,
        /// The fingerprint as `coldhearth enrol` printed it at the gateway; spaces do not matter
        #[arg(long)]
        fingerprint: String,
        /// Where its plant lies, six digits of GB/T 2260: whose it is until its own log says so
        #[arg(long, value_name = "CODE", value_parser = division)]
        division: Option<Division>,
        #[command(flatten)]
        home: Home,
    },
    /// Admit many gateways from a list: identifier, public key in base64 and fingerprint on each line
    Admit {
        /// The list
        list: PathBuf,
        /// Where all their plants lie, six digits of GB/T 2260
        #[arg(long, value_name = "CODE", value_parser = division)]
        division: Option<Division>,
        #[command(flatten)]
        home: Home,
    },
    /// List every gateway that was ever admitted
    List {
        #[command(flatten)]
        home: Home,
    },
    /// Revoke a key: the gateway lost it, or somebody else may have it
    Revoke {
        /// The gateway
        #[arg(long, value_parser = gateway_id)]
        id: GatewayId,
        /// The key's short name, as `gateway list` shows it
        #[arg(value_parser = key_id)]
        key: KeyId,
        #[command(flatten)]
        home: Home,
    },
}

/// Exit 1 when the fingerprint is another, the key was admitted before, or there is nothing to revoke.
pub(crate) fn gateway(verb: Gateway) -> Result<Exit, Failure> {
    let now = SystemClock::default().now().wall_unix_ms;
    match verb {
        Gateway::Add { key, id, fingerprint, division, home } => {
            let key = public_key::load(&key)?;
            if bare(&fingerprint) != bare(&key.fingerprint()) {
                let message = format!(
                    "this key's fingerprint is {}: not the one that was read out; do not admit it",
                    key.fingerprint()
                );
                return Err(Failure::new(Exit::Negative, message));
            }
            let mut store = home.store()?;
            let is_new = store.admit(id, &key, now)?;
            if let Some(division) = division {
                store.say_where(id, division)?;
            }
            if !is_new {
                return Err(Failure::new(
                    Exit::Negative,
                    format!("{id}: key {} was admitted before", key.id()),
                ));
            }
            say(&format!("{id}: admitted, key {} ({})", key.id(), key.suite()));
            Ok(Exit::Done)
        }
        Gateway::Admit { list, division, home } => admit::admit(&list, division, &home, now),
        Gateway::List { home } => {
            for admitted in home.store_that_is_there()?.admitted()? {
                let revoked = admitted
                    .revoked_unix_ms
                    .map_or_else(String::new, |at| format!("  REVOKED {}", LegalTime(at)));
                let (since, key) = (LegalTime(admitted.admitted_unix_ms), admitted.key);
                let place = admitted.division.map_or_else(String::new, |at| format!("  division {at}"));
                let line = format!(
                    "{}  {}  {}  since {since}{place}{revoked}",
                    admitted.gateway,
                    key.id(),
                    key.fingerprint()
                );
                say(&line);
            }
            Ok(Exit::Done)
        }
        Gateway::Revoke { id, key, home } => {
            if !home.store_that_is_there()?.revoke(id, key, now)? {
                return Err(Failure::new(Exit::Negative, format!("{id}: no key {key} is in force")));
            }
            say(&format!("{id}: key {key} revoked; its logs are believed no longer"));
            Ok(Exit::Done)
        }
    }
}

/// A fingerprint without what people put between its digits.
pub(crate) fn bare(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

pub(crate) fn gateway_id(text: &str) -> Result<GatewayId, String> {
    GatewayId::new(text).ok_or_else(|| "1 to 24 of a-z 0-9 _ - are expected".to_owned())
}

fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::from_hex(text)
        .ok_or_else(|| "16 hexadecimal digits are expected, as `gateway list` shows them".to_owned())
}
