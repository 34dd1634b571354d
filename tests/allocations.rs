//! Behind the client nothing is allocated for a scan: schedule, decoding and judge work in the room they made once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    dead_code,
    reason = "a test fails by panicking"
)]
#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

#[path = "bench/path.rs"]
mod path;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use coldhearth::evidence::live;
use path::Path;

/// Scans that are counted: twenty minutes and more of forty meters.
const SCANS: u64 = 50_000;

struct Counting;

thread_local! {
    /// Allocations of this thread: those of the test's own runner do not count.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as called.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn a_scan_allocates_nothing_between_its_answer_and_its_judgement() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1, "allocations are counted");
    let mut path = Path::new();
    // Who the meters are is asked first; and what they show comes again every 64 s, which is a sign, and takes room as it begins.
    (0..path::SCANS_UNTIL_STEADY).for_each(|_| path.scan(&mut path::judged));
    let begun_ms = path.now_ms();
    let allocated = allocations(|| (0..SCANS).for_each(|_| path.scan(&mut path::judged)));
    assert!(path.now_ms() - begun_ms > 1_200_000, "an interval was closed");
    assert_eq!(allocated, 0, "in {SCANS} scans");
}

#[test]
fn a_live_message_is_written_into_the_room_it_is_given() {
    let reading = Path::new().reading();
    let mut text = Vec::with_capacity(1_024);
    let allocated = allocations(|| live::write(&reading, &mut text));
    assert!(allocated == 0 && text.len() > 300, "{} bytes, {allocated} allocations", text.len());
}
