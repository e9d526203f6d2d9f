//! YAML with the place of every node.

use std::{collections::HashMap, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// How deep collections may nest; rules need five.
const DEPTH_MAX: usize = 32;
/// How many nodes a file may have, counting each use of an alias.
const NODES_MAX: usize = 4_000_000;

/// A place in a file, both numbers from 1, columns in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Number of the file in the order of loading, from 0.
    pub file: usize,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A YAML node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// Where it begins.
    pub at: Mark,
}

/// What a YAML node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text. Numbers and booleans are texts here.
    Scalar(String, Style),
    /// Nodes in order.
    Sequence(Vec<Arc<Node>>),
    /// Pairs of key and value in order; a key may stand there twice.
    Mapping(Vec<(Arc<Node>, Arc<Node>)>),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// Behind `|` or `>`.
    Block,
}

impl Node {
    /// The text of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The elements of a sequence.
    pub fn sequence(&self) -> Option<&[Arc<Self>]> {
        match &self.content {
            Content::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub fn mapping(&self) -> Option<&[(Arc<Self>, Arc<Self>)]> {
        match &self.content {
            Content::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// Whether nothing is written, or `null` or `~` without quotes.
    pub fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar(text, Style::Plain) => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }
}

/// The file is no YAML, or too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) at: Mark,
    pub(super) message: String,
}

/// Reads every document of a file.
pub(super) fn read(file: usize, text: &str) -> Result<Vec<Arc<Node>>, YamlError> {
    let mut builder =
        Builder { file, documents: Vec::new(), open: Vec::new(), anchors: HashMap::new(), nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError {
            at: builder.mark(error.marker()),
            message: error.info().to_owned(),
        })?;
        let at = builder.mark(&span.start);
        builder.take(event, at).map_err(|message| YamlError { at, message: message.into() })?;
    }
    Ok(builder.documents)
}

/// A collection that has not ended.
struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<Arc<Node>>,
    /// Nodes counted when it began.
    before: usize,
}

struct Builder {
    file: usize,
    documents: Vec<Arc<Node>>,
    open: Vec<Open>,
    /// Nodes with a name, and how many nodes each has within.
    anchors: HashMap<usize, (Arc<Node>, usize)>,
    nodes: usize,
}

impl Builder {
    fn mark(&self, marker: &Marker) -> Mark {
        Mark { file: self.file, line: marker.line(), column: marker.col() + 1 }
    }

    fn take(&mut self, event: Event<'_>, at: Mark) -> Result<(), &'static str> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => Ok(()),
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, nodes)) => {
                    self.count(nodes)?;
                    self.place(node)
                }
                None => Err("the alias stands inside of what it names"),
            },
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.count(1)?;
                self.finish(Node { content: Content::Scalar(text.into_owned(), style), at }, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.begin(Content::Sequence(Vec::new()), anchor, at),
            Event::MappingStart(anchor, _) => self.begin(Content::Mapping(Vec::new()), anchor, at),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.finish(open.node, open.anchor, self.nodes - open.before),
                None => Ok(()),
            },
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), &'static str> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX { Err("the file has more than 4,000,000 nodes") } else { Ok(()) }
    }

    fn begin(&mut self, content: Content, anchor: usize, at: Mark) -> Result<(), &'static str> {
        if self.open.len() >= DEPTH_MAX {
            return Err("collections nest deeper than 32");
        }
        let before = self.nodes;
        self.count(1)?;
        self.open.push(Open { node: Node { content, at }, anchor, key: None, before });
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize, nodes: usize) -> Result<(), &'static str> {
        let node = Arc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, (Arc::clone(&node), nodes));
        }
        self.place(node)
    }

    fn place(&mut self, node: Arc<Node>) -> Result<(), &'static str> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.node.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(pairs) => match open.key.take() {
                Some(key) => pairs.push((key, node)),
                None => open.key = Some(node),
            },
            Content::Scalar(..) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, usize, String) {
        let error = read(0, text).unwrap_err();
        (error.at.line, error.at.column, error.message)
    }

    #[test]
    fn nodes_know_their_places() {
        let documents = read(3, "- rule: x\n  tags: [a, 'b c']\n").unwrap();
        let item = &documents[0].sequence().unwrap()[0];
        assert_eq!(item.at, Mark { file: 3, line: 1, column: 3 });
        let (key, value) = &item.mapping().unwrap()[1];
        assert_eq!((key.scalar(), key.at.line, key.at.column), (Some("tags"), 2, 3));
        assert_eq!(value.sequence().unwrap()[1].at.column, 13);
    }

    #[test]
    fn aliases_are_the_nodes_they_name() {
        let documents = read(0, "- &x [a, b]\n- *x\n").unwrap();
        let items = documents[0].sequence().unwrap();
        assert_eq!(items[1].sequence().unwrap().len(), 2);
    }

    #[test]
    fn aliases_cannot_grow_without_bound() {
        let mut text = String::from("- &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..9 {
            let uses = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("- &a{level} [{uses}]\n"));
        }
        assert!(error(&text).2.contains("4,000,000"));
    }

    #[test]
    fn deep_nesting_is_refused_in_place() {
        let (line, column, message) = error(&format!("{}x", "- ".repeat(40)));
        assert_eq!((line, column), (1, 65), "{message}");
        assert!(error(&"[".repeat(100_000)).2.contains("limit"));
        assert!(error(&"{a: ".repeat(100_000)).2.contains("limit"));
    }

    #[test]
    fn null_is_nothing_without_quotes() {
        let documents = read(0, "[~, null, '', 'null', x]").unwrap();
        let nulls: Vec<_> = documents[0].sequence().unwrap().iter().map(|node| node.is_null()).collect();
        assert_eq!(nulls, [true, true, false, false, false]);
    }
}
