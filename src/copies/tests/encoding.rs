//! Tests of the encodings.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::model::{ModelRow, assert_rows, page, rows, walk};
use crate::copies::{DecodeError, Segment, SegmentId, StoredList};

/// Encodes and decodes a list.
fn transferred(list: &StoredList) -> StoredList {
    let segments: HashMap<SegmentId, Vec<u8>> =
        list.segments().map(|segment| (segment.id(), segment.to_bytes())).collect();
    let segment = |id| {
        let segment = Segment::from_bytes(segments.get(&id)?).unwrap();
        assert_eq!(segment.id(), id);
        Some(Arc::new(segment))
    };
    StoredList::from_parts(&list.manifest_to_bytes(), segment).unwrap()
}

/// Reads all of a list, which must not panic.
fn read(list: &StoredList) {
    let rows: Vec<_> = (0..list.len()).filter_map(|rank| list.order.rows().get(rank).copied()).collect();
    assert_eq!(list.page(rows.iter().copied()).len(), list.len());
    for row in rows {
        assert!(list.find(list.id(row)).is_some());
        let _ = list.anchor_at(list.rank(row).unwrap());
    }
}

/// Returns rows that are enough for a dictionary.
fn many() -> Vec<ModelRow> {
    let row = |number: usize| ModelRow {
        name: Some(format!("Name {number}")),
        status: (!number.is_multiple_of(3)).then(|| "active".to_owned()),
        is_unread: number.is_multiple_of(5),
        ..ModelRow::new(&format!("customer_{number:06}"))
    };
    (0..1_100).map(row).collect()
}

proptest! {
    #[test]
    fn decoded_list_equals_the_list(first in rows(20), second in rows(20), third in rows(5)) {
        let (list, _) = walk(&first, 4, None);
        let (list, _) = walk(&second, 4, Some(Arc::new(list)));
        let list = list.with_newest(&page(&third), 0..third.len()).map_or(list, |(list, _)| list);
        let decoded = transferred(&list);
        let rows: Vec<_> = list.order.rows().iter().map(|row| list.id(*row).to_owned()).collect();
        let decoded_rows: Vec<_> = decoded.order.rows().iter().map(|row| decoded.id(*row).to_owned()).collect();
        prop_assert_eq!(rows, decoded_rows);
        prop_assert_eq!(list.page(list.order.rows().iter().copied()), decoded.page(decoded.order.rows().iter().copied()));
        prop_assert_eq!((&list.marks, list.dropped), (&decoded.marks, decoded.dropped));
        // An edit may lose a trend that decoding finds again.
        prop_assert!(decoded.trend.ascends || !list.trend.ascends);
        prop_assert!(decoded.trend.descends || !list.trend.descends);
        prop_assert_eq!(list.manifest_to_bytes(), decoded.manifest_to_bytes());
    }

    #[test]
    fn mutated_segment_does_not_panic(rows in rows(12), changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let (list, _) = walk(&rows, 4, None);
        for segment in list.segments() {
            let mut bytes = segment.to_bytes();
            for (index, byte) in &changes {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            if let Ok(segment) = Segment::from_bytes(&bytes) {
                let rows = (0..segment.len()).map(|row| crate::copies::RowRef::new(0, row)).collect();
                read(&StoredList::new(&[Arc::new(segment)], rows, list.marks.clone(), list.dropped));
            }
        }
    }

    #[test]
    fn mutated_manifest_does_not_panic(first in rows(12), second in rows(12), changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        let (list, _) = walk(&first, 4, None);
        let (list, _) = walk(&second, 4, Some(Arc::new(list)));
        let segments: HashMap<_, _> = list.segments().map(|segment| (segment.id(), Arc::clone(segment))).collect();
        let mut bytes = list.manifest_to_bytes();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(list) = StoredList::from_parts(&bytes, |id| segments.get(&id).cloned()) {
            read(&list);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(mut bytes in vec(any::<u8>(), 0..300)) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        let _ = (Segment::from_bytes(&bytes), StoredList::from_parts(&bytes, |_| None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn mutated_compressed_segment_does_not_panic(changes in vec((any::<Index>(), any::<u8>()), 1..4)) {
        static BYTES: LazyLock<Vec<u8>> =
            LazyLock::new(|| walk(&many(), 100, None).0.segments().next().unwrap().to_bytes());
        let mut bytes = BYTES.clone();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let _ = Segment::from_bytes(&bytes);
    }
}

#[test]
fn compressed_list_is_transferred() {
    let rows = many();
    assert_rows(&transferred(&walk(&rows, 100, None).0), &rows);
}

#[test]
fn truncated_and_other_encodings_are_rejected() {
    let (list, _) = walk(&many()[..9], 3, None);
    let segment = Arc::clone(list.segments().next().unwrap());
    let (bytes, manifest) = (segment.to_bytes(), list.manifest_to_bytes());
    let decode = |manifest: &[u8]| StoredList::from_parts(manifest, |_| Some(Arc::clone(&segment))).map(|_| ());
    for length in 0..bytes.len() {
        assert_eq!(Segment::from_bytes(&bytes[..length]).unwrap_err(), DecodeError::Damaged);
    }
    for length in 0..manifest.len() {
        assert_eq!(decode(&manifest[..length]), Err(DecodeError::Damaged));
    }
    assert_eq!(decode(&[&*manifest, &[0]].concat()), Err(DecodeError::Damaged));
    assert_eq!(Segment::from_bytes(&[&*bytes, &[0]].concat()).unwrap_err(), DecodeError::Damaged);
    assert_eq!(Segment::from_bytes(&[9]).unwrap_err(), DecodeError::Version(9));
    assert_eq!(decode(&[9]), Err(DecodeError::Version(9)));
    assert_eq!(StoredList::from_parts(&manifest, |_| None).unwrap_err(), DecodeError::MissingSegment);
}
