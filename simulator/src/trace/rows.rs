//! Reads a trace row by row, so that a file of any length takes the room of one row. Every mistake has its line.

use std::io::{self, BufRead, Read as _};

use super::moment::Moment;
use crate::rounding::nearest;

/// Longest line, in bytes.
pub const MAX_LINE_BYTES: usize = 1_024;
/// Largest power that is read, in watts, in either direction: above that of any power station.
pub const MAX_WATTS: f64 = 1e11;

const HEADER: &str = "time,power_w";
const HEADER_WITH_REACTIVE: &str = "time,power_w,reactive_var";

/// The time between two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The time of the row before.
    pub start: Moment,
    /// Its own time.
    pub end: Moment,
    /// Mean active power in between, in microwatts; `None` where nothing was read.
    pub power: Option<i64>,
    /// Mean reactive power in between, in thousandths of a var; `None` where it was not told.
    pub reactive: Option<i64>,
}

impl Row {
    /// How long it is, in nanoseconds; never zero.
    pub fn nanos(&self) -> i128 {
        self.end.nanos() - self.start.nanos()
    }
}

/// Why a trace is none.
#[derive(Debug)]
pub enum Malformed {
    /// Something is wrong with a line, counted from 1.
    Line(u64, String),
    /// The file cannot be read on.
    Unreadable(io::Error),
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::Line(line, what) => write!(f, "{line}: {what}"),
            Malformed::Unreadable(why) => write!(f, " {why}"),
        }
    }
}

/// The rows of a trace.
#[derive(Debug)]
pub struct Rows<R> {
    source: R,
    /// The line that was read last, counted from 1.
    line: u64,
    cells: usize,
    before: Moment,
    buffer: Vec<u8>,
}

impl<R: BufRead> Rows<R> {
    /// Reads the header and the first row, which only says where the trace begins: it has no row before it, so its
    /// power is a mean over nothing.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn begin(source: R) -> Result<Rows<R>, Malformed> {
        let before = Moment::parse("0").map_err(|what| Malformed::Line(0, what.to_owned()))?;
        let mut rows = Rows { source, line: 0, cells: 0, before, buffer: Vec::new() };
        let header = rows.next_line()?.unwrap_or_default();
        let header: Vec<&str> =
            header.strip_prefix('\u{feff}').unwrap_or(&header).split(',').map(cell).collect();
        rows.cells = match header.join(",").as_str() {
            HEADER => 2,
            HEADER_WITH_REACTIVE => 3,
            other => {
                let shown: String = other.chars().take(60).collect();
                let what = format!(
                    "`{shown}` is no header; the first line is `{HEADER}` or `{HEADER_WITH_REACTIVE}`"
                );
                return Err(Malformed::Line(1, what));
            }
        };
        let Some(first) = rows.next_line()? else {
            return Err(Malformed::Line(2, "no row follows the header; a trace has at least two".to_owned()));
        };
        (rows.before, _, _) = rows.values(&first)?;
        Ok(rows)
    }

    /// Where the trace begins.
    pub fn first(&self) -> Moment {
        self.before
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with it.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator of results would go on after the first mistake"
    )]
    pub fn next(&mut self) -> Result<Option<Row>, Malformed> {
        let Some(text) = self.next_line()? else { return Ok(None) };
        let (end, power, reactive) = self.values(&text)?;
        let start = self.before;
        if !end.form().is_like(start.form()) {
            return Err(
                self.wrong(format!("`{end}` is written otherwise than the times before; keep to one form"))
            );
        }
        if end.nanos() == start.nanos() {
            return Err(
                self.wrong(format!("`{end}` is the time of the row before; leave one of the two out"))
            );
        }
        if end.nanos() < start.nanos() {
            return Err(
                self.wrong(format!("`{end}` lies before `{start}` of the row before; sort the rows by time"))
            );
        }
        self.before = end;
        Ok(Some(Row { start, end, power, reactive }))
    }

    fn values(&self, text: &str) -> Result<(Moment, Option<i64>, Option<i64>), Malformed> {
        let mut cells = text.split(',').map(cell);
        let found = text.split(',').count();
        if found != self.cells {
            return Err(
                self.wrong(format!("{found} cells, but the header has {}; write one row a line", self.cells))
            );
        }
        let time = cells.next().unwrap_or_default();
        let time = Moment::parse(time).map_err(|what| self.wrong(format!("time `{time}` {what}")))?;
        let mut number = |name: &str, scale: f64| {
            match cells.next() {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<f64>() {
                Ok(number) if number.abs() <= MAX_WATTS => Ok(Some(nearest(number * scale))),
                Ok(number) if number.is_finite() => {
                    Err(self.wrong(format!("{name} `{text}` is beyond {MAX_WATTS:e}; write it in watts and var")))
                }
                Ok(_) | Err(_) => Err(self.wrong(format!(
                    "{name} `{text}` is no number; write 1250.5, or leave the cell empty where nothing was read"
                ))),
            },
        }
        };
        let power = number("power_w", 1e6)?;
        Ok((time, power, number("reactive_var", 1e3)?))
    }

    /// The next line without its end; empty lines may only stand at the end of the file.
    fn next_line(&mut self) -> Result<Option<String>, Malformed> {
        let mut empty = None;
        loop {
            self.buffer.clear();
            let most = MAX_LINE_BYTES + 1;
            let mut limited = (&mut self.source).take(u64::try_from(most).unwrap_or(u64::MAX));
            let read = limited.read_until(b'\n', &mut self.buffer).map_err(Malformed::Unreadable)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            if read == most {
                return Err(self.wrong(format!("longer than {MAX_LINE_BYTES} bytes; write one row a line")));
            }
            let text = std::str::from_utf8(&self.buffer).map_err(|e| {
                self.wrong(format!("byte {} is no UTF-8; save the file as UTF-8", e.valid_up_to() + 1))
            })?;
            let text = text.trim_end_matches(['\r', '\n']);
            match (text.trim().is_empty(), empty) {
                (true, _) if self.line > 1 => empty = empty.or(Some(self.line)),
                (_, Some(line)) => {
                    let what =
                        "an empty line; take it out, or give a hole a time and an empty power".to_owned();
                    return Err(Malformed::Line(line, what));
                }
                (_, None) => return Ok(Some(text.to_owned())),
            }
        }
    }

    fn wrong(&self, what: String) -> Malformed {
        Malformed::Line(self.line, what)
    }
}

