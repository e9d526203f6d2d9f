# A small module system: declared options, definitions with mkIf, mkMerge and priorities, submodules. What nobody
# declared is an error, and so is a value of another type.
{ lib }:
let
  inherit (lib)
    isAttrs
    isFunction
    mapAttrs
    concatMap
    ;
  is = type: value: isAttrs value && (value._type or null) == type;
  at = lib.concatStringsSep ".";

  # Definitions of a level as plain sets; a condition moves down to the values, unevaluated.
  pushDown =
    value:
    if is "merge" value then
      concatMap pushDown value.contents
    else if is "if" value then
      map (mapAttrs (_: inner: mkIf value.condition inner)) (pushDown value.content)
    else if is "override" value then
      map (mapAttrs (_: inner: value // { content = inner; })) (pushDown value.content)
    else
      [ value ];

  # Definitions of an option as values with their priority.
  discharge =
    priority: value:
    if is "merge" value then
      concatMap (discharge priority) value.contents
    else if is "if" value then
      if value.condition then discharge priority value.content else [ ]
    else if is "override" value then
      discharge value.priority value.content
    else
      [ { inherit priority value; } ];

  strongest =
    values:
    let
      least = builtins.foldl' (a: b: if b.priority < a then b.priority else a) 9999 values;
    in
    map (one: one.value) (lib.filter (one: one.priority == least) values);

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  override = priority: content: {
    _type = "override";
    inherit priority content;
  };

  define =
    path: option: raw:
    let
      values = strongest (concatMap (discharge 100) raw);
    in
    if values != [ ] then
      option.type.merge path values
    else if option ? default then
      option.type.merge path [ option.default ]
    else
      throw "option ${at path} is used and not defined";

  evalLevel =
    path: freeform: options: sets:
    let
      defined = name: map (set: set.${name}) (lib.filter (set: set ? ${name}) sets);
      declared = mapAttrs (
        name: option:
        let
          here = path ++ [ name ];
        in
        if is "option" option then
          define here option (defined name)
        else
          evalLevel here null option (concatMap pushDown (defined name))
      ) options;
      names = lib.attrNames (lib.mergeAttrsList sets);
      unknown = lib.filter (name: !(options ? ${name})) names;
      free = lib.genAttrs unknown (
        name: define (path ++ [ name ]) { type = lib.types.anything; } (defined name)
      );
    in
    if unknown == [ ] then
      declared
    else if freeform != null then
      declared // free
    else
      throw "option ${at (path ++ [ (lib.head unknown) ])} does not exist";
in
rec {
  inherit mkIf discharge strongest;
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkDefault = override 1000;
  mkForce = override 50;
  mkOption = option: { type = lib.types.anything; } // option // { _type = "option"; };
  mkEnableOption =
    what:
    mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether to enable ${what}.";
    };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
      freeform ? null,
    }:
    let
      arguments = {
        inherit lib config options;
      }
      // specialArgs;
      load =
        module:
        let
          loaded = if builtins.isPath module then import module else module;
          names = lib.functionArgs loaded;
          value =
            if !isFunction loaded then
              loaded
            else if names == { } then
              loaded arguments
            else
              loaded (mapAttrs (name: _: arguments.${name}) names);
          plain = value ? config || value ? options;
        in
        concatMap load (value.imports or [ ])
        ++ [
          {
            options = value.options or { };
            config = if plain then value.config or { } else removeAttrs value [ "imports" ];
          }
        ];
      loaded = concatMap load modules;
      options = builtins.foldl' lib.recursiveUpdate { } (map (module: module.options) loaded);
      config = evalLevel prefix freeform options (concatMap (module: pushDown module.config) loaded);
    in
    {
      inherit options config;
    };
}
