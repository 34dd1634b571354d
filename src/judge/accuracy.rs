//! Accuracy classes as on the plates of a meter and its transformers, and what they leave open.

use std::fmt;

/// Accuracy of the meter where none is declared.
pub const ASSUMED_METER: Accuracy = Accuracy { hundredths: 100, special: false };
/// Accuracy of the current transformers where none is declared: the common one that claims least at small currents.
pub const ASSUMED_CT: Accuracy = Accuracy { hundredths: 50, special: false };
/// Accuracy of the voltage transformers where none is declared.
pub const ASSUMED_PT: Accuracy = Accuracy { hundredths: 100, special: false };

/// Where a class 0.1 to 1 begins to give an error, in parts per million of rated current: 5 %. IEC 61869-2, table 201.
pub const CT_ZONE_PPM: i64 = 50_000;
/// As [`CT_ZONE_PPM`], for classes 0.2S and 0.5S: 1 %. Table 202.
pub const CT_ZONE_SPECIAL_PPM: i64 = 10_000;
/// As [`CT_ZONE_PPM`], for classes 3 and 5: 50 %. Table 203.
pub const CT_ZONE_COARSE_PPM: i64 = 500_000;

/// What a current transformer may turn the angle by, in millionths of a radian for each hundredth of a percent of its
/// class: 2.7 hundredths of a radian in class 0.5, 5.4 in class 1. IEC 61869-2, tables 201 and 202, at the smallest
/// current of the class.
pub const CT_ANGLE_PPM: i64 = 540;
/// As [`CT_ANGLE_PPM`], of a voltage transformer: 0.6 in class 0.5, 1.2 in class 1. IEC 61869-3, table 301.
pub const PT_ANGLE_PPM: i64 = 120;
/// As [`CT_ANGLE_PPM`], of a meter: its class for reactive energy is twice as coarse as for active.
/// [K: IEC 62053-23 and 62053-24 beside 62053-21 and 62053-22, from memory, 2026]
pub const METER_ANGLE_PPM: i64 = 200;

/// One accuracy class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accuracy {
    /// Limit of error, in hundredths of a percent.
    hundredths: u16,
    /// Whether the limit also holds at small currents: the S of 0.5S.
    special: bool,
}

impl Accuracy {
    /// Reads `0.5S`, `1`, or the letters A to E of active-energy meters (2, 1, 0.5, 0.2 and 0.1 percent).
    pub fn parse(text: &str) -> Option<Accuracy> {
        let letter = match text {
            "A" => Some(200),
            "B" => Some(100),
            "C" => Some(50),
            "D" => Some(20),
            "E" => Some(10),
            _ => None,
        };
        if let Some(hundredths) = letter {
            return Some(Accuracy { hundredths, special: false });
        }
        let (number, special) = text.strip_suffix('S').map_or((text, false), |number| (number, true));
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok())?;
        let part = match part.len() {
            1 => digits(part)?.checked_mul(10)?,
            2 => digits(part)?,
            _ => return None,
        };
        let hundredths = digits(whole)?.checked_mul(100)?.checked_add(part)?;
        (1..=1_000).contains(&hundredths).then_some(Accuracy { hundredths, special })
    }

    /// Limit of error, in hundredths of a percent.
    pub const fn hundredths(self) -> u16 {
        self.hundredths
    }

    /// Where a current transformer of this class begins to give an error, in parts per million of its rated current.
    pub const fn ct_zone_ppm(self) -> i64 {
        if self.special {
            CT_ZONE_SPECIAL_PPM
        } else if self.hundredths <= 100 {
            CT_ZONE_PPM
        } else {
            CT_ZONE_COARSE_PPM
        }
    }
}

impl fmt::Display for Accuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.hundredths / 100, self.hundredths % 100);
        match part {
            0 => write!(f, "{whole}")?,
            tens if tens % 10 == 0 => write!(f, "{whole}.{}", tens / 10)?,
            part => write!(f, "{whole}.{part:02}")?,
        }
        if self.special { f.write_str("S") } else { Ok(()) }
    }
}

/// The classes of one metering point; what is not declared is assumed by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Of the meter, for active energy.
    pub meter: Option<Accuracy>,
    /// Of the current transformers.
    pub ct: Option<Accuracy>,
    /// Of the voltage transformers.
    pub pt: Option<Accuracy>,
}

impl Classes {
    /// What meter and transformers may err together, in quadrature, rounded up, in parts per million of what passed.
    /// `has_ct` and `has_pt` say whether there are transformers at all.
    pub fn error_ppm(&self, has_ct: bool, has_pt: bool) -> i64 {
        let meter = self.meter.unwrap_or(ASSUMED_METER);
        let ct = has_ct.then(|| self.ct.unwrap_or(ASSUMED_CT));
        let pt = has_pt.then(|| self.pt.unwrap_or(ASSUMED_PT));
        let squares = [Some(meter), ct, pt].into_iter().flatten().map(|class| {
            let ppm = i64::from(class.hundredths) * 100;
            ppm * ppm
        });
        let sum: i64 = squares.sum();
        let root = sum.isqrt();
        if root * root < sum { root + 1 } else { root }
    }

    /// What meter and transformers may turn the angle between voltage and current by, in millionths of a radian: so much
    /// of the reactive power may show as active power, in a phase and, since transformers of one make err alike, in the
    /// total. They add up.
    pub fn angle_ppm(&self, has_ct: bool, has_pt: bool) -> i64 {
        let ct = if has_ct { i64::from(self.ct.unwrap_or(ASSUMED_CT).hundredths) * CT_ANGLE_PPM } else { 0 };
        let pt = if has_pt { i64::from(self.pt.unwrap_or(ASSUMED_PT).hundredths) * PT_ANGLE_PPM } else { 0 };
        ct + pt + i64::from(self.meter.unwrap_or(ASSUMED_METER).hundredths) * METER_ANGLE_PPM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_the_same_read_and_shown() {
        for text in ["0.1", "0.2S", "0.5S", "0.5", "1", "2", "0.05", "3"] {
            assert_eq!(Accuracy::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Accuracy::parse("C").unwrap().hundredths(), 50);
        for wrong in ["", "S", "0", "-1", "0.5s", "0.555", "11", "F", "+1"] {
            assert_eq!(Accuracy::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_zone_without_error_is_the_standards() {
        let zone = |text| Accuracy::parse(text).unwrap().ct_zone_ppm();
        assert_eq!(
            ["0.2S", "0.5S", "0.2", "0.5", "1", "3"].map(zone),
            [10_000, 10_000, 50_000, 50_000, 50_000, 500_000]
        );
    }

    #[test]
    fn errors_add_in_quadrature() {
        let class = Accuracy::parse("0.5");
        let classes = Classes { meter: class, ct: class, pt: class };
        assert_eq!(classes.error_ppm(true, true), 8_661);
        assert_eq!(classes.error_ppm(false, false), 5_000);
        assert_eq!(Classes::default().error_ppm(true, true), 15_000);
    }

    #[test]
    fn errors_of_angle_add_up() {
        let class = Accuracy::parse("0.5");
        let classes = Classes { meter: class, ct: class, pt: class };
        assert_eq!(classes.angle_ppm(true, true), 27_000 + 6_000 + 10_000);
        assert_eq!(Classes::default().angle_ppm(false, false), 20_000);
    }
}
