# The functions of nixpkgs' lib that are used, with its names and meanings.
let
  lib = rec {
    inherit (builtins)
      all
      any
      attrNames
      attrValues
      concatLists
      concatMap
      concatStringsSep
      elem
      filter
      functionArgs
      head
      isAttrs
      isBool
      isFunction
      isFloat
      isInt
      isList
      isString
      length
      listToAttrs
      mapAttrs
      pathExists
      readDir
      replaceStrings
      ;
    modules = import ./modules.nix { inherit lib; };
    types = import ./types.nix { inherit lib; };
    fileset = import ./fileset.nix { inherit lib; };
    inherit (modules)
      evalModules
      literalExpression
      literalMD
      mkDefault
      mkEnableOption
      mkForce
      mkIf
      mkMerge
      mkOption
      ;

    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
    nameValuePair = name: value: { inherit name value; };
    mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    filterAttrs =
      keep: set:
      listToAttrs (
        map (name: nameValuePair name set.${name}) (filter (name: keep name set.${name}) (attrNames set))
      );
    filterAttrsRecursive =
      keep: set:
      mapAttrs (_: value: if isAttrs value then filterAttrsRecursive keep value else value) (
        filterAttrs keep set
      );
    mergeAttrsList = builtins.foldl' (a: b: a // b) { };
    recursiveUpdate =
      a: b:
      a
      // mapAttrs (
        name: value:
        if isAttrs value && isAttrs (a.${name} or null) then recursiveUpdate a.${name} value else value
      ) b;
    attrByPath =
      path: default: set:
      if path == [ ] then
        set
      else if isAttrs set && set ? ${head path} then
        attrByPath (builtins.tail path) default set.${head path}
      else
        default;
    setAttrByPath =
      path: value:
      if path == [ ] then value else { ${head path} = setAttrByPath (builtins.tail path) value; };
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    concatStrings = concatStringsSep "";
    concatMapStringsSep =
      separator: f: list:
      concatStringsSep separator (map f list);
    concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
    last = list: builtins.elemAt list (length list - 1);
    splitString =
      separator: text:
      filter isString (builtins.split (builtins.replaceStrings [ "." ] [ "\\." ] separator) text);
    hasInfix = infix: text: lib.length (lib.splitString infix text) > 1;
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    hasSuffix =
      suffix: text:
      let
        at = builtins.stringLength text - builtins.stringLength suffix;
      in
      at >= 0 && builtins.substring at (-1) text == suffix;
    removeSuffix =
      suffix: text:
      if hasSuffix suffix text then
        builtins.substring 0 (builtins.stringLength text - builtins.stringLength suffix) text
      else
        text;
    escapeShellArg = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    escapeShellArgs = lib.concatMapStringsSep " " lib.escapeShellArg;
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    importTOML = file: builtins.fromTOML (builtins.readFile file);
    # A package or one of its outputs.
    getExe' = package: program: "${package}/bin/${program}";
    getDev = package: package.dev or package;
    getName = package: package.pname or package.name;
    fetchers.proxyImpureEnvVars = [
      "http_proxy"
      "https_proxy"
    ];
    licenses = {
      asl20.spdxId = "Apache-2.0";
      gpl2Only.spdxId = "GPL-2.0-only";
    };
  };
in
lib
