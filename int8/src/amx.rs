//! x86-64 with AMX: products of whole tiles, sixteen rows by sixteen columns at a time.
//!
//! A tile is a register of sixteen rows of 64 bytes. The instructions have no intrinsics in stable Rust, so they stand here
//! as assembly. The kernel must let a process use tiles, which it is asked for once.
#![expect(unsafe_code, reason = "assembly and intrinsics; `Amx` is only used where the processor has them")]

use std::arch::{asm, x86_64::*};
use std::sync::OnceLock;

use crate::activation::QuantisedRows;
use crate::avx512::Avx512;
use crate::lanes::{LANES, Processor, Sums, Vector};
use crate::weight::{PANEL, Weight};

/// x86-64 with AVX-512, VNNI and AMX for 8-bit integers.
#[derive(Clone, Copy)]
pub struct Amx;

/// Rows, and bytes of a row, of a full tile.
const TILE_ROWS: usize = 16;
const TILE_BYTES: usize = 64;
/// Rows of input that are multiplied at a time: two tiles of them and two of weights feed four of sums.
const BLOCK: usize = 2 * TILE_ROWS;
/// Bytes from one step of four inputs to the next in a panel: 64 columns by four inputs.
const STEP_BYTES: usize = PANEL * 4;
/// Bytes of a panel that one product of tiles reads: 64 inputs.
const DEPTH_BYTES: usize = TILE_ROWS * STEP_BYTES;
const CACHE_LINE: usize = 64;

