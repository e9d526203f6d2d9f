//! Where in a text something stands.

/// A byte offset into a condition. Two syntax trees are equal wherever their parts stand, so two offsets
/// always compare equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offset(pub usize);

impl PartialEq for Offset {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Offset {}

/// Line and column of the byte at `offset`, both from 1; columns count bytes.
pub(super) fn line_and_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_start_at_one() {
        assert_eq!(line_and_column(b"ab\ncd", 0), (1, 1));
        assert_eq!(line_and_column(b"ab\ncd", 2), (1, 3));
        assert_eq!(line_and_column(b"ab\ncd", 3), (2, 1));
        assert_eq!(line_and_column(b"ab\ncd", 99), (2, 3));
    }
}
