//! Numbers by 32-bit key, found with one look at memory: open addressing over a power of two.

/// Keys with their numbers. The number zero is as good as no entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    /// At least twice as many slots as entries; nothing of zero means free.
    keys: Vec<u32>,
    numbers: Vec<f32>,
    /// How far a mixed key is shifted to be a slot.
    shift: u32,
    len: usize,
}

impl Table {
    /// The last of equal keys counts. The key 0 cannot be kept: it marks what is free.
    pub fn of(entries: impl ExactSizeIterator<Item = (u32, f32)>) -> Self {
        let slots = (entries.len() * 2).next_power_of_two().max(2);
        let mut table = Self {
            keys: vec![0; slots],
            numbers: vec![0.0; slots],
            shift: 32 - slots.trailing_zeros().min(31),
            len: 0,
        };
        for (key, number) in entries {
            table.put(key, number);
        }
        table
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn get(&self, key: u32) -> Option<f32> {
        if key == 0 || self.len == 0 {
            return None;
        }
        let mask = self.keys.len() - 1;
        let mut at = self.slot(key);
        loop {
            match *self.keys.get(at)? {
                0 => return None,
                found if found == key => return self.numbers.get(at).copied(),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// All entries in the order of keys.
    pub fn entries(&self) -> Vec<(u32, f32)> {
        let pairs = self.keys.iter().copied().zip(self.numbers.iter().copied());
        let mut entries: Vec<(u32, f32)> = pairs.filter(|(key, _)| *key != 0).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }

    fn slot(&self, key: u32) -> usize {
        usize::try_from(key.wrapping_mul(0x9e37_79b1) >> self.shift).unwrap_or_default()
    }

    fn put(&mut self, key: u32, number: f32) {
        if key == 0 {
            return;
        }
        let mask = self.keys.len() - 1;
        let mut at = self.slot(key);
        // There is always a free slot: less than half are taken.
        while let (Some(found), Some(kept)) = (self.keys.get_mut(at), self.numbers.get_mut(at)) {
            if *found == 0 || *found == key {
                self.len += usize::from(*found == 0);
                *found = key;
                *kept = number;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}
