//! Format of a snapshot: `magic ‖ id of the file ‖ frames`. A frame is its length and a
//! sealed value. The first frame is the head of the list, and each further frame is a
//! segment.
//!
//! Each frame is sealed for the account, the list, the file and its position, so a frame
//! of another file or place is damage. AES-256-GCM detects every other change.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    copies::{DecodeError, Segment, StoredList},
    files::FileError,
    shared::Seal,
};

/// First bytes of a file. The last one is the version of the format.
const MAGIC: [u8; 8] = *b"cgwlist\x01";
/// Maximum length of a frame in bytes. A segment is shorter.
const MAX_FRAME: u32 = 256 << 20;

/// Snapshot of one list.
#[derive(Debug, Clone)]
pub(super) struct SnapshotFile {
    pub(super) path: PathBuf,
    /// Name of the account and the list, for which the frames are sealed.
    pub(super) name: String,
    pub(super) seal: Seal,
}

/// First frame.
#[derive(Serialize, Deserialize)]
struct Head {
    synced_at: Timestamp,
    segments: u32,
    manifest: Vec<u8>,
}

/// Reason why a file is not a snapshot of the list. No message quotes the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file has another format.
    #[error("the file has another format")]
    Format,
    /// A frame does not open.
    #[error("the file is damaged, or belongs to another account or `paging.cursor_key`")]
    Sealed,
    /// The list is damaged.
    #[error(transparent)]
    List(#[from] DecodeError),
    /// The walk began after now. The clock may have been set back.
    #[error("the file is from the future")]
    Future,
    /// The list is older than `max_age`.
    #[error("the list is older than `max_age`")]
    Expired,
}

impl SnapshotFile {
    /// Reads the list and the start of its walk.
    pub(super) fn read(&self) -> Result<(Timestamp, StoredList), SnapshotError> {
        // Opening a FIFO waits for a writer.
        if !fs::metadata(&self.path)?.is_file() {
            return Err(FileError::NotRegular.into());
        }
        let file = File::open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(FileError::NotRegular.into());
        }
        let mut file = BufReader::new(file);
        let (mut magic, mut id) = ([0; MAGIC.len()], [0; 16]);
        file.read_exact(&mut magic).map_err(|_| SnapshotError::Format)?;
        if magic != MAGIC {
            return Err(SnapshotError::Format);
        }
        file.read_exact(&mut id)?;
        let head = self.read_frame(&mut file, &id, 0)?;
        let head: Head = postcard::from_bytes(&head).map_err(|_| SnapshotError::Sealed)?;
        let mut segments = HashMap::new();
        for index in 1..=head.segments {
            let segment = Segment::from_bytes(&self.read_frame(&mut file, &id, index)?)?;
            segments.insert(segment.id(), Arc::new(segment));
        }
        if file.read(&mut [0])? > 0 {
            return Err(SnapshotError::Sealed);
        }
        let list = StoredList::from_parts(&head.manifest, |id| segments.get(&id).map(Arc::clone))?;
        Ok((head.synced_at, list))
    }

    /// Writes a list to the temporary file beside the snapshot.
    pub(super) fn write(&self, synced_at: Timestamp, list: &StoredList) -> io::Result<()> {
        let path = self.temporary();
        remove(&path)?;
        // Only the owner reads customers' data.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut file = BufWriter::new(file);
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        file.write_all(&MAGIC)?;
        file.write_all(&id)?;
        let segments = u32::try_from(list.segments().count()).map_err(io::Error::other)?;
        let head = Head { synced_at, segments, manifest: list.manifest_to_bytes() };
        self.write_frame(&mut file, &id, 0, &postcard::to_stdvec(&head).map_err(io::Error::other)?)?;
        for (index, segment) in (1..).zip(list.segments()) {
            self.write_frame(&mut file, &id, index, &segment.to_bytes())?;
        }
        file.into_inner()?.sync_all()
    }

    /// Replaces the snapshot by the temporary file.
    pub(super) fn commit(&self) -> io::Result<()> {
        fs::rename(self.temporary(), &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Removes the snapshot.
    pub(super) fn remove(&self) -> io::Result<()> {
        remove(&self.path)
    }

    /// Removes the temporary file.
    pub(super) fn remove_temporary(&self) -> io::Result<()> {
        remove(&self.temporary())
    }

    /// Returns the path of the temporary file.
    pub(super) fn temporary(&self) -> PathBuf {
        self.path.with_added_extension("tmp")
    }

    fn frame_name(&self, id: &[u8; 16], index: u32) -> String {
        format!("{}:{:032x}:{index}", self.name, u128::from_be_bytes(*id))
    }

    fn read_frame(&self, file: &mut impl Read, id: &[u8; 16], index: u32) -> Result<Vec<u8>, SnapshotError> {
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > MAX_FRAME {
            return Err(SnapshotError::Sealed);
        }
        let mut sealed = Vec::new();
        // A truncated file does not open.
        file.take(length.into()).read_to_end(&mut sealed)?;
        self.seal.open(&self.frame_name(id, index), &sealed).ok_or(SnapshotError::Sealed)
    }

    fn write_frame(&self, file: &mut impl Write, id: &[u8; 16], index: u32, plain: &[u8]) -> io::Result<()> {
        let sealed = self.seal.seal(&self.frame_name(id, index), plain);
        let length = u32::try_from(sealed.len()).ok().filter(|length| *length <= MAX_FRAME);
        file.write_all(&length.ok_or_else(|| io::Error::other("a segment is too large"))?.to_le_bytes())?;
        file.write_all(&sealed)
    }
}

/// Removes a file that may be missing.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::File(error.into())
    }
}
