//! Types of fields and which operators they have.

use super::ast::Operator;

/// The type of a field or of what a transformer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Bytes, usually UTF-8.
    Text,
    /// A path: bytes.
    Path,
    /// Raw data.
    Bytes,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// True or false.
    Bool,
    /// A port, 16 bits, in host order.
    Port,
    /// An IP address.
    Address,
    /// An IP network: the field is an address, the constant a network.
    Network,
    /// A length of time in nanoseconds.
    Duration,
    /// Nanoseconds since the Unix epoch.
    Time,
    /// A floating point number.
    Double,
}

/// What types have in common: the operators they allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeClass {
    /// Numbers, times, ports.
    Number,
    /// True or false.
    Bool,
    /// Texts and paths.
    Text,
    /// Raw data.
    Bytes,
    /// Addresses and networks.
    Network,
}

impl Type {
    /// The name in documentation and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Path => "path",
            Self::Bytes => "bytes",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::Bool => "bool",
            Self::Port => "port",
            Self::Address => "IP address",
            Self::Network => "IP network",
            Self::Duration => "duration",
            Self::Time => "time",
            Self::Double => "double",
        }
    }

    /// What it has in common with others.
    pub const fn class(self) -> TypeClass {
        match self {
            Self::Text | Self::Path => TypeClass::Text,
            Self::Bytes => TypeClass::Bytes,
            Self::Bool => TypeClass::Bool,
            Self::Address | Self::Network => TypeClass::Network,
            Self::I16 | Self::I32 | Self::I64 | Self::U32 | Self::U64 => TypeClass::Number,
            Self::Port | Self::Duration | Self::Time | Self::Double => TypeClass::Number,
        }
    }

    /// Whether values of the two may be compared with each other.
    pub fn compares_with(self, other: Self) -> bool {
        self == other || (self.class() == TypeClass::Text && other.class() == TypeClass::Text)
    }

    /// Whether `operator` makes sense for a value, or for a list of values, of this type.
    pub const fn allows(self, operator: Operator, list: bool) -> bool {
        if matches!(operator, Operator::In | Operator::Intersects | Operator::Exists) {
            return true;
        }
        if list {
            return false;
        }
        let equality = matches!(operator, Operator::Equal | Operator::DoubleEqual | Operator::NotEqual);
        let order = matches!(
            operator,
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual
        );
        let part = matches!(operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith);
        let raw = matches!(operator, Operator::BContains | Operator::BStartsWith);
        match self.class() {
            TypeClass::Number => equality || order,
            TypeClass::Bool | TypeClass::Network => equality,
            TypeClass::Bytes => equality || part || raw,
            TypeClass::Text => !raw,
        }
    }
}
