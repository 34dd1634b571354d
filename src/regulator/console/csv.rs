//! Comma-separated values as spreadsheets take them. PURE file.

use crate::regulator::reports::print::BYTE_ORDER_MARK;

/// Rows with their head, RFC 4180.
pub(super) fn table<'c>(head: &[&str], rows: impl Iterator<Item = &'c [String]>) -> String {
    let mut out = String::from(BYTE_ORDER_MARK);
    line(&mut out, head.iter().copied());
    out.push_str(&more(rows));
    out
}

/// Rows that go on with a table.
pub(super) fn more<'c>(rows: impl Iterator<Item = &'c [String]>) -> String {
    let mut out = String::new();
    rows.for_each(|row| line(&mut out, row.iter().map(String::as_str)));
    out
}

fn line<'c>(out: &mut String, cells: impl Iterator<Item = &'c str>) {
    for (number, text) in cells.enumerate() {
        if number > 0 {
            out.push(',');
        }
        cell(out, text);
    }
    out.push_str("\r\n");
}

/// A cell that a spreadsheet would run as a formula is marked as text.
fn cell(out: &mut String, text: &str) {
    let is_number =
        text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let would_run = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    if !would_run && !text.contains(['"', ',', '\n', '\r']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    if would_run {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells_and_nothing_runs() {
        let rows = [["a,b".to_owned(), "say \"x\"".to_owned()], ["=1+1".to_owned(), "-3.5".to_owned()]];
        let text = table(&["一", "two"], rows.iter().map(|row| row.as_slice()));
        assert_eq!(text, "\u{feff}一,two\r\n\"a,b\",\"say \"\"x\"\"\"\r\n\"'=1+1\",-3.5\r\n");
    }
}
