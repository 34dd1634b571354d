//! `gateway admit`: many gateways at once, from a list whose fingerprints somebody has compared.

use std::{collections::BTreeSet, path::Path};

use coldhearth::{
    evidence::PublicKey,
    host::{Exit, Failure},
    terms::{GatewayId, place::Division},
};

use crate::{gateways::bare, say, serve::Home};

/// Admits every gateway of a list, or, if a line is wrong, nobody. A line holds identifier, public key in base64, and the
/// fingerprint as it was read out, apart by spaces; empty lines and lines that begin with `#` say nothing.
///
/// # Errors
/// The list cannot be read or a line is wrong; every such line is told.
pub(crate) fn admit(
    list: &Path,
    division: Option<Division>,
    home: &Home,
    now_unix_ms: i64,
) -> Result<Exit, Failure> {
    let text = std::fs::read_to_string(list)
        .map_err(|e| Failure::new(Exit::Config, format!("{}: {e}", list.display())))?;
    let (mut gateways, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        match read(line) {
            Ok((gateway, _)) if !seen.insert(gateway) => {
                wrong.push(format!("{}:{number}: {gateway} stands there twice", list.display()));
            }
            Ok(read) => gateways.push(read),
            Err(why) => wrong.push(format!("{}:{number}: {why}", list.display())),
        }
    }
    if !wrong.is_empty() {
        wrong.push("nobody was admitted".to_owned());
        return Err(Failure::new(Exit::Data, wrong.join("\n")));
    }
    let mut store = home.store()?;
    let mut new = 0_u64;
    for (gateway, key) in &gateways {
        new += u64::from(store.admit(*gateway, key, now_unix_ms)?);
        if let Some(division) = division {
            store.say_where(*gateway, division)?;
        }
    }
    say(&format!("{new} admitted, {} were admitted before", gateways.len() as u64 - new));
    Ok(Exit::Done)
}

fn read(line: &str) -> Result<(GatewayId, PublicKey), String> {
    let mut words = line.split_whitespace();
    let gateway = words.next().and_then(GatewayId::new);
    let gateway = gateway.ok_or("an identifier is expected first: 1 to 24 of a-z 0-9 _ -")?;
    let key = words.next().and_then(PublicKey::from_base64);
    let key = key.ok_or("a public key in base64 is expected second, as `public_key` in a genesis")?;
    let fingerprint: String = words.collect();
    if bare(&fingerprint) != bare(&key.fingerprint()) {
        return Err(format!("{gateway}: this key's fingerprint is {}; do not admit it", key.fingerprint()));
    }
    Ok((gateway, key))
}
