//! PURE file. A report as CSV, as JSON, and as a page to be printed. All three say the same.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::sheet::{Cell, Column, Rests, Row, Sheet, Source};
use crate::{
    catalogue::Bilingual,
    terms::{
        Digest,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// Says that a text is UTF-8.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

const STYLE: &str = "@page{size:A4 landscape;margin:10mm}*{box-sizing:border-box}body{font:8.5pt/1.35 'Noto Sans CJK SC',\
'Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Zen Hei',sans-serif;color:#111;margin:0 auto;max-width:277mm}\
h1{font-size:14pt;margin:0 0 2mm}p{margin:0 0 2mm}table{border-collapse:collapse;width:100%}td,th{border:.2mm solid #777;\
padding:.8mm 1.2mm;text-align:left;vertical-align:top;overflow-wrap:break-word}th{background:#eee}td.n{text-align:right}\
.w{white-space:nowrap;overflow-wrap:normal}.many{font-size:7pt}.many td,.many th{padding:.6mm .8mm}thead{display:table-header-group}tbody,tr{break-inside:avoid}\
code{font:6.5pt/1.2 monospace;overflow-wrap:anywhere}";

/// Bytes of a text, or of a word in a longer one, that is never broken over two lines: a credit code, a name, a number that was
/// stamped into a plate.
const MOST_UNBROKEN: usize = 24;
/// Columns beyond which a table is set in small type.
const MANY_COLUMNS: usize = 12;

/// As what a report is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
    /// A page to be printed.
    Html,
}

/// A number with a point: its digits, and how many of them stand behind it.
fn fixed(digits: i64, decimals: u8) -> String {
    let unit = 10_u64.checked_pow(u32::from(decimals)).unwrap_or(1);
    let (sign, size) = (if digits < 0 { "-" } else { "" }, digits.unsigned_abs());
    if decimals == 0 {
        return format!("{sign}{size}");
    }
    let width = usize::from(decimals);
    format!("{sign}{}.{:0width$}", size / unit, size % unit)
}

impl Cell {
    /// As a person reads it.
    pub fn shown(&self, language: Language) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Said(words) => words.in_language(language).to_owned(),
            Cell::Both(text) => text.in_language(language).to_owned(),
            Cell::Count(number) => number.to_string(),
            Cell::Fixed(digits, decimals) => fixed(*digits, *decimals),
            Cell::Day(day) => day.to_string(),
            Cell::Unknown => "–".to_owned(),
        }
    }

    /// As a machine reads it. A number with decimals is text, so that no reader rounds it.
    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Said(Words { zh, en }) => json!({ "zh": zh, "en": en }),
            Cell::Both(Bilingual { zh, en }) => json!({ "zh": zh, "en": en }),
            Cell::Count(number) => Value::from(*number),
            Cell::Fixed(digits, decimals) => Value::from(fixed(*digits, *decimals)),
            Cell::Day(day) => Value::from(day.to_string()),
            Cell::Unknown => Value::Null,
        }
    }

    /// As it stands in a page.
    fn html(&self, language: Language) -> String {
        let shown = self.shown(language);
        match self {
            Cell::Text(text) if text.len() > MOST_UNBROKEN => pieces(text, "span"),
            Cell::Text(_)
            | Cell::Said(_)
            | Cell::Both(_)
            | Cell::Count(_)
            | Cell::Fixed(..)
            | Cell::Day(_)
            | Cell::Unknown => escaped(&shown),
        }
    }

    /// How it is laid out: numbers to the right; codes, names and days in one piece.
    fn class(&self) -> &'static str {
        match self {
            Cell::Count(_) | Cell::Fixed(..) | Cell::Unknown => " class=\"n\"",
            Cell::Day(_) => " class=\"w\"",
            Cell::Text(text) if text.len() <= MOST_UNBROKEN => " class=\"w\"",
            Cell::Text(_) | Cell::Said(_) | Cell::Both(_) => "",
        }
    }
}

