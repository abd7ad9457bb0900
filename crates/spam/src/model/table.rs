//! Numbers by 32-bit key, found with one look at memory: open addressing over a power of two.

/// Keys with their numbers. The number zero is as good as no entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    /// Keys and numbers side by side, at least twice as many as entries; the key zero means free.
    slots: Vec<(u32, f32)>,
    /// How far a mixed key is shifted to be a slot.
    shift: u32,
    len: usize,
}

impl Table {
    /// The last of equal keys counts. The key 0 cannot be kept: it marks what is free.
    pub fn of(entries: impl ExactSizeIterator<Item = (u32, f32)>) -> Self {
        let slots = (entries.len() * 2).next_power_of_two().max(2);
        let mut table = Self {
            slots: vec![(0, 0.0); slots],
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
        let mask = self.slots.len() - 1;
        let mut at = self.slot(key);
        loop {
            match *self.slots.get(at)? {
                (0, _) => return None,
                (found, number) if found == key => return Some(number),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// All entries in the order of keys.
    pub fn entries(&self) -> Vec<(u32, f32)> {
        let taken = self.slots.iter().copied().filter(|(key, _)| *key != 0);
        let mut entries: Vec<(u32, f32)> = taken.collect();
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
        let mask = self.slots.len() - 1;
        let mut at = self.slot(key);
        // There is always a free slot: less than half are taken.
        while let Some((found, kept)) = self.slots.get_mut(at) {
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
