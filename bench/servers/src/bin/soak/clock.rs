//! Jumps of the gateway's wall clock.
//!
//! libfaketime moves the wall clock of the gateway's process, as a wrong NTP server
//! or a resumed machine does. The monotonic clock runs on.

use std::{fs, path::PathBuf, time::Duration};

use tempfile::TempDir;

use crate::monitor::Monitor;

/// Longest small jump in seconds.
const MINUTES: i64 = 59 * 60;
/// Longest jump in seconds.
const HOURS: i64 = 12 * 3_600;

/// Wall clock of one process.
pub struct WallClock {
    directory: TempDir,
    library: PathBuf,
    random: fastrand::Rng,
    /// Seconds by which the clock is ahead.
    offset: i64,
    next: Duration,
    jumps: usize,
}

impl WallClock {
    /// Creates a correct clock. `library` is the path of libfaketime.
    pub fn new(library: PathBuf, seed: u64) -> Self {
        let directory = tempfile::tempdir().expect("the temporary directory is writable");
        let (random, next) = (fastrand::Rng::with_seed(seed), Duration::from_secs(12));
        let clock = Self { directory, library, random, offset: 0, next, jumps: 0 };
        clock.write();
        clock
    }

    /// Returns the command that runs a process with this clock.
    pub fn wrapper(&self) -> Vec<String> {
        vec![
            "env".to_owned(),
            format!("LD_PRELOAD={}", self.library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.file().display()),
            // The file is read again once a second.
            "FAKETIME_CACHE_DURATION=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        ]
    }

    /// Returns the number of jumps so far.
    pub fn jumps(&self) -> usize {
        self.jumps
    }

    /// Jumps forward, backward or to the right time, if it is time.
    pub fn step(&mut self, monitor: &Monitor) {
        if monitor.elapsed() < self.next {
            return;
        }
        self.next = monitor.elapsed() + Duration::from_millis(self.random.u64(6_000..14_000));
        let before = self.offset;
        self.offset = match self.random.u8(..5) {
            0 if before != 0 => 0,
            0..3 => before + self.random.i64(60..MINUTES) * self.sign(),
            _ => self.random.i64(3_600..HOURS) * self.sign(),
        };
        self.jumps += 1;
        monitor.count(if self.offset > before { "clock jump: forward" } else { "clock jump: backward" });
        self.write();
    }

    fn sign(&mut self) -> i64 {
        if self.random.bool() { 1 } else { -1 }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("offset")
    }

    /// Writes the offset. The file is never incomplete.
    fn write(&self) {
        let new = self.directory.path().join("new");
        fs::write(&new, format!("{:+}", self.offset)).expect("the temporary directory is writable");
        fs::rename(new, self.file()).expect("the temporary directory is writable");
    }
}
