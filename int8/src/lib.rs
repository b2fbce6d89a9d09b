//! The layers of a BERT-like encoder in 8-bit integers.
//!
//! Products of matrices are nine tenths of an encoder's work. Here weights are 8-bit integers with one scale per output,
//! and inputs are 8-bit integers with one scale per token (`activation`), multiplied exactly in 32 bits (`product`); what
//! stands between is 32-bit floats (`attention`, `norm`). On x86-64 with AVX-512 and VNNI it runs with those instructions, and
//! with AMX where that is there too (`amx`); everywhere else portable code gives the same bits, slower (`lanes`).
//!
//! An [`Encoder`] is never changed and may be used by any number of threads, each with a [`Scratch`] of its own.

// Iterators around vectors of numbers are not always inlined into functions with other instructions, and then ruin them.
#![expect(clippy::needless_range_loop, reason = "several arrays are indexed at once")]

mod activation;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod layer;
mod norm;
mod peak;
mod portable;
mod product;
mod profile;
mod team;
mod weight;

pub use attention::DistanceBias;
pub use layer::Layer;
pub use norm::Norm;
pub use peak::peak;
pub use profile::{Profile, Stage};
pub use team::{Pair, Partner, PartnerLeft, Side};
pub use weight::Weight;

use activation::QuantisedRows;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use amx::Amx;
use attention::AttentionScratch;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;
use lanes::Processor;
use portable::Portable;
use profile::{Meter, Unmetered};
use team::{Alone, Team};

/// All layers, with the normalisation of the embeddings before them.
#[derive(Debug)]
pub struct Encoder {
    pub embeddings_norm: Norm,
    pub layers: Vec<Layer>,
    pub heads: usize,
    /// Of models with relative positions.
    pub distance_bias: Option<DistanceBias>,
}

/// What one thread needs to run an encoder; grows to the longest text it has seen.
#[derive(Debug, Default)]
pub struct Scratch {
    rows: QuantisedRows,
    projected: Vec<f32>,
    attention: AttentionScratch,
    /// What this thread computes of rows…
    share: Vec<f32>,
    /// …and whole rows.
    whole: Vec<f32>,
}

impl Encoder {
    /// Whether an encoder of these sizes can be built: numbers per token, attention heads, numbers inside the
    /// feed-forward block. Published models of BERT's family can.
    pub fn takes(hidden: usize, heads: usize, intermediate: usize) -> bool {
        hidden.is_multiple_of(weight::PANEL)
            && intermediate.is_multiple_of(weight::PANEL)
            && heads > 0
            && hidden.is_multiple_of(heads * lanes::LANES)
    }

    /// Whether this processor has the instructions that make it fast.
    pub fn is_fast_here() -> bool {
        #[cfg(target_arch = "x86_64")]
        return Avx512::is_here();
        #[cfg(not(target_arch = "x86_64"))]
        return false;
    }

