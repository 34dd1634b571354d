//! The screens: each asks the store once, by the scope of whoever looks, and makes a page of the answer.

pub(super) mod alarm;
pub(super) mod alarms;
pub(super) mod asset;
pub(super) mod audit;
mod called;
pub(super) mod fleet;
pub(super) mod inspections;
pub(super) mod keys;
pub(super) mod nameplate;
pub(super) mod papers;
pub(super) mod rules;
pub(super) mod seen;
mod sources;
pub(super) mod today;

use axum::{Extension, response::Response};
use maud::{Markup, html};

use super::{door::Viewer, frame, story::kilowatt_hours};
use crate::{
    evidence::LogId,
    regulator::{store::sights::AssetRow, timeline::Tone},
    terms::{
        GatewayId,
        time::LegalTime,
        words::{self, Language, Words},
    },
};

/// An address that leads nowhere.
pub(super) async fn nothing(Extension(viewer): Extension<Viewer>) -> Response {
    frame::nothing(&viewer)
}

/// The address of a piece of equipment.
fn address(row: &AssetRow) -> String {
    format!("/asset/{}/{}", row.gateway, row.asset)
}

/// The address of a record as it came: a file of one line, which the box that verifies takes.
fn record_address(gateway: GatewayId, log: LogId, seq: u64) -> String {
    format!("/log/{gateway}/{log}?from={seq}&to={seq}")
}

/// What was drawn past the last lawful day, and until when that is told.
fn overdue(row: &AssetRow, language: Language) -> String {
    let as_of = words::K_AS_OF.in_language(language);
    format!("{} ({as_of} {})", kilowatt_hours(row.overdue), LegalTime(row.verdict_unix_ms))
}

/// The head of a table. What can be done in a column is not printed.
fn head(columns: &[Words], language: Language) -> Markup {
    html! {
        thead {
            tr {
                @for column in columns {
                    th scope="col" class=[(*column == words::K_DO).then_some("no-print")] { (column.in_language(language)) }
                }
            }
        }
    }
}

/// The name of a tone's style.
const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "tone-plain",
        Tone::Good => "tone-good",
        Tone::Doubt => "tone-doubt",
        Tone::Alarm => "tone-alarm",
    }
}
