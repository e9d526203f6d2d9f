//! How far somebody has read the alerts of each detector, as one word: `NAME=SEQ,NAME=SEQ`.
//!
//! It is the `id:` of every message of the merged stream and the `next` of every merged page. A detector that
//! is not in it is read from where a reader without a position begins.

use crate::config::Upstream;

/// Where a reader stands with one detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mark {
    /// Nothing read yet.
    #[default]
    Start,
    /// The last alert that was read.
    At(u64),
    /// Everything was read (pages of history only).
    End,
}

/// Where a reader stands, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position(pub(crate) Vec<Mark>);

impl Position {
    pub(crate) fn start(detectors: &[Upstream]) -> Self {
        Self(vec![Mark::Start; detectors.len()])
    }

    /// The position that a text names. Detectors that have left the configuration are skipped; with one
    /// detector its bare number will do.
    ///
    /// # Errors
    /// What is wrong, for the one who asked.
    pub(crate) fn parse(text: &str, detectors: &[Upstream]) -> Result<Self, String> {
        let mut position = Self::start(detectors);
        if let (Ok(seq), [mark]) = (text.parse(), position.0.as_mut_slice()) {
            *mark = Mark::At(seq);
            return Ok(position);
        }
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let wrong = || format!("{part:?} is no position; expected NAME=NUMBER, as an id or next says it");
            let (name, mark) = part.rsplit_once('=').ok_or_else(wrong)?;
            let mark = match mark {
                "end" => Mark::End,
                number => Mark::At(number.parse().map_err(|_| wrong())?),
            };
            let known = detectors.iter().zip(&mut position.0).find(|(detector, _)| detector.name == name);
            if let Some((_, place)) = known {
                *place = mark;
            }
        }
        Ok(position)
    }

    pub(crate) fn of(&self, detector: usize) -> Mark {
        self.0.get(detector).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, detector: usize, mark: Mark) {
        if let Some(place) = self.0.get_mut(detector) {
            *place = mark;
        }
    }

    pub(crate) fn write(&self, detectors: &[Upstream]) -> String {
        let mut text = String::new();
        for (detector, mark) in detectors.iter().zip(&self.0) {
            let mark = match mark {
                Mark::Start => continue,
                Mark::At(seq) => seq.to_string(),
                Mark::End => "end".into(),
            };
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&detector.name);
            text.push('=');
            text.push_str(&mark);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detectors(names: &[&str]) -> Vec<Upstream> {
        let one = |name: &&str| Upstream { name: (*name).into(), host: "h".into(), port: 1, token: None };
        names.iter().map(one).collect()
    }

    #[test]
    fn a_position_survives_being_written() {
        let detectors = detectors(&["a:1", "[::1]:2", "c"]);
        let position = Position(vec![Mark::At(7), Mark::Start, Mark::End]);
        assert_eq!(position.write(&detectors), "a:1=7,c=end");
        assert_eq!(Position::parse("a:1=7,c=end", &detectors), Ok(position));
    }

    #[test]
    fn a_detector_that_left_is_forgotten_and_a_new_one_begins() {
        let found = Position::parse("gone=9,b=3", &detectors(&["a", "b"])).unwrap();
        assert_eq!(found.0, [Mark::Start, Mark::At(3)]);
    }

    #[test]
    fn a_bare_number_is_enough_for_one_detector() {
        assert_eq!(Position::parse("12", &detectors(&["a"])).unwrap().0, [Mark::At(12)]);
        let error = Position::parse("12", &detectors(&["a", "b"])).unwrap_err();
        assert_eq!(error, "\"12\" is no position; expected NAME=NUMBER, as an id or next says it");
        assert!(Position::parse("a=-1", &detectors(&["a"])).is_err());
    }
}