/// A cell without the blanks and quotes around it.
fn cell(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Row>, String> {
        let told = |why: Malformed| why.to_string();
        let mut rows = Rows::begin(text).map_err(told)?;
        std::iter::from_fn(|| rows.next().transpose()).collect::<Result<_, _>>().map_err(told)
    }

    #[test]
    fn rows_are_means_since_the_row_before() {
        let rows = read(b"time,power_w\n0,7\n900,1000\n1000.5,\n1001,-2.5\n").unwrap();
        let told: Vec<_> =
            rows.iter().map(|row| (row.start.unix_ms(), row.end.unix_ms(), row.power)).collect();
        assert_eq!(
            told,
            [
                (0, 900_000, Some(1_000_000_000)),
                (900_000, 1_000_500, None),
                (1_000_500, 1_001_000, Some(-2_500_000))
            ]
        );
    }

    #[test]
    fn what_spreadsheets_do_to_a_file_is_no_mistake() {
        let rows = read(b"\xEF\xBB\xBF\"time\",\"power_w\",reactive_var\r\n 0 , 1 ,\r\n60, 1.2e3,5\r\n\r\n")
            .unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].power, rows[0].reactive), (Some(1_200_000_000), Some(5_000)));
        assert_eq!(read(b"time,power_w\n0,\n1,5").unwrap().len(), 1, "no end of line at the end of the file");
    }

    #[test]
    fn every_mistake_has_its_line() {
        let long = [&b"time,power_w\n0,0\n1,"[..], &[b'1'; 2 * MAX_LINE_BYTES]].concat();
        let cases: [(&[u8], &str); 20] = [
            (b"", "1: `` is no header"),
            (b"\n", "1: `` is no header"),
            (b"0,1\n1,2\n", "1: `0,1` is no header"),
            (b"time;power_w\n", "1: "),
            (b"time,power_w\n", "2: no row"),
            (b"time,power_w\n0\n", "2: 1 cells"),
            (b"time,power_w\n0,1,2\n", "2: 3 cells"),
            (b"time,power_w,reactive_var\n0,1\n", "2: 2 cells"),
            (b"time,power_w\n0,1\n1,nan\n", "3: power_w `nan`"),
            (b"time,power_w\n0,1\n1,inf\n", "3: power_w `inf`"),
            (b"time,power_w\n0,1\n1,abc\n", "3: power_w `abc`"),
            (b"time,power_w\n0,1\n1,1e12\n", "3: power_w `1e12` is beyond"),
            (b"time,power_w\n0,1\n0,1\n", "3: `0` is the time of the row before"),
            (b"time,power_w\n0,1\n60,1\n59.5,1\n", "4: `59.5` lies before `60`"),
            (
                b"time,power_w\n0,1\n2026-01-01T00:00:00Z,1\n",
                "3: `2026-01-01T00:00:00Z` is written otherwise",
            ),
            (b"time,power_w\nyesterday,1\n", "2: time `yesterday` is no time"),
            (
                b"time,power_w\n2026-01-01T00:00:00,1\n",
                "2: time `2026-01-01T00:00:00` is no time of RFC 3339",
            ),
            (b"time,power_w\n0,1\n\n60,1\n", "3: an empty line"),
            (b"time,power_w\n0,1\n1,\xFF\n", "3: byte 3 is no UTF-8"),
            (&long, "3: longer than"),
        ];
        for (text, told) in cases {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(told), "{found} does not begin with {told}");
        }
    }
}
