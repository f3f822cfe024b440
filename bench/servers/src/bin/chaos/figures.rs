//! Figures of the unaffected traffic before and during an attack.

use std::{
    fmt,
    time::{Duration, Instant},
};

use bench_servers::client::Client;

/// Largest ratio of the median waits.
const RATIO: f64 = 4.0;
/// Median wait that is accepted whatever the ratio: the attackers share the
/// machine's cores.
const ACCEPTED: Duration = Duration::from_millis(25);
/// Smallest share of answered requests.
const ANSWERED: f64 = 0.99;
/// Time after which a request counts as unanswered.
const PATIENCE: Duration = Duration::from_secs(5);

/// Figures of one kind of request.
#[derive(Clone, Copy)]
struct Waits {
    answered: f64,
    p50: Duration,
}

/// Figures of cached pages and of pages that need a vendor call.
#[derive(Clone, Copy)]
pub struct Figures {
    hits: Waits,
    misses: Waits,
}

/// Effect of an attack.
pub struct Effect {
    before: Figures,
    during: Figures,
    /// Further checks, with their results.
    checks: Vec<(String, bool)>,
}

/// Requests pages of the connection `b` for a time, one by one.
pub async fn measure(client: &Client, duration: Duration) -> Figures {
    let (start, mut hits, mut misses) = (Instant::now(), Vec::new(), Vec::new());
    while start.elapsed() < duration {
        hits.push(wait(client, "part_rhit").await);
        misses.push(wait(client, &format!("part_r{}", fastrand::u64(..))).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Figures { hits: Waits::new(hits), misses: Waits::new(misses) }
}

/// Returns the time until the response, or nothing without a page.
async fn wait(client: &Client, partner: &str) -> Option<Duration> {
    let sent = Instant::now();
    let target = format!("/customers?connection=b&limit=10&partner_id={partner}");
    let reply = tokio::time::timeout(PATIENCE, client.get(&target)).await;
    matches!(reply, Ok(Ok(reply)) if reply.status == 200).then(|| sent.elapsed())
}

impl Waits {
    fn new(waits: Vec<Option<Duration>>) -> Self {
        let mut answered: Vec<Duration> = waits.iter().flatten().copied().collect();
        answered.sort_unstable();
        let p50 = answered.get(answered.len() / 2).copied().unwrap_or(PATIENCE);
        Self { answered: answered.len() as f64 / waits.len().max(1) as f64, p50 }
    }

    fn ratio(self, before: Self) -> f64 {
        self.p50.as_secs_f64() / before.p50.as_secs_f64()
    }

    fn is_unaffected(self, before: Self) -> bool {
        self.answered >= ANSWERED && (self.p50 <= ACCEPTED || self.ratio(before) <= RATIO)
    }
}

impl Effect {
    pub fn new(before: Figures, during: Figures) -> Self {
        Self { before, during, checks: Vec::new() }
    }

    /// Adds a check.
    pub fn check(mut self, text: impl Into<String>, is_ok: bool) -> Self {
        self.checks.push((text.into(), is_ok));
        self
    }

    pub fn is_ok(&self) -> bool {
        self.during.hits.is_unaffected(self.before.hits)
            && self.during.misses.is_unaffected(self.before.misses)
            && self.checks.iter().all(|(_, is_ok)| *is_ok)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<6}", if self.is_ok() { "OK" } else { "FAILED" })?;
        let kinds = [("hits", self.before.hits, self.during.hits), ("misses", self.before.misses, self.during.misses)];
        for (kind, before, during) in kinds {
            write!(
                formatter,
                " {kind}: {:.1} % answered, p50 {:.1} ms to {:.1} ms (x {:.2});",
                during.answered * 100.0,
                before.p50.as_secs_f64() * 1e3,
                during.p50.as_secs_f64() * 1e3,
                during.ratio(before)
            )?;
        }
        for (text, is_ok) in &self.checks {
            write!(formatter, " {text}{};", if *is_ok { "" } else { " (FAILED)" })?;
        }
        Ok(())
    }
}
