//! "Did you mean": the word of a list that is closest to a misspelt one.
//!
//! Used for keys typed on a command line and, through the build script, for keys in the data files.

/// The candidate with the fewest edits to `word`, if few enough that it was probably meant.
///
/// One edit for every three letters is allowed, and one edit for words shorter than that.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `left` into `right`.
fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, &a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in right.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = core::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_a_swap_of_neighbours_as_one_edit() {
        assert_eq!(edits("flow", "folw"), 1);
        assert_eq!(edits("", "flow"), 4);
        assert_eq!(edits("flow", "flow"), 0);
    }

    #[test]
    fn finds_what_was_meant_and_nothing_that_was_not() {
        let keys = ["heat_energy", "volume", "flow"];
        assert_eq!(nearest("heat_enery", keys), Some("heat_energy"));
        assert_eq!(nearest("Flwo", keys), Some("flow"));
        assert_eq!(nearest("temperature", keys), None);
    }
}
