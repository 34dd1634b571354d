//! Lists of tables that have an `id`, such as `[[meter]]`: united by it across layers, as tables are by their keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::terms::form::{Node, Value};

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
