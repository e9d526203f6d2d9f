//! What can go wrong between us and the kernel.

/// Why the probe does not work.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Something that no program can do without is missing.
    #[error("{fact} is missing: {detail}; remedy: {remedy}")]
    Missing {
        /// Name of the fact, as `sentinel doctor` shows it.
        fact: &'static str,
        /// What was found.
        detail: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The kernel refused the programs or maps.
    #[error("the kernel refused {what}: {source:#}; `sentinel doctor` tells what it allows")]
    Refused {
        /// What was refused.
        what: String,
        /// libbpf's error.
        source: libbpf_rs::Error,
    },
    /// An option that cannot be used.
    #[error("ring of {0} bytes: use a power of two of at least 65536")]
    RingSize(u32),
    /// An iterator could not be read.
    #[error("iterator {iterator}: {source}")]
    Iterator {
        /// Name of the program.
        iterator: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

impl ProbeError {
    /// Wraps libbpf's error.
    pub(crate) fn refused(what: impl Into<String>) -> impl FnOnce(libbpf_rs::Error) -> Self {
        let what = what.into();
        move |source| Self::Refused { what, source }
    }
}
