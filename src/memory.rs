//! What becomes of memory that is freed; the allocator itself is the program's.

/// `mi_option_purge_delay` in mimalloc 3's `mimalloc.h`.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Long enough for one part of a search to take what another has freed.
const MILLISECONDS: std::ffi::c_long = 100;

/// To be called when the program begins, with mimalloc as its allocator; `docs/decisions/0015-memory.md` has the figures.
///
/// What is freed goes back to the system after a tenth of a second, instead of a second or more later: LanceDB's
/// short-lived buffers would add up to some hundred megabytes. `MIMALLOC_PURGE_DELAY` in the environment wins.
///
/// mimalloc asks Linux for huge pages, and would give parts of them back: what it takes then is spread over ever more of
/// them, and each is cleared as a whole. So there are none.
///
/// What ONNX Runtime frees goes back, too: left alone, glibc takes ever larger pieces from a heap that shrinks only from its
/// end, and keeps the weights of the 32-bit floats that a model was compared with.
pub fn give_back_what_is_freed() {
    #[expect(unsafe_code, reason = "a call of C that takes two numbers")]
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, MILLISECONDS);
    }
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "a call of C that takes numbers")]
    unsafe {
        // A kernel that does not know it has told so, and nothing is lost.
        let _ = libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// glibc's first threshold, from mallopt(3). Setting it keeps it from growing with what is freed.
        const OWN_PAGES_FROM: libc::c_int = 128 * 1024;
        #[expect(unsafe_code, reason = "a call of C that takes two numbers")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_FROM);
        }
    }
}
