//! Unpacks bzip2, block by block, never holding more than one block (900 kB, as four times as many bytes).
//! After the description of the format by Joe Tsai; sums are not checked, since nothing is kept of it.

use std::io::{self, Read};

const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
/// Of one Huffman code.
const CODE_BITS_MAX: usize = 20;
/// Symbols that are coded with one table before the next selector counts.
const GROUP: usize = 50;
/// What the largest block needs; further ones are read and ignored, as the original does.
const SELECTORS_MAX: usize = 18_002;

/// As a reader of what is packed in `bytes`, streams that follow one another included.
pub(super) struct Bzip2<'b> {
    bits: Bits<'b>,
    block_bytes: usize,
    /// Each: a byte in the lowest eight bits, and where the next one stands.
    block: Vec<u32>,
    at: u32,
    left: usize,
    last: Option<u8>,
    /// How often `last` came.
    run: u8,
    /// How often it is still to come.
    repeat: u8,
}

impl<'b> Bzip2<'b> {
    /// `None` if it is not bzip2.
    pub(super) fn new(bytes: &'b [u8]) -> Option<Self> {
        let mut bits = Bits::new(bytes);
        let block_bytes = head(&mut bits)?;
        Some(Self {
            bits,
            block_bytes,
            block: Vec::new(),
            at: 0,
            left: 0,
            last: None,
            run: 0,
            repeat: 0,
        })
    }

    /// Whether there is another block; `None` if it is broken.
    fn next(&mut self) -> Option<bool> {
        loop {
            match self.bits.take(48)? {
                BLOCK => break,
                END => {
                    self.bits.take(32)?;
                    self.bits.align();
                    let Some(bytes) = head(&mut self.bits) else {
                        return Some(false);
                    };
                    self.block_bytes = bytes;
                }
                _ => return None,
            }
        }
        self.bits.take(32)?;
        let is_randomised = self.bits.take(1)? == 1;
        let origin = usize::try_from(self.bits.take(24)?).ok()?;
        if is_randomised {
            return None;
        }
        let counts = self.symbols()?;
        // Where each byte's first is in the sorted block; then who follows whom.
        let mut starts = [0_usize; 256];
        let mut sum = 0;
        for (start, count) in starts.iter_mut().zip(counts) {
            *start = sum;
            sum += count;
        }
        for at in 0..self.block.len() {
            let byte = usize::from(self.block[at] as u8);
            let place = starts[byte];
            starts[byte] += 1;
            *self.block.get_mut(place)? |= u32::try_from(at).ok()? << 8;
        }
        self.at = self.block.get(origin)? >> 8;
        self.left = self.block.len();
        (self.last, self.run) = (None, 0);
        Some(true)
    }

    /// Reads a block's tables and fills it with its bytes, in sorted order; how many there are of each.
    fn symbols(&mut self) -> Option<[usize; 256]> {
        let mut used = used(&mut self.bits)?;
        let tables = usize::try_from(self.bits.take(3)?).ok()?;
        let selectors = selectors(&mut self.bits, tables)?;
        let alphabet = used.len() + 2;
        let tables: Vec<Huffman> = (0..tables)
            .map(|_| Huffman::read(&mut self.bits, alphabet))
            .collect::<Option<_>>()?;
        self.block.clear();
        let mut counts = [0_usize; 256];
        let (mut run, mut step) = (0_usize, 1_usize);
        for selector in selectors {
            let table = tables.get(usize::from(selector))?;
            for _ in 0..GROUP {
                let symbol = table.symbol(&mut self.bits)?;
                if symbol < 2 {
                    // A run of the front byte, its length in a number of two digits, 1 and 2.
                    run = run.checked_add(step << symbol)?;
                    step = step.checked_mul(2)?;
                    if self.block_bytes < run {
                        return None;
                    }
                    continue;
                }
                if 0 < run {
                    let byte = *used.first()?;
                    self.fill(byte, run, &mut counts)?;
                    (run, step) = (0, 1);
                }
                if symbol == alphabet - 1 {
                    return Some(counts);
                }
                let place = symbol - 1;
                let byte = *used.get(place)?;
                used.copy_within(..place, 1);
                used[0] = byte;
                self.fill(byte, 1, &mut counts)?;
            }
        }
        None
    }

    fn fill(&mut self, byte: u8, many: usize, counts: &mut [usize; 256]) -> Option<()> {
        let length = self.block.len() + many;
        if self.block_bytes < length {
            return None;
        }
        counts[usize::from(byte)] += many;
        self.block.resize(length, u32::from(byte));
        Some(())
    }

