//! When two texts are one serial number: written otherwise, in other widths or with letters that only look alike, they
//! are; and what a factory leaves in place of a number is nobody's.

/// Fewest characters of a serial number that tells one thing from all others.
pub const MIN_SERIAL_CHARS: usize = 4;
/// Fewest of them behind leading zeros.
pub const MIN_SIGNIFICANT_CHARS: usize = 3;
/// Longest serial number, maker or model that is compared, in characters, after all that does not count is left out.
pub const MAX_TEXT_CHARS: usize = 64;
/// Longest text that is looked at, in bytes: what a nameplate's line may hold.
pub const MAX_LOOKED_AT_BYTES: usize = 255;

/// What is stamped where nothing is: in capitals, without blanks and dots.
const PLACEHOLDERS: [&str; 24] = [
    "NONE",
    "NULL",
    "NAN",
    "NIL",
    "NA",
    "UNKNOWN",
    "UNSET",
    "UNDEFINED",
    "TEST",
    "TESTING",
    "DEFAULT",
    "DEMO",
    "SAMPLE",
    "EXAMPLE",
    "SERIAL",
    "SERIALNUMBER",
    "SERIALNO",
    "TBD",
    "DEADBEEF",
    "无",
    "未知",
    "不详",
    "待定",
    "编号",
];
/// The largest numbers of registers: a cell that was never written.
const UNWRITTEN: [&str; 6] =
    ["32767", "65535", "2147483647", "4294967295", "9223372036854775807", "18446744073709551615"];

/// A text as it is compared: capitals and digits alone, full-width letters and those of other alphabets that look like
/// Latin ones as these. `None` where nothing is left, or more than [`MAX_TEXT_CHARS`], or only a placeholder.
pub fn canonical(text: &str) -> Option<String> {
    if text.len() > MAX_LOOKED_AT_BYTES {
        return None;
    }
    // Bytes that no meter's text has: cells that were never written, around or between others.
    let text = text.replace("\\xFF", "").replace("\\x00", "");
    let capitals = text.chars().map(narrow).flat_map(char::to_uppercase).map(latin);
    let canonical: String = capitals.filter(|c| c.is_alphanumeric()).collect();
    let fits = (1..=MAX_TEXT_CHARS).contains(&canonical.chars().count());
    (fits && !PLACEHOLDERS.contains(&canonical.as_str())).then_some(canonical)
}

/// A serial number as it is compared; `None` where it cannot tell one thing from another.
pub fn serial(text: &str) -> Option<String> {
    let serial = canonical(text)?;
    let significant = serial.trim_start_matches('0');
    let tells = serial.chars().count() >= MIN_SERIAL_CHARS
        && significant.chars().count() >= MIN_SIGNIFICANT_CHARS
        && !UNWRITTEN.contains(&significant)
        && !is_pattern(&serial)
        && !is_pattern(significant);
    tells.then_some(serial)
}

/// Digits that count up or down, or one or two characters again and again.
fn is_pattern(serial: &str) -> bool {
    let digits: Option<Vec<u32>> = serial.chars().map(|c| c.to_digit(10)).collect();
    let steps = |by: u32| {
        digits.as_ref().is_some_and(|digits| {
            digits.windows(2).all(|pair| matches!(pair, [one, next] if (one + by) % 10 == *next))
        })
    };
    let chars: Vec<char> = serial.chars().collect();
    let repeats = |period: usize| chars.iter().zip(chars.iter().skip(period)).all(|(one, next)| one == next);
    steps(1) || steps(9) || repeats(1) || repeats(2)
}

/// A full-width character as the plain one.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// A Cyrillic or Greek capital that looks like a Latin one as that one.
const fn latin(c: char) -> char {
    match c {
        '\u{410}' | '\u{391}' => 'A',
        '\u{412}' | '\u{392}' => 'B',
        '\u{421}' | '\u{3F9}' => 'C',
        '\u{415}' | '\u{395}' => 'E',
        '\u{41D}' | '\u{397}' => 'H',
        '\u{406}' | '\u{4C0}' | '\u{399}' => 'I',
        '\u{408}' => 'J',
        '\u{41A}' | '\u{39A}' | '\u{212A}' => 'K',
        '\u{41C}' | '\u{39C}' => 'M',
        '\u{39D}' => 'N',
        '\u{41E}' | '\u{39F}' => 'O',
        '\u{420}' | '\u{3A1}' => 'P',
        '\u{405}' => 'S',
        '\u{422}' | '\u{3A4}' => 'T',
        '\u{425}' | '\u{3A7}' => 'X',
        '\u{4AE}' | '\u{3A5}' => 'Y',
        '\u{396}' => 'Z',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_is_one_however_it_is_written() {
        for text in [
            "XT-2008 0417",
            "xt20080417",
            "\u{FF38}\u{FF34}２００８０４１７",
            "\u{425}\u{422}.2008/0417",
            "XT\u{200B}20080417",
            "XT20080417\\xFF\\xFF",
        ] {
            assert_eq!(serial(text).as_deref(), Some("XT20080417"), "{text}");
        }
        assert_ne!(serial("XT20080417"), serial("XT2008O417"), "a letter O is no zero: both are stamped");
        assert_eq!(serial("冶炉20080417").as_deref(), Some("冶炉20080417"));
    }

    #[test]
    fn what_a_factory_leaves_there_is_nobodys_number() {
        let nobodys = [
            "",
            "0",
            "00000000",
            "123456",
            "12345678",
            "0123456789",
            "87654321",
            "1",
            "001",
            "00000017",
            "FFFFFFFF",
            "\\xFF\\xFF\\xFF\\xFF",
            "\\x00",
            "65535",
            "4294967295",
            "0000065535",
            "none",
            "N/A",
            "S e r i a l",
            "TEST",
            "无",
            "未知",
            "0001234",
            "12121212",
            "A5A5A5A5",
            "DEADBEEF",
            "----",
            "3号",
            "999999",
            "xxxx",
        ];
        for text in nobodys {
            assert_eq!(serial(text), None, "{text}");
        }
        for text in ["2009-0001", "10417", "26000003", "A7F3"] {
            assert!(serial(text).is_some(), "{text}");
        }
        assert_eq!(serial(&"7A".repeat(5_000)), None, "longer than any nameplate");
        assert_eq!(serial(&"7A3".repeat(22)), None, "66 characters");
    }

    proptest! {
        #[test]
        fn a_canonical_text_is_canonical(text in "\\PC{0,80}") {
            if let Some(once) = canonical(&text) {
                prop_assert!(once.chars().all(char::is_alphanumeric));
                prop_assert!(once.chars().count() <= MAX_TEXT_CHARS);
                if once.len() <= MAX_LOOKED_AT_BYTES {
                    prop_assert_eq!(canonical(&once), Some(once.clone()));
                }
                if let Some(serial) = serial(&text) {
                    prop_assert_eq!(serial, once);
                }
            }
        }

        #[test]
        fn blanks_dots_and_case_make_no_other_number(number in "[A-Z]{2}[0-9]{3}[A-Z0-9]{3,20}", cut in 1_usize..5) {
            let written: String = number
                .to_lowercase()
                .chars()
                .enumerate()
                .flat_map(|(at, c)| if at % cut == 0 { vec!['-', c, ' '] } else { vec![c] })
                .collect();
            prop_assert_eq!(serial(&written), serial(&number));
        }
    }
}
