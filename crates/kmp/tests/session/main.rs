//! A session against a meter in memory, under a clock that only moves when nothing is left to do.

mod answers_are_matched_by_register;
mod batch_that_silences_the_meter_is_halved;
mod clean_line_before_each_request;
mod echo_is_cancelled;
mod ends_by_its_deadline;
mod late_answer_costs_only_itself;
mod line;
mod line_goes_away_and_comes_back;
mod recovers_with_the_meter;
mod retries;
mod set_clock;
mod vendor_timing;
mod verdicts;
