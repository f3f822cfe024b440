//! Templates of the rows' JSON, compressed one by one.
//!
//! Each row is a zstd frame (RFC 8878) without the magic number. The rows of a
//! segment share a dictionary, so one row is read without its neighbours. A
//! segment of few rows has no dictionary and is not compressed.

use std::fmt;

use zstd::zstd_safe::{CCtx, CDict, CParameter, DCtx, DDict, compress_bound, train_from_buffer};

use super::template::MAX_JSON;

/// Templates of all rows of a segment.
#[derive(Debug, Default)]
pub(super) struct JsonRows {
    dictionary: Option<Dictionary>,
    data: Box<[u8]>,
    /// The end of each row in `data`.
    ends: Box<[u32]>,
    /// The length of the longest template.
    max_length: usize,
}

/// Builder of [`JsonRows`].
pub(super) struct JsonRowsBuilder {
    dictionary: Option<(Box<[u8]>, CDict<'static>)>,
    /// False after the training of a dictionary failed.
    may_train: bool,
    data: Vec<u8>,
    ends: Vec<u32>,
    /// Templates that are not yet compressed.
    pending: Vec<u8>,
    pending_lengths: Vec<usize>,
    max_length: usize,
}

struct Dictionary {
    bytes: Box<[u8]>,
    prepared: DDict<'static>,
}

/// Reader of templates, with its buffers.
#[derive(Default)]
pub(super) struct TemplateReader {
    /// Created for the first compressed row: a context takes about 100 KiB.
    context: Option<DCtx<'static>>,
    frame: Vec<u8>,
    template: Vec<u8>,
}

/// Magic number of a zstd frame (RFC 8878, section 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Number of rows that a dictionary is trained on, and the minimum for one.
const TRAINING_ROWS: usize = 1024;

/// Number of rows that are compressed at once.
const BATCH: usize = 256;

/// Maximum length of a dictionary, in bytes.
const DICTIONARY_LENGTH: usize = 16 << 10;

/// Compression level. Higher levels gain little on short rows.
const LEVEL: i32 = 3;

impl JsonRows {
    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the memory of the rows, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let dictionary = self.dictionary.as_ref();
        let dictionary = dictionary.map_or(0, |dictionary| dictionary.bytes.len() + dictionary.prepared.sizeof());
        self.data.len() + size_of_val(&*self.ends) + dictionary
    }

    /// Returns the dictionary, the compressed rows and the length of each.
    pub(super) fn parts(&self) -> (Option<&[u8]>, &[u8], Vec<u32>) {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let lengths = self.ends.iter().zip(starts).map(|(end, start)| end - start).collect();
        (self.dictionary.as_ref().map(|dictionary| &*dictionary.bytes), &self.data, lengths)
    }

    /// Decodes rows from their parts. The templates are not checked.
    pub(super) fn from_parts(
        dictionary: Option<&[u8]>,
        data: &[u8],
        lengths: &[u32],
        max_length: usize,
    ) -> Option<Self> {
        let mut end = 0_u32;
        let ends = lengths.iter().map(|length| {
            end = end.checked_add(*length)?;
            Some(end)
        });
        let ends: Box<[u32]> = ends.collect::<Option<_>>()?;
        let dictionary = match dictionary {
            Some(bytes) => Some(Dictionary::new(bytes.into())?),
            None => None,
        };
        (end as usize == data.len() && max_length <= MAX_JSON).then(|| Self {
            dictionary,
            data: data.into(),
            ends,
            max_length,
        })
    }

    /// Returns the length of the longest template.
    pub(super) fn max_length(&self) -> usize {
        self.max_length
    }

    fn stored(&self, row: usize) -> Option<&[u8]> {
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        self.data.get(start as usize..end as usize)
    }
}

