//! The `heatmeter` command.

fn main() {}
