//! `[[identify]]` and `[about]` of a profile file.

use super::{
    About, Chain, Fact, Kind, MAX_TEXT_WORDS, Said, Shape, Spot, Test, Wanted, WordOrder,
    read::{self, Defaults},
};
use crate::terms::form::{self, Form, Value};

/// The type words of identities. Floats are not among them: whoever he is, a meter says it in whole numbers or text.
#[derive(Clone, Copy)]
enum ShapeWord {
    Number(Kind),
    Text,
    Hex,
}

const SHAPES: &[(&str, ShapeWord)] = &[
    ("u16", ShapeWord::Number(Kind::U16)),
    ("i16", ShapeWord::Number(Kind::I16)),
    ("u32", ShapeWord::Number(Kind::U32)),
    ("i32", ShapeWord::Number(Kind::I32)),
    ("u64", ShapeWord::Number(Kind::U64)),
    ("i64", ShapeWord::Number(Kind::I64)),
    ("str", ShapeWord::Text),
    ("hex", ShapeWord::Hex),
];

pub(super) fn tests(form: &Form<'_>, defaults: &Defaults) -> (Vec<Test>, Option<Chain>) {
    let mut tests = Vec::new();
    let mut chains = Vec::new();
    for table in form.tables("identify") {
        if table.place("chain") == table.place("") {
            tests.extend(test(&table, defaults));
        } else {
            chains.extend(chain(&table, defaults));
        }
        table.close();
    }
    let chain = chains.pop();
    if chain.is_some() && !(tests.is_empty() && chains.is_empty()) {
        form.flaw("identify", "a chain is followed alone", "keep the one [[identify]] with `chain`");
    }
    (tests, chain)
}

pub(super) fn about(form: &Form<'_>, defaults: &Defaults, has_chain: bool) -> Vec<About> {
    let read_one = |(key, node): (&str, &form::Node)| {
        let table = Form::of(node, form.flaws())?;
        let fact = Fact::from_word(key);
        if fact.is_none() {
            let known: Vec<&str> = Fact::ALL.iter().map(|fact| fact.word()).collect();
            table.flaw(
                "",
                format!("`{key}` is nothing a meter says of itself"),
                format!("one of {}", known.join(", ")),
            );
        }
        let model = table.optional("model", form::fitting(1..=65_534));
        if model.is_some() != has_chain {
            let right = "give `model` in maps with a chain, and in no others";
            table.flaw("model", "`model` names the SunSpec model that `at` counts from", right);
        }
        let spot = spot(&table, defaults);
        let expect = table.optional("expect", told);
        if let Some((spot, expect)) = spot.zip(expect.as_ref()) {
            suits(&table, "expect", spot.shape, expect);
        }
        read::known_sources(&table, defaults);
        table.close();
        Some(About { fact: fact?, spot: Spot { model, ..spot? }, expect })
    };
    form.entries("about").into_iter().filter_map(read_one).collect()
}

fn chain(table: &Form<'_>, defaults: &Defaults) -> Option<Chain> {
    table.optional("chain", form::one_of(&[("sunspec", ())]));
    let function = table.optional("fc", read::function).unwrap_or(defaults.function);
    let bases = table.required("bases", form::list(form::fitting(0..=65_533)));
    if bases.as_ref().is_some_and(Vec::is_empty) {
        table.flaw("bases", "no base address is named", "write `bases = [40000, 50000, 0]`");
    }
    let model = table.required("model", form::fitting(2..=65_534));
    Some(Chain { function, bases: bases?, model: model? })
}

fn test(table: &Form<'_>, defaults: &Defaults) -> Option<Test> {
    let spot = spot(table, defaults);
    let equals = table.optional("equals", told).map(Wanted::Equals);
    let one_of = table.optional("in", form::list(told)).map(Wanted::OneOf);
    let prefix = table.optional("prefix", form::text).map(Wanted::Prefix);
    let mut wanted: Vec<Wanted> = [equals, one_of, prefix].into_iter().flatten().collect();
    if wanted.len() != 1 {
        table.flaw("", "a test wants exactly one thing", "give one of `equals`, `in` or `prefix`");
    }
    let (spot, wanted) = (spot?, wanted.pop()?);
    match &wanted {
        Wanted::Equals(told) => suits(table, "equals", spot.shape, told),
        Wanted::OneOf(all) => all.iter().for_each(|told| suits(table, "in", spot.shape, told)),
        Wanted::Prefix(prefix) => suits(table, "prefix", spot.shape, &Said::Text(prefix.clone())),
    }
    Some(Test { spot, wanted })
}

fn spot(table: &Form<'_>, defaults: &Defaults) -> Option<Spot> {
    let function = table.optional("fc", read::function).unwrap_or(defaults.function);
    let at: Option<u16> = table.required("at", form::fitting(0..=0xFFFF));
    let word = table.required("type", form::one_of(SHAPES));
    let order = table.optional("order", read::order).unwrap_or(WordOrder::Big);
    let words: Option<u16> = table.optional("len", form::fitting(1..=i64::from(MAX_TEXT_WORDS)));
    let shape = match (word?, words) {
        (ShapeWord::Number(kind), None) => Shape::Number { kind, order },
        (ShapeWord::Text, Some(words)) => Shape::Text { words },
        (ShapeWord::Hex, Some(words)) => Shape::Hex { words },
        (ShapeWord::Number(_), Some(_)) => {
            table.flaw("len", "a number has the length of its type", "drop `len`");
            return None;
        }
        (ShapeWord::Text | ShapeWord::Hex, None) => {
            table.flaw("type", "text and hex need a length", "add `len = ...` in registers");
            return None;
        }
    };
    let at = at?;
    if u32::from(at) + u32::from(shape.words()) > 0x1_0000 {
        table.flaw("at", "the value runs past register 65535", "check the address");
    }
    Some(Spot { model: None, function, at, shape })
}

fn told(value: &Value) -> form::Reading<Said> {
    if let Value::Integer(number) = value {
        return Ok(Said::Number(*number));
    }
    form::text(value).map(Said::Text)
}

/// Notes what can never be read from a cell of this shape.
fn suits(table: &Form<'_>, key: &str, shape: Shape, told: &Said) {
    let right = match (shape, told) {
        (Shape::Number { .. }, Said::Number(_)) => None,
        (Shape::Number { .. }, Said::Text(_)) => Some("a number is expected of a number".to_owned()),
        (Shape::Text { words } | Shape::Hex { words }, Said::Number(_)) => {
            Some(format!("text of at most {words} registers is expected"))
        }
        (Shape::Text { words }, Said::Text(text)) => (text.len() > usize::from(words) * 2)
            .then(|| format!("at most {} characters fit {words} registers", u32::from(words) * 2)),
        (Shape::Hex { words }, Said::Text(text)) => {
            let good = text.len() == usize::from(words) * 4 && text.chars().all(|c| c.is_ascii_hexdigit());
            (!good).then(|| format!("{} hexadecimal digits are expected", u32::from(words) * 4))
        }
    };
    if let Some(right) = right {
        table.flaw(key, format!("`{told}` can never stand there"), right);
    }
}
