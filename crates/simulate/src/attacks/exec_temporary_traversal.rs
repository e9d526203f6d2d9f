//! A way to a temporary directory that does not begin with its name.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "exec-temporary-traversal",
    rule: "Program from a temporary directory",
    about: "starts a copy of the program true in /tmp by a path that begins with /usr and has `..` and `//` in it",
    twin: "starts a copy in a directory beside /tmp whose name begins like it",
    attack: |stage| {
        let name = format!("{}.x", stage.name());
        stage.copy(&stage.tool("true")?, &Path::new("/tmp").join(&name))?;
        stage.run(&mut Command::new(format!("/usr/..//usr/./../tmp//{name}")))
    },
    benign: |stage| {
        needs_root()?;
        let beside = PathBuf::from(format!("/tmp.{}", stage.name()));
        stage.directory(&beside)?;
        let copy = beside.join("true");
        stage.copy(&stage.tool("true")?, &copy)?;
        stage.run(&mut Command::new(copy))
    },
};
