//! What the history promises.

mod bench_meter;
mod outbox;
mod polls_are_kept_exactly;
