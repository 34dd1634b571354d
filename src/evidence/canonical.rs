//! Canonical bytes: one and only one way to write a record, and a reader that accepts no other.
//!
//! The profile is RFC 8785 (JCS) narrowed until nothing is left to interpret: one JSON object; member names
//! `[a-z0-9_]+` in ascending byte order, none twice; whole numbers of at most 2^53 - 1; text without control
//! characters; `true` and `false`; no null, no fraction, no white space. Absent means unknown.

use serde_json::{Map, Value};

/// Largest whole number a record may carry; beyond it common readers silently change the value.
pub const MAX_WHOLE: i64 = (1 << 53) - 1;
/// Longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;
/// Deepest nesting of objects and lists, empty ones too, the record itself counted as 1.
pub const MAX_DEPTH: usize = 8;

/// Why something cannot be written canonically. Each is a defect of the caller, never of the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// A whole number beyond 2^53 - 1.
    Number,
    /// Text with a control character.
    Text,
    /// A member name outside `[a-z0-9_]+`.
    Member,
    /// Two members of one name.
    Twice,
    /// More than [`MAX_RECORD_BYTES`].
    TooLong,
    /// A value the profile does not know: null or a fraction.
    Kind,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    name: (usize, usize),
    value: (usize, usize),
}

/// A reusable writer: after the first records it allocates nothing.
#[derive(Debug, Default)]
pub struct Canonical {
    scratch: Vec<u8>,
    pieces: Vec<Piece>,
    refused: Option<Unwritable>,
}

/// Room a record usually needs, in bytes; a writer that is kept begins with it.
pub const USUAL_RECORD_BYTES: usize = 8 * 1024;

impl Canonical {
    /// A writer with room for usual records from the start.
    pub fn with_room() -> Canonical {
        let scratch = Vec::with_capacity(4 * USUAL_RECORD_BYTES);
        Canonical { scratch, pieces: Vec::with_capacity(256), refused: None }
    }

    /// Writes one object into `out`, replacing what was there.
    /// Returns the offset at which a member named `sig` would stand.
    ///
    /// # Errors
    /// The first thing that could not be written; `out` is then empty.
    pub fn write(
        &mut self,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Object<'_>),
    ) -> Result<usize, Unwritable> {
        self.scratch.clear();
        self.pieces.clear();
        self.refused = None;
        out.clear();
        fill(&mut Object { canonical: self });
        let (start, end, signature_at) = self.compose_object(0);
        let bytes = self.scratch.get(start..end).unwrap_or(&[]);
        if bytes.len() > MAX_RECORD_BYTES {
            self.refused.get_or_insert(Unwritable::TooLong);
        }
        if let Some(why) = self.refused {
            return Err(why);
        }
        out.extend_from_slice(bytes);
        Ok(signature_at)
    }

    fn refuse(&mut self, why: Unwritable) {
        self.refused.get_or_insert(why);
    }

    fn append(&mut self, bytes: &[u8]) -> (usize, usize) {
        let start = self.scratch.len();
        self.scratch.extend_from_slice(bytes);
        (start, self.scratch.len())
    }

    fn append_text(&mut self, text: &str) -> (usize, usize) {
        let start = self.scratch.len();
        self.scratch.push(b'"');
        // Nearly all text is so plain that it stands as it is.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
            self.scratch.extend_from_slice(text.as_bytes());
        } else {
            self.append_escaped(text);
        }
        self.scratch.push(b'"');
        (start, self.scratch.len())
    }

    fn append_escaped(&mut self, text: &str) {
        if text.chars().any(char::is_control) {
            self.refuse(Unwritable::Text);
        }
        for byte in text.bytes() {
            if matches!(byte, b'"' | b'\\') {
                self.scratch.push(b'\\');
            }
            self.scratch.push(byte);
        }
    }

    fn append_whole(&mut self, number: i64) -> (usize, usize) {
        if !(-MAX_WHOLE..=MAX_WHOLE).contains(&number) {
            self.refuse(Unwritable::Number);
        }
        let mut digits = heapless::String::<24>::new();
        let written = std::fmt::Write::write_fmt(&mut digits, format_args!("{number}"));
        if written.is_err() {
            self.refuse(Unwritable::Number);
        }
        self.append(digits.as_bytes())
    }

    fn add(&mut self, name: &str, value: (usize, usize)) {
        if name.is_empty() || !name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
            self.refuse(Unwritable::Member);
        }
        let name = self.append(name.as_bytes());
        self.pieces.push(Piece { name, value });
    }

    /// Sorts the members from `base` on and writes them as one object at the end of the scratch.
    fn compose_object(&mut self, base: usize) -> (usize, usize, usize) {
        let Canonical { scratch, pieces, refused } = self;
        let members = pieces.get_mut(base..).unwrap_or(&mut []);
        members
            .sort_unstable_by(|a, b| scratch.get(a.name.0..a.name.1).cmp(&scratch.get(b.name.0..b.name.1)));
        let start = scratch.len();
        let mut signature_at = 0;
        let mut last: Option<(usize, usize)> = None;
        scratch.push(b'{');
        for piece in members {
            if last.is_some_and(|last| scratch.get(last.0..last.1) == scratch.get(piece.name.0..piece.name.1))
            {
                refused.get_or_insert(Unwritable::Twice);
            }
            if last.is_some() {
                scratch.push(b',');
            }
            if scratch.get(piece.name.0..piece.name.1) < Some(b"sig".as_slice()) {
                signature_at = 0;
            } else if signature_at == 0 {
                signature_at = scratch.len() - start;
            }
            scratch.push(b'"');
            scratch.extend_from_within(piece.name.0..piece.name.1);
            scratch.extend_from_slice(b"\":");
            scratch.extend_from_within(piece.value.0..piece.value.1);
            last = Some(piece.name);
        }
        scratch.push(b'}');
        let end = scratch.len();
        self.pieces.truncate(base);
        (start, end, signature_at)
    }

    fn compose_list(&mut self, base: usize) -> (usize, usize) {
        let Canonical { scratch, pieces, .. } = self;
        let start = scratch.len();
        scratch.push(b'[');
        for (index, item) in pieces.get(base..).unwrap_or(&[]).iter().enumerate() {
            if index > 0 {
                scratch.push(b',');
            }
            scratch.extend_from_within(item.value.0..item.value.1);
        }
        scratch.push(b']');
        let end = scratch.len();
        self.pieces.truncate(base);
        (start, end)
    }
}

