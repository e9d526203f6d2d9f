//! "Did you mean …?"

/// The known word that is most like `word`, if one is like it at all: a third of its letters may differ.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "…"?`, or nothing.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|known| format!("; did you mean {known:?}?")).unwrap_or_default()
}

/// Letters to insert, delete, replace or swap with a neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (at, letter) in a.chars().take(64).enumerate() {
        let mut next = vec![at + 1];
        for (column, other) in b.iter().enumerate() {
            let cell = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best = (cell(&row, column + 1) + 1)
                .min(cell(&next, column) + 1)
                .min(cell(&row, column) + usize::from(letter != *other));
            let swapped = column > 0 && last == Some(*other) && b.get(column - 1) == Some(&letter);
            if swapped {
                best = best.min(cell(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_word() {
        let known = ["pathPrefixes", "comms", "event", "file_read"];
        for (word, expected) in [
            ("pathPrefix", Some("pathPrefixes")),
            ("pathprefixes", Some("pathPrefixes")),
            ("comm", Some("comms")),
            ("evnet", Some("event")),
            ("file-read", Some("file_read")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
