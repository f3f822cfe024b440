//! Sets of small numbers, one bit each.

/// Set of the numbers below a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Box<[u64]>);

/// Set of numbers that finds its n-th member and counts the members below a
/// number.
#[derive(Debug)]
pub(super) struct RankedBits {
    bits: Bits,
    /// The number of members before each block of [`BLOCK`] words.
    before: Box<[u32]>,
    len: usize,
}

const WORD: usize = 64;

/// Number of words that a lookup counts one by one at most.
const BLOCK: usize = 8;

impl Bits {
    /// Returns the empty set of numbers below `bound`.
    pub(super) fn new(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(WORD)].into())
    }

    /// Returns the set of all numbers below `bound`.
    pub(super) fn full(bound: usize) -> Self {
        let mut words = vec![u64::MAX; bound.div_ceil(WORD)];
        if let (Some(last), 1..) = (words.last_mut(), bound % WORD) {
            *last = (1 << (bound % WORD)) - 1;
        }
        Self(words.into())
    }

    /// Returns true if the set has a number.
    #[inline]
    pub(super) fn contains(&self, number: usize) -> bool {
        self.0.get(number / WORD).is_some_and(|word| word >> (number % WORD) & 1 == 1)
    }

    /// Adds a number below the bound. Returns false if the set had it.
    #[inline]
    pub(super) fn insert(&mut self, number: usize) -> bool {
        let Some(word) = self.0.get_mut(number / WORD) else { return false };
        let bit = 1 << (number % WORD);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Adds the members of a word, whose first bit is `first`. The set's bound is
    /// above all of them.
    #[inline]
    pub(super) fn insert_word(&mut self, first: usize, word: u64) {
        let (index, shift) = (first / WORD, first % WORD);
        if let Some(low) = self.0.get_mut(index) {
            *low |= word << shift;
        }
        if let (1.., Some(high)) = (shift, self.0.get_mut(index + 1)) {
            *high |= word >> (WORD - shift);
        }
    }

    /// Removes the numbers that another set of the same bound lacks.
    pub(super) fn retain_common(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// Removes the numbers that another set of the same bound has.
    pub(super) fn remove_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }

    /// Removes all numbers.
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Removes the numbers whose value does not match. `values` has one value for
    /// each number below the bound.
    #[inline]
    pub(super) fn retain_matching<T: Copy>(&mut self, values: &[T], matches: impl Fn(T) -> bool) {
        for (word, values) in self.0.iter_mut().zip(values.chunks(WORD)) {
            let bits =
                values.iter().enumerate().fold(0, |bits, (index, value)| bits | u64::from(matches(*value)) << index);
            *word &= bits;
        }
    }

    /// Returns the number of members.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Returns the members in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words().flat_map(|(first, word)| members(word).map(move |index| first + index))
    }

    /// Returns the words that have members, each with its first number.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().enumerate().filter(|(_, word)| **word != 0).map(|(index, word)| (index * WORD, *word))
    }

    /// Returns the memory of the set, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

impl RankedBits {
    /// Prepares a set for lookups.
    pub(super) fn new(bits: Bits) -> Self {
        let mut len = 0;
        let before = bits.0.chunks(BLOCK).map(|words| {
            let before = len;
            len += words.iter().map(|word| word.count_ones()).sum::<u32>();
            before
        });
        let before = before.collect();
        Self { bits, before, len: len as usize }
    }

    /// Returns the number of members.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the member that has `index` smaller members.
    pub(super) fn get(&self, index: usize) -> Option<usize> {
        let block = self.before.partition_point(|before| *before as usize <= index).checked_sub(1)?;
        let mut rest = index - self.before[block] as usize;
        for (number, word) in self.bits.0.iter().enumerate().skip(block * BLOCK).take(BLOCK) {
            let count = word.count_ones() as usize;
            if rest < count {
                return Some(number * WORD + members(*word).nth(rest)?);
            }
            rest -= count;
        }
        None
    }

    /// Returns the number of members below a number.
    pub(super) fn count_below(&self, number: usize) -> usize {
        let (word, bit) = (number / WORD, number % WORD);
        let Some(&before) = self.before.get(word / BLOCK) else { return self.len };
        let block = &self.bits.0[word / BLOCK * BLOCK..word.min(self.bits.0.len())];
        let whole: u32 = block.iter().map(|word| word.count_ones()).sum();
        let part = self.bits.0.get(word).map_or(0, |word| (word & ((1 << bit) - 1)).count_ones());
        (before + whole + part) as usize
    }

    /// Returns the memory of the set, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bits.bytes() + size_of_val(&*self.before)
    }
}

/// Returns the indexes of the bits that are set.
fn members(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = word.trailing_zeros() as usize;
        (word != 0).then(|| {
            word &= word - 1;
            index
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    fn set(numbers: &BTreeSet<usize>, bound: usize) -> Bits {
        let mut bits = Bits::new(bound);
        assert!(numbers.iter().all(|number| bits.insert(*number)));
        bits
    }

    proptest! {
        #[test]
        fn set_behaves_like_a_tree(numbers in btree_set(0..1500_usize, 0..400), probe in 0..1600_usize) {
            let bits = set(&numbers, 1500);
            prop_assert_eq!(bits.iter().collect::<BTreeSet<_>>(), numbers.clone());
            prop_assert_eq!((bits.count(), bits.contains(probe)), (numbers.len(), numbers.contains(&probe)));
            let mut rest = Bits::full(1500);
            rest.remove_all(&bits);
            prop_assert_eq!(rest.count(), 1500 - numbers.len());

            let ranked = RankedBits::new(bits);
            let members: Vec<_> = (0..ranked.len()).map_while(|index| ranked.get(index)).collect();
            prop_assert_eq!(members, numbers.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ranked.get(numbers.len()), None);
            prop_assert_eq!(ranked.count_below(probe), numbers.range(..probe).count());
        }

        #[test]
        fn word_is_inserted_at_any_bit(first in 0..1000_usize, word: u64) {
            let mut bits = Bits::new(first + 64);
            bits.insert_word(first, word);
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), members(word).map(|bit| first + bit).collect::<Vec<_>>());
        }
    }
}
