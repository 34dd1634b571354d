//! The encoding of a supplier's file. Spreadsheets save in others than UTF-8: which one it is, is told where it begins.

use std::sync::Arc;

use super::MAX_FILE_BYTES;
use crate::terms::{
    Flaw,
    flaw::{Place, Wrong},
};

const CURE: &str = "save it as UTF-8 (in a spreadsheet: CSV UTF-8)";

/// The text of a file in UTF-8, with or without a mark at its beginning.
///
/// # Errors
/// It is too long, or in another encoding, which is named; with line and column.
pub fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Flaw> {
    let file: Arc<str> = file.into();
    let begin = Place { file: file.clone(), line: 1, column: 1 };
    if bytes.len() > MAX_FILE_BYTES {
        let what = Wrong::new(format!("more than {MAX_FILE_BYTES} bytes"), "write one file a month");
        return Err(Flaw { place: begin, what });
    }
    if let Some(encoding) = wide(bytes) {
        return Err(Flaw { place: begin, what: Wrong::new(format!("the file is {encoding}"), CURE) });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let place = Place::in_text(&file, &String::from_utf8_lossy(good), good.len());
        Flaw { place, what: Wrong::new("no UTF-8; in China that is mostly GB18030 (GBK)", CURE) }
    })
}

/// An encoding of two or four bytes a letter, by its mark or by the zeros between the letters of a header.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [_, 0, 0, 0, ..] => Some("UTF-32, little-endian"),
        [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, _, ..] => Some("UTF-32, big-endian"),
        [0xff, 0xfe, ..] | [_, 0, ..] => Some("UTF-16, little-endian"),
        [0xfe, 0xff, ..] | [0, _, ..] => Some("UTF-16, big-endian"),
        _ => None,
    }
}
