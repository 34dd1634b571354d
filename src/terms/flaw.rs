//! One mistake in a file, with its place and its cure; every parser of the house reports these, all at once.

use std::{cell::RefCell, fmt, sync::Arc};

/// Where something was written. Line and column count from 1; both are 0 where a source has no lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// File name, or the name of an environment variable.
    pub file: Arc<str>,
    /// Line, from 1; 0 when the source has none.
    pub line: u32,
    /// Column in characters, from 1; 0 when the source has none.
    pub column: u32,
}

impl Place {
    /// The place of a byte offset in a file's text.
    pub fn in_text(file: &Arc<str>, text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            file: file.clone(),
            line: count(before.matches('\n').count() + 1),
            column: count(before.get(line_start..).unwrap_or("").chars().count() + 1),
        }
    }
}

/// A text whose places are asked for often: where its lines begin is found once.
pub struct Lines<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of a file's text.
    pub fn of(file: &'a Arc<str>, text: &'a str) -> Lines<'a> {
        Lines { file, text, starts: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    /// The place of a byte offset, as [`Place::in_text`] finds it.
    pub fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|before| self.starts.get(before)).copied().unwrap_or(0);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            file: self.file.clone(),
            line: count(line + 1),
            column: count(self.text.get(start..offset).unwrap_or("").chars().count() + 1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            f.write_str(&self.file)
        } else {
            write!(f, "{}:{}:{}", self.file, self.line, self.column)
        }
    }
}

/// What is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrong {
    /// What was found.
    pub wrong: String,
    /// What would be right, or what to do.
    pub right: String,
}

impl Wrong {
    /// A mistake and its cure.
    pub fn new(wrong: impl Into<String>, right: impl Into<String>) -> Wrong {
        Wrong { wrong: wrong.into(), right: right.into() }
    }
}

/// One mistake, its place and its cure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// Where.
    pub place: Place,
    /// What, and what instead.
    pub what: Wrong,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.place, self.what.wrong, self.what.right)
    }
}

impl std::error::Error for Flaw {}

/// Collects every mistake of a reading, so that a person corrects them in one go.
#[derive(Debug, Default)]
pub struct Flaws {
    all: RefCell<Vec<Flaw>>,
    is_of_part: bool,
}

impl Flaws {
    /// For a document of which a part could not be read: what it lacks may stand there.
    pub fn of_part() -> Flaws {
        Flaws { is_of_part: true, ..Flaws::default() }
    }

    /// Notes that something is missing, unless it may stand in the part that could not be read.
    pub fn lacks(&self, place: Place, what: Wrong) {
        if !self.is_of_part {
            self.add(place, what);
        }
    }

    /// Notes one mistake.
    pub fn add(&self, place: Place, what: Wrong) {
        self.all.borrow_mut().push(Flaw { place, what });
    }

    /// True while nothing was found wrong.
    pub fn is_empty(&self) -> bool {
        self.all.borrow().is_empty()
    }

    /// All mistakes in the order of their places.
    pub fn into_sorted(self) -> Vec<Flaw> {
        let mut all = self.all.into_inner();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let file: Arc<str> = "a.toml".into();
        let text = "x = 1\n炉 = \"冷\" !";
        let place = Place::in_text(&file, text, text.find('!').unwrap());
        assert_eq!(place.to_string(), "a.toml:2:9");
        let lines = Lines::of(&file, text);
        for (offset, _) in text.char_indices() {
            assert_eq!(lines.place(offset), Place::in_text(&file, text, offset));
        }
    }
}
