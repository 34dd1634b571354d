//! What a gateway may say of every scan besides its records, where its configuration asks for it. Unsigned, kept by
//! nobody and no evidence: for a screen or a chart. It travels outside of `coldhearth/v1`, so that nobody who wants
//! records is given it.

use crate::{
    metering::{Quantity, Reading},
    terms::{
        GatewayId, MeterId,
        place::{CreditCode, Division},
    },
};

/// First levels of every live topic; none of a record's.
pub const LIVE_ROOT: &str = "coldhearth/live/v1";

/// Where the scans of a meter are told: `coldhearth/live/v1/{province}/{city}/{county}/{uscc}/{gateway}/{meter}`.
pub fn topic(division: Division, enterprise: CreditCode, gateway: GatewayId, meter: MeterId) -> String {
    let [province, city, county] = division.levels();
    format!("{LIVE_ROOT}/{province}/{city}/{county}/{enterprise}/{gateway}/{meter}")
}

/// Writes what a scan told, primary side, each value in the unit of its quantity; a value that the meter did not tell is
/// left out and never zero.
pub fn write(reading: &Reading, text: &mut Vec<u8>) {
    text.extend_from_slice(br#"{"unsigned":true,"meter":""#);
    text.extend_from_slice(reading.meter.0.as_str().as_bytes());
    text.extend_from_slice(br#"","at_unix_ms":"#);
    whole(reading.at.wall_unix_ms, text);
    text.extend_from_slice(br#","clock":""#);
    text.extend_from_slice(reading.at.clock.word().as_bytes());
    text.extend_from_slice(br#"","took_ms":"#);
    whole(i64::from(reading.took_ms), text);
    text.extend_from_slice(br#","values":{"#);
    let told = Quantity::ALL.iter().zip(&reading.values);
    let mut between: &[u8] = b"\"";
    for (quantity, value) in told.filter_map(|(quantity, value)| Some((quantity, (*value)?))) {
        text.extend_from_slice(between);
        text.extend_from_slice(quantity.word().as_bytes());
        text.extend_from_slice(b"\":");
        thousandths(value, text);
        between = b",\"";
    }
    text.extend_from_slice(b"}}");
}

/// Writes a whole number.
pub(super) fn whole(value: i64, text: &mut Vec<u8>) {
    if value < 0 {
        text.push(b'-');
    }
    digits(value.unsigned_abs(), text);
}

/// A decimal without zeros that say nothing.
fn thousandths(value: i64, text: &mut Vec<u8>) {
    if value < 0 {
        text.push(b'-');
    }
    let value = value.unsigned_abs();
    digits(value / 1_000, text);
    let (mut part, mut place) = (value % 1_000, 100);
    if part > 0 {
        text.push(b'.');
    }
    while part > 0 {
        text.push(digit(part / place));
        (part, place) = (part % place, place / 10);
    }
}

fn digits(value: u64, text: &mut Vec<u8>) {
    let began = text.len();
    let mut left = value;
    loop {
        text.push(digit(left));
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if let Some(written) = text.get_mut(began..) {
        written.reverse();
    }
}

/// The last digit of a number.
fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value % 10).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        evidence::Kind,
        metering::{
            Scan,
            decode::Applied,
            quantity::QUANTITIES,
            reading::{NO_REQUEST, Registers},
        },
        terms::{ClockQuality, Stamp},
    };

    pub(crate) fn reading(values: &[(Quantity, i64)]) -> Reading {
        let mut all = [None; QUANTITIES];
        for (quantity, value) in values {
            all[quantity.index()] = Some(*value);
        }
        Reading {
            meter: MeterId::new("eaf-2-feeder").unwrap(),
            at: Stamp {
                wall_unix_ms: 1_795_000_000_000,
                uptime_ms: 7,
                boot: 1,
                clock: ClockQuality::Ntp,
                error_ms: 0,
            },
            took_ms: 12,
            values: all,
            registers: Registers::default(),
            import: None,
            requests: [NO_REQUEST; QUANTITIES],
            ratios: Applied::DIRECT,
            scan: Scan::default(),
        }
    }

    fn written(values: &[(Quantity, i64)]) -> String {
        let mut text = Vec::new();
        write(&reading(values), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_scan_is_told_with_its_units_and_what_is_absent_is_left_out() {
        let told = written(&[(Quantity::VoltageL1, 230_050), (Quantity::Power, -1_500), (Quantity::Pf, 0)]);
        assert_eq!(
            told,
            r#"{"unsigned":true,"meter":"eaf-2-feeder","at_unix_ms":1795000000000,"clock":"ntp","took_ms":12,"values":{"power":-1.5,"voltage_l1":230.05,"pf":0}}"#
        );
        assert!(written(&[]).ends_with(r#""values":{}}"#));
    }

    #[test]
    fn its_topic_is_of_no_kind_of_record() {
        let division = Division::parse("130421").unwrap();
        let enterprise = CreditCode::parse("91350100M000100Y43").unwrap();
        let (gateway, meter) = (GatewayId::new("gw-03").unwrap(), MeterId::new("m-1").unwrap());
        let topic = topic(division, enterprise, gateway, meter);
        assert_eq!(topic, "coldhearth/live/v1/13/04/21/91350100M000100Y43/gw-03/m-1");
        assert_eq!(Kind::of_topic(&topic), None);
    }

    proptest! {
        #[test]
        fn every_value_reads_back_exactly(value in -(1_i64 << 53)..(1_i64 << 53)) {
            let mut text = Vec::new();
            thousandths(value, &mut text);
            let text = String::from_utf8(text).unwrap();
            let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
            let read: i128 = format!("{whole}{part:0<3}").parse().unwrap();
            prop_assert_eq!(read, i128::from(value));
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!(json.is_number());
        }
    }
}
