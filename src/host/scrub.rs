//! PURE file: a configuration as it may be handed on. Nothing stands in it that is not known to be harmless: a value is
//! shown only under a key that is on the list and only in the shape that key's values have, comments are not shown at all,
//! and of an unknown key not even the name.

use std::fmt::Write as _;

use crate::terms::form::{Node, Value};

/// The shape of what a key's value may be, where it may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number, a flag, an identifier or a class: at most 24 of `[A-Za-z0-9_./-]`.
    Word,
    /// A host name or address, without whatever stands before an `@` or behind a name.
    Address,
    /// `scheme://host:port`, or a serial device with its line's settings.
    Endpoint,
    /// A file or folder: at most 200 of `[A-Za-z0-9_./~-]`.
    Path,
}

/// Keys whose values may be shown, each with its shape; what they stand under does not matter.
pub type Known = [(&'static str, Shape)];

/// Longest word that is shown, in bytes.
const MAX_WORD_BYTES: usize = 24;
/// Longest path that is shown, in bytes.
const MAX_PATH_BYTES: usize = 200;
/// Settings of a serial line that are shown.
const LINE_SETTINGS: [&str; 4] = ["baud", "parity", "stop", "data"];
/// Stands in place of what is not shown.
pub const LEFT_OUT: &str = "(left out)";

/// A configuration, one line for each value that may be shown, and how many may not.
pub fn scrubbed(node: &Node, known: &Known) -> String {
    let mut scrubber = Scrubber { text: String::new(), known, unknown: 0 };
    scrubber.node(node, "", Shape::Word);
    let unknown = scrubber.unknown;
    // Writing into a string never fails.
    let _never = writeln!(scrubber.text, "# {unknown} further values are not shown, names included");
    scrubber.text
}

struct Scrubber<'a> {
    text: String,
    known: &'a Known,
    unknown: u64,
}

impl Scrubber<'_> {
    fn node(&mut self, node: &Node, path: &str, shape: Shape) {
        match &node.value {
            Value::Table(members) => members.iter().for_each(|(key, member)| self.member(path, key, member)),
            Value::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    self.node(item, &format!("{path}[{place}]"), shape);
                }
            }
            Value::Text(text) | Value::Plain(text) => self.line(path, &shown(text, shape)),
            Value::Integer(number) => self.line(path, &number.to_string()),
            Value::Decimal(number) => self.line(path, &number.to_string()),
            Value::Flag(flag) => self.line(path, &flag.to_string()),
            Value::Vast(_) | Value::Null => self.line(path, LEFT_OUT),
        }
    }

    fn member(&mut self, path: &str, key: &str, member: &Node) {
        let known = self.known.iter().find(|(known, _)| *known == key);
        let Some((key, shape)) = known else {
            self.unknown += 1;
            return;
        };
        let path = if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") };
        self.node(member, &path, *shape);
    }

    fn line(&mut self, path: &str, value: &str) {
        // Writing into a string never fails.
        let _never = writeln!(self.text, "{path} = {value}");
    }
}

/// A text if it has its key's shape, or what of it may be shown.
fn shown(text: &str, shape: Shape) -> String {
    let made_of = |more: &str, most: usize| {
        text.len() <= most && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let may = match shape {
        Shape::Word => made_of("_./-", MAX_WORD_BYTES).then(|| text.to_owned()),
        Shape::Path => made_of("_./~-", MAX_PATH_BYTES).then(|| text.to_owned()),
        Shape::Address => address(text),
        Shape::Endpoint => endpoint(text),
    };
    may.unwrap_or_else(|| LEFT_OUT.to_owned())
}

/// The address in a text.
fn address(text: &str) -> Option<String> {
    let behind = text.rsplit_once('@').map_or(text, |(_, behind)| behind);
    let host = behind.split(['/', '?', '#']).next().unwrap_or("");
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    (!host.is_empty() && host.len() <= MAX_PATH_BYTES && host.chars().all(is_host)).then(|| host.to_owned())
}

/// An endpoint without user, path and whatever is no setting of a serial line.
fn endpoint(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.chars().all(|c| c.is_ascii_lowercase() || c == '+') || scheme.len() > MAX_WORD_BYTES {
        return None;
    }
    if scheme != "rtu" {
        return Some(format!("{scheme}://{}", address(rest)?));
    }
    let (device, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_device = device.starts_with("/dev/")
        && device.len() <= MAX_PATH_BYTES
        && device.chars().all(|c| c.is_ascii_alphanumeric() || "_./:-".contains(c));
    let settings = query.split('&').filter(|setting| {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        LINE_SETTINGS.contains(&key) && value.len() <= 7 && value.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let settings = settings.collect::<Vec<_>>().join("&");
    is_device.then(|| format!("rtu://{device}?{settings}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &Known = &[
        ("broker", Shape::Word),
        ("host", Shape::Address),
        ("port", Shape::Word),
        ("bus", Shape::Word),
        ("endpoint", Shape::Endpoint),
        ("state_dir", Shape::Path),
        ("roles", Shape::Word),
    ];

    fn of(text: &str) -> String {
        scrubbed(&Node::parse("a.toml", text).unwrap(), KNOWN)
    }

    #[test]
    fn only_what_is_known_to_be_harmless_is_shown() {
        let text = "# the old password was hunter2\nstate_dir = \"/var/lib/x\"\nhunter2 = 1\n\
                    [broker]\nhost = \"gw:hunter2@mq.example\"\nport = 8883 # hunter2\npassword = \"hunter2\"\npin = 4711\n\
                    [[bus]]\nendpoint = \"tcp://u:hunter2@10.0.0.1:502/hunter2?token=hunter2#hunter2\"\n\
                    [[bus]]\nendpoint = \"rtu:///dev/ttyUSB0?baud=9600&token=hunter2&parity=E\"\n\
                    [[bus]]\nendpoint = \"hunter2\"\n[other]\nroles = \"hunter2\"\n";
        let shown = of(text);
        assert!(
            !shown.contains("hunter2") && !shown.contains("4711") && !shown.contains("password"),
            "{shown}"
        );
        for line in [
            "broker.host = mq.example",
            "broker.port = 8883",
            "bus[0].endpoint = tcp://10.0.0.1:502",
            "bus[1].endpoint = rtu:///dev/ttyUSB0?baud=9600&parity=E",
            "bus[2].endpoint = (left out)",
            "state_dir = /var/lib/x",
            "# 4 further values are not shown, names included",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
    }

    #[test]
    fn a_value_of_another_shape_than_its_keys_is_not_shown() {
        let shown = of("roles = [\"a\", \"not a word at all\", 3, true, 0.5]\nstate_dir = \"a b\"\n");
        let expected = "roles[0] = a\nroles[1] = (left out)\nroles[2] = 3\nroles[3] = true\nroles[4] = 5e-1\n\
                        state_dir = (left out)\n# 0 further values are not shown, names included\n";
        assert_eq!(shown, expected);
    }
}
