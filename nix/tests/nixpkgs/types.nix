# Types of options: `check` says whether a value is of the type, `merge` makes one value of several definitions.
{ lib }:
let
  at = lib.concatStringsSep ".";
  show = value: if lib.isFunction value then "a function" else builtins.toJSON value;

  type = name: check: merge: {
    inherit name check;
    merge =
      path: values:
      let
        wrong = lib.filter (value: !check value) values;
      in
      if wrong == [ ] then
        merge path values
      else
        throw "option ${at path}: ${show (lib.head wrong)} is not ${name}";
  };
  one =
    path: values:
    if lib.all (value: value == lib.head values) values then
      lib.head values
    else
      throw "option ${at path} is defined twice, differently";
  scalar = name: check: type name check one;
  within =
    low: high:
    scalar "an integer from ${toString low} to ${toString high}" (
      value: lib.isInt value && value >= low && value <= high
    );

  freely =
    path: values:
    if lib.all lib.isAttrs values && !(lib.any (value: value ? outPath) values) then
      attrsOf.merge path values
    else if lib.all lib.isList values then
      lib.concatLists values
    else
      one path values;
  attrsOf = types.attrsOf types.anything;

  types = {
    anything = type "anything" (_: true) freely;
    bool = scalar "a boolean" lib.isBool;
    str = scalar "a string" lib.isString;
    lines = type "lines" lib.isString (_: lib.concatStringsSep "\n");
    float = scalar "a number with a point" lib.isFloat;
    int = scalar "an integer" lib.isInt;
    port = within 0 65535;
    ints = {
      between = within;
      positive = within 1 9223372036854775807;
      unsigned = within 0 9223372036854775807;
    };
    path = scalar "an absolute path" (
      value: builtins.isPath value || value ? outPath || (lib.isString value && lib.hasPrefix "/" value)
    );
    package = scalar "a package" (value: lib.isAttrs value && value ? outPath);
    enum = words: scalar "one of ${show words}" (value: lib.elem value words);
    nullOr =
      inner:
      type "null or ${inner.name}" (value: value == null || inner.check value) (
        path: values:
        if lib.all (value: value == null) values then
          null
        else
          inner.merge path (lib.filter (value: value != null) values)
      )
      // (if inner ? options then { inherit (inner) options; } else { });
    either =
      a: b:
      type "${a.name} or ${b.name}" (value: a.check value || b.check value) (
        path: values: if lib.all a.check values then a.merge path values else b.merge path values
      );
    listOf =
      inner:
      type "a list" lib.isList (
        path: lists: map (value: inner.merge (path ++ [ "*" ]) [ value ]) (lib.concatLists lists)
      );
    attrsOf =
      inner:
      type "a set" lib.isAttrs (
        path: sets:
        let
          names = lib.attrNames (lib.mergeAttrsList sets);
          values =
            name:
            lib.concatMap (set: lib.optionals (set ? ${name}) (lib.modules.discharge 100 set.${name})) sets;
        in
        lib.filterAttrs (_: value: value != { _type = "nothing"; }) (
          lib.genAttrs names (
            name:
            let
              strongest = lib.modules.strongest (values name);
            in
            if strongest == [ ] then { _type = "nothing"; } else inner.merge (path ++ [ name ]) strongest
          )
        )
      );
    submodule =
      {
        options ? { },
        freeformType ? null,
      }:
      type "a set" lib.isAttrs (
        path: values:
        (lib.modules.evalModules {
          prefix = path;
          freeform = freeformType;
          modules = [ { inherit options; } ] ++ map (value: { config = value; }) values;
        }).config
      )
      // {
        inherit options;
      };
  };
in
types
