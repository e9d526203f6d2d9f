//! What a condition says, before any name in it has been looked up.

use sentinel_event::Text;

use super::place::Offset;

/// A condition or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// True when all parts are. Two parts or more.
    And(Vec<Expr>),
    /// True when one part is. Two parts or more.
    Or(Vec<Expr>),
    /// True when the part is not.
    Not(Box<Expr>),
    /// The condition of the macro of this name.
    Macro(String, Offset),
    /// A comparison.
    Check(Box<Check>),
}

impl Expr {
    /// The negation. Two of them stay two: `not (not a)` is not `a` in the canonical form.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// A field, or what transformers make of it, compared with something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is compared.
    pub left: Operand,
    /// How, in the author's spelling.
    pub operator: Operator,
    /// With what.
    pub right: Right,
    /// Where the comparison begins.
    pub at: Offset,
}

/// Something that is computed from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A field.
    Field(FieldName),
    /// A transformer applied to its arguments.
    Transform(Transform),
}

/// A field as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldName {
    /// The name, with at least one dot.
    pub name: String,
    /// The text in brackets, without quotes and escapes.
    pub argument: Option<Text>,
    /// Where the name begins.
    pub at: Offset,
}

/// A transformer as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// Which.
    pub transformer: Transformer,
    /// What it is applied to. At least one.
    pub arguments: Vec<TransformArgument>,
    /// The text in brackets behind it.
    pub index: Option<Text>,
    /// Where its name begins.
    pub at: Offset,
}

/// One argument of a transformer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformArgument {
    /// A number, as written.
    Number(String),
    /// A quoted string, unescaped.
    Text(Text),
    /// A list in parentheses; holds no further list.
    List(Vec<TransformArgument>),
    /// A field or another transformer.
    Operand(Operand),
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// Nothing: the operator is `exists`.
    Nothing,
    /// One constant.
    Value(Value),
    /// Constants in parentheses.
    List(Option<Modifier>, Vec<Value>),
    /// A bare word where a list could stand: the name of a list, or one constant.
    Word(Option<Modifier>, Value),
    /// `val(field)`.
    Field(FieldName),
    /// A transformer.
    Transform(Transform),
}

impl Right {
    /// The constants in it.
    pub fn constants(&self) -> &[Value] {
        match self {
            Self::Value(value) | Self::Word(_, value) => std::slice::from_ref(value),
            Self::List(_, values) => values,
            Self::Nothing | Self::Field(_) | Self::Transform(_) => &[],
        }
    }
}

/// A constant.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its bytes, unescaped.
    pub text: Text,
    /// Written without quotes, so it may be the name of a list.
    pub bare: bool,
    /// Where it begins.
    pub at: Offset,
}

/// Quotes do not change what a constant means.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Value {}

macro_rules! words {
    ($(#[$attribute:meta])* $Enum:ident { $($(#[doc = $doc:literal])* $Variant:ident = $word:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Enum { $($(#[doc = $doc])* $Variant,)* }

        impl $Enum {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The word in a condition.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$Variant => $word,)* }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$Variant),)* _ => None }
            }
        }
    };
}

words! {
    /// How two things are compared. The order is the one in which the parser tries them.
    Operator {
        /// The left side has a value.
        Exists = "exists",
        /// Not greater.
        LessEqual = "<=",
        /// Smaller.
        Less = "<",
        /// Not smaller.
        GreaterEqual = ">=",
        /// Greater.
        Greater = ">",
        /// Equal, written with two signs.
        DoubleEqual = "==",
        /// Equal.
        Equal = "=",
        /// There is a value and it differs.
        NotEqual = "!=",
        /// Shell pattern over the whole value.
        Glob = "glob",
        /// The same without regard to case.
        IGlob = "iglob",
        /// Part of the value.
        Contains = "contains",
        /// The same without regard to case.
        IContains = "icontains",
        /// Part of the bytes, given in hexadecimal.
        BContains = "bcontains",
        /// Beginning of the value.
        StartsWith = "startswith",
        /// Beginning of the bytes, given in hexadecimal.
        BStartsWith = "bstartswith",
        /// End of the value.
        EndsWith = "endswith",
        /// Regular expression over the whole value.
        Regex = "regex",
        /// A list and the values have one in common.
        Intersects = "intersects",
        /// The value, or every one of the values, is in the list.
        In = "in",
        /// A path of the list is the value or a directory above it.
        PMatch = "pmatch",
    }
}

/// What kind of right side an operator takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorClass {
    /// None.
    Unary,
    /// A number.
    Number,
    /// A string, or a list behind a modifier.
    Text,
    /// A list.
    List,
}

impl Operator {
    /// What kind of right side it takes.
    pub const fn class(self) -> OperatorClass {
        match self {
            Self::Exists => OperatorClass::Unary,
            Self::LessEqual | Self::Less | Self::GreaterEqual | Self::Greater => OperatorClass::Number,
            Self::Intersects | Self::In | Self::PMatch => OperatorClass::List,
            Self::DoubleEqual | Self::Equal | Self::NotEqual => OperatorClass::Text,
            Self::Glob | Self::IGlob | Self::Contains | Self::IContains | Self::BContains => {
                OperatorClass::Text
            }
            Self::StartsWith | Self::BStartsWith | Self::EndsWith | Self::Regex => OperatorClass::Text,
        }
    }

    /// Whether it is a word, which needs a blank behind it.
    pub fn is_word(self) -> bool {
        self.word().starts_with(|first: char| first.is_ascii_alphabetic())
    }

    /// The operator without its spelling: `==` is `=`.
    #[must_use]
    pub const fn meaning(self) -> Self {
        match self {
            Self::DoubleEqual => Self::Equal,
            other => other,
        }
    }
}

words! {
    /// For how many elements of a list an operator must hold.
    Modifier {
        /// Exactly one.
        OneOf = "oneof",
        /// At least one.
        AnyOf = "anyof",
        /// Every one, of a list that is not empty.
        AllOf = "allof",
    }
}

words! {
    /// A function of one or more values.
    Transformer {
        /// ASCII letters in lower case.
        ToLower = "tolower",
        /// ASCII letters in upper case.
        ToUpper = "toupper",
        /// Base64 decoded.
        B64 = "b64",
        /// The text behind the last slash.
        Basename = "basename",
        /// Bytes of a text, elements of a list.
        Len = "len",
        /// The elements of a list with a separator between them.
        Join = "join",
        /// Texts one after the other.
        Concat = "concat",
        /// Short options out of a list of arguments.
        GetOpt = "getopt",
    }
}
