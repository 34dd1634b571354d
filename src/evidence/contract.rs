//! PURE. The MQTT contract for others: an AsyncAPI 3 document and a JSON Schema of every message, made from the kinds,
//! topics, names and words that both programs use. `coldhearth-regulator contract` writes it down; the copy in
//! `config/contract/` is held against it, and against the traffic of a real plant, by tests.

mod asyncapi;
mod message;

pub use asyncapi::asyncapi;
pub use message::Message;

use serde_json::Value;

/// The schema that every signed message is held against; each message's own adds what its topic asks of it.
pub const BASE: (&str, &str) = ("coldhearth-1.schema.json", include_str!("coldhearth-1.schema.json"));
/// The document's file name.
pub const DOCUMENT: &str = "asyncapi.json";

/// A file of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Every file of the contract; they name each other and nothing else.
pub fn pages() -> Vec<Page> {
    let written = |name: String, value: &Value| Page { name, text: format!("{value:#}\n") };
    let schemas = Message::ALL.iter().filter_map(|message| Some(written(message.file(), &message.schema()?)));
    let base = Page { name: BASE.0.to_owned(), text: BASE.1.to_owned() };
    [written(DOCUMENT.to_owned(), &asyncapi()), base].into_iter().chain(schemas).collect()
}