    /// Undoes the sorting and the runs of four and more.
    fn put(&mut self, out: &mut [u8]) -> Option<usize> {
        let mut many = 0;
        while many < out.len() {
            if 0 < self.repeat {
                self.repeat -= 1;
                out[many] = self.last?;
                many += 1;
                continue;
            }
            if self.left == 0 {
                break;
            }
            let next = *self.block.get(usize::try_from(self.at).ok()?)?;
            let byte = next as u8;
            self.at = next >> 8;
            self.left -= 1;
            if self.run == 4 {
                (self.repeat, self.run) = (byte, 0);
                continue;
            }
            self.run = match self.last == Some(byte) && 0 < self.run {
                true => self.run + 1,
                false => 1,
            };
            self.last = Some(byte);
            out[many] = byte;
            many += 1;
        }
        Some(many)
    }
}

impl Read for Bzip2<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
        loop {
            let many = self.put(out).ok_or_else(broken)?;
            if 0 < many || out.is_empty() {
                return Ok(many);
            }
            if !self.next().ok_or_else(broken)? {
                self.block = Vec::new();
                return Ok(0);
            }
        }
    }
}

/// The head of a stream: how large its blocks are.
fn head(bits: &mut Bits<'_>) -> Option<usize> {
    let is_named = bits.take(24)? == 0x42_5a68;
    let digit = usize::try_from(bits.take(8)?).ok()?.checked_sub(0x30)?;
    (is_named && (1..=9).contains(&digit)).then_some(digit * 100_000)
}

/// Which bytes occur: a map of maps.
fn used(bits: &mut Bits<'_>) -> Option<Vec<u8>> {
    let groups = bits.take(16)?;
    let mut used = Vec::new();
    for group in 0..16_u8 {
        if groups >> (15 - group) & 1 == 0 {
            continue;
        }
        let map = bits.take(16)?;
        used.extend(
            (0..16)
                .filter(|bit| map >> (15 - bit) & 1 == 1)
                .map(|bit| group * 16 + bit),
        );
    }
    (!used.is_empty()).then_some(used)
}

fn selectors(bits: &mut Bits<'_>, tables: usize) -> Option<Vec<u8>> {
    let many = usize::try_from(bits.take(15)?).ok()?;
    let mut order: Vec<u8> = (0..6).collect();
    order.truncate(tables);
    if !(2..=6).contains(&tables) {
        return None;
    }
    let mut selectors = Vec::with_capacity(many.min(SELECTORS_MAX));
    for _ in 0..many {
        let mut place = 0;
        while bits.take(1)? == 1 {
            place += 1;
        }
        let table = *order.get(place)?;
        order.copy_within(..place, 1);
        order[0] = table;
        if selectors.len() < SELECTORS_MAX {
            selectors.push(table);
        }
    }
    Some(selectors)
}

/// A canonical Huffman code.
struct Huffman {
    /// For each length: the first code, how many there are, and where their symbols begin.
    lengths: [(usize, usize, usize); CODE_BITS_MAX + 1],
    symbols: Vec<usize>,
}

impl Huffman {
    fn read(bits: &mut Bits<'_>, alphabet: usize) -> Option<Self> {
        let mut of_symbols = Vec::with_capacity(alphabet);
        let mut length = usize::try_from(bits.take(5)?).ok()?;
        for _ in 0..alphabet {
            while bits.take(1)? == 1 {
                length = match bits.take(1)? {
                    0 => length + 1,
                    _ => length.checked_sub(1)?,
                };
            }
            if !(1..=CODE_BITS_MAX).contains(&length) {
                return None;
            }
            of_symbols.push(length);
        }
        let mut lengths = [(0, 0, 0); CODE_BITS_MAX + 1];
        let mut symbols = Vec::with_capacity(alphabet);
        let mut code = 0;
        for (length, entry) in lengths.iter_mut().enumerate().skip(1) {
            let start = symbols.len();
            let of_length = of_symbols.iter().enumerate();
            symbols.extend(
                of_length
                    .filter(|(_, its)| **its == length)
                    .map(|(symbol, _)| symbol),
            );
            *entry = (code, symbols.len() - start, start);
            code = (code + symbols.len() - start) << 1;
        }
        Some(Self { lengths, symbols })
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let mut code = 0;
        for (first, many, start) in &self.lengths[1..] {
            code = code << 1 | usize::try_from(bits.take(1)?).ok()?;
            if let Some(place) = code.checked_sub(*first)
                && place < *many
            {
                return self.symbols.get(start + place).copied();
            }
        }
        None
    }
}

/// Bits, the highest of each byte first.
struct Bits<'b> {
    rest: &'b [u8],
    held: u64,
    many: u32,
}

impl<'b> Bits<'b> {
    fn new(rest: &'b [u8]) -> Self {
        Self {
            rest,
            held: 0,
            many: 0,
        }
    }

    /// Up to 48 of them.
    fn take(&mut self, many: u32) -> Option<u64> {
        while self.many < many {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            self.held = self.held << 8 | u64::from(*byte);
            self.many += 8;
        }
        self.many -= many;
        Some(self.held >> self.many & ((1 << many) - 1))
    }

    /// To the next whole byte.
    fn align(&mut self) {
        self.many -= self.many % 8;
    }
}
