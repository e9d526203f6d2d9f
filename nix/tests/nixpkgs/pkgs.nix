# Packages that can be named and never built. An argument that no package of this set has is an error, as it is in
# nixpkgs.
{ system }:
let
  lib = import ./lib.nix;

  # What the derivation itself may hold: strings, numbers, lists of these.
  holds =
    value:
    lib.isString value
    || lib.isInt value
    || lib.isBool value
    || builtins.isPath value
    || value ? outPath
    || (lib.isList value && lib.all holds value);

  mkDerivation =
    attributes:
    let
      name = attributes.name or "${attributes.pname}-${attributes.version}";
      base = derivation (
        lib.filterAttrs (_: holds) (
          removeAttrs attributes [
            "meta"
            "passthru"
            "env"
          ]
        )
        // lib.filterAttrs (_: holds) (attributes.env or { })
        // {
          inherit name system;
          builder = "/bin/sh";
          args = [
            "-c"
            "echo 'this is the stand-in of nix/tests/nixpkgs: it builds nothing' >&2; exit 1"
          ];
        }
      );
    in
    base
    // lib.genAttrs (attributes.outputs or [ "out" ]) (
      output: base.${output} // { inherit (attributes) pname version; }
    )
    // (attributes.passthru or { })
    // {
      inherit name;
      pname = attributes.pname or name;
      version = attributes.version or "0";
      meta = attributes.meta or { };
      nativeBuildInputs = attributes.nativeBuildInputs or [ ];
      overrideAttrs = f: mkDerivation (attributes // (if lib.isFunction f then f attributes else f));
    };

  tool =
    pname:
    mkDerivation {
      inherit pname;
      version = "0";
    };
  tools = names: lib.genAttrs names tool;

  pkgs =
    tools [
      "bpftools"
      "busybox"
      "cacert"
      "cargo"
      "cargo-cyclonedx"
      "clippy"
      "coreutils"
      "curl"
      "deadnix"
      "elfutils"
      "installShellFiles"
      "iproute2"
      "jq"
      "kubernetes-helm"
      "libbpf"
      "mandoc"
      "nixfmt"
      "nixfmt-tree"
      "nodejs"
      "pkg-config"
      "python3"
      "rust-analyzer"
      "rustc"
      "rustfmt"
      "shellcheck"
      "systemd"
      "zlib"
    ]
    // {
      inherit lib system;
      stdenv = {
        inherit mkDerivation;
        buildPlatform = platform;
        hostPlatform = platform;
      };
      stdenvNoCC = pkgs.stdenv;
      callPackage =
        file: arguments:
        let
          f = import file;
          wanted = lib.functionArgs f;
          missing = lib.filter (name: !(pkgs ? ${name}) && !(arguments ? ${name}) && !wanted.${name}) (
            lib.attrNames wanted
          );
        in
        if missing != [ ] then
          throw "callPackage ${toString file}: the stand-in has no ${lib.concatStringsSep ", " missing}"
        else
          f (builtins.intersectAttrs wanted pkgs // arguments);

      llvmPackages = tools [
        "clang"
        "clang-tools"
        "clang-unwrapped"
      ];
      rustPlatform = {
        buildRustPackage =
          attributes:
          mkDerivation (
            removeAttrs attributes [ "cargoLock" ]
            // {
              cargoDeps = builtins.seq (builtins.readFile attributes.cargoLock.lockFile) "vendor";
            }
          );
        importCargoLock = { lockFile }: builtins.seq (builtins.readFile lockFile) (tool "cargo-vendor-dir");
        bindgenHook = tool "bindgen-hook";
        cargoSetupHook = tool "cargo-setup-hook";
      };
      mkShell =
        attributes:
        mkDerivation {
          name = "nix-shell";
          nativeBuildInputs =
            attributes.packages ++ lib.concatMap (package: package.nativeBuildInputs) attributes.inputsFrom;
          inherit (attributes) env;
        };
      runCommand =
        name: attributes: script:
        mkDerivation (
          attributes
          // {
            inherit name;
            buildCommand = script;
          }
        );
      writeText = name: text: mkDerivation { inherit name text; };
      formats.yaml = _: {
        type = lib.types.anything;
        # The value stays readable, for tests.
        generate =
          name: value:
          mkDerivation {
            inherit name;
            text = builtins.toJSON value;
            passthru.value = value;
          };
      };
      dockerTools = {
        caCertificates = tool "ca-certificates";
        streamLayeredImage =
          {
            name,
            tag,
            contents,
            config,
          }:
          mkDerivation {
            name = "stream-${name}";
            configuration = builtins.toJSON config;
            inherit tag contents;
            passthru = { inherit config; };
          };
      };
      k3s = tool "k3s" // {
        airgap-images = tool "k3s-airgap-images";
      };
      nixos = configuration: import ./nixos.nix { inherit pkgs; } configuration;
      testers.runNixOSTest = import ./test.nix { inherit pkgs; };
    }
    //
      lib.genAttrs
        [
          "linuxPackages_6_1"
          "linuxPackages_6_6"
          "linuxPackages_6_12"
          "linuxPackages_6_18"
          "linuxPackages_latest"
        ]
        (_: {
          kernel = tool "linux";
        });

  platform = {
    inherit system;
    isAarch64 = system == "aarch64-linux";
    canExecute = _: true;
  };
in
pkgs
