//! How much memory there is, and what becomes of memory that is freed; the allocator itself is the program's.

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

/// The bytes of memory that the machine or the container has; `None` where the system does not tell.
pub fn available_in_all() -> Option<usize> {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse().ok();
    let of_container: Option<usize> =
        number("/sys/fs/cgroup/memory.max").or_else(|| number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
    let of_machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|lines| {
        let line = lines.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes << 10)
    });
    // Without a limit of its own a container has all, which old kernels tell as a number beyond it.
    of_container.into_iter().chain(of_machine).min()
}

/// The most bytes that this process had in memory at a time; `None` where the system does not tell.
pub fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_how_much_there_is() {
        let (all, peak) = (available_in_all().unwrap(), peak().unwrap());
        assert!(1 << 20 < peak && peak < all, "{peak} of {all}");
    }
}
