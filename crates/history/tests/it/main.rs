//! What the history promises.

mod amounts_add_up;
mod backup_and_export;
mod bench_meter;
mod charts;
mod damage_is_survived;
mod disk_full_is_survived;
mod killed_at_any_moment;
mod outbox;
mod polls_are_kept_exactly;
mod retention;
mod who_may_have_it;