/// A text of which no word is broken that fits.
fn pieces(text: &str, element: &str) -> String {
    let fits = |word: &str| element == "code" || word.len() <= MOST_UNBROKEN;
    let piece = |word: &str| {
        let class = if fits(word) { " class=\"w\"" } else { "" };
        format!("<{element}{class}>{}</{element}>", escaped(word))
    };
    text.split(' ').map(piece).collect::<Vec<_>>().join(" ")
}

/// A record in one word.
fn word(source: &Source) -> String {
    let Source { gateway, log, seq, hash } = source;
    format!("{gateway}/{log}/{seq}/{hash}")
}

fn rests_json(rests: &Rests) -> Value {
    let one = |source: &Source| {
        json!({
            "gateway_id": source.gateway.as_str(), "log_id": source.log.to_string(), "seq": source.seq,
            "hash": source.hash.to_string(),
        })
    };
    json!({
        "count": rests.count(),
        "sha256": rests.root().to_string(),
        "named": rests.named().map(one).collect::<Vec<_>>(),
    })
}

/// The records of a row in a cell of CSV: those that are named, and of more than those their number and hash.
fn rests_csv(rests: &Rests) -> String {
    if rests.count() == 0 {
        return "0".to_owned();
    }
    let named: Vec<String> = rests.named().map(word).collect();
    let many = format!("{} sha256:{}", rests.count(), rests.root());
    std::iter::once(many).chain(named).collect::<Vec<_>>().join(" ")
}

impl Sheet {
    /// As whoever asks for it is given it, at a desk and in a browser the same to the byte: whole lines.
    pub fn printed(&self, form: Form, language: Language) -> String {
        match form {
            Form::Csv => self.to_csv(language),
            Form::Json => format!("{}\n", self.to_json_text()),
            Form::Html => self.to_html(language),
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        self.json_with(&self.rows.iter().map(|row| self.row_json(row)).collect::<Vec<_>>())
    }

    /// The same as text, row by row: a report of the nation has tens of thousands, each of a hundred values.
    pub fn to_json_text(&self) -> String {
        const NONE: &str = "\"rows\":[]";
        let bare = self.json_with(&[]).to_string();
        match bare.split_once(NONE) {
            Some((head, tail)) => format!("{head}\"rows\":{}{tail}", self.rows_text()),
            None => bare,
        }
    }

    /// The rows alone, as they stand there.
    pub(super) fn rows_text(&self) -> String {
        let mut out = String::from("[");
        for (at, row) in self.rows.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let _infallible = write!(out, "{comma}{}", self.row_json(row));
        }
        out.push(']');
        out
    }

    fn row_json(&self, row: &Row) -> Value {
        let cells = self.columns.iter().zip(&row.cells);
        let mut map: Map<String, Value> =
            cells.map(|(column, cell)| (column.key.to_owned(), cell.json())).collect();
        map.insert("records".to_owned(), rests_json(&row.rests));
        Value::Object(map)
    }

    fn json_with(&self, rows: &[Value]) -> Value {
        let column = |column: &Column| {
            let Column { key, head: Words { zh, en }, unit } = column;
            json!({ "key": key, "zh": zh, "en": en, "unit": unit })
        };
        let file = |(name, sha256): &(String, Digest)| json!({ "name": name, "sha256": sha256.to_string() });
        json!({
            "coldhearth_report": 1,
            "report": self.report,
            "title": { "zh": self.title.zh, "en": self.title.en },
            "division": self.scope.within.to_string(),
            "from": self.scope.from.to_string(),
            "to": self.scope.to.to_string(),
            "made_unix_ms": self.scope.made_unix_ms,
            "preliminary": self.scope.is_preliminary(),
            "columns": self.columns.iter().map(column).collect::<Vec<_>>(),
            "rows": rows,
            "notes": self.notes.iter().map(|Words { zh, en }| json!({ "zh": zh, "en": en })).collect::<Vec<_>>(),
            "wrong": self.wrong,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "replaces": self.replaces.map(|before| before.to_string()),
        })
    }

