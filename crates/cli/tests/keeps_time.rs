//! Real time: a reading takes as long as its bytes need on the wire, and hardly more; readings keep to
//! their schedule.

mod support;

mod wall_clock {
    use std::time::{Duration, Instant};

    use kamstrup_kmp::line::LineSettings;

    use super::support::{Simulated, heatmeter};

    #[test]
    fn a_poll_of_eight_registers_takes_at_most_1_02_of_its_time_on_the_wire() {
        let meter = Simulated::tcp(&["--pace"]);
        let mut ratios: Vec<f64> = (0..3)
            .map(|_| {
                let poll = heatmeter(["read", meter.port(), "--json"]).json();
                assert_eq!(poll["readings"].as_array().unwrap().len(), 8);
                let line = &poll["line"];
                let bytes = |key: &str| usize::try_from(line[key].as_u64().unwrap()).unwrap();
                let bytes = bytes("bytes_sent") + bytes("bytes_received");
                let wire = LineSettings::KMP.time_for(bytes);
                line["seconds"].as_f64().unwrap() / wire.as_secs_f64()
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        // Never faster than the wire; the best of three, because the machine has other things to do.
        assert!(ratios[0] >= 0.98 && ratios[0] <= 1.02, "{ratios:?}");
    }

    #[test]
    fn readings_keep_to_a_steady_schedule() {
        let meter = Simulated::tcp(&["--pace"]);
        let began = Instant::now();
        let args = [
            "watch",
            meter.port(),
            "--json",
            "--interval",
            "500ms",
            "--count",
            "5",
            "flow",
        ];
        assert_eq!(heatmeter(args).objects().len(), 5);
        // Each paced reading takes some 0.3 s; on top of the interval that would be 3.2 s and more.
        let took = began.elapsed();
        assert!(
            took >= Duration::from_secs(2) && took < Duration::from_millis(2900),
            "{took:?}"
        );
    }
}
