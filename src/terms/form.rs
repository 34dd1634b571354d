//! A TOML document read member by member, every mistake collected with its place, unknown members included.

mod value;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub use self::value::Value;
use super::{
    Decimal, LegalDay, Name, Ratio,
    flaw::{Flaw, Flaws, Lines, Place, Wrong},
};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value, or for a member its key, begins.
    pub place: Place,
    /// What stands there.
    pub value: Value,
}

impl Node {
    /// Reads a TOML document.
    ///
    /// # Errors
    /// Every syntax mistake the parser could recover from, each with its place.
    pub fn parse(file: &str, text: &str) -> Result<Node, Vec<Flaw>> {
        let file: Arc<str> = file.into();
        let (table, errors) = DeTable::parse_recoverable(text);
        let flaws = Flaws::default();
        for error in errors {
            let span = error.span().unwrap_or_default();
            let place = Place::in_text(&file, text, span.start);
            let message = error.message().trim().replace('\n', "; ");
            let what = twice(text, span, &message);
            flaws.add(place, what.unwrap_or_else(|| Wrong::new(message, "correct the TOML syntax here")));
        }
        let lines = Lines::of(&file, text);
        let node = Node { place: lines.place(0), value: table_value(&lines, table.get_ref(), &flaws) };
        if flaws.is_empty() { Ok(node) } else { Err(flaws.into_sorted()) }
    }

    /// The member a path of keys and list positions leads to.
    pub fn at(&self, path: &[Step]) -> Option<&Node> {
        let Some((step, rest)) = path.split_first() else { return Some(self) };
        match (step, &self.value) {
            (Step::Key(key), Value::Table(members)) => members.get(key)?.at(rest),
            (Step::Index(index), Value::List(items)) => items.get(*index)?.at(rest),
            (
                Step::Key(_) | Step::Index(_),
                Value::Text(_)
                | Value::Plain(_)
                | Value::Integer(_)
                | Value::Decimal(_)
                | Value::Vast(_)
                | Value::Null
                | Value::Flag(_)
                | Value::List(_)
                | Value::Table(_),
            ) => None,
        }
    }
}

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of a table.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

/// A key that stands twice in one table, with the line it stands in first.
fn twice(text: &str, span: Range<usize>, message: &str) -> Option<Wrong> {
    let key = text.get(span.clone()).filter(|_| message == "duplicate key")?;
    let before = text.get(..span.start)?;
    let assigns = |line: &&str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let of_table = before.lines().rev().take_while(|line| !line.trim_start().starts_with('['));
    let up = of_table.enumerate().filter(|(_, line)| assigns(line)).map(|(up, _)| up).last();
    let first = up.and_then(|up| before.lines().count().checked_sub(up));
    let wrong = first.map_or_else(
        || format!("`{key}` stands here twice"),
        |line| format!("`{key}` stands in line {line} already"),
    );
    Some(Wrong::new(wrong, "leave one of the two"))
}

fn table_value(lines: &Lines<'_>, table: &DeTable<'_>, flaws: &Flaws) -> Value {
    let member = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let place = lines.place(key.span().start);
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        let read = value_of(lines, value, flaws);
        (key.to_string(), Node { place, value: read })
    };
    Value::Table(table.iter().map(member).collect())
}

fn value_of(lines: &Lines<'_>, value: &Spanned<DeValue<'_>>, flaws: &Flaws) -> Value {
    let place = || lines.place(value.span().start);
    let too_large = |kind: &str| {
        flaws.add(place(), Wrong::new(format!("{kind} is out of range"), "use at most 18 digits"));
        Value::Integer(0)
    };
    match value.get_ref() {
        DeValue::String(s) => Value::Text(s.to_string()),
        DeValue::Datetime(at) => Value::Text(at.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Value::Integer(n),
            Err(_) => too_large("number"),
        },
        DeValue::Float(f) => match Decimal::parse(f.as_str()) {
            Some(decimal) => Value::Decimal(decimal),
            None => too_large("decimal"),
        },
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node {
                    place: lines.place(item.span().start),
                    value: value_of(lines, item, flaws),
                })
                .collect(),
        ),
        DeValue::Table(table) => table_value(lines, table, flaws),
    }
}

/// A table being read: every member is asked for by name, and [`Form::close`] reports those nobody asked for.
pub struct Form<'a> {
    place: &'a Place,
    members: &'a BTreeMap<String, Node>,
    asked: RefCell<Vec<&'static str>>,
    flaws: &'a Flaws,
}

/// How one kind of value is read; see the functions of this file.
pub type Reading<T> = Result<T, Wrong>;

