//! Words of suppliers for how good a value is and where a switch stands: our own, those of CIM (IEC 61968-9 end device
//! events, usage point states), of DLMS (class 70 control states) and of Green Button (quality of reading).

use crate::judge::cutoff::reading::{Quality, Switch};

/// What is allowed for a quality, for a message.
pub(super) const QUALITIES: &str =
    "measured, estimated, missing, questionable or a Green Button code of 0, 7 to 19 is expected";
/// What is allowed for a switch, for a message.
pub(super) const SWITCHES: &str = "open, closed, ready_for_reconnection, logically_disconnected, unknown, 3.31.0.23, \
     3.31.0.18 or dlms:0, dlms:1, dlms:2 is expected";

/// How good a value is.
pub(super) fn quality(text: &str) -> Option<Quality> {
    match text {
        "0" => Some(Quality::Measured),
        // Validated, verified, fit to bill by.
        "17" | "18" | "19" => Some(Quality::Measured),
        // Edited by hand, estimated, derived, projected, mixed, corrected for weather.
        "7" | "8" | "9" | "11" | "12" | "13" | "15" => Some(Quality::Estimated),
        // Questionable, raw, other.
        "10" | "14" | "16" => Some(Quality::Questionable),
        word => Quality::from_word(word),
    }
}

/// Where a switch stands. Open and one button away from closed, or off in the books only, is no cut.
pub(super) fn switch(text: &str) -> Option<Switch> {
    match text.to_ascii_lowercase().as_str() {
        "3.31.0.23" | "dlms:0" | "physically_disconnected" => Some(Switch::Open),
        "3.31.0.18" | "dlms:1" | "connected" => Some(Switch::Closed),
        "dlms:2" => Some(Switch::Ready),
        "" => Some(Switch::Unknown),
        word => Switch::from_word(word),
    }
}
