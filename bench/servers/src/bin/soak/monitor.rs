//! Counts and violations of a run.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bench_servers::client::Reply;

/// Longest wait that a response may name, beyond any backoff of the run.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Tolerance of ages, which are whole seconds.
const TOLERANCE: Duration = Duration::from_secs(2);
/// Reported violations of each kind.
const EXAMPLES: u32 = 3;

pub struct Monitor {
    start: Instant,
    is_stopping: AtomicBool,
    counts: Mutex<BTreeMap<String, u64>>,
    notes: Mutex<Vec<String>>,
    violations: Mutex<Vec<String>>,
}

impl Default for Monitor {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            is_stopping: AtomicBool::new(false),
            counts: Mutex::default(),
            notes: Mutex::default(),
            violations: Mutex::default(),
        }
    }
}

impl Monitor {
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub fn count(&self, what: &str) {
        *self.counts.lock().expect("no thread panicked").entry(what.to_owned()).or_default() += 1;
    }

    /// Adds a line to the report.
    pub fn note(&self, text: String) {
        self.notes.lock().expect("no thread panicked").push(text);
    }

    /// Records a violation, and prints it at once.
    pub fn violation(&self, text: &str) {
        let text = format!("at {:.1} s: {text}", self.elapsed().as_secs_f64());
        let mut violations = self.violations.lock().expect("no thread panicked");
        if violations.len() < 20 {
            eprintln!("VIOLATION {text}");
        }
        violations.push(text);
    }

    /// Counts a response, and checks the rules for all responses: no broken
    /// connection, no 500, only the `expected` problems of 4xx, `Retry-After` of at
    /// least a second and at most [`LONGEST_WAIT`] with 429 and 503, and no age beyond
    /// the run.
    pub fn check(&self, kind: &str, target: &str, expected: &[&str], reply: Result<Reply, String>) -> Option<Reply> {
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                self.violation(&format!("{kind} {target}: connection failed: {error}"));
                return None;
            }
        };
        let code = reply.code();
        let (status, body) = (reply.status, String::from_utf8_lossy(&reply.body[..reply.body.len().min(600)]));
        self.count(format!("{kind}: {status} {code}").trim_end());
        if matches!(status, 429 | 503) && !reply.retry_after().is_some_and(|wait| wait >= Duration::from_secs(1)) {
            self.violation(&format!("{kind} {target}: {status} without Retry-After: {body}"));
        }
        if reply.retry_after().is_some_and(|wait| wait > LONGEST_WAIT) {
            self.violation(&format!("{kind} {target}: {status} with a wait of {:?}: {body}", reply.retry_after()));
        }
        if reply.age() > self.elapsed() + TOLERANCE {
            self.violation(&format!("{kind} {target}: age {:?} after {:?}", reply.age(), self.elapsed()));
        }
        if status == 500 || (400..500).contains(&status) && status != 429 && !expected.contains(&code.as_str()) {
            self.violation(&format!("{kind} {target}: unexpected {status}: {body}"));
        }
        Some(reply)
    }

    pub fn is_clean(&self) -> bool {
        self.violations.lock().expect("no thread panicked").is_empty()
    }

    pub fn report(&self) -> String {
        let mut report = String::new();
        for (what, count) in self.counts.lock().expect("no thread panicked").iter() {
            writeln!(report, "{count:>8}  {what}").expect("text can be written");
        }
        report.push('\n');
        for note in self.notes.lock().expect("no thread panicked").iter() {
            writeln!(report, "{note}").expect("text can be written");
        }
        let violations = self.violations.lock().expect("no thread panicked");
        writeln!(report, "\nViolations: {}", violations.len()).expect("text can be written");
        let mut shown = BTreeMap::<&str, u32>::new();
        for violation in violations.iter() {
            // Few examples of each kind, which is the first word after the time.
            let count = shown.entry(violation.split(' ').nth(3).unwrap_or_default()).or_default();
            *count += 1;
            if *count <= EXAMPLES {
                writeln!(report, "- {violation}").expect("text can be written");
            }
        }
        report
    }
}
