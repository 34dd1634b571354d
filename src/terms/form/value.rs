//! What may stand in a document that a person writes.

use std::{collections::BTreeMap, fmt};

use super::Node;
use crate::terms::Decimal;

/// What may stand in a document. Dates are text; numbers are exact.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, or a TOML date as it was written.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point or an exponent.
    Decimal(Decimal),
    /// A number of JSON that fits neither, as it was written; also `NaN` and `Infinity`, which some programs write.
    Vast(String),
    /// What stands in an environment variable or on a command line: it is of the kind that is asked for.
    Plain(String),
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// `[a, b]` or repeated `[[table]]`.
    List(Vec<Node>),
    /// `[table]` or `{ a = 1 }`.
    Table(BTreeMap<String, Node>),
}

impl Value {
    /// What it is, for a message.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) | Value::Plain(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Decimal(_) => "a decimal number",
            Value::Vast(_) => "a number past 18 digits",
            Value::Null => "null",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl fmt::Display for Value {
    /// As TOML would write it, nearly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) | Value::Plain(text) => write!(f, "\"{text}\""),
            Value::Integer(n) => write!(f, "{n}"),
            Value::Decimal(decimal) => write!(f, "{decimal}"),
            Value::Vast(digits) => f.write_str(digits),
            Value::Null => f.write_str("null"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.value.to_string()).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Value::Table(members) => {
                let members: Vec<String> =
                    members.iter().map(|(key, node)| format!("{key} = {}", node.value)).collect();
                write!(f, "{{ {} }}", members.join(", "))
            }
        }
    }
}
