//! Vectors as 16-bit integers with a scale for each, the high bytes apart from the low ones: most rows are compared by the high bytes (a
//! quarter of 32-bit floats), and few by both.

use crate::Instructions;
use crate::kernels;

/// The largest absolute value of a stored integer: its high byte is at most 127 then, rounded.
const LARGEST: f32 = 127.0 * 256.0;
/// What is added to the high bytes, which are unsigned in memory.
const BIAS: i32 = 128;
/// Rows begin at multiples of so many components.
const ALIGNMENT: usize = 64;

/// How many components a row of this dimension has in memory: the rest are zero.
pub fn stride(dimension: usize) -> usize {
    dimension.next_multiple_of(ALIGNMENT)
}

/// A vector as integers.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// What an integer stands for.
    pub scale: f32,
    /// Each plus 128.
    pub high: Vec<u8>,
    /// As two's complement.
    pub low: Vec<u8>,
}

/// A vector as integers, [`stride`] of them; components are off by half a `scale` at most, which is the largest component divided by 65,024.
pub fn encode(vector: &[f32]) -> Encoded {
    let (scale, integers) = integers(vector);
    let high = |value: i16| (i32::from(value) + BIAS) >> 8;
    Encoded {
        scale,
        high: integers.iter().map(|value| (high(*value) + BIAS) as u8).collect(),
        low: integers.iter().map(|value| (i32::from(*value) - high(*value) * 256) as u8).collect(),
    }
}

fn integers(vector: &[f32]) -> (f32, Vec<i16>) {
    let largest = vector.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let scale = largest / LARGEST;
    let mut integers: Vec<_> = vector.iter().map(|value| (value / scale).round() as i16).collect();
    integers.resize(stride(vector.len()), 0);
    (scale, integers)
}

/// A vector as rows are compared with it.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) integers: Vec<i16>,
    pub(crate) bytes: Vec<i8>,
    scale: f32,
    /// What the bias of the rows' high bytes adds to each product.
    bias: i32,
}

impl Query {
    pub fn new(vector: &[f32]) -> Self {
        let (scale, integers) = integers(vector);
        let bytes: Vec<_> = integers.iter().map(|value| (f32::from(*value) / 256.0).round() as i8).collect();
        let bias = BIAS * bytes.iter().map(|byte| i32::from(*byte)).sum::<i32>();
        Self { integers, bytes, scale, bias }
    }
}

/// Rows, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    stride: usize,
    pub(crate) high: &'a [u8],
    pub(crate) low: &'a [u8],
    scales: &'a [f32],
}

impl<'a> Planes<'a> {
    /// Over rows of vectors with `dimension` components, as [`encode`] makes them.
    ///
    /// # Panics
    /// When the planes do not have as many rows as there are scales.
    pub fn new(dimension: usize, high: &'a [u8], low: &'a [u8], scales: &'a [f32]) -> Self {
        let stride = stride(dimension);
        assert!(
            high.len() == scales.len() * stride && low.len() == high.len(),
            "rows of {stride} components"
        );
        Self { stride, high, low, scales }
    }

    pub(crate) fn high_of(&self, row: usize) -> &'a [u8] {
        &self.high[row * self.stride..][..self.stride]
    }

    pub(crate) fn low_of(&self, row: usize) -> &'a [u8] {
        &self.low[row * self.stride..][..self.stride]
    }

    /// Sets `cosines` to those of `rows` with the query by the high bytes; off by some 5e-4.
    ///
    /// # Panics
    /// When there is no such row, or the query has another dimension.
    pub fn coarse(&self, instructions: Instructions, query: &Query, rows: &[u32], cosines: &mut Vec<f32>) {
        assert_eq!(query.bytes.len(), self.stride, "the dimension");
        cosines.clear();
        kernels::products_of_bytes(instructions, self, &query.bytes, rows, |row, product| {
            let scale = (self.scales[row] * 256.0) * (query.scale * 256.0);
            cosines.push((product - query.bias) as f32 * scale);
        });
    }

    /// Sets `cosines` to those of `rows` with the query by both bytes; off by some 1e-5.
    ///
    /// # Panics
    /// When there is no such row, or the query has another dimension.
    pub fn fine(&self, instructions: Instructions, query: &Query, rows: &[u32], cosines: &mut Vec<f32>) {
        assert_eq!(query.integers.len(), self.stride, "the dimension");
        cosines.clear();
        kernels::products(instructions, self, &query.integers, rows, |row, product| {
            let scale = f64::from(self.scales[row]) * f64::from(query.scale);
            cosines.push((product as f64 * scale) as f32);
        });
    }

    /// The high and the low bytes of a row, to be copied.
    pub fn bytes(&self, row: usize) -> (&'a [u8], &'a [u8]) {
        (self.high_of(row), self.low_of(row))
    }

    /// The vector of a row, to the precision of what is stored.
    pub fn vector(&self, row: usize, dimension: usize) -> Vec<f32> {
        let (high, low, scale) = (self.high_of(row), self.low_of(row), self.scales[row]);
        let value = |(high, low): (&u8, &u8)| f32::from(integer(*high, *low)) * scale;
        high.iter().zip(low).map(value).take(dimension).collect()
    }
}

/// The integer that the two bytes are of.
#[inline(always)]
pub(crate) fn integer(high: u8, low: u8) -> i16 {
    ((i32::from(high) - BIAS) * 256 + i32::from(low as i8)) as i16
}