/// The sums of one block and panel, row by row.
#[repr(C, align(64))]
struct SumsOfBlock([i32; BLOCK * PANEL]);

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
    fn multiply(rows: &QuantisedRows, weight: &Weight, output: &mut [f32]) {
        // SAFETY: only code that was entered after `Amx::is_here` uses this type.
        unsafe { multiply(rows, weight, output) }
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
    /// For a block of `rows`: tiles 0 to 3 hold sums, 4 and 5 inputs, 6 and 7 weights. With sixteen rows or fewer all
    /// sums are of the same rows, and tile 5 holds weights.
    fn of_block(rows: usize) -> Self {
        let first = rows.min(TILE_ROWS) as u8;
        let second = (rows - usize::from(first)) as u8;
        let full = TILE_ROWS as u8;
        let of_tiles = match second {
            0 => [first, first, first, first, first, full, full, full],
            _ => [first, first, second, second, first, second, full, full],
        };
        let mut shapes =
            Self { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        shapes.row_bytes[..8].fill(TILE_BYTES as u16);
        shapes.rows[..8].copy_from_slice(&of_tiles);
        shapes
    }

    #[inline(always)]
    unsafe fn load(&self) {
        // SAFETY: the caller is on a processor with tiles, and the shapes are valid.
        unsafe { asm!("ldtilecfg [{}]", in(reg) self, options(nostack, readonly)) }
    }
}

/// `output = rows · weight + bias`, row by row.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
unsafe fn multiply(rows: &QuantisedRows, weight: &Weight, output: &mut [f32]) {
    let (inputs, outputs, count) = (weight.inputs, weight.outputs, rows.scales.len());
    assert!(inputs.is_multiple_of(TILE_BYTES) && rows.values.len() == count * inputs);
    assert!(weight.lines.len() * CACHE_LINE == inputs * outputs && output.len() >= count * outputs);
    let blocks = count.div_ceil(BLOCK);
    let lines_ahead = (inputs * PANEL / CACHE_LINE).div_ceil(blocks);
    let mut sums = SumsOfBlock([0; BLOCK * PANEL]);
    let mut shaped_for = 0;
    for panel in 0..outputs / PANEL {
        let weights = weight.lines.as_ptr().cast::<u8>().wrapping_add(panel * inputs * PANEL);
        for block in 0..blocks {
            let first = block * BLOCK;
            let size = BLOCK.min(count - first);
            if shaped_for != size {
                // SAFETY: there are tiles here.
                unsafe { TileShapes::of_block(size).load() };
                shaped_for = size;
            }
            // The next panel follows this one in memory; short texts would wait for it.
            let ahead = weights.wrapping_add(inputs * PANEL + block * lines_ahead * CACHE_LINE);
            let product = Tiles {
                inputs: rows.values[first * inputs..].as_ptr(),
                input_bytes: inputs,
                weights,
                ahead,
                lines_ahead: lines_ahead.div_ceil(inputs / TILE_BYTES),
            };
            // SAFETY: `size` rows of inputs and the panel's weights are there, see above; tiles have these shapes.
            unsafe {
                match size > TILE_ROWS {
                    true => product.two_by_two(&mut sums),
                    false => product.one_by_four(&mut sums),
                }
                finish(rows, weight, panel, first..first + size, &sums, output);
            }
        }
    }
    // SAFETY: leaves the tiles as they were before, so that the kernel need not keep them for this thread.
    unsafe { asm!("tilerelease", options(nostack, nomem)) }
}

/// One block of rows and one panel.
struct Tiles {
    inputs: *const u8,
    /// Of a row.
    input_bytes: usize,
    weights: *const u8,
    /// What is fetched meanwhile…
    ahead: *const u8,
    /// …and how many cache lines of it in each step.
    lines_ahead: usize,
}

impl Tiles {
    /// More than sixteen rows: 32 columns at a time, so that each tile of inputs and weights is used twice.
    #[inline(always)]
    unsafe fn two_by_two(&self, sums: &mut SumsOfBlock) {
        for half in 0..2 {
            // SAFETY, here and below: tiles are only read where inputs and weights are, and stored within the sums.
            unsafe { zero_sums() };
            for step in 0..self.input_bytes / TILE_BYTES {
                let inputs = self.inputs.wrapping_add(step * TILE_BYTES);
                let weights = self.weights.wrapping_add(step * DEPTH_BYTES + half * 2 * TILE_BYTES);
                unsafe {
                    asm!(
                        "tileloadd tmm4, [{inputs} + {input_bytes}]",
                        "tileloadd tmm6, [{weights} + {step_bytes}]",
                        "tileloadd tmm7, [{weights} + {step_bytes} + 64]",
                        "tdpbusd tmm0, tmm4, tmm6",
                        "tileloadd tmm5, [{second} + {input_bytes}]",
                        "tdpbusd tmm1, tmm4, tmm7",
                        "tdpbusd tmm2, tmm5, tmm6",
                        "tdpbusd tmm3, tmm5, tmm7",
                        inputs = in(reg) inputs,
                        second = in(reg) inputs.wrapping_add(TILE_ROWS * self.input_bytes),
                        input_bytes = in(reg) self.input_bytes,
                        weights = in(reg) weights,
                        step_bytes = in(reg) STEP_BYTES,
                        options(nostack, readonly),
                    );
                }
                if half == 0 {
                    self.fetch_ahead(step);
                }
            }
            let first = sums.0.as_mut_ptr().wrapping_add(half * 2 * TILE_ROWS);
            unsafe {
                asm!(
                    "tilestored [{first} + {row_bytes}], tmm0",
                    "tilestored [{first} + {row_bytes} + 64], tmm1",
                    "tilestored [{second} + {row_bytes}], tmm2",
                    "tilestored [{second} + {row_bytes} + 64], tmm3",
                    first = in(reg) first,
                    second = in(reg) first.wrapping_add(TILE_ROWS * PANEL),
                    row_bytes = in(reg) PANEL * 4,
                    options(nostack),
                );
            }
        }
    }

    /// Sixteen rows or fewer: all 64 columns at once.
    #[inline(always)]
    unsafe fn one_by_four(&self, sums: &mut SumsOfBlock) {
        // SAFETY: as in `two_by_two`.
        unsafe { zero_sums() };
        for step in 0..self.input_bytes / TILE_BYTES {
            unsafe {
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
                    inputs = in(reg) self.inputs.wrapping_add(step * TILE_BYTES),
                    input_bytes = in(reg) self.input_bytes,
                    weights = in(reg) self.weights.wrapping_add(step * DEPTH_BYTES),
                    step_bytes = in(reg) STEP_BYTES,
                    options(nostack, readonly),
                );
            }
            self.fetch_ahead(step);
        }
        unsafe {
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
    }

    #[inline(always)]
    fn fetch_ahead(&self, step: usize) {
        for line in step * self.lines_ahead..(step + 1) * self.lines_ahead {
            // SAFETY: a hint: nothing is read, so that the address may lie beyond the last panel.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(self.ahead.wrapping_add(line * CACHE_LINE).cast()) };
        }
    }
}

#[inline(always)]
unsafe fn zero_sums() {
    // SAFETY: the caller has tiles.
    unsafe {
        asm!("tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3", options(nostack, nomem))
    }
}

/// Turns the sums of a block and panel into floats: the same operations as in `product::multiply_avx512`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
fn finish(
    rows: &QuantisedRows,
    weight: &Weight,
    panel: usize,
    block: std::ops::Range<usize>,
    sums: &SumsOfBlock,
    output: &mut [f32],
) {
    for vector in 0..PANEL / LANES {
        let column = panel * PANEL + vector * LANES;
        let (scale, bias) = (__m512::load(&weight.scales[column..]), __m512::load(&weight.bias[column..]));
        let sums_of_weights = &weight.sums[column / LANES];
        for row in block.clone() {
            let sums = &sums.0[(row - block.start) * PANEL + vector * LANES..][..LANES];
            // SAFETY: there are that many, see the line above.
            let sum = unsafe { _mm512_loadu_si512(sums.as_ptr().cast()) };
            let product =
                sum.add_products(sums_of_weights, Weight::without_zero(rows.zeros[row])).to_floats();
            let product = product.mul(__m512::splat(rows.scales[row])).mul_add(scale, bias);
            product.store(&mut output[row * weight.outputs + column..]);
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
            TileShapes::of_block(BLOCK).load();
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