/// An object being written; members may be given in any order.
pub struct Object<'a> {
    canonical: &'a mut Canonical,
}

impl Object<'_> {
    /// A text member.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        let value = self.canonical.append_text(text);
        self.canonical.add(name, value);
        self
    }

    /// A member written by its `Display`.
    pub fn shown(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        let mut text = heapless::String::<128>::new();
        if std::fmt::Write::write_fmt(&mut text, format_args!("{value}")).is_err() {
            self.canonical.refuse(Unwritable::TooLong);
        }
        self.text(name, &text)
    }

    /// A whole-number member.
    pub fn whole(&mut self, name: &str, number: i64) -> &mut Self {
        let value = self.canonical.append_whole(number);
        self.canonical.add(name, value);
        self
    }

    /// A whole-number member that cannot be negative.
    pub fn count(&mut self, name: &str, number: u64) -> &mut Self {
        self.whole(name, i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// A member that is true or false.
    pub fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        let value = self.canonical.append(if flag { b"true" } else { b"false" });
        self.canonical.add(name, value);
        self
    }

    /// Every member of a map, but those that are left out by name. One level less deep than a record may be, since
    /// such a map travels inside a record.
    pub fn members(&mut self, map: &Map<String, Value>, without: &[&str]) -> &mut Self {
        for (name, value) in map.iter().filter(|(name, _)| !without.contains(&name.as_str())) {
            let value = write_value(self.canonical, value, 2);
            self.canonical.add(name, value);
        }
        self
    }

    /// A nested object.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let base = self.canonical.pieces.len();
        fill(&mut Object { canonical: &mut *self.canonical });
        let (start, end, _) = self.canonical.compose_object(base);
        self.canonical.add(name, (start, end));
        self
    }

    /// A nested list.
    pub fn list(&mut self, name: &str, fill: impl FnOnce(&mut List<'_>)) -> &mut Self {
        let base = self.canonical.pieces.len();
        fill(&mut List { canonical: &mut *self.canonical });
        let value = self.canonical.compose_list(base);
        self.canonical.add(name, value);
        self
    }
}

/// A list being written, in the order its items are given.
pub struct List<'a> {
    canonical: &'a mut Canonical,
}

impl List<'_> {
    /// An object as the next item.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        let base = self.canonical.pieces.len();
        fill(&mut Object { canonical: &mut *self.canonical });
        let (start, end, _) = self.canonical.compose_object(base);
        self.item((start, end));
    }

    fn item(&mut self, value: (usize, usize)) {
        self.canonical.pieces.push(Piece { name: (0, 0), value });
    }
}

/// Why bytes are no canonical record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Longer than [`MAX_RECORD_BYTES`].
    TooLong,
    /// Not JSON; the column counts bytes from 1.
    NotJson {
        /// Where it stopped being JSON.
        column: usize,
    },
    /// JSON, but no object.
    NotAnObject,
    /// An object, but not the one canonical way to write it.
    NotCanonical,
}

/// Reads canonical bytes. What is accepted here, written again, gives the same bytes.
///
/// # Errors
/// Everything else, down to a space, a repeated member or another way to escape a letter.
pub fn read(bytes: &[u8]) -> Result<Map<String, Value>, Malformed> {
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(Malformed::TooLong);
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| Malformed::NotJson { column: e.column() })?;
    let Value::Object(map) = value else { return Err(Malformed::NotAnObject) };
    let mut again = Vec::with_capacity(bytes.len());
    match rewrite(&map, None, &mut again) {
        Ok(_) if again == bytes => Ok(map),
        Ok(_) | Err(_) => Err(Malformed::NotCanonical),
    }
}

