//! Collects diagnostics while files are loaded.

use super::{
    diagnostic::{Code, Diagnostic, ItemType, LoadReport},
    source::Files,
    yaml::Mark,
};

/// What a diagnostic is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) item: ItemType,
    pub(super) name: &'a str,
}

/// The diagnostics of one load.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    pub(super) files: Files<'a>,
    report: LoadReport,
}

impl<'a> Journal<'a> {
    pub(super) fn new(files: Files<'a>) -> Self {
        Self { files, report: LoadReport::default() }
    }

    pub(super) fn note(&mut self, code: Code, about: About<'_>, at: Mark, message: impl Into<String>) {
        const SNIPPET_MAX: usize = 4096; // characters of a line that are kept
        let diagnostic = Diagnostic {
            code,
            item_type: about.item,
            item_name: about.name.to_owned(),
            message: message.into(),
            file: self.files.name(at).to_owned(),
            line: at.line.max(1),
            column: at.column.max(1),
            snippet: self.files.line(at).chars().take(SNIPPET_MAX).collect(),
        };
        if code.is_error() {
            self.report.errors.push(diagnostic)
        } else {
            self.report.warnings.push(diagnostic)
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.report.errors.is_empty()
    }

    pub(super) fn finish(mut self) -> LoadReport {
        self.report.successful = !self.has_errors();
        self.report
    }
}
