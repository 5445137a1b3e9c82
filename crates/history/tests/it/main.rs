//! What the history promises.

mod amounts_add_up;
mod bench_meter;
mod charts;
mod outbox;
mod polls_are_kept_exactly;
