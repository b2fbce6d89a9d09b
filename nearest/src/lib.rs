//! Which vectors are nearest to another one, in memory.
//!
//! A vector of unit length is stored three times, each more exact than the one before: as one bit a component ([`Signs`], after
//! a random [`rotate`]ion), as its high bytes, and as 16-bit integers ([`Planes`], the high and the low bytes apart). A search looks at all
//! signs, then at the high bytes of what seems near, then at both bytes of what is nearest. The number of rows that go from one step to the
//! next decides how exact it is.
//!
//! Every score is a function of two vectors and nothing else: products are sums of integers, and the few operations on floats have one
//! order. So scores are equal bit for bit whatever [`Instructions`] a processor has.

mod best;
mod instructions;
mod kernels;
mod planes;
mod rotate;
mod signs;

pub use best::Best;
pub use instructions::Instructions;
pub use planes::{Encoded, Planes, Query, encode, stride};
pub use rotate::rotate;
pub use signs::{SignQuery, SignRows, Signs};
