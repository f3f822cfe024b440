//! Bounded queue of log lines, written by a thread of its own.
//!
//! The reader of standard error may stall. Lines beyond [`MAX_WAITING`] bytes are
//! then dropped and counted, so no other thread waits for a line to be written.

use std::{
    io::{self, ErrorKind, Write},
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Maximum size of the waiting lines in bytes. As many bytes may be in the
/// process of being written.
pub(super) const MAX_WAITING: usize = 1 << 20;
/// Interval at which the thread polls the queue. Lines that follow each other then need
/// neither a notification of the thread nor a write of their own.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Number of empty polls after which the thread waits for a notification.
const IDLE_POLLS: u32 = 4;
/// Pause before another write to a non-blocking output that is full.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// Queue of log lines. Clones share the queue.
#[derive(Clone)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: Batch,
    is_writing: bool,
    /// The thread waits for a notification.
    is_idle: bool,
}

/// Complete lines in the order of arrival.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    lines: u64,
}

impl LogQueue {
    /// Starts the thread that writes lines to `output`. The thread calls `report`
    /// with the number of lines dropped since the last report, once the output
    /// accepts lines again.
    pub(super) fn start(
        output: impl Write + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let queue = Self(Arc::default());
        let shared = Arc::clone(&queue.0);
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_batches(output, report))?;
        Ok(queue)
    }

    /// Adds a line, or drops the line if the queue is full.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.0.state.lock();
        let waiting = &mut state.waiting;
        if waiting.bytes.len() + line.len() > MAX_WAITING {
            self.0.dropped.fetch_add(1, Relaxed);
            return;
        }
        waiting.bytes.extend_from_slice(line);
        waiting.lines += 1;
        let is_idle = mem::take(&mut state.is_idle);
        drop(state);
        if is_idle {
            self.0.changed.notify_all();
        }
    }

    /// Returns the number of lines dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// Waits until all lines are written, for at most `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        let mut state = self.0.state.lock();
        self.0.changed.wait_while_for(&mut state, |state| state.is_writing || state.waiting.lines > 0, timeout);
    }
}

/// Adds each written buffer as a line. The formatter writes a line at once.
impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn write_batches(&self, mut output: impl Write, report: impl Fn(u64)) {
        let (mut reported, mut spare) = (0, Vec::new());
        loop {
            let batch = self.next_batch(mem::take(&mut spare));
            let is_written = write_all(&mut output, &batch.bytes).is_ok();
            if !is_written {
                self.dropped.fetch_add(batch.lines, Relaxed);
            }
            let dropped = self.dropped.load(Relaxed);
            // A report on a broken output would be dropped and cause another report.
            if is_written && dropped > reported {
                report(dropped - reported);
                reported = dropped;
            }
            self.state.lock().is_writing = false;
            self.changed.notify_all();
            spare = batch.bytes;
            spare.clear();
        }
    }

    /// Waits for lines and takes all of them. Later lines enter the spare buffer.
    fn next_batch(&self, spare: Vec<u8>) -> Batch {
        let mut state = self.state.lock();
        for polls in 1.. {
            MutexGuard::unlocked(&mut state, || thread::sleep(POLL_INTERVAL));
            if state.waiting.lines > 0 {
                break;
            }
            if polls >= IDLE_POLLS {
                state.is_idle = true;
                self.changed.wait_while(&mut state, |state| state.is_idle);
            }
        }
        state.is_writing = true;
        mem::replace(&mut state.waiting, Batch { bytes: spare, lines: 0 })
    }
}

/// Writes all bytes, also to an output that another process made non-blocking.
fn write_all(output: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(FULL_PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// Output that waits for a permit before each write.
    struct Gated {
        permits: Receiver<io::Result<()>>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permits.recv().unwrap_or(Ok(()))?;
            self.written.send(bytes.to_vec()).ok();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A queue with a gated output.
    struct Stage {
        queue: LogQueue,
        permit: Sender<io::Result<()>>,
        written: Receiver<Vec<u8>>,
        reports: Receiver<u64>,
    }

    fn stage() -> Stage {
        let ((permit, permits), (sender, written), (reported, reports)) = (channel(), channel(), channel());
        let output = Gated { permits, written: sender };
        let queue = LogQueue::start(output, move |lines| reported.send(lines).unwrap()).unwrap();
        Stage { queue, permit, written, reports }
    }

    #[test]
    fn stalled_output_drops_and_reports_lines() {
        let Stage { queue, permit, written, reports } = stage();
        queue.push(b"first\n");
        while queue.0.state.lock().waiting.lines > 0 {
            thread::yield_now();
        }
        let line = vec![b'x'; MAX_WAITING / 4];
        for _ in 0..7 {
            queue.push(&line);
        }
        assert_eq!(queue.dropped(), 3);
        queue.flush(Duration::from_millis(1));
        assert!(written.try_recv().is_err(), "the output is stalled");

        drop(permit);
        queue.flush(LONG);
        let written: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(written.len(), b"first\n".len() + MAX_WAITING);
        assert_eq!(reports.try_iter().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn broken_output_counts_lines_without_reports() {
        let Stage { queue, permit, written, reports } = stage();
        permit.send(Err(ErrorKind::BrokenPipe.into())).unwrap();
        queue.push(b"lost\n");
        queue.flush(LONG);
        assert_eq!((queue.dropped(), reports.try_iter().count()), (1, 0));

        permit.send(Err(ErrorKind::WouldBlock.into())).unwrap();
        permit.send(Ok(())).unwrap();
        queue.push(b"written\n");
        queue.flush(LONG);
        assert_eq!(written.try_iter().collect::<Vec<_>>(), [b"written\n"]);
        assert_eq!(reports.try_iter().collect::<Vec<_>>(), [1]);
    }
}
