//! A trend in one line of blocks: `▁▂▄▇█▆`.

/// The last `width` values, drawn between the smallest and the largest of them.
///
/// What does not change is a low line. A place without a value is left empty.
pub(crate) fn draw(values: &[Option<f64>], width: usize) -> String {
    let shown = &values[values.len().saturating_sub(width)..];
    let known = || shown.iter().flatten().copied();
    let least = known().fold(f64::INFINITY, f64::min);
    let most = known().fold(f64::NEG_INFINITY, f64::max);
    shown
        .iter()
        .map(|value| match value {
            None => ' ',
            Some(_) if most <= least => BLOCKS[0],
            Some(value) => block((value - least) / (most - least)),
        })
        .collect()
}

/// A bar of `width` places, filled to `share` of it in eighths.
pub(crate) fn bar(share: f64, width: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a bar is some dozen places wide"
    )]
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    let full = eighths / 8;
    let mut bar = "█".repeat(full);
    if let Some(part) = (eighths % 8).checked_sub(1) {
        bar.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][part]);
    }
    let rest = width.saturating_sub(bar.chars().count());
    bar.push_str(&"·".repeat(rest));
    bar
}

/// One of eight heights for a share from 0 to 1.
pub(crate) fn block(share: f64) -> char {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 7 after clamping"
    )]
    let height = (share.clamp(0.0, 1.0) * 7.0).round() as usize;
    BLOCKS[height]
}

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_drawn_between_their_extremes() {
        let values: Vec<_> = (0..8).map(|n| Some(f64::from(n))).collect();
        assert_eq!(draw(&values, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(draw(&values, 3), "▁▅█");
        assert_eq!(draw(&[Some(5.0), None, Some(5.0)], 9), "▁ ▁");
        assert_eq!(draw(&[], 9), "");
    }

    #[test]
    fn a_bar_is_always_as_wide_as_asked() {
        assert_eq!(bar(0.0, 4), "····");
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.4, 4), "█▋··");
        assert_eq!(bar(7.0, 2), "██");
    }
}
