//! A map that holds a bounded number of entries and forgets those not touched for longest.

use std::collections::HashMap;
use std::hash::Hash;

/// Two generations: what is touched moves to the young one; when that is full it becomes the old one, and what was
/// old is forgotten. Every call costs the same, whatever strangers do.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation_max: usize,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// Holds at most `max` entries, and at least half of that of the newest.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation_max: (max / 2).max(1),
        }
    }

    /// The entry of this key, made by `new` if there is none.
    pub fn touch(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        if !self.young.contains_key(&key) && self.generation_max <= self.young.len() {
            self.old = std::mem::take(&mut self.young);
        }
        let old = self.old.remove(&key);
        self.young
            .entry(key)
            .or_insert_with(|| old.unwrap_or_else(new))
    }

    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.young.retain(&mut keep);
        self.old.retain(&mut keep);
    }
}
