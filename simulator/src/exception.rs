//! The Modbus exception codes the plant answers with (application protocol 1.1b3, chapter 7).

/// The function code is not served.
pub const ILLEGAL_FUNCTION: u8 = 1;
/// No such register.
pub const ILLEGAL_ADDRESS: u8 = 2;
/// None, or too many registers asked for.
pub const ILLEGAL_VALUE: u8 = 3;
/// The unit is busy; ask again.
pub const BUSY: u8 = 6;
/// The gateway got no answer from the unit.
pub const NO_ANSWER_FROM_UNIT: u8 = 0x0B;
