//! A file that is made part by part while it goes out: however long it is, no more than a part of it is in memory.

use std::io;

use axum::{body::Body, response::Response};
use futures_util::{StreamExt as _, stream};

use super::frame;
use crate::regulator::store::Answered;

/// A part, and the place of the next one if there is one.
pub(super) type Part<P> = (Vec<u8>, Option<P>);

/// A file to keep: its first part is made, the others are as they are due. One that cannot be made breaks the line off, so that
/// nobody takes what has come for the whole.
pub(super) fn file<P, F>(
    (media, name): (&'static str, &str),
    (first, next): Part<P>,
    part: impl Fn(P) -> F + Send + 'static,
) -> Response
where
    P: Send + 'static,
    F: Future<Output = Answered<Part<P>>> + Send + 'static,
{
    let rest = stream::try_unfold(next, move |place| {
        let part = place.map(&part);
        async move {
            let Some(part) = part else { return Ok(None) };
            part.await.map(Some).map_err(|fault| {
                tracing::warn!(%fault, "a file of the console is broken off");
                io::Error::other(fault.to_string())
            })
        }
    });
    let parts = stream::iter([Ok(first)]).chain(rest);
    frame::file(media, name, Body::from_stream(parts))
}
