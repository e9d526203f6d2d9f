//! How severe an alert is: Falco's priorities and our severities.

macro_rules! levels {
    ($(#[$attribute:meta])* $Enum:ident { $($(#[doc = $doc:literal])* $Variant:ident = $name:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Enum { $($(#[doc = $doc])* $Variant,)* }

        impl $Enum {
            /// Every level, the most severe first.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The name in outputs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)* }
            }

            /// The level of this name, in any case.
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|level| level.name().eq_ignore_ascii_case(name))
            }
        }
    };
}

levels! {
    /// Falco's priority. The smaller the more severe.
    Priority {
        /// 0.
        Emergency = "Emergency",
        /// 1.
        Alert = "Alert",
        /// 2.
        Critical = "Critical",
        /// 3.
        Error = "Error",
        /// 4.
        Warning = "Warning",
        /// 5.
        Notice = "Notice",
        /// 6.
        Informational = "Informational",
        /// 7.
        Debug = "Debug",
    }
}

levels! {
    /// Sentinel's severity.
    Severity {
        /// Act now.
        Critical = "critical",
        /// Act today.
        High = "high",
        /// Look at it.
        Medium = "medium",
        /// Know of it.
        Low = "low",
        /// For the record.
        Info = "info",
    }
}

impl Priority {
    /// The priority that a rule file names: any case, `Info` for `Informational`.
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("info") { Some(Self::Informational) } else { Self::find(name) }
    }

    /// The severity and the risk score of a rule that does not say.
    pub const fn defaults(self) -> (Severity, u8) {
        match self {
            Self::Emergency | Self::Alert | Self::Critical => (Severity::Critical, 95),
            Self::Error => (Severity::High, 80),
            Self::Warning => (Severity::Medium, 55),
            Self::Notice => (Severity::Low, 30),
            Self::Informational | Self::Debug => (Severity::Info, 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_read_in_any_case() {
        assert_eq!(Priority::parse("CRITICAL"), Some(Priority::Critical));
        assert_eq!(Priority::parse("info").map(Priority::name), Some("Informational"));
        assert_eq!(Priority::parse("high"), None);
        assert!(Priority::Emergency < Priority::Debug);
    }
}
