# File sets as predicates over paths. As in nixpkgs, naming a file that is not there is an error.
{ lib }:
let
  below = root: path: path == root || lib.hasPrefix "${root}/" path;
  set =
    value:
    if value ? holds then
      value
    else if !builtins.pathExists value then
      throw "lib.fileset: ${toString value} does not exist"
    else
      let
        root = toString value;
      in
      {
        holds = below root;
        # A directory is entered when something of the set is in it.
        meets = path: below root path || below path root;
      };
  none = {
    holds = _: false;
    meets = _: false;
  };
in
rec {
  maybeMissing = path: if builtins.pathExists path then set path else none;
  unions =
    values:
    let
      sets = map set values;
    in
    {
      holds = path: lib.any (one: one.holds path) sets;
      meets = path: lib.any (one: one.meets path) sets;
    };
  difference =
    a: b:
    let
      from = set a;
      without = set b;
    in
    {
      holds = path: from.holds path && !without.holds path;
      meets = path: from.meets path && !without.holds path;
    };
  toSource =
    { root, fileset }:
    let
      files = set fileset;
    in
    builtins.path {
      name = "source";
      path = root;
      filter = path: type: if type == "directory" then files.meets path else files.holds path;
    };
}