impl<'a> Form<'a> {
    /// Begins to read a table; `None`, with a flaw, when the node is no table.
    pub fn of(node: &'a Node, flaws: &'a Flaws) -> Option<Form<'a>> {
        if let Value::Table(members) = &node.value {
            Some(Form { place: &node.place, members, asked: RefCell::default(), flaws })
        } else {
            flaws.add(
                node.place.clone(),
                Wrong::new(format!("{} here", node.value.kind()), "a table is expected"),
            );
            None
        }
    }

    /// A member that may be left out. `None` also when it was wrong, which is then a flaw.
    pub fn optional<T>(&self, key: &'static str, read: impl Fn(&Value) -> Reading<T>) -> Option<T> {
        self.read(key, self.member(key)?, read)
    }

    /// A member that must be there.
    pub fn required<T>(&self, key: &'static str, read: impl Fn(&Value) -> Reading<T>) -> Option<T> {
        match self.member(key) {
            Some(node) => self.read(key, node, read),
            None => {
                self.lacks(key, format!("`{key}` is missing"), format!("add `{key} = ...`"));
                None
            }
        }
    }

    /// A nested table that may be left out.
    pub fn table(&self, key: &'static str) -> Option<Form<'a>> {
        Form::of(self.member(key)?, self.flaws)
    }

    /// A nested table that must be there.
    pub fn required_table(&self, key: &'static str) -> Option<Form<'a>> {
        if self.members.contains_key(key) {
            return self.table(key);
        }
        self.asked.borrow_mut().push(key);
        self.lacks(key, format!("table `{key}` is missing"), format!("add `[{key}]`"));
        None
    }

    /// The tables of `[[key]]`; empty when there are none.
    pub fn tables(&self, key: &'static str) -> Vec<Form<'a>> {
        let Some(node) = self.member(key) else { return Vec::new() };
        if let Value::List(items) = &node.value {
            return items.iter().filter_map(|item| Form::of(item, self.flaws)).collect();
        }
        self.wrong(
            &node.place,
            format!("`{key}` is {}", node.value.kind()),
            format!("write it as `[[{key}]]`"),
        );
        Vec::new()
    }

    /// The items of a list; empty when it is not there.
    pub fn nodes(&self, key: &'static str) -> &'a [Node] {
        let Some(node) = self.member(key) else { return &[] };
        if let Value::List(items) = &node.value {
            return items;
        }
        self.wrong(
            &node.place,
            format!("`{key}` is {}", node.value.kind()),
            "a list in [ ] is expected".into(),
        );
        &[]
    }

    /// A nested table whose keys are free, as key, place and node.
    pub fn entries(&self, key: &'static str) -> Vec<(&'a str, &'a Node)> {
        let Some(node) = self.member(key) else { return Vec::new() };
        if let Value::Table(members) = &node.value {
            return members.iter().map(|(key, node)| (key.as_str(), node)).collect();
        }
        self.wrong(&node.place, format!("`{key}` is {}", node.value.kind()), "a table is expected".into());
        Vec::new()
    }

    /// A member looked at beforehand: who reads it tells what is wrong with it.
    pub fn peek<T>(&self, key: &str, read: impl Fn(&Value) -> Reading<T>) -> Option<T> {
        read(&self.members.get(key)?.value).ok()
    }

    /// Whether a member is there.
    pub fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    /// A member that another room reads, or that only people read.
    pub fn pass(&self, key: &'static str) {
        self.asked.borrow_mut().push(key);
    }

    /// Where the table, or one of its members, stands.
    pub fn place(&self, key: &str) -> &'a Place {
        self.members.get(key).map_or(self.place, |node| &node.place)
    }

    /// Notes a mistake at a member, or at the table if the member is absent.
    pub fn flaw(&self, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.flaws.add(self.place(key).clone(), Wrong::new(wrong, right));
    }

    /// As [`Form::flaw`], of something that is not there: not told while a part of the document could not be read.
    pub fn lacks(&self, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.flaws.lacks(self.place(key).clone(), Wrong::new(wrong, right));
    }

    /// Where this form's mistakes are collected.
    pub fn flaws(&self) -> &'a Flaws {
        self.flaws
    }

    /// Reports every member nobody asked for.
    pub fn close(self) {
        let asked = self.asked.into_inner();
        for (key, node) in self.members.iter().filter(|(key, _)| !asked.contains(&key.as_str())) {
            let right = match asked.iter().min_by_key(|known| distance(known, key)) {
                Some(near) if distance(near, key) <= 2 => format!("did you mean `{near}`?"),
                Some(_) | None => format!("known here: {}", asked.join(", ")),
            };
            self.flaws.add(node.place.clone(), Wrong::new(format!("unknown key `{key}`"), right));
        }
    }

    fn member(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key);
        self.members.get(key)
    }

    fn read<T>(&self, key: &str, node: &Node, read: impl Fn(&Value) -> Reading<T>) -> Option<T> {
        read(&node.value).map_err(|w| self.wrong(&node.place, format!("`{key}` {}", w.wrong), w.right)).ok()
    }

    fn wrong(&self, place: &Place, wrong: String, right: String) {
        self.flaws.add(place.clone(), Wrong { wrong, right });
    }
}

