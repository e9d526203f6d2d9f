//! What is wrong with rule files, and where.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $Variant:ident = $name:literal,)*) => {
        /// What kind of thing is wrong. The names are Falco's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $Variant,)* }

        impl Code {
            /// Falco's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The file cannot be read.
    FileRead = "LOAD_ERR_FILE_READ",
    /// The file is no YAML.
    YamlParse = "LOAD_ERR_YAML_PARSE",
    /// The file's structure is wrong.
    YamlValidate = "LOAD_ERR_YAML_VALIDATE",
    /// A condition is not in the language, or its names and types are wrong.
    ErrCompileCondition = "LOAD_ERR_COMPILE_CONDITION",
    /// An output template is wrong.
    ErrCompileOutput = "LOAD_ERR_COMPILE_OUTPUT",
    /// Items do not fit together.
    Validate = "LOAD_ERR_VALIDATE",
    /// What Sentinel adds to the language, `threshold` or `sequence`, is wrong.
    Extension = "LOAD_ERR_EXTENSION",
    /// A rule is for events of a source that is not there.
    UnknownSource = "LOAD_UNKNOWN_SOURCE",
    /// A comparison with `<NA>` that does not do what it seems to do.
    UnsafeNaCheck = "LOAD_UNSAFE_NA_CHECK",
    /// A condition matches too many types of events.
    NoEvtType = "LOAD_NO_EVTTYPE",
    /// A rule was dropped because it names an unknown field, as its author allowed.
    UnknownFilter = "LOAD_UNKNOWN_FILTER",
    /// No condition uses a macro.
    UnusedMacro = "LOAD_UNUSED_MACRO",
    /// No condition uses a list.
    UnusedList = "LOAD_UNUSED_LIST",
    /// An item is none of the known ones.
    UnknownItem = "LOAD_UNKNOWN_ITEM",
    /// Something that has a better replacement.
    DeprecatedItem = "LOAD_DEPRECATED_ITEM",
    /// What Sentinel adds to the language does not do what it seems to do.
    WarningExtension = "LOAD_WARNING_EXTENSION",
    /// An exception is appended to, without values.
    AppendNoValues = "LOAD_APPEND_NO_VALUES",
    /// Two exceptions of a rule have one name.
    ExceptionNameNotUnique = "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
    /// No condition can name this macro.
    InvalidMacroName = "LOAD_INVALID_MACRO_NAME",
    /// No condition can name this list.
    InvalidListName = "LOAD_INVALID_LIST_NAME",
    /// A condition probably means something else.
    CompileCondition = "LOAD_COMPILE_CONDITION",
    /// A key is none of the known ones.
    UnknownKey = "LOAD_UNKNOWN_KEY",
}

impl Code {
    /// Whether a file with this is refused.
    pub fn is_error(self) -> bool {
        self.name().starts_with("LOAD_ERR_")
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What an item of a rule file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemType {
    /// The file as a whole.
    File,
    /// An item of no known kind.
    Item,
    /// `required_engine_version`.
    RequiredEngineVersion,
    /// `required_plugin_versions`.
    RequiredPluginVersions,
    /// A list.
    List,
    /// A macro.
    Macro,
    /// A rule.
    Rule,
}

impl ItemType {
    /// The word in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Item => "item",
            Self::RequiredEngineVersion => "required_engine_version",
            Self::RequiredPluginVersions => "required_plugin_versions",
            Self::List => "list",
            Self::Macro => "macro",
            Self::Rule => "rule",
        }
    }
}

/// One thing that is wrong, or probably so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind.
    pub code: Code,
    /// What it is about.
    pub item_type: ItemType,
    /// The name of the item; empty when it has none.
    pub item_name: String,
    /// What is wrong and what would do.
    pub message: String,
    /// The file, as its reader named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line itself.
    #[serde(skip)]
    pub snippet: String,
}

impl fmt::Display for Diagnostic {
    /// `file:line:column: code: kind "name": message`, the line, and a caret under the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.escape_debug(), self.line, self.column, self.code.name())?;
        if self.item_type != ItemType::File {
            write!(f, ": {} {:?}", self.item_type.word(), self.item_name)?;
        }
        write!(f, ": {}", self.message.replace(char::is_control, " "))?;
        if self.snippet.trim().is_empty() {
            return Ok(());
        }
        let before = self.column.saturating_sub(1);
        let skip = before.saturating_sub(SNIPPET_BEFORE);
        let shown: String = self.snippet.chars().skip(skip).take(SNIPPET_MAX).map(visible).collect();
        write!(f, "\n    {}\n    {:>width$}", shown.trim_end(), '^', width = before - skip + 1)
    }
}

const SNIPPET_BEFORE: usize = 70; // characters of a long line that are shown before the caret
const SNIPPET_MAX: usize = 110; // characters of a line that are shown

/// A file is not trusted to hold only what a terminal should print.
fn visible(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

/// What came of loading rule files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// There are no errors.
    pub successful: bool,
    /// Why the files are refused.
    pub errors: Vec<Diagnostic>,
    /// What is allowed and probably wrong.
    pub warnings: Vec<Diagnostic>,
}

impl LoadReport {
    /// The report about a file that could not be read, or is no UTF-8: `RuleSet::load` takes texts.
    pub fn unreadable(file: &str, message: impl Into<String>) -> Self {
        let error = Diagnostic {
            code: Code::FileRead,
            item_type: ItemType::File,
            item_name: String::new(),
            message: message.into(),
            file: file.to_owned(),
            line: 1,
            column: 1,
            snippet: String::new(),
        };
        Self { successful: false, errors: vec![error], warnings: Vec::new() }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self.errors.iter().chain(&self.warnings) {
            writeln!(f, "{diagnostic}")?;
        }
        write!(f, "{} errors, {} warnings", self.errors.len(), self.warnings.len())
    }
}