/// Writes a map that was read, leaving one member out; the offset is that of [`Canonical::write`].
///
/// # Errors
/// What the profile cannot say.
pub fn rewrite(
    map: &Map<String, Value>,
    without: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<usize, Unwritable> {
    Canonical::default().write(out, |object| fill_object(object, map, without, 1))
}

fn fill_object(object: &mut Object<'_>, map: &Map<String, Value>, without: Option<&str>, depth: usize) {
    for (name, value) in map.iter().filter(|(name, _)| Some(name.as_str()) != without) {
        let value = write_value(object.canonical, value, depth);
        object.canonical.add(name, value);
    }
}

fn write_value(canonical: &mut Canonical, value: &Value, depth: usize) -> (usize, usize) {
    let base = canonical.pieces.len();
    match value {
        // An object or a list is a level of its own, be it empty.
        Value::Object(_) | Value::Array(_) if depth >= MAX_DEPTH => {
            canonical.refuse(Unwritable::TooDeep);
            (0, 0)
        }
        Value::String(text) => canonical.append_text(text),
        Value::Bool(flag) => canonical.append(if *flag { b"true" } else { b"false" }),
        Value::Number(number) => match number.as_i64() {
            Some(number) => canonical.append_whole(number),
            None => {
                canonical.refuse(Unwritable::Kind);
                (0, 0)
            }
        },
        Value::Object(map) => {
            fill_object(&mut Object { canonical: &mut *canonical }, map, None, depth + 1);
            let (start, end, _) = canonical.compose_object(base);
            (start, end)
        }
        Value::Array(items) => {
            for item in items {
                let value = write_value(canonical, item, depth + 1);
                List { canonical: &mut *canonical }.item(value);
            }
            canonical.compose_list(base)
        }
        Value::Null => {
            canonical.refuse(Unwritable::Kind);
            (0, 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(fill: impl FnOnce(&mut Object<'_>)) -> Result<String, Unwritable> {
        let mut out = Vec::new();
        Canonical::default().write(&mut out, fill)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        let text = written(|o| {
            o.text("type", "state").whole("seq", -7).flag("b", true);
            o.object("a", |o| {
                o.text("z", "炉\"\\").whole("c", MAX_WHOLE);
            });
            o.list("list", |l| {
                l.object(|o| {
                    o.whole("y", 1).whole("x", 2);
                });
            });
        });
        let expected = r#"{"a":{"c":9007199254740991,"z":"炉\"\\"},"b":true,"list":[{"x":2,"y":1}],"seq":-7,"type":"state"}"#;
        assert_eq!(text.unwrap(), expected);
        assert!(read(expected.as_bytes()).is_ok());
    }

    #[test]
    fn the_writer_refuses_what_a_reader_would_change() {
        assert_eq!(
            written(|o| {
                o.whole("a", MAX_WHOLE + 1);
            }),
            Err(Unwritable::Number)
        );
        assert_eq!(
            written(|o| {
                o.count("a", u64::MAX);
            }),
            Err(Unwritable::Number)
        );
        assert_eq!(
            written(|o| {
                o.text("a", "\u{7f}");
            }),
            Err(Unwritable::Text)
        );
        assert_eq!(
            written(|o| {
                o.text("A", "x");
            }),
            Err(Unwritable::Member)
        );
        assert_eq!(
            written(|o| {
                o.whole("a", 1).whole("a", 1);
            }),
            Err(Unwritable::Twice)
        );
        assert_eq!(
            written(|o| {
                o.text("a", &"x".repeat(MAX_RECORD_BYTES));
            }),
            Err(Unwritable::TooLong)
        );
    }

    #[test]
    fn the_reader_accepts_only_the_canonical_way() {
        for wrong in [
            r#"{"a":1 }"#,
            r#"{"a":1,"a":1}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":-0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":null}"#,
            r#"{"a":9007199254740992}"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":"\/"}"#,
            r#"{"a":"\n"}"#,
            r#"{"A":1}"#,
            r#"{"":1}"#,
            r#"[1]"#,
            r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}"#,
            r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}"#,
            r#"{"a":[[[[[[[[]]]]]]]]}"#,
            "",
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(read(b"{\"a\":\"\xff\"}").is_err());
        for deepest in [r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}"#, r#"{"a":[[[[[[[]]]]]]]}"#] {
            assert!(read(deepest.as_bytes()).is_ok(), "{deepest}");
        }
    }

    proptest! {
        /// Bytes that are accepted are exactly the bytes that would be written.
        #[test]
        fn reading_never_changes_a_byte(text in "\\{(\"[ab_0]{1,2}\":(-?[0-9]{1,3}|true|\"[a炉\\\\\" ]{0,2}\"),?){0,3}\\}") {
            if let Ok(map) = read(text.as_bytes()) {
                let mut again = Vec::new();
                rewrite(&map, None, &mut again).unwrap();
                prop_assert_eq!(again, text.as_bytes());
            }
        }
    }
}