    /// As CSV (RFC 4180), in UTF-8 with its mark, without which a spreadsheet takes Chinese for something else; its first
    /// line the columns' keys. No cell begins as a formula.
    pub fn to_csv(&self, language: Language) -> String {
        let mut out = String::from(BYTE_ORDER_MARK);
        let keys = self.columns.iter().map(|column| column.key.to_owned());
        line(&mut out, keys.chain(["records".to_owned()]));
        for row in &self.rows {
            let cells = row.cells.iter().map(|cell| match cell {
                // What is unknown is empty, as other programs read it.
                Cell::Unknown => String::new(),
                Cell::Text(_) | Cell::Said(_) | Cell::Both(_) => inert(cell.shown(language)),
                Cell::Count(_) | Cell::Fixed(..) | Cell::Day(_) => cell.shown(language),
            });
            line(&mut out, cells.chain([rests_csv(&row.rests)]));
        }
        out
    }

    /// As a page to be printed on A4: no script, nothing fetched.
    pub fn to_html(&self, language: Language) -> String {
        let say = |words: Words| escaped(words.in_language(language));
        let lang = match language {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        };
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{division}: {within}; \
             {from} – {to} ({until}); {as_of} {made}</p>\n<table{many}><thead><tr>",
            title = say(self.title),
            division = say(words::R_DIVISION),
            within = self.scope.within,
            from = self.scope.from,
            to = self.scope.to,
            until = say(words::R_TO),
            as_of = say(words::R_AS_OF),
            made = LegalTime(self.scope.made_unix_ms),
            many = if self.columns.len() > MANY_COLUMNS { " class=\"many\"" } else { "" },
        );
        for Column { head, unit, .. } in &self.columns {
            let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
            let _infallible = write!(out, "<th scope=\"col\">{}{unit}</th>", say(*head));
        }
        out.push_str("</tr></thead>\n");
        // The records stand on a line of their own below: hashes leave no room for anything beside them.
        for row in &self.rows {
            out.push_str("<tbody><tr>");
            for cell in &row.cells {
                let _infallible = write!(out, "<td{}>{}</td>", cell.class(), cell.html(language));
            }
            let _infallible = writeln!(
                out,
                "</tr><tr><td colspan=\"{}\">{}: {}</td></tr></tbody>",
                self.columns.len(),
                say(words::R_RECORDS),
                pieces(&rests_csv(&row.rests), "code")
            );
        }
        out.push_str("</table>\n");
        self.write_foot(&mut out, language);
        out.push_str("</body></html>\n");
        out
    }

    /// What is wrong with the files, which they are, and what must be said.
    fn write_foot(&self, out: &mut String, language: Language) {
        let say = |words: Words| escaped(words.in_language(language));
        if !self.wrong.is_empty() {
            let _infallible = writeln!(out, "<p><strong>{}</strong></p><ul>", say(words::FILES_WRONG));
            for line in &self.wrong {
                let _infallible = writeln!(out, "<li lang=\"en\"><code>{}</code></li>", escaped(line));
            }
            out.push_str("</ul>\n");
        }
        if self.scope.is_preliminary() {
            let _infallible = writeln!(out, "<p><strong>{}</strong></p>", say(words::NOTE_PRELIMINARY));
        }
        if let Some(before) = self.replaces {
            let _infallible = writeln!(out, "<p>{}: <code>{before}</code></p>", say(words::REPLACES));
        }
        for (name, sha256) in &self.files {
            let _infallible = writeln!(
                out,
                "<p>{}: {} <code>{sha256}</code></p>",
                say(words::RESTS_ON_FILE),
                escaped(name)
            );
        }
        for note in &self.notes {
            let _infallible = writeln!(out, "<p>{}</p>", say(*note));
        }
    }
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            let _infallible = write!(out, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

/// A text that a spreadsheet takes for a formula is shown as the text it is.
fn inert(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// A text as it may stand in a page.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        regulator::reports::sheet::{Scope, tests::source},
        terms::{LegalDay, place::Division},
    };

    fn sheet() -> Sheet {
        let day = |text| LegalDay::parse(text).unwrap();
        let cells = vec![
            Cell::Text("=cmd|' /C calc'!A0 <b>,\"".into()),
            Cell::Said(words::PROGRESS_AT_REST),
            Cell::Fixed(-12_345, 3),
            Cell::Unknown,
        ];
        Sheet {
            report: "list",
            title: words::REPORT_LIST,
            scope: Scope {
                within: Division::NATION,
                from: day("2026-01-01"),
                to: day("2027-01-01"),
                made_unix_ms: 1_795_800_000_000,
            },
            columns: vec![
                Column::of("name", words::R_ASSET),
                Column::of("progress", words::R_PROGRESS),
                Column::in_unit("energy_kwh", words::R_ENERGY, "kWh"),
                Column::in_unit("amount_cny", words::R_AMOUNT, "CNY"),
            ],
            rows: vec![Row { cells, rests: Rests::on([source(7)]) }],
            notes: vec![words::NOTE_UNKNOWN],
            wrong: vec!["hebei.toml:3:1: <less> is listed".to_owned()],
            files: vec![("hebei.toml".to_owned(), Digest::of(b"hebei"))],
            replaces: Some(Digest::of(b"before")),
        }
    }

    #[test]
    fn a_missing_figure_is_no_zero_and_a_text_is_no_formula() {
        let csv = sheet().to_csv(Language::English);
        let lines: Vec<&str> = csv.split("\r\n").collect();
        assert_eq!(lines[0], "\u{feff}name,progress,energy_kwh,amount_cny,records");
        assert!(
            lines[1].starts_with("\"'=cmd|' /C calc'!A0 <b>,\"\"\",draws no power,-12.345,,1 sha256:"),
            "{}",
            lines[1]
        );
        let json = sheet().to_json();
        let mut twice = sheet();
        twice.wrong.push("\"rows\":[]".to_owned());
        twice.rows.extend(sheet().rows);
        assert_eq!(twice.to_json_text(), twice.to_json().to_string());
        assert_eq!(json["rows"][0]["amount_cny"], Value::Null);
        assert_eq!(json["rows"][0]["energy_kwh"], "-12.345");
        assert_eq!(json["rows"][0]["records"]["named"][0]["hash"], source(7).hash.to_string());
    }

    #[test]
    fn a_page_carries_no_markup_of_others_and_both_languages_work() {
        for language in [Language::Chinese, Language::English] {
            let page = sheet().to_html(language);
            assert!(page.contains("=cmd|&#39; /C calc&#39;!A0 &lt;b&gt;") && !page.contains("<b>"), "{page}");
            assert!(page.contains(&source(7).hash.to_string()) && page.contains("–"));
            // Under its figures, as wide as they are.
            assert!(page.contains("</tr><tr><td colspan=\"4\">"), "{page}");
            assert!(page.contains(&format!("hebei.toml <code>{}</code>", Digest::of(b"hebei"))), "{page}");
            assert!(page.contains("hebei.toml:3:1: &lt;less&gt; is listed"), "{page}");
            assert!(page.contains(&format!("<code>{}</code>", Digest::of(b"before"))), "{page}");
            assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
        }
    }

    #[test]
    fn no_word_is_broken_that_fits_and_a_table_of_many_columns_is_set_small() {
        let number = "XT-2008/0417";
        let mut sheet = sheet();
        sheet.rows[0].cells[0] = Cell::Text(format!("西安电炉厂有限责任公司 {number} <b>"));
        let page = sheet.to_html(Language::Chinese);
        assert!(
            page.contains(&format!("<span class=\"w\">{number}</span> <span class=\"w\">&lt;b&gt;</span>")),
            "{page}"
        );
        assert!(
            page.contains(&format!("<code class=\"w\">{}</code>", word(&source(7)))),
            "a record is one word"
        );
        assert!(!page.contains("<table class"));
        sheet.columns = std::iter::repeat_n(sheet.columns[0], MANY_COLUMNS + 1).collect();
        assert!(sheet.to_html(Language::English).contains("<table class=\"many\">"));
    }

    #[test]
    fn decimals_keep_their_zeros() {
        for (digits, decimals, text) in
            [(0, 2, "0.00"), (5, 2, "0.05"), (-5, 3, "-0.005"), (12_345, 0, "12345"), (100, 2, "1.00")]
        {
            assert_eq!(fixed(digits, decimals), text);
        }
    }
}
