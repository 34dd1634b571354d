//! PURE. What a meter says: profiles, read plans, the schedule of one bus, register words to [`Reading`].
//!
//! May not: see any room but `terms`, do I/O, read a clock. Floats exist in `decode` alone.
//! Nothing here can name a write: a read-only [`Ask`] is the only question there is.

pub mod answers;
pub mod ask;
pub mod decode;
pub mod fault;
pub mod identity;
pub mod inquiry;
pub mod latencies;
pub mod plan;
pub mod profile;
pub mod quantity;
pub mod reading;
pub mod recognise;
pub mod scan;
pub mod schedule;
pub mod sunspec;
pub mod tally;

pub use answers::Answers;
pub use ask::{Answer, Ask, DeviceIdPart, Question, Reply};
pub use fault::Fault;
pub use identity::Identity;
pub use inquiry::Inquiry;
pub use latencies::Latencies;
pub use plan::Plan;
pub use profile::Profile;
pub use quantity::Quantity;
pub use reading::{Reading, Register, Registers, Sample};
pub use scan::{Block, Function, Scan};
pub use schedule::{MeterPoint, Next, Phase, PlatePoint, Schedule, Told};
pub use tally::Tally;