/// Any text that is not empty.
///
/// # Errors
/// Not text, or empty.
pub fn text(value: &Value) -> Reading<String> {
    match as_text(value)? {
        "" => Err(Wrong::new("is empty", "write some text")),
        text => Ok(text.to_owned()),
    }
}

/// Some text on one line, as a screen shows it.
///
/// # Errors
/// It is empty, or has a control character in it, which would move a cursor or forge a line.
pub fn line(value: &Value) -> Reading<String> {
    let text = text(value)?;
    match text.chars().find(|letter| letter.is_control()) {
        None => Ok(text),
        Some(letter) => {
            let wrong = format!("has the control character U+{:04X}", u32::from(letter));
            Err(Wrong::new(wrong, "write letters and digits on one line"))
        }
    }
}

/// An identifier.
///
/// # Errors
/// Not 1 to 24 of `[a-z0-9_-]`.
pub fn name(value: &Value) -> Reading<Name> {
    parsed(value, Name::new, "1 to 24 of a-z, 0-9, _ and - are expected")
}

/// A lawful day, quoted or as a TOML date.
///
/// # Errors
/// Not `YYYY-MM-DD`.
pub fn day(value: &Value) -> Reading<LegalDay> {
    parsed(value, LegalDay::parse, "a day like 2026-12-31 is expected")
}

/// A transformer ratio.
///
/// # Errors
/// Not like `3000/5`, or a zero in it.
pub fn ratio(value: &Value) -> Reading<Ratio> {
    parsed(value, Ratio::parse, "a ratio like \"3000/5\" is expected, neither side 0")
}

/// Text read by a function of another room.
///
/// # Errors
/// Not text, or not what `right` describes.
pub fn parsed<T>(value: &Value, read: impl Fn(&str) -> Option<T>, right: &str) -> Reading<T> {
    let text = as_text(value)?;
    read(text).ok_or_else(|| Wrong::new(format!("is \"{text}\""), right))
}

/// A whole number within bounds.
///
/// # Errors
/// The value is not a whole number, or lies outside `bounds`.
pub fn whole(bounds: RangeInclusive<i64>) -> impl Fn(&Value) -> Reading<i64> {
    let within = move |n: i64| {
        if bounds.contains(&n) {
            return Ok(n);
        }
        Err(Wrong::new(format!("is {n}"), format!("{} to {} is allowed", bounds.start(), bounds.end())))
    };
    move |value| match value {
        Value::Integer(n) => within(*n),
        Value::Plain(text) => match text.replace('_', "").parse() {
            Ok(n) => within(n),
            Err(_) => Err(Wrong::new(format!("is \"{text}\""), "a whole number is expected")),
        },
        Value::Text(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::List(_)
        | Value::Table(_) => Err(Wrong::new(format!("is {}", value.kind()), "a whole number is expected")),
    }
}

/// A whole number that fits the wanted type.
///
/// # Errors
/// As [`whole`], with the type's own bounds.
pub fn fitting<T: TryFrom<i64>>(bounds: RangeInclusive<i64>) -> impl Fn(&Value) -> Reading<T> {
    let read = whole(bounds);
    move |value| {
        let n = read(value)?;
        T::try_from(n).map_err(|_| Wrong::new(format!("is {n}"), "a smaller number is expected"))
    }
}

/// An exact number, whole or decimal.
///
/// # Errors
/// The value is no number.
pub fn decimal(value: &Value) -> Reading<Decimal> {
    match value {
        Value::Integer(n) => Ok(Decimal { mantissa: *n, exponent: 0 }),
        Value::Decimal(d) => Ok(*d),
        Value::Plain(text) => {
            Decimal::parse(text).ok_or_else(|| Wrong::new(format!("is \"{text}\""), "a number is expected"))
        }
        Value::Text(_) | Value::Vast(_) | Value::Null | Value::Flag(_) | Value::List(_) | Value::Table(_) => {
            Err(Wrong::new(format!("is {}", value.kind()), "a number is expected"))
        }
    }
}

/// One of a few words.
///
/// # Errors
/// Not text, or none of the words.
pub fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Value) -> Reading<T> {
    move |value| {
        let text = as_text(value)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Wrong::new(format!("is \"{text}\""), format!("one of {} is expected", known.join(", ")))
        })
    }
}

