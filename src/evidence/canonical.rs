//! Canonical bytes: one and only one way to write a record, and a reader that accepts no other.
//!
//! The profile is RFC 8785 (JCS) narrowed until nothing is left to interpret: one JSON object; member names
//! `[a-z0-9_]+` in ascending byte order, none twice; whole numbers of at most 2^53 - 1; text without control
//! characters; `true` and `false`; no null, no fraction, no white space. Absent means unknown.

use serde_json::{Map, Value};

use super::live;

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

/// A member of an object that is being written.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where its name stands, without the quotes.
    name: (usize, usize),
    /// Where its value ends.
    end: usize,
}

/// A reusable writer: after the first records it allocates nothing. Members are written where they stand for good as long
/// as they come in order; an object whose members did not is put in order when it is whole.
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
        Canonical { scratch: Vec::new(), pieces: Vec::with_capacity(256), refused: None }
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
        out.clear();
        self.scratch = std::mem::take(out);
        self.pieces.clear();
        self.refused = None;
        let mut object = Object::open(self);
        fill(&mut object);
        let signature_at = object.close();
        *out = std::mem::take(&mut self.scratch);
        if out.len() > MAX_RECORD_BYTES {
            self.refuse(Unwritable::TooLong);
        }
        if let Some(why) = self.refused {
            out.clear();
            return Err(why);
        }
        Ok(signature_at)
    }

    fn refuse(&mut self, why: Unwritable) {
        self.refused.get_or_insert(why);
    }

    fn text(&mut self, text: &str) {
        self.scratch.push(b'"');
        // Nearly all text is so plain that it stands as it is.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
            self.scratch.extend_from_slice(text.as_bytes());
        } else {
            self.escaped(text);
        }
        self.scratch.push(b'"');
    }

    fn escaped(&mut self, text: &str) {
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

    fn whole(&mut self, number: i64) {
        if !(-MAX_WHOLE..=MAX_WHOLE).contains(&number) {
            self.refuse(Unwritable::Number);
        }
        live::whole(number, &mut self.scratch);
    }

    fn flag(&mut self, flag: bool) {
        self.scratch.extend_from_slice(if flag { b"true" } else { b"false" });
    }

    fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        let mut object = Object::open(self);
        fill(&mut object);
        object.close();
    }

    fn list(&mut self, fill: impl FnOnce(&mut List<'_>)) {
        self.scratch.push(b'[');
        fill(&mut List { canonical: &mut *self, is_empty: true });
        self.scratch.push(b']');
    }

    /// The name of a member.
    fn name(&self, piece: &Piece) -> &[u8] {
        self.scratch.get(piece.name.0..piece.name.1).unwrap_or_default()
    }

    /// Puts the members from `base` on in order. Their object begins at `start` and ends the scratch.
    fn put_in_order(&mut self, start: usize, base: usize) {
        let mut pieces = std::mem::take(&mut self.pieces);
        let members = pieces.get_mut(base..).unwrap_or_default();
        members.sort_unstable_by(|a, b| self.name(a).cmp(self.name(b)));
        if members.iter().zip(members.iter().skip(1)).any(|(a, b)| self.name(a) == self.name(b)) {
            self.refuse(Unwritable::Twice);
        }
        // In order they are as long as before, so that they go back to where they came from.
        let end = self.scratch.len();
        for (place, piece) in members.iter_mut().enumerate() {
            self.scratch.push(if place == 0 { b'{' } else { b',' });
            let (quote, length) = (piece.name.0 - 1, piece.end + 1 - piece.name.0);
            let moved = start + self.scratch.len() - end + 1;
            self.scratch.extend_from_within(quote..quote + length);
            *piece = Piece { name: (moved, moved + piece.name.1 - piece.name.0), end: moved + length - 1 };
        }
        self.scratch.copy_within(end.., start);
        self.scratch.truncate(end);
        self.pieces = pieces;
    }
}

/// An object being written; members may be given in any order, and cost least in their own.
pub struct Object<'a> {
    canonical: &'a mut Canonical,
    start: usize,
    /// Its first piece.
    base: usize,
    is_in_order: bool,
}