impl TemplateReader {
    /// Returns the template of a row, or `None` if the row is damaged.
    pub(super) fn read<'a>(&'a mut self, rows: &'a JsonRows, row: usize) -> Option<&'a [u8]> {
        let stored = rows.stored(row)?;
        let Some(dictionary) = &rows.dictionary else {
            return (stored.len() <= rows.max_length).then_some(stored);
        };
        let context = match &mut self.context {
            Some(context) => context,
            None => self.context.insert(DCtx::try_create()?),
        };
        self.frame.clear();
        self.frame.extend_from_slice(&MAGIC);
        self.frame.extend_from_slice(stored);
        self.template.clear();
        self.template.reserve(rows.max_length);
        let result = context.decompress_using_ddict(&mut self.template, &self.frame, &dictionary.prepared);
        result.ok().filter(|_| self.template.len() <= rows.max_length)?;
        Some(&self.template)
    }
}

impl Dictionary {
    fn new(bytes: Box<[u8]>) -> Option<Self> {
        let prepared = DDict::try_create(&bytes)?;
        Some(Self { bytes, prepared })
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl JsonRowsBuilder {
    pub(super) fn new() -> Self {
        Self {
            dictionary: None,
            may_train: true,
            data: Vec::new(),
            ends: Vec::new(),
            pending: Vec::new(),
            pending_lengths: Vec::new(),
            max_length: 0,
        }
    }

    /// Returns the memory of the rows, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.data.len() + self.pending.len() + size_of_val(&*self.ends)
    }

    /// Appends the template of the next row. Returns `None` if it is too long.
    #[must_use]
    pub(super) fn push(&mut self, template: &[u8]) -> Option<()> {
        if template.len() > MAX_JSON {
            return None;
        }
        self.max_length = self.max_length.max(template.len());
        self.pending.extend_from_slice(template);
        self.pending_lengths.push(template.len());
        if self.dictionary.is_none() && self.may_train && self.pending_lengths.len() >= TRAINING_ROWS {
            self.dictionary = self.train();
            self.may_train = false;
        }
        if !self.may_train && self.pending_lengths.len() >= BATCH { self.store_pending() } else { Some(()) }
    }

    /// Returns the rows, without spare capacity. Returns `None` above 4 GiB.
    pub(super) fn finish(mut self) -> Option<JsonRows> {
        self.store_pending()?;
        let dictionary = match self.dictionary {
            Some((bytes, _)) => Some(Dictionary::new(bytes)?),
            None => None,
        };
        Some(JsonRows { dictionary, data: self.data.into(), ends: self.ends.into(), max_length: self.max_length })
    }

    fn train(&self) -> Option<(Box<[u8]>, CDict<'static>)> {
        let mut bytes = Vec::with_capacity(DICTIONARY_LENGTH);
        train_from_buffer(&mut bytes, &self.pending, &self.pending_lengths).ok()?;
        let prepared = CDict::try_create(&bytes, LEVEL)?;
        Some((bytes.into(), prepared))
    }

    /// Compresses the pending rows, if there is a dictionary.
    fn store_pending(&mut self) -> Option<()> {
        let (pending, lengths) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.pending_lengths));
        let mut context = match &self.dictionary {
            Some((_, dictionary)) => {
                let mut context = CCtx::try_create()?;
                context.set_parameter(CParameter::ContentSizeFlag(false)).ok()?;
                context.set_parameter(CParameter::DictIdFlag(false)).ok()?;
                context.ref_cdict(dictionary).ok()?;
                Some(context)
            }
            None => None,
        };
        let mut rest = &*pending;
        let mut frame = Vec::new();
        for length in lengths {
            let (template, others) = rest.split_at_checked(length)?;
            rest = others;
            match &mut context {
                Some(context) => {
                    frame.clear();
                    frame.reserve(compress_bound(length));
                    context.compress2(&mut frame, template).ok()?;
                    self.data.extend_from_slice(frame.strip_prefix(&MAGIC)?);
                }
                None => self.data.extend_from_slice(template),
            }
            self.ends.push(u32::try_from(self.data.len()).ok()?);
        }
        Some(())
    }
}

impl fmt::Debug for JsonRowsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonRowsBuilder").field("rows", &self.ends.len()).finish_non_exhaustive()
    }
}
