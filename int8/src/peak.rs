//! What the processor could do at most.

/// Multiply-adds of 8-bit integers that one thread does in a second when nothing is read or written; `None` without the
/// instructions. Takes about a tenth of a second.
pub fn peak() -> Option<f64> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if crate::amx::Amx::is_here() {
        return Some(crate::amx::peak());
    }
    #[cfg(target_arch = "x86_64")]
    if crate::avx512::Avx512::is_here() {
        #[expect(unsafe_code, reason = "the processor has the instructions")]
        // SAFETY: as the line above says.
        return Some(unsafe { measure_avx512() });
    }
    None
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn measure_avx512() -> f64 {
    use std::arch::x86_64::*;
    use std::hint::black_box;
    use std::time::Instant;

    /// More than the instruction's latency, so that none waits for the one before.
    const SUMS: usize = 24;
    const STEPS: usize = 1_000_000;
    let one = _mm512_set1_epi32(black_box(0x0101_0101));
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let mut sums = [_mm512_setzero_si512(); SUMS];
        let started = Instant::now();
        for _ in 0..STEPS {
            for sum in 0..SUMS {
                sums[sum] = _mm512_dpbusd_epi32(sums[sum], one, one);
            }
        }
        black_box(sums);
        best = best.min(started.elapsed().as_secs_f64());
    }
    (SUMS * STEPS * 64) as f64 / best
}