impl<'a> Object<'a> {
    fn open(canonical: &'a mut Canonical) -> Object<'a> {
        let (start, base) = (canonical.scratch.len(), canonical.pieces.len());
        canonical.scratch.push(b'{');
        Object { canonical, start, base, is_in_order: true }
    }

    /// Ends it; returns the offset at which a member named `sig` would stand.
    fn close(self) -> usize {
        let Object { canonical, start, base, is_in_order } = self;
        if !is_in_order {
            canonical.put_in_order(start, base);
        }
        canonical.scratch.push(b'}');
        let members = canonical.pieces.get(base..).unwrap_or_default();
        let behind = members.iter().find(|piece| canonical.name(piece) >= b"sig".as_slice());
        let signature_at = behind.map_or(0, |piece| piece.name.0 - 1 - start);
        canonical.pieces.truncate(base);
        signature_at
    }

    fn member(&mut self, name: &str, value: impl FnOnce(&mut Canonical)) -> &mut Self {
        let name = self.begin(name);
        value(self.canonical);
        let end = self.canonical.scratch.len();
        self.canonical.pieces.push(Piece { name, end });
        self
    }

    /// Begins a member: tells where its name stands.
    fn begin(&mut self, name: &str) -> (usize, usize) {
        if name.is_empty() || !name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
            self.canonical.refuse(Unwritable::Member);
        }
        let last = self.canonical.pieces.get(self.base..).and_then(<[Piece]>::last);
        let is_first = last.is_none();
        self.is_in_order &= last.is_none_or(|last| self.canonical.name(last) < name.as_bytes());
        let scratch = &mut self.canonical.scratch;
        if !is_first {
            scratch.push(b',');
        }
        scratch.push(b'"');
        let begin = scratch.len();
        scratch.extend_from_slice(name.as_bytes());
        scratch.extend_from_slice(b"\":");
        (begin, begin + name.len())
    }

    /// A text member.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.member(name, |canonical| canonical.text(text))
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
        self.member(name, |canonical| canonical.whole(number))
    }

    /// A whole-number member that cannot be negative.
    pub fn count(&mut self, name: &str, number: u64) -> &mut Self {
        self.whole(name, i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// A member that is true or false.
    pub fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.member(name, |canonical| canonical.flag(flag))
    }

    /// Every member of a map, but those that are left out by name. One level less deep than a record may be, since
    /// such a map travels inside a record.
    pub fn members(&mut self, map: &Map<String, Value>, without: &[&str]) -> &mut Self {
        for (name, value) in map.iter().filter(|(name, _)| !without.contains(&name.as_str())) {
            self.member(name, |canonical| write_value(canonical, value, 2));
        }
        self
    }

    /// A nested object.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.member(name, |canonical| canonical.object(fill))
    }

    /// A nested list.
    pub fn list(&mut self, name: &str, fill: impl FnOnce(&mut List<'_>)) -> &mut Self {
        self.member(name, |canonical| canonical.list(fill))
    }
}

/// A list being written, in the order its items are given.
pub struct List<'a> {
    canonical: &'a mut Canonical,
    is_empty: bool,
}

impl List<'_> {
    /// An object as the next item.
    pub fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        self.item(|canonical| canonical.object(fill));
    }

    fn item(&mut self, value: impl FnOnce(&mut Canonical)) {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.canonical.scratch.push(b',');
        }
        value(self.canonical);
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
        object.member(name, |canonical| write_value(canonical, value, depth));
    }
}

fn write_value(canonical: &mut Canonical, value: &Value, depth: usize) {
    match value {
        // An object or a list is a level of its own, be it empty.
        Value::Object(_) | Value::Array(_) if depth >= MAX_DEPTH => canonical.refuse(Unwritable::TooDeep),
        Value::String(text) => canonical.text(text),
        Value::Bool(flag) => canonical.flag(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => canonical.whole(number),
            None => canonical.refuse(Unwritable::Kind),
        },
        Value::Object(map) => canonical.object(|object| fill_object(object, map, None, depth + 1)),
        Value::Array(items) => canonical.list(|list| {
            for item in items {
                list.item(|canonical| write_value(canonical, item, depth + 1));
            }
        }),
        Value::Null => canonical.refuse(Unwritable::Kind),
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
    fn the_place_of_a_signature_is_found_in_whatever_order_members_come() {
        let mut out = Vec::new();
        for names in [["a", "b", "t", "u"], ["u", "b", "t", "a"], ["t", "u", "a", "b"]] {
            let at =
                Canonical::default().write(&mut out, |o| names.iter().for_each(|name| _ = o.whole(name, 1)));
            assert_eq!(out, br#"{"a":1,"b":1,"t":1,"u":1}"#);
            assert_eq!(&out[at.unwrap()..], br#""t":1,"u":1}"#);
        }
        let at = Canonical::default().write(&mut out, |o| _ = o.whole("t", 1));
        assert_eq!(at, Ok(1));
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
        /// Whatever the order, the bytes are those of the members in their own.
        #[test]
        fn any_order_writes_the_same_bytes(members in proptest::collection::btree_map("[a-z_]{1,3}", 0_i64..99, 1..9), turn in 0_usize..9) {
            let write = |names: Vec<(&String, &i64)>| written(|o| {
                for (name, value) in &names {
                    o.object(name, |o| _ = o.whole("b", **value).whole("a", 0));
                }
            });
            let mut turned: Vec<_> = members.iter().collect();
            turned.rotate_left(turn % members.len());
            prop_assert_eq!(write(turned.iter().rev().copied().collect()), write(members.iter().collect()));
            prop_assert_eq!(write(turned), write(members.iter().collect()));
        }

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
