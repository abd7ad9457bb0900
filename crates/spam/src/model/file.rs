//! The model as a file: a line that says what it is, a few numbers, then entries sorted by key: the distance to the key
//! before in seven-bit pieces, and a number of 16 bits that is multiplied by the table's step.

use super::table::Table;
use super::{Calibration, Model};

const MAGIC: &[u8] = b"postroad spam model 1\n";

/// More entries than this are no model of ours.
const ENTRIES_MAX: usize = 1_500_000;

/// A file that is no model of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a model that this version can read: {0}")]
pub struct ModelError(&'static str);

impl Model {
    /// Reads what training wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(ModelError("it begins otherwise"))?;
        let mut reader = Reader { rest };
        let bias = reader.float()?;
        let calibration = Calibration {
            slope: reader.float()?,
            offset: reader.float()?,
        };
        let weights = reader.table()?;
        let common = reader.table()?;
        if !reader.rest.is_empty() {
            return Err(ModelError("something follows its end"));
        }
        Ok(Self {
            weights,
            bias,
            calibration,
            common,
        })
    }

    /// What [`Model::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for number in [self.bias, self.calibration.slope, self.calibration.offset] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        push_table(&mut out, &self.weights);
        push_table(&mut out, &self.common);
        out
    }

    /// As it will be after a journey through a file: with numbers of 16 bits.
    pub fn rounded(&self) -> Self {
        Self::from_bytes(&self.to_bytes()).unwrap_or_default()
    }
}

fn push_table(out: &mut Vec<u8>, table: &Table) {
    let entries = table.entries();
    let largest = entries
        .iter()
        .map(|(_, number)| number.abs())
        .fold(0.0, f32::max);
    let step = if largest > 0.0 {
        largest / f32::from(i16::MAX)
    } else {
        1.0
    };
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&step.to_le_bytes());
    let mut before = 0;
    for (key, number) in entries {
        let mut distance = key - before;
        before = key;
        while distance >= 128 {
            out.push((distance & 127) as u8 | 128);
            distance >>= 7;
        }
        out.push(distance as u8);
        let stepped = (number / step).round().clamp(-32_767.0, 32_767.0) as i16;
        out.extend_from_slice(&stepped.to_le_bytes());
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(ModelError("it is cut short"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn float(&mut self) -> Result<f32, ModelError> {
        let number = f32::from_le_bytes(self.take()?);
        if number.is_finite() {
            Ok(number)
        } else {
            Err(ModelError("a number is none"))
        }
    }

    fn table(&mut self) -> Result<Table, ModelError> {
        let count = u32::from_le_bytes(self.take()?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        // Three bytes each at least.
        if count > ENTRIES_MAX || count * 3 > self.rest.len() {
            return Err(ModelError("it has too many entries"));
        }
        let step = self.float()?;
        let mut entries = Vec::with_capacity(count);
        let mut key = 0_u32;
        for _ in 0..count {
            key = key
                .checked_add(self.distance()?)
                .ok_or(ModelError("its keys overflow"))?;
            let stepped = i16::from_le_bytes(self.take()?);
            entries.push((key, f32::from(stepped) * step));
        }
        Ok(Table::of(entries.into_iter()))
    }

    fn distance(&mut self) -> Result<u32, ModelError> {
        let mut distance = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            distance |= u32::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(distance);
            }
        }
        Err(ModelError("a key is too long"))
    }
}
