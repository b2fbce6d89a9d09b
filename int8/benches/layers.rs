//! What the time of a run goes to, and how far its products are from the processor's limit.
//!
//!     cargo bench --package sentio-int8 --bench layers -- [HIDDEN HEADS INTERMEDIATE LAYERS]
//!
//! Weights are random in the shape of all-MiniLM-L6-v2 unless told otherwise: times do not depend on them. Each figure is
//! the median of runs that take turns among the lengths.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sentio_int8::{Encoder, Layer, Norm, Pair, Profile, Scratch, Side, Stage, Weight, peak};

/// Tokens: a title, a sentence, a paragraph, an abstract, a full window.
const LENGTHS: [usize; 5] = [6, 14, 62, 128, 256];
const ROUNDS: usize = 41;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (hidden, heads, intermediate, layers) = match sizes[..] {
        [hidden, heads, intermediate, layers] => (hidden, heads, intermediate, layers),
        _ => (384, 12, 1536, 6),
    };
    let encoder = random_encoder(hidden, heads, intermediate, layers);
    let products_a_token = layers * (4 * hidden * hidden + 2 * hidden * intermediate);
    let Some(peak) = peak() else {
        println!("skipped: this processor has no AVX-512 with VNNI");
        return;
    };
    println!("{layers} layers of {hidden}, {heads} heads, {intermediate} inside; one thread");
    println!("products of registers alone: {:.0} billion multiply-adds a second\n", peak / 1e9);
    println!("{:>6} {:>8} {:>9} {:>8}  of the time of one thread", "tokens", "ms", "tokens/s", "ms by 2");
    for Measured { tokens, alone, shared, profile } in measure(&encoder, hidden) {
        let rate = (tokens * products_a_token) as f64 / profile.time(Stage::Products).as_secs_f64();
        let total: Duration = Stage::ALL.iter().map(|stage| profile.time(*stage)).sum();
        let share = |stage| 100.0 * profile.time(stage).as_secs_f64() / total.as_secs_f64();
        let shares: Vec<_> =
            Stage::ALL.iter().map(|stage| format!("{stage:?} {:.0} %", share(*stage))).collect();
        println!(
            "{tokens:>6} {:>8.2} {:>9.0} {:>8.2}  {}; {:.0} G/s, {:.0} % of the limit",
            alone.as_secs_f64() * 1e3,
            tokens as f64 / alone.as_secs_f64(),
            shared.as_secs_f64() * 1e3,
            shares.join(", "),
            rate / 1e9,
            100.0 * rate / peak,
        );
    }
}

/// Median times of one length.
struct Measured {
    tokens: usize,
    alone: Duration,
    /// Together with another thread, which sleeps until it is needed.
    shared: Duration,
    /// Of a run whose products took a median time.
    profile: Profile,
}

fn measure(encoder: &Encoder, hidden: usize) -> Vec<Measured> {
    let embeddings = LENGTHS.map(|tokens| numbers(tokens * hidden, tokens as u64));
    let mut scratch = Scratch::default();
    let (mut alone, mut shared, mut profiles) =
        (LENGTHS.map(|_| Vec::new()), LENGTHS.map(|_| Vec::new()), LENGTHS.map(|_| Vec::new()));
    thread::scope(|scope| {
        let (ask, asked) = mpsc::channel::<(Arc<Pair>, Vec<f32>)>();
        scope.spawn(move || {
            let mut scratch = Scratch::default();
            for (pair, states) in asked {
                run_shared(encoder, &pair, Side::Second, states, &mut scratch);
            }
        });
        for _ in 0..ROUNDS {
            for (number, embeddings) in embeddings.iter().enumerate() {
                let mut states = embeddings.clone();
                let started = Instant::now();
                encoder.run(black_box(&mut states), &mut scratch);
                alone[number].push(started.elapsed());
                states.clone_from(embeddings);
                profiles[number].push(encoder.profile(black_box(&mut states), &mut scratch));
                // Time for the other thread to fall asleep.
                thread::sleep(Duration::from_millis(1));
                let pair = Arc::new(Pair::default());
                let started = Instant::now();
                if ask.send((Arc::clone(&pair), embeddings.clone())).is_ok() {
                    run_shared(encoder, &pair, Side::First, embeddings.clone(), &mut scratch);
                    shared[number].push(started.elapsed());
                }
            }
        }
    });
    let lengths = LENGTHS.into_iter().zip(alone).zip(shared).zip(profiles);
    let median = lengths.map(|(((tokens, mut alone), mut shared), mut profiles)| {
        alone.sort();
        shared.sort();
        profiles.sort_by_key(|profile| profile.time(Stage::Products));
        let profile = profiles.swap_remove(ROUNDS / 2);
        Measured { tokens, alone: alone[ROUNDS / 2], shared: shared[ROUNDS / 2], profile }
    });
    median.collect()
}

fn run_shared(encoder: &Encoder, pair: &Pair, side: Side, mut states: Vec<f32>, scratch: &mut Scratch) {
    let partner = pair.partner(side, Duration::from_secs(1));
    if encoder.run_with_partner(black_box(&mut states), scratch, partner).is_err() {
        println!("a thread waited for the other in vain");
    }
}

fn random_encoder(hidden: usize, heads: usize, intermediate: usize, layers: usize) -> Encoder {
    let weight = |inputs: usize, outputs: usize, seed: usize| {
        let spread = (3.0 / inputs as f32).sqrt();
        let weight: Vec<_> =
            numbers(inputs * outputs, seed as u64).iter().map(|value| value * spread).collect();
        Weight::new(&weight, &numbers(outputs, seed as u64 + 1))
    };
    let norm = || Norm { scale: vec![1.0; hidden], shift: vec![0.0; hidden], epsilon: 1e-12 };
    let layer = |seed: usize| {
        Layer::new(
            weight(hidden, 3 * hidden, seed),
            weight(hidden, hidden, seed + 1),
            norm(),
            weight(hidden, intermediate, seed + 2),
            weight(intermediate, hidden, seed + 3),
            norm(),
            heads,
        )
    };
    Encoder {
        embeddings_norm: norm(),
        layers: (0..layers).map(|number| layer(10 * number)).collect(),
        heads,
        distance_bias: None,
    }
}

/// Numbers between -1 and 1 that repeat late.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
