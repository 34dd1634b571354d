//! A JSON document as [`Node`]s: every value with its place, numbers as they were written, no member twice.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Decimal,
    flaw::{Flaw, Place, Wrong},
    form::{Node, Value},
};

/// Deepest nesting of lists and objects.
pub const MAX_DEPTH: usize = 64;

/// Reads one JSON document. Beside RFC 8259 the numbers `NaN`, `Infinity` and `-Infinity` are understood, so that
/// whoever reads the value can refuse them for what they are.
///
/// # Errors
/// The first mistake of the syntax, or a member that stands twice, with its place.
pub fn parse(file: &str, text: &str) -> Result<Node, Flaw> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { file: file.into(), rest: text, line: 1, column: 1 };
    let node = reader.node(0)?;
    reader.skip_space();
    if reader.rest.is_empty() {
        Ok(node)
    } else {
        Err(reader.wrong("more text after the end of the document", "one value in square brackets or braces"))
    }
}

struct Reader<'a> {
    file: Arc<str>,
    rest: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Reader<'a> {
    fn node(&mut self, depth: usize) -> Result<Node, Flaw> {
        self.skip_space();
        let place = self.place();
        let value = match self.rest.bytes().next() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                return Err(self.wrong("nested too deeply", &format!("at most {MAX_DEPTH} levels are read")));
            }
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.text()?),
            Some(_) => self.word()?,
            None => return Err(self.wrong("the document ends here", "a value is expected")),
        };
        Ok(Node { place, value })
    }

    fn object(&mut self, depth: usize) -> Result<Value, Flaw> {
        self.take(1);
        let mut members = BTreeMap::new();
        if self.is_next('}') {
            return Ok(Value::Table(members));
        }
        loop {
            self.skip_space();
            let place = self.place();
            if !self.rest.starts_with('"') {
                return Err(self.wrong("no member name here", "a name in double quotes is expected"));
            }
            let name = self.text()?;
            if !self.is_next(':') {
                return Err(self.wrong("no colon after a member name", "write `\"name\": value`"));
            }
            let value = self.node(depth + 1)?.value;
            if members.contains_key(&name) {
                let what = Wrong::new(format!("`{name}` stands twice"), "keep one of the two");
                return Err(Flaw { place, what });
            }
            members.insert(name, Node { place, value });
            if self.is_next('}') {
                return Ok(Value::Table(members));
            }
            self.comma("}")?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Flaw> {
        self.take(1);
        let mut items = Vec::new();
        if self.is_next(']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.node(depth + 1)?);
            if self.is_next(']') {
                return Ok(Value::List(items));
            }
            self.comma("]")?;
        }
    }

    fn comma(&mut self, end: &str) -> Result<(), Flaw> {
        if self.is_next(',') {
            return Ok(());
        }
        Err(self.wrong("something else than a comma here", &format!("`,` or `{end}` is expected")))
    }

    fn text(&mut self) -> Result<String, Flaw> {
        self.take(1);
        let mut text = String::new();
        loop {
            let plain = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(self.rest.len());
            text.push_str(self.take(plain));
            match self.rest.bytes().next() {
                Some(b'"') => {
                    self.take(1);
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escaped()?),
                Some(_) => {
                    return Err(self.wrong("a control character in a text", "write it as an escape"));
                }
                None => return Err(self.wrong("the document ends inside a text", "close it with `\"`")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Flaw> {
        let letter = self.rest.get(1..2).unwrap_or("");
        let plain = match letter {
            "\"" | "\\" | "/" => letter.chars().next(),
            "b" => Some('\u{8}'),
            "f" => Some('\u{c}'),
            "n" => Some('\n'),
            "r" => Some('\r'),
            "t" => Some('\t'),
            _ => None,
        };
        if let Some(plain) = plain {
            self.take(2);
            return Ok(plain);
        }
        let unit = |from: usize| {
            let digits = self.rest.get(from..from + 6)?.strip_prefix("\\u")?;
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
        };
        let units: Vec<u16> = [unit(0), unit(6)].into_iter().map_while(|unit| unit).collect();
        match char::decode_utf16(units).next() {
            Some(Ok(c)) => {
                self.take(6 * c.len_utf16());
                Ok(c)
            }
            Some(Err(_)) | None => Err(self.wrong("an escape that means no character", "see RFC 8259, 7")),
        }
    }

    /// `true`, `false`, `null` or a number.
    fn word(&mut self) -> Result<Value, Flaw> {
        let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let word = self.rest.get(..self.rest.find(ends).unwrap_or(self.rest.len())).unwrap_or("");
        let value = match word {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            "null" => Value::Null,
            "NaN" | "Infinity" | "-Infinity" => Value::Vast(word.to_owned()),
            number if is_number(number) => number.parse().map(Value::Integer).unwrap_or_else(|_| {
                Decimal::parse(number).map_or_else(|| Value::Vast(number.to_owned()), Value::Decimal)
            }),
            _ => {
                return Err(self.wrong("no value here", "text in double quotes, a number, true, false, null"));
            }
        };
        self.take(word.len());
        Ok(value)
    }

    fn is_next(&mut self, wanted: char) -> bool {
        self.skip_space();
        let is = self.rest.starts_with(wanted);
        if is {
            self.take(1);
        }
        is
    }

    fn skip_space(&mut self) {
        let space = |c: char| !matches!(c, ' ' | '\t' | '\n' | '\r');
        self.take(self.rest.find(space).unwrap_or(self.rest.len()));
    }

    /// Goes on by some bytes, which end where a character ends.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for c in taken.chars() {
            (self.line, self.column) = if c == '\n' {
                (self.line.saturating_add(1), 1)
            } else {
                (self.line, self.column.saturating_add(1))
            };
        }
        self.rest = rest;
        taken
    }

    fn place(&self) -> Place {
        Place { file: self.file.clone(), line: self.line, column: self.column }
    }

    fn wrong(&self, wrong: &str, right: &str) -> Flaw {
        Flaw { place: self.place(), what: Wrong::new(wrong, right) }
    }
}

/// Whether a word is a number as RFC 8259 writes them.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (number, power) = match unsigned.split_once(['e', 'E']) {
        Some((number, power)) => (number, Some(power.strip_prefix(['+', '-']).unwrap_or(power))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && power.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        parse("a.json", text).unwrap().value
    }

    #[test]
    fn values_are_read_as_they_were_written() {
        assert_eq!(value(" -12 "), Value::Integer(-12));
        assert_eq!(value("4.30"), Value::Decimal(Decimal { mantissa: 43, exponent: -1 }));
        assert_eq!(value("123456789012345678901"), Value::Vast("123456789012345678901".into()));
        assert_eq!(value("1e400"), Value::Vast("1e400".into()));
        assert_eq!(value("NaN"), Value::Vast("NaN".into()));
        assert_eq!(value("null"), Value::Null);
        assert_eq!(value(r#""炉\u7089\ud83d\ude00\n\/""#), Value::Text("炉炉😀\n/".into()));
        assert_eq!(value("[]"), Value::List(vec![]));
        assert_eq!(value("{ }"), Value::Table(BTreeMap::new()));
    }

    #[test]
    fn every_value_knows_its_place() {
        let node = parse("a.json", "[\n  {\"炉\": 1, \"x\":\n 2}]").unwrap();
        let Value::List(items) = node.value else { panic!() };
        let Value::Table(members) = &items[0].value else { panic!() };
        assert_eq!(items[0].place.to_string(), "a.json:2:3");
        assert_eq!(members["x"].place.to_string(), "a.json:2:12");
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, place) in [
            ("", "1:1"),
            ("{", "1:2"),
            ("[1,]", "1:4"),
            ("[1 2]", "1:4"),
            ("{\"a\" 1}", "1:6"),
            ("{a:1}", "1:2"),
            ("{\"a\":1,\n\"a\":1}", "2:1"),
            ("01", "1:1"),
            ("1.", "1:1"),
            (".5", "1:1"),
            ("1e", "1:1"),
            ("+1", "1:1"),
            ("--1", "1:1"),
            ("nul", "1:1"),
            ("\"a", "1:3"),
            ("\"\\x\"", "1:2"),
            ("\"\\ud800\"", "1:2"),
            ("\"\\u+12a\"", "1:2"),
            ("\"\u{1}\"", "1:2"),
            ("1 1", "1:3"),
        ] {
            let flaw = parse("a.json", text).unwrap_err();
            assert_eq!(format!("{}:{}", flaw.place.line, flaw.place.column), place, "{text}: {flaw}");
        }
        assert!(parse("a", &"[".repeat(100_000)).is_err());
        let deepest = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(parse("a", &deepest).is_ok());
        assert!(parse("a", &format!("[{deepest}]")).is_err());
    }
}
