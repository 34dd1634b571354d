//! Years of service, counted on the calendar.

use super::truth::Truth;
use crate::terms::LegalDay;

/// When something was first put to use, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// On this day: year, month, day.
    Day(i64, u8, u8),
    /// Some day of this year.
    Year(i64),
    /// Not before this year: when it was built.
    NotBefore(i64),
}

impl Start {
    /// Reads `YYYY-MM-DD` of a day that exists, or `YYYY`.
    pub(super) fn parse(text: &str) -> Option<Start> {
        let number = |part: &str| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<i64>().ok() } else { None }
        };
        if text.len() == 4 {
            return number(text).map(Start::Year);
        }
        LegalDay::parse(text)?;
        let [year, month, day] = *text.split('-').map(number).collect::<Option<Vec<i64>>>()?.as_slice()
        else {
            return None;
        };
        Some(Start::Day(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
    }

    /// The year.
    pub(super) const fn year(self) -> i64 {
        match self {
            Start::Day(year, _, _) | Start::Year(year) | Start::NotBefore(year) => year,
        }
    }

    /// Whether more than `years` years of service are complete on a day: exactly so many are not more.
    pub(super) fn is_longer_than(self, years: i64, on: LegalDay) -> Truth {
        let before =
            |year: i64, month, day| anniversary(year + years, month, day).is_some_and(|day| day < on);
        match self {
            Start::Day(year, month, day) => before(year, month, day).into(),
            Start::Year(year) => Truth::agreed([before(year, 1, 1).into(), before(year, 12, 31).into()]),
            // It may have been put to use any time later, so this can only clear.
            Start::NotBefore(year) if before(year, 1, 1) => Truth::Unknown,
            Start::NotBefore(_) => Truth::False,
        }
    }
}

/// A day of a year, 1 March where it has no 29 February. `None` past the calendar, later than any deadline.
fn anniversary(year: i64, month: u8, day: u8) -> Option<LegalDay> {
    let date = |month: u8, day: u8| LegalDay::parse(&format!("{year:04}-{month:02}-{day:02}"));
    date(month, day).or_else(|| if (month, day) == (2, 29) { date(3, 1) } else { None })
}

/// The year a lawful day lies in.
pub(super) fn year_of(day: LegalDay) -> i64 {
    i64::from((day.month() - 1).div_euclid(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longer(start: &str, on: &str) -> Truth {
        Start::parse(start).unwrap().is_longer_than(15, LegalDay::parse(on).unwrap())
    }

    #[test]
    fn fifteen_years_to_the_day_are_not_more_than_fifteen() {
        assert_eq!(longer("1996-12-31", "2011-12-31"), Truth::False);
        assert_eq!(longer("1996-12-30", "2011-12-31"), Truth::True);
        assert_eq!(longer("1997-01-01", "2011-12-31"), Truth::False);
        assert_eq!(longer("1996", "2011-12-31"), Truth::Unknown);
        assert_eq!(longer("1995", "2011-12-31"), Truth::True);
        assert_eq!(longer("1997", "2011-12-31"), Truth::False);
        assert_eq!(longer("9990", "2011-12-31"), Truth::False);
    }

    #[test]
    fn who_began_on_29_february_has_served_on_1_march() {
        assert_eq!(longer("1996-02-29", "2011-03-01"), Truth::False);
        assert_eq!(longer("1996-02-29", "2011-03-02"), Truth::True);
        assert_eq!(
            Start::parse("1996-02-29").unwrap().is_longer_than(16, LegalDay::parse("2012-03-01").unwrap()),
            Truth::True
        );
    }

    #[test]
    fn a_year_of_manufacture_clears_and_never_convicts() {
        let on = LegalDay::parse("2011-12-31").unwrap();
        assert_eq!(Start::NotBefore(1960).is_longer_than(15, on), Truth::Unknown);
        assert_eq!(Start::NotBefore(1996).is_longer_than(15, on), Truth::Unknown);
        assert_eq!(Start::NotBefore(1997).is_longer_than(15, on), Truth::False);
        assert_eq!(Start::NotBefore(i64::from(i32::MAX)).is_longer_than(15, on), Truth::False);
    }

    #[test]
    fn only_days_that_exist_and_years_are_read() {
        for wrong in
            ["", "199", "19961", "1996-13-01", "2011-02-29", "1996-1-1", "+996", "1996/01/01", "一九九六"]
        {
            assert_eq!(Start::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Start::parse("1996-02-29"), Some(Start::Day(1996, 2, 29)));
        assert_eq!(year_of(LegalDay::parse("2010-12-31").unwrap()), 2010);
        assert_eq!(year_of(LegalDay::parse("2011-01-01").unwrap()), 2011);
    }
}