    /// Bytes of the weights in memory.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(Layer::bytes).sum()
    }

    /// Turns the embeddings of a text's tokens, `[tokens, hidden]`, into the last layer's states. They must be finite.
    ///
    /// # Panics
    /// When `states` is no whole number of tokens, or there are more than the distance bias knows.
    pub fn run(&self, states: &mut [f32], scratch: &mut Scratch) {
        let Ok(()) = self.run_here(states, scratch, &mut Alone, &mut Unmetered);
    }

    /// As [`Encoder::run`], measuring what the time goes to.
    pub fn profile(&self, states: &mut [f32], scratch: &mut Scratch) -> Profile {
        let mut profile = Profile::start();
        let Ok(()) = self.run_here(states, scratch, &mut Alone, &mut profile);
        profile
    }

    /// As [`Encoder::run`] on a processor without the instructions.
    pub fn run_portably(&self, states: &mut [f32], scratch: &mut Scratch) {
        let Ok(()) = self.run_on::<Portable, _>(states, scratch, &mut Alone, &mut Unmetered);
    }

    /// Whether [`Encoder::run_with_partner`] can be called.
    pub fn can_be_shared(&self) -> bool {
        let even = |outputs: usize| outputs.is_multiple_of(2 * weight::PANEL);
        self.heads.is_multiple_of(2) && self.layers.iter().all(|layer| layer.widths().into_iter().all(even))
    }

    /// As [`Encoder::run`], together with another thread that calls this with the same embeddings and the other side of the
    /// same pair. Both get the same bits as from `run`.
    ///
    /// # Errors
    /// When the other one does not keep up or panics. What is in `states` then is of no use.
    pub fn run_with_partner(
        &self,
        states: &mut [f32],
        scratch: &mut Scratch,
        mut partner: Partner<'_>,
    ) -> Result<(), PartnerLeft> {
        self.run_here(states, scratch, &mut partner, &mut Unmetered)
    }

    /// With the best instructions there are.
    fn run_here<T: Team>(
        &self,
        states: &mut [f32],
        scratch: &mut Scratch,
        team: &mut T,
        meter: &mut impl Meter,
    ) -> Result<(), T::Error> {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if Amx::is_here() {
            #[expect(unsafe_code, reason = "the processor has the instructions")]
            // SAFETY: as the line above says.
            unsafe {
                return self.run_amx(states, scratch, team, meter);
            }
        }
        #[cfg(target_arch = "x86_64")]
        if Avx512::is_here() {
            #[expect(unsafe_code, reason = "the processor has the instructions")]
            // SAFETY: as the line above says.
            unsafe {
                return self.run_avx512(states, scratch, team, meter);
            }
        }
        self.run_on::<Portable, T>(states, scratch, team, meter)
    }

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
    fn run_amx<T: Team>(
        &self,
        states: &mut [f32],
        scratch: &mut Scratch,
        team: &mut T,
        meter: &mut impl Meter,
    ) -> Result<(), T::Error> {
        self.run_on::<Amx, T>(states, scratch, team, meter)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,fma")]
    fn run_avx512<T: Team>(
        &self,
        states: &mut [f32],
        scratch: &mut Scratch,
        team: &mut T,
        meter: &mut impl Meter,
    ) -> Result<(), T::Error> {
        self.run_on::<Avx512, T>(states, scratch, team, meter)
    }

    #[inline(always)]
    fn run_on<P: Processor, T: Team>(
        &self,
        states: &mut [f32],
        scratch: &mut Scratch,
        team: &mut T,
        meter: &mut impl Meter,
    ) -> Result<(), T::Error> {
        self.embeddings_norm.apply::<P>(states);
        meter.lap(Stage::Norm);
        for layer in &self.layers {
            layer.attend::<P, T>(self.heads, self.distance_bias.as_ref(), states, scratch, team, meter)?;
            layer.feed_forward::<P, T>(states, scratch, team, meter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around zero that repeat late.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn weight(inputs: usize, outputs: usize, seed: u64) -> Weight {
        let spread = (3.0 / inputs as f32).sqrt();
        let weight: Vec<_> = numbers(inputs * outputs, seed).iter().map(|value| value * spread).collect();
        Weight::new(&weight, &numbers(outputs, seed + 1))
    }

    fn norm(width: usize, seed: u64) -> Norm {
        let scale = numbers(width, seed).iter().map(|value| 1.0 + value / 4.0).collect();
        Norm { scale, shift: numbers(width, seed + 1), epsilon: 1e-12 }
    }

    fn encoder(hidden: usize, heads: usize, intermediate: usize) -> Encoder {
        let layer = |seed| {
            Layer::new(
                weight(hidden, 3 * hidden, seed),
                weight(hidden, hidden, seed + 2),
                norm(hidden, seed + 4),
                weight(hidden, intermediate, seed + 6),
                weight(intermediate, hidden, seed + 8),
                norm(hidden, seed + 10),
                heads,
            )
        };
        let distance_bias = Some(DistanceBias { by_distance: numbers(heads * 599, 5), window: 300 });
        Encoder { embeddings_norm: norm(hidden, 3), layers: vec![layer(10), layer(30)], heads, distance_bias }
    }

    /// With AVX-512 alone, which `run` uses where there is no AMX.
    #[cfg(target_arch = "x86_64")]
    fn run_without_tiles(encoder: &Encoder, states: &mut [f32], scratch: &mut Scratch) {
        #[expect(unsafe_code, reason = "the test asks for the instructions before")]
        // SAFETY: as the reason says.
        unsafe {
            let Ok(()) = encoder.run_avx512(states, scratch, &mut Alone, &mut Unmetered);
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn run_without_tiles(encoder: &Encoder, states: &mut [f32], scratch: &mut Scratch) {
        encoder.run_portably(states, scratch);
    }

    #[test]
    fn every_processor_gives_the_same_bits() {
        if !Encoder::is_fast_here() {
            eprintln!("skipped: this processor has no AVX-512 with VNNI, so there is nothing to compare");
            return;
        }
        for (hidden, heads, intermediate) in [(64, 4, 128), (128, 2, 320), (192, 4, 256)] {
            let encoder = encoder(hidden, heads, intermediate);
            assert!(Encoder::takes(hidden, heads, intermediate));
            let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
            for tokens in [1, 2, 7, 16, 17, 32, 49, 64, 100, 300, 3] {
                let mut fast = numbers(tokens * hidden, tokens as u64);
                let mut portable = fast.clone();
                let mut without_tiles = fast.clone();
                encoder.run(&mut fast, &mut scratch);
                encoder.run_portably(&mut portable, &mut other);
                assert!(fast.iter().all(|value| value.is_finite()));
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&fast), bits(&portable), "{tokens} tokens of {hidden}");
                run_without_tiles(&encoder, &mut without_tiles, &mut scratch);
                assert_eq!(bits(&without_tiles), bits(&portable), "{tokens} tokens of {hidden}");
            }
        }
    }

    #[test]
    fn two_threads_give_the_same_bits() {
        let patience = std::time::Duration::from_secs(60);
        for (hidden, heads, intermediate) in [(128, 2, 256), (384, 12, 640)] {
            let encoder = encoder(hidden, heads, intermediate);
            assert!(encoder.can_be_shared());
            for tokens in [1, 2, 7, 16, 33, 100] {
                let embeddings = numbers(tokens * hidden, tokens as u64);
                let mut alone = embeddings.clone();
                encoder.run(&mut alone, &mut Scratch::default());
                let pair = Pair::default();
                let run = |side| {
                    let (mut states, mut scratch) = (embeddings.clone(), Scratch::default());
                    let partner = pair.partner(side, patience);
                    encoder.run_with_partner(&mut states, &mut scratch, partner).unwrap();
                    states
                };
                let (first, second) = std::thread::scope(|scope| {
                    let second = scope.spawn(|| run(Side::Second));
                    (run(Side::First), second.join().unwrap())
                });
                assert!(first == alone && second == alone, "{tokens} tokens of {hidden}");
            }
        }
    }

    #[test]
    fn a_thread_without_a_partner_does_not_wait_for_ever() {
        let encoder = encoder(128, 2, 256);
        let pair = Pair::default();
        let run = |patience| {
            let partner = pair.partner(Side::First, patience);
            encoder.run_with_partner(&mut numbers(256, 1), &mut Scratch::default(), partner)
        };
        assert_eq!(run(std::time::Duration::from_millis(1)), Err(PartnerLeft));
        let pair = Pair::default();
        drop(pair.partner(Side::Second, std::time::Duration::ZERO));
        let partner = pair.partner(Side::First, std::time::Duration::from_secs(600));
        let left = encoder.run_with_partner(&mut numbers(256, 1), &mut Scratch::default(), partner);
        assert_eq!(left, Err(PartnerLeft));
    }

    #[test]
    fn sizes_that_do_not_fit_are_told() {
        assert!(
            Encoder::takes(384, 12, 1536) && Encoder::takes(768, 12, 3072) && Encoder::takes(1024, 16, 4096)
        );
        assert!(!Encoder::takes(312, 12, 1200) && !Encoder::takes(64, 8, 128) && !Encoder::takes(64, 0, 128));
    }
}
