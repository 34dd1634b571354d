//! How much freed memory the C library keeps for later. A gateway has little, and its peaks are few and early.

/// Blocks of this size and more are given back as they are freed, in bytes.
pub const GIVE_BACK_BYTES: i32 = 128 * 1_024;

/// One pool for all threads, and large blocks given back as they are freed. Before any other thread begins; where the C
/// library is another one it does nothing.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "mallopt has no safe wrapper in a kept crate")
)]
pub fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let wishes = [
            (libc::M_ARENA_MAX, 1),
            // Named, it stays: otherwise it grows with the largest block that was ever freed.
            (libc::M_MMAP_THRESHOLD, GIVE_BACK_BYTES),
            (libc::M_TRIM_THRESHOLD, GIVE_BACK_BYTES),
        ];
        for (what, value) in wishes {
            // SAFETY: mallopt takes two numbers, and only changes what later allocations are taken from.
            let _kept = unsafe { libc::mallopt(what, value) };
        }
    }
}
