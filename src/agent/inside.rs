//! Seeing inside a running agent: what it attests right now, and how it is. For the plant's own people and their machines,
//! on this machine only.
//!
//! The one loop that owns the judge keeps a [`View`] and leaves a copy of it each second; whoever looks reads that copy, on
//! a thread of their own. So nobody who looks, however slow or greedy, holds the judge up, and a loop that stands still
//! shows by the age of its copy.
//!
//! May not: judge anything, write into the log, show a missing value as zero or doubt as rest.

pub mod ask;
pub mod bundle;
pub mod desk;
pub mod figures;
pub mod http;
pub mod look;
pub mod lookout;
pub mod narrator;
pub mod page;
pub mod ready;
pub mod screen;
pub mod socket;
pub mod status;
pub mod told;
pub mod view;

pub use ask::ask;
pub use bundle::bundle;
pub use desk::{Desk, Sources, open};
pub use http::{MAX_PAGES, MAX_REQUEST_BYTES};
pub use lookout::Lookout;
pub use narrator::{Line, Narrator, Weight};
pub use page::page;
pub use ready::{Reason, STUCK_MS};
pub use screen::screen;
pub use socket::{MAX_CLIENTS, MAX_LINE_BYTES, SOCKET_FILE, WRITE_MS};
pub use status::Status;
pub use told::{Around, Fixed, Newest};
pub use view::View;
