//! x86-64 with AMX: products of whole tiles, sixteen rows by sixteen columns at a time.
//!
//! A tile is a register of sixteen rows of 64 bytes. The instructions have no intrinsics in stable Rust, so they stand here
//! as assembly. The kernel must let a process use tiles, which it is asked for once.
#![expect(unsafe_code, reason = "assembly and intrinsics; `Amx` is only used where the processor has them")]

use std::arch::{asm, x86_64::*};
use std::ops::Range;
use std::sync::OnceLock;

use crate::activation::QuantisedRows;
use crate::avx512::Avx512;
use crate::lanes::{LANES, Processor, Sums, Vector};
use crate::weight::{Columns, PANEL, Weight};

/// x86-64 with AVX-512, VNNI and AMX for 8-bit integers.
#[derive(Clone, Copy)]
pub struct Amx;

/// Rows, and bytes of a row, of a full tile.
const TILE_ROWS: usize = 16;
const TILE_BYTES: usize = 64;
/// Rows of input that are multiplied at a time: two tiles of them and two of weights feed four of sums.
const BLOCK: usize = 2 * TILE_ROWS;
/// Columns of two tiles of sums.
const COLUMNS: usize = 2 * LANES;
/// Bytes from one step of four inputs to the next in a panel: 64 columns by four inputs.
const STEP_BYTES: usize = PANEL * 4;
/// Bytes of a panel that one product of tiles reads: 64 inputs.
const DEPTH_BYTES: usize = TILE_ROWS * STEP_BYTES;
const CACHE_LINE: usize = 64;

/// The sums of one block, row by row: 32 rows of 32 columns, or 16 of 64.
#[repr(C, align(64))]
struct SumsOfBlock([i32; BLOCK * COLUMNS]);

impl Amx {
    /// Whether the processor has the instructions and the kernel lets this process use them. Looking costs a system call,
    /// so the answer is kept for the process.
    pub fn is_here() -> bool {
        static IS_HERE: OnceLock<bool> = OnceLock::new();
        *IS_HERE.get_or_init(|| Avx512::is_here() && processor_has_tiles() && kernel_allows_tiles())
    }
}

impl Processor for Amx {
    type Vector = __m512;
    type Sums = __m512i;

    #[inline(always)]
    fn multiply(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize) {
        // SAFETY: only code that was entered after `Amx::is_here` uses this type.
        unsafe { multiply(rows, weight, output, stride) }
    }
}

/// Bits 24 and 25: tiles, and their products of 8-bit integers.
fn processor_has_tiles() -> bool {
    const NEEDED: u32 = 0b11 << 24;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & NEEDED == NEEDED
}

fn kernel_allows_tiles() -> bool {
    // From <asm/prctl.h>; 18 is the state component of the tiles' data.
    const ARCH_REQ_XCOMP_PERM: libc::c_ulong = 0x1023;
    const TILE_DATA: libc::c_ulong = 18;
    // SAFETY: the call takes two numbers and changes only what this process may use.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0 }
}