/// `true` or `false`.
///
/// # Errors
/// Neither of the two.
pub fn flag(value: &Value) -> Reading<bool> {
    match value {
        Value::Flag(flag) => Ok(*flag),
        Value::Plain(text) => {
            text.parse().map_err(|_| Wrong::new(format!("is \"{text}\""), "true or false is expected"))
        }
        Value::Text(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::List(_)
        | Value::Table(_) => Err(Wrong::new(format!("is {}", value.kind()), "true or false is expected")),
    }
}

/// A list, each item read the same way. Where it is plain text its items stand between commas.
///
/// # Errors
/// Not a list, or the first item that is wrong.
pub fn list<T>(read: impl Fn(&Value) -> Reading<T>) -> impl Fn(&Value) -> Reading<Vec<T>> {
    move |value| match value {
        Value::List(items) => items.iter().map(|item| read(&item.value)).collect(),
        Value::Plain(text) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| read(&Value::Plain(item.to_owned()))).collect()
        }
        Value::Text(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::Table(_) => Err(Wrong::new(format!("is {}", value.kind()), "a list in [ ] is expected")),
    }
}

fn as_text(value: &Value) -> Reading<&str> {
    match value {
        Value::Text(text) | Value::Plain(text) => Ok(text),
        Value::Integer(_)
        | Value::Decimal(_)
        | Value::Vast(_)
        | Value::Null
        | Value::Flag(_)
        | Value::List(_)
        | Value::Table(_) => Err(Wrong::new(format!("is {}", value.kind()), "text in quotes is expected")),
    }
}

/// Edits between two words, for suggestions.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut above_left = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let best = (above_left + usize::from(x != y)).min(left + 1).min(*cell + 1);
            above_left = *cell;
            *cell = best;
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_found_in_one_reading_with_its_place() {
        let doc = Node::parse("a.toml", "id = \"Bad Name\"\npoll_ms = 5\n\n[[x]]\nextra = 1\nrest_w = 1\n")
            .unwrap();
        let flaws = Flaws::default();
        let form = Form::of(&doc, &flaws).unwrap();
        assert_eq!(form.required("id", name), None);
        assert_eq!(form.required("poll_ms", whole(100..=1000)), None);
        assert_eq!(form.required("day", day), None);
        for x in form.tables("x") {
            assert_eq!(x.optional("best_w", decimal), None);
            x.close();
        }
        form.close();
        let all: Vec<String> = flaws.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(
            all,
            [
                "a.toml:1:1: `day` is missing, add `day = ...`",
                "a.toml:1:1: `id` is \"Bad Name\", 1 to 24 of a-z, 0-9, _ and - are expected",
                "a.toml:2:1: `poll_ms` is 5, 100 to 1000 is allowed",
                "a.toml:5:1: unknown key `extra`, known here: best_w",
                "a.toml:6:1: unknown key `rest_w`, did you mean `best_w`?",
            ]
        );
    }

    #[test]
    fn syntax_mistakes_are_reported_together() {
        let flaws = Node::parse("a.toml", "a = \nb = 2\nc = [1,\n").unwrap_err();
        assert!(flaws.len() >= 2, "{flaws:?}");
        assert_eq!(flaws.first().unwrap().place.line, 1);
    }

    #[test]
    fn a_key_that_stands_twice_is_named_with_the_line_it_stands_in_first() {
        let flaws = Node::parse("a.toml", "[x]\nunit = 9\n[y]\nunit = 1\n\nb = 2\n  unit = 3\n").unwrap_err();
        let told: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a.toml:7:3: `unit` stands in line 4 already, leave one of the two"]);
        let flaws = Node::parse("a.toml", "[x]\na = 1\n[x]\nb = 1\n").unwrap_err();
        let told: Vec<String> = flaws.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a.toml:3:2: `x` stands here twice, leave one of the two"]);
    }

    #[test]
    fn what_a_part_lacks_is_not_told() {
        let doc = Node::parse("a.toml", "id = 5\n").unwrap();
        let flaws = Flaws::of_part();
        let form = Form::of(&doc, &flaws).unwrap();
        assert_eq!((form.required("day", day), form.required("id", name)), (None, None));
        assert!(form.required_table("x").is_none());
        let told: Vec<String> = flaws.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a.toml:1:1: `id` is a whole number, text in quotes is expected"]);
    }

    #[test]
    fn numbers_are_exact_and_dates_are_text() {
        let doc = Node::parse("a", "a = 0.01\nb = 0x10\nc = 2026-12-31\nd = { e = [1, 2] }").unwrap();
        assert_eq!(
            doc.at(&[Step::Key("a".into())]).unwrap().value,
            Value::Decimal(Decimal { mantissa: 1, exponent: -2 })
        );
        assert_eq!(doc.at(&[Step::Key("b".into())]).unwrap().value, Value::Integer(16));
        assert_eq!(doc.at(&[Step::Key("c".into())]).unwrap().value, Value::Text("2026-12-31".into()));
        let deep = [Step::Key("d".into()), Step::Key("e".into()), Step::Index(1)];
        assert_eq!(doc.at(&deep).unwrap().value, Value::Integer(2));
    }
}
