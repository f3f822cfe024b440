//! Accesses to the operator's files, bounded in time and size.
//!
//! A file may be on a mount that does not answer, and a path may lead to a FIFO
//! or a device. Each read runs in a thread of its own and is abandoned after
//! [`TIMEOUT`]. A path has one read at a time, so a hung mount holds at most one
//! thread per configured path.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};

/// Maximum time of a read.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of a file in bytes.
pub const MAX_SIZE: u64 = 8 << 20;

/// Failure to read a file. No message quotes the file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system reports an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The path leads to a directory, FIFO, socket or device.
    #[error("not a regular file")]
    NotRegular,
    /// The file exceeds [`MAX_SIZE`].
    #[error("larger than {} MiB", MAX_SIZE >> 20)]
    TooLarge,
    /// The file is not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// The file system does not answer.
    #[error("no answer from the file system within {0:?}")]
    TimedOut(Duration),
}

/// Result of reading a file, with its path.
#[derive(Debug)]
pub struct FileRead {
    /// Path of the file.
    pub path: PathBuf,
    /// Contents, or the failure.
    pub contents: Result<Vec<u8>, FileError>,
}

/// Paths with a read in progress.
#[derive(Default)]
struct Reads {
    paths: Mutex<HashSet<PathBuf>>,
    finished: Condvar,
}

/// Marks a path as being read until dropped.
struct Turn {
    reads: &'static Reads,
    path: PathBuf,
}

impl FileRead {
    /// Reads a file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let contents = read(&path);
        Self { path, contents }
    }
}

/// Reads a regular file of at most [`MAX_SIZE`] bytes. Blocks for at most
/// [`TIMEOUT`], or twice as long if another read of the path is in progress.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let file = path.to_owned();
    run(path, move || read_regular(&file))
}

/// Reads a regular file as text, like [`read`].
pub fn read_text(path: &Path) -> Result<String, FileError> {
    String::from_utf8(read(path)?).map_err(|_| FileError::NotText)
}

/// Runs a blocking access to a path, with the time limit of [`read`].
pub fn run<T: Send + 'static>(
    path: &Path,
    access: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    run_for(path, TIMEOUT, access)
}

/// Runs a blocking access to a path that takes at most `timeout`, or twice as long if
/// another access to the path is in progress.
pub fn run_for<T: Send + 'static>(
    path: &Path,
    timeout: Duration,
    access: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    static READS: LazyLock<Reads> = LazyLock::new(Reads::default);
    READS.run(path, timeout, access)
}

impl Reads {
    fn run<T: Send + 'static>(
        &'static self,
        path: &Path,
        timeout: Duration,
        access: impl FnOnce() -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, FileError> {
        let turn = self.begin(path, timeout)?;
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new().name("file".to_owned()).spawn(move || {
            let result = access();
            drop(turn);
            // Fails if the reader has given up.
            drop(sender.send(result));
        })?;
        receiver.recv_timeout(timeout).unwrap_or(Err(FileError::TimedOut(timeout)))
    }

    /// Waits until no read of the path is in progress.
    fn begin(&'static self, path: &Path, timeout: Duration) -> Result<Turn, FileError> {
        let mut paths = self.paths.lock();
        if self.finished.wait_while_for(&mut paths, |paths| paths.contains(path), timeout).timed_out() {
            return Err(FileError::TimedOut(timeout));
        }
        paths.insert(path.to_owned());
        Ok(Turn { reads: self, path: path.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.reads.paths.lock().remove(&self.path);
        self.reads.finished.notify_all();
    }
}

fn read_regular(path: &Path) -> Result<Vec<u8>, FileError> {
    // Opening a FIFO waits for a writer, and opening a device may have effects.
    if !fs::metadata(path)?.is_file() {
        return Err(FileError::NotRegular);
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(FileError::NotRegular);
    }
    let mut contents = Vec::new();
    let size = file.take(MAX_SIZE + 1).read_to_end(&mut contents)?;
    if size as u64 > MAX_SIZE { Err(FileError::TooLarge) } else { Ok(contents) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    /// Returns reads of this test only.
    fn reads() -> &'static Reads {
        Box::leak(Box::default())
    }

    #[test]
    fn hung_read_times_out_and_holds_one_thread() {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let (reads, path) = (reads(), Path::new("hung"));
        let (release, hung) = mpsc::channel::<()>();
        let access = move || {
            STARTED.fetch_add(1, SeqCst);
            hung.recv().ok();
            Ok(())
        };
        assert!(matches!(reads.run(path, SHORT, access), Err(FileError::TimedOut(SHORT))));
        for _ in 0..3 {
            let again = || {
                STARTED.fetch_add(1, SeqCst);
                Ok(())
            };
            assert!(matches!(reads.run(path, SHORT, again), Err(FileError::TimedOut(SHORT))));
        }
        assert_eq!(STARTED.load(SeqCst), 1, "a second thread was started");
        // Another path is read meanwhile, and this path once the mount answers.
        assert!(reads.run(Path::new("other"), TIMEOUT, || Ok(())).is_ok());
        drop(release);
        assert!(reads.run(path, TIMEOUT, || Ok(())).is_ok());
    }

    #[test]
    fn only_bounded_regular_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let fifo = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for other in [directory.path(), &fifo, Path::new("/dev/zero")] {
            assert!(matches!(read(other), Err(FileError::NotRegular)), "{}", other.display());
        }
        assert!(matches!(read(&path), Err(FileError::Io(_))));
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read(&path).unwrap(), [0xff]);
        assert!(matches!(read_text(&path), Err(FileError::NotText)));
        let file = File::create(&path).unwrap();
        file.set_len(MAX_SIZE).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, MAX_SIZE);
        file.set_len(MAX_SIZE + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLarge)));
    }
}