/// What `ldtilecfg` reads: the shape of each tile.
#[repr(C, align(64))]
struct TileShapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl TileShapes {
    fn new(rows: [usize; 8]) -> Self {
        let mut shapes =
            Self { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        shapes.row_bytes[..8].fill(TILE_BYTES as u16);
        shapes.rows[..8].copy_from_slice(&rows.map(|rows| rows as u8));
        shapes
    }

    /// Tiles 0 to 3 hold sums of the same rows, 4 inputs, the others weights.
    fn one_by_four(rows: usize) -> Self {
        Self::new([rows, rows, rows, rows, rows, TILE_ROWS, TILE_ROWS, TILE_ROWS])
    }

    /// Tiles 0 and 1 hold sums of the first rows, 2 and 3 of the second, 4 and 5 their inputs, the others weights.
    fn two_by_two(first: usize, second: usize) -> Self {
        Self::new([first, first, second, second, first, second, TILE_ROWS, TILE_ROWS])
    }

    #[inline(always)]
    unsafe fn load(&self) {
        // SAFETY: the caller is on a processor with tiles, and the shapes are valid.
        unsafe { asm!("ldtilecfg [{}]", in(reg) self, options(nostack, readonly)) }
    }
}

/// `output = rows · weight + bias` of these columns, over the first numbers of rows that are `stride` apart.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
unsafe fn multiply(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize) {
    let (inputs, outputs, count) = (weight.inputs, weight.outputs, rows.scales.len());
    assert!(inputs.is_multiple_of(TILE_BYTES) && rows.values.len() == count * inputs);
    assert!(
        weight.lines.len() * CACHE_LINE == inputs * outputs
            && output.len() + stride >= count * stride + outputs
    );
    assert!(weight.scales.len() == outputs && weight.bias.len() == outputs);
    // SAFETY: what the two need is asserted above.
    unsafe {
        match count {
            0 => {}
            1..=TILE_ROWS => multiply_few(rows, weight, output, stride),
            _ => multiply_many(rows, weight, output, stride),
        }
        // As before, so that the kernel need not keep the tiles for this thread.
        asm!("tilerelease", options(nostack, nomem));
    }
}

/// Sixteen rows or fewer: all 64 columns of a panel at once. The weights are read in their order in memory, which the
/// processor foresees: fetching them ahead made it slower.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
unsafe fn multiply_few(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize) {
    let (inputs, count) = (weight.inputs, rows.scales.len());
    let mut sums = SumsOfBlock([0; BLOCK * COLUMNS]);
    // SAFETY: there are tiles here.
    unsafe { TileShapes::one_by_four(count).load() };
    for panel in 0..weight.outputs / PANEL {
        let weights = weight.lines.as_ptr().cast::<u8>().wrapping_add(panel * inputs * PANEL);
        // SAFETY, of the block: the rows' inputs and the panel's weights are there; the sums have room for 16 by 64.
        unsafe {
            zero_sums();
            for step in 0..inputs / TILE_BYTES {
                let weights = weights.wrapping_add(step * DEPTH_BYTES);
                asm!(
                    "tileloadd tmm4, [{inputs} + {input_bytes}]",
                    "tileloadd tmm5, [{weights} + {step_bytes}]",
                    "tileloadd tmm6, [{weights} + {step_bytes} + 64]",
                    "tileloadd tmm7, [{weights} + {step_bytes} + 128]",
                    "tdpbusd tmm0, tmm4, tmm5",
                    "tileloadd tmm5, [{weights} + {step_bytes} + 192]",
                    "tdpbusd tmm1, tmm4, tmm6",
                    "tdpbusd tmm2, tmm4, tmm7",
                    "tdpbusd tmm3, tmm4, tmm5",
                    inputs = in(reg) rows.values.as_ptr().wrapping_add(step * TILE_BYTES),
                    input_bytes = in(reg) inputs,
                    weights = in(reg) weights,
                    step_bytes = in(reg) STEP_BYTES,
                    options(nostack, readonly),
                );
            }
            asm!(
                "tilestored [{sums} + {row_bytes}], tmm0",
                "tilestored [{sums} + {row_bytes} + 64], tmm1",
                "tilestored [{sums} + {row_bytes} + 128], tmm2",
                "tilestored [{sums} + {row_bytes} + 192], tmm3",
                sums = in(reg) sums.0.as_mut_ptr(),
                row_bytes = in(reg) PANEL * 4,
                options(nostack),
            );
        }
        finish::<{ PANEL / LANES }>(rows, weight, panel * PANEL, 0..count, &sums, output, stride);
    }
}

/// Any number of rows above sixteen: 32 columns at a time, whose weights stay in the first cache while all rows pass.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
unsafe fn multiply_many(rows: &QuantisedRows, weight: Columns<'_>, output: &mut [f32], stride: usize) {
    let (inputs, count) = (weight.inputs, rows.scales.len());
    let blocks = count.div_ceil(BLOCK);
    let mut sums = SumsOfBlock([0; BLOCK * COLUMNS]);
    let mut shaped_for = 0;
    let steps = inputs / TILE_BYTES;
    let ahead_of_step = (inputs * PANEL / 2).div_ceil(blocks * steps).next_multiple_of(CACHE_LINE);
    for columns in 0..weight.outputs / COLUMNS {
        let (panel, half) = (columns / 2, columns % 2);
        let weights = weight.lines.as_ptr().cast::<u8>();
        let weights = weights.wrapping_add(panel * inputs * PANEL + half * 2 * TILE_BYTES);
        // While the rows pass, half of the next panel comes nearer: it follows this one in memory.
        let mut ahead = weight.lines.as_ptr().cast::<u8>();
        ahead = ahead.wrapping_add((panel + 1) * inputs * PANEL + half * inputs * PANEL / 2);
        for block in 0..blocks {
            // As even as can be: the rows of a tile are what its products take time for.
            let block = block * count / blocks..(block + 1) * count / blocks;
            let first = block.len().div_ceil(2);
            // SAFETY, of the block: there are tiles here; the rows' inputs and the columns' weights are there; the sums have
            // room for 32 by 32.
            unsafe {
                if shaped_for != block.len() {
                    TileShapes::two_by_two(first, block.len() - first).load();
                    shaped_for = block.len();
                }
                zero_sums();
                let inputs_of_block = rows.values.as_ptr().wrapping_add(block.start * inputs);
                for step in 0..steps {
                    let inputs_of_step = inputs_of_block.wrapping_add(step * TILE_BYTES);
                    asm!(
                        "tileloadd tmm4, [{first} + {input_bytes}]",
                        "tileloadd tmm6, [{weights} + {step_bytes}]",
                        "tileloadd tmm7, [{weights} + {step_bytes} + 64]",
                        "tdpbusd tmm0, tmm4, tmm6",
                        "tileloadd tmm5, [{second} + {input_bytes}]",
                        "tdpbusd tmm1, tmm4, tmm7",
                        "tdpbusd tmm2, tmm5, tmm6",
                        "tdpbusd tmm3, tmm5, tmm7",
                        first = in(reg) inputs_of_step,
                        second = in(reg) inputs_of_step.wrapping_add(first * inputs),
                        input_bytes = in(reg) inputs,
                        weights = in(reg) weights.wrapping_add(step * DEPTH_BYTES),
                        step_bytes = in(reg) STEP_BYTES,
                        options(nostack, readonly),
                    );
                    fetch(ahead, ahead_of_step);
                    ahead = ahead.wrapping_add(ahead_of_step);
                }
                let sums = sums.0.as_mut_ptr();
                asm!(
                    "tilestored [{first} + {row_bytes}], tmm0",
                    "tilestored [{first} + {row_bytes} + 64], tmm1",
                    "tilestored [{second} + {row_bytes}], tmm2",
                    "tilestored [{second} + {row_bytes} + 64], tmm3",
                    first = in(reg) sums,
                    second = in(reg) sums.wrapping_add(first * COLUMNS),
                    row_bytes = in(reg) COLUMNS * 4,
                    options(nostack),
                );
            }
            finish::<{ COLUMNS / LANES }>(rows, weight, columns * COLUMNS, block, &sums, output, stride);
        }
    }
}

/// Brings `bytes` from `start` on into the second cache.
#[inline(always)]
fn fetch(start: *const u8, bytes: usize) {
    for line in 0..bytes / CACHE_LINE {
        // SAFETY: a hint: nothing is read, so that the address may lie beyond the weights.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line * CACHE_LINE).cast()) };
    }
}

#[inline(always)]
unsafe fn zero_sums() {
    // SAFETY: the caller has tiles.
    unsafe {
        asm!("tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3", options(nostack, nomem))
    }
}

/// Turns the sums of a block of rows and of as many `VECTORS` of columns from `first_column` into floats: the same
/// operations as in `product::multiply_avx512`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
fn finish<const VECTORS: usize>(
    rows: &QuantisedRows,
    weight: Columns<'_>,
    first_column: usize,
    block: Range<usize>,
    sums: &SumsOfBlock,
    output: &mut [f32],
    stride: usize,
) {
    let (mut scales, mut biases) = ([__m512::splat(0.0); VECTORS], [__m512::splat(0.0); VECTORS]);
    for vector in 0..VECTORS {
        scales[vector] = __m512::load(&weight.scales[first_column + vector * LANES..]);
        biases[vector] = __m512::load(&weight.bias[first_column + vector * LANES..]);
    }
    let sums_of_weights = &weight.sums[first_column / LANES..][..VECTORS];
    let width = VECTORS * LANES;
    for (row, sums) in block.zip(sums.0.chunks_exact(width)) {
        let without_zero = Weight::without_zero(rows.zeros[row]);
        let row_scale = __m512::splat(rows.scales[row]);
        let output = &mut output[row * stride + first_column..][..width];
        for vector in 0..VECTORS {
            // SAFETY: a chunk of the sums has `VECTORS` of them.
            let sum = unsafe { _mm512_loadu_si512(sums.as_ptr().add(vector * LANES).cast()) };
            let product = sum.add_products(&sums_of_weights[vector], without_zero).to_floats();
            let product = product.mul(row_scale).mul_add(scales[vector], biases[vector]);
            product.store(&mut output[vector * LANES..]);
        }
    }
}

/// Multiply-adds of one thread in a second when nothing is read or written.
pub fn peak() -> f64 {
    const STEPS: usize = 100_000;
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        // SAFETY: the caller has asked `Amx::is_here`.
        unsafe {
            TileShapes::two_by_two(TILE_ROWS, TILE_ROWS).load();
            zero_sums();
            asm!("tilezero tmm4", "tilezero tmm5", "tilezero tmm6", "tilezero tmm7", options(nostack, nomem));
            let started = std::time::Instant::now();
            for _ in 0..STEPS {
                asm!(
                    "tdpbusd tmm0, tmm4, tmm6",
                    "tdpbusd tmm1, tmm4, tmm7",
                    "tdpbusd tmm2, tmm5, tmm6",
                    "tdpbusd tmm3, tmm5, tmm7",
                    options(nostack, nomem),
                );
            }
            best = best.min(started.elapsed().as_secs_f64());
            asm!("tilerelease", options(nostack, nomem));
        }
    }
    (STEPS * 4 * TILE_ROWS * 16 * TILE_BYTES) as f64 / best
}
