//! A secret has no place in a configuration: that ends in backups, in the list of processes, in what is sent to whoever helps.

use crate::terms::{
    Flaw,
    flaw::{Place, Wrong},
    form::{Node, Value},
};

/// Keys whose value would be a secret.
const SECRET_KEYS: [&str; 7] =
    ["password", "passwd", "passphrase", "secret", "token", "private_key", "key_password"];
/// Keys that name where something is reached, so that a login may have slipped into them.
const ADDRESS_KEYS: [&str; 2] = ["host", "endpoint"];
/// How a private key begins.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

const CURE: &str = "write it into a file of mode 0600 and name that (`password_file`, `key`), or hand it over as a \
                    systemd credential of that name; what stood here is known to others by now, so change it";

/// Takes every secret out of a document, and tells where each stood. What it is, is not told.
pub(super) fn taken_out(document: &mut Node) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    walk(document, &mut flaws);
    flaws
}

fn walk(node: &mut Node, flaws: &mut Vec<Flaw>) {
    match &mut node.value {
        Value::Table(members) => {
            members.retain(|key, member| match wrong(key, &member.value) {
                Some(wrong) => {
                    flaws.push(flaw(member.place.clone(), wrong));
                    false
                }
                None => true,
            });
            members.values_mut().for_each(|member| walk(member, flaws));
        }
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, flaws)),
        Value::Text(_)
        | Value::Plain(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_) => {}
    }
}

fn wrong(key: &str, value: &Value) -> Option<String> {
    if SECRET_KEYS.contains(&key) {
        return Some(format!("`{key}` is a secret, and a configuration is no place for one"));
    }
    let (Value::Text(text) | Value::Plain(text)) = value else { return None };
    if text.contains(PRIVATE_KEY) {
        return Some(format!("`{key}` holds a private key instead of the name of its file"));
    }
    let has_login =
        ADDRESS_KEYS.contains(&key) && text.split_once('@').is_some_and(|(login, _)| login.contains(':'));
    has_login.then(|| format!("`{key}` holds a login beside the address"))
}

fn flaw(place: Place, wrong: String) -> Flaw {
    Flaw { place, what: Wrong::new(wrong, CURE) }
}
