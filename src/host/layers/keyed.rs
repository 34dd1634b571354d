//! Lists of tables that have an `id`, such as `[[meter]]`: united by it across layers, as tables are by their keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::terms::{
    Flaw,
    flaw::Wrong,
    form::{Node, Value},
};

/// By what an item is known.
const ID: &str = "id";

/// Which members of the documents are such lists: each item a table, in whichever of them it is a list.
pub(super) fn lists<'a>(documents: impl Iterator<Item = &'a Node>) -> BTreeSet<String> {
    let mut lists = BTreeSet::new();
    for document in documents {
        let Value::Table(members) = &document.value else { continue };
        let are_tables =
            |node: &Node| matches!(&node.value, Value::List(items) if items.iter().all(is_table));
        lists.extend(members.iter().filter(|(_, node)| are_tables(node)).map(|(key, _)| key.clone()));
    }
    lists
}

fn is_table(node: &Node) -> bool {
    matches!(node.value, Value::Table(_))
}

/// Turns the lists of one document into tables, so that they can be merged. An item without an id, and a second one of the
/// same, stand for themselves: what is wrong with them is told by whoever reads them.
pub(super) fn by_id(document: &mut Node, lists: &BTreeSet<String>, layer: usize) {
    let Value::Table(members) = &mut document.value else { return };
    for (_, node) in members.iter_mut().filter(|(key, _)| lists.contains(*key)) {
        let Value::List(items) = &mut node.value else { continue };
        let mut table = BTreeMap::new();
        for (index, item) in std::mem::take(items).into_iter().enumerate() {
            // No key of a file reads like this, so that nobody can mean it by chance.
            let alone = format!("\u{1f}{layer}\u{1f}{index}");
            let key = id(&item).filter(|id| !table.contains_key(id)).unwrap_or(alone);
            table.insert(key, item);
        }
        node.value = Value::Table(table);
    }
}

/// The ids of each list in these documents.
pub(super) fn ids<'a>(
    documents: impl Iterator<Item = &'a Node> + Clone,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut ids: BTreeMap<String, BTreeSet<String>> =
        lists(documents.clone()).into_iter().map(|list| (list, BTreeSet::new())).collect();
    for document in documents {
        let Value::Table(members) = &document.value else { continue };
        for (list, node) in members {
            if let (Some(ids), Value::List(items)) = (ids.get_mut(list), &node.value) {
                ids.extend(items.iter().filter_map(id));
            }
        }
    }
    ids
}

/// What addresses an item. A variable has no hyphens in its name, so `EAF_1` is `eaf-1` there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Variable,
    Flag,
}

/// Gives each item that is set in a document the id it was meant for. One that is meant for none, and brings no id of its
/// own, is taken out: the flaws say so, with the ids that there are.
pub(super) fn addressed(document: &mut Node, ids: &BTreeMap<String, BTreeSet<String>>, by: By) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let Value::Table(members) = &mut document.value else { return flaws };
    for (list, node) in members.iter_mut() {
        let (Some(ids), Value::Table(items)) = (ids.get(list), &mut node.value) else { continue };
        for (name, item) in std::mem::take(items) {
            let meant: Vec<&String> = ids.iter().filter(|id| is_meant(&name, id, by)).collect();
            let wrong = match &meant[..] {
                [only] => {
                    unite(items, (*only).clone(), item);
                    continue;
                }
                [] if id(&item).is_some() => {
                    unite(items, name, item);
                    continue;
                }
                [] => Wrong::new(
                    format!("no [[{list}]] has the id `{name}`"),
                    format!("there are: {}", listed(ids)),
                ),
                several => {
                    let several: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                    let wrong = format!("`{name}` may be each of {}", several.join(", "));
                    Wrong::new(wrong, format!("set it in a file, or with --set {list}.ID.…"))
                }
            };
            flaws.push(Flaw { place: item.place, what: wrong });
        }
    }
    flaws
}

fn is_meant(name: &str, id: &str, by: By) -> bool {
    match by {
        By::Flag => name == id,
        By::Variable => name == id || name == id.replace('-', "_"),
    }
}

/// Ids for a message.
fn listed(ids: &BTreeSet<String>) -> String {
    /// Most that are told.
    const MOST: usize = 12;
    let mut told: Vec<&str> = ids.iter().take(MOST).map(String::as_str).collect();
    if ids.len() > MOST {
        told.push("…");
    }
    told.join(", ")
}

/// Adds a member, united with the one that is there.
fn unite(members: &mut BTreeMap<String, Node>, key: String, node: Node) {
    match members.get_mut(&key) {
        Some(Node { value: Value::Table(there), .. }) => {
            if let Value::Table(more) = node.value {
                more.into_iter().for_each(|(key, node)| unite(there, key, node));
            }
        }
        Some(there) => *there = node,
        None => drop(members.insert(key, node)),
    }
}

/// The id of an item.
pub(super) fn id(item: &Node) -> Option<String> {
    let Value::Table(members) = &item.value else { return None };
    match &members.get(ID)?.value {
        Value::Text(id) | Value::Plain(id) => Some(id.clone()),
        Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::List(_)
        | Value::Table(_) => None,
    }
}

/// Turns them back, in the order in which they were written.
pub(super) fn as_lists(document: &mut Node, lists: &BTreeSet<String>) {
    let Value::Table(members) = &mut document.value else { return };
    for (_, node) in members.iter_mut().filter(|(key, _)| lists.contains(*key)) {
        let Value::Table(table) = &mut node.value else { continue };
        let mut items: Vec<Node> = std::mem::take(table).into_values().collect();
        items.sort_by(|one, other| one.place.cmp(&other.place));
        node.value = Value::List(items);
    }
}
