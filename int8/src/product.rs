//! Products of 8-bit rows and weights: the encoder spends nine tenths of its time here.
//!
//! Integers are added up in 32 bits without rounding, so the order of the work changes no bit.

use crate::activation::QuantisedRows;
use crate::lanes::{LANES, MultiplyBlocks, Pairs, Sums};
use crate::weight::{Columns, DEPTH, Line, PANEL, Weight};

/// Rows that are multiplied at a time: 6 × 4 sums, four weights and one input fill the 32 registers.
const BLOCK: usize = 6;

/// Rows of one block.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Row by row, `inputs` each.
    pub values: &'a [u8],
    pub scales: &'a [f32],
    pub zeros: &'a [i32],
}

/// The columns of one panel.
#[derive(Clone, Copy)]
pub struct Panel<'a> {
    pub inputs: usize,
    pub lines: &'a [Line],
    pub scales: &'a [f32],
    pub sums: &'a [Pairs],
    pub bias: &'a [f32],
    /// Lines of the next panel that each step of this block fetches…
    pub ahead: usize,
    /// …and how many blocks have fetched theirs before.
    pub share: usize,
}

/// `output = rows · weight + bias` of these columns, over the first numbers of rows that are `stride` apart.
#[inline(always)]
pub fn multiply_in_blocks<P: MultiplyBlocks>(
    rows: &QuantisedRows,
    weight: Columns<'_>,
    output: &mut [f32],
    stride: usize,
) {
    let count = rows.scales.len();
    let blocks = count.div_ceil(BLOCK);
    for number in 0..weight.outputs / PANEL {
        let columns = number * PANEL..(number + 1) * PANEL;
        let mut panel = Panel {
            inputs: weight.inputs,
            lines: &weight.lines[number * weight.inputs..(number + 1) * weight.inputs],
            scales: &weight.scales[columns.clone()],
            sums: &weight.sums[number * (PANEL / LANES)..(number + 1) * (PANEL / LANES)],
            bias: &weight.bias[columns.clone()],
            ahead: (PANEL / 16).div_ceil(blocks),
            share: 0,
        };
        for block in 0..blocks {
            // As even as can be: a block of one row would wait for each sum.
            let (first, end) = (block * count / blocks, (block + 1) * count / blocks);
            let rows = Rows {
                values: &rows.values[first * weight.inputs..end * weight.inputs],
                scales: &rows.scales[first..end],
                zeros: &rows.zeros[first..end],
            };
            let output = &mut output[first * stride + columns.start..];
            multiply_block::<P>(end - first, rows, panel, output, stride);
            panel.share += 1;
        }
    }
}

#[inline(always)]
fn multiply_block<P: MultiplyBlocks>(
    count: usize,
    rows: Rows<'_>,
    panel: Panel<'_>,
    output: &mut [f32],
    stride: usize,
) {
    match count {
        1 => P::multiply_block::<1>(rows, panel, output, stride),
        2 => P::multiply_block::<2>(rows, panel, output, stride),
        3 => P::multiply_block::<3>(rows, panel, output, stride),
        4 => P::multiply_block::<4>(rows, panel, output, stride),
        5 => P::multiply_block::<5>(rows, panel, output, stride),
        _ => P::multiply_block::<BLOCK>(rows, panel, output, stride),
    }
}

/// The first `count` of `rows` by the panel.
#[inline(always)]
pub fn multiply_portably(rows: Rows<'_>, panel: Panel<'_>, count: usize, output: &mut [f32], stride: usize) {
    for row in 0..count {
        let values = &rows.values[row * panel.inputs..(row + 1) * panel.inputs];
        let mut sums = [0_i32; PANEL];
        for (inputs, lines) in values.chunks_exact(DEPTH).zip(panel.lines.chunks_exact(PANEL / 16)) {
            for (line, sums) in lines.iter().zip(sums.chunks_exact_mut(16)) {
                for (weights, sum) in line.0.chunks_exact(DEPTH).zip(sums) {
                    for (input, weight) in inputs.iter().zip(weights) {
                        *sum += i32::from(*input) * i32::from(*weight);
                    }
                }
            }
        }
        let [first, second] = Weight::without_zero(rows.zeros[row]).map(i32::from);
        for (column, sum) in sums.into_iter().enumerate() {
            let [low, high] = panel.sums[column / LANES].0[column % LANES].map(i32::from);
            let product = (sum + low * first + high * second) as f32;
            output[row * stride + column] =
                (product * rows.scales[row]).mul_add(panel.scales[column], panel.bias[column]);
        }
    }
}

/// The same with AVX-512 and VNNI.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
#[expect(unsafe_code, reason = "unaligned reads of four inputs and aligned ones of lines")]
pub fn multiply_avx512<const ROWS: usize>(
    rows: Rows<'_>,
    panel: Panel<'_>,
    output: &mut [f32],
    stride: usize,
) {
    use std::arch::x86_64::*;

    const VECTORS: usize = PANEL / 16;
    let Rows { values, scales, zeros } = rows;
    let Panel { inputs, lines, .. } = panel;
    assert!(values.len() == ROWS * inputs && scales.len() == ROWS && zeros.len() == ROWS);
    assert!(lines.len() == inputs && inputs.is_multiple_of(DEPTH));
    assert!(panel.scales.len() == PANEL && panel.sums.len() == VECTORS && panel.bias.len() == PANEL);
    assert!(output.len() >= (ROWS - 1) * stride + PANEL);

    // The next panel follows this one in memory; short texts would wait for it.
    let next = lines.as_ptr().wrapping_add(inputs + panel.share * panel.ahead * (inputs / DEPTH));
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; ROWS];
    for step in 0..inputs / DEPTH {
        let mut weights = [_mm512_setzero_si512(); VECTORS];
        for vector in 0..VECTORS {
            // SAFETY: there are `VECTORS` lines for each step, see above.
            weights[vector] =
                unsafe { _mm512_load_si512(lines.as_ptr().add(step * VECTORS + vector).cast()) };
        }
        for line in 0..panel.ahead {
            // A hint: nothing is read, so that the address may lie beyond the last panel.
            _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(step * panel.ahead + line).cast());
        }
        for row in 0..ROWS {
            // SAFETY: there are `inputs` values for each row, see above.
            let input =
                unsafe { values.as_ptr().add(row * inputs + step * DEPTH).cast::<i32>().read_unaligned() };
            let input = _mm512_set1_epi32(input);
            for vector in 0..VECTORS {
                sums[row][vector] = _mm512_dpbusd_epi32(sums[row][vector], input, weights[vector]);
            }
        }
    }
    for vector in 0..VECTORS {
        let column = vector * 16;
        // SAFETY: both have `PANEL` columns, see above.
        let (scale, bias) = unsafe {
            (
                _mm512_loadu_ps(panel.scales.as_ptr().add(column)),
                _mm512_loadu_ps(panel.bias.as_ptr().add(column)),
            )
        };
        for row in 0..ROWS {
            let sum = sums[row][vector].add_products(&panel.sums[vector], Weight::without_zero(zeros[row]));
            let product = sum.to_floats();
            let product = _mm512_mul_ps(product, _mm512_set1_ps(scales[row]));
            let product = _mm512_fmadd_ps(product, scale, bias);
            // SAFETY: `output` has the panel's columns of each row, see above.
            unsafe { _mm512_storeu_ps(output.as_mut_ptr().add(row * stride + column), product) };
        }
    }
}
