//! Memory that is not needed any more goes back to the system. glibc keeps what was freed between things
//! that live on: after the start, or after somebody has looked through years, that is much of what a
//! gateway has.

use std::convert::Infallible;
use std::time::Duration;

/// By then everything has been started, and the first poll is over.
const AFTER_THE_START: Duration = Duration::from_secs(10);

const THEN_EVERY: Duration = Duration::from_hours(1);

/// Gives back what can be given, for as long as it is polled.
pub(crate) async fn give_back_by_and_by() -> Infallible {
    let mut pause = AFTER_THE_START;
    loop {
        tokio::time::sleep(pause).await;
        give_back();
        pause = THEN_EVERY;
    }
}

#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "the C library's own function: takes a number, may be called at any time"
)]
fn give_back() {
    unsafe extern "C" {
        safe fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    malloc_trim(0);
}

#[cfg(not(target_env = "gnu"))]
fn give_back() {}
