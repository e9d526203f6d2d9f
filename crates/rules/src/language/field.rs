//! The fields that conditions and outputs can name: one table.

mod container;
mod descriptor;
mod event;
mod evtargs;
mod process;
mod user;

use std::{collections::HashMap, sync::LazyLock};

use serde::{Serialize, Serializer};

use super::types::Type;

pub(super) use evtargs::is_parameter;

/// A field. The tables are constants, one file for each family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The name, as in `proc.name`.
    pub name: &'static str,
    /// What may or must stand in brackets behind the name.
    pub argument: ArgumentRule,
    /// The type of its value, or of each of its values.
    #[serde(rename = "type", serialize_with = "type_name")]
    pub ty: Type,
    /// It can have several values.
    pub list: bool,
    /// What it can be used for.
    pub usage: Usage,
    /// Events that can carry it.
    pub carried_by: CarriedBy,
    /// Why it should not be used any more.
    pub deprecated: Option<&'static str>,
    /// What its value is.
    pub doc: &'static str,
}

fn type_name<S: Serializer>(ty: &Type, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(ty.name())
}

/// What stands in brackets behind a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentRule {
    /// Nothing.
    None,
    /// Perhaps a number.
    OptionalIndex,
    /// Perhaps a key.
    OptionalKey,
    /// A number or a key; never missing.
    Key,
    /// A number in brackets or a parameter's name behind a dot; never missing.
    Parameter,
    /// A key in brackets or behind a dot; never missing.
    Label,
}

/// What a field can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// Everything.
    Any,
    /// Not on the right side, not in a transformer.
    Plain,
    /// As `Plain`, and not in outputs.
    FilterOnly,
}

/// Which events can carry a field. On others it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CarriedBy {
    /// Every event.
    Every,
    /// Events of system calls, which have a result.
    Syscall,
    /// Events that create or use a descriptor.
    Descriptor,
    /// Events whose descriptor is a socket.
    Socket,
    /// Events about a path.
    Path,
    /// Opens of files.
    Open,
    /// Events that move data.
    Data,
    /// Events of processes in a container.
    Container,
    /// Events of processes in a pod.
    Pod,
}

/// The number of a field in [`Field::all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(u16);

impl FieldId {
    /// The field.
    pub fn field(self) -> &'static Field {
        static NOTHING: Field = text("", CarriedBy::Every, "");
        TABLE.get(usize::from(self.0)).copied().unwrap_or(&NOTHING)
    }
}

static TABLE: LazyLock<Vec<&'static Field>> = LazyLock::new(|| {
    let families = [event::FIELDS, process::FIELDS, user::FIELDS, descriptor::FIELDS, container::FIELDS];
    families.into_iter().flatten().collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, FieldId>> = LazyLock::new(|| {
    let numbered = TABLE.iter().zip(0..=u16::MAX);
    numbered.map(|(field, id)| (field.name, FieldId(id))).collect()
});

impl Field {
    /// Every field, by family.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.iter().copied()
    }

    /// The field `name`, and what stands behind the name of a field that takes keys behind a dot:
    /// `evt.arg.path` is `evt.arg` and `path`.
    pub fn find(name: &str) -> Option<(FieldId, Option<&str>)> {
        if let Some(id) = BY_NAME.get(name) {
            return Some((*id, None));
        }
        let mut dots = name.match_indices('.');
        dots.find_map(|(dot, _)| {
            let id = *BY_NAME.get(name.get(..dot)?)?;
            let dotted = matches!(id.field().argument, ArgumentRule::Parameter | ArgumentRule::Label);
            let key = name.get(dot + 1..)?;
            let fits = id.field().argument != ArgumentRule::Parameter || !key.contains('.');
            (dotted && fits).then_some((id, Some(key)))
        })
    }

    /// The name that is most like `name`, if one is like it at all.
    pub fn nearest(name: &str) -> Option<&'static str> {
        super::suggest::nearest(name, TABLE.iter().map(|field| field.name))
    }
}

// The builders that the tables are written with.

const fn field(name: &'static str, ty: Type, carried_by: CarriedBy, doc: &'static str) -> Field {
    let (argument, usage) = (ArgumentRule::None, Usage::Any);
    Field { name, argument, ty, list: false, usage, carried_by, deprecated: None, doc }
}

const fn text(name: &'static str, carried_by: CarriedBy, doc: &'static str) -> Field {
    field(name, Type::Text, carried_by, doc)
}

impl Field {
    const fn with(mut self, argument: ArgumentRule) -> Self {
        self.argument = argument;
        self
    }

    const fn plain(mut self) -> Self {
        self.usage = Usage::Plain;
        self
    }

    const fn filter_only(mut self) -> Self {
        self.usage = Usage::FilterOnly;
        self
    }

    const fn many(mut self) -> Self {
        self.list = true;
        self
    }

    const fn deprecated(mut self, why: &'static str) -> Self {
        self.deprecated = Some(why);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_dotted() {
        assert_eq!(BY_NAME.len(), TABLE.len());
        for field in Field::all() {
            assert!(field.name.contains('.'), "{}", field.name);
            assert!(field.doc.ends_with('.'), "{}: {}", field.name, field.doc);
        }
    }

    #[test]
    fn keys_may_stand_behind_a_dot() {
        let (id, key) = Field::find("evt.arg.path").unwrap();
        assert_eq!((id.field().name, key), ("evt.arg", Some("path")));
        let (id, key) = Field::find("k8s.pod.label.app.kubernetes.io").unwrap();
        assert_eq!((id.field().name, key), ("k8s.pod.label", Some("app.kubernetes.io")));
        assert_eq!(Field::find("proc.name.x"), None);
        assert_eq!(Field::find("evt.arg.a.b"), None);
    }

    #[test]
    fn a_typo_finds_its_field() {
        assert_eq!(Field::nearest("proc.nmae"), Some("proc.name"));
        assert_eq!(Field::nearest("completely.different"), None);
    }
}
