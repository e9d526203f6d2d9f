//! Losing an event is an event too.

use std::fmt;

use crate::Kind;

/// Some events of one kind never reached the next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Loss {
    /// Where they were lost.
    pub stage: Stage,
    /// Why.
    pub cause: LossCause,
    /// Kind of the lost events; none where it could not be told.
    pub kind: Option<Kind>,
    /// How many, since the last report of the same stage, cause and kind.
    pub count: u64,
}

macro_rules! names {
    ($(#[$meta:meta])* $Enum:ident { $($(#[doc = $doc:literal])* $Variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Enum { $($(#[doc = $doc])* $Variant,)* }

        impl $Enum {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The name in outputs and metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)* }
            }
        }

        impl fmt::Display for $Enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// A hop between the kernel and the outside.
    Stage {
        /// Where the kernel would run our programs.
        Hook = "hook",
        /// The ring between the kernel and the reader.
        Ring = "ring",
        /// Bytes to event.
        Decode = "decode",
        /// Reader to pipeline.
        Queue = "queue",
        /// Pipeline to the standard output.
        Stdout = "stdout",
        /// Pipeline to the detector.
        Grpc = "grpc",
        /// Pipeline to NATS.
        Nats = "nats",
        /// Pipeline to the log.
        File = "file",
    }
}

names! {
    /// Why events were lost.
    LossCause {
        /// No room: the next hop did not keep up.
        Full = "full",
        /// The kernel did not run the program, which was at work on that processor already and had been interrupted:
        /// at most so many events.
        Skipped = "skipped",
        /// The record was malformed.
        Malformed = "malformed",
        /// The receiver has gone.
        Closed = "closed",
        /// The receiver refused or failed.
        Failed = "failed",
    }
}
