//! A file: an alert a line. It waits for a disk that is full, and for another process to let the file go.

use sentinel_event::Alert;

use super::stdout::line;
use crate::{
    FileOutput, Format, RotatingFile, Rotation,
    worker::{Output, Verdict},
};

#[derive(Debug)]
pub(crate) struct File {
    format: Format,
    file: RotatingFile,
    path: String,
}

impl File {
    pub(crate) fn new(config: &FileOutput) -> Self {
        let FileOutput { path, format, rotate_max_bytes, rotate_max_files } = config;
        let rotation = Rotation::lines(path.clone(), *rotate_max_bytes, *rotate_max_files);
        Self { format: *format, file: RotatingFile::new(rotation), path: path.display().to_string() }
    }
}

impl Output for File {
    fn render(&self, alert: &Alert) -> Vec<u8> {
        line(self.format.of(alert))
    }

    fn batch(&self) -> usize {
        64
    }

    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict {
        match self.file.append(&rendered.concat()) {
            Ok(()) => Verdict::Delivered,
            Err(error) => Verdict::Away(format!("{}: {error}", self.path)),
        }
    }
}
