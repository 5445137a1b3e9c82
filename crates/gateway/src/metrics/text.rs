//! The older text format of Prometheus, made from OpenMetrics: for `promtool`, `curl`, and everything
//! that does not ask for the newer one.

/// The same in the text format 0.0.4. There a counter's family is named like its samples, and units
/// have no line of their own.
pub fn classic(open_metrics: &str) -> String {
    let lines: Vec<&str> = open_metrics.lines().collect();
    let mut text = String::with_capacity(open_metrics.len());
    for (position, line) in lines.iter().enumerate() {
        let mut words = line.splitn(4, ' ');
        let head = (words.next(), words.next(), words.next());
        let renamed = match head {
            (Some("#"), Some("UNIT" | "EOF") | None, _) => continue,
            (Some("#"), Some(kind @ ("HELP" | "TYPE")), Some(name)) => {
                let is_counter = lines
                    .iter()
                    .skip(position)
                    .take(2)
                    .any(|line| *line == format!("# TYPE {name} counter"));
                let rest = words.next().unwrap_or_default();
                is_counter.then(|| format!("# {kind} {name}_total {rest}"))
            }
            _ => None,
        };
        text.push_str(renamed.as_deref().unwrap_or(line));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_renamed_and_the_rest_stays() {
        let open = "# HELP a_joules Energy.\n# TYPE a_joules counter\n# UNIT a_joules joules\n\
                    a_joules_total{x=\"y\"} 1.0\n# HELP b What.\n# TYPE b gauge\nb 2.0\n# EOF\n";
        assert_eq!(
            classic(open),
            "# HELP a_joules_total Energy.\n# TYPE a_joules_total counter\n\
             a_joules_total{x=\"y\"} 1.0\n# HELP b What.\n# TYPE b gauge\nb 2.0\n"
        );
    }
}
