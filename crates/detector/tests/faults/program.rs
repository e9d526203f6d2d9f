//! The detector's program; what it judges, a recorder hears of.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

pub(crate) struct Program {
    child: Child,
    config: PathBuf,
    log: PathBuf,
}

impl Program {
    /// With its files in `dir`, and `more` in its configuration.
    pub(crate) fn start(dir: &Path, recorder: u16, more: &str) -> Self {
        fs::create_dir_all(dir).unwrap();
        let text = format!(
            "engines: [external]\nexternal: {{endpoint: 'http://127.0.0.1:{recorder}', timeoutMs: 60000}}\n\
             http: {{port: 0}}\nhistory: {{path: {0}/history.db}}\noutputs: {{file: {{path: {0}/alerts}}}}\n{more}\n",
            dir.display()
        );
        let (config, log) = (dir.join("detector.yaml"), dir.join("detector.log"));
        fs::write(&config, text).unwrap();
        Self { child: Self::spawn(&config, &log), config, log }
    }

    fn spawn(config: &Path, log: &Path) -> Child {
        Command::new(env!("CARGO_BIN_EXE_sentinel-detector"))
            .env_remove("JOURNAL_STREAM")
            .arg("--config")
            .arg(config)
            .stderr(File::options().append(true).create(true).open(log).unwrap())
            .spawn()
            .unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until its log has these words.
    #[allow(dead_code)] // not every test does
    pub(crate) fn logged(&self, words: &str) {
        let begun = Instant::now();
        while !self.log().contains(words) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{words:?} is not in: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As by `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn again(&mut self) {
        assert!(self.child.try_wait().unwrap().is_some(), "one at a time");
        self.child = Self::spawn(&self.config, &self.log);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
